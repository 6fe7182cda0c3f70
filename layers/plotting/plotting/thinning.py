"""Long recordings to what a plot can show, with every spike kept."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """A channel by pixel column: between what values it moved there.

    Attributes:
        time: Where each column's rows lie, the middle of their first and last time in seconds, shape (m,). A
            column with one row has that row's time.
        low: The smallest value in each column, shape (m,).
        high: The greatest value in each column, shape (m,).
        starts: The first column of each unbroken piece, ascending, shape (pieces,); ``starts[0]`` is 0.
    """

    time: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    starts: NDArray[np.intp]

    def pieces(self) -> list[slice]:
        """The unbroken pieces, each to be drawn as one line."""
        ends = [*self.starts[1:], len(self.time)]
        return [slice(int(a), int(b)) for a, b in zip(self.starts, ends, strict=True) if b > a]


def thin(  # noqa: PLR0913  (a plot's columns and what is in them)
    time: NDArray[np.float64],
    values: NDArray[np.float64],
    gaps: NDArray[np.intp],
    duration: float,
    columns: int,
    *,
    begin: float = 0.0,
) -> Envelope:
    """Thin a channel to its smallest and greatest value in each pixel column of its plot.

    This is M4's aggregation (Jugel, Jerzak, Hackenbroich and Markl, "M4: a visualization-oriented time
    series data aggregation", PVLDB 7(10), 2014), with its buckets on the plot's pixel columns so that what
    is drawn is what drawing each row would give. M4 also keeps each column's first and last row, for lines
    thinner than a column; the lines here are wider, and where two columns meet, those rows lie inside the
    area between the columns' extremes.

    A gap in time or a missing value breaks the line if it is wider than a column; a narrower one can't be
    seen. In a column that lies on both sides of a break, each side has its own extremes. Where rows are
    further apart than columns, each row comes out as it is.

    Args:
        time: Seconds, ascending, shape (n,).
        values: What was measured, shape (n,); NaN where a value is missing.
        gaps: The rows after which there is a gap in time.
        duration: How many seconds the plot's width stands for.
        columns: The plot's width in pixels.
        begin: The time at the plot's left edge. Of what lies outside, the row before and the row after are kept, so
            that a line can come in and go out.
    """
    rows = slice(
        max(0, int(np.searchsorted(time, begin)) - 1), int(np.searchsorted(time, begin + duration, side="right")) + 1
    )
    gaps = gaps[(gaps >= rows.start) & (gaps + 1 < min(rows.stop, len(time)))] - rows.start
    time, values = time[rows], values[rows]
    measured = ~np.isnan(values)
    breaks = np.zeros(len(time), dtype=bool)
    breaks[gaps + 1] = True
    if not measured.all():
        kept = np.flatnonzero(measured)
        # A break before a row that is missing passes on to the next one that isn't.
        passed = np.cumsum(breaks)[kept]
        breaks = np.concatenate([[False], (np.diff(kept) > 1) | (np.diff(passed) > 0)])
        time, values = time[kept], values[kept]
    if not len(time):
        return Envelope(time, time, time, np.zeros(1, np.intp))
    broken = np.flatnonzero(breaks)
    broken = broken[time[broken] - time[broken - 1] > duration / columns]

    edges = np.linspace(begin, begin + duration, columns + 1)[:-1]
    outside = [0, int(np.searchsorted(time, begin + duration, side="right"))]
    firsts = np.union1d(np.unique(np.searchsorted(time, edges)), [*broken, *outside]).astype(np.intp)
    firsts = firsts[firsts < len(time)]
    lasts = np.append(firsts[1:], len(time)) - 1
    return Envelope(
        time=(time[firsts] + time[lasts]) / 2,
        low=np.minimum.reduceat(values, firsts),
        high=np.maximum.reduceat(values, firsts),
        starts=np.concatenate([[0], np.searchsorted(firsts, broken)]).astype(np.intp),
    )
