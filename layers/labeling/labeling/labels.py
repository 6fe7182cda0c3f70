"""The labels in a form that a training pipeline reads: JSON Lines in S3, a line an object."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from labeling.contract import PostLabelingEvent, job_name
from labeling.storage import S3Uri, Storage

FOLDER = "labels"


class LabelLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object's label, with what it takes to train on it.

    Attributes:
        object_id: The object's number in the labeling job.
        dataset_file: What the manifest line named.
        sources: The S3 URIs of the item's files, by source; empty if the dataset file can't be read any more.
        label: The category; ``None`` if the label has none.
        confidence: From 0 to 1; ``None`` if the label has no category.
        votes: How many workers chose each category.
        evidence: From how many answers workers were learned; ``None`` if they weren't.
        strategy: Which strategy was taken; ``None`` if the job configuration names it.
        answers: What came of the further questions, by their names.
        dropped_answers: How many answers couldn't be counted.
        label_attribute: The label's key in the output manifest.
        labeling_job: The labeling job's ARN.
    """

    object_id: str
    dataset_file: str | None
    sources: Mapping[str, str]
    label: str | None
    confidence: float | None
    votes: Mapping[str, int]
    answers: Mapping[str, Any]
    dropped_answers: int
    label_attribute: str
    labeling_job: str
    evidence: int | None = None
    strategy: str | None = None


def batch_uri(event: PostLabelingEvent, object_ids: Sequence[str], bucket: str) -> S3Uri:
    """Where a batch's labels go: ``labels/<job>/<digest of the objects>.jsonl``.

    The same objects of the same job have the same address, however often and under whatever time stamp Ground
    Truth sends them, so that running a batch twice leaves one copy.
    """
    digest = hashlib.sha256("\n".join(sorted(object_ids)).encode()).hexdigest()[:16]
    return S3Uri(bucket, f"{FOLDER}/{job_name(event.labelingJobArn)}/{digest}.jsonl")


def write(uri: S3Uri, lines: Sequence[LabelLine], storage: Storage) -> None:
    """Writes a batch's labels; raises as `Storage.write`."""
    body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    storage.write(uri, body, "application/jsonl")
