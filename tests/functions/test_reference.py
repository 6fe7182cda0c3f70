"""The job's reference in pre-labeling: read where it lies, in the plots' fingerprint, and never what a job ends by."""

import io
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
import pytest
from labeling import reference
from labeling.job import JobConfiguration, Reference
from labeling.pre_labeling import PreLabeling
from labeling.storage import Storage
from PIL import Image
from plotting.layout import REFERENCE
from plotting.reference import Curve, Steps, encode
from plotting.reference import Reference as Built

from tests.conftest import Bucket
from tests.functions.conftest import Handler
from tests.functions.test_pre_labeling import JOB, put_item, recording

NAMED = Reference(manifest="manifests/good.manifest", title="good welds")
COMPARED = msgspec.structs.replace(JOB, reference=NAMED)


def good(items: int, current: float) -> bytes:
    """A reference of all channels, flat, 0.2 s long as the recordings are."""
    levels = {"current": current, "voltage": 21.0, "electrode": 1.0}
    flat = {key: Curve(*(np.full(20, value + by) for by in (-2, 0, 2))) for key, value in levels.items()}
    return encode(Built(items, Steps(0.0, 0.01, 20), flat))


@pytest.fixture
def answer(bucket: Bucket, pre_labeling: Handler) -> Iterator[Callable[..., dict[str, Any]]]:
    """The task input of an item of a job with a reference."""
    from functions.pre_labeling import app  # noqa: PLC0415 - imported by the handler's fixture

    def answered(request: dict[str, Any], job: JobConfiguration = COMPARED) -> dict[str, Any]:
        parts = PreLabeling(job, Storage(bucket.s3, {bucket.name}), app.pre_labeling.renderer, pool, bucket.name)
        task_input: dict[str, Any] = parts.answer(request)["taskInput"]
        return task_input

    with ThreadPoolExecutor(4) as pool:
        yield answered


def key(bucket: Bucket, job: JobConfiguration = COMPARED) -> str:
    assert job.reference is not None
    return reference.uri_of(job.reference, job, bucket.name).key


def test_it_lies_behind_the_lines_and_in_the_plots_fingerprint(
    bucket: Bucket, answer: Callable[..., dict[str, Any]]
) -> None:
    request = put_item(bucket, recording())
    without = answer(request, JOB)
    bucket.put(key(bucket), good(5, 170))
    first = answer(request)
    assert "Behind it, median and 5 to 95 % of 5 good welds" in first["current"]["alt"]
    assert first["current"]["notes"] == without["current"]["notes"] == []
    picture = Image.open(io.BytesIO(bucket.get(first["current"]["file"].removeprefix(f"s3://{bucket.name}/"))))
    assert (np.abs(np.asarray(picture.convert("RGB"), np.int64) - REFERENCE).max(axis=2) < 10).sum() > 500
    assert answer(request) == first  # nothing has changed: the plots that are there
    bucket.put(key(bucket), good(6, 171))
    second = answer(request)
    renamed = answer(request, msgspec.structs.replace(COMPARED, reference=msgspec.structs.replace(NAMED, title="x")))
    assert "6 x:" in renamed["current"]["alt"]
    assert len({task["current"]["file"] for task in (without, first, second, renamed)}) == 4


def test_the_page_finds_it_behind_the_numbers(bucket: Bucket, answer: Callable[..., dict[str, Any]]) -> None:
    """Read as the task input says, by the offsets alone."""
    bucket.put(key(bucket), good(5, 170))
    panels = answer(put_item(bucket, recording()))
    data = panels["voltage"]["data"]
    band = data["reference"]
    assert band["whose"] == "5 good welds"
    file = bucket.get(data["file"].removeprefix(f"s3://{bucket.name}/"))
    entries, series = band["entries"], panels["voltage"]["series"]
    columns = np.array(struct.unpack(f"<{entries * 10}d", file[band["start"] :])).reshape(10, entries)
    assert columns[0] == pytest.approx(np.arange(20) * 0.01 + 0.005)
    assert columns[1 + 3 * series : 4 + 3 * series].mean(axis=1) == pytest.approx([19, 21, 23])


def test_where_it_is_not_the_panels_say_what_to_do_until_it_is(
    bucket: Bucket, answer: Callable[..., dict[str, Any]], log: list[dict[str, Any]]
) -> None:
    request = put_item(bucket, recording())
    (note,) = answer(request)["current"]["notes"]
    place = f"s3://{bucket.name}/{key(bucket)}"
    assert note == f"No reference behind the lines: {place} is not there. “labeling-job reference” builds it."
    assert note in [line.get("reason") for line in log]
    bucket.put(key(bucket), good(5, 170))
    assert answer(request)["current"]["notes"] == []


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_one_that_is_none_is_a_note_too(bucket: Bucket, answer: Callable[..., dict[str, Any]], body: bytes) -> None:
    bucket.put(key(bucket), body)
    panels = answer(put_item(bucket, recording()))
    assert set(panels) == {"image", "current", "voltage", "electrode", "panels"}
    (note,) = panels["current"]["notes"]
    assert note.startswith("No reference behind the lines: found no")


def test_it_is_another_one_of_other_items_channels_and_focus_but_not_of_other_words(bucket: Bucket) -> None:
    source = JOB.recordings["sensor_data"]
    channel = source.channels[0]

    def with_source(**changed: Any) -> JobConfiguration:
        sources = {**JOB.sources, "sensor_data": msgspec.structs.replace(source, **changed)}
        return msgspec.structs.replace(COMPARED, sources=sources)

    def with_channel(**changed: Any) -> JobConfiguration:
        return with_source(channels=(msgspec.structs.replace(channel, **changed), *source.channels[1:]))

    others = [
        with_source(focus="whole"),
        with_channel(scale=2.0),
        with_channel(column=5),
        msgspec.structs.replace(COMPARED, reference=Reference(manifest="manifests/better.manifest")),
        msgspec.structs.replace(COMPARED, reference=Reference(job="Welds-1", category="Good Weld")),
        msgspec.structs.replace(COMPARED, reference=Reference(job="Welds-1", category="Burn Through")),
    ]
    assert len({key(bucket, job) for job in (COMPARED, *others)}) == 1 + len(others)
    same = [
        with_source(title="Log"),
        with_channel(title="Current"),
        msgspec.structs.replace(COMPARED, reference=msgspec.structs.replace(NAMED, title="x")),
    ]
    assert {key(bucket, job) for job in same} == {key(bucket)}
