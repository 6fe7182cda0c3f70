"""S3 as the functions use it: typed URIs, few calls, errors that say what to do."""

import os
import unicodedata
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from labeling.errors import (
    AccessError,
    BucketError,
    DamagedObjectError,
    MissingObjectError,
    ObjectTooLargeError,
    StorageError,
)
from labeling.panels import Content

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

T = TypeVar("T")
Fetch = Callable[[str], "GetObjectOutputTypeDef"]
"""Asks for an object again, as long as it has this ETag."""

# botocore's standard mode repeats throttled calls, 5xx answers and lost connections with growing pauses, and
# nothing else; a body that breaks off while it is read is ours to repeat.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=10,
    max_pool_connections=32,
)
READ_ATTEMPTS = 3
BROKEN_OFF = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
# Of what stands in place of an S3 URI: it may be anything, and messages are logged.
MAX_SHOWN_CHARACTERS = 200
MAX_KEY_BYTES = 1_024
LINES_CHUNK_BYTES = 256 * 1024
MISSING = {"NoSuchKey", "404", "NoSuchBucket", "NotFound"}
REFUSED = {"AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}


class S3Uri(NamedTuple):
    """An object's address, ``s3://bucket/key``."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> "S3Uri":
        """Reads an S3 URI as it is written: keys are not URL-encoded in Ground Truth's files.

        Raises:
            BucketError: If the text is no ``s3://bucket/key``.
        """
        scheme, _, rest = text.partition("://")
        bucket, _, key = rest.partition("/")
        # Half a character can't be sent, and no key holds a control character that anybody meant.
        if scheme != "s3" or not bucket or not key or any(unicodedata.category(mark) in ("Cc", "Cs") for mark in text):
            shown = text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"
            raise BucketError(f"{shown!r} is not an S3 URI; expected s3://BUCKET/KEY")
        if (length := len(key.encode())) > MAX_KEY_BYTES:
            raise BucketError(
                f"{text[:MAX_SHOWN_CHARACTERS]!r}… has a key of {length:,} bytes; S3 takes at most {MAX_KEY_BYTES:,}"
            )
        return cls(bucket, key)


class StoredObject:
    """An object whose headers have come and whose body is read on demand."""

    def __init__(self, uri: S3Uri, answer: "GetObjectOutputTypeDef", fetch: "Fetch") -> None:
        self.uri = uri
        self.etag = answer["ETag"].strip('"')
        self.size = answer["ContentLength"]
        self._body = answer["Body"]
        self._fetch = fetch

    def read(self, max_bytes: int) -> bytes:
        """Reads the whole body; one that breaks off is fetched again, in the same version.

        Raises:
            ObjectTooLargeError: If the object is larger than ``max_bytes``; nothing is read then.
            StorageError: If the body breaks off every time.
        """
        if self.size > max_bytes:
            self.close()
            raise ObjectTooLargeError(
                f"{self.uri} has {self.size:,} bytes; at most {max_bytes:,} are allowed: shorten it, or raise "
                "max_bytes of its source in the job configuration"
            )
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                with closing(self._body) as body:
                    return body.read()
            except FlexibleChecksumError as error:
                if attempt == READ_ATTEMPTS:
                    raise DamagedObjectError(
                        f"{self.uri}: its bytes aren't those that its checksum tells of ({error}); upload it again"
                    ) from error
                self._body = self._fetch(self.etag)["Body"]
            except BROKEN_OFF as error:
                if attempt == READ_ATTEMPTS:
                    raise StorageError(f"{self.uri}: S3 broke off {attempt} times; try again later") from error
                self._body = self._fetch(self.etag)["Body"]
        raise AssertionError("the last attempt returns or raises")

    def lines(self) -> Iterator[bytes]:
        """Reads the body line by line, without the lines' ends, holding little of it at once.

        Raises:
            StorageError: If the body breaks off.
        """
        try:
            with closing(self._body) as body:
                yield from body.iter_lines(LINES_CHUNK_BYTES)
        except BROKEN_OFF as error:
            raise StorageError(f"{self.uri}: S3 broke off while it was read; try again") from error

    def close(self) -> None:
        """Gives the connection back without reading the body."""
        self._body.close()


class Listed(NamedTuple):
    """An object as S3 lists it.

    Attributes:
        etag: Its ETag.
        size: In bytes.
    """

    etag: str
    size: int


class Storage:
    """The buckets of a labeling job.

    Args:
        client: A boto3 S3 client.
        buckets: The buckets that items may lie in; none means any that the role may read.
    """

    def __init__(self, client: "S3Client", buckets: Collection[str] = ()) -> None:
        self.client = client
        self.buckets = frozenset(buckets)

    def open(self, uri: S3Uri, first_bytes: int | None = None) -> StoredObject:
        """Asks for an object; its ETag and size are known before the body is read.

        Args:
            uri: The object.
            first_bytes: Ask for the beginning of the object only.

        Raises:
            BucketError: If the bucket is none of the job's.
            MissingObjectError: If there is no such object or bucket.
            AccessError: If the role may not read it.
            StorageError: If S3 failed every time.
        """
        self._check_bucket(uri)
        wanted: dict[str, Any] = {"Bucket": uri.bucket, "Key": uri.key}
        if first_bytes:
            wanted["Range"] = f"bytes=0-{first_bytes - 1}"

        def fetch(etag: str | None = None) -> "GetObjectOutputTypeDef":
            same: dict[str, Any] = {"IfMatch": f'"{etag}"'} if etag else {}
            return self._call(uri, lambda: self.client.get_object(**wanted, **same))

        return StoredObject(uri, fetch(), fetch)

    def read(self, uri: S3Uri, max_bytes: int) -> bytes:
        """Reads a whole object; raises as `open` and `StoredObject.read`."""
        return self.open(uri).read(max_bytes)

    def write(self, uri: S3Uri, body: Content, content_type: str) -> str:
        """Writes an object and gives its ETag; raises as `open`."""
        answer = self._call(
            uri,
            # botocore takes any bytes; only its stubs know of one kind.
            lambda: self.client.put_object(
                Bucket=uri.bucket, Key=uri.key, Body=cast("bytes", body), ContentType=content_type
            ),
        )
        return answer["ETag"].strip('"')

    def etags(self, prefix: S3Uri, since: datetime) -> dict[str, str]:
        """The ETags of the objects whose keys begin so and that were written since then, by key.

        At most 1,000; raises as `open`.
        """
        answer = self._call(prefix, lambda: self.client.list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.key))
        entries = answer.get("Contents", [])
        return {entry["Key"]: entry["ETag"].strip('"') for entry in entries if entry["LastModified"] >= since}

    def listed(self, prefix: S3Uri, most: int) -> dict[str, Listed]:
        """The objects whose keys begin so, by key, in S3's order; one call for each 1,000.

        Args:
            prefix: The beginning.
            most: No more objects than that, in whole calls.

        Raises:
            LabelingError: As `open`.
        """
        self._check_bucket(prefix)
        found: dict[str, Listed] = {}
        wanted: dict[str, Any] = {"Bucket": prefix.bucket, "Prefix": prefix.key}
        while len(found) < most:
            page = self._call(prefix, lambda: self.client.list_objects_v2(**wanted))
            found |= {
                entry["Key"]: Listed(entry["ETag"].strip('"'), entry["Size"]) for entry in page.get("Contents", [])
            }
            if not page.get("IsTruncated"):
                break
            wanted["ContinuationToken"] = page["NextContinuationToken"]
        return found

    def delete(self, uri: S3Uri) -> None:
        """Deletes an object; one that isn't there is no trouble. Raises as `open`."""
        self._call(uri, lambda: self.client.delete_object(Bucket=uri.bucket, Key=uri.key))

    def delete_every_version(self, bucket: str) -> int:
        """Deletes every version of every object of a bucket, and the marks of deleted ones.

        Returns:
            How many were deleted.

        Raises:
            MissingObjectError: If there is no such bucket.
            StorageError: If S3 doesn't delete one; raises as `open` besides.
        """
        deleted = 0
        place = S3Uri(bucket, "")
        # The first page again and again, since what it named is gone: at most 1,000, as many as S3 deletes in one call.
        while True:
            page = self._call(place, lambda: self.client.list_object_versions(Bucket=bucket))
            entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if not entries:
                return deleted
            self._delete_batch(place, [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries])
            deleted += len(entries)

    def _delete_batch(self, place: S3Uri, batch: list[Any]) -> None:
        wanted: Any = {"Objects": batch, "Quiet": True}
        answer = self._call(place, lambda: self.client.delete_objects(Bucket=place.bucket, Delete=wanted))
        if errors := answer.get("Errors"):
            first = errors[0]
            raise StorageError(
                f"s3://{place.bucket}/{first.get('Key')}: S3 doesn't delete it ({first.get('Code')}: "
                f"{first.get('Message')}), nor {len(errors) - 1} more; allow it in the role and the bucket's policy, "
                "and try again"
            )

    def _check_bucket(self, uri: S3Uri) -> None:
        if self.buckets and uri.bucket not in self.buckets:
            raise BucketError(
                f"{uri} is in another bucket than the job's; allowed: {', '.join(sorted(self.buckets))}: copy the "
                "object there, or deploy the stack again with its bucket in the parameter InputBuckets"
            )

    def _call(self, uri: S3Uri, call: Callable[[], T]) -> T:
        """One call of S3, with its errors in this project's words."""
        try:
            return call()
        except NoCredentialsError as error:
            raise AccessError(f"{uri}: there are no AWS credentials; sign in, or give the function a role") from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in MISSING:
                raise MissingObjectError(
                    f"{uri} is not there ({code}); expected the object that the item names: upload it, or mend the URI"
                ) from error
            if code == "PreconditionFailed":
                raise StorageError(f"{uri} was replaced while it was read; try again") from error
            if code == "InvalidRange":
                raise MissingObjectError(f"{uri} is empty; expected a file with something in it") from error
            if code in REFUSED:
                raise AccessError(
                    f"{uri}: S3 refuses access ({code}); allow {error.operation_name} on it in the function's role, "
                    "and in the bucket's and the key's policies"
                ) from error
            raise StorageError(f"{uri}: S3 answered {code}: {error.response['Error'].get('Message', '')}") from error
        except ParamValidationError as error:
            raise BucketError(f"{uri} is no address that S3 has: {error}; expected s3://BUCKET/KEY") from error
        except BotoCoreError as error:
            raise StorageError(f"{uri}: S3 can't be reached: {error}") from error


def client() -> "S3Client":
    """An S3 client with this project's time-outs and retries; the endpoint and region are the environment's."""
    return boto3.client("s3", config=CLIENT_CONFIG, region_name=os.environ.get("AWS_REGION"))


def warm(client: "S3Client") -> None:
    """Does what a client's first call takes time for, without the network: endpoint rules, credentials, signing."""
    with suppress(BotoCoreError):  # an environment without credentials tells of it at the first real call
        client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"})
