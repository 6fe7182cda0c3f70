"""The tasks: data objects in the hands of workers, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, insert, literal_column, or_, select, update

from ground_truth_server.json_text import read_kept
from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import ACCEPTED, SUBMITTED, data_objects, former_answers, jobs, tasks

_t, _f, _o = tasks.c, former_answers.c, data_objects.c


@dataclass(frozen=True)
class TaskRecord:
    """A data object that a worker took.

    Attributes:
        id: Names it.
        job: The labeling job's key.
        number: The data object.
        worker: Who took it.
        state: ``accepted``, ``submitted``, ``declined``, ``released`` or ``expired``.
        accepted: When it was taken.
        expires: When it goes back to the others.
        ended: When it was submitted, handed back or taken back.
        answer: The newest version of the answer, as it was written.
        aside: Since when its worker has put it aside; ``None`` while it is in hand.
        remark: Why the worker answered so, in the worker's words.
        version: The answer's version, from 1.
        corrected: When that version came, if it isn't the first.
    """

    id: str
    job: str
    number: int
    worker: str
    state: str
    accepted: str
    expires: str
    ended: str | None = None
    answer: str | None = None
    aside: str | None = None
    remark: str | None = None
    version: int = 1
    corrected: str | None = None


@dataclass(frozen=True)
class Answer:
    """What one worker submitted for a data object: the newest version.

    Attributes:
        worker: The worker's name.
        accepted: When the worker took the task.
        submitted: When the answer first came.
        content: The answer.
        remark: Why, in the worker's words.
        corrected: When the newest version came, if it isn't the first.
        task: The task.
    """

    worker: str
    accepted: str
    submitted: str
    content: dict[str, Any]
    remark: str | None = None
    corrected: str | None = None
    task: str = ""


@dataclass(frozen=True)
class FormerAnswer:
    """A version of an answer that its worker corrected.

    Attributes:
        task: The task.
        version: Its number, from 1.
        at: When it came.
        content: The answer.
        remark: Why, in the worker's words.
    """

    task: str
    version: int
    at: str
    content: dict[str, Any]
    remark: str | None


@dataclass(frozen=True)
class OwnAnswer:
    """An answer in its worker's history, and how far its data object is.

    Attributes:
        task: The submitted task.
        content: The newest version of the answer.
        line: The object's manifest line.
        state: The object's state.
        in_batch: Whether a label is being made of its answers, or was.
        label: The content of the object's consolidated annotation.
    """

    task: TaskRecord
    content: dict[str, Any]
    line: dict[str, Any] | None
    state: str
    in_batch: bool
    label: dict[str, Any] | None


class TaskRecords:
    """The tasks of a database. A ``job`` is a labeling job's key.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, task: TaskRecord) -> None:
        """Add a task that begins."""
        self._database.change(_ADD, {name: getattr(task, name) for name in _BEGINNING})

    def find(self, task_id: str) -> TaskRecord | None:
        """Find a task."""
        return self._one(_FIND, its_id=task_id)

    def find_to_change(self, task_id: str) -> tuple[TaskRecord, str] | None:
        """Find a task and its job's status, which then stays until this transaction ends."""
        row = self._database.row(_FIND_TO_CHANGE, its_id=task_id)
        return None if row is None else (_task(row), str(row.status))

    def in_hand(self, job: str, worker: str) -> TaskRecord | None:
        """Find the task that a worker has in hand, not put aside."""
        return self._one(_IN_HAND, its_job=job, its_worker=worker)

    def in_hands(self, job: str, expired_at: str | None = None) -> list[TaskRecord]:
        """List the tasks in workers' hands; only those whose time has run out, where a moment is given."""
        if expired_at is None:
            rows = self._database.rows(_IN_HANDS, its_job=job)
        else:
            rows = self._database.rows(_LATE, its_job=job, at=expired_at)
        return [_task(row) for row in rows]

    def end(self, task_id: str, state: str, at: str) -> bool:
        """End a task that is in hand, without an answer.

        Returns:
            Whether it was still in hand.
        """
        return self._database.change(_END, {"its_id": task_id, "state": state, "ended": at}) > 0

    def submit(self, task_id: str, answer: str, at: str, remark: str | None = None) -> bool:
        """End a task that is in hand, with an answer.

        Returns:
            Whether it was still in hand.
        """
        values = {"its_id": task_id, "state": "submitted", "ended": at, "answer": answer, "remark": remark}
        return self._database.change(_SUBMIT, values) > 0

    def correct(self, task: TaskRecord, answer: str, remark: str | None, at: str) -> bool:
        """Put a newer version in the place of an answer, which stays among the former ones.

        Args:
            task: The submitted task, with the version that is corrected.
            answer: The newer version.
            remark: Why, in the worker's words.
            at: When it came.

        Returns:
            Whether that version was still the newest.
        """
        this = and_(_t.id == task.id, _t.state == SUBMITTED, _t.version == task.version)
        values = {"answer": answer, "remark": remark, "version": task.version + 1, "corrected": at}
        if not self._database.change(update(tasks).where(this).values(values)):
            return False
        former = {
            "task": task.id,
            "version": task.version,
            "at": task.corrected or task.ended,
            "answer": task.answer,
            "remark": task.remark,
        }
        self._database.change(insert(former_answers).values(former))
        return True

    def former_answers(self, job: str, number: int) -> list[FormerAnswer]:
        """Read the versions of an object's answers that were corrected, the oldest of each task first."""
        query = select(former_answers).join(tasks, _t.id == _f.task).where(_t.job == job, _t.number == number)
        rows = self._database.rows(query.order_by(_f.task, _f.version))
        return [FormerAnswer(row.task, row.version, row.at, read_kept(row.answer), row.remark) for row in rows]

    def put_aside(self, task_id: str, at: str | None) -> bool:
        """Put a task aside that its worker has, or, without a moment, back into the worker's hand.

        Returns:
            Whether the worker still has it.
        """
        this = and_(_t.id == task_id, _t.state == ACCEPTED)
        return self._database.change(update(tasks).where(this).values(aside=at)) > 0

    def aside(self, job: str, worker: str) -> list[TaskRecord]:
        """List the tasks that a worker has put aside, the first of them first."""
        query = select(tasks).where(_t.job == job, _t.worker == worker, _t.state == ACCEPTED, _t.aside.is_not(None))
        return [_task(row) for row in self._database.rows(query.order_by(_t.aside, _t.id))]

    def count_had(self, job: str, worker: str) -> tuple[int, int]:
        """Count the tasks that a worker has, and how many of them are put aside."""
        (row,) = self._database.rows(_HAD, its_job=job, its_worker=worker)
        return int(row.had), int(row.aside)

    def last_submitted(self, job: str, worker: str, limit: int) -> list[tuple[str, str]]:
        """Tell of a worker's last answers in a job when each task was taken and answered, the newest first."""
        rows = self._database.rows(_LAST_SUBMITTED, its_job=job, its_worker=worker, at_most=limit)
        return [(row.accepted, row.ended) for row in rows]

    def own_answers(
        self, worker: str, limit: int, before: tuple[str, str] | None = None, job: str | None = None
    ) -> list[OwnAnswer]:
        """Read a worker's answers with what became of their objects, the newest first.

        Args:
            worker: The worker.
            limit: How many at most.
            before: When the answer was submitted, and its task, before which to begin; with the newest if not given.
            job: Only those in this labeling job.
        """
        query = (
            select(tasks, _o.line, _o.label, _o.batch, _o.state.label("its_state"))
            .join(data_objects, and_(_o.job == _t.job, _o.number == _t.number))
            .where(_t.worker == worker, _t.state == SUBMITTED)
        )
        values = {}
        if job is not None:
            query, values = query.where(_in_that_job), {"its_job": job}
        if before is not None:
            ended, task_id = before
            query = query.where(_t.ended <= ended, or_(_t.ended < ended, _t.id < task_id))
        rows = self._database.rows(query.order_by(_t.ended.desc(), _t.id.desc()).limit(limit), **values)
        return [
            OwnAnswer(
                _task(row),
                read_kept(row.answer),
                None if row.line is None else read_kept(row.line),
                row.its_state,
                row.batch is not None,
                None if row.label is None else read_kept(row.label),
            )
            for row in rows
        ]

    def count_submitted(self, job: str, worker: str) -> int:
        """Count the answers that a worker gave in a job."""
        return int(self._database.rows(_SUBMITTED_BY, its_job=job, its_worker=worker)[0][0])

    def count_answers(self, job: str, number: int) -> tuple[int, int]:
        """Count the answers to an object, and how many different ones there are."""
        (row,) = self._database.rows(_ANSWERS_TO, its_job=job, its_number=number)
        return int(row.answers), int(row.different)

    def answers(self, job: str, number: int) -> list[Answer]:
        """Read what workers submitted for an object, in the order in which it came."""
        rows = self._database.rows(_ANSWERS, its_job=job, its_number=number)
        return [
            Answer(row.worker, row.accepted, row.ended, read_kept(row.answer), row.remark, row.corrected, row.id)
            for row in rows
        ]

    def answers_to(self, job: str, numbers: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        """Read the contents of what workers submitted for some objects, each in the order in which they came."""
        query = select(_t.number, _t.answer).where(_t.job == job, _t.number.in_(numbers), _submitted)
        found: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
        for row in self._database.rows(query.order_by(_t.ended, _t.worker)):
            found[row.number].append(read_kept(row.answer))
        return found

    def of_object(self, job: str, number: int) -> Sequence[TaskRecord]:
        """List every task of an object."""
        query = select(tasks).where(_t.job == job, _t.number == number).order_by(_t.accepted, _t.id)
        return [_task(row) for row in self._database.rows(query)]

    def by_worker(self, job: str) -> list[tuple[str, str, int]]:
        """Count a job's tasks by worker and state."""
        query = select(_t.worker, _t.state, func.count().label("tasks")).where(_t.job == job)
        rows = self._database.rows(query.group_by(_t.worker, _t.state).order_by(_t.worker, _t.state))
        return [(row.worker, row.state, row.tasks) for row in rows]

    def has_worker(self, worker: str) -> bool:
        """Tell whether a worker ever took a task."""
        return self._database.row(select(1).where(tasks.c.worker == worker).limit(1)) is not None

    def rename_worker(self, worker: str, to: str) -> None:
        """Put another id in the place of a worker's, in all tasks."""
        self._database.change(update(tasks).where(tasks.c.worker == worker).values(worker=to))

    def _one(self, query: Hot, **values: Any) -> TaskRecord | None:
        row = self._database.row(query, **values)
        return None if row is None else _task(row)


_submitted = _t.state == "submitted"
_BEGINNING = ("id", "job", "number", "worker", "state", "accepted", "expires")
_its_id, _its_job = _t.id == bindparam("its_id"), _t.job == bindparam("its_job")
_by, _of = _t.worker == bindparam("its_worker"), _t.number == bindparam("its_number")
_in_hand = _t.state == ACCEPTED
_counted = select(func.count()).select_from(tasks)
# Not by the index of a job's tasks by worker, or all of a worker's answers would be sorted to find the last ones.
_in_that_job = _t.job + literal_column("''") == bindparam("its_job")
# What workers wait for is built once.
_ADD = Hot(insert(tasks), _BEGINNING)
_FIND = Hot(select(tasks).where(_its_id))
_in_hands = select(tasks).where(_its_job, _in_hand).order_by(_t.number, _t.id)
_FIND_TO_CHANGE = Hot(
    select(tasks, jobs.c.status).join(jobs, jobs.c.key == _t.job).where(_its_id).with_for_update(read=True, of=jobs)
)
_IN_HANDS = Hot(_in_hands)
_IN_HAND = Hot(_in_hands.where(_by, _t.aside.is_(None)))
_HAD = Hot(
    select(func.count().label("had"), func.count(_t.aside).label("aside")).where(_its_job, _by, _t.state == ACCEPTED)
)
_LATE = Hot(_in_hands.where(_t.expires <= bindparam("at")))
_end = update(tasks).where(_its_id, _in_hand).values(state=bindparam("state"), ended=bindparam("ended"))
_END = Hot(_end)
_SUBMIT = Hot(_end.values(answer=bindparam("answer"), remark=bindparam("remark")))
_SUBMITTED_BY = Hot(_counted.where(_its_job, _by, _submitted))
_LAST_SUBMITTED = Hot(
    select(_t.accepted, _t.ended)
    .where(_by, _t.state == SUBMITTED, _in_that_job)
    .order_by(_t.ended.desc())
    .limit(bindparam("at_most"))
)
_of_answers = (_t.id, _t.worker, _t.accepted, _t.ended, _t.answer, _t.remark, _t.corrected)
_ANSWERS = Hot(select(*_of_answers).where(_its_job, _of, _submitted).order_by(_t.ended, _t.worker))
_different = func.count(_t.answer.distinct()).label("different")
_ANSWERS_TO = Hot(select(func.count().label("answers"), _different).where(_its_job, _of, _submitted))


def _task(row: Row[Any]) -> TaskRecord:
    return TaskRecord(
        row.id,
        row.job,
        row.number,
        row.worker,
        row.state,
        row.accepted,
        row.expires,
        row.ended,
        row.answer,
        row.aside,
        row.remark,
        row.version,
        row.corrected,
    )
