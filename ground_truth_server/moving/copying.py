"""Copies what a former job needs from one S3 to another, each object to the bucket and key that it had."""

import json
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from ground_truth_server.engine.manifest import ManifestLine
from ground_truth_server.engine.s3_location import NotAnS3Uri, S3Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_AT_ONCE = 8
_LINES_AT_ONCE = 1000
_LONGEST_DATASET_FILE = 1024 * 1024  # bytes; what names an item's files is short
_MOST_MISSING = 100


class Copying:
    """Copies objects; those that are there already, as they are, stay.

    Args:
        source: Where they lie.
        target: Where they go to; buckets that are missing are made.

    Attributes:
        copied: How many objects were copied.
        there: How many were there already.
        missing: What couldn't be copied, and why, at most a hundred.
    """

    def __init__(self, source: "S3Client", target: "S3Client") -> None:
        self._source = source
        self._target = target
        self._lock = threading.Lock()
        self._seen: set[S3Location] = set()
        self._buckets: set[str] = set()
        self.copied = self.there = 0
        self.missing: list[str] = []

    def bucket(self, name: str) -> None:
        """See that a bucket is there.

        Raises:
            botocore.exceptions.ClientError: If it can't be made.
        """
        with self._lock:
            if name in self._buckets:
                return
            try:
                self._target.head_bucket(Bucket=name)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                region: Any = self._target.meta.region_name
                place: Any = (
                    {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
                )
                self._target.create_bucket(Bucket=name, **place)
            self._buckets.add(name)

    def prefix(self, place: S3Location) -> None:
        """Copy all that lies below a prefix."""
        pages = self._source.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.below("").key)
        for page in pages:
            self.objects(S3Location(place.bucket, one["Key"]) for one in page.get("Contents", []))

    def objects(self, places: Iterable[S3Location]) -> None:
        """Copy objects, several at a time; one that can't be copied is named in ``missing``."""
        with ThreadPoolExecutor(_AT_ONCE, "copying") as pool:
            list(pool.map(self._copy, places))

    def items(self, lines: Iterator[ManifestLine]) -> None:
        """Copy the objects that lines of a manifest name, and those that their dataset files name."""
        with ThreadPoolExecutor(_AT_ONCE, "copying") as pool:
            while some := list(islice(lines, _LINES_AT_ONCE)):
                list(pool.map(self._copy_item, some))

    def _copy_item(self, line: ManifestLine) -> None:
        for place in _named(line.data_object):
            self._copy(place)
        for name in ("source", "source-ref"):
            for place in _named((line.data_object or {}).get(name)):
                if place.key.lower().endswith(".json"):
                    for file in _named(self._dataset_file(place)):
                        self._copy(file)

    def _dataset_file(self, place: S3Location) -> object:
        """What a JSON object holds; ``None`` where it can't be read, which its own copying told."""
        try:
            body = self._source.get_object(Bucket=place.bucket, Key=place.key)["Body"].read(_LONGEST_DATASET_FILE)
            found: object = json.loads(body)
        except (ClientError, BotoCoreError, ValueError, RecursionError):
            return None
        return found

    def _copy(self, place: S3Location) -> None:
        with self._lock:
            if place in self._seen:
                return
            self._seen.add(place)
        try:
            self.bucket(place.bucket)
            found = self._source.get_object(Bucket=place.bucket, Key=place.key)
            if self._is_there(place, found["ETag"], found["ContentLength"]):
                found["Body"].close()
                self._count(there=1)
                return
            kind = {"ContentType": found.get("ContentType", "binary/octet-stream")}
            self._target.upload_fileobj(found["Body"], place.bucket, place.key, ExtraArgs=kind)
            self._count(copied=1)
        except (ClientError, BotoCoreError, S3UploadFailedError) as error:
            self._miss(f"{place}: {error}")

    def _is_there(self, place: S3Location, etag: str, size: int) -> bool:
        try:
            found = self._target.head_object(Bucket=place.bucket, Key=place.key)
        except ClientError:
            return False
        return found["ContentLength"] == size and (found["ETag"] == etag or "-" in etag)

    def _count(self, copied: int = 0, there: int = 0) -> None:
        with self._lock:
            self.copied += copied
            self.there += there

    def _miss(self, text: str) -> None:
        with self._lock:
            if len(self.missing) < _MOST_MISSING:
                self.missing.append(text)


def _named(value: object) -> Iterator[S3Location]:
    """Find the objects of S3 that JSON names, however deep."""
    level = [value]
    while level:
        for text in level:
            if isinstance(text, str) and text.startswith("s3://"):
                try:
                    place = S3Location.parse(text)
                except NotAnS3Uri:
                    continue
                if place.key and not place.key.endswith("/"):
                    yield place
        level = [member for holder in level if isinstance(holder, dict | list) for member in _members(holder)]


def _members(holder: dict[str, object] | list[object]) -> list[object]:
    return list(holder.values() if isinstance(holder, dict) else holder)
