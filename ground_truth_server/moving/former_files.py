"""The files that a former labeling job left, in S3 or in a folder that they were copied to."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from ground_truth_server.engine.manifest import CHUNK_BYTES
from ground_truth_server.engine.s3_location import S3Location
from ground_truth_server.moving.former_job import CantMoveIn

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class FormerFiles(Protocol):
    """The output of a former job; paths are those below its folder: ``manifests/output/output.manifest``."""

    def paths(self, folder: str) -> list[str]:
        """List the files below a folder, sorted."""

    def chunks(self, path: str) -> Iterator[bytes]:
        """Read a file in pieces."""

    def name(self, path: str) -> str:
        """Name a file for people."""


class FilesInS3:
    """Output below a prefix of a bucket.

    Args:
        s3: The S3 client.
        prefix: The job's folder.
    """

    def __init__(self, s3: "S3Client", prefix: S3Location) -> None:
        self._s3 = s3
        self._prefix = prefix

    def paths(self, folder: str) -> list[str]:
        """List the files below a folder, sorted.

        Raises:
            CantMoveIn: If the bucket isn't there or can't be listed.
        """
        start = self._prefix.below("").key
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._prefix.bucket, Prefix=self._prefix.below(f"{folder}/").key
        )
        try:
            return sorted(one["Key"].removeprefix(start) for page in pages for one in page.get("Contents", []))
        except ClientError as error:
            raise unreadable(self.name(folder), error) from error

    def chunks(self, path: str) -> Iterator[bytes]:
        """Read a file in pieces.

        Raises:
            CantMoveIn: If it can't be read.
        """
        return read_chunks(self._s3, self._prefix.below(path))

    def name(self, path: str) -> str:
        """Name a file for people."""
        return str(self._prefix.below(path))


class FilesInFolder:
    """Output that was copied to a folder.

    Args:
        folder: The job's own, or the one that the job's own lies in.
        job: The former job's name.

    Raises:
        CantMoveIn: If the folder holds no output.
    """

    def __init__(self, folder: Path, job: str) -> None:
        found = [
            one for one in (folder, folder / job) if any((one / part).is_dir() for part in ("manifests", "annotations"))
        ]
        if not found:
            raise CantMoveIn(
                f"{folder} holds neither manifests/ nor annotations/, nor does {folder / job}; expected the copy of a "
                f"labeling job's output: aws s3 sync s3://BUCKET/OUTPUT/{job} {folder}"
            )
        self._folder = found[0]

    def paths(self, folder: str) -> list[str]:
        """List the files below a folder, sorted."""
        return sorted(
            path.relative_to(self._folder).as_posix() for path in (self._folder / folder).rglob("*") if path.is_file()
        )

    def chunks(self, path: str) -> Iterator[bytes]:
        """Read a file in pieces.

        Raises:
            OSError: If it can't be read.
        """
        return file_chunks(self._folder / path)

    def name(self, path: str) -> str:
        """Name a file for people."""
        return str(self._folder / path)


def read_chunks(s3: "S3Client", place: S3Location) -> Iterator[bytes]:
    """Read an object in pieces.

    Raises:
        CantMoveIn: If it can't be read.
    """
    try:
        yield from s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].iter_chunks(CHUNK_BYTES)
    except ClientError as error:
        raise unreadable(str(place), error) from error


def file_chunks(file: Path) -> Iterator[bytes]:
    """Read a file in pieces.

    Raises:
        OSError: If it can't be read.
    """
    with file.open("rb") as opened:
        while some := opened.read(CHUNK_BYTES):
            yield some


def unreadable(place: str, error: ClientError) -> CantMoveIn:
    """Say that something in S3 can't be read, and what to do."""
    answer = error.response["Error"]
    return CantMoveIn(
        f"{place} can't be read: {answer.get('Code')} {answer.get('Message')}. Where the former job's objects lie in "
        "another S3 than the server's, name it with --from-s3, or the copies with --manifest FILE and --output FOLDER."
    )
