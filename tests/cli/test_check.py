"""Checking a manifest: every broken item is found, and nothing is written."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from labeling import broken_items, manifest
from labeling.job import JobConfiguration
from labeling.storage import Storage

from cli import account, item_checks
from cli.item_checks import ByteBudget, ItemCheck
from tests.cli.conftest import STACK, Command
from tests.conftest import Bucket


def report(path: Path) -> list[broken_items.BrokenItem]:
    return [broken_items.decode(line) for line in path.read_text().splitlines()]


def test_good_items_pass_and_nothing_is_written(command: Command, welds: Bucket) -> None:
    before = welds.keys()
    done = command("check", f"s3://{welds.name}/manifests/input.manifest")
    assert (done.status, done.out) == (0, "")
    assert "7 items, 7 good, 0 broken." in done.err
    assert welds.keys() == before


def test_every_broken_item_is_reported_with_line_source_error_and_message(
    command: Command, welds: Bucket, tmp_path: Path
) -> None:
    good = f"s3://{welds.name}/dataset/dataset-1.json"
    photograph = f"s3://{welds.name}/images/weld.1.png"

    def item(recording: str, image: str = photograph) -> str:
        return welds.put(
            f"dataset/{len(welds.keys())}.json", {"sensor_data": {"s3Path": recording}, "image": {"s3Path": image}}
        )

    recording = f"s3://{welds.name}/sensor_data/weld.1.csv"
    lines: list[Any] = [
        {"source": good},
        {"source": f"s3://{welds.name}/dataset/none.json"},
        {"source-ref": item(welds.put("sensor_data/text.csv", "0,a,b,c\n" * 50))},
        {"source": item(recording, welds.put("images/scan.png", b"II*\0scan"))},
        {"source": welds.put("dataset/not-json.json", "{")},
        {"source": item("s3://")},
        {"nothing": 1},
        {"source": good, "$note": 1},
        {"source": good},
    ]
    path = tmp_path / "input.manifest"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "not JSON\n")
    done = command("check", path, "--report", tmp_path / "broken.jsonl", "--concurrency", 3)
    assert done.status == 1
    assert "10 items, 2 good, 8 broken." in done.err
    broken = report(tmp_path / "broken.jsonl")
    assert [(item.line, item.error) for item in broken] == [
        (2, "MissingObjectError"),
        (3, "RecordingError"),
        (4, "ImageError"),
        (5, "DatasetFileError"),
        (6, "DatasetFileError"),
        (7, "ManifestLineError"),
        (8, "ManifestLineError"),
        (10, "ManifestLineError"),
    ]
    assert broken[0].source == f"s3://{welds.name}/dataset/none.json"
    assert "is not there" in broken[0].message
    assert set(json.loads((tmp_path / "broken.jsonl").read_text().splitlines()[0])) == {
        "line", "source", "error", "message",
    }  # fmt: skip
    assert "RecordingError" in done.out
    assert "text.csv" in done.out


def test_items_of_other_buckets_than_the_stacks_are_broken(
    command: Command, stack: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "input.manifest"
    path.write_text('{"source": "s3://elsewhere/dataset/1.json"}\n')
    done = command("check", path, "--stack", STACK)
    assert done.status == 1
    assert "BucketError" in done.out


def test_items_that_have_their_label_are_counted_not_read(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "input.manifest"
    labeled = {"source": "s3://none/1.json", "WeldingLabel": {"WeldingClassification": "Good Weld"}}
    path.write_text(json.dumps(labeled) + "\n")
    done = command("check", path)
    assert done.status == 0
    assert "1 item, 0 good, 0 broken, 1 labeled already." in done.err


def test_plots_are_drawn_in_advance_when_asked(command: Command, stack: dict[str, str], welds: Bucket) -> None:
    done = command("check", stack["ManifestS3Path"], "--stack", STACK, "--plots")
    assert (done.status, done.out) == (0, "")
    plots = welds.keys("plots/")
    assert sum(key.endswith(".png") for key in plots) == 21
    assert sum(key.startswith("plots/weld.1.csv-") and key.endswith("-current.png") for key in plots) == 1


def test_what_keeps_the_check_from_starting_is_said(command: Command, welds: Bucket, tmp_path: Path) -> None:
    assert "There is no file 'none.manifest'" in command("check", "none.manifest").err
    assert "There is no manifest at s3://" in command("check", f"s3://{welds.name}/none").err
    missing = command("check", tmp_path / "none", "--job", tmp_path / "none.toml")
    assert missing.status == 2
    assert "the job configuration can't be read" in missing.err


def test_credentials_that_end_stop_the_check(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, welds: Bucket
) -> None:
    """A real S3 answers ExpiredToken; moto's doesn't, so the answer is put into the client."""

    class Expired:
        def get_object(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "The token has expired."}}, "GetObject")

    monkeypatch.setattr(account.AwsAccount, "s3", Expired())
    path = tmp_path / "input.manifest"
    path.write_text('{"source": "s3://welds/1.json"}\n' * 1000)
    done = command("check", path)
    assert done.status == 2
    assert "AWS doesn't accept the credentials (ExpiredToken" in done.err


def test_only_few_lines_are_held_at_once(job: JobConfiguration) -> None:
    taken = 0

    def lines() -> Any:
        nonlocal taken
        for number in range(1, 1001):
            taken += 1
            yield manifest.Line(number, b'{"source": "s3://welds/1.json"}')

    checked = item_checks.check(lines(), job, lambda _: None, concurrency=2)
    assert [next(checked).line for _ in range(5)] == [1, 2, 3, 4, 5]
    assert taken <= 5 + item_checks.AHEAD * 2 + 1
    assert sum(1 for _ in checked) == 995


def test_no_more_bytes_are_in_memory_than_allowed() -> None:
    budget, most, now, lock = ByteBudget(100), 0, 0, threading.Lock()

    def hold(size: int) -> None:
        nonlocal most, now
        with budget.of(size):
            with lock:
                now += min(size, 100)
                most = max(most, now)
            time.sleep(0.002)
            with lock:
                now -= min(size, 100)

    threads = [threading.Thread(target=hold, args=(size,)) for size in (30, 60, 99, 5000, 1, 40) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most <= 100, now) == (True, 0)


def test_a_recording_over_its_limit_is_refused_unread(welds: Bucket, job: JobConfiguration) -> None:
    source = msgspec.structs.replace(job.recordings["sensor_data"], max_bytes=10)
    small = msgspec.structs.replace(job, sources={**job.sources, "sensor_data": source})
    with pytest.raises(Exception, match="at most 10 are allowed"):
        ItemCheck(small, Storage(welds.s3))({"source": f"s3://{welds.name}/dataset/dataset-1.json"})


def test_the_table_shows_the_first_broken_items_and_the_report_all(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "input.manifest"
    path.write_text("{}\n" * 60)
    done = command("check", path)
    assert done.out.count("ManifestLineError") == 1 + 50
    assert "10 broken items more: --report FILE writes all." in done.err
    done = command("check", path, "--report", tmp_path / "broken.jsonl")
    assert f"10 broken items more: {tmp_path / 'broken.jsonl'} has all." in done.err
    assert [item.line for item in report(tmp_path / "broken.jsonl")] == list(range(1, 61))
