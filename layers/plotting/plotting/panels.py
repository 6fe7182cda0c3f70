"""Panels: one picture a channel, all of an item's on one time axis."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import matplotlib as mpl
import numpy as np
from labeling.panels import Content, PlotArea, PlotData
from labeling.sources import Channel, TimeSeriesSource
from numpy.typing import NDArray

from plotting import __version__
from plotting.canvas import Canvas, Color
from plotting.charts import draw_chart
from plotting.derived import ROW_BY_ROW, with_derived
from plotting.description import describe
from plotting.files import read_file
from plotting.focus import Stretch, find_focus
from plotting.frames import heading, horizontal_axis, limits, vertical_axis
from plotting.layout import (
    AXIS,
    COLORS,
    GRID,
    INK,
    LEFT,
    NO_DATA,
    PALE_INK,
    RIGHT,
    STRIP_BOTTOM,
    STRIP_TOP,
    SUMMARY_SIZE,
    WHITE,
    WIDTH,
    TimeAxis,
)
from plotting.lines import DENSE, Box, draw_density, draw_dots, draw_line
from plotting.numerals import count, plain, seconds
from plotting.pyramid import build
from plotting.recording import Recording
from plotting.thinning import Envelope, thin

# Changes whenever a plot of the same recording would look or be described differently; the number counts the changes.
RENDERER: Final = f"plotting {__version__}.6, matplotlib {mpl.__version__}"

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
        png: The picture, 2000 pixels wide and 680 high, or 820 where a strip shows the whole; made to be shown at half
            that.
        alt: What it shows, for people who can't see it.
        notes: What its reader should know about the data.
        area: Where in the picture which time lies; ``None`` if it has no time axis.
        series: Which series of its recording's numbers it shows; ``None`` if none.
    """

    key: str
    suffix: str
    png: bytes
    alt: str
    notes: tuple[str, ...]
    area: PlotArea | None
    series: int | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """An item's recordings as pictures and numbers.

    Attributes:
        panels: One a channel; each is drawn when it is asked for.
        data: One a recording: the file of its numbers, and how it is read; each is made when it is asked for.
        rows_left_out: How many rows of all files are left out.
    """

    panels: Iterator[Panel]
    data: Iterator[tuple[Content, PlotData]]
    rows_left_out: int


def draw_files(files: Sequence[tuple[bytes, TimeSeriesSource, str]]) -> Drawn:
    """Read an item's recordings and draw them.

    Args:
        files: Each recording's file, the source to read it as, and its name for errors.

    Raises:
        ItemError: As `read_file`.
    """
    recordings = aligned([read_file(data, source, name) for data, source, name in files])
    computed = [with_derived(recording, of) for recording, (_, of, _) in zip(recordings, files, strict=True)]
    focus = find_focus([(recording, of) for recording, (_, of, _) in zip(recordings, files, strict=True)])
    numbers = (build(recording) for recording, _ in computed)
    return Drawn(draw(computed, focus), numbers, sum(recording.rows_left_out for recording in recordings))


def draw(
    recordings: Sequence[tuple[Recording, TimeSeriesSource]], focus: tuple[Stretch, tuple[str, ...]] | None = None
) -> Iterator[Panel]:
    """Draw an item's recordings, one panel a channel, and those that are no line over time.

    They are on one clock: see `aligned`. Panels come as they are ready, so that each can be uploaded while the next is
    drawn. All have the same time axis in the same place, and line up when shown under each other. The same recordings
    and sources always give the same bytes with the same `RENDERER`.

    Args:
        recordings: What was measured, each with the source that it was read as.
        focus: What is shown large, as `find_focus` finds it; found here if not given.
    """
    stretch, focus_notes = focus or find_focus(recordings)
    axis = TimeAxis(stretch.begin, stretch.end, max(float(recording.time[-1]) for recording, _ in recordings))
    frame = Canvas(WIDTH, axis.height)
    horizontal_axis(frame, _box_of(axis), "Time", "s")
    canvas = Canvas(WIDTH, axis.height)
    colors = itertools.cycle(COLORS)
    for recording, source in recordings:
        color_of = {channel.key: next(colors) for channel in source.channels}
        for index, channel in enumerate(source.channels):
            canvas.copy_from(frame)
            color = color_of[channel.key]
            area = _draw_channel(canvas, axis, recording, index, channel, color)
            yield Panel(
                key=channel.key,
                suffix=channel.suffix,
                png=canvas.png((INK, PALE_INK, AXIS, GRID, NO_DATA, color)),
                alt=describe(recording, index, channel, stretch if axis.is_part else None),
                notes=recording.notes + focus_notes + recording.channel_notes[index],
                area=area,
                series=index,
            )
        for derived in source.derived:
            if derived.kind not in ROW_BY_ROW:
                color = color_of[derived.of]
                chart = draw_chart(recording, source, derived, axis, color)
                png = chart.canvas.png((INK, PALE_INK, AXIS, GRID, NO_DATA, color))
                notes = recording.notes + chart.notes
                yield Panel(derived.key, derived.suffix, png, chart.alt, notes, chart.area, None)


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


def _box_of(axis: TimeAxis, low: float = 0.0, high: float = 1.0) -> Box:
    return Box(LEFT, axis.bottom, RIGHT, axis.top, axis.begin, axis.end, low, high)


def _draw_channel(  # noqa: PLR0913, PLR0917 - what is drawn, where, and how
    canvas: Canvas, axis: TimeAxis, recording: Recording, index: int, channel: Channel, color: Color
) -> PlotArea:
    values, duration = recording.values[index], axis.end - axis.begin
    envelope = thin(recording.time, values, recording.gaps, duration, RIGHT - LEFT, begin=axis.begin)
    low, high = _limits_of(envelope, axis)
    box = _box_of(axis, low, high)
    shades = _shades(envelope, axis)
    canvas.rectangles(((a, axis.bottom, b, axis.top) for a, b in shades), NO_DATA)
    vertical_axis(canvas, box, channel.title, channel.unit)
    shown = _rows_within(recording, axis)
    stretch = f"{plain(axis.begin)} to {seconds(axis.end)} of {seconds(axis.span)}" if axis.is_part else ""
    summary = _summary(axis, recording, index, shown)
    heading(canvas, box, channel.title, summary, stretch=stretch, no_data=bool(shades))
    _draw_values(canvas, box, recording.time[shown], values[shown], envelope, color)
    if axis.is_part:
        _draw_strip(canvas, axis, recording, index, color)
    return axis.area(low, high)


def _draw_values(  # noqa: PLR0913, PLR0917 - what is drawn, where, and how
    canvas: Canvas, box: Box, time: NDArray[np.float64], values: NDArray[np.float64], envelope: Envelope, color: Color
) -> None:
    """Draw what was measured within a box, as dense as it is."""
    measured = ~np.isnan(values)
    rows = int(np.count_nonzero(measured))
    if rows < len(values):
        time, values = time[measured], values[measured]
    if rows >= DENSE * (box.right - box.left):
        draw_density(canvas, box, time, values, envelope, color)
        return
    draw_line(canvas, box, envelope, color)
    if rows <= DOTTED_ROWS:
        draw_dots(canvas, box, envelope, color)


def _rows_within(recording: Recording, axis: TimeAxis) -> slice:
    first = int(np.searchsorted(recording.time, axis.begin))
    return slice(first, int(np.searchsorted(recording.time, axis.end, side="right")))


def _limits_of(envelope: Envelope, axis: TimeAxis) -> tuple[float, float]:
    """Where the value axis begins and ends, by what is shown of the channel."""
    within = (envelope.time >= axis.begin) & (envelope.time <= axis.end)
    if not within.any():  # nothing was measured just then: what lies about it, if anything
        within[:] = True
    if not len(within):
        return -1.0, 1.0
    return limits(float(envelope.low[within].min()), float(envelope.high[within].max()))


def _draw_strip(canvas: Canvas, axis: TimeAxis, recording: Recording, index: int, color: Color) -> None:
    """Draw the whole recording under the plot, with what the plot shows marked."""
    envelope = thin(recording.time, recording.values[index], recording.gaps, axis.span, RIGHT - LEFT)
    low, high = limits(float(envelope.low.min()), float(envelope.high.max())) if len(envelope.time) else (-1.0, 1.0)
    whole = Box(LEFT, STRIP_BOTTOM, RIGHT, STRIP_TOP, 0.0, axis.span, low, high)
    left, right = (round(axis.strip_x(moment)) for moment in (axis.begin, axis.end))
    canvas.lines([(LEFT, STRIP_BOTTOM, RIGHT, STRIP_BOTTOM)], AXIS, 2)
    draw_line(canvas, whole, envelope, AXIS)
    canvas.rectangles([(left, STRIP_BOTTOM, right, STRIP_TOP)], WHITE)
    draw_line(canvas, replace(whole, left=left, right=right, begin=axis.begin, end=axis.end), envelope, color)
    edges = [(left, STRIP_BOTTOM, left, STRIP_TOP), (right, STRIP_BOTTOM, right, STRIP_TOP)]
    edges += [(left, STRIP_BOTTOM, right, STRIP_BOTTOM), (left, STRIP_TOP, right, STRIP_TOP)]
    canvas.lines(edges, INK, 3)
    middle = (STRIP_BOTTOM + STRIP_TOP) / 2
    canvas.text((LEFT - 16, middle + 6), "whole:", SUMMARY_SIZE, PALE_INK, align="right")
    canvas.text((LEFT - 16, middle - 26), seconds(axis.span), SUMMARY_SIZE, PALE_INK, align="right")


def _shades(envelope: Envelope, axis: TimeAxis) -> list[tuple[float, float]]:
    """Where the plot has no data, from the left pixel to the right one."""
    if not len(envelope.time):
        return [(LEFT, RIGHT)]
    breaks = envelope.starts[1:]
    begins = [0.0, *envelope.time[breaks - 1], envelope.time[-1]]
    ends = [envelope.time[0], *envelope.time[breaks], axis.span]
    column = (axis.end - axis.begin) / (RIGHT - LEFT)
    shades = []
    for begin, end in zip(begins, ends, strict=True):
        if end - begin > column and end > axis.begin and begin < axis.end:
            middle = (begin + end) / 2
            half = max((end - begin) / 2, NARROWEST_SHADE / 2 * column)
            left, right = axis.x(middle - half), axis.x(middle + half)
            shades.append((max(LEFT, left), min(RIGHT, right)))
    return shades


def _summary(axis: TimeAxis, recording: Recording, index: int, shown: slice) -> list[str]:
    rows = shown.stop - shown.start
    said = [f"{rows:,} of {count(recording.rows, 'row')}" if axis.is_part else count(recording.rows, "row")]
    if recording.rows_left_out:
        said.append(f"{recording.rows_left_out:,} left out")
    if gaps := int(np.count_nonzero((recording.gaps >= shown.start) & (recording.gaps < shown.stop))):
        said.append(count(gaps, "gap"))
    if missing := int(np.count_nonzero(np.isnan(recording.values[index][shown]))):
        said.append(f"{missing:,} missing")
    return said
