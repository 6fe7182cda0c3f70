"""Serves applications on the loopback interface, each from a thread of its own."""

import asyncio
import contextlib
import errno
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HOST = "127.0.0.1"
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_GRACE_SECONDS = 1  # for answers under way when the server ends; pages that follow a job live never end by themselves


# A socket's connections at most: four sockets, and room for files, databases and functions beside them.
_MOST_CONNECTIONS = 500
_OTHER_FILES = 512
_HEAD_SECONDS = 15.0  # for a client to ask for something, once it has connected
_IDLE_SECONDS = 5  # for a client to ask for more
# A proxy asks for other people on the connections that it keeps. One that the server closes first costs somebody a 502,
# so it keeps them longer than proxies do: AWS's load balancers a minute where nothing else is said.
_PROXY_SECONDS = 75


class PortTaken(OSError):
    """Another program listens on a port; the message says which and what to do."""


def listen(port: int, purpose: str, host: str = HOST) -> socket.socket:
    """Open a socket, on loopback if nothing else is asked for.

    Args:
        port: Where to listen; 0 takes a free one.
        purpose: What for, as the error names it: ``the worker portal``.
        host: The address to listen on.

    Raises:
        PortTaken: If another program listens there.
    """
    # asyncio sends small answers at once only on sockets that are of TCP by name; others wait 40 ms for more.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTaken(
            f"Port {port}, for {purpose}, is taken by another program. Stop that program, or choose another port;"
            " 0 takes a free one."
        ) from error
    return listener


def origin_of(listener: socket.socket) -> str:
    """Name a socket as browsers do: ``http://127.0.0.1:8085``."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


@contextmanager
def serving(
    app: ASGIApp,
    listener: socket.socket | None = None,
    certificate: tuple[Path, Path] | None = None,
    *,
    behind_proxy: bool = False,
) -> Iterator[str]:
    """Serve an application until the block ends.

    Args:
        app: The application.
        listener: Where; a free port if not given.
        certificate: The files of a certificate and its key, for TLS.
        behind_proxy: Whether all that it is asked comes from a proxy, which keeps its connections.

    Yields:
        Its origin.
    """
    listener = listener or listen(0, "a server")
    config = uvicorn.Config(
        app,
        http=_bounded(most_connections(), _PROXY_SECONDS if behind_proxy else _HEAD_SECONDS),
        ws="none",
        log_level="error",  # a stranger's broken requests are no news, and there can be millions
        access_log=False,
        lifespan="off",
        timeout_keep_alive=_PROXY_SECONDS if behind_proxy else _IDLE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        proxy_headers=False,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    if certificate:
        _check_certificate(config, certificate)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield origin_of(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _check_certificate(config: uvicorn.Config, certificate: tuple[Path, Path]) -> None:
    try:
        config.load()
    except (OSError, ValueError) as error:  # ssl's errors are of OSError
        raise ValueError(
            f"{certificate[0]} and {certificate[1]}: found: {error}. Expected a certificate and its key, in PEM."
        ) from error


def most_connections() -> int:
    """Make room for as many open files as the system allows, and tell how many connections one socket may hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * _MOST_CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(32, min(_MOST_CONNECTIONS, (soft - _OTHER_FILES) // 4))


class _BoundedConnection(H11Protocol):
    """Uvicorn's protocol for HTTP with a bound for connections, and for the time in which one must ask.

    Where there are too many, the one that has waited longest without a whole request under way, or without taking more
    of its answer, is closed: half-open connections, bodies that never come and answers that nobody reads crowd out each
    other, not the people at work.
    """

    most: ClassVar[int]
    patience: ClassVar[float]
    waiting: ClassVar[dict[asyncio.Protocol, asyncio.Transport]]
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection; where it is one too many, close another, or it."""
        super().connection_made(transport)  # type: ignore[arg-type]  # of a stream, as uvicorn says
        self._wait()
        if len(self.connections) > self.most:
            longest = next(iter(self.waiting), self)
            self.waiting.pop(longest, self.transport).abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; once that is a whole request, nothing more is waited for."""
        super().data_received(data)
        self._stop_waiting_for_what_came()

    def on_response_complete(self) -> None:
        """Wait for the next request, which may have come meanwhile."""
        self._wait()
        super().on_response_complete()
        self._stop_waiting_for_what_came()

    def pause_writing(self) -> None:
        """Wait for the client to take more of the answer; a recording that is paused may take long, and may."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """Go on, as before."""
        super().resume_writing()
        self._wait()
        self._stop_waiting_for_what_came()

    def _stop_waiting_for_what_came(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            return
        self._stop_patience()  # the head is there; the guard looks after the body's time
        if not self.cycle.more_body:
            self._stop_waiting()

    def _wait(self) -> None:
        self._stop_waiting()
        self.waiting[self] = self.transport
        if self.flow.write_paused:  # it can't ask before it has the answer
            return
        self._patience = self.loop.call_later(self.patience, self.transport.abort)

    def _stop_waiting(self) -> None:
        self.waiting.pop(self, None)
        self._stop_patience()

    def _stop_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()


def _bounded(most: int, patience: float) -> type[asyncio.Protocol]:
    """Make the protocol of one socket."""
    return type("BoundedConnection", (_BoundedConnection,), {"most": most, "patience": patience, "waiting": {}})


def proxies_never_reach_loopback() -> None:
    """Let no client of this process ask a proxy for what is on this machine, whatever the environment says."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [one for one in os.environ.get(name, "").split(",") if one.strip()]
        os.environ[name] = ",".join([*known, *(one for one in LOOPBACK_NAMES if one not in known)])
