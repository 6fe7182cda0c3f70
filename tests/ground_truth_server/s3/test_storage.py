import base64
import http.client
import io
import json
import os
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
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


def test_a_list_below_a_prefix_sees_what_was_done_there_by_hand(storage: Restartable) -> None:
    for key in ("plots/a", "plots/b", "plotted", "other/c"):
        storage.client.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    top = storage.folder / BUCKET
    (top / "plots" / "a").unlink()
    (top / "plots" / "by hand").write_bytes(b"22")
    (top / "plots" / "deep").mkdir()
    (top / "plots" / "deep" / "d").write_bytes(b"333")
    (top / "pl by hand").write_bytes(b"4")
    elsewhere = storage.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret").write_bytes(b"5")
    (top / "link").symlink_to(elsewhere)

    def listed(prefix: str) -> dict[str, int]:
        found = storage.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {one["Key"]: one["Size"] for one in found}

    assert listed("plots/") == {"plots/b": 1, "plots/by hand": 2, "plots/deep/d": 3}
    assert listed("plots/by") == {"plots/by hand": 2}
    assert listed("pl") == {"plots/b": 1, "plots/by hand": 2, "plots/deep/d": 3, "plotted": 1, "pl by hand": 1}
    for prefix in ("link/", "link/../", "../", "/", "plots/../other/", "nowhere/"):
        assert listed(prefix) == {}, prefix
    assert set(listed("")) == {"plots/b", "plots/by hand", "plots/deep/d", "plotted", "pl by hand", "other/c"}


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


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=10-19", 206, 10, 19),
        ("bytes=0-0", 206, 0, 0),
        ("bytes=-7", 206, 993, 999),
        ("bytes=-5000", 206, 0, 999),
        ("bytes=990-", 206, 990, 999),
        ("bytes=990-5000", 206, 990, 999),
        ("bytes=1-2,5-6", 200, 0, 999),
        ("bytes=x", 200, 0, 999),
        ("lines=1-2", 206, 1, 2),  # as moto has it
    ],
)
def test_a_part_of_an_object_is_that_of_its_file(
    storage: Restartable, asked: str, status: int, first: int, last: int
) -> None:
    body = os.urandom(1000)
    storage.client.put_object(Bucket=BUCKET, Key="a", Body=body, ContentType="audio/wav", Metadata={"welder": "7"})
    found = storage.client.get_object(Bucket=BUCKET, Key="a", Range=asked)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status
    assert found["Body"].read() == body[first : last + 1]
    assert (found["ContentType"], found["Metadata"]) == ("audio/wav", {"welder": "7"})
    assert found["ETag"] == storage.client.head_object(Bucket=BUCKET, Key="a")["ETag"]
    assert found.get("ContentRange") == (f"bytes {first}-{last}/1000" if status == 206 else None)


def test_a_part_that_is_not_there_and_one_of_another_version_are_refused(storage: Restartable) -> None:
    storage.client.put_object(Bucket=BUCKET, Key="a", Body=b"0123456789")
    with pytest.raises(ClientError, match="InvalidRange"):
        storage.client.get_object(Bucket=BUCKET, Key="a", Range="bytes=10-12")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        storage.client.get_object(Bucket=BUCKET, Key="a", Range="bytes=1-2", IfMatch='"other"')
    with pytest.raises(ClientError, match="NoSuchKey"):
        storage.client.get_object(Bucket=BUCKET, Key="b", Range="bytes=1-2")
    storage.client.put_object(Bucket=BUCKET, Key="archived", Body=b"0123456789", StorageClass="GLACIER")
    with pytest.raises(ClientError, match="InvalidObjectState"):
        storage.client.get_object(Bucket=BUCKET, Key="archived", Range="bytes=1-2")


def test_a_part_of_a_large_object_takes_the_memory_of_the_part(storage: Restartable) -> None:
    size = 300_000_000
    with (storage.folder / BUCKET / "large").open("wb") as file:
        file.truncate(size)
        file.seek(200_000_000)
        file.write(b"here")
    storage.client.head_object(Bucket=BUCKET, Key="large")
    tracemalloc.start()
    try:
        found = storage.client.get_object(Bucket=BUCKET, Key="large", Range="bytes=199999999-200000004")
        assert found["Body"].read() == b"\0here\0"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


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


ORIGIN = "https://pages.example"


def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """The answer to a request without a client's help: its status, headers and body."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=names, method=method)) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


@pytest.fixture
def link(storage: Restartable) -> str:
    storage.client.put_object(Bucket=BUCKET, Key="plots/a plot.png", Body=b"png", ContentType="image/png")
    return storage.client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "plots/a plot.png"})


def allow(storage: Restartable, *origins: str, headers: Sequence[str] = ()) -> None:
    rule: CORSRuleTypeDef = {
        "AllowedMethods": ["GET"],
        "AllowedOrigins": list(origins),
        "AllowedHeaders": list(headers),
        "ExposeHeaders": ["ETag"],
    }
    storage.client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})


@pytest.mark.parametrize(
    ("origins", "origin", "answered"),
    [
        ((), ORIGIN, None),
        (("*",), ORIGIN, "*"),
        (("*",), "null", "*"),  # a page in a sandboxed frame
        (("https://*.example",), ORIGIN, ORIGIN),
        ((ORIGIN,), ORIGIN, ORIGIN),
        (("https://other.example", "http://pages.example"), ORIGIN, None),
        (("https://*.example",), "https://pages.example.evil", None),
    ],
)
def test_a_page_reads_what_the_buckets_own_cors_lets_it(
    storage: Restartable, link: str, origins: tuple[str, ...], origin: str, answered: str | None
) -> None:
    if origins:
        allow(storage, *origins)
    status, headers, body = ask(link, Origin=origin)
    assert (status, body, headers["content-type"]) == (200, b"png", "image/png")
    assert headers.get("access-control-allow-origin") == answered
    assert headers.get("access-control-expose-headers") == (None if answered is None else "ETag")


@pytest.mark.parametrize(
    ("method", "asked", "status"), [("GET", "", 200), ("GET", "Range", 200), ("PUT", "", 403), ("GET", "X-Own", 403)]
)
def test_a_preflight_is_answered_by_the_rules(
    storage: Restartable, link: str, method: str, asked: str, status: int
) -> None:
    allow(storage, ORIGIN, headers=["range"])
    more = {"Access_Control_Request_Headers": asked} if asked else {}
    found = ask(link, "OPTIONS", Origin=ORIGIN, Access_Control_Request_Method=method, **more)
    assert found[0] == status
    assert found[1].get("access-control-allow-origin") == (ORIGIN if status == 200 else None)


def test_what_is_not_signed_is_refused(storage: Restartable, link: str) -> None:
    plain = link.partition("?")[0]
    bucket = plain.partition("/plots")[0]
    tries = [
        (plain, "GET"), (f"{plain}?Signature=x", "GET"), (bucket, "GET"), (f"{bucket}?delete", "POST"), (plain, "PUT"),
        (plain, "DELETE"), (f"{plain}?X-Amz-Signature=x&X-Amz-Expires=60", "GET"), (link, "DELETE"), (link, "PUT"),
        (link.replace("a%20plot", "b%20plot"), "GET"),
    ]  # fmt: skip
    for url, method in tries:
        assert ask(url, method, Origin="https://evil.example")[0] == 403, (url, method)
    assert storage.read("plots/a plot.png") == b"png"
    assert b"AccessDenied" in ask(plain)[2]


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize("header", ["x-amz-copy-source", "X_Amz_Copy_Source", "x-amz_copy-source"])
def test_a_link_writes_nothing_but_what_it_was_made_for(storage: Restartable, version: str, header: str) -> None:
    storage.client.put_object(Bucket=BUCKET, Key="secret", Body=b"secret")
    s3 = storage.server.keys.session("us-east-1").client(
        "s3", endpoint_url=storage.server.endpoint_url, config=Config(signature_version=version)
    )
    link = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "upload"})
    place, _, target = link.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(place)
    connection.request("PUT", f"/{target}", headers={header: f"/{BUCKET}/secret"})
    connection.getresponse()
    connection.close()
    assert storage.all_keys() & {"upload"} == set() or storage.read("upload") == b""
    status, _, _ = ask(link, "PUT")
    assert (status, storage.read("upload")) == (200, b"")


@pytest.mark.parametrize("host", ["s3.plant.example", "s3.localhost:8443", "bucket.s3.plant.example"])
def test_a_host_name_with_dots_names_no_bucket(tmp_path: Path, host: str) -> None:
    with EmbeddedS3(tmp_path, origins=[f"https://{host}"]) as server:
        client = s3_client(server)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        client.put_object(Bucket=BUCKET, Key="weld.csv", Body=b"1;2")
        url = f"{server.endpoint_url}/{BUCKET}/weld.csv"
        request = AWSRequest("GET", url, headers={"Host": host})
        S3SigV4Auth(server.keys.credentials, "s3", "eu-west-1").add_auth(request)
        assert ask(url, **dict(request.headers.items()))[::2] == (200, b"1;2")


@pytest.mark.parametrize("bucket", ["..", "../out", ".s3", ".ground-truth"])
def test_a_bucket_name_that_is_a_path_is_refused(storage: Restartable, bucket: str) -> None:
    request = AWSRequest("PUT", f"{storage.server.endpoint_url}/{quote(bucket, safe='')}")
    S3SigV4Auth(storage.server.keys.credentials, "s3", "eu-west-1").add_auth(request)
    status, _, body = ask(
        str(request.url), "PUT", **{name.replace("-", "_"): str(v) for name, v in request.headers.items()}
    )
    assert (status, b"InvalidBucketName" in body) == (400, True)


def test_a_key_over_the_limit_is_refused_as_by_s3(storage: Restartable) -> None:
    storage.client.put_object(Bucket=BUCKET, Key="ü" * 512, Body=b"1024 bytes")
    with pytest.raises(ClientError, match="KeyTooLongError"):
        storage.client.put_object(Bucket=BUCKET, Key="ü" * 512 + "x", Body=b"1025 bytes")
    assert storage.all_keys() == {"ü" * 512}


def test_versions_are_refused_rather_than_lost(storage: Restartable) -> None:
    with pytest.raises(ClientError, match="latest version only"):
        storage.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        storage.client.put_object(Bucket=BUCKET, Key="a", Body=body)
    versions = storage.client.list_object_versions(Bucket=BUCKET)["Versions"]
    assert [(found["Key"], found["IsLatest"]) for found in versions] == [("a", True)]


def test_a_workspace_in_which_versions_were_switched_on_still_opens(storage: Restartable) -> None:
    storage.client.put_object(Bucket=BUCKET, Key="a", Body=b"one")
    settings = storage.folder / ".s3" / BUCKET / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    body = base64.b64encode(b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>").decode()
    (settings / "versioning.json").write_text(json.dumps({"QUERY_STRING": "versioning", "body": body}))
    storage.restart()
    storage.client.put_object(Bucket=BUCKET, Key="a", Body=b"two")
    assert storage.read("a") == b"two"
    storage.restart()
    assert storage.read("a") == b"two"


def test_a_second_one_in_the_process_is_refused(storage: Restartable) -> None:
    with pytest.raises(RuntimeError, match="close it first"):
        EmbeddedS3(storage.folder)


def _files(folder: Path) -> list[str]:
    """What lies there but the key pair and the lock."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return sorted(found - {".ground-truth/credentials", ".s3/lock"})
