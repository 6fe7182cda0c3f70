"""The embedded S3 in a process of its own: what it is given is on the disk, and it comes back whatever ends it."""

import hashlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.s3.s3_process import NotPut, S3Process

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ISSUED = KeyPair("GTSLISSUED0000000000", "its-secret")


class Keys:
    """The workspace's own key pair and another, which can be ended."""

    def __init__(self, workspace: KeyPair) -> None:
        self.known = {workspace.access_key: workspace, ISSUED.access_key: ISSUED}
        self.broken = False

    def find(self, access_key: str) -> KeyPair | None:
        if self.broken:
            raise OSError("the database is down")
        return self.known.get(access_key)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(KeyPair.of_workspace(tmp_path))


@pytest.fixture
def process(tmp_path: Path, keys: Keys) -> Iterator[S3Process]:
    with S3Process(tmp_path, keys) as process:
        yield process


def client_of(process: S3Process, pair: KeyPair, tries: int = 5) -> "S3Client":
    config = Config(signature_version="s3v4", proxies={}, retries={"total_max_attempts": tries, "mode": "standard"})
    return pair.session("eu-west-1").client("s3", endpoint_url=process.endpoint_url, config=config)


@pytest.fixture
def s3(process: S3Process, tmp_path: Path) -> "S3Client":
    client = client_of(process, KeyPair.of_workspace(tmp_path))
    client.create_bucket(Bucket="welds", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_put_over_the_pipe_is_an_object_like_any_other(
    process: S3Process, s3: "S3Client", tmp_path: Path
) -> None:
    process.put("welds", "output/ä b.json", b'{"a": 1}', "application/json")
    assert (tmp_path / "welds" / "output" / "ä b.json").read_bytes() == b'{"a": 1}'
    found = s3.get_object(Bucket="welds", Key="output/ä b.json")
    assert (found["Body"].read(), found["ContentType"]) == (b'{"a": 1}', "application/json")
    assert found["ETag"].strip('"') == hashlib.md5(b'{"a": 1}', usedforsecurity=False).hexdigest()
    process.put("welds", "output/ä b.json", b"2", "text/plain")
    assert s3.get_object(Bucket="welds", Key="output/ä b.json")["Body"].read() == b"2"


def test_what_can_not_be_put_so_is_said(process: S3Process, s3: "S3Client", tmp_path: Path) -> None:
    with pytest.raises(NotPut, match="the bucket nowhere isn't there"):
        process.put("nowhere", "a", b"1", "text/plain")
    s3.put_bucket_encryption(
        Bucket="welds",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        },
    )
    with pytest.raises(NotPut, match="has a say"):
        process.put("welds", "a", b"1", "text/plain")
    assert not (tmp_path / "welds" / "a").exists()
    s3.delete_bucket_encryption(Bucket="welds")
    process.put("welds", "a", b"1", "text/plain")


def test_issued_keys_are_asked_for_and_end_at_once(process: S3Process, s3: "S3Client", keys: Keys) -> None:
    issued = client_of(process, ISSUED, tries=1)
    issued.put_object(Bucket="welds", Key="a", Body=b"1")
    del keys.known[ISSUED.access_key]
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        issued.get_object(Bucket="welds", Key="a")
    keys.broken = True
    with pytest.raises(ClientError, match="50"):  # nobody can tell now: neither let in nor told that it is wrong
        issued.get_object(Bucket="welds", Key="a")
    keys.broken = False
    assert s3.get_object(Bucket="welds", Key="a")["Body"].read() == b"1"


def test_one_that_was_killed_is_started_anew_at_the_same_place(
    process: S3Process, s3: "S3Client", caplog: pytest.LogCaptureFixture
) -> None:
    process.put("welds", "before", b"1", "text/plain")
    url, first = process.endpoint_url, process.process_id
    os.kill(first, signal.SIGKILL)
    assert s3.get_object(Bucket="welds", Key="before")["Body"].read() == b"1"  # who asks meanwhile waits
    wait_until(lambda: process.process_id != first)
    process.put("welds", "after", b"2", "text/plain")
    assert s3.get_object(Bucket="welds", Key="after")["Body"].read() == b"2"
    assert process.endpoint_url == url
    assert "ended with status -9; it is started anew" in caplog.text


def test_while_it_is_away_objects_are_not_put_over_the_pipe(process: S3Process, s3: "S3Client") -> None:
    first = psutil.Process(process.process_id)
    first.suspend()
    first.kill()
    with pytest.raises(NotPut):
        process.put("welds", "a", b"1", "text/plain")
    s3.put_object(Bucket="welds", Key="a", Body=b"1")


def test_ctrl_c_and_sigterm_leave_it_to_who_started_it(process: S3Process, s3: "S3Client") -> None:
    first = process.process_id
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(first, number)
    s3.put_object(Bucket="welds", Key="a", Body=b"1")
    assert process.process_id == first


def test_it_ends_with_who_started_it_however_that_ends(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, time\n"
        "from ground_truth_server.edge.key_pair import KeyPair\n"
        "from ground_truth_server.s3.s3_process import S3Process\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "print(S3Process(folder, KeyPair.of_workspace(folder)).process_id, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_a_folder_that_another_works_in_is_refused(process: S3Process, tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(RuntimeError, match="another local Ground Truth works in"):
        S3Process(tmp_path, keys)
    assert process.process_id


def test_what_it_logs_is_heard_here(
    process: S3Process, s3: "S3Client", tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "welds" / "a").mkdir()
    (tmp_path / "welds" / "a" / "b").write_bytes(b"1")
    s3.put_object(Bucket="welds", Key="c", Body=b"1")
    (record,) = (tmp_path / ".s3" / "welds" / "objects").glob("*.json")
    record.write_text("damaged")
    (tmp_path / "welds" / "c").write_bytes(b"12")
    with caplog.at_level(logging.WARNING):
        assert s3.get_object(Bucket="welds", Key="c")["Body"].read() == b"12"
        wait_until(lambda: "can't be read" in caplog.text)
    assert "ground_truth_server.s3.object_files" in {record.name for record in caplog.records}
    assert process.process_id
