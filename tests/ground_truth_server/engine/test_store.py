import sqlite3
import threading
import time
from pathlib import Path

import pytest

from ground_truth_server.engine.store import Store
from tests.ground_truth_server.engine.labeling import wait_until

ADD = "INSERT INTO events (job, at, kind, message) VALUES ('Welds1', '2020', 'state', ?)"


def messages(store: Store) -> list[str]:
    return [row["message"] for row in store.rows("SELECT message FROM events ORDER BY sequence")]


def test_a_transaction_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    with store.transaction() as database:
        database.execute(ADD, ("kept",))
    with pytest.raises(RuntimeError, match="in the middle"), store.transaction() as database:  # noqa: PT012
        database.execute(ADD, ("undone",))
        raise RuntimeError("in the middle")
    assert messages(store) == ["kept"]


def test_what_is_done_is_in_the_file_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    with store.transaction() as database:
        database.execute(ADD, ("kept",))
    with sqlite3.connect(tmp_path / "store.sqlite") as other:
        assert other.execute("SELECT message FROM events").fetchall() == [("kept",)]
    (synchronous,) = store.rows("PRAGMA synchronous")[0]
    assert synchronous == 2  # FULL: each transaction is on disk, not only with the operating system


def test_one_waits_for_a_change_of_another_thread(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    before = store.changes
    assert not store.wait_for_change(before, 0.01)

    def change() -> None:
        with store.transaction() as database:
            database.execute(ADD, ("news",))

    thread = threading.Timer(0.05, change)
    thread.start()
    assert store.wait_for_change(before, 5)
    thread.join()
    assert messages(store) == ["news"]


def test_the_file_of_another_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(RuntimeError, match="has version 99 of the schema, expected 2"):
        Store(tmp_path / "store.sqlite")


def test_a_read_does_not_wait_for_a_write(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    read: list[list[str]] = []
    with store.transaction() as database:
        database.execute(ADD, ("not yet",))
        assert messages(store) == ["not yet"]  # a transaction sees what it has changed
        reader = threading.Thread(target=lambda: read.append(messages(store)))
        reader.start()
        reader.join(10)
        assert read == [[]]
    assert messages(store) == ["not yet"]


def test_transactions_that_wait_for_each_other_share_a_flush(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    seen: list[str] = []

    def change(number: int) -> None:
        with store.transaction() as database:
            database.execute(ADD, (str(number),))
        with sqlite3.connect(tmp_path / "store.sqlite") as other:  # on disk when the block has ended
            query = "SELECT message FROM events WHERE message = ?"
            seen.extend(message for (message,) in other.execute(query, (str(number),)))
        other.close()

    before = store.changes
    with store.transaction() as database:
        threads = [threading.Thread(target=change, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        wait_until(lambda: store.waiting == 20)
        database.execute(ADD, ("first",))
    for thread in threads:
        thread.join()
    assert sorted(seen, key=int) == [str(number) for number in range(20)]
    assert store.changes - before == 3  # 21 transactions, at most 8 in one flush


def test_who_waits_is_not_passed_for_ever(tmp_path: Path) -> None:
    """Whoever runs may write again at once, but not for longer than another's patience."""
    store = Store(tmp_path / "store.sqlite")
    ended = threading.Event()
    written = 0

    def hog() -> None:
        nonlocal written
        while not ended.is_set():
            with store.transaction() as database:
                database.execute(ADD, ("hog",))
            written += 1

    hogs = [threading.Thread(target=hog) for _ in range(3)]
    for thread in hogs:
        thread.start()
    waits = []
    for _ in range(20):
        began = time.monotonic()
        with store.transaction() as database:
            database.execute(ADD, ("other",))
        waits.append(time.monotonic() - began)
    ended.set()
    for thread in hogs:
        thread.join()
    assert max(waits) < 2
    assert messages(store).count("hog") == written
    assert messages(store).count("other") == 20


def test_one_that_fails_undoes_none_of_those_that_share_its_flush(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")

    def fail() -> None:
        with pytest.raises(ZeroDivisionError), store.transaction() as database:  # noqa: PT012
            database.execute(ADD, ("undone",))
            raise ZeroDivisionError

    with store.transaction() as database:
        thread = threading.Thread(target=fail)
        thread.start()
        wait_until(lambda: store.waiting == 1)
        database.execute(ADD, ("kept",))
    thread.join()
    assert messages(store) == ["kept"]
