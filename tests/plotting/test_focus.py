"""What of a recording matters: found where it is plain, everything shown where it isn't."""

import io
import warnings
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.sources import Channel, Focus, TimeColumn, TimeSeriesSource
from numpy.typing import NDArray
from plotting.focus import Stretch, find_focus
from plotting.recording import Recording, read

Values = NDArray[np.float64]
RNG = np.random.default_rng(3)
TIME = np.arange(0, 100, 0.01)
WELD = (TIME >= 60) & (TIME < 72)


def source(channels: int = 1, focus: Literal["auto", "whole"] | Focus = "auto") -> TimeSeriesSource:
    return TimeSeriesSource(
        title="Recording",
        folder="recordings",
        time=TimeColumn(unit="s"),
        channels=tuple(Channel(f"c{i}", f"Channel {i}", i + 1, f"c{i}", "A") for i in range(channels)),
        focus=focus,
    )


def recorded(*values: Values, time: Values = TIME, **options: Any) -> tuple[Recording, TimeSeriesSource]:
    text = io.BytesIO()
    np.savetxt(text, np.column_stack([time, *values]), delimiter=",", fmt="%.17g")
    of = source(len(values), **options)
    return read(text.getvalue(), of, "s3://bucket/run.csv"), of


def focus_of(*values: Values, time: Values = TIME, **options: Any) -> Stretch:
    found, notes = find_focus([recorded(*values, time=time, **options)])
    assert notes == ()
    return found


def approximately(begin: float, end: float) -> Any:
    return pytest.approx((begin, end), abs=0.03)


def ends(stretch: Stretch) -> tuple[float, float]:
    return stretch.begin, stretch.end


WHOLE = Stretch(0.0, float(TIME[-1]))
NOISE = RNG.normal(size=len(TIME))
CURRENT = np.where(WELD, 120 + 10 * NOISE, 0.0)


class TestAutomatically:
    def test_it_is_what_lies_between_long_rests_and_a_little_more(self) -> None:
        # From the first row of the weld to the last, 12 s, and a twentieth of that on either side.
        assert ends(focus_of(CURRENT)) == approximately(59.4, 72.59)

    @pytest.mark.parametrize("level", [0.0, 123.0, -40.0, 400.0])
    def test_rest_may_be_at_any_value(self, level: float) -> None:
        assert ends(focus_of(CURRENT + np.where(WELD, 0.3 * level, level))) == approximately(59.4, 72.59)

    def test_rest_may_be_noisy(self) -> None:
        assert ends(focus_of(np.where(WELD, 120 + 10 * NOISE, 0.5 * NOISE))) == approximately(59.4, 72.59)

    def test_missing_values_are_no_values(self) -> None:
        current = CURRENT.copy()
        current[::3] = np.nan
        current[6100:6300] = np.nan
        assert ends(focus_of(current)) == approximately(59.4, 72.59)

    def test_any_channel_may_be_the_one_that_moves(self) -> None:
        later = np.where((TIME > 70) & (TIME < 90), 5 + NOISE, 0.0)
        assert ends(focus_of(CURRENT, later, np.full(len(TIME), 7.0))) == approximately(58.5, 91.5)

    @pytest.mark.parametrize(
        "values",
        [
            pytest.param(120 + 10 * NOISE, id="noise"),
            pytest.param(np.full(len(TIME), 3.0), id="constant"),
            pytest.param(np.linspace(0, 1, len(TIME)), id="ramp"),
            pytest.param(np.where(TIME > 40, 120 + 10 * NOISE, 0.0), id="mostly active"),
            pytest.param(np.where(TIME < 60, 120 + 0.1 * NOISE, 0.0), id="a steady weld, then nothing"),
            pytest.param(np.where(TIME < 1, 300 + 30 * NOISE, 120 + 10 * NOISE), id="only the start differs"),
            pytest.param(np.where(np.arange(len(TIME)) == 5000, 1e5, 120 + 10 * NOISE), id="a spike"),
            pytest.param(np.where(np.arange(len(TIME)) % 3000 == 50, 300.0, 0.0), id="spikes far from each other"),
            pytest.param(np.where((TIME < 5) | (TIME > 95), 120 + 10 * NOISE, 0.0), id="at both ends"),
        ],
    )
    def test_all_is_shown_where_it_is_not_plain(self, values: Values) -> None:
        assert focus_of(values) == WHOLE

    def test_all_is_shown_while_one_channel_never_rests(self) -> None:
        assert focus_of(CURRENT, np.linspace(0, 1, len(TIME))) == WHOLE

    def test_few_rows_tell_nothing(self) -> None:
        time = np.arange(0, 9.9, 0.1)
        assert focus_of(np.where(time > 8, 5.0, 0.0), time=time) == Stretch(0.0, float(time[-1]))

    def test_it_can_be_switched_off(self) -> None:
        assert focus_of(CURRENT, focus="whole") == WHOLE


class TestByRule:
    def test_it_reaches_from_the_first_row_beyond_the_level_to_the_last(self) -> None:
        ramp = np.linspace(0, 99.99, len(TIME))
        assert ends(focus_of(ramp, focus=Focus("c0", above=40.0, below=50.0))) == approximately(39.51, 50.49)
        assert ends(focus_of(ramp, focus=Focus("c0", below=10.0, margin_seconds=2.0))) == approximately(0.0, 11.99)
        assert ends(focus_of(ramp, focus=Focus("c0", above=90.0, margin_seconds=0.0))) == approximately(89.9, 99.99)

    def test_it_looks_at_the_channel_that_it_names(self) -> None:
        other = np.where(TIME > 30, 1.0, 0.0)
        found = focus_of(CURRENT, other, focus=Focus("c1", above=0.5, margin_seconds=1.0))
        assert ends(found) == approximately(29.01, 99.99)

    def test_where_no_row_is_beyond_it_all_is_shown_and_a_note_says_why(self) -> None:
        found, notes = find_focus([recorded(CURRENT, focus=Focus("c0", above=1000.0))])
        assert (found, notes) == (WHOLE, ("Nowhere is Channel 0 above 1,000 A, so the whole recording is shown.",))

    def test_a_single_row_is_shown_with_its_neighbours(self) -> None:
        values = np.where(np.arange(len(TIME)) == 5000, 1.0, 0.0)
        found = focus_of(values, focus=Focus("c0", above=0.5))
        assert ends(found) == approximately(49.9, 50.1)


def test_what_matters_in_any_recording_of_an_item_is_shown() -> None:
    early = recorded(np.where((TIME > 10) & (TIME < 20), 5 + NOISE, 0.0))
    late = recorded(CURRENT)
    assert ends(find_focus([early, late])[0]) == approximately(9.5, 72.59)
    restless = recorded(NOISE)
    assert find_focus([late, restless])[0] == WHOLE


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_recording_has_one(data: st.DataObject) -> None:
    rows = data.draw(st.integers(2, 3000))
    measured = st.floats(-1e50, 1e50) | st.just(float("nan"))
    levels = data.draw(st.lists(measured, min_size=1, max_size=8))
    values = np.array(levels)[np.sort(RNG.integers(0, len(levels), rows))]
    values[0] = 0.0
    time = np.cumsum(RNG.uniform(0.001, data.draw(st.floats(0.002, 5)), rows))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recording, of = recorded(values, time=time)
        found, _ = find_focus([(recording, of)])
    assert 0 <= found.begin < found.end <= recording.time[-1]
