"""The batches in which data objects go to the post-annotation function."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from ground_truth_server.records.database import Database
from ground_truth_server.records.schema import batches

_b = batches.c


@dataclass(frozen=True)
class Batch:
    """Data objects that are consolidated together.

    Attributes:
        number: From 1, in the labeling job.
        wave: The last wave of its objects.
        created: When it was made; its files are named by it.
    """

    number: int
    wave: int
    created: str


class BatchRecords:
    """The batches of a database. A ``job`` is a labeling job's key.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: str, batch: Batch) -> None:
        """Add a batch."""
        values = {"job": job, "number": batch.number, "wave": batch.wave, "created": batch.created}
        self._database.change(insert(batches).values(values))

    def last(self, job: str) -> Batch | None:
        """Find a job's last batch."""
        row = self._database.row(select(*_COLUMNS).where(_b.job == job).order_by(_b.number.desc()).limit(1))
        return None if row is None else _batch(row)

    def to_consolidate(self, job: str) -> list[Batch]:
        """List the batches that have no labels yet."""
        query = select(*_COLUMNS).where(_b.job == job, _b.consolidated.is_(False)).order_by(_b.number)
        return [_batch(row) for row in self._database.rows(query)]

    def set_consolidated(self, job: str, number: int) -> None:
        """Note that a batch's labels are kept."""
        query = update(batches).where(_b.job == job, _b.number == number).values(consolidated=True)
        self._database.change(query)


_COLUMNS = (_b.number, _b.wave, _b.created)


def _batch(row: Row[Any]) -> Batch:
    return Batch(row.number, row.wave, row.created)
