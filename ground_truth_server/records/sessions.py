"""Who is signed in, and from where."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import sessions

_s = sessions.c
# Asked for with each request of a browser.
_BY_TOKEN = Hot(
    select(_s.token, _s.person, _s.created, _s.seen, _s.address, _s.id_token).where(_s.token == bindparam("token"))
)


@dataclass(frozen=True)
class SessionRecord:
    """A session of a person in one browser.

    Attributes:
        token: The hash of what the browser shows.
        person: The person's id.
        created: When they signed in.
        seen: When they were last there, to the minute.
        address: From where they signed in.
        id_token: What the provider is told of, if they came from one.
    """

    token: str
    person: str
    created: str
    seen: str
    address: str
    id_token: str | None = field(default=None, repr=False)


class SessionRecords:
    """The sessions of a database.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, token: str) -> SessionRecord | None:
        """Find a session, ended by its time or not."""
        row = self._database.row(_BY_TOKEN, token=token)
        return None if row is None else _session(row)

    def of(self, person_id: str) -> Sequence[SessionRecord]:
        """List a person's sessions, the last seen first."""
        query = select(sessions).where(_s.person == person_id).order_by(_s.seen.desc())
        return [_session(row) for row in self._database.rows(query)]

    def all(self) -> Sequence[SessionRecord]:
        """List all sessions, the last seen first."""
        return [_session(row) for row in self._database.rows(select(sessions).order_by(_s.seen.desc()))]

    def add(self, session: SessionRecord) -> None:
        """Add a session."""
        values = {"token": session.token, "person": session.person, "created": session.created, "seen": session.seen}
        self._database.change(insert(sessions).values(**values, address=session.address, id_token=session.id_token))

    def set_seen(self, token: str, at: str) -> None:
        """Note that its person was there."""
        self._database.change(update(sessions).where(_s.token == token).values(seen=at))

    def end(self, token: str) -> None:
        """End a session."""
        self._database.change(delete(sessions).where(_s.token == token))

    def end_all_of(self, person_id: str) -> int:
        """End all sessions of a person; gives how many there were."""
        return self._database.change(delete(sessions).where(_s.person == person_id))

    def forget(self, seen_before: str, created_before: str) -> None:
        """Forget sessions whose time is over."""
        self._database.change(delete(sessions).where((_s.seen < seen_before) | (_s.created < created_before)))


def _session(row: Row[Any]) -> SessionRecord:
    return SessionRecord(row.token, row.person, row.created, row.seen, row.address, row.id_token)
