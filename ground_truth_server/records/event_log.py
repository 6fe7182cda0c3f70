"""The log of labeling jobs: what happened, in order, for people and for pages that follow it live."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select, update

from ground_truth_server.json_text import read_kept, write_json
from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import FUNCTION_FAILED, events

_e = events.c
_WRITE = Hot(insert(events), ("job", "at", "kind", "number", "worker", "message", "detail"))


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        sequence: Grows with every event of the workspace.
        job: The labeling job.
        at: When, UTC, as :func:`ground_truth_server.timestamps.to_text` writes it.
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
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(  # noqa: PLR0913  (an event has that many parts)
        self,
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
        values = {
            "job": job,
            "at": at,
            "kind": kind,
            "number": number,
            "worker": worker,
            "message": _storable(message),
            "detail": None if detail is None else write_json(detail),
        }
        self._database.change(_WRITE, values)

    def rename_worker(self, worker: str, to: str) -> None:
        """Put another id in the place of a worker's, wherever it stands."""
        renamed = update(events).where(_e.worker == worker)
        self._database.change(renamed.values(worker=to, message=func.replace(_e.message, worker, to)))

    def read(self, job: str | None = None, after: int = 0, limit: int = 1000) -> list[Event]:
        """Read events in order.

        Args:
            job: Only this labeling job's.
            after: Only those with a higher sequence number.
            limit: At most so many.
        """
        query = select(events).where(_e.sequence > after)
        if job is not None:
            query = query.where(_e.job == job)
        return [_event(row) for row in self._database.rows(query.order_by(_e.sequence).limit(limit))]

    def last(self, job: str, limit: int) -> list[Event]:
        """Read a labeling job's last events, the newest first."""
        return self._newest(_e.job == job, limit=limit)

    def last_failures(self, job: str, limit: int) -> list[Event]:
        """Read of the last failed calls of a labeling job's functions, the newest first."""
        return self._newest(_e.job == job, _e.kind == FUNCTION_FAILED, limit=limit)

    def of_object(self, job: str, number: int, limit: int) -> list[Event]:
        """Read the last events of a data object, the newest first."""
        return self._newest(_e.job == job, _e.number == number, limit=limit)

    def _newest(self, *conditions: ColumnElement[bool], limit: int) -> list[Event]:
        query = select(events).where(*conditions).order_by(_e.sequence.desc()).limit(limit)
        return [_event(row) for row in self._database.rows(query)]


def _storable(text: str) -> str:
    """Show what no database can hold: halves of characters, and the character that ends texts in PostgreSQL."""
    return text.replace("\0", r"\x00").encode("utf-8", "backslashreplace").decode()


def _event(row: Row[Any]) -> Event:
    return Event(
        sequence=row.sequence,
        job=row.job,
        at=row.at,
        kind=row.kind,
        object_id=None if row.number is None else str(row.number),
        worker=row.worker,
        message=row.message,
        detail=None if row.detail is None else read_kept(row.detail),
    )
