"""The manifest with which a former job goes on: every line in its place, those that have a label with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from ground_truth_server.moving.former_job import CantMoveIn, FormerJob
from ground_truth_server.moving.former_labels import FormerLabels, lines_of

_MOST_NAMED = 1000


@dataclass
class Tally:
    """What became of the lines of a manifest; numbers of lines are counted from 1.

    Attributes:
        lines: How many there are.
        kept: How many have their label from an output manifest, or had it in the input.
        consolidated: How many have a label that stood in no manifest yet.
        to_label: How many are to be labeled here.
        failed_before: Lines whose objects had failed, and are tried again.
        bad: Lines that can't be labeled, each with the reason.
        answered: Answers of workers to objects without a label: the line, how many, and their files.
    """

    lines: int = 0
    kept: int = 0
    consolidated: int = 0
    to_label: int = 0
    failed_before: list[int] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    answered: list[tuple[int, int, list[str]]] = field(default_factory=list)

    @property
    def answers(self) -> int:
        """How many answers there are to objects without a label."""
        return sum(count for _, count, _ in self.answered)

    def report(self, job: FormerJob, labels: FormerLabels) -> dict[str, Any]:
        """Tell all of it, for the report beside the manifest."""
        return {
            "former-job": job.described.get("LabelingJobArn", job.name),
            "former-manifest": str(job.manifest),
            "labels-from": labels.manifest,
            "lines": self.lines,
            "labels-kept": self.kept,
            "labels-of-consolidation-responses": self.consolidated,
            "to-label": self.to_label,
            "failed-before-and-tried-again": self.failed_before[:_MOST_NAMED],
            "bad-lines": [{"line": number, "problem": problem} for number, problem in self.bad[:_MOST_NAMED]],
            "answers-not-used": [
                {"line": number, "answers": count, "files": files} for number, count, files in self.answered
            ],
            "not-used": labels.remarks,
        }


def write_moved_manifest(job: FormerJob, labels: FormerLabels, chunks: Iterator[bytes], into: IO[bytes]) -> Tally:
    """Write the manifest.

    Args:
        job: The former job.
        labels: Its labels so far.
        chunks: Its input manifest.
        into: Where it is written.

    Returns:
        What became of the lines.

    Raises:
        CantMoveIn: If the manifest has no lines, or the output is another job's.
    """
    tally, unlabeled = Tally(), []
    for line, raw in lines_of(chunks, job.label_attribute):
        tally.lines += 1
        found, failed = labels.labeled_line(line)
        if found is None and line.label is not None:
            found = raw
        if found is not None:
            tally.kept += 1
        elif (found := labels.consolidated_line(line)) is not None:
            tally.consolidated += 1
        elif line.problem is not None:
            if raw.strip():
                tally.bad.append((line.number, line.problem))
        else:
            unlabeled.append(line.number)
            if failed:
                tally.failed_before.append(line.number)
        into.write((raw if found is None else found) + b"\n")
    _check_match(job, labels, tally)
    tally.to_label = len(unlabeled)
    _count_answers(labels, unlabeled, tally)
    return tally


def _check_match(job: FormerJob, labels: FormerLabels, tally: Tally) -> None:
    if not tally.lines:
        raise CantMoveIn(f"{job.manifest} has no lines; expected the former job's input manifest.")
    if labels.lines and not labels.matched:
        raise CantMoveIn(
            f"{labels.manifest}: none of its {labels.lines} lines names an object of {job.manifest}. Ensure that both "
            f"are of the labeling job {job.name}: --manifest and --output name others."
        )


def _count_answers(labels: FormerLabels, unlabeled: list[int], tally: Tally) -> None:
    files = labels.answers()
    for number in unlabeled:
        found = files.get(number - 1, [])
        count = sum(map(labels.count_answers, found))
        if count:
            tally.answered.append((number, count, found))
