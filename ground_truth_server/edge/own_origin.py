"""Keeps other sites, worker pages among them, from acting in a person's name on the portal and the console."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class OwnOrigin:
    """ASGI middleware that serves one origin only, and to that origin only what changes something.

    A page asked for by another name of this machine is sent on to the origin, so that cookies and frames are
    of one kind and a name that somebody points at this machine (DNS rebinding) gets nothing. What changes
    something is refused to other origins, by ``Sec-Fetch-Site`` where a browser sends it, else by ``Origin``.
    A request with neither comes from no browser and is let through.

    Args:
        app: The application.
        origin: Its own origin, such as ``http://127.0.0.1:8080``.
        frames: Origins whose pages it may frame.
    """

    def __init__(self, app: ASGIApp, origin: str, frames: tuple[str, ...] = ()) -> None:
        self._app = app
        self._origin = origin
        self._host = origin.partition("://")[2]
        self._policy = _content_security_policy(frames)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Request(scope))
        app = refusal or self._app
        await app(scope, receive, self._with_headers(send))

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        safe = request.method in _SAFE
        if host != self._host:
            if safe:
                query = f"?{request.url.query}" if request.url.query else ""
                return RedirectResponse(f"{self._origin}{request.url.path}{query}", 307)
            return PlainTextResponse(f"This is {self._origin}, not {host}.", 421)
        if not safe and not self._is_own(request.headers):
            message = f"{request.method} {request.url.path} is refused to pages of other sites. Open {self._origin}."
            return PlainTextResponse(message, 403)
        return None

    def _is_own(self, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or origin == self._origin

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", self._policy)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        return send_with_headers


def _content_security_policy(frames: tuple[str, ...]) -> str:
    own = "'self'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {own}",
            f"style-src {own}",
            f"img-src {own} data:",
            f"connect-src {own}",
            f"frame-src {' '.join(frames)}" if frames else "frame-src 'none'",
            f"form-action {own}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
