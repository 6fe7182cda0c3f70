"""The workers' side: taking tasks of a labeling job, submitting answers, handing tasks back."""

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ground_truth_server.engine.event_log import EventLog
from ground_truth_server.engine.json_text import write_json
from ground_truth_server.engine.labeling_job import JobTable, LabelingJob
from ground_truth_server.engine.store import Store
from ground_truth_server.engine.timestamps import from_text, later, seconds_between, to_text


class TaskRefused(Exception):
    """What a worker asked for can't be done. The text tells the worker why."""


class TaskExpired(TaskRefused):
    """The task's time ran out, or its data object is no longer available."""


class NotYourTask(TaskRefused):
    """There is no such task in this worker's hands."""


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

    def available(self, worker: str, job_name: str) -> int:
        """Count the data objects that a worker could take now, the one in hand included."""
        query = f"SELECT count(*) FROM data_objects AS o WHERE {_OPEN} AND {_NOT_SEEN}"  # noqa: S608
        (count,) = self._store.rows(query, job_name, worker)[0]
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
        with self._store.transaction() as database:
            if _status(database, job) != "InProgress":
                return None
            at = to_text(self._clock())
            self.expire(database, job, at)
            row = database.execute(f"SELECT * {_IN_HAND}", (job.name, worker)).fetchone()
            return self._task(database, row, job) if row else self._take(database, worker, job, at)

    def find(self, task_id: str, worker: str) -> Task:
        """Find a task that a worker has in hand.

        Raises:
            TaskRefused: If it is not in this worker's hands, or not any more.
        """
        with self._store.transaction() as database:
            row = self._own(database, task_id, worker)
            self._check_in_hand(row, to_text(self._clock()))
            return self._task(database, row, self._jobs.get(row["job"]))

    def submit(self, task_id: str, worker: str, answer: Mapping[str, Any]) -> None:
        """Take a worker's answer. It is on disk when this returns; the same answer again changes nothing.

        Raises:
            TaskRefused: If the task is another worker's, expired or ended, its job is not in progress, or the
                answer holds a number that JSON can't.
        """
        try:
            text = write_json(answer)
        except ValueError as error:
            raise TaskRefused(f"The answer is not JSON: {error}. Correct it and submit it again.") from error
        expired: TaskExpired | None = None
        with self._store.transaction() as database:
            row = self._own(database, task_id, worker)
            if row["state"] == "submitted" and row["answer"] == text:
                return
            job = self._jobs.get(row["job"])
            at = to_text(self._clock())
            if _status(database, job) != "InProgress":
                raise TaskClosed(f"The labeling job {job.name} has ended and takes no more answers.")
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
        for row in database.execute(query, (job.name, at)).fetchall():
            self._end(database, row, "expired", at)
            message = f"The time of {row['worker']} for object {row['number']} ran out"
            self._tell(database, row, "expired", message, at)

    def withdraw(self, database: sqlite3.Connection, job: LabelingJob, at: str) -> None:
        """Take back every task of a job that stops."""
        query = "SELECT * FROM tasks WHERE job = ? AND state = 'accepted'"
        for row in database.execute(query, (job.name,)).fetchall():
            self._end(database, row, "expired", at)

    def _in_hand(self, worker: str, job_name: str) -> sqlite3.Row | None:
        return self._store.row(f"SELECT * {_IN_HAND}", job_name, worker)

    def _take(self, database: sqlite3.Connection, worker: str, job: LabelingJob, at: str) -> Task | None:
        found = database.execute(
            f"SELECT number, closes FROM data_objects AS o WHERE {_OPEN} AND {_NOT_SEEN}"  # noqa: S608
            " ORDER BY number LIMIT 1",
            (job.name, worker),
        ).fetchone()
        if found is None:
            return None
        task_id = uuid.uuid4().hex
        expires = min(later(at, job.time_limit), found["closes"])
        database.execute(
            "INSERT INTO tasks (id, job, number, worker, state, accepted, expires)"
            " VALUES (?, ?, ?, ?, 'accepted', ?, ?)",
            (task_id, job.name, found["number"], worker, at, expires),
        )
        database.execute(
            "UPDATE data_objects SET free = free - 1 WHERE job = ? AND number = ?",
            (job.name, found["number"]),
        )
        row = database.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
        self._tell(database, row, "accepted", f"{worker} took object {found['number']}", at)
        return self._task(database, row, job)

    def _task(self, database: sqlite3.Connection, row: sqlite3.Row, job: LabelingJob) -> Task:
        query = "SELECT task_input FROM data_objects WHERE job = ? AND number = ?"
        (task_input,) = database.execute(query, (job.name, row["number"])).fetchone()
        return Task(
            id=row["id"],
            job_name=job.name,
            job_arn=job.arn,
            object_id=str(row["number"]),
            task_input=json.loads(task_input),
            template=self._jobs.template(job.name),
            time_limit=job.time_limit,
            accepted=from_text(row["accepted"]),
            expires=from_text(row["expires"]),
        )

    def _own(self, database: sqlite3.Connection, task_id: str, worker: str) -> sqlite3.Row:
        row: sqlite3.Row | None = database.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
        if row is None or row["worker"] != worker:
            raise NotYourTask(f"{worker} has no task {task_id}. Take the next task.")
        return row

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
            (at, answer, row["id"]),
        )
        query = "SELECT count(*) FROM tasks WHERE job = ? AND number = ? AND state = 'submitted'"
        (answers,) = database.execute(query, (job.name, row["number"])).fetchone()
        if answers >= job.workers_per_object:
            database.execute(
                "UPDATE data_objects SET state = 'answered' WHERE job = ? AND number = ?",
                (job.name, row["number"]),
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


_OPEN = "o.job = ? AND o.state = 'open' AND o.free > 0"
_NOT_SEEN = (
    "NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.job = o.job AND t.number = o.number AND t.worker = ?"
    " AND t.state IN ('accepted', 'submitted', 'declined'))"
)
_IN_HAND = "FROM tasks WHERE job = ? AND worker = ? AND state = 'accepted'"


def _status(database: sqlite3.Connection, job: LabelingJob) -> str:
    (status,) = database.execute("SELECT status FROM jobs WHERE name = ?", (job.name,)).fetchone()
    return str(status)
