"""Faults of the disk, and people in the bucket's folder: what is served is what is on the disk, and nothing else."""

import json
import os
import resource
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ground_truth_server.s3.storage import EmbeddedS3

BUCKET = "welds-bucket"


class Store:
    """An S3 that is asked once, and can be opened anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open()
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def _open(self) -> None:
        self.server = EmbeddedS3(self.folder)
        once = Config(retries={"total_max_attempts": 1})
        session = self.server.keys.session("eu-west-1")
        self.s3 = session.client("s3", endpoint_url=self.server.endpoint_url, config=once)

    def restart(self) -> None:
        self.server.close()
        self._open()

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def get(self, key: str) -> bytes | None:
        try:
            return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None

    def all(self) -> dict[str, bytes | None]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {found["Key"]: self.get(found["Key"]) for found in listed}

    def file(self, key: str) -> Path:
        return self.folder / BUCKET / key

    def half_written(self) -> list[Path]:
        return list(self.folder.rglob(".writing-*"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "s3")
    yield store
    store.server.close()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that takes no larger file: the kernel's own refusal, which needs no rights."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_refused_object_spoils_nothing(store: Store) -> None:
    store.put("kept", b"old")
    with files_of_at_most(100_000):
        for key in ("kept", "large", "folder/large"):
            with pytest.raises(ClientError, match=r"ServiceUnavailable.*File too large"):
                store.put(key, b"x" * 200_000)
        for number in range(5):
            store.put(f"small-{number}", b"1")
    expected = {"kept": b"old", **{f"small-{number}": b"1" for number in range(5)}}
    assert store.all() == expected
    assert store.half_written() == []
    store.restart()
    assert store.all() == expected


def test_a_list_follows_the_folder(store: Store) -> None:
    for key in ("a", "folder/b", "..", "a/b"):
        store.put(key, key.encode())
    store.file("by hand/here").mkdir(parents=True)
    store.file("by hand/here/weld.csv").write_bytes(b"1,2")
    store.file("a").unlink()
    (store.folder / "elsewhere.csv").write_bytes(b"not in the bucket")
    store.file("link.csv").symlink_to(store.folder / "elsewhere.csv")
    expected = {"folder/b": b"folder/b", "..": b"..", "a/b": b"a/b", "by hand/here/weld.csv": b"1,2"}
    assert store.all() == expected
    assert store.s3.list_objects_v2(Bucket=BUCKET, Prefix="by hand/")["Contents"][0]["Size"] == 3
    store.file("folder/b").unlink()
    store.file("folder").rmdir()
    del expected["folder/b"]
    assert store.all() == expected
    store.restart()
    assert store.all() == expected


def failing(monkeypatch: pytest.MonkeyPatch, nth: int) -> Callable[[], bool]:
    """Let the nth of all steps fail that change the disk; tells whether it came so far."""
    steps = {"left": nth}

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            steps["left"] -= 1
            if steps["left"] == 0:
                raise OSError(28, "No space left on device")
            return step(*arguments, **named)

        return call

    steps_of: dict[object, tuple[str, ...]] = {
        os: ("fsync",),
        tempfile: ("mkstemp",),
        Path: ("replace", "unlink", "mkdir"),
    }
    for owner, names in steps_of.items():
        for name in names:
            monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    return lambda: steps["left"] <= 0


CHANGES: dict[str, Callable[[Store], object]] = {
    "put": lambda store: store.put("new/key", b"new"),
    "overwrite": lambda store: store.put("a", b"new"),
    "delete": lambda store: store.s3.delete_object(Bucket=BUCKET, Key="a"),
    "copy": lambda store: store.s3.copy_object(Bucket=BUCKET, Key="c", CopySource={"Bucket": BUCKET, "Key": "a"}),
    "tag": lambda store: store.s3.put_object_tagging(
        Bucket=BUCKET, Key="a", Tagging={"TagSet": [{"Key": "who", "Value": "me"}]}
    ),
    "setting": lambda store: store.s3.put_bucket_cors(
        Bucket=BUCKET, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    ),
    "bucket": lambda store: store.s3.create_bucket(
        Bucket="another-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    ),
}


def besides(store: Store) -> tuple[list[Any], list[Any]]:
    """The tags of an object, and the bucket's CORS."""
    try:
        tags = store.s3.get_object_tagging(Bucket=BUCKET, Key="a")["TagSet"]
    except ClientError:
        tags = []
    try:
        return tags, store.s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"]
    except ClientError:
        return tags, []


@pytest.mark.parametrize("change", CHANGES)
def test_memory_and_disk_agree_whatever_step_fails(store: Store, change: str) -> None:
    store.put("a", b"old")
    failures = 0
    for nth in range(1, 30):
        with pytest.MonkeyPatch.context() as patch:
            failed = failing(patch, nth)
            refusal = ""
            try:
                CHANGES[change](store)
            except ClientError as error:
                refusal = str(error)
            reached = failed()
        assert reached is ("No space left on device" in refusal)
        found, known = store.all(), besides(store)
        buckets = store.s3.list_buckets()["Buckets"]
        store.restart()
        assert (store.all(), besides(store)) == (found, known)
        assert len(store.s3.list_buckets()["Buckets"]) == len(buckets)
        assert set(found.values()) <= {b"old", b"new"}
        if not refusal:
            break
        failures += 1
    assert not refusal
    assert failures >= 1


def test_a_deleted_file_is_no_object_and_an_edited_one_is_another(store: Store) -> None:
    for key in ("deleted", "edited", "folder/deleted"):
        store.s3.put_object(Bucket=BUCKET, Key=key, Body=b"as written", ChecksumAlgorithm="SHA256")
    before = store.s3.head_object(Bucket=BUCKET, Key="edited")["ETag"]
    store.file("deleted").unlink()
    store.file("folder/deleted").unlink()
    store.file("edited").write_bytes(b"by hand")
    store.file("new.csv").write_bytes(b"1,2")

    assert store.get("deleted") is None
    with pytest.raises(ClientError, match="404"):
        store.s3.head_object(Bucket=BUCKET, Key="folder/deleted")
    found = store.s3.get_object(Bucket=BUCKET, Key="edited", ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["ContentLength"]) == (b"by hand", 7)
    assert found["ETag"] != before
    assert store.get("new.csv") == b"1,2"
    store.s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "edited"})
    assert store.get("copy") == b"by hand"


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[1]", b'{"key": 1}', b'{"key": "b", "file": "../../x"}', b"[" * 100_000]
)
def test_a_damaged_record_is_named_and_set_aside(store: Store, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    store.put("a", b"bytes")
    store.put("b", b"more")
    (record,) = [p for p in store.folder.glob(f".s3/{BUCKET}/objects/*") if json.loads(p.read_bytes())["key"] == "a"]
    record.write_bytes(damage)
    store.restart()
    assert store.all() == {"a": b"bytes", "b": b"more"}
    assert str(record) in caplog.text
    assert record.with_suffix(".damaged").read_bytes() == damage


def test_links_lead_nowhere(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.file("linked").symlink_to(outside)
    store.file("link").symlink_to(outside / "secret")
    assert store.get("linked/secret") is None
    assert store.get("link") is None
    for key in ("linked/new", "linked/secret", "link"):
        store.put(key, b"mine")
        assert store.get(key) == b"mine"
    store.restart()
    assert store.all() == dict.fromkeys(("linked/new", "linked/secret", "link"), b"mine")
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"secret": b"secret"}


def test_a_folder_that_becomes_a_link_leads_nowhere_either(store: Store, tmp_path: Path) -> None:
    store.put("d/x", b"inside")
    store.file("d").rename(tmp_path / "elsewhere")
    store.file("d").symlink_to(tmp_path / "elsewhere")
    assert store.get("d/x") is None
    store.put("d/x", b"new")
    assert store.get("d/x") == b"new"
    store.s3.delete_object(Bucket=BUCKET, Key="d/x")
    assert store.get("d/x") is None
    assert (tmp_path / "elsewhere" / "x").read_bytes() == b"inside"


def test_a_second_server_meets_the_lock_before_it_touches_anything(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = store.file(".writing-by-the-first")
    half.write_bytes(b"half")
    # In one process a lock of its own comes first; without it this is what a second process meets.
    monkeypatch.setattr(EmbeddedS3, "_open", threading.Lock())
    with pytest.raises(RuntimeError, match="another local Ground Truth works in"):
        EmbeddedS3(store.folder)
    assert half.read_bytes() == b"half"


KEYS = st.sampled_from(["a", "b", "a/b", "folder/c", "..", "x//y"])
STEPS = st.one_of(
    st.tuples(st.just("put"), KEYS, st.binary(max_size=8)),
    st.tuples(st.just("delete"), KEYS, st.none()),
    st.tuples(st.just("copy"), KEYS, KEYS),
    st.tuples(st.just("by hand"), st.sampled_from(["a", "hand.txt"]), st.binary(max_size=8)),
    st.tuples(st.just("removed by hand"), KEYS, st.none()),
    st.tuples(st.just("refused"), KEYS, st.none()),
    st.tuples(st.just("restart"), st.just(""), st.none()),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=15))
def test_it_is_a_mapping_whatever_happens(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    store = Store(tmp_path_factory.mktemp("s3"))
    model: dict[str, bytes] = {}
    try:
        for step in steps:
            apply(store, model, *step)
            assert {key: store.get(key) for key in model} == model
        assert store.all() == model
        store.restart()
        assert store.all() == model
    finally:
        store.server.close()


def apply(store: Store, model: dict[str, bytes], kind: str, key: str, value: Any) -> None:
    """Do a step on the store and on a dictionary."""
    match kind:
        case "put":
            store.put(key, value)
            model[key] = value
        case "delete":
            store.s3.delete_object(Bucket=BUCKET, Key=key)
            model.pop(key, None)
        case "copy" if value in model and value != key:
            store.s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": value}, Metadata={})
            model[key] = model[value]
        case "by hand" if store.file(key).parent.is_dir() and not store.file(key).is_dir():
            store.file(key).write_bytes(value + b"!")
            if store.get(key) == value + b"!":  # a key that lies elsewhere, since a folder had its name, stays there
                model[key] = value + b"!"
        case "removed by hand" if store.file(key).is_file() and store.get(key) == store.file(key).read_bytes():
            store.file(key).unlink()
            if store.get(key) is None:
                model.pop(key, None)
        case "refused":
            with files_of_at_most(100_000), pytest.raises(ClientError):
                store.put(key, b"x" * 200_000)
        case "restart":
            store.restart()
