"""An item that is heard and filmed as well as measured: its task input, and what lies in the bucket then."""

import io
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile
from labeling.errors import AudioError, ObjectTooLargeError, VideoError
from labeling.job import JobConfiguration, load
from labeling.pre_labeling import PreLabeling, Renderer
from labeling.sources import VideoSource
from labeling.storage import Storage
from PIL import Image
from plotting.errors import RecordingError
from plotting.panels import RENDERER, draw_files

from cli.item_checks import ItemCheck
from tests.conftest import ARN, ROOT, Bucket

RATE = 8_000
WEBM = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm" + b"\0" * 100
SPINDLE = b"t,power\n" + b"".join(b"%.2f,%.3f\n" % (row / 100, row % 7) for row in range(400))


def job() -> JobConfiguration:
    known = load(ROOT / "labeling_job" / "examples" / "grinding-sound.toml")
    video = VideoSource(title="Camera", folder="videos", offset_seconds=1.5)
    return msgspec.structs.replace(known, sources={**known.sources, "camera": video})


JOB = job()


def sound(samples: Any = None, kind: str = "FLAC") -> bytes:
    file = io.BytesIO()
    tone = (10_000 * np.sin(np.arange(5 * RATE) * 2 * np.pi * 1_000 / RATE)).astype(np.int16)
    soundfile.write(file, tone if samples is None else samples, RATE, format=kind)
    return file.getvalue()


@pytest.fixture
def pre_labeling(bucket: Bucket) -> Iterator[PreLabeling]:
    with ThreadPoolExecutor(4) as pool:
        yield PreLabeling(JOB, Storage(bucket.s3), Renderer(RENDERER, draw_files), pool)


def put(bucket: Bucket, **files: bytes) -> dict[str, Any]:
    """Stores an item and gives its data object."""
    contents = {"sound": sound(), "spindle": SPINDLE, "camera": WEBM, **files}
    keys = {"sound": "sounds/1.flac", "spindle": "spindle/1.csv", "camera": "videos/1.webm"}
    named = {key: {"s3Path": bucket.put(keys[key], content)} for key, content in contents.items()}
    return {"source": bucket.put("dataset/1.json", named)}


def answer(pre_labeling: PreLabeling, data_object: dict[str, Any]) -> dict[str, Any]:
    given = pre_labeling.answer({"version": "2018-10-16", "labelingJobArn": ARN, "dataObject": data_object})
    task_input: dict[str, Any] = given["taskInput"]
    return task_input


def test_the_task_input_has_players_and_plots_in_the_job_s_order(pre_labeling: PreLabeling, bucket: Bucket) -> None:
    data_object = put(bucket)
    task_input = answer(pre_labeling, data_object)
    panels = task_input["panels"]
    assert [(panel["kind"], panel["key"]) for panel in panels] == [
        ("audio", "sound"),
        ("plot", "sound_waveform"),
        ("plot", "sound_spectrogram"),
        ("plot", "power"),
        ("video", "camera"),
    ]
    assert (panels[0]["file"], panels[0]["offset_seconds"]) == (f"s3://{bucket.name}/sounds/1.flac", -0.25)
    assert (panels[4]["file"], panels[4]["offset_seconds"]) == (f"s3://{bucket.name}/videos/1.webm", 1.5)
    assert task_input["sound_waveform"]["notes"] == [
        "The first 0.25 s lie before the item's beginning and aren't drawn."
    ]
    areas = [panel["area"] for panel in panels[1:4]]
    assert len({(area["begin"], area["end"], area["duration"], area["left"], area["right"]) for area in areas}) == 1
    assert areas[0]["duration"] == pytest.approx(5 - 0.25 - 1 / RATE)
    assert answer(pre_labeling, data_object) == task_input  # as it was kept


def test_the_samples_lie_in_the_bucket_as_a_recording_s_rows_do(pre_labeling: PreLabeling, bucket: Bucket) -> None:
    samples = np.random.default_rng(0).integers(-32_768, 32_767, 3_000, dtype=np.int16)
    panel = answer(pre_labeling, put(bucket, sound=sound(samples)))["sound_waveform"]
    level, chunk = panel["data"]["levels"][0], panel["data"]["chunk"]
    file = bucket.get(panel["data"]["file"].removeprefix(f"s3://{bucket.name}/"))
    assert level["entries"] == 3_000 - RATE // 4
    found: list[float] = []
    for first in range(0, level["entries"], chunk):
        entries = min(chunk, level["entries"] - first)
        at = level["start"] + 8 * (2 * first + entries)
        found += struct.unpack(f"<{entries}d", file[at : at + 8 * entries])
    assert found == [int(value) / 32_768 for value in samples[RATE // 4 :]]


def test_a_tone_is_dark_where_the_task_input_says_its_frequency_is(pre_labeling: PreLabeling, bucket: Bucket) -> None:
    panel = answer(pre_labeling, put(bucket))["sound_spectrogram"]
    assert panel.keys() == {"file", "title", "alt", "notes", "area"}
    picture = Image.open(io.BytesIO(bucket.get(panel["file"].removeprefix(f"s3://{bucket.name}/"))))
    red = np.asarray(picture.convert("RGB"), dtype=np.int64)[..., 0]
    area = panel["area"]
    x = area["left"] + 0.5 * (area["right"] - area["left"])
    top, bottom = round(area["top"] * len(red)), round(area["bottom"] * len(red))
    column = red[top:bottom, round(x * red.shape[1])]
    share = 1 - (np.flatnonzero(column == column.min()).mean() + 0.5) / len(column)
    assert area["low"] + share * (area["high"] - area["low"]) == pytest.approx(1_000, abs=20)


BROKEN: dict[str, tuple[dict[str, bytes], type[Exception], str]] = {
    "no sound": ({"sound": b"time,power\n1,2\n"}, AudioError, r"sounds/1\.flac is no sound that can be played"),
    "an empty sound": ({"sound": b""}, AudioError, r"sounds/1\.flac is no sound.*found nothing"),
    "no samples": ({"sound": sound(np.empty(0, np.int16), "WAV")}, RecordingError, "0 samples; expected at least two"),
    "a video browsers don't play": (
        {"camera": b"RIFF\x10\0\0\0AVI LIST"},
        VideoError,
        r"videos/1\.webm is no video that browsers play: found AVI",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_played_is_named_by_the_function_and_by_the_check(
    pre_labeling: PreLabeling, bucket: Bucket, name: str
) -> None:
    files, error, said = BROKEN[name]
    data_object = put(bucket, **files)
    with pytest.raises(error, match=said):
        answer(pre_labeling, data_object)
    with pytest.raises(error, match=said):
        ItemCheck(JOB, Storage(bucket.s3))(data_object)


def test_a_sound_that_is_too_large_is_not_read(pre_labeling: PreLabeling, bucket: Bucket) -> None:
    small = msgspec.structs.replace(JOB.sources["sound"], max_bytes=1_000)
    pre_labeling.job = msgspec.structs.replace(JOB, sources={**JOB.sources, "sound": small})
    with pytest.raises(ObjectTooLargeError, match=r"sounds/1\.flac has .* bytes; at most 1,000 are allowed"):
        answer(pre_labeling, put(bucket))


def test_a_good_item_passes_the_check(bucket: Bucket) -> None:
    ItemCheck(JOB, Storage(bucket.s3))(put(bucket))
