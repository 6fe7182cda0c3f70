"""A database as the records use it: one transaction for each thread, reads, and news of what others changed."""

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, Executable, Row, Table, insert
from sqlalchemy.exc import SQLAlchemyError

from ground_truth_server.records.hot import Hot

Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]
_NOTHING: Mapping[str, Any] = {}
RECORD_ERRORS = (SQLAlchemyError, sqlite3.Error)
"""What a database raises that can't be reached, written or read now."""


class RecordsUnusable(RuntimeError):
    """A database can't be opened or read. The text names it and what to do."""


class Database(ABC):
    """A database. Any number of threads may use it.

    What is done in a transaction is on disk when the transaction's block ends. Reads outside of one see what was
    committed last.

    Attributes:
        kind: ``sqlite`` or ``postgresql``.
        takes_turns: Whether one transaction at a time is in hand, so that none need lock what it looks at.
    """

    kind: str
    takes_turns: bool

    def __init__(self) -> None:
        self._own = threading.local()
        self._changed = threading.Condition()
        self._changes = 0

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Change several things at once or not at all; what the block does, this thread's records do in it.

        Keep the block short: others who would change the same wait for its end.
        """

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]:
        """Give a connection to read from, outside of a transaction."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees, until the block's end, what was committed when it first read; it only reads."""

    @abstractmethod
    def lock(self, *names: str) -> None:
        """Wait, in a transaction, until no other transaction is in hand that locked the same; until its end."""

    @abstractmethod
    def lease(self, name: str) -> bool:
        """Take what one process at a time may work on, if no other has it.

        Returns:
            Whether this process has it now: until it gives it back or ends, however it ends, or loses the database.
        """

    @abstractmethod
    def give_back(self, name: str) -> None:
        """Let other processes take what this one had a lease of."""

    @abstractmethod
    def naming(self) -> AbstractContextManager[None]:
        """Say of what goes wrong with the database in the block which one it is and what to do.

        Raises:
            RecordsUnusable: If the block raises an error of the database.
        """

    @abstractmethod
    def close(self) -> None:
        """Close it."""

    def rows(self, statement: Executable | Hot, **values: Any) -> Sequence[Row[Any]]:
        """Read all rows of a query; in a transaction, as they are in it."""
        with self._connection() as connection:
            if isinstance(statement, Hot):
                return statement.rows(connection, values)
            return connection.execute(statement, values).fetchall()

    def row(self, statement: Executable | Hot, **values: Any) -> Row[Any] | None:
        """Read the first row of a query that gives one at most."""
        found = self.rows(statement, **values)
        return found[0] if found else None

    def change(self, statement: Executable | Hot, values: Values = _NOTHING) -> int:
        """Run a statement that changes something, in a transaction.

        Args:
            statement: The statement.
            values: Its parameters; a list, where it is run for each of several.

        Returns:
            How many rows it changed; of several, a number without meaning.

        Raises:
            RuntimeError: If this thread is in no transaction.
        """
        connection = self._in_transaction()
        if isinstance(statement, Hot):
            assert isinstance(values, Mapping)  # noqa: S101  (such are run for one)
            return statement.change(connection, values)
        if values == []:
            return 0
        return connection.execute(statement, values).rowcount

    def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add many rows to a table, in a transaction; each has the same columns."""
        self.change(insert(table), rows)

    def _in_transaction(self) -> Connection:
        connection = self._current()
        if connection is None:
            raise RuntimeError("records are changed in transactions only")
        return connection

    def _current(self) -> Connection | None:
        """The connection of this thread's transaction."""
        found: Connection | None = getattr(self._own, "connection", None)
        return found

    @contextmanager
    def _as_current(self, connection: Connection) -> Iterator[None]:
        self._own.connection = connection
        try:
            yield
        finally:
            self._own.connection = None

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        current = self._current() or getattr(self._own, "reading", None)
        if current is not None:
            yield current
            return
        with self._reading() as connection:
            yield connection

    @contextmanager
    def reads(self) -> Iterator[None]:
        """Read several things by one connection, which takes a server's pool less; each as it was committed last."""
        with self._connection() as connection:
            before = getattr(self._own, "reading", None)
            self._own.reading = connection
            try:
                yield
            finally:
                self._own.reading = before

    # -- news

    @property
    def changes(self) -> int:
        """How often something was changed; for :meth:`wait_for_change`."""
        with self._changed:
            return self._changes

    def wait_for_change(self, since: int, timeout: float) -> bool:
        """Wait until something has changed since ``changes`` was read.

        Args:
            since: What ``changes`` was then.
            timeout: The longest wait, in seconds.

        Returns:
            Whether something has.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._changes != since, timeout)

    def _tell_of_change(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()
