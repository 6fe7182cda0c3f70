"""What only a PostgreSQL server does: several processes, connections that break, addresses that are wrong."""

import subprocess
import sys
import threading
import time

import psycopg
import pytest
from sqlalchemy import make_url

from ground_truth_server.records.database import RECORD_ERRORS, RecordsUnusable
from ground_truth_server.records.postgres import PostgresDatabase
from ground_truth_server.records.records import Records
from tests.ground_truth_server.engine.labeling import wait_until

WRITER = """
import sys
from ground_truth_server.records.postgres import PostgresDatabase
from ground_truth_server.records.records import Records
records = Records(PostgresDatabase(sys.argv[1]))
with records.transaction():
    records.log.write("a", "2026", "state", "from another process")
records.database.close()
"""


def test_news_come_from_other_processes(postgres_url: str) -> None:
    database = PostgresDatabase(postgres_url)
    time.sleep(0.3)
    before = database.changes
    subprocess.run([sys.executable, "-c", WRITER, postgres_url], check=True)
    assert database.wait_for_change(before, 5)
    assert [event.message for event in Records(database).log.read()] == ["from another process"]
    database.close()


def test_connections_that_the_server_ended_are_made_anew(postgres_url: str) -> None:
    database = PostgresDatabase(postgres_url)
    records = Records(database)
    records.log.read()
    time.sleep(0.3)
    with psycopg.connect(postgres_url, autocommit=True) as other:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"
        other.execute(end, [make_url(postgres_url).database])

    with records.transaction():
        records.log.write("a", "2026", "state", "after")

    assert [event.message for event in records.log.read()] == ["after"]
    before = database.changes

    def heard() -> bool:
        subprocess.run([sys.executable, "-c", WRITER, postgres_url], check=True)
        return database.wait_for_change(before, 1)

    wait_until(heard, 20)
    database.close()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"query": {}, "host": "127.0.0.1", "port": 9}, "onnection"),
    ],
)
def test_a_wrong_address_is_named_without_its_password(
    postgres_url: str, changes: dict[str, object], found: str
) -> None:
    url = make_url(postgres_url).set(password="a secret", **changes)  # type: ignore[arg-type]
    with pytest.raises(RecordsUnusable, match=found) as error:
        PostgresDatabase(url.render_as_string(hide_password=False))
    assert "a secret" not in str(error.value)
    assert "Expected a PostgreSQL database that this user may make tables in" in str(error.value)


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(RecordsUnusable, match="expected postgresql://"):
        PostgresDatabase("the big one")


def test_two_that_change_the_same_in_another_order_are_told_apart(postgres_url: str) -> None:
    """A deadlock ends one of the two, with an error that may pass; the other goes on."""
    database = PostgresDatabase(postgres_url)
    first, second = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    def work(own: threading.Event, other: threading.Event, *names: str) -> None:
        try:
            with database.transaction():
                database.lock(names[0])
                own.set()
                other.wait(5)
                database.lock(names[1])
        except RECORD_ERRORS as error:
            raised.append(error)

    threads = [
        threading.Thread(target=work, args=(first, second, "a", "b")),
        threading.Thread(target=work, args=(second, first, "b", "a")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(raised) == 1
    assert "deadlock" in str(raised[0])
    database.close()


def test_a_database_that_can_not_hold_every_name_is_refused(postgres: str, postgres_url: str) -> None:
    name = f"{make_url(postgres_url).database}_ascii"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        url = make_url(postgres).set(database=name).render_as_string(hide_password=False)
        with pytest.raises(RecordsUnusable, match=r"encoding is SQL_ASCII, expected UTF8.*createdb --encoding=UTF8"):
            PostgresDatabase(url)
        assert server.execute("SELECT 1").fetchone() == (1,)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
