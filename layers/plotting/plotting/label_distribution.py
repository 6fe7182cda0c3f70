"""Labels to a report picture: how many there are of each category, and on how many workers disagreed."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from plotting.canvas import Canvas, Color, fitted, text_length
from plotting.layout import AXIS, AXIS_SIZE, COLORS, GRID, INK, PALE_INK, SUMMARY_SIZE, TICK_SIZE, TITLE_SIZE, WHITE
from plotting.numerals import count
from plotting.ticks import Ticks, ticks

# 1000 CSS pixels wide, at two device pixels each, as panels are. All lengths are device pixels.
WIDTH: Final = 2000
RIGHT: Final = 1956
MARGIN: Final = 44
HEADING: Final = 118
LEGEND: Final = 72
FOOTING: Final = 132
ROW: Final = 76
BAR: Final = 44

# Categories' names get as much room as the longest needs, within this.
NAME_ROOM: Final = 560
# Between a bar's end, its number and its share.
GAP: Final = 20

AGREED: Final[Color] = COLORS[0]
# The same blue, paler: parts of one whole, told apart by lightness alone.
DISPUTED: Final[Color] = (133, 188, 219)


class Bar(NamedTuple):
    """One category.

    Attributes:
        category: What it is called.
        labels: How many labels there are.
        disputed: How many of them workers didn't agree on.
    """

    category: str
    labels: int
    disputed: int = 0


def draw(job: str, bars: Sequence[Bar], *, without_label: int = 0, confidence: float | None = None) -> bytes:
    """Draw the distribution of a labeling job's labels as horizontal bars.

    Args:
        job: The labeling job's name, for the title.
        bars: The categories, from the top down.
        without_label: How many data objects have no label.
        confidence: The mean confidence, 0 to 1, if it is known.

    Returns:
        A PNG of 2000 pixels' width, made to be shown at half that.
    """
    heading = HEADING + (LEGEND if any(bar.disputed for bar in bars) else 0)
    height = heading + FOOTING + ROW * max(1, len(bars))
    canvas = Canvas(WIDTH, height)
    left = MARGIN + max((_name_length(bar.category) for bar in bars), default=0.0) + 24
    most = max((bar.labels for bar in bars), default=0)
    _draw_heading(canvas, job, bars, _facts(bars, without_label, confidence))
    labels = sum(bar.labels for bar in bars)
    beside = max((_number_length(bar.labels, labels) for bar in bars), default=0.0) + GAP
    # The axis ends where the numbers beside the longest bar do.
    pixels_a_label = (RIGHT - beside - left) / max(1, most)
    _draw_axis(canvas, left, pixels_a_label, height - heading)
    for row, bar in enumerate(bars):
        _draw_bar(canvas, (left, height - heading - ROW * (row + 0.5)), pixels_a_label, bar, labels)
    canvas.lines([(left, FOOTING, left, height - heading)], AXIS, 2)
    return canvas.png((INK, PALE_INK, AXIS, GRID, AGREED, DISPUTED))


def _name_length(name: str) -> float:
    return text_length(fitted(name, AXIS_SIZE, NAME_ROOM), AXIS_SIZE)


def _facts(bars: Sequence[Bar], without_label: int, confidence: float | None) -> str:
    facts = [count(sum(bar.labels for bar in bars), "label")]
    if without_label:
        facts.append(f"{without_label:,} without a label")
    if confidence is not None:
        facts.append(f"mean confidence {confidence:.2f}")
    return " · ".join(facts)


def _draw_heading(canvas: Canvas, job: str, bars: Sequence[Bar], facts: str) -> None:
    line = canvas.height - 68
    used = canvas.text((RIGHT, line), facts, SUMMARY_SIZE, PALE_INK, align="right")
    canvas.text(
        (MARGIN, line), fitted(job, TITLE_SIZE, RIGHT - MARGIN - used - 40, bold=True), TITLE_SIZE, INK, bold=True
    )
    if any(bar.disputed for bar in bars):
        _draw_legend(canvas, line - 62)


def _draw_legend(canvas: Canvas, line: float) -> None:
    x: float = MARGIN
    for color, meaning in ((AGREED, "workers agreed"), (DISPUTED, "workers disagreed")):
        canvas.rectangles([(x, line - 3, x + 40, line + 23)], color)
        x += 54 + canvas.text((x + 54, line), meaning, SUMMARY_SIZE, PALE_INK) + 40


def _draw_axis(canvas: Canvas, left: float, pixels_a_label: float, top: int) -> None:
    axis = _whole(ticks(0.0, (RIGHT - left) / pixels_a_label, 6))
    for position, label in zip(axis.positions, axis.labels, strict=True):
        x = round(left + position * pixels_a_label)
        if position and x + text_length(label, TICK_SIZE) / 2 > RIGHT:  # it would reach into the margin
            continue
        canvas.lines([(x, FOOTING, x, top)], GRID, 2)
        canvas.text((x, FOOTING - 42), label, TICK_SIZE, PALE_INK, align="center")
    canvas.text(((left + RIGHT) / 2, 26), axis.axis_name("Labels", ""), AXIS_SIZE, INK, align="center")


def _whole(axis: Ticks) -> Ticks:
    """The marks at whole numbers: there is no half label."""
    marks = [(p, name) for p, name in zip(axis.positions, axis.labels, strict=True) if abs(p - round(p)) < 1e-9]
    labels = tuple(name.removesuffix(".0") for _, name in marks)
    return Ticks(tuple(position for position, _ in marks), labels, axis.exponent, axis.offset)


def _draw_bar(canvas: Canvas, place: tuple[float, float], pixels_a_label: float, bar: Bar, labels: int) -> None:
    left, middle = place
    name = fitted(bar.category, AXIS_SIZE, NAME_ROOM)
    canvas.text((left - 20, middle - 10), name, AXIS_SIZE, INK if bar.labels else PALE_INK, align="right")
    agreed = left + (bar.labels - bar.disputed) * pixels_a_label
    end = left + bar.labels * pixels_a_label
    bottom, top = round(middle - BAR / 2), round(middle + BAR / 2)
    if agreed > left:
        canvas.rectangles([(left, bottom, agreed, top)], AGREED)
    if end > agreed:
        canvas.rectangles([(agreed, bottom, end, top)], DISPUTED)
    _draw_number(canvas, (end + GAP, middle - 10), bar.labels, labels)


def _draw_number(canvas: Canvas, place: tuple[float, float], labels: int, of: int) -> None:
    """Write how many labels, and their share, on white, so that no grid line runs through the digits."""
    end = place[0] + _number_length(labels, of)
    canvas.rectangles([(place[0] - 8, place[1] - 8, end + 8, place[1] + 30)], WHITE)
    number = canvas.text(place, f"{labels:,}", AXIS_SIZE, INK if labels else PALE_INK, bold=True)
    canvas.text((place[0] + number + GAP / 2, place[1]), _share(labels, of), TICK_SIZE, PALE_INK)


def _number_length(labels: int, of: int) -> float:
    return text_length(f"{labels:,}", AXIS_SIZE, True) + GAP / 2 + text_length(_share(labels, of), TICK_SIZE)


def _share(part: int, whole: int) -> str:
    """A share in percent, never rounded to none or all where it is neither; nothing of nothing."""
    if not part:
        return ""
    percent = 100 * part / whole
    if percent < 1 or 99 < percent < 100:
        return f"{percent:.1f} %" if percent >= 0.1 else "< 0.1 %"
    return f"{percent:.0f} %"
