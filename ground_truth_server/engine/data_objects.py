"""The data objects of a labeling job and the states they pass through.

``waiting`` → ``preparing`` (in a wave, the pre-annotation function is called) → ``open`` (workers take it) →
``answered`` → ``labeled``; or ``failed``; or ``not required`` where no person need look at it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ground_truth_server.engine.json_text import read_kept, write_json
from ground_truth_server.engine.labeling_job import LabelingJob
from ground_truth_server.engine.manifest import ManifestLine
from ground_truth_server.engine.store import Store
from ground_truth_server.engine.timestamps import later

_PAGE = 500
NOT_ANSWERED = "No worker submitted an answer before the data object's availability ran out"


@dataclass(frozen=True)
class Answer:
    """What one worker submitted for a data object.

    Attributes:
        worker: The worker's name.
        accepted: When the worker took the task, as the store writes moments.
        submitted: When the answer came.
        content: The answer.
    """

    worker: str
    accepted: str
    submitted: str
    content: dict[str, Any]


@dataclass(frozen=True)
class DataObject:
    """A data object and how far it is.

    Attributes:
        object_id: ``datasetObjectId``: the place of its line in the manifest, from 0, as text.
        state: One of this module's states.
        data_object: The manifest line; ``None`` if it holds no JSON object.
        task_input: What the worker page reads; ``None`` before it is prepared.
        wave: The wave it went out in, from 1.
        label: The content of its consolidated annotation.
        problem: Why it failed.
        response: The key of its worker response in the output bucket.
    """

    object_id: str
    state: str
    data_object: dict[str, Any] | None
    task_input: dict[str, Any] | None
    wave: int | None
    label: dict[str, Any] | None
    problem: str | None
    response: str | None


class ObjectTable:
    """The data objects of the store.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, database: sqlite3.Connection, job: LabelingJob, lines: Iterable[ManifestLine], at: str) -> None:
        """Add lines of the manifest, good ones to wait, bad ones failed."""
        database.executemany(
            "INSERT INTO data_objects (job, number, line, state, problem, ended) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    job.key,
                    line.number - 1,
                    None if line.data_object is None else write_json(line.data_object),
                    "failed" if line.problem else "waiting",
                    f"Line {line.number} of {job.manifest}: {line.problem}" if line.problem else None,
                    at if line.problem else None,
                )
                for line in lines
            ),
        )

    def forget(self, database: sqlite3.Connection, job: LabelingJob) -> None:
        """Remove a job's objects, to read its manifest again from the start."""
        database.execute("DELETE FROM data_objects WHERE job = ?", (job.key,))

    def count(self, job: str) -> dict[str, int]:
        """Count a job's objects by state."""
        query = "SELECT state, count(*) AS objects FROM data_objects WHERE job = ? GROUP BY state"
        return {row["state"]: row["objects"] for row in self._store.rows(query, job)}

    def any_in(self, job: LabelingJob, *states: str) -> bool:
        """Tell whether any object is in one of these states."""
        return any(
            self._store.row("SELECT 1 FROM data_objects WHERE job = ? AND state = ? LIMIT 1", job.key, state)
            for state in states
        )

    def start_wave(self, database: sqlite3.Connection, job: LabelingJob, size: int) -> tuple[int, int]:
        """Let the next waiting objects go out.

        Returns:
            The wave's number, from 1, and how many objects it has.
        """
        query = "SELECT coalesce(max(wave), 0) + 1 FROM data_objects WHERE job = ?"
        (wave,) = database.execute(query, (job.key,)).fetchone()
        changed = database.execute(
            "UPDATE data_objects SET state = 'preparing', wave = ? WHERE job = ? AND number IN (SELECT number"
            " FROM data_objects WHERE job = ? AND state = 'waiting' ORDER BY number LIMIT ?)",
            (wave, job.key, job.key, size),
        )
        return wave, changed.rowcount

    def numbers_in(self, job: LabelingJob, state: str) -> list[int]:
        """Number the objects that are in a state."""
        query = "SELECT number FROM data_objects WHERE job = ? AND state = ? ORDER BY number"
        return [row["number"] for row in self._store.rows(query, job.key, state)]

    def open(
        self,
        database: sqlite3.Connection,
        job: LabelingJob,
        number: int,
        task_input: Mapping[str, Any],
        at: str,
    ) -> None:
        """Make a prepared object available to workers."""
        database.execute(
            "UPDATE data_objects SET state = 'open', task_input = ?, closes = ?, free = ?"
            " WHERE job = ? AND number = ? AND state = 'preparing'",
            (write_json(task_input), later(at, job.availability), job.workers_per_object, job.key, number),
        )

    def leave_out(
        self, database: sqlite3.Connection, job: LabelingJob, number: int, task_input: Mapping[str, Any]
    ) -> None:
        """Keep a prepared object from the workers: no person need look at it."""
        database.execute(
            "UPDATE data_objects SET state = 'not required', task_input = ?"
            " WHERE job = ? AND number = ? AND state = 'preparing'",
            (write_json(task_input), job.key, number),
        )

    def any_due(self, job: LabelingJob, at: str) -> bool:
        """Tell whether the time of any task or the availability of any object has run out."""
        query = (
            "SELECT 1 FROM tasks WHERE job = ?1 AND state = 'accepted' AND expires <= ?2"
            " UNION ALL SELECT 1 FROM data_objects WHERE job = ?1 AND state = 'open' AND closes <= ?2 LIMIT 1"
        )
        return self._store.row(query, job.key, at) is not None

    def progress(self, job: LabelingJob) -> tuple[int, ...]:
        """Count what the run of a job has done, and nothing that its workers did."""
        query = (
            "SELECT count(*), coalesce(max(wave), 0), count(label), count(problem), count(response),"
            " count(task_input) FROM data_objects WHERE job = ?"
        )
        return tuple(self._store.rows(query, job.key)[0])

    def close_due(self, database: sqlite3.Connection, job: LabelingJob, at: str) -> tuple[int, list[int]]:
        """Close the objects whose availability ran out.

        Returns:
            How many go on to consolidation with the answers they have, and which had none and failed.
        """
        query = "SELECT number FROM data_objects WHERE job = ? AND state = 'open' AND closes <= ?"
        due = [row["number"] for row in database.execute(query, (job.key, at)).fetchall()]
        failed = [number for number in due if not self._close(database, job, number)]
        for number in failed:
            self._fail(database, job, number, f"{NOT_ANSWERED} ({job.availability} s)", at)
        return len(due) - len(failed), failed

    def close_all(self, database: sqlite3.Connection, job: LabelingJob) -> None:
        """Take every object back from the workers; those without an answer stay without a label."""
        query = "SELECT number FROM data_objects WHERE job = ? AND state = 'open'"
        for row in database.execute(query, (job.key,)).fetchall():
            if not self._close(database, job, row["number"]):
                database.execute(
                    "UPDATE data_objects SET state = 'waiting' WHERE job = ? AND number = ?",
                    (job.key, row["number"]),
                )
        database.execute("UPDATE data_objects SET state = 'waiting' WHERE job = ? AND state = 'preparing'", (job.key,))

    def _close(self, database: sqlite3.Connection, job: LabelingJob, number: int) -> bool:
        changed = database.execute(
            "UPDATE data_objects SET state = 'answered', free = 0 WHERE job = ? AND number = ?"
            " AND EXISTS (SELECT 1 FROM tasks AS t"
            " WHERE t.job = data_objects.job AND t.number = data_objects.number AND t.state = 'submitted')",
            (job.key, number),
        )
        return changed.rowcount > 0

    def _fail(self, database: sqlite3.Connection, job: LabelingJob, number: int, problem: str, at: str) -> None:
        database.execute(
            "UPDATE data_objects SET state = 'failed', problem = ?, ended = ? WHERE job = ? AND number = ?",
            (problem, at, job.key, number),
        )

    def without_response(self, job: LabelingJob, limit: int = 200) -> list[tuple[int, int]]:
        """Number objects, with their wave, whose worker response is not written yet."""
        query = (
            "SELECT number, wave FROM data_objects WHERE job = ? AND state = 'answered' AND response IS NULL"
            " ORDER BY number LIMIT ?"
        )
        return [(row["number"], row["wave"]) for row in self._store.rows(query, job.key, limit)]

    def get(self, job: str, number: int) -> DataObject | None:
        """Find an object."""
        row = self._store.row("SELECT * FROM data_objects WHERE job = ? AND number = ?", job, number)
        return None if row is None else _data_object(row)

    def page(self, job: str, start: int = 0, limit: int = _PAGE) -> list[sqlite3.Row]:
        """Read rows of a job's objects in the manifest's order, beginning at a number."""
        query = "SELECT * FROM data_objects WHERE job = ? AND number >= ? ORDER BY number LIMIT ?"
        return self._store.rows(query, job, start, limit)

    def manifest_rows(self, job: str) -> Iterator[sqlite3.Row]:
        """Read what the lines of an output manifest are made of, in order, some at a time."""
        query = (
            "SELECT o.number, o.line, o.state, o.label, o.problem, o.ended, b.created AS labeled_at"
            " FROM data_objects AS o LEFT JOIN batches AS b ON b.job = o.job AND b.number = o.batch"
            " WHERE o.job = ? AND o.number >= ? ORDER BY o.number LIMIT ?"
        )
        start = 0
        while rows := self._store.rows(query, job, start, _PAGE):
            yield from rows
            start = rows[-1]["number"] + 1

    def answers(self, job: str, number: int) -> list[Answer]:
        """Read what workers submitted for an object, in the order in which it came."""
        query = (
            "SELECT worker, accepted, ended, answer FROM tasks"
            " WHERE job = ? AND number = ? AND state = 'submitted' ORDER BY ended, worker"
        )
        return [
            Answer(row["worker"], row["accepted"], row["ended"], read_kept(row["answer"]))
            for row in self._store.rows(query, job, number)
        ]


def as_data_object(row: sqlite3.Row) -> DataObject:
    """Read a row of :meth:`ObjectTable.page`."""
    return _data_object(row)


def _data_object(row: sqlite3.Row) -> DataObject:
    def decoded(column: str) -> dict[str, Any] | None:
        return None if row[column] is None else read_kept(row[column])

    return DataObject(
        object_id=str(row["number"]),
        state=row["state"],
        data_object=decoded("line"),
        task_input=decoded("task_input"),
        wave=row["wave"],
        label=decoded("label"),
        problem=row["problem"],
        response=row["response"],
    )
