import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ground_truth_server.records import data_objects
from ground_truth_server.records.database import RecordsUnusable
from ground_truth_server.records.migrating import NEWEST
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from tests.ground_truth_server.engine.labeling import wait_until


def messages(records: Records) -> list[str]:
    return [event.message for event in records.log.read()]


def add(records: Records, message: str) -> None:
    records.log.write("Welds1", "2020", "state", message)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "store.sqlite")
    yield database
    database.close()


@pytest.fixture
def records(database: SqliteDatabase) -> Records:
    return Records(database)


def test_a_transaction_happens_whole_or_not_at_all(tmp_path: Path, records: Records, database: SqliteDatabase) -> None:
    with records.transaction():
        add(records, "kept")
    with pytest.raises(RuntimeError, match="in the middle"), records.transaction():  # noqa: PT012
        add(records, "undone")
        raise RuntimeError("in the middle")
    assert messages(records) == ["kept"]


def test_what_is_done_is_in_the_file_at_once(tmp_path: Path, records: Records, database: SqliteDatabase) -> None:
    with records.transaction():
        add(records, "kept")
    with sqlite3.connect(tmp_path / "store.sqlite") as other:
        assert other.execute("SELECT message FROM events").fetchall() == [("kept",)]
    (synchronous,) = database.rows(text("PRAGMA synchronous"))[0]
    assert synchronous == 2  # FULL: each transaction is on disk, not only with the operating system


def test_one_waits_for_a_change_of_another_thread(tmp_path: Path, records: Records, database: SqliteDatabase) -> None:
    before = database.changes
    assert not database.wait_for_change(before, 0.01)

    def change() -> None:
        with records.transaction():
            add(records, "news")

    thread = threading.Timer(0.05, change)
    thread.start()
    assert database.wait_for_change(before, 5)
    thread.join()
    assert messages(records) == ["news"]


def test_the_file_of_another_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "later.sqlite") as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(RecordsUnusable, match=f"has version 99 of the schema, expected {NEWEST}"):
        SqliteDatabase(tmp_path / "later.sqlite")


def test_a_read_does_not_wait_for_a_write(tmp_path: Path, records: Records, database: SqliteDatabase) -> None:
    read: list[list[str]] = []
    with records.transaction():
        add(records, "not yet")
        assert messages(records) == ["not yet"]  # a transaction sees what it has changed
        reader = threading.Thread(target=lambda: read.append(messages(records)))
        reader.start()
        reader.join(10)
        assert read == [[]]
    assert messages(records) == ["not yet"]


def test_transactions_that_wait_for_each_other_share_a_flush(
    tmp_path: Path, records: Records, database: SqliteDatabase
) -> None:
    seen: list[str] = []

    def change(number: int) -> None:
        with records.transaction():
            add(records, str(number))
        with sqlite3.connect(tmp_path / "store.sqlite") as other:  # on disk when the block has ended
            query = "SELECT message FROM events WHERE message = ?"
            seen.extend(message for (message,) in other.execute(query, (str(number),)))
        other.close()

    before = database.changes
    with records.transaction():
        threads = [threading.Thread(target=change, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        wait_until(lambda: database.waiting == 40)
        add(records, "first")
    for thread in threads:
        thread.join()
    assert sorted(seen, key=int) == [str(number) for number in range(40)]
    assert database.changes - before == 2  # 41 transactions, at most 32 in one flush


def test_who_waits_is_not_passed_for_ever(tmp_path: Path, records: Records, database: SqliteDatabase) -> None:
    """Whoever runs may write again at once, but not for longer than another's patience."""
    ended = threading.Event()
    written = 0

    def hog() -> None:
        nonlocal written
        while not ended.is_set():
            with records.transaction():
                add(records, "hog")
            written += 1

    hogs = [threading.Thread(target=hog) for _ in range(3)]
    for thread in hogs:
        thread.start()
    waits = []
    for _ in range(20):
        began = time.monotonic()
        with records.transaction():
            add(records, "other")
        waits.append(time.monotonic() - began)
    ended.set()
    for thread in hogs:
        thread.join()
    assert max(waits) < 2
    assert messages(records).count("hog") == written
    assert messages(records).count("other") == 20


def test_one_that_fails_undoes_none_of_those_that_share_its_flush(
    tmp_path: Path, records: Records, database: SqliteDatabase
) -> None:

    def fail() -> None:
        with pytest.raises(ZeroDivisionError), records.transaction():  # noqa: PT012
            add(records, "undone")
            raise ZeroDivisionError

    with records.transaction():
        thread = threading.Thread(target=fail)
        thread.start()
        wait_until(lambda: database.waiting == 1)
        add(records, "kept")
    thread.join()
    assert messages(records) == ["kept"]


def test_the_next_object_is_found_without_sorting_all(records: Records, database: SqliteDatabase) -> None:
    """What a worker waits for doesn't take longer where more objects are open."""
    with records.transaction():
        records.objects.take("j", "ann", "2026")
    taken = data_objects._TAKE._compiled["sqlite"]._text
    with sqlite3.connect(database._writing.url.database or "") as file:
        plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {taken}", ["1"] * taken.count("?"))]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan
    assert any(line.startswith("SEARCH data_objects USING INDEX objects_") for line in plan)
