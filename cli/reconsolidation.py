"""Labels decided again from all that a job's workers answered."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from labeling import evidence
from labeling.consolidation import ConsolidationConfiguration
from labeling.job import RESERVED_NAMES, JobConfiguration
from labeling.storage import S3Uri, Storage

from cli.account import AwsAccount
from cli.errors import CommandError
from cli.labels import data_objects

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeLabelingJobResponseTypeDef

Labels = Mapping[str, Mapping[str, dict[str, Any]]]
"""For each question, by its name: each object's new label, by the digest of the object's id."""


@dataclass
class Reconsolidation:
    """What came of deciding again.

    Attributes:
        labels: The new labels.
        answers: From how many answers.
        lost: Why some requests are left out.
        decided: How many objects of the manifest have a label from it.
        changed: How many of them have another category than before.
        unknown: How many objects the requests have that no labeled line of the manifest is about.
    """

    labels: Labels
    answers: int
    lost: list[str]
    decided: int = 0
    changed: int = 0
    unknown: int = 0
    _met: set[str] = field(default_factory=set)

    def lines(self, lines: Iterable[bytes], attribute: str, job: JobConfiguration) -> Iterator[bytes]:
        """Give an output manifest's lines with the new labels; what else they hold stays.

        Raises:
            CommandError: If a line is not a JSON object.
        """
        for number, data_object in data_objects(lines):
            yield json.dumps(self._line(number, dict(data_object), attribute, job), ensure_ascii=False).encode()
        known = {key for of in self.labels.values() for key in of}
        self.unknown = len(known - self._met)

    def _line(self, number: int, line: dict[str, Any], attribute: str, job: JobConfiguration) -> dict[str, Any]:
        # Ground Truth numbers objects by their lines, from 0.
        key, before = evidence.digest(str(number - 1)), line.get(attribute)
        found = {name: of[key] for name, of in self.labels.items() if key in of}
        if not isinstance(before, dict) or not found:
            return line
        self._met.add(key)
        self.decided += 1
        after = {name: value for name, value in before.items() if name not in found}
        own = found.pop(job.label.name, None)
        if own:
            self.changed += own["category"] != before.get(job.label.name)
            rest = {name: value for name, value in after.items() if name not in RESERVED_NAMES}
            after = (
                {job.label.name: own["category"]} | {name: own[name] for name in RESERVED_NAMES if name in own} | rest
            )
        return line | {attribute: after | found}


def reconsolidate(
    described: "DescribeLabelingJobResponseTypeDef", job: JobConfiguration, strategy: str | None, account: AwsAccount
) -> Reconsolidation:
    """Decide all objects of a labeling job at once, from the answers in its consolidation requests.

    Args:
        described: The labeling job.
        job: Its configuration.
        strategy: Another strategy than the configuration's.
        account: Where it ran.

    Raises:
        CommandError: If there are no answers.
        labeling.errors.LabelingError: If S3 refuses to list them.
    """
    if strategy:
        settings = ConsolidationConfiguration(strategy=strategy, tie=job.consolidation.tie)  # type: ignore[arg-type]
        job = msgspec.structs.replace(job, consolidation=settings)
    folder = requests_folder(described)
    with ThreadPoolExecutor(evidence.AT_ONCE) as pool:
        found = evidence.Reader(job, Storage(account.s3), pool).everything(folder)
    questions = evidence.category_questions(job)
    votes = {question.name: found.evidence.of(question.name) for question in questions}
    answers = sum(len(said) for of in votes.values() for said in of.values())
    if not answers:
        raise CommandError(
            f"There is nothing to decide from: no answers to {', '.join(votes) or 'a question of a category'} below "
            f"{folder}" + (f"; {found.lost[0]}" if found.lost else "")
        )
    labels = {question.name: question.consolidate(votes[question.name], job.consolidation) for question in questions}
    return Reconsolidation(labels, answers, list(found.lost))


def requests_folder(described: "DescribeLabelingJobResponseTypeDef") -> S3Uri:
    """Where a labeling job's consolidation requests lie."""
    output = described["OutputConfig"]["S3OutputPath"].rstrip("/")
    return S3Uri.parse(
        f"{output}/{described['LabelingJobName']}/annotations/consolidated-annotation/consolidation-request/"
    )
