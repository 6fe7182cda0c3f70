"""What an item's files are: the part of the job configuration that says how to read and show each source."""

from typing import Annotated, Literal

import msgspec

TimeUnit = Literal["us", "ms", "s", "epoch-s", "epoch-ms", "iso8601"]
Column = Annotated[int, msgspec.Meta(ge=0)] | Annotated[str, msgspec.Meta(min_length=1)]
Key = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}\Z",
        description="letters, digits, _ and -, 63 at most, beginning with a letter",
    ),
]
# No hyphen: it parts the suffix from the recording's name, and two recordings could share a plot.
Suffix = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]{1,64}\Z", description="letters, digits and _, 64 at most")]
Folder = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*\Z",
        description="letters, digits, _ . = and -, with / between folders and none at the ends",
    ),
]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class TimeColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The column that says when a row was measured.

    Attributes:
        column: Its index, counted from 0, or its name in the header row.
        unit: ``us``, ``ms`` or ``s`` since the start of the recording, ``epoch-s`` or ``epoch-ms`` since 1970,
            or ``iso8601`` date and time. Plots show seconds since the first row whatever the unit.
        gap_seconds: Rows further apart than this are a gap, which no line bridges. Without it, a gap is ten
            times the median interval.
    """

    column: Column = 0
    unit: TimeUnit = "ms"
    gap_seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured quantity of a recording, and the panel that shows it.

    Attributes:
        key: The panel's key in the task input.
        title: What the plot is called, for people.
        column: The column's index, counted from 0, or its name in the header row.
        unit: The unit of the values after scaling, as the axis names it; empty for a pure number.
        scale: What the recorded values are multiplied by to get that unit.
        suffix: The end of the plot's name: ``plots/<csv name>-<suffix>.png``.
    """

    key: Key
    title: Title
    column: Column
    suffix: Suffix
    unit: Annotated[str, msgspec.Meta(max_length=20)] = ""
    scale: float = 1.0


class Derived(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A panel that is computed from a recording's channels.

    Attributes:
        key: The panel's key in the task input.
        title: What the plot is called, for people.
        kind: ``moving-mean`` or ``moving-rms`` over a window, ``ratio`` of one channel over another, on the time axis;
            ``spectrogram``, on it too; ``spectrum`` and ``histogram`` of what the plots show large.
        of: The key of the channel that it is computed from.
        suffix: The end of the plot's name, as a channel's.
        over: For a ratio: the key of the channel below the line.
        window_seconds: For a moving mean or RMS: how long the window is, centred on each row.
        unit: What the axis names; found by itself if left out.
    """

    key: Key
    title: Title
    kind: Literal["moving-mean", "moving-rms", "ratio", "spectrum", "spectrogram", "histogram"]
    of: Key
    suffix: Suffix
    over: Annotated[str, msgspec.Meta(max_length=63)] = ""
    window_seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None
    unit: Annotated[str, msgspec.Meta(max_length=20)] = ""


class ImageSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="image"):
    """A picture that workers see as it is.

    Attributes:
        title: What it shows, for people.
        folder: Where such files lie in the bucket and in a data folder.
    """

    title: Title
    folder: Folder


class Focus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a recording matters: from the first to the last row in which a channel is beyond a level.

    Attributes:
        channel: The key of the channel.
        above: The channel's value, after scaling, is above this.
        below: It is below this; with ``above`` as well, between both.
        margin_seconds: How much more is shown before and after; a twentieth of the stretch if left out.
    """

    channel: Key
    above: float | None = None
    below: float | None = None
    margin_seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None


class TimeSeriesSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="timeseries"):
    """A recording in delimited text (CSV), drawn as one plot a channel.

    Attributes:
        title: What it is, for people.
        folder: Where such files lie in the bucket and in a data folder.
        time: The time column.
        channels: The measured quantities, in the order in which they are shown.
        derived: What is computed from them, shown after them.
        delimiter: What separates columns.
        decimal: The decimal mark of numbers.
        header: Whether the first line names the columns.
        comment: Lines that begin with this are skipped; empty for none.
        encoding: The text encoding; a byte-order mark wins over it.
        max_bytes: Recordings larger than this are refused.
        max_rows_left_out: The share of rows, 0 to 1, that may be unreadable or out of order before the
            recording is refused.
        focus: What of the recording the plots show large, over a strip with all of it: ``auto``, what is left when a
            stretch takes more than half in which nothing happens; ``whole``, everything; or a rule.
    """

    title: Title
    folder: Folder
    channels: Annotated[tuple[Channel, ...], msgspec.Meta(min_length=1, max_length=12)]
    derived: Annotated[tuple[Derived, ...], msgspec.Meta(max_length=12)] = ()
    time: TimeColumn = TimeColumn()
    delimiter: Literal[",", ";", "\t", "|", " "] = ","
    decimal: Literal[".", ","] = "."
    header: bool = False
    comment: Annotated[str, msgspec.Meta(max_length=8)] = "#"
    encoding: Literal["utf-8", "latin-1", "cp1252", "utf-16", "shift_jis", "gb18030"] = "utf-8"
    max_bytes: Annotated[int, msgspec.Meta(ge=1)] = 200_000_000
    max_rows_left_out: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    focus: Literal["auto", "whole"] | Focus = "auto"

    @property
    def panels(self) -> tuple[Channel | Derived, ...]:
        """All that is shown of it, in order."""
        return (*self.channels, *self.derived)

    def unit_of(self, derived: Derived) -> str:
        """The unit of what is computed: its own, or as it follows from the channels'."""
        units = {channel.key: channel.unit for channel in self.channels}
        if derived.unit:
            return derived.unit
        if derived.kind == "ratio":
            return f"{units[derived.of] or 1}/{units[derived.over]}" if units[derived.over] else units[derived.of]
        return units[derived.of]


Source = ImageSource | TimeSeriesSource
