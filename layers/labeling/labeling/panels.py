"""What a task input tells the worker page of its pictures."""

from typing import NamedTuple

import msgspec

Content = bytes | bytearray
"""Of a file that goes into the bucket."""
PANELS = "panels"
"""Under which key the task input lists all panels."""


class ConfiguredPanel(NamedTuple):
    """A panel that every item of a job has, as the job configuration has it.

    Attributes:
        kind: Which part of the worker page shows it: ``image``, ``plot``, ``audio`` or ``video``.
        key: Its key in the task input.
        name: What it shows, for people.
        unit: Of a plot: the unit of its values.
        suffix: Of a plot: the end of its file's name.
        place: Where the configuration has it, below its source.
    """

    kind: str
    key: str
    name: str
    unit: str = ""
    suffix: str = ""
    place: str = ""


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


class Level(msgspec.Struct, frozen=True):
    """A level of a `PlotData`.

    Attributes:
        start: Where in the file it begins, in bytes.
        entries: How many entries it has.
        rows: How many rows of the recording each entry stands for, but for the last one, which may stand for fewer.
    """

    start: int
    entries: int
    rows: int


class Gap(msgspec.Struct, frozen=True):
    """A gap in time.

    Attributes:
        begin: The last moment before it, in seconds on the item's clock.
        end: The first one after it.
    """

    begin: float
    end: float


class Band(msgspec.Struct, frozen=True):
    """Where in a `PlotData`'s file the reference lies, which is drawn behind the lines.

    Attributes:
        start: Where in the file it begins, in bytes.
        entries: How many entries it has: first come all times in seconds on the item's clock, then of each channel all
            lower ends of the band, all medians and all upper ends, NaN where there is none.
        whose: How many items it is of, and whose, as a legend says.
    """

    start: int
    entries: int
    whose: str


class PlotData(msgspec.Struct, frozen=True):
    """How the numbers behind the plots of a recording lie in their file, for a page that reads parts of it.

    The file holds little-endian doubles. Each level is in chunks of so many entries, the last one shorter; in a
    chunk all entries' first numbers come first, then all second ones. The first level has an entry a row: the time in
    seconds on the item's clock, and a value a channel, NaN where it is missing. An entry of the others has the times
    of its first and its last row, and of each channel the smallest and the greatest value.

    Attributes:
        channels: How many channels there are.
        chunk: Entries in a chunk.
        levels: The levels, the first with all rows.
        gaps: The gaps in time; the longest where there are many.
        reference: What lies behind the lines; nothing if the job has no reference.
    """

    channels: int
    chunk: int
    levels: tuple[Level, ...]
    gaps: tuple[Gap, ...] = ()
    reference: Band | None = None
