"""The labels of a labeling job, read from the manifest that Ground Truth writes."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
from labeling.agreement import Agreement
from labeling.job import RESERVED_NAMES
from labeling.storage import S3Uri

from cli.account import AwsAccount
from cli.errors import CommandError
from cli.running_job import ENDED

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeLabelingJobResponseTypeDef

_MANIFEST = "output.manifest"
# In place of a category, where a job asks other questions.
ANSWERED: Final = "answered"


class LabeledObject(msgspec.Struct, frozen=True):
    """One data object with its label.

    Attributes:
        line: Its line in the manifest, counted from 1.
        item: Its ``source-ref`` or ``source``.
        label: The category; ``answered`` where only further questions were asked; JSON where a label is something else;
            nothing where the object has none.
        confidence: From 0 to 1, if the post-labeling function said.
        votes: How many workers chose each category, if it said.
        answers: What came of further questions, by their names.
        labeled: When, as Ground Truth writes it.
        problem: Why there is no label, if Ground Truth said.
    """

    line: int
    item: str
    label: str | None
    confidence: float | None
    votes: dict[str, int]
    answers: dict[str, dict[str, Any]]
    labeled: str | None
    problem: str | None

    @property
    def disputed(self) -> bool:
        """Whether workers chose different categories."""
        return len(self.votes) > 1


@dataclass
class Summary:
    """What a job's labels come to.

    Attributes:
        objects: How many data objects.
        labels: How many of each category.
        disputed: In each category, on how many workers disagreed.
        confidence: The sum of the confidences.
        confident: How many labels have one.
        agreement: How far workers agree.
    """

    objects: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    disputed: Counter[str] = field(default_factory=Counter)
    confidence: float = 0.0
    confident: int = 0
    agreement: Agreement = field(default_factory=Agreement)

    def of(self, labels: Iterable[LabeledObject]) -> Iterator[LabeledObject]:
        """Passes labels on, and counts them."""
        for label in labels:
            self.objects += 1
            self.agreement.add(label.votes)
            if label.label is not None:
                self.labels[label.label] += 1
                self.disputed[label.label] += label.disputed
            if label.confidence is not None:
                self.confidence += label.confidence
                self.confident += 1
            yield label

    @property
    def without_label(self) -> int:
        """How many objects have none."""
        return self.objects - self.labels.total()

    @property
    def mean_confidence(self) -> float | None:
        """Over the labels that have one."""
        return self.confidence / self.confident if self.confident else None


def manifest_uri(job: "DescribeLabelingJobResponseTypeDef", account: AwsAccount) -> tuple[S3Uri, bool]:
    """Where a job's labels are, and whether they are all.

    A job that goes on, or ended early, has the labels so far in its latest intermediate manifest.

    Raises:
        CommandError: If it has none yet.
        botocore.exceptions.ClientError: If S3 refuses to list the output.
    """
    output = job["OutputConfig"]["S3OutputPath"].rstrip("/")
    folder = S3Uri.parse(f"{output}/{job['LabelingJobName']}/manifests/")
    named = job.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri")
    if job["LabelingJobStatus"] == "Completed":
        return S3Uri.parse(named) if named else folder._replace(key=f"{folder.key}output/{_MANIFEST}"), True
    pages = account.s3.get_paginator("list_objects_v2").paginate(Bucket=folder.bucket, Prefix=folder.key)
    there = {entry["Key"].removeprefix(folder.key) for page in pages for entry in page.get("Contents", [])}
    if f"output/{_MANIFEST}" in there:
        return folder._replace(key=f"{folder.key}output/{_MANIFEST}"), job["LabelingJobStatus"] in ENDED
    steps = [path.split("/") for path in there if path.startswith("intermediate/") and path.endswith(_MANIFEST)]
    waves = [int(number) for _, number, *_ in steps if number.isdecimal()]
    if not waves:
        raise CommandError(
            f"{job['LabelingJobName']} ({job['LabelingJobStatus']}) has no labels yet; expected some below {folder}"
        )
    return folder._replace(key=f"{folder.key}intermediate/{max(waves)}/{_MANIFEST}"), False


def read(lines: Iterable[bytes], attribute: str) -> Iterator[LabeledObject]:
    """Reads an output manifest.

    Args:
        lines: Its lines.
        attribute: The label attribute.

    Raises:
        CommandError: If a line is not a JSON object.
    """
    for number, data_object in data_objects(lines):
        yield label_of(number, data_object, attribute)


def data_objects(lines: Iterable[bytes]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Parses an output manifest: the number of each line, from 1, and what it holds; raises as `read`."""
    for number, line in enumerate(lines, 1):
        try:
            yield number, json.loads(line)
        except ValueError as error:
            raise CommandError(f"The output manifest, line {number:,}, is not JSON: {error}") from None


def label_of(number: int, data_object: Mapping[str, Any], attribute: str) -> LabeledObject:
    """The label in a line of an output manifest."""
    content = data_object.get(attribute)
    metadata = data_object.get(f"{attribute}-metadata") or {}
    values = content if isinstance(content, dict) else {}
    confidence = values.get("confidence", metadata.get("confidence"))
    votes = values.get("votes", metadata.get("votes"))
    return LabeledObject(
        line=number,
        item=str(data_object.get("source-ref") or data_object.get("source") or ""),
        label=_category(content),
        confidence=float(confidence) if isinstance(confidence, int | float) else None,
        votes=votes if isinstance(votes, dict) and all(isinstance(count, int) for count in votes.values()) else {},
        answers={name: value for name, value in _named(values).items() if isinstance(value, dict)},
        labeled=metadata.get("creation-date") if content is not None else None,
        problem=metadata.get("failure-reason"),
    )


def _category(content: object) -> str | None:
    """The label in a word: this project's, or another function's as it stands."""
    if isinstance(content, dict):
        words = [value for value in _named(content).values() if isinstance(value, str)]
        named = words or list(_named(content).values())
        if not words and named and all(isinstance(value, dict) for value in named):
            return ANSWERED  # what came of the questions stands beside it
        content = named[0] if len(named) == 1 else content
    if content is None or isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False)


def _named(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a label says, without what it says of itself."""
    return {name: value for name, value in content.items() if name not in RESERVED_NAMES}


COLUMNS: Final = tuple(field.name for field in msgspec.structs.fields(LabeledObject))
