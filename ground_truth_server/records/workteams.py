"""Work teams, and the tags of anything that has an ARN."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from ground_truth_server.json_text import read_kept, write_json
from ground_truth_server.records.database import Database
from ground_truth_server.records.schema import tags, workteams
from ground_truth_server.timestamps import to_text


@dataclass(frozen=True)
class WorkteamRecord:
    """A work team.

    Attributes:
        name: Its name.
        details: What it was created with, as CreateWorkteam has it.
        created: When.
        updated: When it was last changed.
    """

    name: str
    details: Mapping[str, Any]
    created: str
    updated: str


class WorkteamRecords:
    """The work teams and tags of a database.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self) -> None:
        """Keep other transactions from changing work teams and tags until the end of this one."""
        self._database.lock("workteams")

    def find(self, name: str) -> WorkteamRecord | None:
        """Find a work team."""
        row = self._database.row(select(workteams).where(workteams.c.name == name))
        return None if row is None else _workteam(row)

    def all(self) -> list[WorkteamRecord]:
        """List the work teams, the oldest first."""
        query = select(workteams).order_by(workteams.c.created, workteams.c.name)
        return [_workteam(row) for row in self._database.rows(query)]

    def add(self, team: WorkteamRecord) -> None:
        """Add a work team."""
        values = {"name": team.name, "details": write_json(team.details)}
        self._database.change(insert(workteams).values(**values, created=team.created, updated=team.updated))

    def change(self, name: str, details: Mapping[str, Any], at: str) -> None:
        """Give a work team other details."""
        query = update(workteams).where(workteams.c.name == name)
        self._database.change(query.values(details=write_json(details), updated=at))

    def remove(self, name: str) -> None:
        """Remove a work team."""
        self._database.change(delete(workteams).where(workteams.c.name == name))

    def tags(self, resource: str) -> dict[str, str]:
        """Read a resource's tags, in the keys' order."""
        query = select(tags.c.key, tags.c.value).where(tags.c.resource == resource).order_by(tags.c.key)
        return {row.key: row.value for row in self._database.rows(query)}

    def add_tags(self, resource: str, values: Mapping[str, str]) -> None:
        """Give a resource tags; those that it has already get the new values."""
        self.remove_tags(resource, values)
        rows = [{"resource": resource, "key": key, "value": value} for key, value in values.items()]
        self._database.change(insert(tags), rows)

    def remove_tags(self, resource: str, keys: Iterable[str] | None = None) -> None:
        """Take tags from a resource: those with these keys, or all."""
        query = delete(tags).where(tags.c.resource == resource)
        self._database.change(query if keys is None else query.where(tags.c.key.in_(list(keys))))


def read_account_file(file: Path) -> tuple[list[WorkteamRecord], dict[str, dict[str, str]]]:
    """Read the file in which versions before kept work teams and tags.

    Args:
        file: The file.

    Returns:
        The work teams, and the tags by resource.

    Raises:
        sqlite3.Error: If it can't be read.
    """
    with closing(sqlite3.connect(file)) as database:
        teams = database.execute("SELECT name, details, created, updated FROM workteams").fetchall()
        kept = database.execute("SELECT resource, key, value FROM tags").fetchall()
    found: dict[str, dict[str, str]] = {}
    for resource, key, value in kept:
        found.setdefault(resource, {})[key] = value
    return [_of_before(*team) for team in teams], found


def _of_before(name: str, details: str | bytes, created: float, updated: float) -> WorkteamRecord:
    text = details.decode() if isinstance(details, bytes) else details
    return WorkteamRecord(name, read_kept(text), _moment(created), _moment(updated))


def _moment(seconds: float) -> str:
    return to_text(datetime.fromtimestamp(seconds, UTC))


def _workteam(row: Row[Any]) -> WorkteamRecord:
    return WorkteamRecord(row.name, read_kept(row.details), row.created, row.updated)
