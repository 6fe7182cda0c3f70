"""References: what is computed of good items, against values by hand, and how it lies in pictures."""

import io
import itertools
import json
import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.errors import ReferenceUnusableError
from labeling.sources import Channel, Derived, Focus, TimeColumn, TimeSeriesSource
from numpy.typing import NDArray
from PIL import Image
from plotting.focus import Stretch
from plotting.layout import COLORS, REFERENCE
from plotting.lines import BAND_SHARE
from plotting.panels import Panel, draw_files, read_files
from plotting.recording import Recording
from plotting.reference import Behind, Curve, Reference, Steps, combine, decode, encode, in_steps, steps_over

Values = NDArray[np.float64]
NAN = float("nan")


def source(**options: Any) -> TimeSeriesSource:
    return TimeSeriesSource(
        title="Recording",
        folder="recordings",
        time=TimeColumn(unit="s"),
        channels=(Channel("c", "Current", 1, "c", "A"),),
        **options,
    )


def recorded(time: Any, values: Any, gaps: tuple[int, ...] = ()) -> Recording:
    rows = np.array(time, np.float64), np.array(values, np.float64)
    return Recording(rows[0], (rows[1],), np.array(gaps, np.intp), 0, (), ((),))


def taken(recording: Recording, steps: Steps, focus: Stretch | None = None) -> list[float]:
    found: list[float] = in_steps([(recording, source())], focus or Stretch(0.0, 1e9), steps)["c"].tolist()
    return found


def file_of(time: Values, values: Values) -> bytes:
    text = io.BytesIO()
    np.savetxt(text, np.column_stack([time, values]), delimiter=",", fmt="%.17g")
    return text.getvalue()


def built(files: list[bytes], of: TimeSeriesSource) -> Reference:
    items = [read_files([(data, of, "s3://b/x.csv")]) for data in files]
    steps = steps_over([item.focus[0] for item in items])
    return combine(steps, [in_steps(item.recordings, item.focus[0], steps) for item in items])


class TestSteps:
    def test_a_step_has_the_mean_of_its_rows_and_else_the_value_on_the_line(self) -> None:
        recording = recorded([0.1, 0.2, 1.5, 3.5], [10, 20, 30, 50])
        # Step 2 has no row; at its middle, 2.5, the line from 30 at 1.5 to 50 at 3.5 is at 40. After the last row is no
        # line.
        assert taken(recording, Steps(0.0, 1.0, 5)) == pytest.approx([15, 30, 40, 50, NAN], nan_ok=True)

    def test_no_line_leads_over_a_gap_or_a_missing_value(self) -> None:
        assert taken(recorded([0.5, 2.5], [1, 3], gaps=(0,)), Steps(0.0, 1.0, 3)) == pytest.approx(
            [1, NAN, 3], nan_ok=True
        )
        assert taken(recorded([0.5, 1.5, 2.5], [1, NAN, 3]), Steps(0.0, 1.0, 3)) == pytest.approx(
            [1, NAN, 3], nan_ok=True
        )

    def test_steps_are_counted_from_the_onset_and_what_is_out_of_focus_does_not_count(self) -> None:
        recording = recorded(np.arange(10) + 0.5, np.arange(10))
        found = taken(recording, Steps(-2.0, 1.0, 6), Stretch(4.0, 7.2, onset=5.0))
        # The focus has the rows at 4.5, 5.5 and 6.5; at 7.5 it has ended.
        assert found == pytest.approx([NAN, 4, 5, 6, NAN, NAN], nan_ok=True)

    def test_they_reach_as_far_as_three_focuses_do(self) -> None:
        focuses = [
            Stretch(10, 20, 11),  # from −1 to 9
            Stretch(0, 5, 2),  # −2 to 3
            Stretch(7, 17, 7),  # 0 to 10
            Stretch(1, 100, 1.5),  # −0.5 to 98.5
        ]
        found = steps_over(focuses)
        assert (found.begin, found.begin + found.length * found.number) == pytest.approx((-0.5, 9))

    def test_two_items_are_too_few(self) -> None:
        with pytest.raises(ReferenceUnusableError, match="found 2 items that can be read; expected at least 3"):
            steps_over([Stretch(0, 1)] * 2)


class TestBand:
    def test_median_and_percentiles_by_hand(self) -> None:
        # The second step has two items' values only. Of 1 to 5, the 5th percentile lies a fifth of the way from the
        # first to the second, the 95th so far from the last.
        items = [{"c": np.array([value, NAN if value < 4 else value, value**2])} for value in (3.0, 1.0, 5.0, 4.0, 2.0)]
        curve = combine(Steps(0.0, 1.0, 3), items).curves["c"]
        assert curve.median.tolist() == pytest.approx([3, NAN, 9], nan_ok=True)
        assert curve.low.tolist() == pytest.approx([1.2, NAN, 1.6], nan_ok=True)
        assert curve.high.tolist() == pytest.approx(
            [4.8, NAN, 23.2], nan_ok=True
        )  # only two items have the second step

    def test_recordings_that_were_started_at_other_times_have_the_same_band(self) -> None:
        of = source(focus=Focus("c", above=10.0))
        rng = np.random.default_rng(0)
        welds = [100 + 20 * np.sin(np.arange(400) / 30) + rng.normal(0, 5, 400) for _ in range(6)]

        def files(idle: list[int]) -> list[bytes]:
            padded = [
                np.concatenate([np.zeros(rows), weld, np.zeros(50)]) for rows, weld in zip(idle, welds, strict=True)
            ]
            return [file_of(np.arange(len(values), dtype=np.float64) * 0.01, values) for values in padded]

        one, other = built(files([30] * 6), of), built(files([30, 60, 310, 55, 700, 41]), of)
        # A row may fall into the step beside its own, where the clocks differ by a rounding.
        assert other.steps.begin == pytest.approx(one.steps.begin, abs=1e-9)
        assert other.curves["c"].median == pytest.approx(one.curves["c"].median, abs=1.0, nan_ok=True)
        # By numpy alone: row 200 of each weld, 2 s after it begins.
        step = int((2.0 - one.steps.begin) / one.steps.length)
        first, last = (int(np.ceil((one.steps.begin + (step + n) * one.steps.length) / 0.01 - 1e-6)) for n in (0, 1))
        means = [weld[first:last].mean() for weld in welds]
        curve = one.curves["c"]
        assert [curve.low[step], curve.median[step], curve.high[step]] == pytest.approx(
            np.percentile(means, [5, 50, 95])
        )

    def test_what_is_computed_row_by_row_has_one_too(self) -> None:
        of = source(derived=(Derived("smooth", "Smooth", "moving-mean", "c", "smooth", window_seconds=0.5),))
        time = np.arange(500, dtype=np.float64) * 0.01
        found = built([file_of(time, np.full(500, level)) for level in (1.0, 2.0, 3.0)], of)
        assert found.curves["smooth"].median == pytest.approx(np.full(300, 2.0))


REFERENCE_FILE = Reference(
    7,
    Steps(-0.5, 0.25, 3),
    {"c": Curve(np.array([1.0, NAN, 3.0]), np.array([2.0, NAN, 3.0]), np.array([1 / 3 + 2, NAN, 1e9]))},
)


class TestFile:
    def test_it_is_read_as_it_was_written(self) -> None:
        found = decode(encode(REFERENCE_FILE))
        assert (found.items, found.steps) == (7, Steps(-0.5, 0.25, 3))
        assert found.curves["c"].high.tolist() == pytest.approx([7 / 3, NAN, 1e9], rel=1e-8, nan_ok=True)
        assert found.curves["c"].low.tolist() == pytest.approx([1, NAN, 3], nan_ok=True)

    @pytest.mark.parametrize(
        "changed",
        [
            {"items": 2},
            {"step": 0},
            {"step": -1},
            {"begin": 1e300},
            {"curves": {}},
            {"curves": {"c": {"low": [1], "median": [1], "high": [1]}}},
            {"curves": {"c": {"low": [1, 2], "median": [1, 2], "high": [1, 2, 3]}}},
            {"curves": {"c": {"low": [3, 3], "median": [2, 2], "high": [1, 1]}}},
            {"curves": {"c": {"low": [None, 1], "median": [1, 1], "high": [1, 1]}}},
            {"curves": {"c": {"low": [1, 1], "median": [1, 1], "high": [1, 1e200]}}},
            {"curves": {"c": {"low": ["1", 1], "median": [1, 1], "high": [1, 1]}}},
        ],
    )
    def test_what_is_none_is_refused(self, changed: dict[str, Any]) -> None:
        file = json.loads(encode(REFERENCE_FILE)) | changed
        with pytest.raises(ReferenceUnusableError, match=r"^found "):
            decode(json.dumps(file).encode())

    @given(st.binary(max_size=200) | st.text('[]{}",:0123456789eE.-nultrcoiwhgmds', max_size=80).map(str.encode))
    def test_any_bytes_are_refused_by_that_error(self, data: bytes) -> None:
        with pytest.raises(ReferenceUnusableError):
            decode(data)


class Good(NamedTuple):
    title: str = "good welds"
    data: bytes | None = None
    problem: str = ""


TIME = np.arange(0, 10, 0.01)


def level(low: float, median: float, high: float, *, length: float = 10.0) -> bytes:
    """A reference that is the same all the time."""
    steps = Steps(0.0, length / 100, 100)
    return encode(Reference(12, steps, {"c": Curve(*(np.full(steps.number, value) for value in (low, median, high)))}))


def drawn(values: Values, data: bytes | None, *, of: TimeSeriesSource | None = None, problem: str = "") -> Panel:
    file = (file_of(TIME, values), of or source(focus="whole"), "s3://b/run.csv")
    (panel,) = draw_files([file], Good(data=data, problem=problem)).panels
    return panel


class Picture:
    """A panel's pixels by time and value."""

    def __init__(self, panel: Panel) -> None:
        assert panel.area is not None
        self.area = panel.area
        self.pixels = np.asarray(Image.open(io.BytesIO(panel.png)).convert("RGB"), dtype=np.int64)

    def at(self, moment: float, value: float) -> list[int]:
        height, width, _ = self.pixels.shape
        area = self.area
        x = area.left + (moment - area.begin) / (area.end - area.begin) * (area.right - area.left)
        y = area.bottom + (value - area.low) / (area.high - area.low) * (area.top - area.bottom)
        return list(map(int, self.pixels[round(y * height), round(x * width)]))

    def share_of(self, color: tuple[int, int, int], moments: Values, value: float, reach: int = 2) -> float:
        """In which share of the moments a colour lies at a value, or up to so many pixels beside it."""
        height, _, _ = self.pixels.shape
        step = (self.area.high - self.area.low) / ((self.area.bottom - self.area.top) * height)
        found = [
            any(
                np.abs(np.array(self.at(moment, value + n * step)) - color).sum() < 60 for n in range(-reach, reach + 1)
            )
            for moment in moments
        ]
        return float(np.mean(found))


BAND = [round(255 + (part - 255) * BAND_SHARE) for part in REFERENCE]


class TestPicture:
    def test_the_band_lies_between_its_values_and_the_median_is_dashed(self) -> None:
        found = Picture(drawn(np.full(1000, 5.0), level(20, 30, 40)))
        moments = np.linspace(0.3, 9.4, 300)
        for value in (21, 25, 35, 39):
            assert np.abs(np.array(found.at(4.03, value)) - BAND).max() <= 8
        for value in (19, 41):
            assert found.at(4.03, value) == [255, 255, 255]
        assert 0.4 < found.share_of(REFERENCE, moments, 30) < 0.85  # dashes of 12 pixels, 8 apart
        assert found.share_of(COLORS[0], moments, 5) == 1  # the line itself

    def test_the_line_lies_over_it(self) -> None:
        found = Picture(drawn(np.full(1000, 30.0), level(20, 30, 40)))
        moments = np.linspace(0.3, 9.4, 300)
        assert found.share_of(COLORS[0], moments, 30) == 1

    def test_over_what_would_hide_it_the_median_is_drawn_once_more(self) -> None:
        rng = np.random.default_rng(0)
        time = np.arange(0, 10, 0.0005)
        file = (file_of(time, rng.choice([0.0, 60.0], len(time))), source(focus="whole"), "s3://b/run.csv")
        (panel,) = draw_files([file], Good(data=level(20, 30, 40))).panels
        assert 0.4 < Picture(panel).share_of(REFERENCE, np.linspace(0.3, 9.4, 300), 30) < 0.85

    def test_it_begins_where_the_item_begins_to_matter(self) -> None:
        values = np.where((TIME >= 6) & (TIME < 9), 50.0, 0.0)
        of = source(focus=Focus("c", above=10.0, margin_seconds=0.8))
        panel = drawn(values, level(60, 70, 80, length=2.0), of=of)
        found = Picture(panel)
        for moment, is_band in ((5.9, False), (6.1, True), (7.9, True), (8.1, False)):
            assert (np.abs(np.array(found.at(moment, 65)) - BAND).max() <= 8) == is_band

    def test_the_value_axis_reaches_it_but_for_steps_that_scatter_widely(self) -> None:
        steps = Steps(0.0, 0.1, 100)
        wild = np.full(100, 40.0)
        wild[50] = 4000.0
        data = encode(Reference(12, steps, {"c": Curve(np.full(100, 20.0), np.full(100, 30.0), wild)}))
        area = Picture(drawn(np.full(1000, 5.0), data)).area
        assert area.low < 5
        assert 40 < area.high < 100

    def test_alt_text_and_legend_say_whose_it_is(self) -> None:
        values = np.where((TIME >= 3) & (TIME < 4.5), 55.0, 30.0)
        panel = drawn(values, level(20, 30, 40))
        assert panel.alt.endswith(
            " Behind it, median and 5 to 95 % of 12 good welds: 85% of the time within, longest above from 3 to 4.5 s."
        )
        legend = Picture(panel).pixels[-60:-15, 190:246]
        assert (np.abs(legend - BAND).max(axis=2) <= 8).mean() > 0.3
        assert (np.abs(legend - REFERENCE).max(axis=2) <= 30).mean() > 0.02
        without = replace(panel, png=next(iter(draw_files([(file_of(TIME, values), source(), "x")]).panels)).png)
        assert (Picture(without).pixels[-60:-15, 190:800] == 255).all()

    def test_the_same_reference_gives_the_same_bytes(self) -> None:
        one, other = (drawn(np.sin(TIME), level(-1, 0, 1)) for _ in range(2))
        assert one == other

    def test_where_there_is_none_the_picture_is_as_without_and_a_note_says_why(self) -> None:
        plain = next(iter(draw_files([(file_of(TIME, np.sin(TIME)), source(focus="whole"), "x")]).panels))
        missing = drawn(np.sin(TIME), None, problem="Nobody built it.")
        assert (missing.png, missing.alt) == (plain.png, plain.alt)
        assert missing.notes == (*plain.notes, "Nobody built it.")
        broken = drawn(np.sin(TIME), b"[]")
        assert broken.png == plain.png
        assert "No reference behind the lines: found no reference in it" in broken.notes[-1]
        assert "“labeling-job reference” builds it anew." in broken.notes[-1]

    @settings(max_examples=60)
    @given(st.data())
    def test_any_numbers_are_drawn(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(2, 30))
        level = st.floats(-1e100, 1e100) | st.floats(-10, 10) | st.just(NAN)
        levels = np.sort(
            np.array(data.draw(st.lists(st.tuples(*[level] * 3), min_size=number, max_size=number))), axis=1
        )
        levels[np.isnan(levels).any(axis=1)] = NAN
        length = data.draw(st.floats(1e-300, 1e100) | st.floats(0.001, 10))
        steps = Steps(data.draw(st.floats(-1e100, 0) | st.floats(-10, 0)), length, number)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            panel = drawn(np.sin(TIME), encode(Reference(3, steps, {"c": Curve(*levels.T)})))
        assert "of 3 good welds" in panel.alt

    def test_a_channel_that_it_has_not_is_drawn_without(self) -> None:
        steps = Steps(0.0, 0.1, 100)
        other = encode(Reference(3, steps, {"d": Curve(*(np.full(100, value) for value in (1.0, 2.0, 3.0)))}))
        panel = drawn(np.sin(TIME), other)
        assert panel.alt.endswith("of 3 good welds: none of this time.")


def test_what_is_said_of_an_item_counts_steps() -> None:
    steps = Steps(0.0, 1.0, 8)
    curve = Curve(np.full(8, 1.0), np.full(8, 2.0), np.full(8, 3.0))
    behind = Behind(Reference(1200, steps, {"c": curve}), "good items", 10.0)
    assert behind.told("c", np.array([2, 2, 0, 0, 4, 2, NAN, 2])) == (
        "Behind it, median and 5 to 95 % of 1,200 good items: 57% of the time within, longest below from 12 to 14 s."
    )
    assert behind.told("c", np.full(8, 2.0)).endswith("100% of the time within.")
    assert [one - other for other, one in itertools.pairwise(behind.time)] == [1.0] * 7
    assert behind.time[0] == 10.5
