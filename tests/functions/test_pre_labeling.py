"""The pre-labeling handler: what is drawn again and what isn't, what is logged, and what bad input leads to."""

import io
import json
import struct
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from labeling.errors import (
    AccessError,
    BucketError,
    DatasetFileError,
    EventError,
    ImageError,
    ItemError,
    MissingObjectError,
    ObjectTooLargeError,
)
from labeling.job import JobConfiguration, load_configured
from labeling.pre_labeling import Drawing, PreLabeling, RecordingFile
from labeling.reference import ReferenceFile
from labeling.sources import Derived
from labeling.storage import Storage
from PIL import Image
from plotting.errors import RecordingError
from plotting.panels import Drawn

from tests.conftest import ARN, Bucket
from tests.functions.conftest import Handler

JOB = load_configured({})
STRICT = msgspec.structs.replace(JOB, broken_items="fail")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


def recording(rows: int = 200) -> bytes:
    time = np.arange(rows)
    lines = np.column_stack([time, time * 0.01, 170 + np.sin(time), 21 + np.cos(time), time * 0])
    return "\n".join(",".join(f"{value:.3f}" for value in line) for line in lines).encode()


def put_item(
    bucket: Bucket, csv: bytes | None, key: str = "sensor_data/weld.1.csv", image: bytes = PNG
) -> dict[str, Any]:
    """Stores an item and gives its event."""
    if csv is not None:
        bucket.put(key, csv)
    sources = {"sensor_data": f"s3://{bucket.name}/{key}", "image": bucket.put("images/weld.1.png", image)}
    return event(bucket.put("dataset/dataset-1.json", {name: {"s3Path": uri} for name, uri in sources.items()}))


def event(source: str) -> dict[str, Any]:
    return {"version": "2018-10-16", "labelingJobArn": ARN, "dataObject": {"source": source}}


@pytest.fixture
def strict(bucket: Bucket, pre_labeling: Handler) -> Iterator[PreLabeling]:
    """The handler's own parts, with a job that fails on a broken item, in one bucket."""
    from functions.pre_labeling import app  # noqa: PLC0415 - imported by the handler's fixture

    with ThreadPoolExecutor(4) as pool:
        yield with_job(bucket, pool, app.pre_labeling, STRICT)


def with_job(bucket: Bucket, pool: ThreadPoolExecutor, parts: PreLabeling, job: JobConfiguration) -> PreLabeling:
    return PreLabeling(job, Storage(bucket.s3, {bucket.name}), parts.renderer, pool)


def written(bucket: Bucket) -> dict[str, Any]:
    pages = bucket.s3.list_objects_v2(Bucket=bucket.name, Prefix="plots/")
    return {entry["Key"]: entry["LastModified"] for entry in pages.get("Contents", [])}


def metric(output: str, name: str) -> float:
    lines = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    return float(lines[-1][name][0])


def test_plots_that_are_there_are_not_drawn_again(
    pre_labeling: Handler, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    request = put_item(bucket, recording())
    first = pre_labeling(request)
    assert metric(capsys.readouterr().out, "PlotsDrawn") == 3
    again = pre_labeling(request)
    assert metric(capsys.readouterr().out, "PlotsReused") == 3
    assert again == first


def test_the_task_input_says_where_in_a_plot_which_time_lies(pre_labeling: Handler, bucket: Bucket) -> None:
    """What happens is 2 s of 20; a jump that is found in the picture where the task input says that it is."""
    milliseconds = np.arange(0, 20_000, 5)
    active = (milliseconds > 15_000) & (milliseconds < 17_000)
    noise = np.random.default_rng(0).normal(size=len(milliseconds))
    current = np.where(active, 120 + 20 * noise, 0.0)
    current[milliseconds == 16_000] = 900.0
    lines = (f"{t},{0.0},{value:.3f},{0.0}" for t, value in zip(milliseconds, current, strict=True))
    request = put_item(bucket, "\n".join(lines).encode())
    for _ in range(2):  # drawn, and then as it was kept
        panel = pre_labeling(request)["taskInput"]["current"]
        area = panel["area"]
        assert area["begin"] == pytest.approx(14.906, abs=0.01)
        assert area["end"] == pytest.approx(17.094, abs=0.01)
        assert area["duration"] == pytest.approx(19.995)
        picture = Image.open(io.BytesIO(bucket.get(panel["file"].removeprefix(f"s3://{bucket.name}/"))))
        pixels = np.asarray(picture.convert("RGB"), dtype=np.int64)
        height, width, _ = pixels.shape
        x = area["left"] + (16 - area["begin"]) / (area["end"] - area["begin"]) * (area["right"] - area["left"])
        y = area["bottom"] + (880 - area["low"]) / (area["high"] - area["low"]) * (area["top"] - area["bottom"])
        row = pixels[round(y * height)]
        blue = np.flatnonzero(row[:, 2] > row[:, 0] + 60)
        assert len(blue) > 0
        assert np.abs(blue - x * width).max() <= 4


def test_the_numbers_behind_a_plot_lie_beside_it(pre_labeling: Handler, bucket: Bucket) -> None:
    """Read as the task input says, by the offsets alone, they are the recording's own."""
    data = recording(3000)
    panels = pre_labeling(put_item(bucket, data))["taskInput"]
    rows = np.loadtxt(io.BytesIO(data), delimiter=",")
    for key, column in (("current", 2), ("voltage", 3), ("electrode", 1)):
        layout = panels[key]["data"]
        file = bucket.get(layout["file"].removeprefix(f"s3://{bucket.name}/"))
        level, chunk, width = layout["levels"][0], layout["chunk"], 1 + layout["channels"]
        assert (level["rows"], level["entries"]) == (1, 3000)
        found: list[float] = []
        for first in range(0, 3000, chunk):
            entries = min(chunk, 3000 - first)
            at = level["start"] + 8 * (first * width + (1 + panels[key]["series"]) * entries)
            found += struct.unpack(f"<{entries}d", file[at : at + 8 * entries])
        assert found == pytest.approx(rows[:, column].tolist(), abs=0)


def test_what_is_computed_from_channels_has_panels_of_its_own(strict: PreLabeling, bucket: Bucket) -> None:
    derived = (
        Derived("mean", "Mean current", "moving-mean", "current", "mean", window_seconds=0.1),
        Derived("histogram", "Voltages", "histogram", "voltage", "histogram"),
    )
    source = msgspec.structs.replace(STRICT.recordings["sensor_data"], derived=derived)
    strict.job = msgspec.structs.replace(STRICT, sources={**STRICT.sources, "sensor_data": source})
    request = put_item(bucket, recording())
    panels = strict.answer(request)["taskInput"]
    listed = panels.pop("panels")
    assert list(panels) == ["image", "current", "voltage", "electrode", "mean", "histogram"]
    assert [panel["key"] for panel in listed] == list(panels)
    assert [panel["unit"] for panel in listed] == ["", "A", "V", "mm", "A", "V"]
    assert panels["mean"]["data"] == panels["current"]["data"]
    assert (panels["mean"]["series"], panels["mean"]["data"]["channels"]) == (3, 4)
    assert panels["histogram"].keys() == {"file", "title", "alt", "notes"}
    for panel in panels.values():
        assert bucket.get(panel["file"].removeprefix(f"s3://{bucket.name}/")).startswith(b"\x89PNG")
    assert strict.answer(request)["taskInput"] == {**panels, "panels": listed}


def test_a_plot_is_uploaded_while_the_next_is_drawn(strict: PreLabeling, bucket: Bucket) -> None:
    uploading = threading.Event()
    bucket.s3.meta.events.register("before-call.s3.PutObject", lambda **_: uploading.set())
    draw = strict.renderer.draw

    def panels(drawing: Drawing) -> Iterator[Any]:
        for number, panel in enumerate(drawing.panels):
            assert number == 0 or uploading.wait(10), "the first plot waits for the second one"
            yield panel

    def waiting(files: Sequence[RecordingFile], good: ReferenceFile | None) -> Drawing:
        drawing = draw(files, good)
        return Drawn(panels(drawing), drawing.data, drawing.rows_left_out)

    strict.renderer = strict.renderer._replace(draw=waiting)
    request = put_item(bucket, recording())
    uploading.clear()
    assert len(strict.answer(request)["taskInput"]["panels"]) == 4


@pytest.mark.parametrize("change", ["recording", "configuration", "renderer", "lost plot", "changed plot"])
def test_plots_are_drawn_again_when_anything_they_show_changed(
    strict: PreLabeling, bucket: Bucket, change: str
) -> None:
    request = put_item(bucket, recording())
    first = strict.answer(request)
    key = first["taskInput"]["current"]["file"].removeprefix(f"s3://{bucket.name}/")
    bucket.put(key, b"stale") if change == "changed plot" else None
    before = bucket.get(key)
    if change == "recording":
        put_item(bucket, recording(300))
    elif change == "configuration":
        channel = msgspec.structs.replace(STRICT.channels[0], title="Strom")
        source = msgspec.structs.replace(STRICT.recordings["sensor_data"], channels=(channel, *STRICT.channels[1:]))
        strict.job = msgspec.structs.replace(STRICT, sources={**STRICT.sources, "sensor_data": source})
    elif change == "renderer":
        strict.renderer = strict.renderer._replace(version="next")
    elif change == "lost plot":
        bucket.s3.delete_object(Bucket=bucket.name, Key=key)
    second = strict.answer(request)
    new = second["taskInput"]["current"]["file"].removeprefix(f"s3://{bucket.name}/")
    if "plot" in change:
        assert new == key
        assert bucket.get(key).startswith(b"\x89PNG")
    else:  # what may be out with a worker stays as it is
        assert new != key
        assert bucket.get(key) == before
        assert bucket.get(new).startswith(b"\x89PNG")
    assert second["taskInput"].keys() == first["taskInput"].keys()


def two_recordings(job: JobConfiguration) -> JobConfiguration:
    """The job with a second recording: the same channels of a second logger, which says when it began."""
    source = job.recordings["sensor_data"]
    second = msgspec.structs.replace(
        source,
        folder="second",
        channels=tuple(
            msgspec.structs.replace(channel, key=f"{channel.key}2", suffix=f"{channel.suffix}_2")
            for channel in source.channels
        ),
    )
    return msgspec.structs.replace(job, sources={**job.sources, "second": second})


def test_two_recordings_of_one_name_in_an_item_are_drawn_once_and_reused(
    bucket: Bucket, strict: PreLabeling, capsys: pytest.CaptureFixture[str]
) -> None:
    strict.job = two_recordings(STRICT)
    request = put_item(bucket, recording())
    files = bucket.json("dataset/dataset-1.json")
    files["second"] = {"s3Path": bucket.put("second/weld.1.csv", recording(400))}
    bucket.put("dataset/dataset-1.json", files)
    panels = strict.answer(request)["taskInput"]["panels"]
    assert len({panel["file"] for panel in panels}) == 7
    assert len({panel["data"]["file"] for panel in panels if "data" in panel}) == 2
    before = written(bucket)
    assert strict.answer(request)["taskInput"]["panels"] == panels
    assert written(bucket) == before


def test_a_file_that_breaks_the_reader_is_one_item_s_trouble(strict: PreLabeling, bucket: Bucket) -> None:
    with pytest.raises(DatasetFileError, match=r"deep\.json is not JSON"):
        strict.answer(event(bucket.put("dataset/deep.json", b"[" * 200_000)))


def test_the_same_recording_gives_the_same_bytes(strict: PreLabeling, bucket: Bucket) -> None:
    strict.answer(put_item(bucket, recording()))
    before = {key: bucket.get(key) for key in bucket.keys("plots/")}
    bucket.s3.delete_object(Bucket=bucket.name, Key="plots/dataset/dataset-1.json.record")
    strict.answer(put_item(bucket, recording()))
    assert {key: bucket.get(key) for key in bucket.keys("plots/")} == before


def test_recordings_of_one_name_never_share_a_plot(strict: PreLabeling, bucket: Bucket) -> None:
    keys = ("sensor_data/weld.1.csv", "sensor_data/line2/weld.1.csv", "elsewhere/weld.1.csv")
    files = {strict.answer(put_item(bucket, recording(), key))["taskInput"]["current"]["file"] for key in keys}
    assert len(files) == 3
    assert sum(file.startswith(f"s3://{bucket.name}/plots/weld.1.csv-") for file in files) == 1


def test_items_that_share_a_recording_never_share_a_plot(strict: PreLabeling, bucket: Bucket) -> None:
    """Its plots are drawn on the item's time axis, which the item's other recording makes longer."""
    second = msgspec.structs.replace(
        STRICT.recordings["sensor_data"],
        folder="more_data",
        channels=(msgspec.structs.replace(STRICT.channels[0], key="pressure", suffix="pressure"),),
    )
    strict.job = msgspec.structs.replace(STRICT, sources={**STRICT.sources, "more": second})
    shared = bucket.put("sensor_data/shared.csv", recording(200))
    image = bucket.put("images/weld.png", PNG)
    drawn = []
    for number, rows in enumerate((200, 2000)):
        files = {"sensor_data": shared, "image": image, "more": bucket.put(f"more_data/{number}.csv", recording(rows))}
        dataset = bucket.put(f"dataset/{number}.json", {name: {"s3Path": uri} for name, uri in files.items()})
        panel = strict.answer(event(dataset))["taskInput"]["current"]
        drawn.append((panel["file"], bucket.get(panel["file"].removeprefix(f"s3://{bucket.name}/"))))
    (first, first_png), (other, other_png) = drawn
    assert first != other
    assert first_png != other_png  # so one would have replaced the other while its task was out
    assert bucket.get(first.removeprefix(f"s3://{bucket.name}/")) == first_png


HOSTILE_DATASET_FILES = {
    "digits": b'{"image": ' + b"9" * 5_000 + b"}",
    "deep": b'{"image": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "deep enough for the parser": b'{"image": {"s3Path": ' + b"[" * 900 + b"]" * 900 + b"}}",
    "half a character": b'{"image": {"s3Path": "s3://b/images/\\ud800.png"}, "sensor_data": {"s3Path": "s3://b/k"}}',
    "bucket": b'{"image": {"s3Path": "s3://Not a bucket!/a.png"}, "sensor_data": {"s3Path": "s3://-/k"}}',
    "key": b'{"image": {"s3Path": "s3://b/images/%s"}, "sensor_data": {"s3Path": "s3://b/k"}}' % (b"k" * 1_025),
    "names": json.dumps({f"{n}" * 50: n for n in range(5_000)}).encode(),
    "latin": b'{"image": "\xe4"}',
}


@pytest.mark.parametrize("name", HOSTILE_DATASET_FILES)
def test_a_hostile_dataset_file_is_one_item_s_trouble(strict: PreLabeling, bucket: Bucket, name: str) -> None:
    request = event(bucket.put("dataset/d.json", HOSTILE_DATASET_FILES[name]))
    strict.storage.buckets = frozenset()
    with pytest.raises(ItemError, match=r"dataset/d\.json|s3://-/k|Not a bucket") as error:
        strict.answer(request)
    assert len(str(error.value)) < 3_000
    str(error.value).encode()


@pytest.mark.parametrize("source", ["s3://b/\ud800.json", "s3://b/" + "k" * 1_025, "s3://B ad/k"])
def test_a_hostile_manifest_line_is_one_item_s_trouble(strict: PreLabeling, source: str) -> None:
    strict.storage.buckets = frozenset()
    strict.job = JOB
    answer = strict.answer(event(source))
    assert (answer["isHumanAnnotationRequired"], answer["taskInput"]["errorType"]) == ("false", "BucketError")
    json.dumps(answer, ensure_ascii=False).encode()


def test_a_file_outside_its_source_s_folder_is_told_from_refused_access(strict: PreLabeling, bucket: Bucket) -> None:
    strict.bucket = bucket.name
    secret = bucket.put("hr/pay.csv", recording())
    for files in ({"sensor_data": secret}, {"image": bucket.put("sensor_data/x.png", PNG)}):
        item = {"sensor_data": bucket.put("sensor_data/w.csv", recording()), "image": bucket.put("images/w.png", PNG)}
        request = event(
            bucket.put("dataset/d.json", {name: {"s3Path": uri} for name, uri in {**item, **files}.items()})
        )
        with pytest.raises(DatasetFileError, match="lies outside the folder of its source"):
            strict.answer(request)
    sample = {name: uri.replace("data/w", "data/s") for name, uri in item.items()}
    bucket.put("sample/sensor_data/w.csv", recording())
    sample["sensor_data"] = f"s3://{bucket.name}/sample/sensor_data/w.csv"
    request = event(bucket.put("dataset/d.json", {name: {"s3Path": uri} for name, uri in sample.items()}))
    assert strict.answer(request)["isHumanAnnotationRequired"] == "true"


@pytest.mark.parametrize(
    "error", [KeyError("x"), RecursionError(), ZeroDivisionError("math"), UnicodeEncodeError("u", "\ud800", 0, 1, "no")]
)
def test_what_nobody_foresaw_is_one_item_s_trouble(
    strict: PreLabeling, bucket: Bucket, error: Exception, log: list[dict[str, Any]]
) -> None:
    def draw(files: object, good: object) -> Drawing:
        raise error

    strict.renderer = strict.renderer._replace(draw=draw)
    strict.job = JOB
    answer = strict.answer(put_item(bucket, recording()))
    assert answer["isHumanAnnotationRequired"] == "false"
    assert answer["taskInput"]["errorType"] == "UnforeseenItemError"
    assert f"dataset/dataset-1.json: {type(error).__name__}" in answer["taskInput"]["error"]
    assert any("in draw" in line.get("exception", "") for line in log)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda part: st.lists(part) | st.dictionaries(st.text(max_size=8), part),
)
CELL = st.floats(width=32).map(str) | st.just("") | st.text(max_size=4)
ROWS = st.lists(st.lists(CELL, min_size=1, max_size=5).map(",".join), max_size=20).map("\n".join)
GARBAGE = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=100).map(str.encode),
    JSON.map(json.dumps).map(str.encode),
    ROWS.map(str.encode),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dataset=GARBAGE | st.none(), image=GARBAGE | st.just(PNG), csv=GARBAGE | st.just(recording(5)))
def test_whatever_an_item_holds_there_is_an_answer(
    strict: PreLabeling, bucket: Bucket, dataset: bytes | None, image: bytes, csv: bytes
) -> None:
    strict.job = JOB
    files = {"image": bucket.put("images/g.png", image), "sensor_data": bucket.put("sensor_data/g.csv", csv)}
    good = {name: {"s3Path": uri} for name, uri in files.items()}
    answer = strict.answer(event(bucket.put("dataset/g.json", good if dataset is None else dataset)))
    assert answer["isHumanAnnotationRequired"] in ("true", "false")
    assert answer["taskInput"].get("errorType") != "UnforeseenItemError", answer


def test_a_labeled_item_needs_no_worker_and_no_plots(pre_labeling: Handler, bucket: Bucket) -> None:
    request = put_item(bucket, recording())
    request["dataObject"]["WeldingLabel"] = {"WeldingClassification": "Good Weld"}
    assert pre_labeling(request)["isHumanAnnotationRequired"] == "false"
    assert bucket.keys("plots/") == []


def test_logs_carry_the_job_and_the_item(pre_labeling: Handler, bucket: Bucket, log: list[dict[str, Any]]) -> None:
    request = put_item(bucket, None)
    pre_labeling(request)
    error = next(line for line in log if line["level"] == "ERROR")
    assert error["labeling_job"] == ARN
    assert error["item"] == request["dataObject"]["source"]
    assert "weld.1.csv is not there" in error["reason"]


@pytest.mark.parametrize(
    "line",
    [
        {"source": "s3://nowhere/dataset/d.json", "inspector": "Ada Lovelace"},
        {"source": "Ada Lovelace's report, whole"},
        {"name": "Ada Lovelace"},
    ],
    ids=["beside the item", "in place of it", "alone"],
)
def test_what_else_a_manifest_line_holds_is_not_logged(
    pre_labeling: Handler, log: list[dict[str, Any]], line: dict[str, str]
) -> None:
    with suppress(EventError):
        pre_labeling({"version": "2018-10-16", "labelingJobArn": ARN, "dataObject": line})
    assert all(entry["item"] for entry in log if entry["level"] == "ERROR")
    told = [{key: value for key, value in entry.items() if key != "reason"} for entry in log]
    assert log
    assert "Lovelace" not in json.dumps(told)


CASES: dict[str, tuple[bytes | None, type[ItemError], str]] = {
    "no recording": (None, MissingObjectError, "is not there"),
    "empty": (b"", RecordingError, "empty"),
    "one row": (b"0,1,2,3\n", RecordingError, "1 readable row"),
    "too few columns": (b"0,1\n1,2\n2,3\n", RecordingError, "line 1: 2 columns here, .*expected at least 4 columns"),
    "text": (b"0,a,b,c\n1,a,b,c\n", RecordingError, "line 1, column 2: “b”"),
    "wrong encoding": ("0,1,2,3,µ\n".encode("latin-1") * 9, RecordingError, "line 1"),
    "time stands still": (b"5,1,2,3\n" * 9, RecordingError, "time stands still"),
    "time goes backwards": (b"9,1,2,3\n8,1,2,3\n7,1,2,3\n", RecordingError, "time goes backwards"),
    "only NaN": (b"0,1,nan,3\n1,1,nan,3\n", RecordingError, "no number in any row for Welding current"),
    "a picture": (PNG, RecordingError, "PNG"),
}


@pytest.mark.parametrize(("csv", "error", "message"), CASES.values(), ids=CASES)
def test_a_recording_that_cannot_be_drawn_is_one_clear_error(
    strict: PreLabeling, bucket: Bucket, csv: bytes | None, error: type[ItemError], message: str
) -> None:
    with pytest.raises(error, match=rf"s3://{bucket.name}/sensor_data/weld\.1\.csv.*{message}"):
        strict.answer(put_item(bucket, csv))


def test_a_recording_over_the_configured_size_is_refused_unread(strict: PreLabeling, bucket: Bucket) -> None:
    source = msgspec.structs.replace(STRICT.recordings["sensor_data"], max_bytes=1_000)
    strict.job = msgspec.structs.replace(STRICT, sources={**STRICT.sources, "sensor_data": source})
    with pytest.raises(ObjectTooLargeError, match=r"weld\.1\.csv has .* at most 1,000"):
        strict.answer(put_item(bucket, recording()))


def test_a_picture_that_browsers_do_not_show_is_refused(strict: PreLabeling, bucket: Bucket) -> None:
    with pytest.raises(ImageError, match=r"images/weld\.1\.png is no picture.*TIFF"):
        strict.answer(put_item(bucket, recording(), image=b"II*\0" + b"\0" * 99))


def test_another_bucket_is_refused(strict: PreLabeling, bucket: Bucket) -> None:
    with pytest.raises(BucketError, match=r"s3://elsewhere/dataset/d\.json is in another bucket"):
        strict.answer(event("s3://elsewhere/dataset/d.json"))
    dataset = {"image": {"s3Path": "s3://elsewhere/i.png"}, "sensor_data": {"s3Path": "s3://elsewhere/w.csv"}}
    with pytest.raises(BucketError, match="s3://elsewhere/"):
        strict.answer(event(bucket.put("dataset/d.json", dataset)))


@pytest.mark.parametrize("source", ["not a uri", "s3://", "https://example.com/d.json", "s3://b/\nk"])
def test_a_source_that_is_no_s3_uri_is_refused(strict: PreLabeling, source: str) -> None:
    with pytest.raises(BucketError, match="is not an S3 URI; expected s3://BUCKET/KEY"):
        strict.answer(event(source))


def test_a_missing_source_is_refused(strict: PreLabeling, bucket: Bucket) -> None:
    with pytest.raises(DatasetFileError, match="names no source 'image'; found 'picture'"):
        strict.answer(event(bucket.put("dataset/d.json", {"picture": {"s3Path": "s3://b/k"}})))


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "<script>alert(1)</script>.csv", "a b&c=%20.csv", "ü" * 120 + ".csv", "-.csv"]
)
def test_a_hostile_name_is_only_a_name(strict: PreLabeling, bucket: Bucket, name: str) -> None:
    panel = strict.answer(put_item(bucket, recording(), f"sensor_data/{name}"))["taskInput"]["current"]
    key = panel["file"].removeprefix(f"s3://{bucket.name}/")
    assert key.startswith("plots/")
    assert ".." not in key.split("/")
    assert "<" not in key
    assert bucket.get(key).startswith(b"\x89PNG")


def test_access_that_is_refused_fails_even_where_broken_items_are_skipped(bucket: Bucket, strict: PreLabeling) -> None:
    """Every item would meet it, so going on would leave a job without labels. The server is told to refuse."""
    strict.job = JOB
    request = put_item(bucket, recording())
    bucket.s3.meta.events.register("before-send.s3.GetObject", refuse)
    try:
        with pytest.raises(AccessError, match="S3 refuses access"):
            strict.answer(request)
    finally:
        bucket.s3.meta.events.unregister("before-send.s3.GetObject", refuse)


def refuse(request: Any, **_: Any) -> Any:
    """Answers in S3's place: moto refuses nobody unless IAM is set up for it."""

    class Raw:
        def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
            yield b"<Error><Code>AccessDenied</Code></Error>"

        def read(self, *_: Any, **__: Any) -> bytes:
            return b"<Error><Code>AccessDenied</Code></Error>"

    return AWSResponse(request.url, 403, HTTPHeaders(), Raw())
