"""The rows of a delimited text file: fast where the file is well formed, careful where it isn't.

A row is a line. A quoted field can't span lines: one lost quotation mark would otherwise swallow the rest of
the recording without a word.
"""

import csv
import io
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from labeling.sources import Column, TimeSeriesSource
from numpy.typing import NDArray

from plotting.errors import RecordingError, shown
from plotting.numerals import count

# What people and programs write where a value is missing.
MISSING: Final = frozenset({"", "na", "n/a", "#n/a", "null", "none"})

# Beyond this nothing was measured, and sums of squares would overflow.
LARGEST: Final = 1e100
# Nearer to zero nothing was measured either, and differences would be lost in rounding.
SMALLEST: Final = 1e-100
# A row of ten thousand columns has a tenth of it. A longer line is no row, and takes many times its size to be
# taken apart.
LONGEST_LINE: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What could be read, in the file's order, and how much couldn't.

    Attributes:
        lines: The line of each row, counted from 1, shape (n,).
        clock: The time of each row as recorded, shape (n,): the configured unit, or for ISO 8601 the seconds
            since the first row. Always finite.
        values: The channels' columns as recorded, shape (n, channels); NaN where a value is missing.
        epoch: What `clock` counts from, in the configured unit's seconds: of ISO 8601 times, the first one since 1970;
            else 0.
        left_out: How many rows couldn't be read.
        notes: What people should know about the rows.
    """

    lines: NDArray[np.int64]
    clock: NDArray[np.float64]
    values: NDArray[np.float64]
    left_out: int
    notes: tuple[str, ...]
    epoch: float = 0.0


@dataclass(frozen=True, slots=True)
class _Table:
    """A text whose header is read: where its data begins, and where the needed columns are."""

    text: bytes
    start: int
    first_line: int
    time: int
    channels: tuple[int, ...]
    source: TimeSeriesSource
    name: str


class _BadFieldError(Exception):
    """A field that makes its row unreadable."""

    def __init__(self, found: str, expected: str, column: Column | None) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected
        self.column = column


def read_rows(text: bytes, source: TimeSeriesSource, name: str) -> Rows:
    r"""Read the time column and the channels' columns.

    Args:
        text: UTF-8 with line ends ``\n``, as `encoding.plain_text` gives it.
        source: The layout of the file.
        name: The object's name, for errors.

    Raises:
        RecordingError: If the header lacks a named column, if a line is longer than `LONGEST_LINE`, or if more rows are
            unreadable than ``source.max_rows_left_out`` allows.
    """
    _check_lines(text, name)
    table, notes = _open_table(text, source, name)
    rows = _read_fast(table) or _read_carefully(table)
    return replace(rows, notes=notes + rows.notes)


def _check_lines(text: bytes, name: str) -> None:
    """Refuse a line that is too long before it is taken apart; looks at one line end in so many bytes."""
    begin = 0
    while len(text) - begin > LONGEST_LINE:
        end = text.rfind(b"\n", begin, begin + LONGEST_LINE + 1)
        if end < 0:
            end = text.find(b"\n", begin)
            raise RecordingError(
                name,
                found=f"a line of {(len(text) if end < 0 else end) - begin:,} bytes",
                expected=f"lines of at most {LONGEST_LINE:,}",
                do="Is it text with line ends, and the encoding that the source says?",
                line=text.count(b"\n", 0, begin) + 1,
            )
        begin = end + 1


def _open_table(text: bytes, source: TimeSeriesSource, name: str) -> tuple[_Table, tuple[str, ...]]:
    """Skip what stands before the data, and find the columns."""
    start = 0
    notes: tuple[str, ...] = ()
    names: list[str] | None = None
    for number, line in _numbered_lines(text, 0, 1):
        if _is_data(line, source):
            if names is not None or not source.header:
                break
            names = _fields(line, source)
            notes = _doubtful_header(names, number, source)
        start += len(line.encode()) + 1
    first_line = text.count(b"\n", 0, start) + 1
    positions = [
        _position(column, names, name) for column in (source.time.column, *(c.column for c in source.channels))
    ]
    return _Table(text, start, first_line, positions[0], tuple(positions[1:]), source, name), notes


def _numbered_lines(text: bytes, start: int, first_line: int) -> Iterator[tuple[int, str]]:
    stream = io.BytesIO(text)
    stream.seek(start)
    for number, line in enumerate(stream, first_line):
        yield number, line.decode().rstrip("\n")


def _is_data(line: str, source: TimeSeriesSource) -> bool:
    stripped = line.lstrip()
    return bool(stripped) and not (source.comment and stripped.startswith(source.comment))


def _fields(line: str, source: TimeSeriesSource) -> list[str]:
    if source.delimiter == " ":
        return [field.strip('"') for field in line.split()]
    if '"' not in line:
        return [field.strip() for field in line.split(source.delimiter)]
    try:
        fields = next(csv.reader([line], delimiter=source.delimiter, skipinitialspace=True))
    except csv.Error:
        return [line]
    return [field.strip() for field in fields]


def _doubtful_header(names: list[str], number: int, source: TimeSeriesSource) -> tuple[str, ...]:
    """Say so when the line that is taken for a header looks like data, for it is then lost."""
    try:
        numbers = [_number(field, source.decimal) for field in names if field]
    except ValueError:
        return ()
    if not numbers:
        return ()
    return (f"Line {number:,} was taken as the header, although it holds only numbers.",)


def _position(column: Column, names: list[str] | None, name: str) -> int:
    if isinstance(column, int):
        return column
    if names is None:
        raise RecordingError(
            name,
            found="the column is configured by name but the source has no header",
            expected="a header line, or columns by index",
            do="Set header = true, or give the column's index counted from 0.",
            column=column,
        )
    if names.count(column) != 1:
        listed = ", ".join(shown(found) for found in names[:50])
        raise RecordingError(
            name,
            found=f"{'two columns of that name' if column in names else 'no such column'} in the header",
            expected=f"one of the columns there are: {listed}",
            do="Correct the column's name in the job configuration, or give its index counted from 0.",
            column=column,
        )
    return names.index(column)


def _read_fast(table: _Table) -> Rows | None:
    """Read a well-formed file by numpy's C reader; None for any file that needs a closer look."""
    text, source = table.text, table.source
    if text.find(b'"', table.start) >= 0 or table.start >= len(text):
        return None
    if source.decimal == ",":
        if source.delimiter == "," or text.find(b".", table.start) >= 0:
            return None
        text = text[: table.start] + text[table.start :].replace(b",", b".")
    stream = io.BytesIO(text)
    stream.seek(table.start)
    calendar = _Calendar()
    converters: dict[int | str, Callable[[str], float]] | None = None
    if source.time.unit == "iso8601":
        converters = {table.time: calendar}
    try:
        numbers = np.loadtxt(
            stream,
            delimiter=None if source.delimiter == " " else source.delimiter,
            usecols=(table.time, *table.channels),
            converters=converters,
            comments=None,
            encoding="utf-8",
            ndmin=2,
        )
    except ValueError:
        return None
    # Only when each line is a row do rows tell their lines.
    if len(numbers) != text.count(b"\n", table.start) + 1:
        return None
    clock = np.ascontiguousarray(numbers[:, 0])
    if not (np.abs(clock) <= LARGEST).all():
        return None
    lines = np.arange(table.first_line, table.first_line + len(numbers))
    return Rows(lines, clock, numbers[:, 1:], 0, (), calendar.epoch)


def _read_carefully(table: _Table) -> Rows:
    """Read line by line, leave out the rows that can't be read, and remember why."""
    source = table.source
    calendar = _Calendar()
    read_clock = calendar if source.time.unit == "iso8601" else _Clock(source.decimal)
    lines, clock, values = array("q"), array("d"), array("d")
    left_out = 0
    first_bad: tuple[int, _BadFieldError] | None = None
    for number, line in _numbered_lines(table.text, table.start, table.first_line):
        if not _is_data(line, source):
            continue
        try:
            time, row = _row(_fields(line, source), table, read_clock)
        except _BadFieldError as bad:
            left_out += 1
            first_bad = first_bad or (number, bad)
            continue
        lines.append(number)
        clock.append(time)
        values.extend(row)
    notes: tuple[str, ...] = ()
    if first_bad is not None:
        notes = (_judge(first_bad, left_out, left_out + len(lines), table),)
    return Rows(
        np.array(lines, dtype=np.int64),
        np.array(clock, dtype=np.float64),
        np.array(values, dtype=np.float64).reshape(len(lines), len(table.channels)),
        left_out,
        notes,
        calendar.epoch,
    )


def _row(fields: list[str], table: _Table, read_clock: Callable[[str], float]) -> tuple[float, list[float]]:
    source = table.source
    needed = max(table.time, *table.channels) + 1
    if len(fields) < needed:
        raise _BadFieldError(count(len(fields), "column"), f"at least {count(needed, 'column')}", None)
    try:
        time = read_clock(fields[table.time])
    except ValueError:
        expected = "an ISO 8601 date and time" if source.time.unit == "iso8601" else "a time as a number"
        raise _BadFieldError(shown(fields[table.time]), expected, source.time.column) from None
    row = []
    for position, channel in zip(table.channels, source.channels, strict=True):
        text = fields[position]
        try:
            row.append(np.nan if text.lower() in MISSING else _number(text, source.decimal))
        except ValueError:
            raise _BadFieldError(shown(text), f"a number with decimal {source.decimal!r}", channel.column) from None
    return time, row


def _judge(first: tuple[int, _BadFieldError], left_out: int, rows: int, table: _Table) -> str:
    """Refuse the recording if too many rows are unreadable, else note them."""
    line, bad = first
    if left_out > table.source.max_rows_left_out * rows:
        raise RecordingError(
            table.name,
            found=f"{bad.found} here, and {left_out:,} of {rows:,} rows unreadable",
            expected=f"{bad.expected}, in all but {table.source.max_rows_left_out:.0%} of the rows",
            do="Check the source's delimiter, decimal, header and columns against this line.",
            line=line,
            column=bad.column,
        )
    more = f" and {left_out - 1:,} more" if left_out > 1 else ""
    where = "" if bad.column is None else f" in column {bad.column!r}"
    return (
        f"{left_out:,} of {rows:,} rows left out: line {line:,}{more} ({bad.found}{where} instead of {bad.expected})."
    )


def _number(text: str, decimal: str) -> float:
    """Read a number as numpy's reader does: no digit groups, no thousands separators."""
    if "_" in text or (decimal == "," and "." in text):
        raise ValueError(text)
    return float(text.replace(",", ".") if decimal == "," else text)


@dataclass(frozen=True, slots=True)
class _Clock:
    """Reads times that are numbers."""

    decimal: str

    def __call__(self, text: str) -> float:
        time = _number(text, self.decimal)
        if not abs(time) <= LARGEST:
            raise ValueError(text)
        return time


class _Calendar:
    """Reads ISO 8601 dates and times as seconds since the first one, exact to the microsecond.

    Either all have a zone or none has; without one they are taken as they stand.
    """

    def __init__(self) -> None:
        self._first: datetime | None = None

    @property
    def epoch(self) -> float:
        """The first time in seconds since 1970, taken as UTC without a zone; 0 before there is one."""
        if self._first is None:
            return 0.0
        return (self._first if self._first.tzinfo else self._first.replace(tzinfo=UTC)).timestamp()

    def __call__(self, text: str) -> float:
        moment = datetime.fromisoformat(text.strip())
        if self._first is None:
            self._first = moment
        try:
            return (moment - self._first).total_seconds()
        except TypeError as error:
            raise ValueError(text) from error
