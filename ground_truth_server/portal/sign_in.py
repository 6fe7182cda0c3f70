"""Who a request to the portal or the console comes from: what each way to sign in has to answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ground_truth_server.edge.client_address import client_address
from ground_truth_server.people.person import Person, person_of
from ground_truth_server.people.sessions import LONGEST, Sessions
from ground_truth_server.portal.web_pages import page

_Form = dict[str, str]


class SignIn(ABC):
    """A way to sign in.

    Attributes:
        trusts_everybody: Whether whoever reaches the server may see and do all.
        invites: Whether people come by invitation.
    """

    trusts_everybody = False
    invites = False

    @abstractmethod
    def person(self, request: Request, *, at_work: bool = True) -> Person | None:
        """Tell who signed in.

        Args:
            request: What they ask.
            at_work: Whether they do something, or their browser looks for news by itself.
        """

    def owner(self, request: Request, *, at_work: bool = True) -> Person | None:
        """Tell who asks for the console; on a server that trusts everybody, nobody need say."""
        return self.person(request, at_work=at_work)

    def is_signed_in(self, person_id: str) -> bool:
        """Tell whether a person is signed in anywhere."""
        raise NotImplementedError

    @abstractmethod
    def page(self, request: Request, goal: str = "/") -> Response:
        """Ask a person to sign in, and go on to a path afterwards."""

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Give the routes by which people sign in and out."""


class SessionSignIn(SignIn):
    """A way to sign in that begins a session, which the server keeps.

    Args:
        sessions: The sessions.
        secure: Whether browsers reach the server by TLS.
    """

    def __init__(self, sessions: Sessions, *, secure: bool) -> None:
        self._sessions = sessions
        self._secure = secure
        # Browsers take a cookie of this name from this host alone, by TLS.
        self._cookie = "__Host-session" if secure else "session"

    def person(self, request: Request, *, at_work: bool = True) -> Person | None:
        """Tell whose session the browser shows."""
        found = self._sessions.find(request.cookies.get(self._cookie, ""), at_work=at_work)
        return None if found is None else person_of(found)

    def is_signed_in(self, person_id: str) -> bool:
        """Tell whether a person has a session."""
        return self._sessions.has_any(person_id)

    def _let_in(self, request: Request, person_id: str, goal: str, id_token: str | None = None) -> Response:
        self._sessions.end(request.cookies.get(self._cookie, ""))
        token = self._sessions.begin(person_id, client_address(request.scope), id_token)
        response = RedirectResponse(own_path(goal), 303)
        self._set(response, self._cookie, token, int(LONGEST.total_seconds()))
        return response

    def _let_out(self, response: Response) -> Response:
        self._set(response, self._cookie, "", 0)
        return response

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="lax")


async def read_form(request: Request) -> _Form:
    """Read a form that a browser sent: of each field the first value, and none that is no text."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=50)
    return {name: values[0] for name, values in fields.items()}


def with_form(action: Callable[[Request, _Form], Response]) -> Callable[[Request], object]:
    """Make an endpoint of what answers a form, in a thread."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(action, request, await read_form(request))

    return endpoint


def own_path(goal: str) -> str:
    """Where to go after signing in; never to another site."""
    known = goal.startswith("/") and not goal.startswith(("//", "/\\")) and goal.isprintable()
    return goal if known else "/"


def path_of(request: Request) -> str:
    """The path and query that a person asked for, to come back to after signing in."""
    query = request.url.query
    return own_path(f"{request.url.path}?{query}" if query else request.url.path)


def said(request: Request, heading: str, message: str, status: int, link: str = "/") -> Response:
    """Answer with a page that says one thing and leads on."""
    return page(request, "sign_in_message.html", status, heading=heading, message=message, link=link)
