"""A worker's own work: the answers with what became of each, and what is put aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.labeling_job import LabelingJob
from ground_truth_server.portal.agreement import agrees
from ground_truth_server.portal.short_text import in_short, source_name
from ground_truth_server.records.tasks import OwnAnswer
from ground_truth_server.timestamps import seconds_between

Outcome = Literal["waiting", "answered", "consolidation", "labeled", "failed", "none"]
Place = tuple[str, str]
"""When an answer was submitted, and its task."""

_LONGEST_PLACE = 200  # characters


@dataclass(frozen=True)
class OwnRow:
    """An answer in its worker's history.

    Attributes:
        task_id: The task.
        job: The labeling job's key.
        title: Its title.
        object_id: The data object.
        source: What its manifest line names, in short.
        submitted: When the answer came.
        seconds: How long the worker had the task.
        answer: The answer, in short.
        remark: Why, in the worker's words.
        version: The answer's version; more than 1 if it was corrected.
        outcome: ``waiting`` for other workers; ``answered`` by all, its label isn't begun; in ``consolidation``;
            ``labeled``; ``failed``; ``none``: the job ended before there was a label.
        label: The label, in short.
        agrees: Whether the label is of the answer's category; ``None`` where that can't be said.
        correctable: Whether the answer can be corrected now.
    """

    task_id: str
    job: str
    title: str
    object_id: str
    source: str
    submitted: str
    seconds: float
    answer: str
    remark: str
    version: int
    outcome: Outcome
    label: str
    agrees: bool | None
    correctable: bool


@dataclass(frozen=True)
class OwnRows:
    """A page of a history.

    Attributes:
        rows: The answers, the newest first.
        older: What to ask for to see those before, if there are some.
    """

    rows: Sequence[OwnRow]
    older: str


def own_rows(engine: Engine, worker: str, limit: int, before: str = "", job: str | None = None) -> OwnRows:
    """Read a page of a worker's answers.

    Args:
        engine: The engine.
        worker: The worker.
        limit: How many rows.
        before: :attr:`OwnRows.older` of the page before; text that is none begins with the newest.
        job: Only the answers in this labeling job.
    """
    found = engine.desk.own_answers(worker, limit + 1, _place(before), job)
    in_progress = set(engine.desk.keys_in_progress())
    rows = [_row(one, engine.ledger.job(one.task.job), in_progress) for one in found[:limit]]
    last = found[limit - 1].task if len(found) > limit else None
    return OwnRows(rows, f"{last.ended}~{last.id}" if last else "")


def aside_rows(engine: Engine, worker: str, job: str, seconds_left: Any) -> list[Mapping[str, Any]]:
    """List the tasks of a job that a worker has put aside.

    Args:
        engine: The engine.
        worker: The worker.
        job: The labeling job.
        seconds_left: Tells the seconds until a moment of the records.
    """
    return [
        {
            "id": one.task.id,
            "object": str(one.task.number),
            "source": source_name(one.line),
            "minutes": max(0, round(seconds_left(one.task.expires) / 60)),
        }
        for one in engine.desk.aside(worker, job)
    ]


def _place(text: str) -> Place | None:
    ended, mark, task_id = text.partition("~")
    fits = mark and task_id and len(text) <= _LONGEST_PLACE and text.isascii() and text.isprintable()
    return (ended, task_id) if fits else None


def _row(own: OwnAnswer, job: LabelingJob, in_progress: set[str]) -> OwnRow:
    task, label = own.task, (own.label or {}).get(job.label_attribute)
    outcome = _outcome(own, is_in_progress=job.key in in_progress)
    return OwnRow(
        task_id=task.id,
        job=job.key,
        title=job.request["HumanTaskConfig"]["TaskTitle"],
        object_id=str(task.number),
        source=source_name(own.line),
        submitted=task.corrected or task.ended or "",
        seconds=seconds_between(task.accepted, task.ended or task.accepted),
        answer=in_short(own.content),
        remark=task.remark or "",
        version=task.version,
        outcome=outcome,
        label="" if label is None else in_short(label),
        agrees=None if label is None else agrees(own.content, label),
        correctable=outcome in ("waiting", "answered"),
    )


def _outcome(own: OwnAnswer, *, is_in_progress: bool) -> Outcome:
    if own.label is not None:
        return "labeled"
    if own.state == "failed":
        return "failed"
    if not is_in_progress:
        return "none" if not own.in_batch else "consolidation"
    if own.in_batch:
        return "consolidation"
    return "answered" if own.state == "answered" else "waiting"
