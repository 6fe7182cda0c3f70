"""The log of a labeling job: what happened, in order, for people and for pages that follow it live."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ground_truth_server.engine.json_text import read_kept, write_json
from ground_truth_server.engine.store import Store


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        sequence: Grows with every event of the workspace.
        job: The labeling job.
        at: When, UTC, as :func:`ground_truth_server.engine.timestamps.to_text` writes it.
        kind: One word or two: ``submitted``, ``function failed``, ...
        object_id: The data object it is about.
        worker: The worker it is about.
        message: A sentence for people.
        detail: More, for pages: the event and traceback of a function that failed, for instance.
    """

    sequence: int
    job: str
    at: str
    kind: str
    object_id: str | None
    worker: str | None
    message: str
    detail: dict[str, Any] | None


class EventLog:
    """Writes and reads events.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(  # noqa: PLR0913  (an event has that many parts)
        self,
        database: sqlite3.Connection,
        job: str,
        at: str,
        kind: str,
        message: str,
        *,
        number: int | None = None,
        worker: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Write an event as part of a transaction, so that it is there if and only if what it tells of is."""
        database.execute(
            "INSERT INTO events (job, at, kind, number, worker, message, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (job, at, kind, number, worker, message, None if detail is None else write_json(detail)),
        )

    def read(self, job: str | None = None, after: int = 0, limit: int = 1000) -> list[Event]:
        """Read events in order.

        Args:
            job: Only this labeling job's.
            after: Only those with a higher sequence number.
            limit: At most so many.
        """
        if job is None:
            rows = self._store.rows("SELECT * FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?", after, limit)
        else:
            rows = self._store.rows(
                "SELECT * FROM events WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                job,
                after,
                limit,
            )
        return [_event(row) for row in rows]


def _event(row: sqlite3.Row) -> Event:
    return Event(
        sequence=row["sequence"],
        job=row["job"],
        at=row["at"],
        kind=row["kind"],
        object_id=None if row["number"] is None else str(row["number"]),
        worker=row["worker"],
        message=row["message"],
        detail=None if row["detail"] is None else read_kept(row["detail"]),
    )
