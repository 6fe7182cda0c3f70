"""The database in a file of SQLite, for one process.

Reads see what was committed last and never wait for writes. Writes take turns; those that wait for each other share
one flush, and each returns only after it.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from ground_truth_server.records.database import RECORD_ERRORS, Database, RecordsUnusable
from ground_truth_server.records.migrating import migrate_file

_LARGEST_GROUP = 32  # transactions that share a flush; more would keep the first of them waiting
_PATIENCE = 0.05  # seconds that a thread waits at most for others that came later
_READERS = 64  # connections that are kept for the next who reads
_BUSY_SECONDS = 5  # for another program that looks into the file


@contextmanager
def naming_database(path: Path) -> Iterator[None]:
    """Say of what goes wrong with a database in the block which file it is and what to do.

    Args:
        path: The database file.

    Raises:
        RecordsUnusable: If the block raises an error of the database or of the file system.
    """
    try:
        yield
    except (*RECORD_ERRORS, OSError) as error:
        found = getattr(error, "orig", None) or error
        raise RecordsUnusable(f"{path}: found: {found}. {_advice(path, str(found))}") from error


def _advice(path: Path, found: str) -> str:
    if "malformed" in found or "not a database" in found:
        return (
            "Expected a database of the local Ground Truth: put back a copy of the file from before, or move it with "
            "its -wal and -shm files away, or choose another workspace folder."
        )
    if "full" in found or "No space" in found:
        return f"Free space on the disk of {path.parent} and start again."
    if "locked" in found:
        return "Another program has it open: close that and start again."
    return f"Ensure that this user may read and write {path.parent} and what is in it, or choose another workspace."


class _Turns:
    """A lock that whoever runs gets, as Python's own, until a thread has waited long: then it is the next.

    To hand it on in the order of asking would leave it idle until each next thread has been woken.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._taken = False

    @property
    def waiting(self) -> int:
        """How many threads wait for it."""
        return len(self._queue)

    def acquire(self) -> None:
        """Wait for the turn of this thread."""
        with self._mutex:
            if not self._taken and not self._is_somebody_s_turn():
                self._taken = True
                return
            mine = _Waiting()
            self._queue.append(mine)
        while True:
            mine.woken.acquire()
            with self._mutex:
                if mine.has_turn:
                    return
                if not self._taken:
                    self._taken = True
                    self._queue.remove(mine)
                    return

    def release(self) -> None:
        """Let another thread have the turn."""
        with self._mutex:
            self._taken = False
            if not self._queue:
                return
            longest = self._queue[0]
            if self._is_somebody_s_turn():
                self._queue.popleft()
                self._taken = longest.has_turn = True
            if longest.woken.locked():
                longest.woken.release()

    def _is_somebody_s_turn(self) -> bool:
        return bool(self._queue) and time.monotonic() - self._queue[0].since > _PATIENCE


class _Waiting:
    """A thread that waits for its turn."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.woken = threading.Lock()
        self.woken.acquire()
        self.has_turn = False


@dataclass
class _Group:
    """Transactions that are on disk together or not at all."""

    size: int = 0
    flushed: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None


class SqliteDatabase(Database):
    """A database in a file.

    Args:
        path: The file; made if it is missing, brought up to date if an earlier version made it.

    Raises:
        RecordsUnusable: If it can't be opened, or a later version of the program made it.
    """

    kind = "sqlite"
    takes_turns = True

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._turns = _Turns()
        self._group: _Group | None = None
        self._idle: deque[Connection] = deque()
        self._closed = False
        with naming_database(path):
            migrate_file(path)
            self._writing = _engine(path, 1)
            self._readers = _engine(path, _READERS)
            event.listen(self._readers, "connect", _read_only)
            self._writer = self._writing.connect()
            self._driver = _driver_of(self._writer)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Change several things at once or not at all; see :meth:`Database.transaction`."""
        self._turns.acquire()
        group: _Group | None = None
        try:
            group = self._join()
            with self._as_current(self._writer), self._savepoint(group):
                yield
        finally:
            try:
                if group is not None and (self._turns.waiting == 0 or group.size >= _LARGEST_GROUP or group.error):
                    self._flush(group)
            finally:
                self._turns.release()
        group.flushed.wait()
        if group.error is not None:
            raise _same_error(group.error)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """See one moment; see :meth:`Database.snapshot`."""
        with self._reading() as connection:
            driver = _driver_of(connection)
            driver.execute("BEGIN")
            try:
                yield connection
            finally:
                driver.execute("ROLLBACK")

    def lock(self, *names: str) -> None:
        """Do nothing: writers take turns."""

    def lease(self, name: str) -> bool:  # noqa: ARG002
        """Give anything: no other process has the file."""
        return True

    def give_back(self, name: str) -> None:
        """Do nothing: no other process has the file."""

    def naming(self) -> AbstractContextManager[None]:
        """Name the file; see :func:`naming_database`."""
        return naming_database(self._path)

    @property
    def waiting(self) -> int:
        """How many threads wait for their turn to write."""
        return self._turns.waiting

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._closed:
            raise sqlite3.ProgrammingError("the database is closed")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._readers.connect()
        try:
            yield connection
        finally:
            self._put_back(connection)

    def _put_back(self, connection: Connection) -> None:
        if self._closed or len(self._idle) >= _READERS:
            connection.close()
        else:
            self._idle.append(connection)

    def _join(self) -> _Group:
        group = self._group
        if group is None:
            self._driver.execute("BEGIN IMMEDIATE")
            group = self._group = _Group()
        group.size += 1
        return group

    @contextmanager
    def _savepoint(self, group: _Group) -> Iterator[None]:
        try:
            self._driver.execute("SAVEPOINT one")
            yield
            self._driver.execute("RELEASE one")
        except BaseException as error:
            try:
                self._driver.execute("ROLLBACK TO one")
                self._driver.execute("RELEASE one")
            except sqlite3.Error:  # a full disk and the like undo the whole transaction, with all that share it
                group.error = error if isinstance(error, Exception) else sqlite3.OperationalError(str(error))
            raise

    def _flush(self, group: _Group) -> None:
        """End a group, whose threads then go on, or all raise what went wrong."""
        self._group = None
        try:
            if group.error is None:
                self._driver.execute("COMMIT")
        except sqlite3.Error as error:
            group.error = error
        finally:
            if self._driver.in_transaction:
                with suppress(sqlite3.Error):
                    self._driver.execute("ROLLBACK")
            group.flushed.set()
        self._tell_of_change()

    def close(self) -> None:
        """Close the file."""
        self._turns.acquire()
        try:
            if self._group is not None:
                self._flush(self._group)
            self._closed = True
            self._writer.close()
            while self._idle:
                self._idle.pop().close()
            self._writing.dispose()
            self._readers.dispose()
        finally:
            self._turns.release()


def _engine(path: Path, connections: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        isolation_level="AUTOCOMMIT",  # transactions begin and end where this module says
        pool_size=connections,
        pool_reset_on_return=None,  # there is nothing to roll back
        max_overflow=100,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _flush_always)
    return engine


def _driver_of(connection: Connection) -> sqlite3.Connection:
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)  # noqa: S101  (for the type checker)
    return found


def _flush_always(driver: sqlite3.Connection, _: object) -> None:
    driver.execute("PRAGMA journal_mode = WAL")
    driver.execute("PRAGMA synchronous = FULL")


def _read_only(driver: sqlite3.Connection, _: object) -> None:
    driver.execute("PRAGMA query_only = ON")


def _same_error(error: Exception) -> Exception:
    """Copy an error for another thread, so that each has a traceback of its own."""
    if isinstance(error, SQLAlchemyError):
        original = getattr(error, "orig", None)
        copy: Exception = type(original or error)(*(original or error).args)
    else:
        copy = type(error)(*error.args)
    copy.__cause__ = error
    return copy
