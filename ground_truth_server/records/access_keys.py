"""The access keys with which machines sign."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select

from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import access_keys

_k = access_keys.c
_COLUMNS = (_k.access_key, _k.secret_key, _k.role, _k.person, _k.description, _k.created, _k.ends)
# Asked for with each signed request.
_BY_KEY = Hot(select(*_COLUMNS).where(_k.access_key == bindparam("access_key")))


@dataclass(frozen=True)
class AccessKeyRecord:
    """An access key.

    Attributes:
        access_key: Names it.
        secret_key: Signs.
        role: ``owner`` or ``admin``: what may be done with it.
        person: The id of the person whose it is; ``None`` for a machine's own.
        description: What it is for.
        created: When it was made.
        ends: Until when it is taken; ``None`` for as long as it is there.
    """

    access_key: str
    secret_key: str = field(repr=False)
    role: str
    person: str | None
    description: str
    created: str
    ends: str | None


class AccessKeyRecords:
    """The access keys of a database.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, access_key: str) -> AccessKeyRecord | None:
        """Find a key, ended or not."""
        row = self._database.row(_BY_KEY, access_key=access_key)
        return None if row is None else _key(row)

    def all(self) -> Sequence[AccessKeyRecord]:
        """List all keys, the oldest first."""
        return [_key(row) for row in self._database.rows(select(access_keys).order_by(_k.created, _k.access_key))]

    def add(self, key: AccessKeyRecord) -> None:
        """Add a key."""
        values = {"access_key": key.access_key, "secret_key": key.secret_key, "role": key.role, "person": key.person}
        rest = {"description": key.description, "created": key.created, "ends": key.ends}
        self._database.change(insert(access_keys).values(**values, **rest))

    def remove(self, access_key: str) -> bool:
        """Remove a key; tells whether it was there."""
        return self._database.change(delete(access_keys).where(_k.access_key == access_key)) == 1

    def remove_all_of(self, person_id: str) -> None:
        """Remove all keys of a person."""
        self._database.change(delete(access_keys).where(_k.person == person_id))


def _key(row: Row[Any]) -> AccessKeyRecord:
    return AccessKeyRecord(row.access_key, row.secret_key, row.role, row.person, row.description, row.created, row.ends)
