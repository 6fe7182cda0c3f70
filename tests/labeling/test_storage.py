"""S3 as the functions use it: errors that say what to do, and faults that pass are waited out."""

import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

import boto3
import pytest
from botocore.config import Config
from labeling.errors import (
    AccessError,
    BucketError,
    DamagedObjectError,
    LabelingError,
    MissingObjectError,
    ObjectTooLargeError,
    StorageError,
)
from labeling.storage import CLIENT_CONFIG, S3Uri, Storage

from tests.conftest import Bucket


@pytest.fixture
def storage(bucket: Bucket) -> Storage:
    return Storage(bucket.s3, {bucket.name})


def test_what_is_written_is_read(storage: Storage, bucket: Bucket) -> None:
    uri = S3Uri(bucket.name, "a folder/Schweißnaht 1.csv")
    etag = storage.write(uri, b"1,2\n", "text/csv")
    assert storage.read(uri, 4) == b"1,2\n"
    assert storage.open(uri).etag == etag
    assert storage.etags(S3Uri(bucket.name, "a folder/"), datetime.fromtimestamp(0, UTC)) == {uri.key: etag}


@pytest.mark.parametrize(
    "text", ["", "s3://", "s3://b", "s3://b/", "http://b/k", "/b/k", "s3:/b/k", "s3://b/a\nb", "s3:///k"]
)
def test_what_is_no_s3_uri_is_refused(text: str) -> None:
    with pytest.raises(BucketError, match="expected s3://BUCKET/KEY"):
        S3Uri.parse(text)


def test_a_uri_is_taken_as_it_is_written() -> None:
    for key in ("a%20b/c?d#e+f g", "溶接\u30001.csv", "Bildschirmfoto 10.00\u202fUhr.png", "a\u00a0b\u00adc"):
        assert S3Uri.parse(f"s3://b/{key}") == ("b", key)


def test_a_missing_object_is_named(storage: Storage, bucket: Bucket) -> None:
    with pytest.raises(MissingObjectError, match=f"s3://{bucket.name}/none.csv is not there"):
        storage.open(S3Uri(bucket.name, "none.csv"))


def test_a_missing_bucket_is_named(bucket: Bucket) -> None:
    with pytest.raises(MissingObjectError, match="s3://no-such-bucket-here/k is not there"):
        Storage(bucket.s3).open(S3Uri("no-such-bucket-here", "k"))


def test_another_bucket_is_refused_before_s3_is_asked(storage: Storage, bucket: Bucket) -> None:
    with pytest.raises(BucketError, match=f"s3://elsewhere/k is in another bucket.*allowed: {bucket.name}"):
        storage.open(S3Uri("elsewhere", "k"))


def test_an_object_over_its_size_is_refused_unread(storage: Storage, bucket: Bucket) -> None:
    bucket.put("large.csv", b"x" * 2_000)
    with pytest.raises(ObjectTooLargeError, match=r"has 2,000 bytes; at most 1,000 .*max_bytes"):
        storage.read(S3Uri(bucket.name, "large.csv"), 1_000)


def test_the_beginning_of_an_empty_object_is_an_error(storage: Storage, bucket: Bucket) -> None:
    bucket.put("empty.png", b"")
    with pytest.raises(MissingObjectError, match=r"empty\.png is empty"):
        storage.open(S3Uri(bucket.name, "empty.png"), first_bytes=16)


class FaultyS3(http.server.BaseHTTPRequestHandler):
    """A server that answers as S3 does on a bad day; moto has no bad days."""

    faults: ClassVar[list[str]] = []
    calls: ClassVar[int] = 0
    ranges: ClassVar[list[str | None]] = []
    body = b"1,2,3\n" * 100

    def do_GET(self) -> None:
        type(self).calls += 1
        self.ranges.append(self.headers.get("Range"))
        fault = self.faults.pop(0) if self.faults else "none"
        if fault in ("SlowDown", "InternalError", "AccessDenied"):
            status = {"SlowDown": 503, "InternalError": 500, "AccessDenied": 403}[fault]
            self.answer(status, f"<Error><Code>{fault}</Code><Message>no</Message></Error>".encode())
        elif fault == "checksum":
            self.answer(200, self.body, checksum="AAAAAA==")
        else:
            self.answer(200, self.body, send=10 if fault == "broken off" else len(self.body))

    def answer(self, status: int, body: bytes, send: int | None = None, checksum: str = "") -> None:
        self.send_response(status)
        if checksum:
            self.send_header("x-amz-checksum-crc32", checksum)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"one"')
        self.end_headers()
        self.wfile.write(body[:send])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def faulty() -> Iterator[Storage]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FaultyS3)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    FaultyS3.calls = 0
    FaultyS3.faults = []
    FaultyS3.ranges = []
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.server_port}", config=CLIENT_CONFIG)
    yield Storage(client)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("fault", ["SlowDown", "InternalError", "broken off", "checksum"])
def test_a_passing_fault_is_waited_out(faulty: Storage, fault: str) -> None:
    FaultyS3.faults = [fault, fault]
    assert faulty.read(S3Uri("b", "k"), 10_000) == FaultyS3.body
    assert FaultyS3.calls == 3


def test_only_the_beginning_is_asked_for_again(faulty: Storage) -> None:
    FaultyS3.faults = ["broken off"]
    faulty.open(S3Uri("b", "k"), first_bytes=64).read(10_000)
    assert FaultyS3.ranges == ["bytes=0-63"] * 2


def test_refused_access_fails_at_once_and_says_what_to_allow(faulty: Storage) -> None:
    FaultyS3.faults = ["AccessDenied"]
    with pytest.raises(AccessError, match=r"s3://b/k: S3 refuses access .*allow GetObject"):
        faulty.read(S3Uri("b", "k"), 10_000)
    assert FaultyS3.calls == 1


def test_a_body_that_always_breaks_off_is_an_error(faulty: Storage) -> None:
    FaultyS3.faults = ["broken off"] * 9
    with pytest.raises(StorageError, match="broke off 3 times"):
        faulty.read(S3Uri("b", "k"), 10_000)


def test_bytes_that_never_fit_their_checksum_are_one_item_s_trouble(faulty: Storage) -> None:
    FaultyS3.faults = ["checksum"] * 9
    with pytest.raises(DamagedObjectError, match=r"s3://b/k: its bytes aren't those .* upload it again"):
        faulty.read(S3Uri("b", "k"), 10_000)
    assert FaultyS3.calls == 3


def test_a_body_is_read_line_by_line(faulty: Storage) -> None:
    assert list(faulty.open(S3Uri("b", "k")).lines()) == [b"1,2,3"] * 100


def test_a_body_that_breaks_off_between_lines_is_an_error(faulty: Storage) -> None:
    FaultyS3.faults = ["broken off"]
    with pytest.raises(StorageError, match="s3://b/k: S3 broke off"):
        list(faulty.open(S3Uri("b", "k")).lines())


def test_a_server_that_is_not_there_is_an_error_of_s3() -> None:
    once = CLIENT_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
    client = boto3.client("s3", endpoint_url="http://127.0.0.1:9", config=once)
    with pytest.raises(LabelingError, match="s3://b/k: S3 can't be reached"):
        Storage(client).open(S3Uri("b", "k"))
