"""Thinning: what a plot shows of a million rows is what it would show of each."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from plotting.thinning import thin

NO_GAPS = np.array([], dtype=np.intp)


def columns_of(time: NDArray[Any], duration: float, columns: int) -> NDArray[Any]:
    """The pixel column of each time."""
    edges = np.linspace(0, duration, columns + 1)[:-1]
    return np.searchsorted(edges, time, side="right") - 1


@settings(deadline=None)
@given(st.data())
def test_each_columns_extremes_survive(data: st.DataObject) -> None:
    columns = data.draw(st.integers(1, 40))
    steps = data.draw(arrays.arrays(float, st.integers(1, 300), elements=st.floats(0, 10)))
    time = np.concatenate([[0.0], np.cumsum(steps)])
    duration = float(time[-1]) or 1.0
    values = data.draw(arrays.arrays(float, len(time), elements=st.floats(-1e9, 1e9) | st.just(np.nan)))
    values[data.draw(st.integers(0, len(values) - 1))] = 1.0
    gaps = np.flatnonzero(np.diff(time) > 5)
    envelope = thin(time, values, gaps, duration, columns)

    measured = ~np.isnan(values)
    where = columns_of(time[measured], duration, columns)
    # A column's rows lie in its one entry, or on both sides of a break in two.
    entries = columns_of(np.clip(envelope.time, 0, duration), duration, columns)
    for column in np.unique(where):
        rows = values[measured][where == column]
        near = np.abs(entries - column) <= 1
        assert rows.min() in envelope.low[near]
        assert rows.max() in envelope.high[near]
    assert len(envelope.time) <= 2 * columns
    assert (np.diff(envelope.time) >= 0).all()


@settings(deadline=None)
@given(st.data())
def test_gaps_and_missing_values_are_never_bridged(data: st.DataObject) -> None:
    """Where rows are further apart than columns, the pieces are those that gaps and missing values leave."""
    count = data.draw(st.integers(2, 60))
    missing = data.draw(arrays.arrays(bool, count))
    missing[0] = False
    gaps = np.flatnonzero(data.draw(arrays.arrays(bool, count - 1)))
    time = np.arange(count, dtype=float)
    values = np.where(missing, np.nan, time)
    envelope = thin(time, values, gaps, count - 1, 1000)

    runs, run = [], [0]
    for row in range(1, count):
        if (missing[row] or row - 1 in gaps) and run:
            runs.append(run)
            run = []
        if not missing[row]:
            run.append(row)
    runs += [run] if run else []
    assert [envelope.low[piece].tolist() for piece in envelope.pieces()] == runs
    assert envelope.time.tolist() == time[~missing].tolist()


def test_a_break_narrower_than_a_column_cannot_be_seen() -> None:
    time = np.arange(100_000.0)
    values = np.where(time == 50_000, np.nan, np.sin(time))
    assert len(thin(time, values, NO_GAPS, 99_999, 1000).pieces()) == 1


def test_one_spike_in_a_million_rows() -> None:
    time = np.arange(1e6)
    values = np.zeros(10**6)
    values[123_456] = 7
    envelope = thin(time, values, NO_GAPS, 1e6 - 1, 1756)
    assert len(envelope.time) == 1756
    assert envelope.high.max() == 7
    assert abs(envelope.time[envelope.high.argmax()] - 123_456) < 1e6 / 1756
