from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ground_truth_server.records.database import Database
from ground_truth_server.records.postgres import PostgresDatabase
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase

Open = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one database again and again; each is closed in the end."""
    opened: list[Database] = []
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""

    def open_it() -> Database:
        opened.append(PostgresDatabase(url) if url else SqliteDatabase(tmp_path / "records.sqlite"))
        return opened[-1]

    yield open_it
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Open) -> Database:
    return open_database()


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database)
