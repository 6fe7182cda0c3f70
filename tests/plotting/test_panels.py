"""Panels: what their pictures show, looked at pixel by pixel."""

import io
import struct
import threading
import warnings
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.panels import PlotArea
from labeling.sources import Channel, TimeColumn, TimeSeriesSource
from numpy.typing import NDArray
from PIL import Image
from plotting.canvas import Canvas, Color
from plotting.frames import limits
from plotting.layout import BOTTOM, COLORS, HEIGHT, LEFT, NO_DATA, RIGHT, TOP, WIDTH
from plotting.lines import LINE_WIDTH, PALEST
from plotting.panels import Panel, aligned, draw
from plotting.recording import Recording, read

Pixels = NDArray[np.int64]
Values = NDArray[np.float64]


def source(channels: int = 1, title: str = "Current", unit: str = "A") -> TimeSeriesSource:
    return TimeSeriesSource(
        title="Recording",
        folder="recordings",
        time=TimeColumn(unit="s"),
        channels=tuple(Channel(f"c{i}", title, i + 1, f"c{i}", unit) for i in range(channels)),
    )


def drawn(time: Values, *values: Values, **naming: str) -> list[Panel]:
    text = io.BytesIO()
    np.savetxt(text, np.column_stack([time, *values]), delimiter=",", fmt="%.17g")
    recorded = source(len(values), **naming)
    return list(draw([(read(text.getvalue(), recorded, "s3://bucket/run.csv"), recorded)]))


def area_of(panel: Panel) -> PlotArea:
    assert panel.area is not None
    return panel.area


def plot_of(panel: Panel) -> Pixels:
    """The pixels within the axes, from their lower left corner, shape (height, width, 3)."""
    pixels = np.asarray(Image.open(io.BytesIO(panel.png)).convert("RGB"), dtype=np.int64)
    return pixels[::-1][BOTTOM + 2 : TOP, LEFT + 2 : RIGHT]


def line_in(pixels: Pixels, color: Color = COLORS[0]) -> NDArray[np.bool_]:
    """Where the line is, shape (height, width)."""
    within: NDArray[np.bool_] = np.abs(pixels - color).sum(axis=2) < 60
    return within


def test_a_panel_is_a_picture_for_a_high_density_screen() -> None:
    (panel,) = drawn(np.arange(100.0), np.arange(100.0))
    assert panel.png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", panel.png[16:24]) == (WIDTH, HEIGHT)
    assert (panel.key, panel.suffix) == ("c0", "c0")
    corner = Image.open(io.BytesIO(panel.png)).convert("RGB").getpixel((WIDTH - 1, 0))
    assert corner == (255, 255, 255)


def test_panels_line_up_on_one_time_axis() -> None:
    time = np.linspace(0, 3, 500)
    one, other = drawn(time, np.sin(time) * 1e-3, np.where(time > 1, np.nan, time * 12345))
    pictures = [np.asarray(Image.open(io.BytesIO(panel.png)).convert("RGB"))[::-1] for panel in (one, other)]
    below = slice(0, BOTTOM - 2)
    assert np.array_equal(pictures[0][below, LEFT + 40 :], pictures[1][below, LEFT + 40 :])


def test_the_same_recording_gives_the_same_bytes_in_any_thread() -> None:
    time = np.linspace(0, 1, 3000)
    values = [np.random.default_rng(i).normal(size=3000) for i in range(3)]
    alone = [panel.png for panel in drawn(time, *values)]
    together: list[list[bytes]] = []
    threads = [
        threading.Thread(target=lambda: together.append([panel.png for panel in drawn(time, *values)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 4


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.random.default_rng(1).normal(size=20_000), id="noise"),
        pytest.param(np.sin(np.linspace(0, 40, 20_000)), id="smooth"),
        pytest.param(np.sign(np.sin(np.linspace(0, 300, 20_000))), id="pulses"),
        pytest.param(np.cumsum(np.random.default_rng(1).normal(size=20_000)), id="walk"),
    ],
)
def test_a_thinned_line_looks_like_one_through_every_row(values: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the shades within it, which the next tests look at."""
    monkeypatch.setattr(Canvas, "shade_within", lambda *_: None)
    time = np.arange(20_000.0)
    (panel,) = drawn(time, values)
    low, high = limits(values.min(), values.max())
    every_row = Canvas(WIDTH, HEIGHT)
    color = np.array(COLORS[0])
    x = LEFT + time / time[-1] * (RIGHT - LEFT)
    y = BOTTOM + (values - low) / (high - low) * (TOP - BOTTOM)
    every_row.curve(np.c_[x, y], COLORS[0], LINE_WIDTH)
    whole = replace(panel, png=every_row.png((COLORS[0],)))
    drawn_otherwise = np.abs(plot_of(panel) - plot_of(whole)).sum(axis=2) > np.sum(255 - color) / 2
    assert drawn_otherwise.mean() < 0.02


def shade_at(pixels: Pixels, row: int) -> float:
    """How much of the first channel's colour a row of pixels has, the middle of them, from 0 to 1."""
    return float((255 - np.median(pixels[row, 100:-100, 0])) / (255 - COLORS[0][0]))


def test_shades_say_how_many_values_lie_where() -> None:
    """Three quarters of the values are 26 V, a quarter 4 V, as in a short-circuiting arc: two bands, paler between."""
    rows = 400_000
    values = np.where(np.arange(rows) % 40 < 10, 4.0, 26.0) + np.linspace(-0.5, 0.5, 101)[np.arange(rows) % 101]
    (panel,) = drawn(np.arange(float(rows)), values)
    plot = plot_of(panel)
    area = area_of(panel)

    def row_of(value: float) -> int:
        return round((value - area.low) / (area.high - area.low) * (TOP - BOTTOM)) - 2

    assert shade_at(plot, row_of(26)) > 0.9
    assert shade_at(plot, row_of(15)) == pytest.approx(PALEST, abs=0.05)
    # A third as many, of which sight tells the root: bands of the same height, so counted by hand.
    assert shade_at(plot, row_of(4)) == pytest.approx(PALEST + (1 - PALEST) * np.sqrt(1 / 3), abs=0.12)
    assert shade_at(plot, row_of(27.2)) < 0.05
    edges = line_in(plot)[:, 100:-100]  # what is in full: both ends of what the line sweeps
    assert edges[row_of(26.5) - 3 : row_of(26.5) + 4].any(axis=0).all()
    assert edges[row_of(3.5) - 3 : row_of(3.5) + 4].any(axis=0).all()


@pytest.mark.parametrize("rows", [3_000, 6_000, 8_000, 200_000])
def test_a_spike_keeps_its_colour_however_dense_its_neighbours_are(rows: int) -> None:
    values = np.random.default_rng(0).normal(size=rows)
    values[rows // 3] = 40
    (panel,) = drawn(np.arange(float(rows)), values)
    spike = line_in(plot_of(panel))[:, round((RIGHT - LEFT) / 3) - 6 : round((RIGHT - LEFT) / 3) + 3]
    assert bool(np.all(np.any(spike, axis=1)[200:420]))


def test_what_matters_is_shown_large_over_a_strip_with_all_of_it() -> None:
    time = np.arange(0, 100, 0.01)
    rng = np.random.default_rng(0)
    values = np.where((time > 70) & (time < 80), 100 + 20 * rng.normal(size=len(time)), 0.0)
    values[7_500] = 400.0  # at 75 s
    one, other = drawn(time, values, np.where(values > 0, 5.0, 0.0))
    for panel in (one, other):
        area = area_of(panel)
        assert area.begin == pytest.approx(69.51, abs=0.02)
        assert area.end == pytest.approx(80.49, abs=0.02)
        assert area.duration == pytest.approx(99.99)
    picture = np.asarray(Image.open(io.BytesIO(one.png)).convert("RGB"), dtype=np.int64)
    height, width, _ = picture.shape
    assert (width, height) == (WIDTH, HEIGHT + 140)
    # The spike is where the area says.
    area = area_of(one)
    x = (area.left + (75 - area.begin) / (area.end - area.begin) * (area.right - area.left)) * width
    y = (area.bottom + (400 - area.low) / (area.high - area.low) * (area.top - area.bottom)) * height
    found = np.abs(picture - COLORS[0]).sum(axis=2) < 60
    assert found[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5].any()
    # The strip's frame is where the stretch lies in the whole.
    strip = picture[height - 172 + 20 : height - 84 - 20]
    dark = np.flatnonzero((strip.sum(axis=2) < 200).mean(axis=0) > 0.9)
    expected = [LEFT + moment / 99.99 * (RIGHT - LEFT) for moment in (area.begin, area.end)]
    assert dark.min() == pytest.approx(expected[0], abs=3)
    assert dark.max() == pytest.approx(expected[1], abs=3)
    assert "from 69.51 to 80.49 s of 99.99 s" in one.alt
    assert "Outside of that stretch: 0 A." in one.alt


def test_a_line_comes_in_and_goes_out_at_the_edges() -> None:
    """Rows are far apart: between the last one before the stretch and the first one in it the line is drawn as well."""
    time = np.arange(0, 1000, 1.0)
    values = np.zeros(1000)
    values[400:440] = np.tile([0.0, 50, 100, 50], 10)
    (panel,) = drawn(time, values)
    assert area_of(panel).duration > area_of(panel).end - area_of(panel).begin
    plot = np.asarray(Image.open(io.BytesIO(panel.png)).convert("RGB"), dtype=np.int64)
    found = line_in(plot)[: HEIGHT - BOTTOM, :]
    assert found[:, LEFT + 4].any()
    assert found[:, RIGHT - 4].any()
    assert not found[:, : LEFT - 4].any()
    assert not found[:, RIGHT + 4 :].any()


def test_an_area_is_told_of_a_whole_recording_too() -> None:
    (panel,) = drawn(np.linspace(0, 10, 50), np.linspace(0, 1, 50))
    area = area_of(panel)
    assert (area.begin, area.end, area.duration) == (0.0, 10.0, 10.0)
    assert (area.left, area.right) == (LEFT / WIDTH, RIGHT / WIDTH)
    assert area.top == pytest.approx((HEIGHT - TOP) / HEIGHT)
    assert area.bottom == pytest.approx((HEIGHT - BOTTOM) / HEIGHT)
    assert area.low == pytest.approx(-0.06)
    assert area.high == pytest.approx(1.06)


def test_every_spike_is_seen() -> None:
    values = np.zeros(200_000)
    spikes = np.array([2_000, 50_000, 123_456, 198_000])
    values[spikes] = 10
    (panel,) = drawn(np.arange(200_000.0), values)
    upper = line_in(plot_of(panel))[300:].any(axis=0)
    seen = np.flatnonzero(upper)
    for spike in spikes:
        assert np.abs(seen - spike / 199_999 * (RIGHT - LEFT)).min() <= 4
    assert upper.sum() <= 5 * len(spikes)


def test_gaps_are_shaded_and_not_bridged() -> None:
    time = np.concatenate([np.arange(0, 4, 0.01), np.arange(6, 10, 0.01)])
    (panel,) = drawn(time, np.ones(len(time)))
    plot = plot_of(panel)
    column = round((RIGHT - LEFT) / 9.99)
    assert not line_in(plot)[:, 4 * column + 8 : 6 * column - 8].any()
    assert line_in(plot)[:, 20 : 4 * column - 20].any(axis=0).all()
    assert line_in(plot, NO_DATA)[5:, 5 * column].mean() > 0.9
    assert panel.notes == ("1 gap in time, of 2.01 s from 3.99 s.",)


def test_a_lone_row_between_gaps_is_a_dot() -> None:
    time = np.concatenate([np.arange(0, 1, 0.01), [5.0], np.arange(9, 10, 0.01)])
    (panel,) = drawn(time, np.ones(len(time)))
    middle = round(5 / 9.99 * (RIGHT - LEFT))
    assert 20 < line_in(plot_of(panel))[:, middle - 20 : middle + 20].sum() < 100


@pytest.mark.parametrize(
    "values",
    [[0, 0], [7, 7], [-1e99, 1e99], [1e-200, 3e-200], [5e8, 5e8 + 1e-6], [1e12, 1e12 + 1], [-3, -4]],
)
def test_extreme_values_are_drawn(values: list[float]) -> None:
    (panel,) = drawn(np.array([0.0, 1e-6]), np.array(values))
    assert line_in(plot_of(panel)).any(axis=0).mean() > 0.95


@pytest.mark.parametrize(
    "text", ["$\\frac{1", "温度 🔥", "\u202eright to left שלום", "a\nb\tc\x00", "W" * 120, "%s {0} <b>", "ﷺ" * 40]
)
def test_titles_are_taken_literally(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (panel,) = drawn(np.arange(5.0), np.arange(5.0), title=text, unit=text[:20])
    assert panel.png


def test_a_panel_carries_its_own_notes() -> None:
    time = np.arange(300.0)
    one, other = drawn(time, np.where(time == 7, np.nan, time), time)
    assert one.notes == ("1 of 300 values missing.",)
    assert other.notes == ()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_recording_is_drawn(data: st.DataObject) -> None:
    """Whatever was measured, there is a picture, a description and no warning."""
    measured: Any = st.floats(-1e100, 1e100, allow_subnormal=True) | st.just(float("nan"))
    values = data.draw(st.lists(measured, min_size=2, max_size=50))
    values[0] = data.draw(st.floats(-1e100, 1e100))
    steps = data.draw(st.lists(st.floats(1e-3, 1e3), min_size=len(values), max_size=len(values)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (panel,) = drawn(np.cumsum(steps), np.array(values))
    assert len(panel.alt) <= 600


def logged(start: str, rows: int, key: str) -> tuple[Recording, TimeSeriesSource]:
    """A recording of one row a second that says when it began."""
    begin = datetime.fromisoformat(start)
    text = "\n".join(f"{(begin + timedelta(seconds=number)).isoformat()},{number % 7}" for number in range(rows))
    recorded = TimeSeriesSource(
        title=key,
        folder=key,
        channels=(Channel(key=key, title=key, column=1, suffix=key),),
        time=TimeColumn(0, "iso8601"),
    )
    return read(text.encode(), recorded, f"s3://bucket/{key}.csv"), recorded


def test_recordings_of_one_item_share_one_clock() -> None:
    vibration = logged("2026-05-04T10:00:00+02:00", 61, "vibration")
    pressure = logged("2026-05-04T08:00:20Z", 70, "pressure")
    first, second = aligned([vibration[0], pressure[0]])
    assert (first.time[0], first.time[-1]) == (0, 60)
    assert (second.time[0], second.time[-1]) == (20, 89)
    panels = list(draw([vibration, pressure]))
    assert [panel.key for panel in panels] == ["vibration", "pressure"]
    assert panels[0].png != panels[1].png
    first_ticks, second_ticks = [
        np.asarray(Image.open(io.BytesIO(panel.png)).convert("L"))[-120:-40, 195:] for panel in panels
    ]
    assert np.array_equal(first_ticks, second_ticks)


def test_what_is_said_of_a_moved_recording_is_on_the_item_s_clock() -> None:
    steady = logged("2026-05-04T08:00:00Z", 100, "steady")
    text = b"2026-05-04T08:00:20Z,1\n2026-05-04T08:00:21Z,1\n2026-05-04T08:00:22Z,1\n2026-05-04T08:00:52Z,1\n"
    late = read(text, steady[1], "s3://bucket/late.csv")
    first, moved = aligned([steady[0], late])
    *_, panel = draw([(first, steady[1]), (moved, steady[1])])
    assert "1 gap in time, of 30 s from 22 s." in panel.notes


def test_recordings_that_cannot_be_of_one_time_each_begin_at_0() -> None:
    today, earlier = logged("2026-05-04T08:00:00Z", 60, "today")[0], logged("2020-01-01T00:00:00Z", 60, "earlier")[0]
    assert [recording.time[0] for recording in aligned([today, earlier])] == [0, 0]
