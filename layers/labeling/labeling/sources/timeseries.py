"""Recordings in delimited text, drawn as one plot a channel."""

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec

from labeling.panels import ConfiguredPanel
from labeling.sources.kind import Key, SourceKind, Title

TimeUnit = Literal["us", "ms", "s", "epoch-s", "epoch-ms", "iso8601"]
Column = Annotated[int, msgspec.Meta(ge=0)] | Annotated[str, msgspec.Meta(min_length=1)]
# No hyphen: it parts the suffix from the recording's name, and two recordings could share a plot.
Suffix = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]{1,64}\Z", description="letters, digits and _, 64 at most")]


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


# What is computed has a value a row, as a channel has.
ROW_BY_ROW = ("moving-mean", "moving-rms", "ratio")


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


class TimeSeriesSource(SourceKind, frozen=True, tag="timeseries"):
    """A recording in delimited text (CSV), drawn as one plot a channel.

    Attributes:
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

    def panels(self, key: str) -> tuple[ConfiguredPanel, ...]:  # noqa: ARG002
        """Its channels, and then what is computed from them."""
        return (
            *(
                ConfiguredPanel("plot", one.key, one.title, one.unit, one.suffix, f".channels[{index}]")
                for index, one in enumerate(self.channels)
            ),
            *(
                ConfiguredPanel("plot", one.key, one.title, self.unit_of(one), one.suffix, f".derived[{index}]")
                for index, one in enumerate(self.derived)
            ),
        )

    def drawn(self, key: str) -> "TimeSeriesSource":  # noqa: ARG002
        """As what it is drawn: itself."""
        return self

    def contradictions(self, path: str) -> Iterator[str]:
        """Yields values that don't go together."""
        yield from _contradictions(path, self)

    def unit_of(self, derived: Derived) -> str:
        """The unit of what is computed: its own, or as it follows from the channels'."""
        units = {channel.key: channel.unit for channel in self.channels}
        if derived.unit:
            return derived.unit
        if derived.kind == "ratio":
            return f"{units[derived.of] or 1}/{units[derived.over]}" if units[derived.over] else units[derived.of]
        return units[derived.of]


def _contradictions(path: str, source: TimeSeriesSource) -> Iterator[str]:
    if source.delimiter == source.decimal:
        yield f"{path}.decimal: found {source.decimal!r}; allowed: a mark that isn't the delimiter as well"
    if source.comment and source.comment == source.delimiter:
        yield f"{path}.comment: found {source.comment!r}; allowed: a mark that isn't the delimiter as well"
    for index, channel in enumerate(source.channels):
        if channel.column == source.time.column:
            yield f"{path}.channels[{index}].column: found {channel.column!r}, the time column; allowed: any other"
        if not math.isfinite(channel.scale) or channel.scale == 0:
            yield f"{path}.channels[{index}].scale: found {channel.scale!r}; allowed: any number but 0"
    if isinstance(source.focus, Focus):
        yield from _focus_contradictions(f"{path}.focus", source.focus, [channel.key for channel in source.channels])
    for index, derived in enumerate(source.derived):
        yield from _derived_contradictions(f"{path}.derived[{index}]", derived, [one.key for one in source.channels])
    columns = [("time", source.time.column)]
    columns += [(f"channels[{index}]", channel.column) for index, channel in enumerate(source.channels)]
    for owner, column in columns:
        if isinstance(column, str) and not source.header:
            yield (
                f"{path}.{owner}.column: found {column!r}; allowed: an index counted from 0, "
                f"or a name together with {path}.header = true"
            )


def _derived_contradictions(path: str, derived: Derived, channels: Sequence[str]) -> Iterator[str]:
    named = {"of": derived.of} | ({"over": derived.over} if derived.kind == "ratio" else {})
    for name, key in named.items():
        if key not in channels:
            yield f"{path}.{name}: found {key!r}; allowed: {', '.join(map(repr, channels))}"
    moving = derived.kind in ("moving-mean", "moving-rms")
    if moving and derived.window_seconds is None:
        yield f"{path}: found no window_seconds; a {derived.kind} needs one"
    for name, has, needs in (
        ("over", bool(derived.over), derived.kind == "ratio"),
        ("window_seconds", derived.window_seconds is not None, moving),
    ):
        if has and not needs:
            yield f"{path}.{name}: found {getattr(derived, name)!r}; a {derived.kind} has none"


def _focus_contradictions(path: str, focus: Focus, channels: Sequence[str]) -> Iterator[str]:
    if focus.channel not in channels:
        yield f"{path}.channel: found {focus.channel!r}; allowed: {', '.join(map(repr, channels))}"
    levels = {name: level for name in ("above", "below") if (level := getattr(focus, name)) is not None}
    if not levels:
        yield f"{path}: found neither above nor below; allowed: one of them, or both"
    for name, level in levels.items():
        if not math.isfinite(level):
            yield f"{path}.{name}: found {level!r}; allowed: any number"
    if len(levels) == 2 and not levels["above"] < levels["below"]:
        yield f"{path}.below: found {levels['below']!r}; allowed: more than above, {levels['above']!r}"
