"""Where a job's reference lies: what its good items have in common, drawn behind the lines of every item's plots.

``labeling-job reference`` builds it; the pre-labeling function only reads it. What it says of the recordings is the
plotting layer's to know: here it is a file.
"""

import hashlib
import json
from typing import Any, Final, NamedTuple

import msgspec

from labeling.errors import LabelingError, MissingObjectError
from labeling.job import JobConfiguration, Reference
from labeling.sources import TimeSeriesSource
from labeling.storage import S3Uri, Storage

# Not below plots/, whose objects the bucket removes after a while.
FOLDER: Final = "reference"
MAX_BYTES: Final = 20_000_000
DIGEST_CHARACTERS: Final = 16
# What people read only; another text makes no other reference.
TEXTS: Final = ("title", "folder", "suffix")


class ReferenceFile(NamedTuple):
    """A job's reference as it was found.

    Attributes:
        title: Whose it is, as `Reference.title`.
        data: The file; nothing if it can't be read.
        version: Changes whenever something else would be drawn.
        problem: Why there is none, and what to do, for people; empty if there is one.
    """

    title: str
    data: bytes | None
    version: str
    problem: str = ""


def uri_of(reference: Reference, job: JobConfiguration, bucket: str) -> S3Uri:
    """Where a job's reference lies: ``s3://BUCKET/reference/<digest>.json``.

    The digest is of the items that are named and of how recordings are read, so that a reference of other items, other
    channels or another focus is never taken for the job's.

    Args:
        reference: What ``[reference]`` says.
        job: The labeling job.
        bucket: Where the job keeps what it makes.
    """
    named = [reference.job, reference.manifest, reference.category, job.label_attribute]
    parts = [named, {key: _as_read(source) for key, source in job.recordings.items()}]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return S3Uri(bucket, f"{FOLDER}/{digest[:DIGEST_CHARACTERS]}.json")


def read(reference: Reference, job: JobConfiguration, bucket: str, storage: Storage) -> ReferenceFile:
    """Reads a job's reference; without it, items are shown all the same, and their plots say why."""
    uri = uri_of(reference, job, bucket)
    try:
        stored = storage.open(uri)
        data = stored.read(MAX_BYTES)
    except LabelingError as error:
        problem = problem_of(uri, error)
        return ReferenceFile(reference.title, None, problem, problem)
    return ReferenceFile(reference.title, data, f"{stored.etag} {reference.title}")


def problem_of(uri: S3Uri, error: LabelingError) -> str:
    """Says why no reference is shown, in a sentence or two for people."""
    why = "is not there" if isinstance(error, MissingObjectError) else f"can't be read: {error}"
    return f"No reference behind the lines: {uri} {why}. “labeling-job reference” builds it."


def _as_read(source: TimeSeriesSource) -> Any:
    """What of a source's configuration settles what values are found in its recordings."""
    return _without_texts(msgspec.to_builtins(source))


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_texts(part) for key, part in value.items() if key not in TEXTS}
    return [_without_texts(part) for part in value] if isinstance(value, list | tuple) else value
