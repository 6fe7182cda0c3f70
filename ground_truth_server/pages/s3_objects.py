"""S3 objects read part by part, so that neither memory nor a connection is held while somebody looks at a recording."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ResponseStreamingError,
)

from ground_truth_server.engine.s3_location import S3Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

_HEADERS = ("content-type", "content-encoding", "content-language", "content-disposition", "last-modified")


class ObjectUnreadable(Exception):
    """An object can't be read. The text names it and says what to do, in one line.

    Attributes:
        status: As HTTP has it: 404 if it isn't there, 502 if S3 refuses it, 503 if it may be read later.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(" ".join(message.split()))
        self.status = status


@dataclass(frozen=True)
class ObjectHead:
    """What S3 says of an object.

    Attributes:
        location: The object.
        size: Length in bytes.
        etag: Its entity tag, in quotes; empty if S3 tells none.
        headers: Of its content, such as ``content-type``; names in small letters.
    """

    location: S3Location
    size: int
    etag: str
    headers: Mapping[str, str]


class S3Objects:
    """Reads objects. Safe to be used from several threads.

    Args:
        s3: The client that reads.
    """

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def head(self, location: S3Location) -> ObjectHead:
        """Ask what an object is.

        Raises:
            ObjectUnreadable: If it can't be read.
        """
        try:
            found = self._s3.head_object(Bucket=location.bucket, Key=location.key)
        except (BotoCoreError, ClientError, ValueError) as error:
            raise _unreadable(location, error) from error
        sent = found["ResponseMetadata"]["HTTPHeaders"]
        headers = {name: sent[name] for name in _HEADERS if name in sent}
        return ObjectHead(location, found["ContentLength"], found.get("ETag", ""), headers)

    def read(self, head: ObjectHead, first: int, length: int) -> bytes:
        """Read a part of the object that ``head`` tells of, and of no later version.

        Args:
            head: The object.
            first: The part's first byte, counted from 0.
            length: How many bytes; the object has as many.

        Raises:
            ObjectUnreadable: If they can't be read, or the object is another by now.
        """
        if length == 0:
            return b""
        try:
            try:
                return self._read(head, first, length)
            except (IncompleteReadError, ResponseStreamingError):  # which botocore doesn't try again
                return self._read(head, first, length)
        except (BotoCoreError, ClientError, ValueError) as error:
            raise _unreadable(head.location, error) from error

    def _read(self, head: ObjectHead, first: int, length: int) -> bytes:
        place = head.location
        part = f"bytes={first}-{first + length - 1}"
        request: GetObjectRequestTypeDef = {"Bucket": place.bucket, "Key": place.key, "Range": part}
        if head.etag:
            request["IfMatch"] = head.etag
        answer = self._s3.get_object(**request)
        with closing(answer["Body"]) as body:
            if answer["ContentLength"] != length:
                raise _Changed
            content: bytes = body.read()  # all of it: only then botocore sees whether it broke off
        return content


class _Changed(ValueError):
    """A part of an object isn't as long as the object was a moment ago."""


_CHANGED = (412, 416)


def _unreadable(location: S3Location, error: Exception) -> ObjectUnreadable:
    """Say of an object what is wrong, and what to do."""
    if isinstance(error, ClientError):
        return _refused(location, error)
    if isinstance(error, _Changed):
        return ObjectUnreadable(503, f"{location} was changed while it was read. Open the page again.")
    if isinstance(error, ParamValidationError | UnicodeError):
        return ObjectUnreadable(404, f"{location} can't be in S3: {error}. Correct the data object that names it.")
    reason = str(error).rstrip(".")
    if isinstance(error, NoCredentialsError):
        return ObjectUnreadable(502, f"{location} can't be read: {reason}. Start the server with credentials for S3.")
    return ObjectUnreadable(503, f"{location} can't be read now: {reason}. Open the page again in a while.")


def _refused(location: S3Location, error: ClientError) -> ObjectUnreadable:
    status, found = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]
    code = found.get("Code", "")
    reason = f"{code} {found.get('Message', '')}".strip().rstrip(".")
    if status in _CHANGED:
        return _unreadable(location, _Changed())
    if status == 404:
        what = f"{location} is not in S3. Put it there, or correct the data object that names it."
        return ObjectUnreadable(404, what)
    if code == "InvalidObjectState":
        return ObjectUnreadable(502, f"{location} is archived. Restore it in S3, and open the page again.")
    if status >= 500 or status == 429:
        return ObjectUnreadable(503, f"{location} can't be read now: {reason}. Open the page again in a while.")
    what = f"{location} can't be read: S3 refuses it to this server ({reason})."
    return ObjectUnreadable(502, f"{what} Allow its credentials s3:GetObject there.")
