"""The numbers behind the plots of a recording, as a file that a page reads by parts: all rows, and extremes of blocks.

A page that shows a million rows in a thousand columns needs the extremes of each column only; one that is zoomed in
needs a thousand rows. Each level has the extremes of eight entries of the one before, so that whatever a page shows,
some level has a few thousand entries of it, which lie together in the file.
"""

from typing import Final

import numpy as np
from labeling.panels import Band, Content, Gap, Level, PlotData
from labeling.sources import TimeSeriesSource
from numpy.typing import NDArray

from plotting.recording import Recording
from plotting.reference import Behind

FACTOR: Final = 8  # entries of a level that become one of the next
CHUNK: Final = 1024  # entries
COARSEST: Final = 2000  # entries that the last level has at most
MOST_GAPS: Final = 200

Values = NDArray[np.float64]


def build(
    recording: Recording, compared: Behind | None = None, source: TimeSeriesSource | None = None
) -> tuple[Content, PlotData]:
    """Write a recording's rows and the extremes of its blocks.

    Args:
        recording: The recording, on the item's clock.
        compared: What lies behind the lines.
        source: As what it was read; it names the channels that are compared.

    Returns:
        The file, and how it is read.
    """
    channels = len(recording.values)
    counts = [recording.rows]
    while counts[-1] > COARSEST:
        counts.append(-(-counts[-1] // FACTOR))
    widths = [1 + channels, *[2 + 2 * channels] * (len(counts) - 1)]
    sizes = [count * width for count, width in zip(counts, widths, strict=True)]
    band = _band_of(compared, source) if compared and source else b""
    file = bytearray(8 * sum(sizes) + len(band))
    numbers = np.frombuffer(file, "<f8")
    levels, offset = [], 0
    columns: list[Values] = [recording.time, *recording.values]
    for depth, (count, size) in enumerate(zip(counts, sizes, strict=True)):
        if depth:
            columns = _coarser(columns, finest=depth == 1)
        _write(columns, numbers[offset : offset + size])
        levels.append(Level(8 * offset, count, FACTOR**depth))
        offset += size
    file[8 * offset :] = band
    reference = Band(8 * offset, len(compared.time), compared.whose) if compared and band else None
    return file, PlotData(channels, CHUNK, tuple(levels), _gaps(recording), reference)


def _band_of(compared: Behind, source: TimeSeriesSource) -> bytes:
    columns = [compared.time]
    for channel in source.channels:
        curve = compared.reference.curves.get(channel.key)
        columns += [curve.low, curve.median, curve.high] if curve else [np.full(len(compared.time), np.nan)] * 3
    return np.stack(columns).astype("<f8").tobytes()


def _write(columns: list[Values], place: Values) -> None:
    """Write a level, chunk by chunk, each column of a chunk in one piece."""
    count, width = len(columns[0]), len(columns)
    whole = count - count % CHUNK
    chunks = place[: whole * width].reshape(-1, width, CHUNK)
    rest = place[whole * width :].reshape(width, -1)
    for index, column in enumerate(columns):
        chunks[:, index] = column[:whole].reshape(-1, CHUNK)
        rest[index] = column[whole:]


def _coarser(columns: list[Values], *, finest: bool) -> list[Values]:
    """The next level's columns: times of the first and last row, and each channel's extremes."""
    firsts = np.arange(0, len(columns[0]), FACTOR)
    lasts = np.append(firsts[1:], len(columns[0])) - 1
    extremes = [columns[0][firsts], columns[0 if finest else 1][lasts]]
    values = columns[1:] if finest else columns[2:]
    lows, highs = (values, values) if finest else (values[::2], values[1::2])
    # What is missing is no value; where all are, so are both extremes.
    for low, high in zip(lows, highs, strict=True):
        extremes += [np.fmin.reduceat(low, firsts), np.fmax.reduceat(high, firsts)]
    return extremes


def _gaps(recording: Recording) -> tuple[Gap, ...]:
    begins, ends = recording.time[recording.gaps], recording.time[recording.gaps + 1]
    longest = np.sort(np.argsort(begins - ends, kind="stable")[:MOST_GAPS])
    return tuple(map(Gap, begins[longest].tolist(), ends[longest].tolist()))
