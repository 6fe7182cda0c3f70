"""What SageMaker's API keeps by name: work teams, workforces, worker pages of their own; and tags of anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, delete, insert, select, update

from ground_truth_server.json_text import read_kept, write_json
from ground_truth_server.records.database import Database
from ground_truth_server.records.schema import tags


@dataclass(frozen=True)
class NamedRecord:
    """Something with a name.

    Attributes:
        name: Its name.
        details: What it was created with, as the API has it.
        created: When.
        updated: When it was last changed.
    """

    name: str
    details: Mapping[str, Any]
    created: str
    updated: str


class NamedRecords:
    """All of one kind.

    Args:
        database: The database.
        table: Their table.
    """

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table

    def hold(self) -> None:
        """Keep other transactions from changing those of this kind until the end of this one."""
        self._database.lock(self._table.name)

    def find(self, name: str) -> NamedRecord | None:
        """Find one."""
        row = self._database.row(select(self._table).where(self._table.c.name == name))
        return None if row is None else _named(row)

    def all(self) -> list[NamedRecord]:
        """List all, the oldest first."""
        query = select(self._table).order_by(self._table.c.created, self._table.c.name)
        return [_named(row) for row in self._database.rows(query)]

    def add(self, record: NamedRecord) -> None:
        """Add one."""
        values = {"name": record.name, "details": write_json(record.details)}
        self._database.change(insert(self._table).values(**values, created=record.created, updated=record.updated))

    def change(self, name: str, details: Mapping[str, Any], at: str) -> None:
        """Give one other details."""
        query = update(self._table).where(self._table.c.name == name)
        self._database.change(query.values(details=write_json(details), updated=at))

    def remove(self, name: str) -> None:
        """Remove one."""
        self._database.change(delete(self._table).where(self._table.c.name == name))


class TagRecords:
    """The tags of a database.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self) -> None:
        """Keep other transactions from changing tags until the end of this one."""
        self._database.lock("tags")

    def of(self, resource: str) -> dict[str, str]:
        """Read a resource's tags, in the keys' order."""
        query = select(tags.c.key, tags.c.value).where(tags.c.resource == resource).order_by(tags.c.key)
        return {row.key: row.value for row in self._database.rows(query)}

    def add(self, resource: str, values: Mapping[str, str]) -> None:
        """Give a resource tags; those that it has already get the new values."""
        self.remove(resource, values)
        rows = [{"resource": resource, "key": key, "value": value} for key, value in values.items()]
        self._database.change(insert(tags), rows)

    def remove(self, resource: str, keys: Iterable[str] | None = None) -> None:
        """Take tags from a resource: those with these keys, or all."""
        query = delete(tags).where(tags.c.resource == resource)
        self._database.change(query if keys is None else query.where(tags.c.key.in_(list(keys))))


def _named(row: Row[Any]) -> NamedRecord:
    return NamedRecord(row.name, read_kept(row.details), row.created, row.updated)
