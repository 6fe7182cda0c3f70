"""What must survive: labeling jobs, data objects, tasks, answers, batches and the log, in one SQLite file."""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    key TEXT PRIMARY KEY COLLATE NOCASE,  -- its name, and where another account or region has it too, its place
    arn TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    template TEXT NOT NULL,
    categories TEXT,             -- a JSON array, where the request names a label category file
    status TEXT NOT NULL,
    failure_reason TEXT,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    manifest_read INTEGER NOT NULL DEFAULT 0,
    in_manifests INTEGER NOT NULL DEFAULT -1  -- objects done when intermediate manifests were written
);
CREATE TABLE IF NOT EXISTS data_objects (
    job TEXT NOT NULL COLLATE NOCASE,
    number INTEGER NOT NULL,     -- from 0, the line's place in the manifest
    line TEXT,                   -- the manifest line; NULL where it holds no JSON object
    state TEXT NOT NULL,
    wave INTEGER,
    task_input TEXT,
    closes TEXT,                 -- when it stops being available to workers
    free INTEGER,                -- how many more workers may take it now
    response TEXT,               -- the key of its worker response, once written
    batch INTEGER,
    label TEXT,                  -- the content of its consolidated annotation
    problem TEXT,                -- why it failed
    ended TEXT,                  -- when it failed
    PRIMARY KEY (job, number)
);
CREATE INDEX IF NOT EXISTS objects_by_state ON data_objects (job, state, number);
CREATE INDEX IF NOT EXISTS objects_to_take ON data_objects (job, number) WHERE state = 'open' AND free > 0;
CREATE INDEX IF NOT EXISTS objects_to_close ON data_objects (job, closes) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS objects_by_batch ON data_objects (job, batch, number) WHERE batch IS NOT NULL;
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL COLLATE NOCASE,
    number INTEGER NOT NULL,
    worker TEXT NOT NULL,
    state TEXT NOT NULL,
    accepted TEXT NOT NULL,
    expires TEXT NOT NULL,
    ended TEXT,
    answer TEXT
);
CREATE INDEX IF NOT EXISTS tasks_by_object ON tasks (job, number, worker, state);
CREATE INDEX IF NOT EXISTS tasks_by_worker ON tasks (job, worker, state);
CREATE INDEX IF NOT EXISTS tasks_in_hand ON tasks (job, expires) WHERE state = 'accepted';
CREATE TABLE IF NOT EXISTS batches (
    job TEXT NOT NULL COLLATE NOCASE,
    number INTEGER NOT NULL,
    wave INTEGER NOT NULL,
    created TEXT NOT NULL,
    consolidated INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, number)
);
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL COLLATE NOCASE,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER,
    worker TEXT,
    message TEXT NOT NULL,
    detail TEXT
);
CREATE INDEX IF NOT EXISTS events_by_job ON events (job, sequence);
CREATE TABLE IF NOT EXISTS state_changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS state_changes_to_deliver ON state_changes (sequence) WHERE delivered = 0;
CREATE TABLE IF NOT EXISTS listeners (
    name TEXT PRIMARY KEY,
    heard INTEGER NOT NULL       -- the sequence of the last state change that it took
);
"""
_VERSION = 2
_FROM_VERSION_1 = """
ALTER TABLE jobs RENAME COLUMN name TO key;
CREATE UNIQUE INDEX jobs_by_arn ON jobs (arn);
"""
_LARGEST_GROUP = 8  # transactions that share a flush; more would keep the first of them waiting
_PATIENCE = 0.05  # seconds that a thread waits at most for others that came later
_IDLE_READERS = 8

Parameter = str | int | float | None


class WorkspaceUnusable(RuntimeError):
    """A database of the workspace can't be opened or read. The text names the file and what to do."""


@contextmanager
def naming_database(path: Path) -> Iterator[None]:
    """Say of what goes wrong with a database in the block which file it is and what to do.

    Args:
        path: The database file.

    Raises:
        WorkspaceUnusable: If the block raises an error of SQLite or of the file system.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise WorkspaceUnusable(f"{path}: found: {error}. {_advice(path, error)}") from error


def _advice(path: Path, error: Exception) -> str:
    found = str(error)
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


class Store:
    """The database. Any number of threads may use it.

    Reads see what was committed last and never wait for writes. Writes take turns; those that wait for each
    other share one flush, and each returns only after it.

    Args:
        path: The database file.

    Raises:
        WorkspaceUnusable: If it can't be opened, or another version of the program made it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turns = _Turns()
        self._writer: int | None = None  # the thread whose turn it is
        self._group: _Group | None = None
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._changes = 0
        with naming_database(path):
            self._database = self._connect()
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        database.row_factory = sqlite3.Row
        return database

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, 1, _VERSION):
            raise WorkspaceUnusable(
                f"{self._path} has version {version} of the schema, expected {_VERSION}: another version of the local "
                "Ground Truth made it. Use that version, or choose another workspace folder."
            )
        steps = _FROM_VERSION_1 if version == 1 else ""
        script = f"BEGIN IMMEDIATE; {steps} {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
        self._database.executescript(script)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Change several things at once or not at all; what is done is on disk when the block ends.

        Keep the block short: no other thread writes meanwhile. What the block reads, it reads as it is now.
        """
        self._turns.acquire()
        group: _Group | None = None
        try:
            self._writer = threading.get_ident()
            group = self._join()
            with self._savepoint(group):
                yield self._database
        finally:
            try:
                if group is not None and (self._turns.waiting == 0 or group.size >= _LARGEST_GROUP or group.error):
                    self._flush(group)
            finally:
                self._writer = None
                self._turns.release()
        group.flushed.wait()
        if group.error is not None:
            raise _same_error(group.error)

    def _join(self) -> _Group:
        group = self._group
        if group is None:
            self._database.execute("BEGIN IMMEDIATE")
            group = self._group = _Group()
        group.size += 1
        return group

    @contextmanager
    def _savepoint(self, group: _Group) -> Iterator[None]:
        try:
            self._database.execute("SAVEPOINT one")
            yield
            self._database.execute("RELEASE one")
        except BaseException as error:
            try:
                self._database.execute("ROLLBACK TO one")
                self._database.execute("RELEASE one")
            except sqlite3.Error:  # a full disk and the like undo the whole transaction, with all that share it
                group.error = error if isinstance(error, Exception) else sqlite3.OperationalError(str(error))
            raise

    def _flush(self, group: _Group) -> None:
        """End a group, whose threads then go on, or all raise what went wrong."""
        self._group = None
        try:
            if group.error is None:
                self._database.execute("COMMIT")
        except sqlite3.Error as error:
            group.error = error
        finally:
            if self._database.in_transaction:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
            group.flushed.set()
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def rows(self, query: str, *parameters: Parameter) -> list[sqlite3.Row]:
        """Read all rows of a query."""
        with self._reader() as database:
            return database.execute(query, parameters).fetchall()

    def row(self, query: str, *parameters: Parameter) -> sqlite3.Row | None:
        """Read the first row of a query, if there is one."""
        with self._reader() as database:
            found: sqlite3.Row | None = database.execute(query, parameters).fetchone()
            return found

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read from: in a transaction its own, which sees what it has changed."""
        if self._writer == threading.get_ident():
            yield self._database
            return
        if self._closed:
            raise sqlite3.ProgrammingError("the store is closed")
        try:
            database = self._idle.pop()
        except IndexError:
            database = self._connect()
            database.execute("PRAGMA query_only = ON")
        try:
            yield database
        finally:
            self._put_back(database)

    def _put_back(self, database: sqlite3.Connection) -> None:
        if self._closed or len(self._idle) >= _IDLE_READERS:
            database.close()
        else:
            self._idle.append(database)

    @property
    def changes(self) -> int:
        """How many groups of transactions have ended; for :meth:`wait_for_change`."""
        with self._changed:
            return self._changes

    @property
    def waiting(self) -> int:
        """How many threads wait for their turn to write."""
        return self._turns.waiting

    def wait_for_change(self, since: int, timeout: float) -> bool:
        """Wait until a transaction has ended since ``changes`` was read.

        Args:
            since: What ``changes`` was then.
            timeout: The longest wait, in seconds.

        Returns:
            Whether one has.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._changes != since, timeout)

    def close(self) -> None:
        """Close the database file."""
        self._turns.acquire()
        try:
            if self._group is not None:
                self._flush(self._group)
            self._closed = True
            self._database.close()
            while self._idle:
                self._idle.pop().close()
        finally:
            self._turns.release()


def _same_error(error: Exception) -> Exception:
    """Copy an error for another thread, so that each has a traceback of its own."""
    copy = type(error)(*error.args)
    copy.__cause__ = error
    return copy
