"""The numbers behind a plot: every row as it was measured, and of each block the extremes."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.panels import Gap, Level, PlotData
from numpy.typing import NDArray
from plotting import pyramid
from plotting.recording import Recording

Values = NDArray[np.float64]


def recorded(time: Values, *values: Values, gaps: tuple[int, ...] = ()) -> Recording:
    return Recording(time, values, np.array(gaps, np.intp), 0, (), ((),) * len(values))


def entries(file: bytes, layout: PlotData, level: Level) -> list[list[float]]:
    """The columns of a level, read as the description of the file has it, by another library than wrote it."""
    width = 1 + layout.channels if level.rows == 1 else 2 + 2 * layout.channels
    columns: list[list[float]] = [[] for _ in range(width)]
    at = level.start
    for first in range(0, level.entries, layout.chunk):
        count = min(layout.chunk, level.entries - first)
        for column in columns:
            column.extend(struct.unpack_from(f"<{count}d", file, at))
            at += 8 * count
    return columns


@pytest.mark.parametrize("rows", [2, 100, 1024, 1025, 2001, 20_000, 130_000])
def test_each_level_has_the_extremes_of_so_many_rows(rows: int) -> None:
    rng = np.random.default_rng(rows)
    time, values = np.cumsum(rng.uniform(0.001, 0.01, rows)), [rng.normal(size=rows) for _ in range(3)]
    file, layout = pyramid.build(recorded(time, *values))
    assert (layout.channels, layout.levels[0]) == (3, Level(0, rows, 1))
    assert layout.levels[-1].entries <= pyramid.COARSEST
    end = 0
    for level in layout.levels:
        assert level.start == end
        found = entries(bytes(file), layout, level)
        end += 8 * level.entries * len(found)
        blocks = range(0, rows, level.rows)
        assert level.entries == len(blocks)
        if level.rows == 1:
            assert found == [time.tolist(), *(channel.tolist() for channel in values)]
            continue
        assert found[0] == [time[first] for first in blocks]
        assert found[1] == [time[min(first + level.rows, rows) - 1] for first in blocks]
        for index, channel in enumerate(values):
            assert found[2 + 2 * index] == [min(channel[first : first + level.rows]) for first in blocks]
            assert found[3 + 2 * index] == [max(channel[first : first + level.rows]) for first in blocks]
    assert len(file) == end


def test_what_is_missing_is_no_value() -> None:
    rows = 4096
    values = np.arange(float(rows))
    values[8:16] = np.nan
    values[17] = np.nan
    file, layout = pyramid.build(recorded(np.arange(float(rows)), values))
    _, rows_of = entries(bytes(file), layout, layout.levels[0])
    assert np.isnan(rows_of[8:16]).all()
    _, _, lows, highs = entries(bytes(file), layout, layout.levels[1])
    assert np.isnan([lows[1], highs[1]]).all()
    assert (lows[0], highs[0], lows[2], highs[2]) == (0, 7, 16, 23)


def test_gaps_are_told_the_longest_where_there_are_many() -> None:
    time = np.arange(1000.0)
    time[400:] += 50
    time[700:] += 7
    _, layout = pyramid.build(recorded(time, time, gaps=(399, 699)))
    assert layout.gaps == (Gap(399.0, 450.0), Gap(749.0, 757.0))
    time = np.cumsum(np.linspace(1, 2, 1000))
    _, layout = pyramid.build(recorded(time, time, gaps=tuple(range(999))))
    assert len(layout.gaps) == pyramid.MOST_GAPS
    assert layout.gaps == tuple(map(Gap, time[799:-1].tolist(), time[800:].tolist()))


def test_a_file_is_not_much_larger_than_its_recording() -> None:
    """Ten thousand rows of three channels: 32 bytes a row, and a third more for the levels above."""
    time = np.arange(10_000.0)
    file, _ = pyramid.build(recorded(time, time, time, time))
    assert len(file) / 10_000 < 45


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 5000), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_any_spike_is_in_every_level(rows: int, channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=rows) for _ in range(channels)]
    spike = int(rng.integers(rows))
    values[-1][spike] = 1e9
    file, layout = pyramid.build(recorded(np.arange(float(rows)), *values))
    for level in layout.levels:
        found = entries(bytes(file), layout, level)
        assert found[-1][spike // level.rows] == 1e9
