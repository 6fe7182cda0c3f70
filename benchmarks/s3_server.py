"""An S3 server in a process of its own, so that it takes no time from what is measured."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def s3_server(patience: float = 60.0) -> Iterator[str]:
    """Run moto's server on a free port of loopback.

    Args:
        patience: How many seconds it may take to start.

    Yields:
        Its address.

    Raises:
        TimeoutError: If it doesn't answer in that time.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
    )
    try:
        _wait(endpoint, patience)
        yield endpoint
    finally:
        server.terminate()
        server.wait()


def _wait(endpoint: str, patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(endpoint, timeout=1).close()
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"no S3 server at {endpoint} after {patience:.0f} s")
