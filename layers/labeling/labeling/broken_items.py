"""The report of a manifest's check: what is wrong with which item, before anyone is paid.

The stack's state machine and the ``labeling-job check`` command write the same report: JSON Lines, one broken item a
line, in the manifest's order; the state machine's lies at ``check-report/NAME.jsonl``.
"""

from collections.abc import Iterable
from operator import attrgetter

import msgspec

from labeling.decoding import from_json

FOLDER = "check-report"


class BrokenItem(msgspec.Struct, frozen=True):
    """An item that can't be labeled, and why.

    Attributes:
        line: Its line in the manifest, counted from 1.
        source: The S3 URI of its dataset file, as the line has it; nothing where the line has none.
        error: The kind of trouble: the name of an exception in `labeling.errors`, or of another.
        message: What is wrong, what was expected, and what to do.
    """

    line: int
    source: str | None
    error: str
    message: str

    @classmethod
    def of(cls, line: int, source: str, error: Exception) -> "BrokenItem":
        """Reports what was raised when the item was checked."""
        return cls(line, source, type(error).__name__, str(error))


def encode(item: BrokenItem) -> bytes:
    """One line of the report, with its end."""
    return msgspec.json.encode(item) + b"\n"


def decode(line: bytes | str) -> BrokenItem:
    """Reads one line of a report.

    Raises:
        msgspec.DecodeError: If it is no such line.
    """
    return from_json(line, BrokenItem)


def report(items: Iterable[BrokenItem]) -> bytes:
    """A whole report of broken items that come in any order."""
    return b"".join(encode(item) for item in sorted(items, key=attrgetter("line")))


def report_key(name: str) -> str:
    """The key of the state machine's report in the bucket, by the check's name."""
    return f"{FOLDER}/{name}.jsonl"
