"""Lines of measured values: as a line while rows are far apart, as shades that say how many values lie where if not."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from plotting.canvas import Canvas, Color
from plotting.thinning import Envelope

Values = NDArray[np.float64]

LINE_WIDTH: Final = 2.5
DOT_RADIUS: Final = 4.0

# With so many rows in a pixel column, and more, shades say how many values lie where.
DENSE: Final = 1.0
# What a line only passes through on its way from one value to the next has this share of its colour, a value that
# is as frequent as any in its column has all of it.
PALEST: Final = 0.3
# Values are counted in windows of at least so many rows, of so many columns at most, and so many pixels high.
ROWS_COUNTED: Final = 100
WIDEST_WINDOW: Final = 45
BIN_HEIGHT: Final = 4
SHADES: Final = 12
# A reference: its band has this share of its colour, its edges more.
BAND_SHARE: Final = 0.22
BAND_EDGE: Final = 0.5
# In pixels, far outside of any picture.
FURTHEST: Final = 1e5
MEDIAN_WIDTH: Final = 3.0
MEDIAN_DASHES: Final = (12.0, 8.0)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a line is drawn: a part of a picture, and the times and values at its edges.

    Attributes:
        left: In pixels, as are the next three.
        bottom: From the picture's lower edge.
        right: Beyond it nothing is drawn.
        top: Beyond it nothing is drawn.
        begin: The time at the left edge, in seconds.
        end: The time at the right edge.
        low: The value at the bottom.
        high: The value at the top.
    """

    left: int
    bottom: int
    right: int
    top: int
    begin: float
    end: float
    low: float
    high: float

    def x(self, time: Values) -> Values:
        """Where moments lie."""
        return self.left + (time - self.begin) / (self.end - self.begin) * (self.right - self.left)

    def y(self, values: Values) -> Values:
        """Where values lie."""
        return self.bottom + (values - self.low) / (self.high - self.low) * (self.top - self.bottom)


def draw_line(canvas: Canvas, box: Box, envelope: Envelope, color: Color) -> None:
    """Draw a channel's line: as a line where rows are far apart, else as the area that the line sweeps."""
    time, lows, highs = box.x(envelope.time), box.y(envelope.low), box.y(envelope.high)
    clip = (box.left, box.bottom, box.right, box.top)
    for piece in envelope.pieces():
        _draw_piece(canvas, time[piece], lows[piece], highs[piece], color, clip)


def draw_dots(canvas: Canvas, box: Box, envelope: Envelope, color: Color) -> None:
    """Draw a dot at each extreme."""
    within = (envelope.time >= box.begin) & (envelope.time <= box.end)
    time, lows, highs = (some[within] for some in (box.x(envelope.time), box.y(envelope.low), box.y(envelope.high)))
    canvas.dots(np.concatenate([np.c_[time, lows], np.c_[time, highs]]), color, DOT_RADIUS)


def _draw_piece(  # noqa: PLR0913, PLR0917 - what is drawn, where, and how
    canvas: Canvas, time: Values, lows: Values, highs: Values, color: Color, clip: tuple[float, float, float, float]
) -> None:
    if len(time) == 1 and clip[0] <= time[0] <= clip[2]:
        canvas.dots(np.array([[time[0], lows[0]], [time[0], highs[0]]]), color, DOT_RADIUS)
    if _is_area(time):
        columns, lower, upper = swept(time, lows, highs, clip[0], clip[2])
        if len(columns):
            canvas.area(np.concatenate([np.c_[columns, upper], np.c_[columns, lower][::-1]]), color, clip)
    else:
        ends = np.stack([np.c_[time, lows], np.c_[time, highs]], axis=1)
        canvas.curve(ends.reshape(-1, 2), color, LINE_WIDTH, clip)


def _is_area(time: Values) -> bool:
    return bool(len(time) > (time[-1] - time[0]) / 2)


def swept(time: Values, lows: Values, highs: Values, left: float, right: float) -> tuple[Values, Values, Values]:
    """What a pen sweeps that moves from low to high in every column, all in pixels.

    Filling it gives the picture that stroking the line gives, in a third of the time where the line fills the
    plot. The pen is an octagon: it reaches its radius above and below its own column, and as far as its flat
    sides in the columns beside it.

    Returns:
        The columns' middles, the lower edge and the upper edge in each, shape (m,).
    """
    first, last = max(int(time[0]), int(left)), min(int(time[-1]), int(right))
    columns = np.arange(first - 1, last + 2, dtype=np.float64) + 0.5
    upper, lower = np.interp(columns, time, highs), np.interp(columns, time, lows)
    own = time.astype(np.intp) - first + 1
    within = (own >= 0) & (own < len(columns))
    np.maximum.at(upper, own[within], highs[within])
    np.minimum.at(lower, own[within], lows[within])
    radius, side = LINE_WIDTH / 2, LINE_WIDTH / 2 * (np.sqrt(2) - 1)
    beside_upper = np.maximum(upper[:-2], upper[2:]) + side
    beside_lower = np.minimum(lower[:-2], lower[2:]) - side
    return (
        columns[1:-1],
        np.minimum(lower[1:-1] - radius, beside_lower),
        np.maximum(upper[1:-1] + radius, beside_upper),
    )


def draw_density(  # noqa: PLR0913, PLR0917 - what is drawn, where, and how
    canvas: Canvas, box: Box, time: Values, values: Values, envelope: Envelope, color: Color
) -> None:
    """Draw a channel with many rows in each column: the more values lie somewhere, the stronger its colour.

    Within what the line sweeps, a pixel's shade tells how many values lie there, beside the place in the same column
    where most do. The edges, and what is as narrow as a spike, keep all of the colour.

    Args:
        canvas: Where.
        box: Its part that is drawn in.
        time: Of the measured rows within the box, in seconds, ascending, shape (n,).
        values: What was measured, shape (n,).
        envelope: The channel thinned to the box's columns.
        color: The line's.
    """
    draw_line(canvas, box, envelope, color)
    canvas.shade_within((box.left, box.bottom, box.right, box.top), _levels(box, time, values), BIN_HEIGHT, color)


def _levels(box: Box, time: Values, values: Values) -> NDArray[np.uint8]:
    """How strong each bin is, from `PALEST` of 255 to all, by how many values lie about it, shape (bins, width)."""
    width, height = box.right - box.left, box.top - box.bottom
    bins = -(-height // BIN_HEIGHT)
    column = ((time - box.begin) * (width / (box.end - box.begin))).astype(np.int32)
    row = ((values - box.low) * (height / BIN_HEIGHT / (box.high - box.low))).astype(np.int32)
    place = np.minimum(row, bins - 1) * width + np.minimum(column, width - 1)
    counted = np.bincount(place, minlength=bins * width).reshape(bins, width).astype(np.int32)
    about = _about(counted, min(WIDEST_WINDOW, max(1, round(ROWS_COUNTED * width / max(1, len(time))))))
    share = about * ((SHADES - 1) / np.maximum(about.max(axis=0), 1)).astype(np.float32)
    steps = np.sqrt(np.linspace(0, 1, SHADES)) * (1 - PALEST) + PALEST
    shades = (255 * steps).round().astype(np.uint8)
    found: NDArray[np.uint8] = shades.take(share.astype(np.uint8))
    return found


def _about(counted: NDArray[np.int32], columns: int) -> NDArray[np.int32]:
    """Count about each place, in a window of columns, the bins above and below half as much; shape (bins, width)."""
    about = 2 * counted
    about[1:] += counted[:-1]
    about[:-1] += counted[1:]
    if columns == 1:
        return about
    before = columns // 2
    sums = np.cumsum(np.pad(about, ((0, 0), (before + 1, columns - 1 - before))), axis=1, dtype=np.int32)
    window: NDArray[np.int32] = sums[:, columns:] - sums[:, :-columns]
    return window


def draw_band(  # noqa: PLR0913, PLR0917 - what is drawn, where, and how
    canvas: Canvas, box: Box, time: Values, lows: Values, highs: Values, color: Color
) -> None:
    """Fill what lies between two lines, in a shade of the colour, and draw them thin.

    Args:
        canvas: Where.
        box: Its part that is drawn in.
        time: In seconds, ascending, shape (n,).
        lows: The lower line's values, NaN where there is none, shape (n,).
        highs: The upper line's.
        color: The colour.
    """
    clip = (box.left, box.bottom, box.right, box.top)
    for piece in _unbroken(lows):
        x, lower, upper = (_near(some[piece]) for some in (box.x(time), box.y(lows), box.y(highs)))
        outline = np.concatenate([np.c_[x, upper], np.c_[x, lower][::-1]])
        canvas.area(outline, _shade(color, BAND_SHARE), clip)
        for edge in (lower, upper):
            canvas.curve(np.c_[x, edge], _shade(color, BAND_EDGE), 1.0, clip)


def draw_median(canvas: Canvas, box: Box, time: Values, values: Values, color: Color) -> None:
    """Draw a dashed line, which ends where a value is missing; arguments as `draw_band`'s."""
    clip = (box.left, box.bottom, box.right, box.top)
    for piece in _unbroken(values):
        points = np.c_[_near(box.x(time[piece])), _near(box.y(values[piece]))]
        canvas.curve(points, color, MEDIAN_WIDTH, clip, dashes=MEDIAN_DASHES)


def _near(pixels: Values) -> Values:
    """Pixels that Agg can count with, none of them moved that is seen."""
    near: Values = np.clip(pixels, -FURTHEST, FURTHEST)
    return near


def _unbroken(values: Values) -> list[slice]:
    """The pieces without a missing value."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ~np.isnan(values), [0]])))
    return [slice(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _shade(color: Color, share: float) -> Color:
    red, green, blue = (round(255 + (part - 255) * share) for part in color)
    return red, green, blue
