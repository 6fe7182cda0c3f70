"""Before each guard: numbers every request, counts it, and logs it in a line."""

import logging
import re
import time
import uuid
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ground_truth_server.edge.client_address import client_address
from ground_truth_server.telemetry.metrics import Metrics

requests_log = logging.getLogger("ground_truth_server.requests")
"""A line for each request; heard only where logs are JSON."""

_GONE = 499  # as nginx has it: the client went before the answer
_current: ContextVar[str] = ContextVar("request_id", default="")
# What opens something by itself: invitations, and the names of tasks and files in links. Not for logs.
_SECRET = re.compile(r"[A-Za-z0-9_.~%=-]{20,}")


def request_id() -> str:
    """Tell the number of the request that this thread or task works on; empty if it works on none."""
    return _current.get()


class Watched:
    """ASGI middleware that numbers, counts and logs requests.

    The number is told to the client as ``X-Request-Id``, so that who reports an error can name it.

    Args:
        app: The application.
        part: What it is: ``portal``, ``pages`` or ``api``.
        metrics: Where it is counted.
    """

    def __init__(self, app: ASGIApp, part: str, metrics: Metrics) -> None:
        self._app = app
        self._part = part
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, began, status = uuid.uuid4().hex, time.monotonic(), _GONE

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", number.encode())]}
            await send(message)

        before = _current.set(number)
        try:
            await self._app(scope, receive, numbered)
        except Exception:
            status = 500
            raise
        finally:
            self._note(scope, status, time.monotonic() - began)
            _current.reset(before)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        self._metrics.requested(self._part, scope["method"], status, seconds)
        if requests_log.isEnabledFor(logging.INFO):
            path = _SECRET.sub("…", scope["path"])
            facts = {
                "part": self._part,
                "method": scope["method"],
                "path": path,
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
                "address": client_address(scope),
            }
            requests_log.info("%s %s %d", scope["method"], path, status, extra={"facts": facts})
