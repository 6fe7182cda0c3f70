"""Faults of the database, the disk, S3 and listeners that pass: no job ends, and nothing is lost."""

import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from ground_truth_server.engine.events import StateChanges, state_change
from ground_truth_server.engine.invoke import FunctionFailed, FunctionOutOfReach
from ground_truth_server.engine.labeling_job import LabelingJobNotFound, LabelingJobRefused
from ground_truth_server.engine.listeners import StateChangeFile
from ground_truth_server.engine.retrying import Pauses, is_final
from ground_truth_server.records.database import RecordsUnusable
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from ground_truth_server.s3.storage import EmbeddedS3
from tests.ground_truth_server.engine.labeling import (
    PRE,
    Bench,
    answer_all,
    pass_on,
    request,
    wait_for_end,
    wait_until,
)

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"
AT = "2020-09-15T16:16:12.527256"
SECONDS = 60


class Relay(BaseHTTPRequestHandler):
    """S3 behind a relay, which answers an error, or breaks off what S3 answers, as long as a test asks."""

    fault: ClassVar[Any] = None
    faults: ClassVar[int] = 0

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if Relay.fault is not None:
            Relay.faults += 1
            Relay.fault(self)
            self.close_connection = True
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        asked = Request(self.path, body or None, headers, method=self.command)
        try:
            answer = urlopen(asked, timeout=10)
        except HTTPError as refused:
            answer = refused
        found = answer.read()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        length = answer.headers["Content-Length"] if self.command == "HEAD" else len(found)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(found)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


def error(status: int, code: str) -> Callable[[Relay], None]:
    def answer(relay: Relay) -> None:
        relay.send_response(status)
        body = f"<Error><Code>{code}</Code><Message>not now</Message></Error>".encode()
        relay.send_header("Content-Length", str(len(body)))
        relay.end_headers()
        if relay.command != "HEAD":
            relay.wfile.write(body)

    return answer


def broken_off(relay: Relay) -> None:
    relay.send_response(200)
    relay.send_header("Content-Length", "100000")
    relay.end_headers()
    relay.wfile.write(b'{"source": "a"}\n')


@pytest.fixture
def relayed(bench: Bench, s3_server: EmbeddedS3) -> Iterator[Bench]:
    """A bench whose engine reaches S3 through the relay; its functions don't."""
    Relay.fault, Relay.faults = None, 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    config = Config(
        retries={"total_max_attempts": 1}, proxies={"http": f"http://127.0.0.1:{server.server_port}"}, read_timeout=10
    )
    bench.s3 = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id=s3_server.keys.access_key,
        aws_secret_access_key=s3_server.keys.secret_key,
        config=config,
    )
    yield bench
    Relay.fault = None
    server.shutdown()
    server.server_close()


FAULTS = [
    error(400, "ExpiredToken"),
    error(403, "RequestTimeTooSkewed"),
    error(403, "InvalidAccessKeyId"),
    error(400, "ThrottlingException"),
    error(503, "SlowDown"),
    broken_off,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_s3_that_passes_ends_no_job(relayed: Bench, fault: Callable[[Relay], None]) -> None:
    pages: list[Any] = []
    with relayed.engine() as engine:
        engine.create(request())
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 3)
        Relay.fault = fault
        assert answer_all(engine, "ann") == 3
        wait_until(lambda: Relay.faults >= 3)
        wait_until(lambda: engine.waiting("Welds1"))
        waiting = engine.waiting("Welds1")
        pages.append(waiting)
        assert engine.describe("Welds1")["LabelingJobStatus"] == "InProgress"
        Relay.fault = None
        found = wait_for_end(engine, seconds=SECONDS)
        assert engine.waiting("Welds1") is None
        kinds = [event.kind for event in engine.ledger.events("Welds1")]

    assert pages[0].next_try > "2020-09-15T16:00:00"
    assert found["LabelingJobStatus"] == "Completed"
    assert "waiting" in kinds
    assert [line["Weld"] for line in relayed.output()] == [{"class": "Good Weld"}] * 3


class TestWhatIsFinal:
    @pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "NoSuchKey"])
    def test_refused_access_and_missing_files_are(self, code: str) -> None:
        assert is_final(ClientError({"Error": {"Code": code}}, "GetObject"))

    @pytest.mark.parametrize(
        "found",
        [
            *[ClientError({"Error": {"Code": c}}, "x") for c in ("ExpiredToken", "InternalError", "Throttling", "403")],
            NoCredentialsError(),
            sqlite3.OperationalError("disk I/O error"),
            OSError(28, "No space left on device"),
            KeyError("a bug"),
            MemoryError(),
            FunctionOutOfReach("f", {}, error_type="ExpiredTokenException", message=""),
        ],
    )
    def test_all_else_may_pass(self, found: Exception) -> None:
        assert not is_final(found)

    def test_what_a_function_raised_is(self) -> None:
        assert is_final(FunctionFailed("f", {}, error_type="KeyError", message="x"))


def test_pauses_grow_to_a_limit_and_begin_again() -> None:
    pauses = Pauses(1, 60)
    for tries in range(100):
        most = min(60, 2**tries)
        assert 0.75 * most <= pauses.grow() <= most
    pauses.reset()
    assert pauses.grow() <= 1


def test_a_function_out_of_reach_is_called_again(bench: Bench) -> None:
    left = [3]

    def out_of_reach_at_first(event: Mapping[str, Any]) -> Any:
        if left[0]:
            left[0] -= 1
            raise FunctionOutOfReach(
                PRE, event, error_type="NoCredentialsError", message="Unable to locate credentials"
            )
        return pass_on(event)

    bench.functions.functions[PRE] = out_of_reach_at_first
    with bench.engine() as engine:
        engine.create(request())
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 3)
        assert left == [0]
        assert "NoCredentialsError" in " ".join(
            e.message for e in engine.ledger.events("Welds1") if e.kind == "waiting"
        )


def test_a_database_that_another_program_locks_for_a_while_ends_no_job(bench: Bench) -> None:
    going_on = threading.Event()

    def when_told(event: Mapping[str, Any]) -> Any:
        going_on.wait(30)
        return pass_on(event)

    bench.functions.functions[PRE] = when_told
    with bench.engine() as engine:
        engine.create(request())
        wait_until(lambda: engine.ledger.progress("Welds1").get("preparing") == 3)
        other = sqlite3.connect(bench.folder / "ground-truth.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        going_on.set()
        wait_until(lambda: engine.waiting("Welds1"), SECONDS)  # SQLite itself waits for 5 s
        waiting = engine.waiting("Welds1")
        assert waiting is not None
        assert "database is locked" in waiting.reason
        other.execute("ROLLBACK")
        other.close()
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 3, SECONDS)
        assert answer_all(engine, "ann") == 3
        assert wait_for_end(engine, seconds=SECONDS)["LabelingJobStatus"] == "Completed"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("only root can mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Fill a file system; gives the file that does."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    return filler


def test_a_disk_that_is_full_for_a_while_ends_no_job_and_stops_no_listener(bench: Bench, small_disk: Path) -> None:
    bench.folder = small_disk / "workspace"
    bench.put_manifest({"source": str(number)} for number in range(40))
    going_on = threading.Event()

    def when_told(event: Mapping[str, Any]) -> Any:
        going_on.wait(30)
        return {"taskInput": {**event["dataObject"], "text": "x" * 5000}}

    bench.functions.functions[PRE] = when_told
    changes = StateChangeFile(small_disk / "state-changes.jsonl")
    with bench.engine(listeners=[changes]) as engine:
        engine.create(request())
        wait_until(lambda: engine.ledger.progress("Welds1").get("preparing") == 40)
        filler = fill(small_disk)
        going_on.set()
        wait_until(lambda: engine.waiting("Welds1"), SECONDS)
        waiting = engine.waiting("Welds1")
        assert waiting is not None
        assert "full" in waiting.reason
        time.sleep(1)
        filler.unlink()
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 40, SECONDS)
        assert answer_all(engine, "ann") == 40
        assert wait_for_end(engine, seconds=SECONDS)["LabelingJobStatus"] == "Completed"

    statuses = [json.loads(line)["detail"]["LabelingJobStatus"] for line in changes.path.read_text().splitlines()]
    assert statuses == ["Initializing", "InProgress", "Completed"]


def test_a_state_change_is_written_whole_or_not_at_all(small_disk: Path) -> None:
    changes = StateChangeFile(small_disk / "state-changes.jsonl")
    filler = fill(small_disk)
    written = []
    with pytest.raises(OSError, match="No space left"):  # noqa: PT012
        for number in range(1000):  # the last page of the disk may take some
            changes(state_change(ARN, "InProgress", AT))
            written.append(number)
    filler.unlink()
    changes(state_change(ARN, "Completed", AT))
    lines = changes.path.read_text().splitlines()
    assert [json.loads(line)["detail"]["LabelingJobStatus"] for line in lines] == ["InProgress"] * len(written) + [
        "Completed"
    ]


def test_a_listener_that_fails_for_a_while_gets_all_in_order(tmp_path: Path) -> None:
    heard: list[str] = []
    others: list[str] = []
    faults = [5]

    def failing_at_first(event: Mapping[str, Any]) -> None:
        if faults[0]:
            faults[0] -= 1
            raise RuntimeError("no one there")
        heard.append(event["detail"]["LabelingJobStatus"])

    store = Records(SqliteDatabase(tmp_path / "store.sqlite"))
    changes = StateChanges(store, [failing_at_first, lambda event: others.append(event["id"])], pause=0.01)
    for status in ("Initializing", "InProgress", "Completed"):
        with store.transaction():
            changes.record(state_change(ARN, status, AT))
    wait_until(lambda: len(heard) == len(others) == 3)
    assert heard == ["Initializing", "InProgress", "Completed"]
    wait_until(lambda: not store.state_changes.any_waiting())
    changes.close(5)


def test_a_listener_that_never_works_repeats_nothing_to_the_others(tmp_path: Path) -> None:
    def never(_: Mapping[str, Any]) -> None:
        raise OSError("no one there")

    others: list[str] = []
    for start in range(2):
        store = Records(SqliteDatabase(tmp_path / "store.sqlite"))
        changes = StateChanges(store, [never, lambda event: others.append(event["id"])], pause=0.01)
        if start == 0:
            with store.transaction():
                changes.record(state_change(ARN, "InProgress", AT))
            wait_until(lambda: others)
        changes.close(5)
        store.database.close()
    assert len(others) == 1


def test_a_workspace_of_the_first_version_goes_on(bench: Bench) -> None:
    """The workspace was made by that version: one job that ended, and one whose second worker had begun."""
    script = Path(__file__).with_name("workspace-of-version-1.sql").read_text()
    bench.folder.mkdir()
    with sqlite3.connect(bench.folder / "ground-truth.sqlite") as database:
        database.executescript(script)
    database.close()

    with bench.engine() as engine:
        engine.resume()
        assert [job["LabelingJobName"] for job in engine.list()] == ["Welds0", "Welds1"]
        assert engine.describe("welds0")["LabelCounters"]["HumanLabeled"] == 3
        in_hand = engine.desk.next_task("bo", "Welds1")
        assert in_hand is not None
        assert in_hand.object_id == "0"
        assert engine.desk.next_task("ann", "Welds1") is None
        assert answer_all(engine, "bo") == 3
        assert wait_for_end(engine)["LabelingJobStatus"] == "Completed"
        assert [len(engine.ledger.data_object("Welds1", str(number)).answers) for number in range(3)] == [2, 2, 2]
        with pytest.raises(LabelingJobRefused, match="exists already"):
            engine.create(request("Welds0"))


def test_jobs_of_one_name_in_two_regions_and_accounts_do_not_meet(bench: Bench) -> None:
    with bench.engine() as engine:
        first = engine.create(request())
        there = engine.create(request(), "us-west-2")
        other = engine.create(request(), "us-west-2", "444455556666")
        assert first.split(":")[3:5] == ["eu-west-1", "111122223333"]
        assert there.split(":")[3:5] == ["us-west-2", "111122223333"]
        assert other.split(":")[3:5] == ["us-west-2", "444455556666"]
        with pytest.raises(LabelingJobRefused, match="exists already"):
            engine.create(request("WELDS1"), "us-west-2")
        keys = [
            engine.find("welds1"),
            engine.find("Welds1", "us-west-2"),
            engine.find("Welds1", "us-west-2", "444455556666"),
        ]
        assert keys == ["Welds1", "Welds1@111122223333.us-west-2", "Welds1@444455556666.us-west-2"]
        with pytest.raises(LabelingJobNotFound, match="no labeling job named Welds1 in us-east-1"):
            engine.find("Welds1", "us-east-1")
        wait_until(lambda: all(engine.ledger.progress(key).get("open") == 3 for key in keys))
        assert answer_all(engine, "ann", keys[1]) == 3
        assert wait_for_end(engine, keys[1])["LabelingJobStatus"] == "Completed"
        assert [engine.describe(key)["LabelingJobStatus"] for key in keys] == ["InProgress", "Completed", "InProgress"]
        assert engine.describe(keys[1])["LabelingJobName"] == "Welds1"
        engine.note([(there, "log", "from there")])
        assert [event.job for event in engine.ledger.events() if event.message == "from there"] == [keys[1]]


@pytest.mark.parametrize("found", [b"not a database, whatever it is" * 200, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_database_that_cannot_be_read_is_named(bench: Bench, found: bytes) -> None:
    bench.folder.mkdir()
    file = bench.folder / "ground-truth.sqlite"
    file.write_bytes(found)
    with pytest.raises(RecordsUnusable, match="put back a copy") as caught, bench.engine():
        pass
    assert str(caught.value).startswith(f"{file}: found: ")
    assert file.read_bytes() == found


def test_answers_of_before_that_are_unfit_are_shown_as_such(bench: Bench) -> None:
    with bench.engine() as engine:
        engine.create(request(NumberOfHumanWorkersPerDataObject=2))
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 3)
        assert answer_all(engine, "ann") == 3
    with sqlite3.connect(bench.folder / "ground-truth.sqlite") as database:  # as an earlier version took them
        database.execute("UPDATE tasks SET answer = ? WHERE number = 0", ('{"a":' * 970 + "1" + "}" * 970,))
        database.execute("UPDATE tasks SET answer = ? WHERE number = 1", ("[" * 100_000,))
    database.close()
    with bench.engine() as engine:
        for number in ("0", "1"):
            (answer,) = engine.ledger.data_object("Welds1", number).answers
            assert "nested" in answer.content["unreadable"]
