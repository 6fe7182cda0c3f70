"""Panels: one picture a channel, all of an item's on one time axis."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

import matplotlib as mpl
import numpy as np
from labeling.errors import ReferenceUnusableError
from labeling.panels import Content, PlotArea, PlotData
from labeling.sources import Channel, TimeSeriesSource
from labeling.sources.timeseries import ROW_BY_ROW
from numpy.typing import NDArray

from plotting import __version__
from plotting.canvas import Canvas, Color
from plotting.charts import draw_chart
from plotting.derived import with_derived
from plotting.description import describe
from plotting.files import read_file
from plotting.focus import Stretch, find_focus
from plotting.frames import heading, horizontal_axis, limits, reference_legend, vertical_axis
from plotting.layout import (
    AXIS,
    COLORS,
    GRID,
    INK,
    LEFT,
    NO_DATA,
    PALE_INK,
    REFERENCE,
    RIGHT,
    STRIP_BOTTOM,
    STRIP_TOP,
    SUMMARY_SIZE,
    WHITE,
    WIDTH,
    TimeAxis,
)
from plotting.lines import DENSE, Box, draw_band, draw_density, draw_dots, draw_line, draw_median
from plotting.numerals import count, plain, seconds
from plotting.pyramid import build
from plotting.recording import Recording
from plotting.reference import Behind, Curve, decode, in_steps
from plotting.thinning import Envelope, thin

# Changes whenever a plot of the same recording would look or be described differently; the number counts the changes.
RENDERER: Final = f"plotting {__version__}.7, matplotlib {mpl.__version__}"

# Up to this many rows each is shown by a dot, so that a reader tells measurements from the line between them.
DOTTED_ROWS: Final = 100

# The share of a reference's steps, in percent at either end, that the value axis needn't reach.
FURTHEST: Final = 2

# In pixels: a line that moves so much within a column lies under the reference's median, else over it.
TALL: Final = 12.0

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


class Item(NamedTuple):
    """An item's recordings, read.

    Attributes:
        recordings: Each with its source, on one clock, with what is computed row by row as further channels.
        focus: What is shown large, and what readers should know of how it was found.
    """

    recordings: Sequence[tuple[Recording, TimeSeriesSource]]
    focus: tuple[Stretch, tuple[str, ...]]


class GoodItems(Protocol):
    """What good items have in common, as a file."""

    @property
    def title(self) -> str:
        """What these items are, for a legend."""

    @property
    def data(self) -> bytes | None:
        """The file, as `plotting.reference.encode` writes it; nothing if it couldn't be read."""

    @property
    def problem(self) -> str:
        """Why not, for people."""


def read_files(files: Sequence[tuple[bytes, TimeSeriesSource, str]]) -> Item:
    """Read an item's recordings.

    Args:
        files: Each recording's file, the source to read it as, and its name for errors.

    Raises:
        ItemError: As `read_file`.
    """
    recordings = aligned([read_file(data, source, name) for data, source, name in files])
    focus = find_focus([(recording, of) for recording, (_, of, _) in zip(recordings, files, strict=True)])
    return Item([with_derived(one, of) for one, (_, of, _) in zip(recordings, files, strict=True)], focus)


def draw_files(files: Sequence[tuple[bytes, TimeSeriesSource, str]], good: GoodItems | None = None) -> Drawn:
    """Read an item's recordings and draw them.

    Args:
        files: Each recording's file, the source to read it as, and its name for errors.
        good: What lies behind the lines; where it can't be used, the panels' notes say why.

    Raises:
        RecordingError: As `read`.
    """
    recordings, (stretch, notes) = read_files(files)
    compared = None
    if good is not None and good.data is not None:
        try:
            compared = Behind(decode(good.data), good.title, stretch.onset)
        except ReferenceUnusableError as error:
            notes += (f"No reference behind the lines: {error}. “labeling-job reference” builds it anew.",)
    elif good is not None:
        notes += (good.problem,)
    numbers = (build(recording, compared, source) for recording, source in recordings)
    left_out = sum(recording.rows_left_out for recording, _ in recordings)
    return Drawn(draw(recordings, (stretch, notes), compared), numbers, left_out)


def draw(
    recordings: Sequence[tuple[Recording, TimeSeriesSource]],
    focus: tuple[Stretch, tuple[str, ...]] | None = None,
    compared: Behind | None = None,
) -> Iterator[Panel]:
    """Draw an item's recordings, one panel a channel, and those that are no line over time.

    They are on one clock: see `aligned`. Panels come as they are ready, so that each can be uploaded while the next is
    drawn. All have the same time axis in the same place, and line up when shown under each other. The same recordings
    and sources always give the same bytes with the same `RENDERER`.

    Args:
        recordings: What was measured, each with the source that it was read as.
        focus: What is shown large, as `find_focus` finds it; found here if not given.
        compared: What lies behind the lines.
    """
    stretch, focus_notes = focus or find_focus(recordings)
    axis = TimeAxis(stretch.begin, stretch.end, max(float(recording.time[-1]) for recording, _ in recordings))
    frame = Canvas(WIDTH, axis.height)
    horizontal_axis(frame, _box_of(axis), "Time", "s")
    canvas = Canvas(WIDTH, axis.height)
    colors = itertools.cycle(COLORS)
    own = in_steps(recordings, stretch, compared.reference.steps) if compared else {}
    for recording, source in recordings:
        color_of = {channel.key: next(colors) for channel in source.channels}
        for index, channel in enumerate(source.channels):
            canvas.copy_from(frame)
            color = color_of[channel.key]
            area = _draw_channel(canvas, axis, recording, index, channel, color, compared)
            palette = (INK, PALE_INK, AXIS, GRID, NO_DATA, color)
            alt = describe(recording, index, channel, stretch if axis.is_part else None)
            yield Panel(
                key=channel.key,
                suffix=channel.suffix,
                png=canvas.png((*palette, REFERENCE) if compared else palette),
                alt=f"{alt} {compared.told(channel.key, own[channel.key])}" if compared else alt,
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
    canvas: Canvas,
    axis: TimeAxis,
    recording: Recording,
    index: int,
    channel: Channel,
    color: Color,
    compared: Behind | None,
) -> PlotArea:
    values, duration = recording.values[index], axis.end - axis.begin
    envelope = thin(recording.time, values, recording.gaps, duration, RIGHT - LEFT, begin=axis.begin)
    curve = compared.reference.curves.get(channel.key) if compared else None
    low, high = _limits_of(envelope, axis, _range_of(compared, curve, axis))
    box = _box_of(axis, low, high)
    shades = _shades(envelope, axis)
    canvas.rectangles(((a, axis.bottom, b, axis.top) for a, b in shades), NO_DATA)
    if compared and curve:
        draw_band(canvas, box, compared.time, curve.low, curve.high, REFERENCE)
        reference_legend(canvas, box, compared.whose)
    vertical_axis(canvas, box, channel.title, channel.unit)
    shown = _rows_within(recording, axis)
    stretch = f"{plain(axis.begin)} to {seconds(axis.end)} of {seconds(axis.span)}" if axis.is_part else ""
    summary = _summary(axis, recording, index, shown)
    heading(canvas, box, channel.title, summary, stretch=stretch, no_data=bool(shades))
    over = compared is not None and _is_tall(envelope, box)
    if compared and curve and not over:
        draw_median(canvas, box, compared.time, curve.median, REFERENCE)
    _draw_values(canvas, box, recording.time[shown], values[shown], envelope, color)
    if compared and curve and over:
        draw_median(canvas, box, compared.time, curve.median, REFERENCE)
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


def _is_tall(envelope: Envelope, box: Box) -> bool:
    """Whether a line is mostly an area, which would hide what lies behind it."""
    heights = box.y(envelope.high) - box.y(envelope.low)
    return len(heights) > 0 and float(np.median(heights)) > TALL


def _rows_within(recording: Recording, axis: TimeAxis) -> slice:
    first = int(np.searchsorted(recording.time, axis.begin))
    return slice(first, int(np.searchsorted(recording.time, axis.end, side="right")))


def _limits_of(envelope: Envelope, axis: TimeAxis, beside: Sequence[float] = ()) -> tuple[float, float]:
    """Where the value axis begins and ends, by what is shown of the channel, and what else is to be seen."""
    within = (envelope.time >= axis.begin) & (envelope.time <= axis.end)
    if not within.any():  # nothing was measured just then: what lies about it, if anything
        within[:] = True
    shown = np.concatenate([envelope.low[within], envelope.high[within], beside])
    return limits(float(shown.min()), float(shown.max())) if len(shown) else (-1.0, 1.0)


def _range_of(compared: Behind | None, curve: Curve | None, axis: TimeAxis) -> tuple[float, ...]:
    """From where to where the shown part of a reference reaches, but for its furthest steps.

    A few of them that scatter widely must not press the channel's own line flat.
    """
    if compared is None or curve is None:
        return ()
    shown = (compared.time >= axis.begin) & (compared.time <= axis.end) & ~np.isnan(curve.median)
    if not shown.any():
        return ()
    return float(np.percentile(curve.low[shown], FURTHEST)), float(np.percentile(curve.high[shown], 100 - FURTHEST))


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
