"""Serves applications on the loopback interface, each from a thread of its own."""

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

HOST = "127.0.0.1"
_GRACE_SECONDS = 1  # for answers under way when the server ends; pages that follow a job live never end by themselves


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
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
def serving(app: ASGIApp, listener: socket.socket | None = None) -> Iterator[str]:
    """Serve an application until the block ends.

    Args:
        app: The application.
        listener: Where; a free port if not given.

    Yields:
        Its origin.
    """
    listener = listener or listen(0, "a server")
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=_GRACE_SECONDS)
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
