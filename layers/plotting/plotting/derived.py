"""What is computed from channels, row by row: moving means, moving RMS, and one channel over another."""

from dataclasses import replace

import msgspec
import numpy as np
from labeling.sources import Channel, Derived, TimeSeriesSource
from labeling.sources.timeseries import ROW_BY_ROW
from numpy.typing import NDArray

from plotting.numerals import count
from plotting.recording import Recording
from plotting.rows import LARGEST

Values = NDArray[np.float64]


def with_derived(recording: Recording, source: TimeSeriesSource) -> tuple[Recording, TimeSeriesSource]:
    """Add what is computed row by row, as channels.

    Args:
        recording: What was measured.
        source: As what it was read, and what is computed from it.

    Returns:
        The recording and its source with further channels.
    """
    wanted = [derived for derived in source.derived if derived.kind in ROW_BY_ROW]
    if not wanted:
        return recording, source
    computed = [_compute(recording, source, derived) for derived in wanted]
    channels = [Channel(one.key, one.title, 0, one.suffix, source.unit_of(one)) for one in wanted]
    return (
        replace(
            recording,
            values=(*recording.values, *(values for values, _ in computed)),
            channel_notes=(*recording.channel_notes, *(notes for _, notes in computed)),
        ),
        msgspec.structs.replace(source, channels=(*source.channels, *channels)),
    )


def channel_values(recording: Recording, source: TimeSeriesSource, key: str) -> Values:
    """The values of a channel by its key."""
    return recording.values[[channel.key for channel in source.channels].index(key)]


def _compute(recording: Recording, source: TimeSeriesSource, derived: Derived) -> tuple[Values, tuple[str, ...]]:
    values = channel_values(recording, source, derived.of)
    if derived.kind == "ratio":
        return _ratio(values, channel_values(recording, source, derived.over))
    window = derived.window_seconds or 0.0
    if derived.kind == "moving-mean":
        return moving_mean(recording, values, window), ()
    return np.sqrt(np.maximum(moving_mean(recording, values**2, window), 0.0)), ()


def moving_mean(recording: Recording, values: Values, window: float) -> Values:
    """The mean of the rows within a window about each row, which reaches over no gap; what is missing doesn't count.

    Args:
        recording: Whose rows they are.
        values: One for each row, shape (n,).
        window: In seconds.

    Returns:
        The means, shape (n,); NaN where no row of the window has a value.
    """
    time, rows = recording.time, np.arange(recording.rows)
    starts = np.concatenate([[0], recording.gaps + 1, [recording.rows]])
    piece = np.searchsorted(starts, rows, side="right") - 1
    # A little wider, so that rounding loses no row that stands at the edge.
    half = window / 2 * (1 + 1e-9)
    first = np.maximum(np.searchsorted(time, time - half), starts[piece])
    last = np.minimum(np.searchsorted(time, time + half, side="right"), starts[piece + 1])
    measured = ~np.isnan(values)
    middle = float(np.mean(values[measured])) if measured.any() else 0.0  # sums about it lose less to rounding
    sums = np.concatenate([[0.0], np.cumsum(np.where(measured, values - middle, 0.0))])
    counts = np.concatenate([[0], np.cumsum(measured)])
    number = counts[last] - counts[first]
    means: Values = np.full(recording.rows, np.nan)
    np.divide(sums[last] - sums[first], number, out=means, where=number > 0)
    return means + middle


def _ratio(above: Values, below: Values) -> tuple[Values, tuple[str, ...]]:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = above / below
    undefined = (np.abs(ratio) > LARGEST) | (np.isnan(ratio) & ~np.isnan(above) & ~np.isnan(below))
    ratio[undefined] = np.nan
    number = int(np.count_nonzero(undefined))
    return ratio, (f"{count(number, 'row')} without a ratio: the channel below the line is zero.",) if number else ()
