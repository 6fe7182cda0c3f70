"""Where things stand in a panel. All lengths are device pixels; a panel is shown at two of them to a CSS pixel."""

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from labeling.panels import PlotArea
from numpy.typing import NDArray

from plotting.canvas import Color

WIDTH: Final = 2000
HEIGHT: Final = 680
LEFT: Final = 190
RIGHT: Final = 1956
BOTTOM: Final = 122
TOP: Final = 590

# Where a part of the recording is shown large, a strip under it shows the whole, and the panel is so much higher.
STRIP_ROOM: Final = 140
STRIP_BOTTOM: Final = 84
STRIP_TOP: Final = 172

WHITE: Final[Color] = (255, 255, 255)
INK: Final[Color] = (31, 41, 51)
PALE_INK: Final[Color] = (82, 93, 105)
GRID: Final[Color] = (222, 226, 231)
AXIS: Final[Color] = (140, 149, 159)
NO_DATA: Final[Color] = (231, 234, 238)

# Reddish purple, another of Okabe and Ito's colours, darker: no channel has it, and it has its own grey in print.
REFERENCE: Final[Color] = (145, 60, 115)

TITLE_SIZE: Final = 38.0
AXIS_SIZE: Final = 32.0
TICK_SIZE: Final = 32.0
SUMMARY_SIZE: Final = 30.0

# Those of Okabe and Ito's colours for colour-blind eyes ("Color Universal Design", 2008) that stand out from
# white by at least 3:1, in turn.
COLORS: Final[tuple[Color, ...]] = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (0, 0, 0))

Number = TypeVar("Number", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Which time a picture shows, and where in it.

    Attributes:
        begin: The first moment that the plot shows, in seconds.
        end: The last one.
        span: The end of the whole item, which begins at 0.
    """

    begin: float
    end: float
    span: float

    @property
    def is_part(self) -> bool:
        """Whether only a part is shown large."""
        return self.begin > 0 or self.end < self.span

    @property
    def raised(self) -> int:
        """How much higher the plot stands for the strip under it."""
        return STRIP_ROOM if self.is_part else 0

    @property
    def height(self) -> int:
        """The picture's."""
        return HEIGHT + self.raised

    @property
    def bottom(self) -> int:
        """The plot's lower edge, from the picture's."""
        return BOTTOM + self.raised

    @property
    def top(self) -> int:
        """The plot's upper edge."""
        return TOP + self.raised

    def area(self, low: float, high: float) -> PlotArea:
        """Tell where in the picture which time lies, and which value between those at the lower and the upper edge."""
        return PlotArea(
            begin=self.begin,
            end=self.end,
            duration=self.span,
            low=low,
            high=high,
            left=LEFT / WIDTH,
            right=RIGHT / WIDTH,
            top=1 - self.top / self.height,
            bottom=1 - self.bottom / self.height,
        )

    def x(self, time: Number) -> Number:
        """Where moments lie in the plot."""
        return LEFT + (time - self.begin) / (self.end - self.begin) * (RIGHT - LEFT)

    def strip_x(self, time: Number) -> Number:
        """Where moments lie in the strip."""
        return LEFT + time / self.span * (RIGHT - LEFT)
