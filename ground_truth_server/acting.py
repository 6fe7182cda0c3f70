"""Who acts, and from where: set at the edge for each request, read where a change is written down.

What no request asked for, the server does itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

SERVER = "server"
NOBODY = "nobody signed in"


class Actor(NamedTuple):
    """Who acts.

    Attributes:
        name: A worker's opaque id, an access key, or ``server``; never a person's name.
        address: Where the request came from, as the socket or a trusted proxy tells it; empty for the server itself.
    """

    name: str = SERVER
    address: str = ""


_current: ContextVar[Actor] = ContextVar("actor")
_nobody_else = Actor()


def who_acts() -> Actor:
    """Tell who acts now, in this thread or task."""
    return _current.get(_nobody_else)


@contextmanager
def acting(name: str, address: str = "") -> Iterator[None]:
    """Let somebody act until the block ends.

    Args:
        name: Who, without a person's name.
        address: Where from.
    """
    before = _current.set(Actor(name, address))
    try:
        yield
    finally:
        _current.reset(before)


class ActingRequests:
    """An ASGI middleware that tells where a request comes from, and that nobody has said yet who sent it.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        with acting(NOBODY, client[0] if client else ""):
            await self._app(scope, receive, send)
