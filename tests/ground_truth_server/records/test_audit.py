"""The audit: written with what it tells of, sealed in a chain, and whatever is done to it behind its back is found."""

import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from ground_truth_server.acting import acting
from ground_truth_server.commands.main import main
from ground_truth_server.records.audit import Head
from ground_truth_server.records.database import Database
from ground_truth_server.records.postgres import PostgresDatabase
from ground_truth_server.records.records import Records

AT = "2026-11-23T20:00:00.000000"


def write(records: Records, *actions: str) -> None:
    for action in actions:
        with records.transaction():
            records.audit.write("worker", action, "arn:job", {"object": "7", "note": "früh"}, "192.0.2.7", at=AT)


def seal(records: Records) -> int:
    with records.transaction():
        return records.audit.seal()


def hash_by_hand(entry: dict[str, Any]) -> str:
    """As the docs say: SHA-256 of the exported line without its hash."""
    rest = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def test_entries_are_linked_in_order(records: Records) -> None:
    write(records, "a", "b")
    assert records.audit.any_unsealed()
    assert [entry.action for entry in records.audit.unsealed()] == ["a", "b"]
    assert seal(records) == 2
    write(records, "c")
    assert seal(records) == 1
    assert seal(records) == 0
    assert not records.audit.any_unsealed()
    entries = [entry.as_json() for entry in records.audit.sealed()]
    assert [(entry["number"], entry["action"]) for entry in entries] == [(1, "a"), (2, "b"), (3, "c")]
    previous = ""
    for entry in entries:
        assert entry["previous"] == previous
        assert entry["detail"] == {"object": "7", "note": "früh"}
        assert (entry["actor"], entry["address"], entry["at"]) == ("worker", "192.0.2.7", AT)
        previous = hash_by_hand(entry)
        assert entry["hash"] == previous
    verdict = records.audit.verify()
    assert (verdict.problems, verdict.head, verdict.unsealed) == ([], Head(3, previous), 0)


def test_an_entry_is_there_only_if_its_change_is(records: Records) -> None:
    def change_and_fail() -> None:
        with records.transaction():
            records.audit.write(None, "a", "s")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        change_and_fail()
    assert not records.audit.any_unsealed()
    with pytest.raises(RuntimeError, match="in transactions only"):
        records.audit.write(None, "a", "s")


def test_who_acts_is_told_by_the_edge(records: Records) -> None:
    with acting("access key GTSL", "192.0.2.9"):
        with records.transaction():
            records.audit.write(None, "a", "s")
        with acting("other"):
            pass
        with records.transaction():
            records.audit.write(None, "b", "s")
    with records.transaction():
        records.audit.write(None, "c", "s")
    told = [(entry.actor, entry.address) for entry in records.audit.unsealed()]
    assert told == [("access key GTSL", "192.0.2.9")] * 2 + [("server", "")]


def test_what_isn_t_sealed_is_told(records: Records) -> None:
    write(records, "a")
    verdict = records.audit.verify()
    assert (verdict.problems, verdict.head, verdict.unsealed) == ([], Head(), 1)


def test_writers_of_two_processes_are_sealed_once_each(open_database: Callable[[], Database]) -> None:
    """Two sealers and four writers at once: as two processes have it on PostgreSQL."""
    first = Records(open_database())
    second = Records(open_database()) if isinstance(first.database, PostgresDatabase) else first
    ended = threading.Event()

    def write_many(records: Records, name: str) -> None:
        for number in range(60):
            write(records, f"{name}{number}")

    def keep_sealing(records: Records) -> None:
        while not ended.is_set():
            seal(records)

    writers = [threading.Thread(target=write_many, args=(one, name)) for one, name in ((first, "a"), (second, "b")) * 2]
    sealers = [threading.Thread(target=keep_sealing, args=(one,)) for one in (first, second)]
    for thread in (*writers, *sealers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in sealers:
        thread.join()
    while seal(first):
        pass
    verdict = second.audit.verify()
    assert (verdict.problems, verdict.head.number, verdict.unsealed) == ([], 240, 0)
    assert len({entry.id for entry in first.audit.sealed()}) == 240


class Tampering:
    """Somebody who may write to the database, and takes its guards away."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg") if url.startswith("postgres") else make_url(url)

    def run(self, *statements: str) -> None:
        engine = create_engine(self._url)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def without_guards(self, *statements: str) -> None:
        if self._url.drivername == "sqlite":
            names = ("audit_unchanged", "audit_kept", "audit_head_grows", "audit_head_kept")
            self.run(*(f"DROP TRIGGER IF EXISTS {name}" for name in names), *statements)
        else:
            self.run("ALTER TABLE audit DISABLE TRIGGER ALL", "ALTER TABLE audit_head DISABLE TRIGGER ALL", *statements)


@pytest.fixture
def tampering(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Tampering:
    is_file = not isinstance(database, PostgresDatabase)
    return Tampering(f"sqlite:///{tmp_path / 'records.sqlite'}" if is_file else request.getfixturevalue("postgres_url"))


COPY = (
    "INSERT INTO audit (at, actor, action, subject, detail, address, number, previous, hash) "
    "SELECT at, actor, 'put in', subject, detail, address, {number}, {previous}, {hash} FROM audit WHERE number = 1"
)


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE audit SET actor = 'somebody else' WHERE number = 3"], ["entry 3 (", "was changed"]),
        (["UPDATE audit SET at = '2020' WHERE number = 3"], ["entry 3 (", "was changed"]),
        (["UPDATE audit SET address = '' WHERE number = 1"], ["entry 1 (", "was changed"]),
        (["""UPDATE audit SET detail = '{"object":"8"}' WHERE number = 5"""], ["entry 5 (", "was changed"]),
        (["UPDATE audit SET detail = detail || ' ' WHERE number = 2"], ["entry 2 (", "was changed"]),
        (["UPDATE audit SET detail = 'no JSON' WHERE number = 2"], ["entry 2 (", "was changed"]),
        (["UPDATE audit SET hash = 'ab' WHERE number = 3"], ["entry 3 (", "entry 4 (", "doesn't follow"]),
        (["DELETE FROM audit WHERE number = 3"], ["entry 3 is missing"]),
        (["DELETE FROM audit WHERE number IN (2, 3, 4)"], ["entries 2 to 4 are missing"]),
        (["DELETE FROM audit WHERE number = 1"], ["entry 1 is missing"]),
        (["DELETE FROM audit WHERE number >= 4"], ["entries 4 to 5 at the end are missing"]),
        (["DELETE FROM audit"], ["entries 1 to 5 at the end are missing"]),
        (["UPDATE audit SET number = NULL WHERE number = 4"], ["entry 4 is missing"]),
        ([COPY.format(number=6, previous="hash", hash="hash")], ["entry 6 (", "doesn't follow", "were put in"]),
        (
            [
                "UPDATE audit SET number = -number WHERE number > 2",
                "UPDATE audit SET number = 1 - number WHERE number < 0",
                COPY.format(number=3, previous="previous", hash="hash"),
            ],
            ["entry 3 (", "put in", "entry 4 ("],
        ),
        (
            [
                "UPDATE audit SET number = 100 WHERE number = 2",
                "UPDATE audit SET number = 2 WHERE number = 3",
                "UPDATE audit SET number = 3 WHERE number = 100",
            ],
            ["entry 2 (", "entry 3 (", "doesn't follow"],
        ),
    ],
)
def test_what_is_done_behind_its_back_is_found(
    records: Records, tampering: Tampering, statements: list[str], found: list[str]
) -> None:
    write(records, "a", "b", "c", "d", "e")
    seal(records)
    with pytest.raises(DBAPIError, match="never changed or removed"):
        tampering.run(*[one for one in statements if not one.startswith("INSERT")] or ["DELETE FROM audit"])
    assert records.audit.verify().problems == []
    tampering.without_guards(*statements)
    problems = "\n".join(records.audit.verify().problems)
    for part in found:
        assert part in problems, problems


def test_a_chain_that_was_written_anew_is_found_by_what_was_told_before(records: Records, tampering: Tampering) -> None:
    write(records, "a", "b", "c")
    seal(records)
    told = records.audit.verify().head
    tampering.without_guards(
        "UPDATE audit SET actor = 'somebody else' WHERE number = 2",
        "UPDATE audit SET number = NULL, previous = NULL, hash = NULL",
        "DELETE FROM audit_head",
    )
    seal(records)
    assert records.audit.verify().problems == [], "it is a chain, by itself"
    (problem,) = records.audit.verify(told).problems
    assert "entry 3 (" in problem
    assert "written anew" in problem
    tampering.without_guards("DELETE FROM audit WHERE number = 3", "DELETE FROM audit_head")
    assert "entry 3, whose hash was" in records.audit.verify(told).problems[-1]


def test_entries_that_wait_can_t_be_changed_either(records: Records, tampering: Tampering) -> None:
    write(records, "a")
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="never changed or removed"):
            tampering.run(statement)
    assert [entry.actor for entry in records.audit.unsealed()] == ["worker"]


class TestCommand:
    @pytest.fixture
    def place(self, request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> list[str]:
        if isinstance(database, PostgresDatabase):
            return ["--database", request.getfixturevalue("postgres_url")]
        (tmp_path / ".ground-truth").mkdir()
        (tmp_path / ".ground-truth" / "ground-truth.sqlite").symlink_to(tmp_path / "records.sqlite")
        return ["--workspace", str(tmp_path)]

    def test_it_verifies_and_exports(
        self,
        records: Records,
        tampering: Tampering,
        place: list[str],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        with closing(records.database):
            assert main(["audit", "verify", *place]) == 0
            assert capsys.readouterr().out == "No entry has been sealed yet.\n"
            write(records, "a", "b")
            seal(records)
            write(records, "c")
            assert main(["audit", "verify", *place]) == 0
            told = capsys.readouterr().out
            head = records.audit.head()
            assert "1 entries are not sealed yet" in told
            assert "All 2 sealed entries are as they were written." in told
            assert f"The last one: 2:{head.hash}" in told
            assert main(["audit", "verify", *place, "--expect", f"2:{head.hash}"]) == 0
            assert main(["audit", "verify", *place, "--expect", f"2:{'0' * 64}"]) == 1
            capsys.readouterr()

            assert main(["audit", "export", *place]) == 0
            lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            assert [line["action"] for line in lines] == ["a", "b"]
            assert [hash_by_hand(line) for line in lines] == [line["hash"] for line in lines]
            file = tmp_path / "audit.jsonl"
            assert main(["audit", "export", *place, "--after", "1", "--to", str(file)]) == 0
            assert json.loads(file.read_text()) == lines[1]
            assert main(["audit", "export", *place, "--to", str(file)]) == 1, "nothing is written over"
            assert str(file) in capsys.readouterr().err

            tampering.without_guards("UPDATE audit SET subject = 'x' WHERE number = 1")
            assert main(["audit", "verify", *place]) == 1
            assert "entry 1 (2026-11-23T20:00:00.000000, a, x) was changed" in capsys.readouterr().err
