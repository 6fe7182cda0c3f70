"""Where a request comes from, when a proxy brings it."""

import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class BehindProxy:
    """ASGI middleware that takes the client's address from the proxy that stands before the server.

    A proxy appends the address of who asked it to ``X-Forwarded-For``: what stands before that, a client may have
    written. No other header is trusted: the server knows its own names.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the client's address."""
        if scope["type"] == "http":
            forwarded = Headers(scope=scope).getlist("x-forwarded-for")
            last = forwarded[-1].rpartition(",")[2].strip() if forwarded else ""
            if _is_address(last):
                scope = {**scope, "client": (last, 0)}
        await self._app(scope, receive, send)


def client_address(scope: Scope) -> str:
    """Give the address that a request comes from."""
    client = scope.get("client")
    return client[0] if client else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
