"""A backup on one machine, restored on another: every job, answer and file, by either kind of database."""

import hashlib
import io
import json
import re
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from benchmarks.local_server import create_job, local_server
from ground_truth_server.commands.main import main
from ground_truth_server.people.accounts import Accounts
from ground_truth_server.records.postgres import PostgresDatabase
from ground_truth_server.records.records import Records
from ground_truth_server.s3.storage import EmbeddedS3
from tests.conftest import ROOT
from tests.ground_truth_server.engine.labeling import (
    BUCKET,
    Bench,
    answer_all,
    label_all,
    request,
    s3_client,
    wait_until,
)

HOSTILE_KEYS = ["a//b", "../x", "ü and space", "back\\slash", "x" * 300, "lock", "a.sqlite"]


@pytest.fixture
def second_postgres_url(postgres: str, postgres_url: str) -> Iterator[str]:
    name = f"{make_url(postgres_url).database}_2"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield make_url(postgres).set(database=name).render_as_string(hide_password=False)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def working(workspace: Path, url: str) -> Iterator[Bench]:
    """An engine's surroundings whose objects and records are in a workspace, or the records in PostgreSQL."""
    with EmbeddedS3(workspace) as server:
        s3 = s3_client(server)
        if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield Bench(workspace / ".ground-truth", s3, lambda: PostgresDatabase(url) if url else None)


def half_labeled(workspace: Path, url: str) -> None:
    """A job of which one worker of two has answered everything, with objects of odd names beside it."""
    with working(workspace, url) as bench, bench.engine() as engine:
        for key in HOSTILE_KEYS:
            bench.s3.put_object(
                Bucket=BUCKET, Key=key, Body=key.encode(), ContentType="text/odd", Metadata={"of": "it"}
            )
        bench.s3.create_bucket(Bucket="empty", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        Accounts(engine.records).invite("Ada Lovelace", "admin", [])
        engine.create(request(NumberOfHumanWorkersPerDataObject=2))
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 3)
        assert answer_all(engine, "ann") == 3
        wait_until(lambda: not engine.records.audit.any_unsealed())


def rows_of(workspace: Path, url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, read by the database's own driver; what is true or false as SQLite has it."""
    if url:
        with psycopg.connect(url) as connection:
            query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            names = [name for (name,) in connection.execute(query).fetchall()]
            found = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    else:
        with closing(sqlite3.connect(workspace / ".ground-truth" / "ground-truth.sqlite")) as connection:
            query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            names = [name for (name,) in connection.execute(query).fetchall()]
            found = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    plain = {name: [tuple(int(v) if isinstance(v, bool) else v for v in row) for row in found[name]] for name in found}
    return {name: sorted(rows, key=repr) for name, rows in plain.items()}


def files_of(workspace: Path) -> dict[str, tuple[str, int]]:
    """The digest and the moment of change of every file, but of the database and of locks."""
    own = {workspace / ".ground-truth" / f"ground-truth.sqlite{ending}" for ending in ("", "-wal", "-shm")}
    own |= {workspace / folder / "lock" for folder in (".ground-truth", ".s3")}
    return {
        str(path.relative_to(workspace)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in workspace.rglob("*")
        if path.is_file() and path not in own
    }


def backup(workspace: Path, url: str, file: Path | str) -> int:
    return main(["backup", str(file), "--workspace", str(workspace), "--database", url])


def restore(workspace: Path, url: str, file: Path, *options: str) -> int:
    return main(["restore", str(file), "--workspace", str(workspace), "--database", url, *options])


@pytest.mark.parametrize("before", ["sqlite", "postgresql"])
@pytest.mark.parametrize("after", ["sqlite", "postgresql"])
def test_everything_is_there_again_and_goes_on(
    tmp_path: Path, postgres_url: str, second_postgres_url: str, before: str, after: str
) -> None:
    url, other_url = (postgres_url if before != "sqlite" else ""), (second_postgres_url if after != "sqlite" else "")
    workspace, other, file = tmp_path / "w", tmp_path / "deep" / "other", tmp_path / "backup.tar"
    half_labeled(workspace, url)
    rows, files = rows_of(workspace, url), files_of(workspace)
    assert (len(rows["tasks"]), len(rows["people"]), len(rows["jobs"])) == (3, 1, 1)

    assert backup(workspace, url, file) == 0
    assert restore(other, other_url, file) == 0

    found = rows_of(other, other_url)
    (restored,) = [row for row in found["audit"] if "backup.restored" in row]
    found["audit"].remove(restored)
    assert found == rows
    assert files_of(other) == files
    assert (other / "empty").is_dir()
    assert not list(other.glob(".backup-*")) + list(workspace.glob(".backup-*"))
    with working(other, other_url) as bench, bench.engine() as engine:
        for key in HOSTILE_KEYS:
            found_object = bench.s3.get_object(Bucket=BUCKET, Key=key)
            assert (found_object["Body"].read(), found_object["ContentType"]) == (key.encode(), "text/odd")
            assert found_object["Metadata"] == {"of": "it"}
        engine.resume()
        assert label_all(engine, ["bo"])["LabelingJobStatus"] == "Completed"
        assert [line["Weld"] for line in bench.output()] == [{"class": "Good Weld"}] * 3
        assert {answer.worker for answer in engine.ledger.data_object("Welds1", "0").answers} == {"ann", "bo"}
        wait_until(lambda: not engine.records.audit.any_unsealed())
        assert engine.records.audit.verify().problems == []


def test_a_backup_of_a_server_at_work_holds_what_was_answered_before_it(tmp_path: Path) -> None:
    workspace, other = tmp_path / "w", tmp_path / "other"
    with local_server(workspace) as server:
        create_job(server, 50, 1, "numbers")
        command = [sys.executable, "-m", "ground_truth_server", "backup", "-", "--workspace", str(workspace)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        (tmp_path / "backup.tar").write_bytes(done.stdout)
        assert b"1 jobs" in done.stderr
    assert restore(other, "", tmp_path / "backup.tar") == 0
    with local_server(other) as server:
        found = server.sagemaker().describe_labeling_job(LabelingJobName="numbers")
        assert found["LabelingJobStatus"] in ("Initializing", "InProgress")
        assert server.s3().get_object(Bucket="objects", Key="input.manifest")["Body"].read().count(b"\n") == 50


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A backup of a half-labeled job."""
    half_labeled(tmp_path / "w", "")
    assert backup(tmp_path / "w", "", tmp_path / "backup.tar") == 0
    return tmp_path / "backup.tar"


Spoil = Callable[[bytes], bytes]


def spoiled(change: Callable[[str, bytes], list[tuple[str, bytes]]]) -> Spoil:
    """Write an archive anew, each file changed, left out or doubled."""

    def spoil(content: bytes) -> bytes:
        target = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(content)) as before, tarfile.open(fileobj=target, mode="w") as after:
            for member in before:
                source = before.extractfile(member)
                assert source is not None
                for name, text in change(member.name, source.read()):
                    info = tarfile.TarInfo(name)
                    info.size = len(text)
                    after.addfile(info, io.BytesIO(text))
        return target.getvalue()

    return spoil


def is_manifest(name: str) -> bool:
    return name.endswith("welds/input.manifest")


SPOILED: dict[str, tuple[Spoil, str]] = {
    "cut off": (lambda content: content[: len(content) // 2], "Expected a file that ground-truth backup made|cut off"),
    "without its end": (spoiled(lambda name, text: [] if name == "digests.json" else [(name, text)]), "cut off"),
    "a byte changed": (
        spoiled(lambda name, text: [(name, text[:-2] + b"X\n" if is_manifest(name) else text)]),
        "workspace/welds/input.manifest in the backup is not as it was written",
    ),
    "a file left out": (
        spoiled(lambda name, text: [] if is_manifest(name) else [(name, text)]),
        "workspace/welds/input.manifest in the backup is missing",
    ),
    "a file put in": (
        spoiled(
            lambda name, text: [(name, text), ("workspace/welds/more", b"")] if is_manifest(name) else [(name, text)]
        ),
        "workspace/welds/more in the backup is not as it was written",
    ),
    "a file twice": (
        spoiled(lambda name, text: [(name, text)] * (2 if is_manifest(name) else 1)),
        "workspace/welds/input.manifest is in the backup twice",
    ),
    "a path out": (
        spoiled(lambda name, text: [("workspace/../../out" if is_manifest(name) else name, text)]),
        "leads out of the folder",
    ),
    "from the root": (spoiled(lambda name, text: [(f"/tmp/{name}", text)]), "leads out of the folder"),
    "digests of nobody": (
        spoiled(lambda name, text: [(name, b"[]" if name == "digests.json" else text)]),
        "list of digests is none",
    ),
    "no archive": (lambda _: b"no archive at all" * 100, "Expected a file that ground-truth backup made"),
    "nothing": (lambda _: b"", "Expected a file that ground-truth backup made|cut off"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_is_not_as_it_was_written_is_refused_and_leaves_nothing(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    spoil, said = SPOILED[how]
    made.write_bytes(spoil(made.read_bytes()))
    assert restore(tmp_path / "other", "", made) == 1
    assert re.search(said, capsys.readouterr().err)
    assert [path for path in (tmp_path / "other").rglob("*") if path.is_file()] == []
    assert not (tmp_path / "out").exists()


def test_a_link_in_a_backup_is_refused(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tarfile.open(made, "w") as archive:
        link = tarfile.TarInfo("workspace/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    assert restore(tmp_path / "other", "", made) == 1
    assert "workspace/link is no file" in capsys.readouterr().err


def test_check_tells_whether_a_backup_is_whole_and_writes_nothing(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert restore(tmp_path / "other", "", made, "--check") == 0
    assert "The backup is whole" in capsys.readouterr().out
    assert not (tmp_path / "other").exists()
    made.write_bytes(made.read_bytes()[:-20000])
    assert restore(tmp_path / "other", "", made, "--check") == 1


def test_nothing_is_written_over(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other" / "welds").mkdir(parents=True)
    (tmp_path / "other" / "welds" / "mine").write_text("mine")
    assert restore(tmp_path / "other", "", made) == 1
    assert "holds files already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "other").rglob("*") if path.is_file()] == ["mine"]
    before = made.read_bytes()
    assert backup(tmp_path / "w", "", made) == 1
    assert "is there already: name a new file" in capsys.readouterr().err
    assert made.read_bytes() == before


def test_rows_that_are_there_are_kept(
    made: Path, tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(PostgresDatabase(postgres_url)) as database:
        Accounts(Records(database)).invite("Grace Hopper", "owner", [])
    before = rows_of(tmp_path, postgres_url)
    assert restore(tmp_path / "other", postgres_url, made) == 1
    assert "has rows in " in capsys.readouterr().err
    assert rows_of(tmp_path, postgres_url) == before
    assert [path for path in (tmp_path / "other").rglob("*") if path.is_file()] == []


def test_a_disk_that_is_full_at_the_end_leaves_no_rows(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rename, moved = Path.rename, list[Path]()

    def fail_at_the_second(path: Path, goal: Path) -> Path:
        if moved:
            raise OSError(28, "No space left on device")
        moved.append(goal)
        return rename(path, goal)

    monkeypatch.setattr(Path, "rename", fail_at_the_second)
    assert restore(tmp_path / "other", "", made) == 1
    assert "No space left" in capsys.readouterr().err
    assert moved
    assert not moved[0].exists()
    monkeypatch.undo()
    assert restore(tmp_path / "other", "", made) == 0
    assert len(rows_of(tmp_path / "other", "")["tasks"]) == 3


def test_others_can_not_read_it(made: Path) -> None:
    assert made.stat().st_mode & 0o777 == 0o600


def test_a_database_of_another_version_is_not_changed_by_a_backup(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    half_labeled(tmp_path / "w", "")
    with closing(sqlite3.connect(tmp_path / "w" / ".ground-truth" / "ground-truth.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0004'")
    for url in ("", postgres_url):
        assert backup(tmp_path / "w", url, tmp_path / "backup.tar") == 1
    said = capsys.readouterr().err
    assert "has the tables of version 0004, expected" in said
    assert "the database has the tables of version none" in said
    assert rows_of(tmp_path / "w", "")["alembic_version"] == [("0004",)]
    assert not (tmp_path / "backup.tar").exists()


def test_a_compressed_backup_is_read_as_it_is(made: Path, tmp_path: Path) -> None:
    packed = tmp_path / "backup.tar.gz"
    with packed.open("wb") as target:
        subprocess.run(["gzip", "-c", str(made)], stdout=target, check=True)
    assert restore(tmp_path / "other", "", packed) == 0
    assert files_of(tmp_path / "other") == files_of(tmp_path / "w")


def test_tar_itself_can_read_it(made: Path, tmp_path: Path) -> None:
    (tmp_path / "by-tar").mkdir()
    subprocess.run(["tar", "-xf", str(made), "-C", str(tmp_path / "by-tar")], check=True)
    digests = json.loads((tmp_path / "by-tar" / "digests.json").read_text())
    for name, digest in digests.items():
        assert hashlib.sha256((tmp_path / "by-tar" / name).read_bytes()).hexdigest() == digest
