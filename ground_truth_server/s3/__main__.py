"""The process of the embedded S3; :class:`~ground_truth_server.s3.s3_process.S3Process` starts and ends it."""

import json
import logging
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socket

from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.s3.s3_process import S3Settings
from ground_truth_server.s3.storage import EmbeddedS3


class _Parent:
    """The process that started this one: knows the access keys, and hears what is logged."""

    def __init__(self, pipe: Connection, workspace: KeyPair) -> None:
        self._pipe = pipe
        self._workspace = workspace
        self._mutex = threading.Lock()

    def find(self, access_key: str) -> KeyPair | None:
        """Find a pair that is taken now, by its access key."""
        if access_key == self._workspace.access_key:
            return self._workspace
        with self._mutex:
            self._pipe.send_bytes(json.dumps({"key": access_key}).encode())
            found = json.loads(self._pipe.recv_bytes())
        if "error" in found:
            raise RuntimeError(found["error"])
        return KeyPair(access_key, found["secret"]) if found else None

    def tell(self, record: logging.LogRecord, message: str) -> None:
        """Hand on what is logged."""
        told = {"log": record.name, "level": record.levelno, "message": message}
        with self._mutex:
            self._pipe.send_bytes(json.dumps(told).encode())


class _ToParent(logging.Handler):
    def __init__(self, parent: _Parent) -> None:
        super().__init__()
        self._parent = parent

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._parent.tell(record, self.format(record))
        except OSError:  # it has ended, and so will this process
            self.handleError(record)


def main() -> int:
    """Serve until the pipe over which objects come is closed; gives a status only where it can't begin."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent ends it, after all that still needs it
        signal.signal(number, signal.SIG_IGN)
    settings = S3Settings(**json.loads(sys.argv[1]))
    asks, puts = Connection(settings.asks), Connection(settings.puts)
    folder = Path(settings.folder)
    try:
        parent = _Parent(asks, KeyPair.of_workspace(folder))
        logging.basicConfig(level=logging.WARNING, handlers=[_ToParent(parent)])
        listener = socket(fileno=settings.listener)
        server = EmbeddedS3(folder, 0, settings.host, origins=settings.origins, keys=parent, listener=listener)
    except (RuntimeError, OSError, ValueError) as error:
        asks.send_bytes(str(error).encode())
        return 1
    with server:
        asks.send_bytes(b"")
        _take_objects(puts, server)
    os._exit(0)  # all is on the disk, and who started this waits for it


def _take_objects(puts: Connection, server: EmbeddedS3) -> None:
    while True:
        try:
            bucket, key, content_type = json.loads(puts.recv_bytes())
            body = puts.recv_bytes()
        except (OSError, EOFError):
            return
        puts.send_bytes(_put(server, bucket, key, body, content_type).encode())


def _put(server: EmbeddedS3, bucket: str, key: str, body: bytes, content_type: str) -> str:
    """Put an object, or tell why it can't be put so; empty if it was."""
    try:
        server.put(bucket, key, body, content_type)
    except Exception as error:  # the client that puts it the long way gets S3's own answer
        return str(error) or type(error).__name__
    return ""


if __name__ == "__main__":
    sys.exit(main())
