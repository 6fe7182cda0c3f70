"""moto's application, which is one of WSGI, behind the guard that all sockets share, which is one of ASGI."""

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
_THREADS = 40


def as_asgi(app: WsgiApp) -> ASGIApp:
    """Serve a WSGI application whose bodies and answers fit into memory."""
    limiter: anyio.CapacityLimiter | None = None

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal limiter
        limiter = limiter or anyio.CapacityLimiter(_THREADS)
        body = await Request(scope, receive).body()
        response = await anyio.to_thread.run_sync(_answer, app, _environ(scope, body), limiter=limiter)
        await response(scope, receive, send)

    return serve


def _answer(app: WsgiApp, environ: Environ) -> Response:
    started: list[Any] = []
    content = b"".join(app(environ, lambda status, headers, *_: started.append((status, headers))))
    status, headers = started[-1]
    response = Response(content, int(status.split()[0]))
    own = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    named = {name for name, _ in own}
    response.raw_headers = own + [
        entry for entry in response.raw_headers if entry[0] == b"content-length" and entry[0] not in named
    ]
    return response


def _environ(scope: Scope, body: bytes) -> Environ:
    raw = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    host, port = scope["server"] or ("127.0.0.1", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": f"{raw}?{query}" if query else raw,
        "REQUEST_URI": f"{raw}?{query}" if query else raw,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": (scope["client"] or ("", 0))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        text, key = value.decode("latin-1"), name.decode("latin-1").upper().replace("-", "_")
        # With an underline, a header that isn't signed would pass for one that must be.
        if key in ("CONTENT_LENGTH", "TRANSFER_ENCODING") or b"_" in name:
            continue
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ
