"""A drawing surface in pixels, over matplotlib's Agg renderer.

Panels are drawn on the renderer itself, without a ``Figure`` and its axes: their layout is fixed, so what
axes spend on finding theirs (about 10 ms a plot) buys nothing. The renderer holds no global state, and each
canvas has one of its own, so several threads can draw at once, each on its own canvas.
"""

import functools
import io
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any, Final, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg, get_hinting_flag
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform
from numpy.typing import NDArray
from PIL import Image

# matplotlib brings these fonts along, so a plot has the same bytes on every machine.
FONTS: Final = FilePath(mpl.get_data_path()) / "fonts" / "ttf"
REGULAR: Final = str(FONTS / "DejaVuSans.ttf")
BOLD: Final = str(FONTS / "DejaVuSans-Bold.ttf")

# Levels above this take twice the time and more to save the next tenth.
COMPRESSION: Final = 3

# So that a point, in which fonts are measured, is a pixel.
DOTS_PER_INCH: Final = 72

# matplotlib leaves these untyped.
_AGG: Any = RendererAgg
_HINTING: Any = get_hinting_flag

Color = tuple[int, int, int]
Align = Literal["left", "center", "right"]
Points = NDArray[np.float64]
Corners = tuple[float, float, float, float]
"""Left, bottom, right and top."""


class Canvas:
    """A white picture to draw on; coordinates are pixels from its lower left corner.

    Args:
        width: Pixels.
        height: Pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._renderer = _AGG(width, height, DOTS_PER_INCH)
        self._pixels: NDArray[np.uint8] = np.asarray(self._renderer.buffer_rgba())
        self._words: NDArray[np.uint32] = self._pixels.view(np.uint32)[..., 0]
        self._pixels[:] = 255

    def copy_from(self, other: "Canvas") -> None:
        """Show what ``other``, of the same size, shows."""
        self._pixels[:] = other._pixels

    def text(  # noqa: PLR0913 - a text has a place and a look
        self,
        place: tuple[float, float],
        text: str,
        size: float,
        color: Color,
        *,
        align: Align = "left",
        bold: bool = False,
        upwards: bool = False,
    ) -> float:
        """Write one line of text, taken literally (no mathematics), its baseline at ``place``.

        Returns:
            Its length in pixels.
        """
        text = drawable(text, bold)
        length = text_length(text, size, bold)
        back = length * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
        x, y = (place[0], place[1] - back) if upwards else (place[0] - back, place[1])
        pen = self._pen(color)
        font, angle = _font(size, bold), 90 if upwards else 0
        self._renderer.draw_text(pen, round(x), round(self.height - y), text, font, angle)
        pen.restore()
        return length

    def rectangles(self, corners: Iterable[Corners], color: Color) -> None:
        """Fill rectangles, each given by left, bottom, right and top."""
        outlines = [Path([(a, b), (c, b), (c, d), (a, d), (a, b)], closed=True) for a, b, c, d in corners]
        if outlines:
            self._draw(Path.make_compound_path(*outlines), color, width=0, fill=True)

    def lines(self, ends: Iterable[tuple[float, float, float, float]], color: Color, width: float) -> None:
        """Draw straight lines, each from x, y to x, y."""
        segments = [Path([(a, b), (c, d)]) for a, b, c, d in ends]
        if segments:
            self._draw(Path.make_compound_path(*segments), color, width)

    def curve(
        self,
        points: Points,
        color: Color,
        width: float,
        clip: Corners | None = None,
        *,
        dashes: tuple[float, float] | None = None,
    ) -> None:
        """Draw a line through points, shape (n, 2).

        Only what lies within ``clip`` is drawn, where it is given; with dashes so long and so far apart, if any.
        """
        self._draw(Path(points), color, width, snap=False, clip=clip, dashes=dashes)

    def area(self, outline: Points, color: Color, clip: Corners | None = None) -> None:
        """Fill an area within an outline, shape (n, 2); only what lies within ``clip``, where it is given."""
        self._draw(Path(outline), color, width=0, fill=True, snap=False, clip=clip)

    def shade_within(self, corners: Corners, levels: NDArray[np.uint8], rows: int, color: Color) -> None:
        """Lighten what is filled with a colour, but for its edges: a pixel and a half from where it ends.

        Args:
            corners: Where, in whole pixels.
            levels: How much of the colour is left, 255 all of it, shape (bins, width), from the lowest bin up.
            rows: How many rows of pixels a bin has; the highest may have fewer.
            color: The colour.
        """
        left, bottom, right, top = (int(place) for place in corners)
        region = self._words[self.height - top : self.height - bottom, left:right]
        shades = _shades_of(color)
        within = region == shades[255]
        within[1:-1] &= within[2:] & within[:-2]
        within[:, 1:-1] &= within[:, 2:] & within[:, :-2]
        within[[0, -1]] = within[:, [0, -1]] = False
        np.copyto(region, np.repeat(shades.take(levels), rows, axis=0)[: top - bottom][::-1], where=within)

    def raster(self, corner: tuple[float, float], levels: NDArray[np.uint8], color: Color) -> None:
        """Put shades of a colour on the picture, where they aren't white.

        Args:
            corner: The lower left corner, in whole pixels.
            levels: How much of the colour each pixel has, 255 all of it, shape (height, width), from the lowest row up.
            color: The colour.
        """
        left, bottom = (int(place) for place in corner)
        height, width = levels.shape
        region = self._words[self.height - bottom - height : self.height - bottom, left : left + width]
        flipped = levels[::-1]
        np.copyto(region, _shades_of(color)[flipped], where=flipped > 0)

    def dots(self, points: Points, color: Color, radius: float) -> None:
        """Draw a dot at each point, shape (n, 2)."""
        pen = self._pen(color)
        pen.set_linewidth(0)
        disc = Affine2D().scale(radius)
        self._renderer.draw_markers(pen, Path.unit_circle(), disc, Path(points), IdentityTransform(), _fractions(color))
        pen.restore()

    def png(self, colors: tuple[Color, ...]) -> bytes:
        """The picture as a PNG with a palette: the colours it is drawn in, and the shades to white of each.

        A palette makes the file half as large as 24 bits a pixel would, and four times as fast to write.
        """
        pixels = Image.frombuffer("RGBA", (self.width, self.height), self._pixels, "raw", "RGBA", 0, 1)
        picture = pixels.convert("RGB").quantize(palette=_palette(colors), dither=Image.Dither.NONE)
        file = io.BytesIO()
        picture.save(file, "png", compress_level=COMPRESSION)
        return file.getvalue()

    def _draw(  # noqa: PLR0913  (a path and its look)
        self,
        path: Path,
        color: Color,
        width: float,
        *,
        fill: bool = False,
        snap: bool = True,
        clip: Corners | None = None,
        dashes: tuple[float, float] | None = None,
    ) -> None:
        pen = self._pen(color)
        if dashes is not None:
            pen.set_dashes(0, dashes)
        if clip is not None:
            pen.set_clip_rectangle(Bbox.from_extents(*clip))
        pen.set_linewidth(width)
        pen.set_joinstyle("bevel")
        pen.set_snap(snap)
        self._renderer.draw_path(pen, path, IdentityTransform(), _fractions(color) if fill else None)
        pen.restore()

    def _pen(self, color: Color) -> GraphicsContextBase:
        pen: GraphicsContextBase = self._renderer.new_gc()
        pen.set_foreground(_fractions(color))
        return pen


def drawable(text: str, bold: bool = False) -> str:
    """One line of what the font can show; what it can't is replaced by ``\N{REPLACEMENT CHARACTER}``."""
    font = get_font(BOLD if bold else REGULAR)
    return "".join(
        letter if font.get_char_index(ord(letter)) else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split())
    )


def fitted(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """Cut a text, with an ellipsis, to what fits into ``room`` pixels."""
    text = drawable(text, bold)
    while len(text) > 1 and (length := text_length(text, size, bold)) > room:
        text = text[: min(len(text) - 2, int(len(text) * room / length))].rstrip() + "…"
    return text


@functools.lru_cache(4096)
def text_length(text: str, size: float, bold: bool = False) -> float:
    """The pixels that a drawable text takes. Remembered, since the labels of axes come again and again."""
    font = get_font(BOLD if bold else REGULAR)
    font.clear()
    font.set_size(size, DOTS_PER_INCH)
    font.set_text(text, 0.0, flags=_HINTING())
    return float(font.get_width_height()[0] / 64)


@functools.cache
def _shades_of(color: Color) -> NDArray[np.uint32]:
    """The shades from white to a colour as words of four bytes, as the renderer has them, shape (256,)."""
    levels = np.linspace(0.0, 1.0, 256)[:, None]
    shades = np.full((256, 4), 255, np.uint8)
    shades[:, :3] = (255 + (np.array(color) - 255) * levels).round()
    return shades.view(np.uint32)[:, 0]


def _fractions(color: Color) -> tuple[float, float, float]:
    red, green, blue = color
    return red / 255, green / 255, blue / 255


@functools.cache
def _font(size: float, bold: bool) -> FontProperties:
    file = BOLD if bold else REGULAR
    # All is said, so that nothing comes from the process's rcParams.
    return FontProperties(
        family=["DejaVu Sans"],
        style="normal",
        variant="normal",
        weight="bold" if bold else "normal",
        stretch="normal",
        size=size,
        math_fontfamily="dejavusans",
        fname=file,
    )


@functools.cache
def _palette(colors: tuple[Color, ...]) -> Image.Image:
    """A palette of equal shades from white to each colour.

    Pillow looks up the nearest in boxes of four levels a side. Shades almost white are left out, so that
    white stays white.
    """
    levels = np.linspace(0.0, 1.0, 255 // len(colors))[:, None]
    shades = np.concatenate([255 + (np.array(color) - 255) * levels for color in colors]).round()
    shades = shades[shades.min(axis=1) < 248]
    palette = Image.new("P", (1, 1))
    palette.putpalette(bytes([255, 255, 255]) + shades.astype(np.uint8).tobytes())
    return palette
