"""State changes on their way to those who listen, and how far each of them has come."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, false, func, insert, select, update

from ground_truth_server.json_text import read_kept, write_json
from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import listeners, state_changes

_c = state_changes.c
# Asked for after each change of anything.
_AFTER = Hot(select(_c.sequence, _c.event).where(_c.sequence > bindparam("heard")).order_by(_c.sequence))


class StateChangeRecords:
    """The state changes of a database, numbered in the order in which they were committed.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, event: Mapping[str, Any]) -> None:
        """Keep an event for delivery."""
        # A number that is committed after a higher one would be passed over by who has heard the higher one.
        self._database.lock("state changes")
        self._database.change(insert(state_changes).values(event=write_json(event)))

    def after(self, sequence: int) -> list[tuple[int, dict[str, Any]]]:
        """Read the events with a higher number, with their numbers."""
        return [(row.sequence, read_kept(row.event)) for row in self._database.rows(_AFTER, heard=sequence)]

    def any_waiting(self) -> bool:
        """Tell whether any event has not been taken by every listener."""
        return self._database.row(select(1).where(_c.delivered == false()).limit(1)) is not None

    def count_waiting(self) -> int:
        """Count the events that some listener hasn't taken yet."""
        return int(self._database.rows(select(func.count()).where(_c.delivered == false()))[0][0])

    def place_of(self, listener: str) -> int:
        """Tell the last event that a listener took; a new one begins with the first that waits for delivery."""
        self._database.lock("listeners", listener)
        row = self._database.row(select(listeners.c.heard).where(listeners.c.name == listener))
        if row is not None:
            return int(row.heard)
        waiting = select(func.min(_c.sequence) - 1).where(_c.delivered == false()).scalar_subquery()
        last = select(func.max(_c.sequence)).scalar_subquery()
        heard = int(self._database.rows(select(func.coalesce(waiting, last, 0)))[0][0])
        self._database.change(insert(listeners).values(name=listener, heard=heard))
        return heard

    def set_heard(self, listener: str, sequence: int, everyone: Sequence[str]) -> None:
        """Note that a listener took an event.

        Args:
            listener: Who.
            sequence: The event's number.
            everyone: The names of all listeners: what the last of them took is delivered.
        """
        self._database.change(update(listeners).where(listeners.c.name == listener).values(heard=sequence))
        slowest = select(func.min(listeners.c.heard)).where(listeners.c.name.in_(everyone)).scalar_subquery()
        done = update(state_changes).where(_c.delivered == false(), _c.sequence <= slowest)
        self._database.change(done.values(delivered=True))
