"""The workers' side: taking tasks of a labeling job, submitting answers, handing tasks back."""

import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ground_truth_server.engine.data_objects import ObjectTable
from ground_truth_server.engine.event_log import EventLog
from ground_truth_server.engine.json_text import UnfitJson, read_kept, write_answer
from ground_truth_server.engine.labeling_job import JobTable, LabelingJob
from ground_truth_server.engine.store import Store
from ground_truth_server.engine.timestamps import from_text, later, seconds_between, to_text


class TaskRefused(Exception):
    """What a worker asked for can't be done. The text tells the worker why."""


class TaskExpired(TaskRefused):
    """The task's time ran out, or its data object is no longer available."""


class NotYourTask(TaskRefused):
    """There is no such task in this worker's hands."""


class AnswerUnfit(TaskRefused):
    """The answer is nested too deeply, too long, or holds what JSON or UTF-8 can't."""


class TaskClosed(TaskRefused):
    """The task ended before: submitted with another answer, declined, handed back, or its job ended."""


@dataclass(frozen=True)
class Task:
    """A data object in the hands of one worker.

    Attributes:
        id: Names this task; a data object taken again is a new task.
        job_name: The labeling job.
        job_arn: Its ARN.
        object_id: The data object, ``datasetObjectId``.
        task_input: What the worker page reads as ``task.input``.
        template: The worker page's template.
        time_limit: Seconds that the worker has from ``accepted`` on.
        accepted: When the worker took it.
        expires: When it goes back to the others.
    """

    id: str
    job_name: str
    job_arn: str
    object_id: str
    task_input: dict[str, Any]
    template: str
    time_limit: int
    accepted: datetime
    expires: datetime


class TaskPool:
    """Hands out the tasks of labeling jobs in progress; every change is on disk when the call returns.

    Args:
        store: The store.
        jobs: The labeling jobs.
        log: Where it is told.
        clock: Tells the time.
    """

    def __init__(self, store: Store, jobs: JobTable, log: EventLog, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._jobs = jobs
        self._log = log
        self._clock = clock
        self._objects = ObjectTable(store)

    def available(self, worker: str, job_name: str) -> int:
        """Count the data objects that a worker could take now, the one in hand included."""
        query = f"SELECT count(*) FROM data_objects AS o WHERE {_OPEN} AND {_NOT_SEEN}"  # noqa: S608
        (count,) = self._store.rows(query, job_name, to_text(self._clock()), worker)[0]
        return int(count) + (self._in_hand(worker, job_name) is not None)

    def submitted(self, worker: str, job_name: str) -> int:
        """Count the answers that a worker gave."""
        query = "SELECT count(*) FROM tasks WHERE job = ? AND worker = ? AND state = 'submitted'"
        (count,) = self._store.rows(query, job_name, worker)[0]
        return int(count)

    def next(self, worker: str, job_name: str) -> Task | None:
        """Give a worker the task in hand, or else take the next data object that this worker has not had.

        Returns:
            The task; ``None`` if there is nothing for this worker now.

        Raises:
            LabelingJobNotFound: If there is no such job.
        """
        job = self._jobs.get(job_name)
        if self._jobs.state(job.key).status != "InProgress" or not self._has_any(worker, job):
            return None  # without waiting for those who write
        with self._store.transaction() as database:
            if _status(database, job) != "InProgress":
                return None
            at = to_text(self._clock())
            self.expire(database, job, at)
            row = database.execute(f"SELECT * {_IN_HAND}", (job.key, worker)).fetchone()
            row = row or self._take(database, worker, job, at)
            if row is None:
                return None
            task_input = database.execute(_TASK_INPUT, (job.key, row["number"])).fetchone()
        return self._task(row, job, task_input)

    def find(self, task_id: str, worker: str) -> Task:
        """Find a task that a worker has in hand.

        Raises:
            TaskRefused: If it is not in this worker's hands, or not any more.
        """
        row = _check_own(self._store.row("SELECT * FROM tasks WHERE id = ?", task_id), task_id, worker)
        self._check_in_hand(row, to_text(self._clock()))
        task_input = self._store.row(_TASK_INPUT, row["job"], row["number"])
        return self._task(row, self._jobs.get(row["job"]), task_input)

    def submit(self, task_id: str, worker: str, answer: Mapping[str, Any]) -> None:
        """Take a worker's answer. It is on disk when this returns; the same answer again changes nothing.

        Raises:
            TaskRefused: If the task is another worker's, expired or ended, its job is not in progress, or the
                answer is unfit to be kept.
        """
        try:
            text = write_answer(answer)
        except UnfitJson as error:
            raise AnswerUnfit(f"The answer can't be taken: {error}. Correct it and submit it again.") from error
        expired: TaskExpired | None = None
        with self._store.transaction() as database:
            row = self._own(database, task_id, worker)
            if row["state"] == "submitted" and row["answer"] == text:
                return
            job = self._jobs.get(row["job"])
            at = to_text(self._clock())
            if _status(database, job) != "InProgress":
                raise TaskClosed(f"The labeling job {job.key} has ended and takes no more answers.")
            self.expire(database, job, at)  # what is found expired stays so, although the answer is refused
            try:
                self._check_in_hand(self._own(database, task_id, worker), at)
            except TaskExpired as error:
                expired = error
            else:
                self._record(database, job, row, text, at)
        if expired:
            raise expired

    def decline(self, task_id: str, worker: str) -> None:
        """Give a task to the others for good: this worker does not get the data object again."""
        self._hand_back(task_id, worker, "declined", "declined")

    def release(self, task_id: str, worker: str) -> None:
        """Hand a task back for now: anyone may take it, this worker too."""
        self._hand_back(task_id, worker, "released", "handed back")

    def expire(self, database: sqlite3.Connection, job: LabelingJob, at: str) -> None:
        """Return the tasks whose time ran out to the pool."""
        query = "SELECT * FROM tasks WHERE job = ? AND state = 'accepted' AND expires <= ?"
        for row in database.execute(query, (job.key, at)).fetchall():
            self._end(database, row, "expired", at)
            message = f"The time of {row['worker']} for object {row['number']} ran out"
            self._tell(database, row, "expired", message, at)

    def withdraw(self, database: sqlite3.Connection, job: LabelingJob, at: str) -> None:
        """Take back every task of a job that stops."""
        query = "SELECT * FROM tasks WHERE job = ? AND state = 'accepted'"
        for row in database.execute(query, (job.key,)).fetchall():
            self._end(database, row, "expired", at)

    def _has_any(self, worker: str, job: LabelingJob) -> bool:
        """Tell whether there may be a task for a worker: in hand, whose time ran out, or to take."""
        at = to_text(self._clock())
        if self._in_hand(worker, job.key) or self._objects.any_due(job, at):
            return True
        query = f"SELECT 1 FROM data_objects AS o WHERE {_OPEN} AND {_NOT_SEEN} LIMIT 1"  # noqa: S608
        return self._store.row(query, job.key, at, worker) is not None

    def _in_hand(self, worker: str, job_name: str) -> sqlite3.Row | None:
        return self._store.row(f"SELECT * {_IN_HAND}", job_name, worker)

    def _take(self, database: sqlite3.Connection, worker: str, job: LabelingJob, at: str) -> sqlite3.Row | None:
        found = database.execute(
            f"SELECT number, closes FROM data_objects AS o WHERE {_OPEN} AND {_NOT_SEEN}"  # noqa: S608
            " ORDER BY number LIMIT 1",
            (job.key, at, worker),
        ).fetchone()
        if found is None:
            return None
        task_id = uuid.uuid4().hex
        expires = min(later(at, job.time_limit), found["closes"])
        database.execute(
            "INSERT INTO tasks (id, job, number, worker, state, accepted, expires)"
            " VALUES (?, ?, ?, ?, 'accepted', ?, ?)",
            (task_id, job.key, found["number"], worker, at, expires),
        )
        database.execute(
            "UPDATE data_objects SET free = free - 1 WHERE job = ? AND number = ?",
            (job.key, found["number"]),
        )
        row: sqlite3.Row = database.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
        self._tell(database, row, "accepted", f"{worker} took object {found['number']}", at)
        return row

    def _task(self, row: sqlite3.Row, job: LabelingJob, task_input: sqlite3.Row | None) -> Task:
        if task_input is None:
            raise NotYourTask(f"Object {row['number']} of the labeling job {job.key} is not there any more.")
        return Task(
            id=row["id"],
            job_name=job.key,
            job_arn=job.arn,
            object_id=str(row["number"]),
            task_input=read_kept(task_input["task_input"]),
            template=self._jobs.template(job.key),
            time_limit=job.time_limit,
            accepted=from_text(row["accepted"]),
            expires=from_text(row["expires"]),
        )

    def _own(self, database: sqlite3.Connection, task_id: str, worker: str) -> sqlite3.Row:
        row = database.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
        return _check_own(row, task_id, worker)

    def _check_in_hand(self, row: sqlite3.Row, at: str) -> None:
        if row["state"] == "expired" or (row["state"] == "accepted" and row["expires"] <= at):
            raise TaskExpired(
                f"The time for object {row['number']} ran out at {row['expires']} UTC. Take the next task."
            )
        if row["state"] != "accepted":
            raise TaskClosed(f"This task for object {row['number']} was {row['state']} before. Take the next task.")

    def _record(self, database: sqlite3.Connection, job: LabelingJob, row: sqlite3.Row, answer: str, at: str) -> None:
        database.execute(
            "UPDATE tasks SET state = 'submitted', ended = ?, answer = ? WHERE id = ?",
            (max(at, row["accepted"]), answer, row["id"]),  # the clock may have been set back meanwhile
        )
        query = "SELECT count(*) FROM tasks WHERE job = ? AND number = ? AND state = 'submitted'"
        (answers,) = database.execute(query, (job.key, row["number"])).fetchone()
        if answers >= job.workers_per_object:
            database.execute(
                "UPDATE data_objects SET state = 'answered' WHERE job = ? AND number = ?",
                (job.key, row["number"]),
            )
        spent = seconds_between(row["accepted"], at)
        message = f"{row['worker']} answered object {row['number']} in {spent:.0f} s"
        self._tell(database, row, "submitted", message, at)

    def _hand_back(self, task_id: str, worker: str, state: str, verb: str) -> None:
        with self._store.transaction() as database:
            row = self._own(database, task_id, worker)
            if row["state"] == state:
                return
            at = to_text(self._clock())
            self._check_in_hand(row, at)
            self._end(database, row, state, at)
            self._tell(database, row, state, f"{worker} {verb} object {row['number']}", at)

    def _end(self, database: sqlite3.Connection, row: sqlite3.Row, state: str, at: str) -> None:
        database.execute("UPDATE tasks SET state = ?, ended = ? WHERE id = ?", (state, at, row["id"]))
        database.execute(
            "UPDATE data_objects SET free = free + 1 WHERE job = ? AND number = ? AND state = 'open'",
            (row["job"], row["number"]),
        )

    def _tell(self, database: sqlite3.Connection, row: sqlite3.Row, kind: str, message: str, at: str) -> None:
        self._log.write(database, row["job"], at, kind, message, number=row["number"], worker=row["worker"])


# The plus keeps SQLite from the index by closes, which would sort all open objects to find the first.
_OPEN = "o.job = ? AND o.state = 'open' AND o.free > 0 AND +o.closes > ?"
_NOT_SEEN = (
    "NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.job = o.job AND t.number = o.number AND t.worker = ?"
    " AND t.state IN ('accepted', 'submitted', 'declined'))"
)
_IN_HAND = "FROM tasks WHERE job = ? AND worker = ? AND state = 'accepted'"


_TASK_INPUT = "SELECT task_input FROM data_objects WHERE job = ? AND number = ?"


def _check_own(row: sqlite3.Row | None, task_id: str, worker: str) -> sqlite3.Row:
    if row is None or row["worker"] != worker:
        raise NotYourTask(f"{worker} has no task {task_id}. Take the next task.")
    return row


def _status(database: sqlite3.Connection, job: LabelingJob) -> str:
    (status,) = database.execute("SELECT status FROM jobs WHERE key = ?", (job.key,)).fetchone()
    return str(status)
