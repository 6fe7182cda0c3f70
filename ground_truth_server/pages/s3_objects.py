"""S3 objects read part by part, so that neither memory nor a connection is held while somebody looks at a recording."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from ground_truth_server.engine.s3_location import S3Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

_TRIES = 3  # for a part whose body breaks off, which botocore doesn't ask for again
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
        for last_try in (False,) * (_TRIES - 1) + (True,):
            try:
                return self._read(head, first, length)
            except BotoCoreError as error:
                if last_try:
                    raise _unreadable(head.location, error) from error
            except (ClientError, ValueError) as error:
                raise _unreadable(head.location, error) from error
        raise AssertionError  # the last try gives or raises

    def _read(self, head: ObjectHead, first: int, length: int) -> bytes:
        place = head.location
        part = f"bytes={first}-{first + length - 1}"
        request: GetObjectRequestTypeDef = {"Bucket": place.bucket, "Key": place.key, "Range": part}
        if head.etag:
            request["IfMatch"] = head.etag
        with closing(self._s3.get_object(**request)["Body"]) as body:
            content: bytes = body.read(length)
        if len(content) != length:
            raise _unreadable(place, _Changed())
        return content


class _Changed(ValueError):
    """An object is shorter than it was a moment ago."""


_CHANGED = (412, 416)
_LATER = (429, 500, 503)


def _unreadable(location: S3Location, error: Exception) -> ObjectUnreadable:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, ClientError) else 0
    if status in _CHANGED or isinstance(error, _Changed):
        return ObjectUnreadable(503, f"{location} was changed while it was read. Open the page again.")
    if status == 404:
        return ObjectUnreadable(
            404, f"{location} is not in S3. Put it there, or correct the data object that names it."
        )
    if isinstance(error, ParamValidationError | UnicodeError):
        return ObjectUnreadable(404, f"{location} can't be in S3: {error}. Correct the data object that names it.")
    if isinstance(error, NoCredentialsError):
        return ObjectUnreadable(502, f"{location} can't be read: {error}. Start the server with credentials for S3.")
    if 400 <= status < 500 and status not in _LATER:
        reason = f"S3 refuses it to this server ({_code(error)})"
        return ObjectUnreadable(502, f"{location} can't be read: {reason}. Allow its credentials s3:GetObject there.")
    return ObjectUnreadable(503, f"{location} can't be read now: {_code(error)}. Open the page again in a while.")


def _code(error: Exception) -> str:
    if not isinstance(error, ClientError):
        return str(error).rstrip(".")
    found = error.response["Error"]
    return f"{found.get('Code', '')} {found.get('Message', '')}".strip().rstrip(".")
