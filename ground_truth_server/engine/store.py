"""What must survive: labeling jobs, data objects, tasks, answers, batches and the log, in one SQLite file."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    arn TEXT NOT NULL,
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
"""

_VERSION = 1  # of the schema; another version's workspace is refused, not misread

Parameter = str | int | float | bytes | None


class Store:
    """An SQLite database for several threads: one transaction at a time, each on disk when it ends.

    Args:
        path: The database file; made if it is missing.

    Raises:
        RuntimeError: If another version of this program made the file.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition()
        self._changes = 0
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._make_schema(path)

    def _make_schema(self, path: Path) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            self._database.close()
            raise RuntimeError(
                f"{path} has version {version} of the schema, expected {_VERSION}: another version of the local "
                "Ground Truth made it. Use that version, or choose another workspace folder."
            )
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Change several things at once or not at all; what is done is on disk when the block ends.

        Keep the block short: no other thread reads or writes meanwhile.
        """
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def rows(self, query: str, *parameters: Parameter) -> list[sqlite3.Row]:
        """Read all rows of a query."""
        with self._lock:
            return self._database.execute(query, parameters).fetchall()

    def row(self, query: str, *parameters: Parameter) -> sqlite3.Row | None:
        """Read the first row of a query, if there is one."""
        with self._lock:
            found: sqlite3.Row | None = self._database.execute(query, parameters).fetchone()
            return found

    @property
    def changes(self) -> int:
        """How many transactions have ended; for :meth:`wait_for_change`."""
        with self._changed:
            return self._changes

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
        with self._lock:
            self._database.close()
