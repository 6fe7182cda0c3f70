"""What a task input tells the worker page of its pictures."""

import msgspec


class PlotArea(msgspec.Struct, frozen=True):
    """Where in a plot's picture which time and which value lie.

    Attributes:
        begin: The time at the left edge, in seconds on the item's clock.
        end: The time at the right edge.
        duration: How long the whole item is, in seconds; it begins at 0.
        low: The value at the lower edge, in the channel's unit.
        high: The value at the upper edge.
        left: The left edge, as a share of the picture's width from its left.
        right: The right edge.
        top: The upper edge, as a share of the picture's height from its top.
        bottom: The lower edge.
    """

    begin: float
    end: float
    duration: float
    low: float
    high: float
    left: float
    right: float
    top: float
    bottom: float
