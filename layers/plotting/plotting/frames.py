"""What stands around a plot: its axes with marks and names, its title, and what the picture can't show by itself."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from plotting.canvas import Canvas, fitted, text_length
from plotting.layout import (
    AXIS,
    AXIS_SIZE,
    GRID,
    INK,
    NO_DATA,
    PALE_INK,
    REFERENCE,
    SUMMARY_SIZE,
    TICK_SIZE,
    TITLE_SIZE,
)
from plotting.lines import Box, draw_band, draw_median
from plotting.ticks import ticks

# How long a quantity's name may be beside the vertical axis, to leave room for the unit.
NAME_ROOM: Final = 400


def horizontal_axis(canvas: Canvas, box: Box, name: str, unit: str) -> None:
    """Draw the horizontal axis' grid, marks and name."""
    marks = ticks(box.begin, box.end, 10)
    places = box.x(np.array(marks.positions))
    canvas.lines([(round(x), box.bottom, round(x), box.top) for x in places], GRID, 2)
    for x, label in zip(places, marks.labels, strict=True):
        canvas.text((x, box.bottom - 42), label, TICK_SIZE, PALE_INK, align="center")
    canvas.text(((box.left + box.right) / 2, 26), marks.axis_name(name, unit), AXIS_SIZE, INK, align="center")


def vertical_axis(canvas: Canvas, box: Box, name: str, unit: str) -> None:
    """Draw the vertical axis' grid, marks and name, and both axes' lines."""
    marks = ticks(box.low, box.high, 5)
    places = box.y(np.array(marks.positions))
    canvas.lines([(box.left, round(y), box.right, round(y)) for y in places], GRID, 2)
    canvas.lines([(box.left, box.bottom, box.right, box.bottom), (box.left, box.bottom, box.left, box.top)], AXIS, 2)
    for y, label in zip(places, marks.labels, strict=True):
        canvas.text((box.left - 16, y - 10), label, TICK_SIZE, PALE_INK, align="right")
    said = marks.axis_name(fitted(name, AXIS_SIZE, NAME_ROOM), unit)
    canvas.text((40, (box.bottom + box.top) / 2), said, AXIS_SIZE, INK, align="center", upwards=True)


def heading(  # noqa: PLR0913  (all that is said)
    canvas: Canvas, box: Box, title: str, summary: Sequence[str], *, stretch: str = "", no_data: bool = False
) -> None:
    """Write the title, what stretch is shown, and at the right what the picture can't show by itself."""
    line = box.top + 32
    used = canvas.text((box.right, line), " · ".join(summary), SUMMARY_SIZE, PALE_INK, align="right")
    if no_data:
        legend = box.right - used - 40
        used += 40 + canvas.text((legend, line), "no data", SUMMARY_SIZE, PALE_INK, align="right")
        used += 56
        canvas.rectangles([(box.right - used, line - 4, box.right - used + 40, line + 24)], NO_DATA)
    room = box.right - box.left - used - 40 - (text_length(stretch, TITLE_SIZE) + 24 if stretch else 0)
    length = canvas.text((box.left, line), fitted(title, TITLE_SIZE, room, bold=True), TITLE_SIZE, INK, bold=True)
    canvas.text((box.left + length + 24, line), stretch, TITLE_SIZE, PALE_INK)


def reference_legend(canvas: Canvas, box: Box, whose: str) -> None:
    """Say what lies behind the line: a piece of band and median, and whose they are, at the left below the plot."""
    piece = Box(box.left, 22, box.left + 56, 50, 0.0, 1.0, 0.0, 1.0)
    time = np.array([0.0, 1.0])
    draw_band(canvas, piece, time, np.zeros(2), np.ones(2), REFERENCE)
    draw_median(canvas, piece, time, np.full(2, 0.5), REFERENCE)
    room = (box.right - box.left) / 2 - 56 - 120
    canvas.text((box.left + 72, 26), fitted(f"{whose}: median, 5–95 %", SUMMARY_SIZE, room), SUMMARY_SIZE, PALE_INK)


def limits(low: float, high: float) -> tuple[float, float]:
    """Where the value axis begins and ends: a little beyond the values, or around a constant."""
    greatest = max(abs(low), abs(high))
    if high - low <= 1e-12 * greatest:
        margin = greatest / 10 if greatest > 1e-100 else 1.0
        return low - margin, high + margin
    margin = (high - low) * 0.06
    return low - margin, high + margin
