"""The report of a check: the broken items of a manifest as JSON Lines, a line an item.

The command and the check in the cloud write the same report, so that one reader serves both.
"""

import msgspec


class BrokenItem(msgspec.Struct, frozen=True):
    """An item that can't be labeled, and why.

    Attributes:
        line: Its line in the manifest, counted from 1.
        source: The S3 URI of its dataset file, as the line has it; empty where the line has none.
        error: The kind of trouble: the name of an exception in `labeling.errors`, or of another.
        message: What was found, what was expected, and what to do.
    """

    line: int
    source: str
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
    return msgspec.json.decode(line, type=BrokenItem)
