"""What was marked on an item, drawn over its plots: regions and instants of a label, for people."""

import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib as mpl
from labeling.panels import PlotArea
from PIL import Image, ImageDraw, ImageFont

from plotting.canvas import Color

# Of Paul Tol's schemes for colour-blind eyes ("Colour Schemes", 2021), none of them a plot's line's; as on the page.
COLORS: Final[tuple[Color, ...]] = (
    (170, 51, 119),
    (153, 153, 51),
    (51, 187, 238),
    (51, 34, 136),
    (238, 51, 119),
    (68, 170, 153),
    (119, 119, 119),
    (136, 34, 85),
)
INK: Final[Color] = (31, 41, 51)
SHADE: Final = 51  # of 255
TEXT_SIZE: Final = 28
EDGE: Final = 4  # pixels


class MarkedPlot(NamedTuple):
    """A plot's picture.

    Attributes:
        key: The plot's key in the task input.
        png: The picture.
        area: Where in it which time lies; nothing if it has no time axis.
    """

    key: str
    png: bytes
    area: PlotArea | None


class Mark(NamedTuple):
    """Something that was marked.

    Attributes:
        begin: In seconds on the item's clock.
        end: In seconds; an instant's is its ``begin``.
        text: What stands beside it.
        color: Which of the colours it has, counted from 0.
        channel: The key of the plot that it is in; empty for all.
    """

    begin: float
    end: float
    text: str
    color: int = 0
    channel: str = ""


def draw(plots: Iterable[MarkedPlot], marks: Sequence[Mark], title: str) -> bytes:
    """Draw marks over an item's plots, one under the other.

    Args:
        plots: The plots, in order; at least one.
        marks: What was marked.
        title: What stands over them.

    Returns:
        A PNG.

    Raises:
        OSError: If a plot is no picture.
    """
    pictures = [_marked(plot, marks) for plot in plots]
    width = max(picture.width for picture in pictures)
    heading = _heading(title, width)
    whole = Image.new("RGB", (width, heading.height + sum(picture.height for picture in pictures)), "white")
    top = 0
    for picture in (heading, *pictures):
        whole.paste(picture, (0, top))
        top += picture.height
    file = io.BytesIO()
    whole.save(file, "PNG", optimize=True)
    return file.getvalue()


def _marked(plot: MarkedPlot, marks: Sequence[Mark]) -> Image.Image:
    picture = Image.open(io.BytesIO(plot.png)).convert("RGB")
    area = plot.area
    if area is not None:
        pen = ImageDraw.Draw(picture, "RGBA")
        for mark in marks:
            if mark.channel in ("", plot.key) and mark.end >= area.begin and mark.begin <= area.end:
                _draw_one(pen, mark, area, picture.size)
    return picture


def _draw_one(pen: ImageDraw.ImageDraw, mark: Mark, area: PlotArea, size: tuple[int, int]) -> None:
    width, height = size
    color = COLORS[mark.color % len(COLORS)]
    top, bottom = round(area.top * height), round(area.bottom * height)
    left, right = (_column(time, area, width) for time in (mark.begin, mark.end))
    if mark.end > mark.begin:
        pen.rectangle((left, top, right, bottom), fill=(*color, SHADE))
    for time, column in ((mark.begin, left), (mark.end, right)):
        if area.begin <= time <= area.end:
            pen.line((column, top, column, bottom), fill=color, width=EDGE)
    place = (left + 8, bottom - TEXT_SIZE - 14)
    box = pen.textbbox(place, mark.text, font=_font(TEXT_SIZE))
    pen.rounded_rectangle((box[0] - 8, box[1] - 6, box[2] + 8, box[3] + 6), 6, fill="white", outline=color, width=2)
    pen.text(place, mark.text, font=_font(TEXT_SIZE), fill=INK)


def _column(time: float, area: PlotArea, width: int) -> int:
    """The column of pixels of a time, the nearest edge for one that isn't shown."""
    share = (time - area.begin) / (area.end - area.begin)
    return round(width * (area.left + min(max(share, 0.0), 1.0) * (area.right - area.left)))


def _heading(title: str, width: int) -> Image.Image:
    picture = Image.new("RGB", (width, 2 * TEXT_SIZE + 24), "white")
    ImageDraw.Draw(picture).text((24, TEXT_SIZE // 2), title, font=_font(TEXT_SIZE + 8), fill=INK)
    return picture


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)
