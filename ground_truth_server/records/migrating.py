"""Brings a database to the tables of this version, by Alembic's migrations; one that fails changes nothing."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from ground_truth_server.records.database import RecordsUnusable

NEWEST = "0007"
"""The last migration; said here too, so that a database which has it starts without Alembic."""
_FOLDER = Path(__file__).parent / "migrations"
_BEFORE_ALEMBIC = 2  # the last ``user_version`` of files that only SQLite's own mark told the version of
_FROM_VERSION_1 = (
    "ALTER TABLE jobs RENAME COLUMN name TO key",
    "CREATE UNIQUE INDEX jobs_by_arn ON jobs (arn)",
    "CREATE TABLE listeners (name TEXT PRIMARY KEY, heard INTEGER NOT NULL)",
)
_alembic = threading.Lock()  # which keeps what it does in module variables


def migrate_file(path: Path) -> None:
    """Bring a file of SQLite up to date; make it if it is missing.

    Args:
        path: The file.

    Raises:
        RecordsUnusable: If a later version of the program made it.
        sqlalchemy.exc.SQLAlchemyError: If it can't be read or written.
        OSError: If its folder can't.
    """
    if path.exists() and version_of_file(path) == NEWEST:
        return
    engine = create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            _take_over(connection, path)
            migrate(connection, str(path))
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise


def migrate(connection: Connection, name: str) -> None:
    """Run the migrations that a database hasn't, in the caller's transaction.

    Args:
        connection: To the database.
        name: What the database is called in errors.

    Raises:
        RecordsUnusable: If a later version of the program made it.
    """
    found = version_of(connection)
    if found == NEWEST:
        return
    # Read here: most starts need none of it, and it takes a third of a second.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if found is not None and found not in known:
        raise _of_a_later_version(name, found)
    config.attributes["connection"] = connection
    with _alembic:
        command.upgrade(config, NEWEST)


def version_of(connection: Connection) -> str | None:
    """Tell the last migration that a database has had; ``None`` before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def version_of_file(path: Path) -> str | None:
    """Tell the last migration that a file of SQLite has had; ``None`` before the first."""
    try:
        with closing(sqlite3.connect(path)) as database:
            found = database.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(found[0]) if found else None
    except sqlite3.OperationalError:  # no such table
        return None


def _take_over(connection: Connection, path: Path) -> None:
    """Mark a file that was made before there were migrations as one that has had the first."""
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > _BEFORE_ALEMBIC:
        raise _of_a_later_version(str(path), str(version))
    if version == 0 or version_of(connection) is not None:
        return
    for statement in _FROM_VERSION_1 if version == 1 else ():
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")


def _of_a_later_version(name: str, found: str) -> RecordsUnusable:
    return RecordsUnusable(
        f"{name} has version {found} of the schema, expected {NEWEST} or one before: another version of the local "
        "Ground Truth made it. Use that version, or choose another workspace folder."
    )
