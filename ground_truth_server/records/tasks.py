"""The tasks: data objects in the hands of workers, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from ground_truth_server.json_text import read_kept
from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import ACCEPTED, jobs, tasks

_t = tasks.c


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
        answer: The answer, as it was written.
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


@dataclass(frozen=True)
class Answer:
    """What one worker submitted for a data object.

    Attributes:
        worker: The worker's name.
        accepted: When the worker took the task.
        submitted: When the answer came.
        content: The answer.
    """

    worker: str
    accepted: str
    submitted: str
    content: dict[str, Any]


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
        """Find the task that a worker has in hand."""
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

    def submit(self, task_id: str, answer: str, at: str) -> bool:
        """End a task that is in hand, with an answer.

        Returns:
            Whether it was still in hand.
        """
        values = {"its_id": task_id, "state": "submitted", "ended": at, "answer": answer}
        return self._database.change(_SUBMIT, values) > 0

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
        return [Answer(row.worker, row.accepted, row.ended, read_kept(row.answer)) for row in rows]

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
# What workers wait for is built once.
_ADD = Hot(insert(tasks), _BEGINNING)
_FIND = Hot(select(tasks).where(_its_id))
_in_hands = select(tasks).where(_its_job, _in_hand).order_by(_t.number, _t.id)
_FIND_TO_CHANGE = Hot(
    select(tasks, jobs.c.status).join(jobs, jobs.c.key == _t.job).where(_its_id).with_for_update(read=True, of=jobs)
)
_IN_HANDS = Hot(_in_hands)
_IN_HAND = Hot(_in_hands.where(_by))
_LATE = Hot(_in_hands.where(_t.expires <= bindparam("at")))
_end = update(tasks).where(_its_id, _in_hand).values(state=bindparam("state"), ended=bindparam("ended"))
_END = Hot(_end)
_SUBMIT = Hot(_end.values(answer=bindparam("answer")))
_SUBMITTED_BY = Hot(_counted.where(_its_job, _by, _submitted))
_ANSWERS = Hot(
    select(_t.worker, _t.accepted, _t.ended, _t.answer).where(_its_job, _of, _submitted).order_by(_t.ended, _t.worker)
)
_different = func.count(_t.answer.distinct()).label("different")
_ANSWERS_TO = Hot(select(func.count().label("answers"), _different).where(_its_job, _of, _submitted))


def _task(row: Row[Any]) -> TaskRecord:
    return TaskRecord(
        row.id, row.job, row.number, row.worker, row.state, row.accepted, row.expires, row.ended, row.answer
    )
