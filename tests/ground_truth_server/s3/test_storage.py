import io
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from ground_truth_server.s3.storage import EmbeddedS3
from tests.ground_truth_server.engine.labeling import BUCKET, s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

HOSTILE_KEYS = [
    "..",
    "../outside",
    "a/../../outside",
    "/from/the/root",
    "a//b",
    "./a",
    "ends/with/",
    "x" * 300,
    "/".join(["long"] * 200),
    "space, ü, + and %2F.txt",
    "back\\slash",
]


class Restartable:
    """An S3 that can be closed and opened again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = EmbeddedS3(folder)
        self.client = s3_client(self.server)
        self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def restart(self) -> "S3Client":
        self.server.close()
        self.server = EmbeddedS3(self.folder)
        self.client = s3_client(self.server)
        return self.client

    def all_keys(self) -> set[str]:
        return {found["Key"] for found in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])}

    def read(self, key: str) -> bytes:
        return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Restartable]:
    storage = Restartable(tmp_path / "s3")
    yield storage
    storage.server.close()


def test_an_object_lies_at_the_plain_path_of_its_key(storage: Restartable) -> None:
    storage.client.put_object(Bucket=BUCKET, Key="output/job/output.manifest", Body=b"{}")

    assert (storage.folder / BUCKET / "output/job/output.manifest").read_bytes() == b"{}"


def test_a_restart_finds_an_object_with_all_that_belongs_to_it(storage: Restartable) -> None:
    storage.client.put_object(
        Bucket=BUCKET,
        Key="a.json",
        Body=b"{}",
        ContentType="application/json",
        CacheControl="no-store",
        Metadata={"made-by": "plots"},
        Tagging="kind=plot",
    )
    before = storage.client.head_object(Bucket=BUCKET, Key="a.json")

    after = storage.restart().head_object(Bucket=BUCKET, Key="a.json")

    for name in ("ETag", "ContentLength", "ContentType", "CacheControl", "Metadata", "LastModified"):
        assert after[name] == before[name], name
    assert storage.read("a.json") == b"{}"
    tags = storage.client.get_object_tagging(Bucket=BUCKET, Key="a.json")["TagSet"]
    assert tags == [{"Key": "kind", "Value": "plot"}]


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_a_hostile_key_stays_inside_the_folder_and_survives(storage: Restartable, key: str) -> None:
    storage.client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())

    storage.restart()

    assert storage.all_keys() == {key}
    assert storage.read(key) == key.encode()
    assert [p.name for p in storage.folder.parent.iterdir()] == [storage.folder.name]
    storage.client.delete_object(Bucket=BUCKET, Key=key)
    assert _files(storage.folder) == []


def test_a_key_can_be_the_folder_of_another(storage: Restartable) -> None:
    for key in ("a/b", "a", "a/b/c"):
        storage.client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    storage.client.delete_object(Bucket=BUCKET, Key="a/b")
    storage.client.put_object(Bucket=BUCKET, Key="a", Body=b"again")

    storage.restart()

    assert {key: storage.read(key) for key in storage.all_keys()} == {"a": b"again", "a/b/c": b"a/b/c"}


def test_overwritten_deleted_and_copied_objects_are_so_after_a_restart(storage: Restartable) -> None:
    client = storage.client
    for key in ("one", "two", "three", "folder/four"):
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    client.put_object(Bucket=BUCKET, Key="one", Body=b"new")
    client.delete_object(Bucket=BUCKET, Key="two")
    client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "three"}, {"Key": "folder/four"}]})
    client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "one"})
    assert not (storage.folder / BUCKET / "folder").exists()

    storage.restart()

    assert {key: storage.read(key) for key in storage.all_keys()} == {"one": b"new", "copy": b"new"}


def test_an_upload_in_parts_is_one_file(storage: Restartable) -> None:
    body = os.urandom(9_000_000)
    storage.client.upload_fileobj(io.BytesIO(body), BUCKET, "recordings/weld.csv")
    before = storage.client.head_object(Bucket=BUCKET, Key="recordings/weld.csv")["ETag"]
    assert before.endswith('-2"')

    storage.restart()

    assert storage.read("recordings/weld.csv") == body
    assert storage.client.head_object(Bucket=BUCKET, Key="recordings/weld.csv")["ETag"] == before
    part = storage.client.get_object(Bucket=BUCKET, Key="recordings/weld.csv", Range="bytes=10-19")
    assert part["Body"].read() == body[10:20]


def test_a_file_put_into_the_folder_by_hand_is_an_object(storage: Restartable) -> None:
    folder = storage.folder / BUCKET / "images"
    folder.mkdir(parents=True)
    (folder / "weld.png").write_bytes(b"png")

    storage.restart()

    found = storage.client.get_object(Bucket=BUCKET, Key="images/weld.png")
    assert (found["Body"].read(), found["ContentType"]) == (b"png", "image/png")


def test_a_file_changed_by_hand_gets_a_new_etag(storage: Restartable) -> None:
    storage.client.put_object(Bucket=BUCKET, Key="a.txt", Body=b"old", Metadata={"who": "me"})
    before = storage.client.head_object(Bucket=BUCKET, Key="a.txt")
    (storage.folder / BUCKET / "a.txt").write_bytes(b"newer")

    after = storage.restart().head_object(Bucket=BUCKET, Key="a.txt")

    assert after["ETag"] != before["ETag"]
    assert (after["ContentLength"], after["Metadata"]) == (5, {"who": "me"})


def test_what_a_crash_left_half_written_is_no_object(storage: Restartable) -> None:
    (storage.folder / BUCKET / ".writing-abc").write_bytes(b"hal")

    storage.restart()

    assert storage.all_keys() == set()
    assert _files(storage.folder) == []


def test_buckets_and_their_settings_survive(storage: Restartable) -> None:
    rule: CORSRuleTypeDef = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["ETag"]}
    storage.client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    for name in ("kept", "removed"):
        storage.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    storage.client.delete_bucket(Bucket="removed")

    client = storage.restart()

    assert {found["Name"] for found in client.list_buckets()["Buckets"]} == {BUCKET, "kept"}
    assert client.get_bucket_cors(Bucket=BUCKET)["CORSRules"] == [rule]
    client.delete_bucket_cors(Bucket=BUCKET)
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        storage.restart().get_bucket_cors(Bucket=BUCKET)


def test_a_page_of_any_origin_reads_a_presigned_url(storage: Restartable) -> None:
    storage.client.put_object(Bucket=BUCKET, Key="plots/a plot.png", Body=b"png", ContentType="image/png")
    url = storage.client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "plots/a plot.png"})

    request = urllib.request.Request(url, headers={"Origin": "http://127.0.0.1:1234"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == b"png"
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", "http://127.0.0.1:1234")


def test_a_bucket_name_that_is_a_path_is_refused(storage: Restartable) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(urllib.request.Request(f"{storage.server.endpoint_url}/..%2Fout", method="PUT"))
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(urllib.request.Request(f"{storage.server.endpoint_url}/.s3", method="PUT"))


def test_a_second_one_in_the_process_is_refused(storage: Restartable) -> None:
    with pytest.raises(RuntimeError, match="close it first"):
        EmbeddedS3(storage.folder)


def _files(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
