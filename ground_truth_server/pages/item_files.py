"""The files of items as worker pages load them: from the page origin, which reads them from S3.

A page needs no CORS rule of the bucket and no link that ends. Each request is looked at: whether its link is one that
this server signed, and whether the task is still in the hands of the worker for whom the page was made. What comes
from the bucket is somebody else's: opened by itself, it has no origin, as a worker page has none.
"""

import logging
import mimetypes
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.tasks import TaskRefused
from ground_truth_server.pages.byte_range import NoSuchRange, asked_range, is_known
from ground_truth_server.pages.file_links import FILES, FileLink, LinkRefused
from ground_truth_server.pages.page_origin import PageOrigin
from ground_truth_server.pages.s3_objects import ObjectHead, ObjectUnreadable, S3Objects

_PART = 1024 * 1024  # bytes, read from S3 at once
_PIECE = 64 * 1024  # of it, given to a browser at once
# So many parts are read at a time: an S3 that doesn't answer leaves the threads that make pages alone.
_READERS = 16
_RETRY_SECONDS = "5"
# What clients say of a file of which they know nothing: its name may tell more.
_UNKNOWN_TYPES = ("", "binary/octet-stream", "application/octet-stream")
_PASSED_ON = ("content-encoding", "content-language", "last-modified")
_PDF = "application/pdf"  # exactly so: of several types in a header browsers take another than the first

# The page has an opaque origin, and the link all that a request needs: any page that has it may read, without cookies.
_FOR_PAGES = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag, "
    "Last-Modified",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PREFLIGHT = {
    **_FOR_PAGES,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-Modified-Since, If-None-Match, If-Range, Range",
    "Access-Control-Max-Age": "86400",
}

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


def item_files(
    pages: PageOrigin, objects: S3Objects, engine: Engine | None, check_signed_in: Callable[[str], None]
) -> list[Route]:
    """Make the routes of the files.

    Args:
        pages: The origin, which makes the links.
        objects: Reads S3.
        engine: Knows whose task is whose; ``None`` where there are no tasks.
        check_signed_in: Raises LinkRefused of a worker who isn't signed in anywhere.
    """
    files = _ItemFiles(pages, objects, engine, check_signed_in)
    # The name behind the token is for people and pages; what is read stands in the token.
    paths = (f"{FILES}{{token}}", f"{FILES}{{token}}/{{name}}")
    return [Route(path, files.answer, methods=["GET", "HEAD", "OPTIONS"]) for path in paths]


class _ItemFiles:
    def __init__(
        self, pages: PageOrigin, objects: S3Objects, engine: Engine | None, check_signed_in: Callable[[str], None]
    ) -> None:
        self._check_signed_in = check_signed_in
        self._pages = pages
        self._links = pages.files
        self._objects = objects
        self._engine = engine
        self._readers: anyio.CapacityLimiter | None = None

    async def answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        try:
            link = self._links.read(request.path_params["token"])
            await self._in_thread(lambda: self._check(link))
            head = await self._in_thread(lambda: self._objects.head(link.location))
            return await self._object(request, head)
        except (LinkRefused, TaskRefused) as error:
            return _refused(403, str(error))
        except ObjectUnreadable as error:
            return _refused(error.status, str(error))

    def _check(self, link: FileLink) -> None:
        """Let nobody read a task's files but the worker who has it in hand now, or had it and looks at it again."""
        if link.task is None:
            return
        if self._engine is None:
            raise LinkRefused("This link is to a task's file, and there are no tasks here. Open the page again.")
        self._check_signed_in(link.task.worker)
        if link.to_look:
            self._engine.desk.check_own(link.task.task_id, link.task.worker)
        else:
            self._engine.desk.find_task(link.task.task_id, link.task.worker)

    async def _object(self, request: Request, head: ObjectHead) -> Response:
        modified = head.headers.get("last-modified", "")
        headers = self._headers(head)
        if is_known(request.headers, head.etag, modified):
            kept = ("etag", "last-modified", "cache-control")
            shown = {name: value for name, value in headers.items() if name.lower() in kept}
            return Response(status_code=304, headers={**_FOR_PAGES, **shown})
        if request.method == "HEAD":  # of which no part can be asked
            return Response(headers={**headers, "Content-Length": str(head.size)})
        try:
            part = asked_range(request.headers, head.size, head.etag, modified)
        except NoSuchRange:
            message = f"{head.location} has {head.size} bytes, and not those that Range asks for."
            return _refused(416, message, {"Content-Range": f"bytes */{head.size}"})
        if part is None:
            return await self._content(head, range(head.size), 200, headers)
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{head.size}"
        return await self._content(head, part, 206, headers)

    async def _content(self, head: ObjectHead, wanted: range, status: int, headers: Mapping[str, str]) -> Response:
        # Read before anything is said: an object that can be asked about may still not be read.
        first = await self._read(head, wanted)
        return _FileResponse(self._parts(head, wanted, first), status, {**headers, "Content-Length": str(len(wanted))})

    async def _parts(self, head: ObjectHead, wanted: range, part: bytes) -> AsyncIterator[bytes]:
        """Give a range piece by piece; the next part is read once the browser has taken the one before."""
        while part:
            for start in range(0, len(part), _PIECE):
                yield part[start : start + _PIECE]
            wanted = wanted[len(part) :]
            part = await self._read(head, wanted)

    async def _read(self, head: ObjectHead, wanted: range) -> bytes:
        return await self._in_thread(lambda: self._objects.read(head, wanted.start, min(_PART, len(wanted))))

    async def _in_thread(self, action: Callable[[], _Result]) -> _Result:
        self._readers = self._readers or anyio.CapacityLimiter(_READERS)
        return await anyio.to_thread.run_sync(action, limiter=self._readers)

    def _headers(self, head: ObjectHead) -> dict[str, str]:
        kind = _content_type(head)
        attached = head.headers.get("content-disposition", "").lower().startswith("attachment")
        file_name = quote(head.location.key.rpartition("/")[2], safe="")
        passed_on = {name: head.headers[name] for name in _PASSED_ON if name in head.headers}
        return {
            **_FOR_PAGES,
            **passed_on,
            **({"ETag": head.etag} if head.etag else {}),
            "Content-Type": kind,
            "Content-Disposition": f"{'attachment' if attached else 'inline'}; filename*=UTF-8''{file_name}",
            "Content-Security-Policy": self._pages.policy_of_files(sandboxed=kind != _PDF),
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",  # it may be kept, and is asked for each time: tasks end
        }


class _FileResponse(StreamingResponse):
    """A response that is broken off where S3 is: the browser then knows that bytes are missing."""

    async def stream_response(self, send: Send) -> None:
        """Send all, or break off and say in the log why."""
        try:
            await super().stream_response(send)
        except ObjectUnreadable as error:
            _log.warning("A file broke off in the middle: %s", error)


def _content_type(head: ObjectHead) -> str:
    """What S3 says, or what the name says where S3 only says that it doesn't know: browsers may not guess."""
    said = head.headers.get("content-type", "")
    if said.lower() not in _UNKNOWN_TYPES:
        return said
    guessed, packed = mimetypes.guess_type(head.location.key.rpartition("/")[2])
    return guessed if guessed and not packed else "application/octet-stream"


def _refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    again = {"Retry-After": _RETRY_SECONDS} if status == 503 else {}
    return PlainTextResponse(message, status, {**_FOR_PAGES, "Cache-Control": "no-store", **again, **(headers or {})})
