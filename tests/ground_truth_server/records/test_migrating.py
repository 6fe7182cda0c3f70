"""Databases of every version before are brought to this one, whole or not at all."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text

from ground_truth_server.records import migrating
from ground_truth_server.records.database import Database, RecordsUnusable
from ground_truth_server.records.postgres import PostgresDatabase
from ground_truth_server.records.records import Records
from ground_truth_server.records.schema import metadata
from ground_truth_server.records.sqlite import SqliteDatabase

VERSION_1 = Path(__file__).parents[1] / "engine" / "workspace-of-version-1.sql"
# The file that the last version made that had no migrations.
VERSION_2 = """
ALTER TABLE jobs RENAME COLUMN name TO key;
CREATE UNIQUE INDEX jobs_by_arn ON jobs (arn);
CREATE TABLE listeners (name TEXT PRIMARY KEY, heard INTEGER NOT NULL);
INSERT INTO listeners VALUES ('file state-changes.jsonl', 2);
PRAGMA user_version = 2;
"""


def file_of(folder: Path, script: str) -> Path:
    file = folder / "before.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(script)
    return file


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return list(database.iterdump())


def test_the_newest_is_the_one_that_starts_without_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == migrating.NEWEST


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg") if "postgres" in url else url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def differences(connection: Connection) -> list[object]:
    """What the tables of the program have that those of a database don't, or the other way."""
    found = compare_metadata(MigrationContext.configure(connection), metadata)
    return [one for one in found if "alembic_version" not in str(one)]


def test_migrations_make_the_tables_of_the_program(tmp_path: Path, postgres_url: str) -> None:
    SqliteDatabase(tmp_path / "new.sqlite").close()
    PostgresDatabase(postgres_url).close()
    for url in (f"sqlite:///{tmp_path / 'new.sqlite'}", postgres_url):
        with connected(url) as connection:
            assert differences(connection) == []


@pytest.mark.parametrize("script", [VERSION_1.read_text(), VERSION_1.read_text() + VERSION_2], ids=["1", "2"])
def test_a_file_of_before_goes_on(tmp_path: Path, script: str) -> None:
    file = file_of(tmp_path, script)
    with closing(sqlite3.connect(file)) as before:
        answers = before.execute("SELECT id, answer FROM tasks ORDER BY id").fetchall()
        events = before.execute("SELECT message FROM events ORDER BY sequence").fetchall()
    for _ in range(2):
        database = SqliteDatabase(file)
        records = Records(database)
        jobs = [records.jobs.find(key.upper()) for key in records.jobs.keys()]  # noqa: SIM118 - no mapping
        assert jobs
        assert all(job is not None and job.arn.startswith("arn:aws:sagemaker:") for job in jobs)
        kept = database.rows(text("SELECT id, answer FROM tasks ORDER BY id"))
        assert [(row.id, row.answer) for row in kept] == answers
        assert [(event.message,) for event in records.log.read()] == events
        assert answers
        with records.transaction():
            assert records.state_changes.place_of("file state-changes.jsonl") >= 0
        database.close()
    with connected(f"sqlite:///{file}") as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == migrating.NEWEST


@pytest.fixture
def failing_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last migration fails after it has changed something, as on a full disk."""

    def migrate_and_fail(connection: Connection, name: str) -> None:
        migrate(connection, name)
        connection.execute(text("CREATE TABLE half (x INTEGER)"))
        raise OSError(28, "No space left on device")

    migrate = migrating.migrate
    monkeypatch.setattr(migrating, "migrate", migrate_and_fail)
    monkeypatch.setattr("ground_truth_server.records.postgres.migrate", migrate_and_fail)


@pytest.mark.usefixtures("failing_migration")
def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = file_of(tmp_path, VERSION_1.read_text())
    before = dump(file)
    with pytest.raises(RecordsUnusable, match="Free space"):
        SqliteDatabase(file)
    assert dump(file) == before


@pytest.mark.usefixtures("failing_migration")
def test_a_migration_that_fails_leaves_the_server_s_database_as_it_was(postgres_url: str) -> None:
    with pytest.raises(OSError, match="No space left"):
        PostgresDatabase(postgres_url)
    with connected(postgres_url) as connection:
        query = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        assert connection.execute(text(query)).scalar() == 0


def test_a_database_of_a_later_version_is_refused(open_database: Callable[[], Database]) -> None:
    database = open_database()
    with database.transaction():
        database.change(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(RecordsUnusable, match=f"has version 9999 of the schema, expected {migrating.NEWEST}"):
        open_database()
