"""What is computed from channels: beside plain loops, laws of spectra, and signals whose spectrum is known."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.sources import Channel, Derived, TimeColumn, TimeSeriesSource
from numpy.typing import NDArray
from PIL import Image
from plotting.derived import moving_mean, with_derived
from plotting.focus import Stretch
from plotting.layout import BOTTOM, HEIGHT, LEFT, RIGHT, TOP
from plotting.panels import Panel, draw_files
from plotting.recording import Recording
from plotting.spectra import TooFewRowsError, even_pieces, power_density, spectrogram

Values = NDArray[np.float64]


def recorded(time: Values, *values: Values, gaps: tuple[int, ...] = ()) -> Recording:
    return Recording(time, values, np.array(gaps, np.intp), 0, (), ((),) * len(values))


def source(*derived: Derived, units: tuple[str, ...] = ("V", "A")) -> TimeSeriesSource:
    channels = tuple(Channel(f"c{i}", f"Channel {i}", i + 1, f"c{i}", unit) for i, unit in enumerate(units))
    return TimeSeriesSource(
        title="Recording", folder="recordings", time=TimeColumn(unit="s"), channels=channels, derived=derived
    )


def derive(kind: Any, **options: Any) -> Derived:
    return Derived("d", "Derived", kind, "c0", "d", **options)


def panels_of(of: TimeSeriesSource, time: Values, *values: Values) -> dict[str, Panel]:
    text = io.BytesIO()
    np.savetxt(text, np.column_stack([time, *values]), delimiter=",", fmt="%.17g")
    return {panel.key: panel for panel in draw_files([(text.getvalue(), of, "s3://bucket/run.csv")]).panels}


class TestRowByRow:
    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_a_moving_mean_is_the_mean_of_the_rows_in_its_window(self, data: st.DataObject) -> None:
        rows = data.draw(st.integers(2, 40))
        steps = data.draw(st.lists(st.sampled_from([0.0, 0.1, 0.25, 1.0]), min_size=rows, max_size=rows))
        time = np.cumsum(steps)
        measured = st.floats(-1e6, 1e6) | st.just(float("nan"))
        values = np.array(data.draw(st.lists(measured, min_size=rows, max_size=rows)))
        gaps = tuple(data.draw(st.sets(st.integers(0, rows - 2), max_size=3)))
        window = data.draw(st.sampled_from([0.05, 0.5, 2.0, 100.0]))
        found = moving_mean(recorded(time, values, gaps=tuple(sorted(gaps))), values, window)
        piece = [sum(gap < row for gap in gaps) for row in range(rows)]
        for row in range(rows):
            near = [
                values[other]
                for other in range(rows)
                if piece[other] == piece[row] and abs(time[other] - time[row]) <= window / 2 + 1e-9
            ]
            near = [value for value in near if not np.isnan(value)]
            expected = sum(near) / len(near) if near else float("nan")
            assert found[row] == pytest.approx(expected, abs=1e-6, nan_ok=True)

    def test_a_moving_rms_is_the_root_of_the_mean_square(self) -> None:
        time = np.arange(0, 4, 0.001)
        sine = 3 + 5 * np.sin(2 * np.pi * 10 * time)
        recording, of = with_derived(recorded(time, sine, sine), source(derive("moving-rms", window_seconds=0.1)))
        # Of a whole number of periods: the root of the square of the mean and half the square of the amplitude.
        assert recording.values[2][500:-500] == pytest.approx(np.full(3000, np.sqrt(9 + 12.5)), rel=0.01)
        assert (of.channels[2].key, of.channels[2].unit) == ("d", "V")

    def test_a_ratio_is_missing_where_there_is_none(self) -> None:
        above, below = np.array([1.0, 0.0, 6.0, np.nan, 5.0]), np.array([2.0, 0.0, 0.0, 1.0, np.nan])
        recording, of = with_derived(recorded(np.arange(5.0), above, below), source(derive("ratio", over="c1")))
        assert recording.values[2] == pytest.approx([0.5, np.nan, np.nan, np.nan, np.nan], nan_ok=True)
        assert recording.channel_notes[2] == ("2 rows without a ratio: the channel below the line is zero.",)
        assert of.channels[2].unit == "V/A"

    @pytest.mark.parametrize(
        ("units", "own", "expected"),
        [(("V", "A"), "", "V/A"), (("V", "A"), "Ω", "Ω"), (("", "s"), "", "1/s"), (("V", ""), "", "V")],
    )
    def test_a_ratio_s_unit_follows_from_its_channels(self, units: tuple[str, ...], own: str, expected: str) -> None:
        of = source(derive("ratio", over="c1", unit=own), units=units)
        assert of.unit_of(of.derived[0]) == expected

    def test_it_is_drawn_and_read_as_a_channel(self) -> None:
        time = np.arange(0, 10, 0.01)
        panels = panels_of(source(derive("ratio", over="c1")), time, 2 * time, np.full(len(time), 4.0))
        assert panels["d"].alt.startswith("Derived over 9.99 s: from 0 to 4.995 V/A")
        assert panels["d"].series == 2
        assert panels["d"].area is not None

    def test_all_of_a_ratio_may_be_missing(self) -> None:
        time = np.arange(0, 10, 0.01)
        panels = panels_of(source(derive("ratio", over="c1")), time, time, np.zeros(len(time)))
        assert panels["d"].alt == "Derived over 9.99 s: no value. 1,000 values missing."


def samples_of(values: Values, rate: float) -> Any:
    time = np.arange(len(values), dtype=np.float64) / rate
    (found,) = even_pieces(recorded(time, values), values, Stretch(0.0, float(time[-1])))
    return found


class TestSpectra:
    @pytest.mark.parametrize("rows", [64, 100, 1000, 20_000])
    def test_the_density_s_integral_is_the_variance(self, rows: int) -> None:
        """Parseval's theorem; white noise spreads it evenly up to half of the rate."""
        noise = np.random.default_rng(rows).normal(scale=3, size=rows)
        frequencies, density = power_density(samples_of(noise, 500.0))
        assert frequencies[0] == 0
        assert frequencies[-1] == 250
        assert np.sum(density) * frequencies[1] == pytest.approx(9, rel=0.6 if rows < 1000 else 0.1)
        if rows > 1000:
            thirds = [np.mean(part) for part in np.array_split(density[2:-2], 3)]
            assert thirds == pytest.approx([9 / 250] * 3, rel=0.15)

    def test_a_sine_s_power_lies_at_its_frequency(self) -> None:
        time = np.arange(0, 20, 0.001)
        frequencies, density = power_density(samples_of(7 + 4 * np.sin(2 * np.pi * 80 * time), 1000.0))
        at = int(np.argmax(density))
        assert frequencies[at] == pytest.approx(80, abs=frequencies[1])
        about = slice(at - 4, at + 5)
        assert np.sum(density[about]) * frequencies[1] == pytest.approx(8, rel=0.01)  # half the amplitude's square

    def test_a_single_segment_is_the_plain_sum_over_its_rows(self) -> None:
        """The definition, by loops: one segment, Hann's window, no FFT."""
        values = np.random.default_rng(2).normal(size=64)
        _, density = power_density(samples_of(values, 10.0))
        window = [0.5 - 0.5 * np.cos(2 * np.pi * n / 64) for n in range(64)]
        centred = values - sum(values) / 64
        for k in (1, 5, 31):
            total = sum(
                w * v * np.exp(-2j * np.pi * k * n / 64) for n, (w, v) in enumerate(zip(window, centred, strict=True))
            )
            assert density[k] == pytest.approx(2 * abs(total) ** 2 / (10.0 * sum(w * w for w in window)), rel=1e-9)

    def test_uneven_rows_are_put_on_an_even_grid_and_a_note_says_so(self) -> None:
        rng = np.random.default_rng(3)
        time = np.sort(rng.uniform(0, 20, 8000))
        values = np.sin(2 * np.pi * 5 * time)
        (samples,) = even_pieces(recorded(time, values), values, Stretch(0.0, 20.0))
        assert samples.notes[0].startswith("Not sampled evenly: put on an even grid of ")
        frequencies, density = power_density(samples)
        assert frequencies[int(np.argmax(density))] == pytest.approx(5, abs=0.5)

    def test_pieces_end_at_gaps_and_at_what_is_missing(self) -> None:
        time = np.arange(0, 10, 0.01)
        values = np.sin(time)
        values[700] = np.nan
        found = even_pieces(recorded(time, values, gaps=(299,)), values, Stretch(1.0, 9.0))
        assert [(round(one.begin, 2), len(one.values)) for one in found] == [(1.0, 200), (3.0, 400), (7.01, 200)]

    def test_too_few_rows_are_said(self) -> None:
        time = np.arange(0, 0.63, 0.01)
        with pytest.raises(TooFewRowsError, match="needs 64 rows without a gap; the longest piece has 63 rows"):
            even_pieces(recorded(time, time), time, Stretch(0.0, 1.0))
        panels = panels_of(source(derive("spectrum"), units=("V",)), time, time)
        assert (
            panels["d"].alt == "Derived: none. A spectrum needs 64 rows without a gap; the longest piece has 63 rows."
        )
        assert panels["d"].notes == ("A spectrum needs 64 rows without a gap; the longest piece has 63 rows.",)

    def test_a_spectrogram_follows_what_changes(self) -> None:
        time = np.arange(0, 20, 0.001)
        values = np.where(time < 10, np.sin(2 * np.pi * 50 * time), np.sin(2 * np.pi * 200 * time))
        middles, frequencies, density = spectrogram(samples_of(values, 1000.0))
        strongest = frequencies[np.argmax(density, axis=1)]
        assert strongest[middles < 9.8] == pytest.approx(50, abs=frequencies[1])
        assert strongest[middles > 10.2] == pytest.approx(200, abs=frequencies[1])


class TestCharts:
    def test_a_spectrogram_is_dark_where_the_power_is(self) -> None:
        time = np.arange(0, 20, 0.001)
        values = np.where(time < 10, np.sin(2 * np.pi * 100 * time), np.sin(2 * np.pi * 400 * time))
        panel = panels_of(source(derive("spectrogram"), units=("V",)), time, values)["d"]
        area = panel.area
        assert area is not None
        assert (area.begin, area.low) == (0, 0)
        assert area.high == pytest.approx(500)
        red = np.asarray(Image.open(io.BytesIO(panel.png)).convert("RGB"), dtype=np.int64)[..., 0]

        def at(moment: float, frequency: float) -> float:
            x = LEFT + moment / 20 * (RIGHT - LEFT)
            y = HEIGHT - (BOTTOM + frequency / 500 * (TOP - BOTTOM))
            return float(red[round(y) - 1 : round(y) + 2, round(x) - 3 : round(x) + 4].mean())

        for moment in (2.0, 8.0):
            assert at(moment, 100) < 40
            assert at(moment, 400) > 215
        for moment in (12.0, 18.0):
            assert at(moment, 400) < 40
            assert at(moment, 100) > 215

    def test_a_histogram_s_bars_are_as_high_as_there_are_rows(self) -> None:
        values = np.repeat([1.0, 5.0, 9.0], [300, 100, 200])
        panel = panels_of(source(derive("histogram"), units=("V",)), np.arange(600.0), values)["d"]
        assert "histogram of 600 rows from 0 s to 599 s: from 1 to 9 V; most, 50 %, lie at 1 to" in panel.alt
        assert (panel.area, panel.series) == (None, None)
        pixels = np.asarray(Image.open(io.BytesIO(panel.png)).convert("RGB"), dtype=np.int64)[::-1]
        blue = (np.abs(pixels - (0, 114, 178)).sum(axis=2) < 40)[BOTTOM + 3 : TOP, LEFT + 3 : RIGHT + 1]
        heights = blue.sum(axis=0)
        first, middle, last = heights[:20].max(), heights[850:920].max(), heights[-20:].max()
        assert middle / first == pytest.approx(1 / 3, abs=0.02)
        assert last / first == pytest.approx(2 / 3, abs=0.02)

    def test_a_spectrum_says_where_it_is_strongest(self) -> None:
        time = np.arange(0, 20, 0.001)
        values = 10 * np.sin(2 * np.pi * 80 * time) + np.random.default_rng(0).normal(size=len(time))
        panel = panels_of(source(derive("spectrum"), units=("V",)), time, values)["d"]
        assert panel.alt.startswith(
            "Derived, spectrum from 0 s to 20 s, up to 500 Hz: strongest at 80.08 Hz; half of the power lies below 80"
        )

    @settings(max_examples=30, deadline=None)
    @given(st.data())
    def test_any_recording_has_them_all(self, data: st.DataObject) -> None:
        rows = data.draw(st.integers(2, 400))
        time = np.cumsum(data.draw(st.lists(st.floats(1e-3, 10), min_size=rows, max_size=rows)))
        measured: Any = st.floats(-1e100, 1e100) | st.just(float("nan"))
        values = np.array(data.draw(st.lists(measured, min_size=rows, max_size=rows)))
        values[0] = 1.0
        kinds = ("spectrum", "spectrogram", "histogram", "moving-mean", "moving-rms")
        derived = tuple(
            Derived(f"d{n}", "Derived", kind, "c0", f"d{n}", window_seconds=1.0 if kind[0] == "m" else None)  # type: ignore[arg-type]
            for n, kind in enumerate(kinds)
        )
        panels = panels_of(source(*derived, units=("V",)), time, values)
        assert len(panels) == 6
        assert all(len(panel.alt) <= 600 for panel in panels.values())
