"""Sign-in by a name alone: for one machine, whose people trust each other."""

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ground_truth_server.people.accounts import LONGEST_NAME, name_of
from ground_truth_server.people.person import Person
from ground_truth_server.portal.sign_in import SignIn, own_path, with_form
from ground_truth_server.portal.web_pages import page

_COOKIE = "worker"
_A_YEAR = 365 * 24 * 3600  # seconds
_NAMES_OFFERED = 24


class SignInByName(SignIn):
    """People say their name, and are believed.

    Args:
        known: Gives the names of those who worked here before.
    """

    trusts_everybody = True

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._known = known

    def person(self, request: Request, *, at_work: bool = True) -> Person | None:  # noqa: ARG002  (nothing ends)
        """Tell who signed in; a cookie may say anything, and the same rules hold for it as for the form."""
        name = name_of(unquote(request.cookies.get(_COOKIE, "")))
        return None if name is None else Person(name, name, "admin", trusted=True)

    def owner(self, request: Request, *, at_work: bool = True) -> Person:
        """Let everybody see the console."""
        return self.person(request, at_work=at_work) or Person("", "", "admin", trusted=True)

    def is_signed_in(self, person_id: str) -> bool:  # noqa: ARG002  (a name is enough)
        """Believe it."""
        return True

    def page(self, request: Request, goal: str = "/") -> Response:
        """Ask for a name."""
        return self._page(request, goal)

    def routes(self) -> Sequence[Route]:
        """Give the routes by which people sign in and out."""
        return [
            Route("/sign-in", with_form(self._sign_in), methods=["POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]

    def _page(self, request: Request, goal: str, problem: str = "") -> Response:
        offered = sorted(set(self._known()), key=str.casefold)[:_NAMES_OFFERED]
        return page(
            request, "sign_in.html", 422 if problem else 200, names=offered, problem=problem, goal=own_path(goal)
        )

    def _sign_in(self, request: Request, form: dict[str, str]) -> Response:
        name, goal = name_of(form.get("worker", "")), form.get("goal", "/")
        if name is None:
            return self._page(request, goal, f"Please choose a name of 1 to {LONGEST_NAME} letters.")
        response = RedirectResponse(own_path(goal), 303)
        response.set_cookie(_COOKIE, quote(name, safe=""), max_age=_A_YEAR, httponly=True, samesite="lax")
        return response

    def _sign_out(self, _: Request) -> Response:
        response = RedirectResponse("/", 303)
        response.delete_cookie(_COOKIE, httponly=True, samesite="lax")
        return response
