"""Panels: one picture a channel, all of an item's on one time axis."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import matplotlib as mpl
import numpy as np
from labeling.sources import Channel, TimeSeriesSource
from numpy.typing import NDArray

from plotting import __version__
from plotting.canvas import Canvas, Color, fitted
from plotting.description import describe
from plotting.numerals import count
from plotting.recording import Recording, read
from plotting.thinning import Envelope, thin
from plotting.ticks import Ticks, ticks

# Changes whenever a plot of the same recording would look or be described differently; the number counts the changes.
RENDERER: Final = f"plotting {__version__}.3, matplotlib {mpl.__version__}"

# A panel is 1000 by 340 CSS pixels at two device pixels each. All lengths below are device pixels.
WIDTH: Final = 2000
HEIGHT: Final = 680
LEFT: Final = 190
RIGHT: Final = 1956
BOTTOM: Final = 122
TOP: Final = 590

# How long a channel's title may be beside the value axis, to leave room for the unit.
NAME_ROOM: Final = 400

TITLE_SIZE: Final = 34.0
AXIS_SIZE: Final = 29.0
TICK_SIZE: Final = 28.0
SUMMARY_SIZE: Final = 26.0

INK: Final[Color] = (31, 41, 51)
PALE_INK: Final[Color] = (82, 93, 105)
GRID: Final[Color] = (222, 226, 231)
AXIS: Final[Color] = (140, 149, 159)
NO_DATA: Final[Color] = (231, 234, 238)

# Those of Okabe and Ito's colours for colour-blind eyes ("Color Universal Design", 2008) that stand out from
# white by at least 3:1, in turn.
COLORS: Final[tuple[Color, ...]] = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (0, 0, 0))

LINE_WIDTH: Final = 2.5
DOT_RADIUS: Final = 4.0

# Up to this many rows each is shown by a dot, so that a reader tells measurements from the line between them.
DOTTED_ROWS: Final = 100

# A gap is shaded at least so wide, or it would be overlooked.
NARROWEST_SHADE: Final = 4.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One channel's picture.

    Attributes:
        key: The channel's key.
        suffix: The channel's file suffix.
        png: The picture, 2000 by 680 pixels, made to be shown at half that.
        alt: What it shows, for people who can't see it.
        notes: What its reader should know about the data.
    """

    key: str
    suffix: str
    png: bytes
    alt: str
    notes: tuple[str, ...]


def draw_files(files: Sequence[tuple[bytes, TimeSeriesSource, str]]) -> tuple[Iterator[Panel], int]:
    """Read an item's recordings and draw them.

    Args:
        files: Each recording's file, the source to read it as, and its name for errors.

    Returns:
        The panels, as `draw` gives them, and how many rows of all files are left out.

    Raises:
        RecordingError: As `read`.
    """
    recordings = [(read(data, source, name), source) for data, source, name in files]
    return draw(recordings), sum(recording.rows_left_out for recording, _ in recordings)


def draw(recordings: Sequence[tuple[Recording, TimeSeriesSource]]) -> Iterator[Panel]:
    """Draw an item's recordings, one panel a channel.

    Panels come as they are ready, so that each can be uploaded while the next is drawn. All have the same
    time axis in the same place, and line up when shown under each other: see `aligned`. The same recordings and
    sources always give the same bytes with the same `RENDERER`.

    Args:
        recordings: What was measured, each with the source that it was read as.
    """
    together = aligned([recording for recording, _ in recordings])
    span = max(float(recording.time[-1]) for recording in together)
    time_axis = ticks(0.0, span, 10)
    frame = Canvas(WIDTH, HEIGHT)
    _draw_time_axis(frame, time_axis, span)
    canvas = Canvas(WIDTH, HEIGHT)
    colors = itertools.cycle(COLORS)
    for recording, (_, source) in zip(together, recordings, strict=True):
        for index, channel in enumerate(source.channels):
            canvas.copy_from(frame)
            color = next(colors)
            _draw_channel(canvas, recording, index, channel, color, span=span)
            yield Panel(
                key=channel.key,
                suffix=channel.suffix,
                png=canvas.png((INK, PALE_INK, AXIS, GRID, NO_DATA, color)),
                alt=describe(recording, index, channel),
                notes=recording.notes + recording.channel_notes[index],
            )


def aligned(recordings: Sequence[Recording]) -> list[Recording]:
    """Put the recordings of one item on one clock.

    Recordings that say when they began, and that overlap, are moved to where they were made; time is counted from
    the first of them. All others begin at 0: those that count from their own beginning, and those whose clocks are so
    far apart that they can't be of one time.
    """
    starts = [recording.start for recording in recordings if recording.start is not None]
    ends = [recording.start + recording.duration for recording in recordings if recording.start is not None]
    if not starts or max(starts) > min(ends):
        return list(recordings)
    return [
        recording
        if recording.start is None
        # The difference first: a time in seconds since 1970 has no room for microseconds.
        else replace(recording, time=recording.time + (recording.start - min(starts)))
        for recording in recordings
    ]


def _draw_time_axis(canvas: Canvas, axis: Ticks, span: float) -> None:
    places = [LEFT + position / span * (RIGHT - LEFT) for position in axis.positions]
    canvas.lines([(round(x), BOTTOM, round(x), TOP) for x in places], GRID, 2)
    for x, label in zip(places, axis.labels, strict=True):
        canvas.text((x, BOTTOM - 42), label, TICK_SIZE, PALE_INK, align="center")
    name = axis.axis_name("Time", "s")
    canvas.text(((LEFT + RIGHT) / 2, 26), name, AXIS_SIZE, INK, align="center")


def _draw_channel(  # noqa: PLR0913 - what is drawn, where, and how
    canvas: Canvas, recording: Recording, index: int, channel: Channel, color: Color, *, span: float
) -> None:
    envelope = thin(recording.time, recording.values[index], recording.gaps, span, RIGHT - LEFT)
    low, high = _limits(float(envelope.low.min()), float(envelope.high.max()))
    shades = _shades(envelope, span)
    canvas.rectangles(((a, BOTTOM, b, TOP) for a, b in shades), NO_DATA)
    _draw_value_axis(canvas, ticks(low, high, 5), channel, low, high)
    _draw_heading(canvas, recording, index, channel, shaded=bool(shades))

    time = LEFT + envelope.time / span * (RIGHT - LEFT)
    lows, highs = (BOTTOM + (v - low) / (high - low) * (TOP - BOTTOM) for v in (envelope.low, envelope.high))
    for piece in envelope.pieces():
        _draw_piece(canvas, time[piece], lows[piece], highs[piece], color)
    if recording.rows <= DOTTED_ROWS:
        canvas.dots(np.concatenate([np.c_[time, lows], np.c_[time, highs]]), color, DOT_RADIUS)


def _draw_piece(
    canvas: Canvas,
    time: NDArray[np.float64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    color: Color,
) -> None:
    """Draw an unbroken piece: as a line where rows are far apart, else as the area that the line sweeps."""
    if len(time) == 1:
        canvas.dots(np.array([[time[0], lows[0]], [time[0], highs[0]]]), color, DOT_RADIUS)
    if len(time) > (time[-1] - time[0]) / 2:
        canvas.area(_swept(time, lows, highs), color)
    else:
        ends = np.stack([np.c_[time, lows], np.c_[time, highs]], axis=1)
        canvas.curve(ends.reshape(-1, 2), color, LINE_WIDTH)


def _swept(time: NDArray[np.float64], lows: NDArray[np.float64], highs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The outline of what a pen sweeps that moves from low to high in every column, shape (m, 2), in pixels.

    Filling it gives the picture that stroking the line gives, in a third of the time where the line fills the
    plot. The pen is an octagon: it reaches its radius above and below its own column, and as far as its flat
    sides in the columns beside it.
    """
    first, last = int(time[0]), int(time[-1])
    columns = np.arange(first - 1, last + 2) + 0.5
    upper, lower = np.interp(columns, time, highs), np.interp(columns, time, lows)
    own = time.astype(np.intp) - first + 1
    np.maximum.at(upper, own, highs)
    np.minimum.at(lower, own, lows)
    radius, side = LINE_WIDTH / 2, LINE_WIDTH / 2 * (np.sqrt(2) - 1)
    beside_upper = np.maximum(upper[:-2], upper[2:]) + side
    beside_lower = np.minimum(lower[:-2], lower[2:]) - side
    upper = np.maximum(upper[1:-1] + radius, beside_upper)
    lower = np.minimum(lower[1:-1] - radius, beside_lower)
    return np.concatenate([np.c_[columns[1:-1], upper], np.c_[columns[1:-1], lower][::-1]])


def _limits(low: float, high: float) -> tuple[float, float]:
    """Where the value axis begins and ends: a little beyond the values, or around a constant."""
    greatest = max(abs(low), abs(high))
    if high - low <= 1e-12 * greatest:
        margin = greatest / 10 if greatest > 1e-100 else 1.0
        return low - margin, high + margin
    margin = (high - low) * 0.06
    return low - margin, high + margin


def _shades(envelope: Envelope, span: float) -> list[tuple[float, float]]:
    """Where the plot has no data, from the left pixel to the right one."""
    breaks = envelope.starts[1:]
    begins = [0.0, *envelope.time[breaks - 1], envelope.time[-1]]
    ends = [envelope.time[0], *envelope.time[breaks], span]
    column = span / (RIGHT - LEFT)
    shades = []
    for begin, end in zip(begins, ends, strict=True):
        if end - begin > column:
            middle = (begin + end) / 2
            half = max((end - begin) / 2, NARROWEST_SHADE / 2 * column)
            shades.append((LEFT + (middle - half) / column, LEFT + (middle + half) / column))
    return shades


def _draw_value_axis(canvas: Canvas, axis: Ticks, channel: Channel, low: float, high: float) -> None:
    places = [BOTTOM + (position - low) / (high - low) * (TOP - BOTTOM) for position in axis.positions]
    canvas.lines([(LEFT, round(y), RIGHT, round(y)) for y in places], GRID, 2)
    canvas.lines([(LEFT, BOTTOM, RIGHT, BOTTOM), (LEFT, BOTTOM, LEFT, TOP)], AXIS, 2)
    for y, label in zip(places, axis.labels, strict=True):
        canvas.text((LEFT - 16, y - 10), label, TICK_SIZE, PALE_INK, align="right")
    name = axis.axis_name(fitted(channel.title, AXIS_SIZE, NAME_ROOM), channel.unit)
    canvas.text((40, (BOTTOM + TOP) / 2), name, AXIS_SIZE, INK, align="center", upwards=True)


def _draw_heading(canvas: Canvas, recording: Recording, index: int, channel: Channel, *, shaded: bool) -> None:
    """Write the title, and at the right what the picture can't show by itself."""
    summary = [count(recording.rows, "row")]
    if recording.rows_left_out:
        summary.append(f"{recording.rows_left_out:,} left out")
    if len(recording.gaps):
        summary.append(count(len(recording.gaps), "gap"))
    if missing := int(np.count_nonzero(np.isnan(recording.values[index]))):
        summary.append(f"{missing:,} missing")
    line = TOP + 32
    used = canvas.text((RIGHT, line), " · ".join(summary), SUMMARY_SIZE, PALE_INK, align="right")
    if shaded:
        legend = RIGHT - used - 40
        used += 40 + canvas.text((legend, line), "no data", SUMMARY_SIZE, PALE_INK, align="right")
        used += 56
        canvas.rectangles([(RIGHT - used, line - 4, RIGHT - used + 40, line + 24)], NO_DATA)
    title = fitted(channel.title, TITLE_SIZE, RIGHT - LEFT - used - 40, bold=True)
    canvas.text((LEFT, line), title, TITLE_SIZE, INK, bold=True)
