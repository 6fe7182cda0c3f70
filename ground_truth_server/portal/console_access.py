"""Who may open the console, and which jobs they see in it."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ground_truth_server.acting import acting
from ground_truth_server.arns import REGION
from ground_truth_server.edge.client_address import client_address
from ground_truth_server.people.person import Person
from ground_truth_server.portal.sign_in import SignIn, path_of
from ground_truth_server.portal.web_pages import page
from ground_truth_server.worker_ids import worker_id

_BY_THEMSELVES = ("/live", "/jobs")
"""How the paths end that pages ask for by themselves, to keep up."""


class OwnersOnly:
    """ASGI middleware that lets the owners of labeling jobs in, and asks all others to sign in.

    Args:
        app: The console.
        sign_in: How people sign in.
    """

    def __init__(self, app: ASGIApp, sign_in: SignIn) -> None:
        self._app = app
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = await run_in_threadpool(self._refusal, Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        with acting(worker_id(owner_of(Request(scope)).id, REGION), client_address(scope)):
            await self._app(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        person = self._sign_in.owner(request, at_work=not request.url.path.endswith(_BY_THEMSELVES))
        if person is None:
            if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
                return self._sign_in.page(request, path_of(request))
            return Response("Sign in, in the portal.", 401)
        if not person.has_console:
            message = "The console is for the owners of labeling jobs. Ask the people who run this server."
            return page(request, "message.html", 403, heading="Not for you", message=message)
        request.state.owner = person
        return None


def owner_of(request: Request) -> Person:
    """Give who asks, whom the middleware let in."""
    owner: Person = request.state.owner
    return owner


def may_see(person: Person, owner: str | None) -> bool:
    """Tell whether a person may see a job in the console, by whose it is."""
    return person.is_admin or person.id == owner
