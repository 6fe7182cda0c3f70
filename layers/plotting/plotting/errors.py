"""What is said of a recording that can't be drawn."""

from labeling.errors import ItemError


class RecordingError(ItemError, ValueError):
    """A recording that can't be read as its source is configured.

    The message says where (object, line, column), what was found, what was expected, and what to do.

    Attributes:
        name: The object, usually its S3 URI.
        line: The line in the file, counted from 1, where one line is to blame.
        column: The column as the configuration names it (an index from 0, or a name), where one is to blame.
    """

    def __init__(  # noqa: PLR0913 - each part of the message is a part of the call
        self,
        name: str,
        *,
        found: str,
        expected: str,
        do: str,
        line: int | None = None,
        column: int | str | None = None,
    ) -> None:
        self.name = name
        self.line = line
        self.column = column
        place = name
        if line is not None:
            place += f", line {line:,}"
        if column is not None:
            place += f", column {column!r}"
        super().__init__(f"{place}: {found}; expected {expected}. {do}")


def shown(text: str, limit: int = 40) -> str:
    """Quote a piece of a file for an error or a note: escaped, and cut to ``limit`` characters."""
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return f"“{text}”" if text.isprintable() else ascii(text)
