"""The dataset file of one item: which files belong together."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from labeling.decoding import DecodingError, convert, shown
from labeling.errors import BucketError, DatasetFileError
from labeling.job import JobConfiguration
from labeling.sources import SourceKind
from labeling.storage import S3Uri, Storage

MAX_BYTES = 1_000_000
# Where the stack's sample lies, with the sources' folders in it.
SAMPLE_FOLDER = "sample"


class SourceFile(msgspec.Struct, frozen=True):
    """Where one source of an item lies."""

    s3Path: str


def read(uri: S3Uri, job: JobConfiguration, storage: Storage) -> dict[str, S3Uri]:
    """Reads a dataset file.

    Args:
        uri: The dataset file, such as
            ``{"sensor_data": {"s3Path": "s3://…/weld.1.csv"}, "image": {"s3Path": "s3://…/weld.1.png"}}``.
        job: The labeling job, whose sources it must name; others it may name.
        storage: The job's buckets.

    Returns:
        The S3 URI of each of the job's sources, by key, in the job's order.

    Raises:
        DatasetFileError: If it is not such JSON, or a source is not in it.
        LabelingError: As `Storage.read`.
    """
    try:
        files = convert(json.loads(storage.read(uri, MAX_BYTES)), dict[str, Any])
    except DecodingError as error:
        raise DatasetFileError(f"{uri}: {error}; expected {_example(job)}") from None
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, a number of thousands of digits, nested too deep
        raise DatasetFileError(f"{uri} is not JSON: {error}; expected {_example(job)}") from None
    return {key: _source_uri(uri, key, files, job) for key in job.sources}


def check_folders(files: Mapping[str, S3Uri], job: JobConfiguration, bucket: str) -> None:
    """Makes sure that an item's files lie where its job's functions may read.

    What lies elsewhere in the job's bucket is refused to them, as everything would be to a role without rights. So a
    dataset file that leads there is told from that before S3 is asked.

    Args:
        files: The files, by source.
        job: The labeling job.
        bucket: Its bucket; nothing where the functions aren't bound to one.

    Raises:
        DatasetFileError: If one lies outside its source's folder.
    """
    for key, uri in files.items():
        folder = job.sources[key].folder
        if bucket and uri.bucket == bucket and not uri.key.startswith((f"{folder}/", f"{SAMPLE_FOLDER}/")):
            raise DatasetFileError(
                f"{uri}, the item's {key!r}, lies outside the folder of its source; expected s3://{bucket}/{folder}/…: "
                "move it there, or name its folder in the job configuration"
            )


def check_file(uri: S3Uri, source: SourceKind, storage: Storage) -> None:
    """Makes sure that a file is there and that workers will see it, by its first bytes only.

    One that is read whole before anything is shown of it is checked by whoever reads it.

    Args:
        uri: The file.
        source: As what it is shown.
        storage: The job's buckets.

    Raises:
        ItemError: If workers won't see it.
        LabelingError: As `Storage.open`.
    """
    if source.first_bytes:
        begin = storage.open(uri, first_bytes=source.first_bytes).read(source.first_bytes)
        source.check(begin, str(uri))


def _source_uri(uri: S3Uri, key: str, files: dict[str, Any], job: JobConfiguration) -> S3Uri:
    if key not in files:
        found = ", ".join(shown(name) for name in list(files)[:20]) or "nothing"
        raise DatasetFileError(f"{uri} names no source {key!r}; found {found}; expected {_example(job)}")
    try:
        return S3Uri.parse(convert(files[key], SourceFile).s3Path)
    except (BucketError, DecodingError) as error:
        raise DatasetFileError(f"{uri}: source {key!r}: {error}; expected {_example(job)}") from None


def _example(job: JobConfiguration) -> str:
    sources = {key: {"s3Path": f"s3://BUCKET/{source.folder}/…"} for key, source in job.sources.items()}
    return json.dumps(sources, ensure_ascii=False)
