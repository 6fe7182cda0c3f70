"""The embedded S3 in a process of its own, so that what S3 costs is not taken from the people at work.

Its socket and two pipes belong to the process that starts it. Over one of them it asks for access keys and tells what
it logs; over the other it is given small objects to put, without the cost of a signed request. Where it ends it is
started anew, and whoever asked meanwhile waits in the socket.
"""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import Any

from ground_truth_server.edge.key_pair import KnownKeys
from ground_truth_server.edge.loopback import HOST, listen
from ground_truth_server.s3.storage import endpoint_of

_log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds before it is started anew
_PATIENCE = 10.0  # seconds for what is under way when it is ended


class NotPut(Exception):
    """An object was not put this way; put it as every client of S3 does, which tells why it can't be."""


@dataclass(frozen=True)
class S3Settings:
    """What the process is started with, as JSON on its command line.

    Attributes:
        folder: Where the objects lie.
        host: The address that the socket listens on.
        origins: Origins by which it is reached through a proxy.
        listener: The socket's number.
        asks: The number of the pipe over which the process asks.
        puts: The number of the pipe over which it is given objects.
    """

    folder: str
    host: str
    origins: Sequence[str]
    listener: int
    asks: int
    puts: int


class S3Process:
    """An S3 endpoint as :class:`~ground_truth_server.s3.storage.EmbeddedS3`'s, in a process of its own.

    Args:
        folder: Where the objects lie: ``FOLDER/BUCKET/KEY``.
        keys: The key pairs that requests may be signed with; asked for in this process.
        port: The port to listen on; 0 takes a free one.
        host: The address to listen on.
        origins: Origins by which it is reached through a proxy.

    Raises:
        PortTaken: If another program listens there.
        RuntimeError: If another one works in the folder, or the process can't be started.
    """

    def __init__(
        self, folder: Path, keys: KnownKeys, port: int = 0, host: str = HOST, *, origins: Sequence[str] = ()
    ) -> None:
        self._folder, self._keys, self._host, self._origins = folder, keys, host, list(origins)
        self._listener: socket = listen(port, "the embedded S3", host)
        self._mutex = threading.Lock()  # one object at a time goes over the pipe
        self._closing = threading.Event()
        try:
            self._start()
        except BaseException:
            self._listener.close()
            raise
        self._thread = threading.Thread(target=self._attend, name="embedded-s3", daemon=True)
        self._thread.start()

    @property
    def endpoint_url(self) -> str:
        """Where clients reach it, for ``AWS_ENDPOINT_URL_S3``."""
        return endpoint_of(self._host, self._listener.getsockname()[1])

    @property
    def process_id(self) -> int:
        """The number of the process, as it runs now."""
        return self._process.pid

    def put(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Put a small object; it is on the disk when this returns.

        Raises:
            NotPut: If it could not be put so.
        """
        with self._mutex:
            try:
                self._puts.send_bytes(json.dumps([bucket, key, content_type]).encode())
                self._puts.send_bytes(body)
                problem = self._puts.recv_bytes().decode()
            except (OSError, EOFError, ValueError) as error:  # it has ended, or is just started anew
                raise NotPut(str(error)) from error
        if problem:
            raise NotPut(problem)

    def close(self) -> None:
        """End it, once it has done what is under way; the files stay."""
        self._closing.set()
        with self._mutex:
            self._puts.close()  # its other end hears of it, and ends
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()
        self._listener.close()

    def __enter__(self) -> "S3Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        asks, its_asks = Pipe()
        puts, its_puts = Pipe()
        given = [self._listener.fileno(), its_asks.fileno(), its_puts.fileno()]
        settings = S3Settings(str(self._folder), self._host, self._origins, *given)
        command = [sys.executable, "-m", "ground_truth_server.s3", json.dumps(asdict(settings))]
        with its_asks, its_puts:
            process = subprocess.Popen(command, pass_fds=given, stdin=subprocess.DEVNULL)  # noqa: S603  (our own)
        try:
            problem = asks.recv_bytes().decode()
        except EOFError:
            problem = f"the embedded S3 ended with status {process.wait()} before it began"
        if problem:
            process.wait()
            raise RuntimeError(problem)
        with self._mutex:
            self._process, self._asks, self._puts = process, asks, puts

    def _attend(self) -> None:
        """Answer what the process asks; where it ends, start another."""
        while True:
            self._answer(self._asks)
            status = self._process.wait()
            with self._mutex:
                self._asks.close()
                self._puts.close()
            if self._closing.is_set():
                return
            _log.warning("the embedded S3's process ended with status %d; it is started anew", status)
            self._start_anew()
            if self._closing.is_set():
                return

    def _start_anew(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            try:
                self._start()
            except (OSError, RuntimeError) as error:
                _log.warning("the embedded S3 can't be started anew, trying again: %s", error)
                self._closing.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return

    def _answer(self, asks: Connection) -> None:
        while True:
            try:
                asked: dict[str, Any] = json.loads(asks.recv_bytes())
                if "log" in asked:
                    logging.getLogger(asked["log"]).log(asked["level"], "%s", asked["message"])
                else:
                    asks.send_bytes(json.dumps(self._secret(asked["key"])).encode())
            except (OSError, EOFError):
                return

    def _secret(self, access_key: str) -> dict[str, str]:
        """The answer to who asks for a key: its secret, nothing where there is none, or why nobody can tell."""
        try:
            found = self._keys.find(access_key)
        except Exception as error:  # the database's, which passes; the process must hear something
            return {"error": f"the access keys can't be read now: {error}"}
        return {} if found is None else {"secret": found.secret_key}
