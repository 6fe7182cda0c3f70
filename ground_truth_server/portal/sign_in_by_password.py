"""Sign-in to an account of this server, and the invitation by which one comes to it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ground_truth_server.edge.client_address import client_address
from ground_truth_server.people.accounts import AccountRefused, Accounts
from ground_truth_server.people.passwords import SHORTEST
from ground_truth_server.people.sessions import Sessions
from ground_truth_server.people.tries import TooManyTries
from ground_truth_server.portal.sign_in import SessionSignIn, own_path, read_form, said, with_form
from ground_truth_server.portal.web_pages import page

# A hash takes 64 MiB and a tenth of a second of a core: a thousand tries at once wait, or are sent away.
_HASHES_AT_ONCE = 2
_MOST_WAITING = 50
_WRONG = "This name and password don't belong together. Try again, or ask for an invitation to a new password."
_Result = TypeVar("_Result")
_USED = "This invitation was used already, or is over. Ask for another one."


class SignInByPassword(SessionSignIn):
    """People sign in by name and password.

    Args:
        accounts: The accounts.
        sessions: The sessions.
        secure: Whether browsers reach the server by TLS.
    """

    invites = True

    def __init__(self, accounts: Accounts, sessions: Sessions, *, secure: bool) -> None:
        super().__init__(sessions, secure=secure)
        self._accounts = accounts
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)
        self._waiting = 0

    def page(self, request: Request, goal: str = "/") -> Response:
        """Ask for name and password."""
        return self._page(request, goal)

    def routes(self) -> Sequence[Route]:
        """Give the routes by which people sign in and out, and come by invitation."""
        return [
            Route("/sign-in", self._sign_in, methods=["POST"]),
            Route("/sign-in", self._ask, methods=["GET"]),
            Route("/sign-out", with_form(self._sign_out), methods=["POST"]),
            Route("/invitation/{token}", self._invitation, methods=["GET"]),
            Route("/invitation/{token}", self._accept, methods=["POST"]),
        ]

    def _ask(self, request: Request) -> Response:
        return self._page(request, request.query_params.get("goal", "/"))

    def _page(self, request: Request, goal: str, problem: str = "", status: int = 200, name: str = "") -> Response:
        context = {"problem": problem, "goal": own_path(goal), "name": name[:200]}
        return page(request, "sign_in_password.html", status, **context)

    async def _sign_in(self, request: Request) -> Response:
        form = await read_form(request)
        name, goal, address = form.get("name", ""), form.get("goal", "/"), client_address(request.scope)
        try:
            await run_in_threadpool(self._accounts.begin_try, name, address)
        except TooManyTries as error:
            return _later(self._page(request, goal, str(error), 429, name), error.seconds)
        if self._waiting >= _MOST_WAITING:
            return _later(self._page(request, goal, "Very many sign in now. Try again in a moment.", 503, name), 5)
        person = await self._hashed(self._accounts.sign_in, name, form.get("password", ""), address)
        if person is None:
            return self._page(request, goal, _WRONG, 403, name)
        return await run_in_threadpool(self._let_in, request, person.id, goal)

    async def _hashed(self, action: Callable[..., _Result], *arguments: str) -> _Result:
        """Do what hashes a password, when there is room."""
        self._waiting += 1
        try:
            async with self._hashing:
                return await run_in_threadpool(action, *arguments)
        finally:
            self._waiting -= 1

    def _sign_out(self, request: Request, _: dict[str, str]) -> Response:
        self._sessions.end(request.cookies.get(self._cookie, ""))
        return self._let_out(RedirectResponse("/", 303))

    def _invitation(self, request: Request) -> Response:
        person = self._accounts.invited(request.path_params["token"])
        if person is None:
            return said(request, "This invitation is over", _USED, 404)
        return self._invited(request, person.name)

    def _invited(self, request: Request, name: str, problem: str = "") -> Response:
        status = 422 if problem else 200
        return page(request, "invitation.html", status, name=name, problem=problem, shortest=SHORTEST)

    async def _accept(self, request: Request) -> Response:
        token, form = request.path_params["token"], await read_form(request)
        person = await run_in_threadpool(self._accounts.invited, token)
        if person is None:
            return said(request, "This invitation is over", _USED, 404)
        password = form.get("password", "")
        if password != form.get("again", ""):
            return self._invited(request, person.name, "The two passwords differ. Type the same one twice.")
        try:
            person = await self._hashed(self._accounts.accept, token, password)
        except AccountRefused as error:
            return self._invited(request, person.name, str(error))
        return await run_in_threadpool(self._let_in, request, person.id, "/")


def _later(response: Response, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return response
