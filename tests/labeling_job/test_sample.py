import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from labeling_job.make_sample import SAMPLE_FOLDER, sample_files, write_sample
from labeling_job.sample_recordings import COLUMNS
from labeling_job.sample_welds import SEAM_END_MM, WELDS

Array = npt.NDArray[np.float64]

GOOD, BURNT, DIRTY, COLD, GASLESS, FAST, UNSURE = range(1, 8)
NUMBERS = range(1, 8)
CATEGORIES = [
    "Good Weld",
    "Burn Through",
    "Contamination",
    "Lack of Fusion",
    "Lack of Shielding Gas",
    "High Travel Speed",
    "Not sure",
]


class Recording:
    """A committed recording, its columns by name and its rows chosen by the place on the seam."""

    def __init__(self, number: int) -> None:
        table = np.loadtxt(SAMPLE_FOLDER / f"sensor_data/weld.{number}.csv", delimiter=",")
        assert table.shape[1] == len(COLUMNS)
        self.time, self.position, self.current, self.voltage, self.wire_feed, self.gas_flow = table.T

    def between(self, start_mm: float, end_mm: float) -> npt.NDArray[np.bool_]:
        return np.asarray((self.position > start_mm) & (self.position < end_mm))

    def steady(self) -> npt.NDArray[np.bool_]:
        return self.between(3, SEAM_END_MM - 1)

    def speed(self, start_mm: float, end_mm: float) -> float:
        rows = self.between(start_mm, end_mm)
        return float(np.polyfit(self.time[rows] / 1000, self.position[rows], 1)[0])

    def shorted(self, rows: npt.NDArray[np.bool_]) -> float:
        """The share of rows in which a drop bridges the gap."""
        return float(np.mean(self.voltage[rows] < 9))

    def arc_outs(self, rows: npt.NDArray[np.bool_]) -> int:
        """How many times the arc went out: runs of rows near the open-circuit voltage without current."""
        out = rows & (self.voltage > 33) & (self.current < 40)
        return int(np.sum(out[1:] & ~out[:-1]))


def pixels(number: int) -> Array:
    with Image.open(SAMPLE_FOLDER / f"images/weld.{number}.png") as image:
        return np.asarray(image.convert("RGB"), dtype=np.float64)


def brightness_along_the_bead(number: int) -> Array:
    """Shape (rows, columns): the middle third of the picture, where every bead lies."""
    return np.asarray(pixels(number)[140:260, 60:1140].mean(axis=2))


def tinted(number: int, column: int) -> npt.NDArray[np.bool_]:
    """The rows around a column of pixels where the blue and purple temper colours lie."""
    red, _, blue = np.moveaxis(pixels(number)[:, column : column + 30].mean(axis=1), 1, 0)
    return np.asarray(blue > red + 12)


def tint_reach(number: int, columns: range) -> float:
    """From the upper to the lower end of the temper colours, in pixels, on average."""
    return float(np.mean([np.ptp(np.flatnonzero(tinted(number, column))) for column in columns]))


# The files


def test_the_script_makes_the_committed_bytes() -> None:
    committed = {
        path.relative_to(SAMPLE_FOLDER).as_posix(): path for path in SAMPLE_FOLDER.rglob("*") if path.is_file()
    }
    made = dict(sample_files())
    assert sorted(made) == sorted(committed)
    assert [name for name, content in made.items() if content != committed[name].read_bytes()] == []


def test_the_sample_is_written_into_the_folder_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [("images/weld.1.png", b"picture"), ("truth.json", b"{}\n")]
    monkeypatch.setattr("labeling_job.make_sample.sample_files", lambda: iter(files))  # drawing has its own test
    write_sample(tmp_path / "new")
    assert (tmp_path / "new/images/weld.1.png").read_bytes() == b"picture"
    assert "weld.1.png  7 bytes" in capsys.readouterr().out


def test_the_manifest_leads_to_every_file_of_the_sample() -> None:
    manifest = (SAMPLE_FOLDER / "manifests/input.manifest").read_text().splitlines()
    reached = {"manifests/input.manifest", "truth.json", "stretches.json"}
    for line in manifest:
        dataset_key = json.loads(line)["source"].removeprefix("s3://BUCKET/")
        sources = json.loads((SAMPLE_FOLDER / dataset_key).read_text())
        assert list(sources) == ["sensor_data", "image"]
        keys = [source["s3Path"].removeprefix("s3://BUCKET/") for source in sources.values()]
        assert all((SAMPLE_FOLDER / key).is_file() for key in keys)
        reached.update([dataset_key, *keys])
    assert len(manifest) == len(WELDS)
    assert reached == {name.relative_to(SAMPLE_FOLDER).as_posix() for name in SAMPLE_FOLDER.rglob("*.*")}


def test_the_truth_has_one_weld_of_each_category() -> None:
    truth = json.loads((SAMPLE_FOLDER / "truth.json").read_text())
    assert list(truth.items()) == [(f"dataset/dataset-{n}.json", c) for n, c in zip(NUMBERS, CATEGORIES, strict=True)]


def test_the_stretches_are_when_the_recorded_electrode_was_at_the_defect() -> None:
    stretches = json.loads((SAMPLE_FOLDER / "stretches.json").read_text())
    assert {name: len(found) for name, found in stretches.items()} == {
        f"dataset/dataset-{number}.json": count for number, count in zip(NUMBERS, (0, 1, 3, 0, 1, 0, 1), strict=True)
    }
    ((begin, end),) = stretches["dataset/dataset-2.json"]
    rows = np.loadtxt(SAMPLE_FOLDER / "sensor_data/weld.2.csv", delimiter=",")
    seconds, position, current = rows[:, 0] / 1000, rows[:, 1], rows[:, 2]
    assert np.interp([begin, end], seconds, position) == pytest.approx([41, 47.5], abs=0.1)
    inside = (seconds > begin + 0.1) & (seconds < end - 0.1)
    assert current[inside].mean() < current[~inside & (position > 5) & (position < 60)].mean() - 60  # 92 A less there


def test_the_sample_is_small() -> None:
    sizes = {path.name: path.stat().st_size for path in SAMPLE_FOLDER.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 3_000_000
    assert max(size for name, size in sizes.items() if name.endswith(".png")) < 250_000


# Every recording


@pytest.mark.parametrize("number", NUMBERS)
def test_a_recording_is_a_weld_from_touch_to_crater(number: int) -> None:
    weld = Recording(number)
    assert weld.time[0] == 0
    assert all(before < after for before, after in pairwise(weld.time))
    assert np.ptp(np.diff(weld.time)) > 0.3, "a real recorder's clock jitters"
    assert np.abs(weld.position[-1] - SEAM_END_MM) < 0.1
    assert np.all(np.diff(weld.position) > -0.2)
    assert weld.current[weld.time < 35].max() > 280, "the arc is lit by a surge"
    assert weld.current[-10:].max() < 10
    filling = weld.between(SEAM_END_MM - 0.05, 99) & (weld.current > 20)
    assert np.median(weld.current[filling]) < 0.85 * np.median(weld.current[weld.steady()])


@pytest.mark.parametrize("number", NUMBERS)
def test_readings_are_within_what_a_power_source_gives(number: int) -> None:
    weld = Recording(number)
    assert 0 <= weld.current.min() < weld.current.max() < 500
    assert 0 <= weld.voltage.min() < weld.voltage.max() < 65


# What each defect leaves in the recording


def test_a_good_weld_keeps_one_band_from_start_to_crater() -> None:
    weld = Recording(GOOD)
    thirds = [weld.between(start, start + 20) for start in (4, 24, 44)]
    spreads = [float(weld.voltage[rows].std()) for rows in thirds]
    means = [float(weld.current[rows].mean()) for rows in thirds]
    assert max(spreads) < 1.08 * min(spreads)
    assert max(means) < 1.03 * min(means)
    assert weld.arc_outs(weld.steady()) == 0
    assert weld.voltage[weld.steady()].max() < 30


def test_burn_through_stretches_the_arc_over_the_hole() -> None:
    weld = Recording(BURNT)
    before, over, after = weld.between(5, 32), weld.between(42, 46.5), weld.between(50, 64)
    assert weld.speed(35, 40) < 0.6 * weld.speed(5, 32), "the electrode hesitates before it"
    assert weld.voltage[over].mean() > weld.voltage[before].max()
    assert weld.current[over].mean() < 0.55 * weld.current[before].mean()
    assert weld.shorted(over) == 0
    assert weld.shorted(before) > 0.1
    assert weld.shorted(after) > 0.1


def test_contamination_disturbs_the_arc_over_patches_only() -> None:
    weld = Recording(DIRTY)
    patches = [weld.between(9, 17), weld.between(29, 38), weld.between(52, 58)]
    clean = [weld.between(3, 8), weld.between(18.5, 27.5), weld.between(39.5, 50.5), weld.between(59.5, 65)]
    assert all(weld.arc_outs(rows) >= 2 for rows in patches)
    assert all(weld.arc_outs(rows) == 0 for rows in clean)
    assert min(weld.current[rows].std() for rows in patches) > 1.5 * max(weld.current[rows].std() for rows in clean)


def test_lack_of_fusion_is_cold_and_stubs() -> None:
    cold, good = Recording(COLD), Recording(GOOD)
    heat = [
        np.mean(weld.current[weld.steady()] * weld.voltage[weld.steady()]) / weld.speed(5, 60) for weld in (cold, good)
    ]
    assert heat[0] < 0.65 * heat[1], "joules a millimetre"
    arcing = cold.steady() & (cold.voltage > 9)
    assert np.median(cold.voltage[arcing]) < np.median(good.voltage[good.steady() & (good.voltage > 9)]) - 3
    assert cold.shorted(cold.steady()) > 1.3 * good.shorted(good.steady())
    relative_spread = [weld.current[weld.steady()].std() / weld.current[weld.steady()].mean() for weld in (cold, good)]
    assert relative_spread[0] > 2 * relative_spread[1]


def test_without_shielding_gas_the_arc_turns_erratic_and_stays_so() -> None:
    weld = Recording(GASLESS)
    shielded, bare = weld.between(2, 9), weld.between(14, 65)
    assert weld.gas_flow[shielded].mean() > 14
    assert weld.gas_flow[bare].mean() < 1

    def arc_level_spread(rows: npt.NDArray[np.bool_]) -> float:
        """Of the voltage while the arc burns undisturbed."""
        arc = weld.voltage[rows & (weld.voltage > 15) & (weld.voltage < 33)]
        return float(np.subtract(*np.percentile(arc, [90, 10])))

    assert arc_level_spread(bare) > 1.4 * arc_level_spread(shielded)
    assert all(weld.arc_outs(weld.between(start, start + 17)) >= 2 for start in (14, 31, 48))
    assert weld.current[bare].std() > 1.8 * weld.current[shielded].std()


def test_high_travel_speed_is_a_short_recording_with_a_steep_position() -> None:
    fast, good = Recording(FAST), Recording(GOOD)
    assert fast.speed(5, 60) > 2.3 * good.speed(5, 60)
    assert fast.time[-1] < 0.5 * good.time[-1]
    # With as much current, each millimetre gets less than half of the heat.
    assert np.isclose(fast.current[fast.steady()].mean(), good.current[good.steady()].mean(), rtol=0.1)


def test_the_doubtful_weld_lies_between_good_and_defective() -> None:
    unsure, good, cold, dirty = Recording(UNSURE), Recording(GOOD), Recording(COLD), Recording(DIRTY)
    mean = [weld.current[weld.steady()].mean() for weld in (cold, unsure, good)]
    assert mean == sorted(mean)
    assert 1 <= unsure.arc_outs(unsure.steady()) < dirty.arc_outs(dirty.steady()) / 3


# What each defect leaves in the photograph


@pytest.mark.parametrize("number", NUMBERS)
def test_a_picture_is_a_plain_png_without_metadata(number: int) -> None:
    with Image.open(SAMPLE_FOLDER / f"images/weld.{number}.png") as image:
        assert image.format == "PNG"
        assert image.size == (1200, 400)
        assert image.info == {}


def test_only_burn_through_has_a_large_black_hole() -> None:
    def has_hole(number: int) -> bool:
        """Whether some block of 40 × 40 pixels is black all over."""
        black = pixels(number).max(axis=2) < 24
        return bool(black.reshape(10, 40, 30, 40).all(axis=(1, 3)).any())

    assert [number for number in NUMBERS if has_hole(number)] == [BURNT]


def test_burn_through_is_hottest_around_the_hole() -> None:
    assert tint_reach(BURNT, range(700, 701)) > 1.2 * tint_reach(BURNT, range(200, 500, 50))


def test_dark_pores_lie_where_the_recording_says() -> None:
    gasless = brightness_along_the_bead(GASLESS) < 40
    assert gasless[:, :150].mean() < 0.01, "shielded"
    assert gasless[:, 250:950].mean() > 0.05
    dirty = (brightness_along_the_bead(DIRTY) < 70).mean(axis=0)
    patch = np.r_[200:300, 520:620, 860:940] - 60 + 20
    clean = np.r_[100:180, 380:480, 720:820] - 60
    assert dirty[patch].mean() > 4 * dirty[clean].mean()
    assert (brightness_along_the_bead(GOOD) < 40).mean() < 0.005


def test_bare_metal_turns_brown_without_gas() -> None:
    def warmth(number: int) -> float:
        bead = pixels(number)[150:250, 400:900]
        return float((bead[..., 0] - bead[..., 2]).mean())

    assert warmth(GASLESS) > warmth(GOOD) + 10


@pytest.mark.parametrize("number", [COLD, FAST])
def test_little_heat_leaves_narrow_temper_colours(number: int) -> None:
    across = range(300, 900, 60)
    assert tint_reach(number, across) < 0.65 * tint_reach(GOOD, across)
