"""Where plots lie: the article's keys, and never one key for two recordings."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from labeling import plots
from labeling.job import load_configured
from labeling.panels import Gap, Level, PlotArea, PlotData
from labeling.plots import DataFile, Plot, PlotRecord
from labeling.storage import S3Uri, Storage

from tests.conftest import Bucket

SOURCE = load_configured({}).recordings["sensor_data"]

AREA = PlotArea(begin=1.5, end=9.0, duration=10.0, low=-1.0, high=2.5, left=0.1, right=0.95, top=0.1, bottom=0.8)


def name(key: str, bucket: str = "b") -> str:
    return plots.plots_uri(S3Uri(bucket, key), SOURCE, "b", "0123456789abcdef-and-more").key.removesuffix(
        "-0123456789abcdef"
    )


def test_the_key_is_the_article_s() -> None:
    assert name("sensor_data/weld.1.csv") == "plots/weld.1.csv"
    assert name("sensor_data/Schweißnaht (2) 07.csv") == "plots/Schweißnaht (2) 07.csv"


def test_recordings_of_one_name_have_plots_of_their_own() -> None:
    names = {
        name("sensor_data/weld.1.csv"),
        name("sensor_data/line2/weld.1.csv"),
        name("line2/weld.1.csv"),
        name("weld.1.csv"),
        name("sensor_data/weld.1.csv", bucket="c"),
        name("sensor_data/@b/weld.1.csv"),
    }
    assert len(names) == 6


def test_a_hostile_name_stays_in_the_folder() -> None:
    assert name("sensor_data/../../etc/passwd") == "plots/%2E%2E/%2E%2E/etc/passwd"
    assert name("sensor_data//a\n<b>&.csv") == "plots/%/a%0A%3Cb%3E%26.csv"
    assert len(name("sensor_data/" + "ß" * 1000)) < 900


@given(st.text(min_size=1), st.text(min_size=1), st.sampled_from("bc"), st.sampled_from("bc"))
def test_two_recordings_never_share_a_name(one: str, other: str, bucket_one: str, bucket_other: str) -> None:
    assume((one, bucket_one) != (other, bucket_other))
    for prefix in ("sensor_data/", ""):
        assert name(prefix + one, bucket_one) != name(prefix + other, bucket_other)


def test_the_fingerprint_knows_recording_configuration_and_renderer() -> None:
    titled = msgspec.structs.replace(SOURCE, title="Another")
    prints = {
        plots.fingerprint({"a": "etag"}, {"a": SOURCE}, "1"),
        plots.fingerprint({"a": "gate"}, {"a": SOURCE}, "1"),
        plots.fingerprint({"a": "etag"}, {"a": titled}, "1"),
        plots.fingerprint({"a": "etag"}, {"a": SOURCE}, "2"),
        plots.fingerprint({"a": "etag", "b": "etag"}, {"a": SOURCE, "b": SOURCE}, "1"),
    }
    assert len(prints) == 5
    assert plots.fingerprint({"a": "etag"}, {"a": SOURCE}, "1") in prints


def test_a_record_is_kept_and_the_plots_are_looked_for(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(bucket.s3)
    kept = plots.record_uri(S3Uri(bucket.name, "dataset/dataset-1.json"), bucket.name)
    assert kept.key == "plots/dataset/dataset-1.json.record"
    assert plots.read_record(kept, storage) is None
    etag = storage.write(S3Uri(bucket.name, "plots/weld.1.csv-current.png"), b"png", "image/png")
    plot = Plot("current", "plots/weld.1.csv-current.png", etag, "alt", AREA, 0, "plots/weld.1.csv-data.bin", ("note",))
    numbers = storage.write(S3Uri(bucket.name, "plots/weld.1.csv-data.bin"), b"numbers", "application/octet-stream")
    layout = PlotData(3, 1024, (Level(0, 10, 1),), (Gap(1.0, 2.0),))
    record = PlotRecord("f", 2, (plot,), (DataFile("plots/weld.1.csv-data.bin", numbers, layout),))
    plots.write_record(kept, record, storage)
    assert plots.read_record(kept, storage) == record
    uris = [S3Uri(bucket.name, "plots/weld.1.csv")]
    assert plots.are_there(uris, record, storage)
    monkeypatch.setattr(plots, "REUSED_FOR", timedelta(seconds=-60))  # soon too old to be shown for days
    assert not plots.are_there(uris, record, storage)
    monkeypatch.undo()
    for key, right in (("plots/weld.1.csv-current.png", b"png"), ("plots/weld.1.csv-data.bin", b"numbers")):
        bucket.put(key, b"another")
        assert not plots.are_there(uris, record, storage)
        bucket.put(key, right)
    assert plots.are_there(uris, record, storage)


def test_items_of_other_buckets_have_records_of_their_own() -> None:
    uris = {plots.record_uri(S3Uri(bucket, "dataset/d.json"), "b").key for bucket in "bc"}
    assert len(uris) == 2


def test_a_record_that_cannot_be_read_is_none(bucket: Bucket) -> None:
    bucket.put("plots/d.json", b"{")
    assert plots.read_record(S3Uri(bucket.name, "plots/d.json"), Storage(bucket.s3)) is None
