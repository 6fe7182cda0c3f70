"""Links to items' files on the page origin, each signed for one object and for whom it is shown to.

A worker page has an opaque origin and so no cookies: what it may read stands in the link itself, and the signature sees
to it that nobody makes another. A link to a task's file names the task and its worker, which are looked at whenever it
is followed; so it needs no end, and works for as long as the task is in the worker's hands. One with an end is of a
page that a worker looks at: it works for a day, also once the task is answered.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from ground_truth_server.engine.s3_location import S3Location
from ground_truth_server.pages.ground_truth_liquid import Presign
from ground_truth_server.timestamps import now

FILES = "/files/"
"""Below which path of the page origin the files are."""

_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
_LONGEST_KEY = 1024  # bytes
_TIME_TO_LOOK = timedelta(days=1)  # and up to an hour more: links of the same hour are the same, for browsers' caches
_HOUR = 3600  # seconds


class LinkRefused(Exception):
    """A link that isn't one of this server's, or whose time is over. The text says so."""


@dataclass(frozen=True)
class WorkersTask:
    """A task and the worker whose it is.

    Attributes:
        task_id: The task.
        worker: The worker.
    """

    task_id: str
    worker: str


@dataclass(frozen=True)
class FileLink:
    """What a link says.

    Attributes:
        location: The object.
        task: In whose page it is shown; ``None`` for the owner's, in console and preview.
        to_look: Whether its worker only looks at it, so that the task may be answered already.
    """

    location: S3Location
    task: WorkersTask | None
    to_look: bool = False


class FileLinks:
    """Makes links and reads them.

    Args:
        origin: The page origin, such as ``http://127.0.0.1:8086``.
        secret: What they are signed with. Links are read by whoever has the same.
        clock: Tells the time, with its zone.

    Example:
        >>> links = FileLinks("http://127.0.0.1:8086", b"secret")
        >>> link = links.granted_to(WorkersTask("1", "Ada"))("s3://welds/images/1.png")
        >>> link.startswith("http://127.0.0.1:8086/files/"), link.endswith("/1.png")
        (True, True)
        >>> links.read(link.split("/")[4]).location
        S3Location(bucket='welds', key='images/1.png')
    """

    def __init__(self, origin: str, secret: bytes, clock: Callable[[], datetime] = now) -> None:
        self._origin = origin
        self._secret = secret
        self._clock = clock

    def granted_to(self, task: WorkersTask | None, *, to_look: bool = False) -> Presign:
        """Make what gives ``grant_read_access`` its links: for a worker's task, or for the owner.

        Args:
            task: The worker's task.
            to_look: Whether the worker only looks at it.
        """

        def link(uri: str) -> str:
            location = S3Location.parse(uri)
            _check(location)
            name = location.key.rpartition("/")[2]
            # The name is for people, and for pages that look at how a link ends. Browsers would resolve dots.
            shown = f"/{quote(name, safe='')}" if name.strip(".") else ""
            return f"{self._origin}{FILES}{self._signed(location, task, to_look=to_look)}{shown}"

        return link

    def read(self, token: str) -> FileLink:
        """Read what stands in a link behind ``/files/``.

        Raises:
            LinkRefused: If it isn't signed with the secret, or its time is over.
        """
        text, _, signature = token.partition(".")
        if not hmac.compare_digest(self._signature(text).encode(), signature.encode()):
            raise LinkRefused("This link to a file isn't one that this server made. Open the page again.")
        said = _Said(*json.loads(_unpacked(text)))
        if said.until and self._clock().timestamp() > said.until:
            raise LinkRefused("This link to a file could be read for a day. Open the page again.")
        task = None if said.task_id is None else WorkersTask(said.task_id, said.worker)
        return FileLink(S3Location(said.bucket, said.key), task, to_look=said.until > 0)

    def _signed(self, location: S3Location, task: WorkersTask | None, *, to_look: bool) -> str:
        end = int((self._clock() + _TIME_TO_LOOK).timestamp() // _HOUR + 1) * _HOUR
        said: list[Any] = [location.bucket, location.key]
        said += [None, "", end] if task is None else [task.task_id, task.worker, end if to_look else 0]
        text = _packed(json.dumps(said, separators=(",", ":")).encode())
        return f"{text}.{self._signature(text)}"

    def _signature(self, text: str) -> str:
        return _packed(hmac.digest(self._secret, text.encode(), hashlib.sha256))


@dataclass(frozen=True)
class _Said:
    """What is signed, in this order."""

    bucket: str
    key: str
    task_id: str | None
    worker: str
    until: int  # seconds since 1970; 0 where a task says it


def _check(location: S3Location) -> None:
    """Refuse, while the page is made, what can be no object's name."""
    if not _BUCKET.fullmatch(location.bucket):
        raise ValueError(f"{location.bucket[:80]!r} is no name of a bucket")
    if not 0 < len(location.key.encode()) <= _LONGEST_KEY:
        raise ValueError(f"the key has {len(location.key.encode())} bytes; expected 1 to {_LONGEST_KEY}")


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
