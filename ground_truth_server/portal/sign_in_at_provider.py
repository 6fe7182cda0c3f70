"""Sign-in at an OpenID Connect provider: there and back."""

import logging
from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ground_truth_server.people.oidc import OidcSignIn, ProviderUnavailable, SignInRefused
from ground_truth_server.people.sessions import Sessions
from ground_truth_server.portal.sign_in import SessionSignIn, own_path, said, with_form
from ground_truth_server.portal.web_pages import page

CALLBACK = "/sign-in/callback"
_TO_COME_BACK = 900  # seconds
_log = logging.getLogger(__name__)


class SignInAtProvider(SessionSignIn):
    """People sign in where they do for everything else.

    Args:
        provider: The provider.
        sessions: The sessions.
        home: The portal's origin.
        secure: Whether browsers reach the server by TLS.
    """

    def __init__(self, provider: OidcSignIn, sessions: Sessions, home: str, *, secure: bool) -> None:
        super().__init__(sessions, secure=secure)
        self._provider = provider
        self._home = home
        self._state = "__Host-sign-in" if secure else "sign-in"

    def page(self, request: Request, goal: str = "/") -> Response:
        """Offer to go there. A link, since pages that browsers ask for by themselves should begin nothing."""
        return page(request, "sign_in_provider.html", link=f"/sign-in?{urlencode({'goal': own_path(goal)})}")

    def routes(self) -> Sequence[Route]:
        """Give the routes by which people go there, come back, and sign out."""
        return [
            Route("/sign-in", self._begin, methods=["GET"]),
            Route(CALLBACK, self._end, methods=["GET"]),
            Route("/sign-out", with_form(self._sign_out), methods=["POST"]),
        ]

    def _begin(self, request: Request) -> Response:
        try:
            url, state = self._provider.begin(own_path(request.query_params.get("goal", "/")))
        except ProviderUnavailable as error:
            return self._unavailable(request, error)
        response = RedirectResponse(url, 303)
        self._set(response, self._state, state, _TO_COME_BACK)
        return response

    def _end(self, request: Request) -> Response:
        try:
            found = self._provider.end(request.cookies.get(self._state, ""), dict(request.query_params))
        except SignInRefused as error:
            return said(request, "You are not signed in", str(error), 403)
        except ProviderUnavailable as error:
            return self._unavailable(request, error)
        response = self._let_in(request, found.person.id, found.goal, found.id_token)
        self._set(response, self._state, "", 0)
        return response

    def _sign_out(self, request: Request, _: dict[str, str]) -> Response:
        session = self._sessions.end(request.cookies.get(self._cookie, ""))
        try:
            there = self._provider.sign_out_url(session.id_token if session else None, f"{self._home}/")
        except ProviderUnavailable:
            there = None  # the session here is over in any case
        if there is None:
            return self._let_out(RedirectResponse("/", 303))
        # A form may lead to this origin alone, by the page's own policy; a page that has come may go on.
        response = said(request, "You are signed out", "The sign-in service is told now.", 200, there)
        response.headers["Refresh"] = f"0; url={there}"
        return self._let_out(response)

    def _unavailable(self, request: Request, error: ProviderUnavailable) -> Response:
        _log.warning("sign-in: %s", error)
        message = "The sign-in service can't be reached now. Nothing is lost; try again in a moment."
        response = said(request, "Signing in has to wait", message, 503)
        response.headers["Retry-After"] = "10"
        return response
