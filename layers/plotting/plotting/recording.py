"""Recordings: what was measured, when, and what a person should know about it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from labeling.sources import Channel, TimeSeriesSource
from numpy.typing import NDArray

from plotting.encoding import plain_text
from plotting.errors import RecordingError
from plotting.numerals import count, seconds
from plotting.rows import LARGEST, SMALLEST, Rows, read_rows

SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "epoch-s": 1.0, "epoch-ms": 1e-3, "iso8601": 1.0}

# Shorter than a picosecond is no duration but rounding.
SHORTEST: Final = 1e-12

# Without a configured gap, this many median intervals without a row are one.
GAP_INTERVALS: Final = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A recording that can be drawn.

    Attributes:
        time: Seconds, never decreasing, shape (n,), n at least 2; `read` counts them from the first row.
        values: One array a channel in the source's order and in the channel's unit, each of shape (n,); NaN
            where a value is missing.
        gaps: The rows after which the recording has a gap in time, ascending indices.
        rows_left_out: How many rows couldn't be read.
        reading_notes: What people should know about how the file was read, one sentence each.
        channel_notes: The same about each channel, in the source's order.
        start: When the first row was measured, in seconds since 1970; ``None`` if the file doesn't say.
    """

    time: NDArray[np.float64]
    values: tuple[NDArray[np.float64], ...]
    gaps: NDArray[np.intp]
    rows_left_out: int
    reading_notes: tuple[str, ...]
    channel_notes: tuple[tuple[str, ...], ...]
    start: float | None = None

    @property
    def rows(self) -> int:
        """The number of rows that are drawn."""
        return len(self.time)

    @property
    def duration(self) -> float:
        """Seconds from the first row to the last."""
        return float(self.time[-1] - self.time[0])

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know about the whole recording, one sentence each."""
        return self.reading_notes + _repeated(self.time) + _gap_notes(self.time, self.gaps)


def read(data: bytes, source: TimeSeriesSource, name: str) -> Recording:
    """Read a recording from a delimited text file.

    Rows that can't be read are left out, counted and noted, up to ``source.max_rows_left_out`` of them; rows
    that are late are put in order within the same limit. A gap is an interval over
    ``source.time.gap_seconds``, or over ten times the median interval.

    Args:
        data: The file.
        source: Its layout and channels.
        name: The object's name for errors, its S3 URI.

    Raises:
        RecordingError: If it isn't such a file, or too much of it is unreadable, out of order or missing.
    """
    if len(data) > source.max_bytes:
        raise RecordingError(
            name,
            found=f"{len(data):,} bytes",
            expected=f"at most {source.max_bytes:,}",
            do="Shorten the recording, or raise the source's max_bytes.",
        )
    text, encoding_notes = plain_text(data, source, name)
    rows = read_rows(text, source, name)
    if len(rows.clock) < 2:
        raise RecordingError(
            name,
            found=count(len(rows.clock), "readable row"),
            expected="at least two, to draw a line",
            do="Record again, or take the item out of the manifest.",
        )
    order, order_notes = _order(rows, source, name)
    time = _seconds(rows, order, source, name)
    channels = [
        _channel(rows.values[:, i] if order is None else rows.values[order, i], channel, name)
        for i, channel in enumerate(source.channels)
    ]
    return Recording(
        time=time,
        values=tuple(values for values, _ in channels),
        gaps=_gaps(time, source),
        rows_left_out=rows.left_out,
        reading_notes=encoding_notes + rows.notes + order_notes,
        channel_notes=tuple(notes for _, notes in channels),
        start=_start(rows, source),
    )


def _order(rows: Rows, source: TimeSeriesSource, name: str) -> tuple[NDArray[np.intp] | None, tuple[str, ...]]:
    """How to put the rows in order of time; None where they are."""
    late = np.flatnonzero(rows.clock < np.maximum.accumulate(rows.clock))
    if not len(late):
        return None, ()
    first = int(rows.lines[late[0]])
    if len(late) > source.max_rows_left_out * len(rows.clock):
        raise RecordingError(
            name,
            found=f"time goes backwards here, and {len(late):,} of {len(rows.clock):,} rows are out of order",
            expected=f"rows in order of time, all but {source.max_rows_left_out:.0%}",
            do="Is it two recordings in one file, or the wrong time column?",
            line=first,
            column=source.time.column,
        )
    note = f"{count(len(late), 'row')} out of order put in order of time, the first on line {first:,}."
    return np.argsort(rows.clock, kind="stable"), (note,)


def _seconds(rows: Rows, order: NDArray[np.intp] | None, source: TimeSeriesSource, name: str) -> NDArray[np.float64]:
    clock = rows.clock if order is None else rows.clock[order]
    time: NDArray[np.float64] = (clock - clock[0]) * SECONDS[source.time.unit]
    if time[-1] < SHORTEST:
        raise RecordingError(
            name,
            found="time stands still: all rows have the same",
            expected="a column in which time passes",
            do="Check the source's time column and its unit.",
            column=source.time.column,
        )
    return time


def _repeated(time: NDArray[np.float64]) -> tuple[str, ...]:
    repeated = np.flatnonzero(np.diff(time) == 0)
    if not len(repeated):
        return ()
    first = seconds(float(time[repeated[0]]))
    return (f"{count(len(repeated), 'row')} with the same time as the row before, the first at {first}.",)


def _start(rows: Rows, source: TimeSeriesSource) -> float | None:
    if source.time.unit not in ("epoch-s", "epoch-ms", "iso8601"):
        return None
    return rows.epoch + float(rows.clock.min()) * SECONDS[source.time.unit]


def _gaps(time: NDArray[np.float64], source: TimeSeriesSource) -> NDArray[np.intp]:
    intervals = np.diff(time)
    longest_allowed = source.time.gap_seconds or GAP_INTERVALS * float(np.median(intervals[intervals > 0]))
    return np.flatnonzero(intervals > longest_allowed)


def _gap_notes(time: NDArray[np.float64], gaps: NDArray[np.intp]) -> tuple[str, ...]:
    if not len(gaps):
        return ()
    intervals = np.diff(time)
    longest = int(gaps[np.argmax(intervals[gaps])])
    length, where = seconds(float(intervals[longest])), seconds(float(time[longest]))
    which = "the longest" if len(gaps) > 1 else "of"
    return (f"{count(len(gaps), 'gap')} in time, {which} {length} from {where}.",)


def _channel(recorded: NDArray[np.float64], channel: Channel, name: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Scale a channel's values, and count those that are missing."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.ascontiguousarray(recorded * channel.scale)
    values[np.abs(values) < SMALLEST] = 0.0
    measured = np.abs(values) <= LARGEST
    missing = len(values) - int(np.count_nonzero(measured))
    if missing == len(values):
        raise RecordingError(
            name,
            found=f"no number in any row for {channel.title}",
            expected="measured values",
            do="Check which column the channel is, or take it out of the job configuration.",
            column=channel.column,
        )
    if not missing:
        return values, ()
    values[~measured] = np.nan
    infinite = missing - int(np.count_nonzero(np.isnan(recorded)))
    detail = f", {infinite:,} of them infinite" if infinite else ""
    return values, (f"{missing:,} of {count(len(values), 'value')} missing{detail}.",)
