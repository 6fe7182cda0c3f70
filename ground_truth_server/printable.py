"""Text of strangers for terminals and files that people open in one.

What functions log, items hold and clients send can carry codes that move a terminal's cursor, hide lines, name its
window, or show text in another order than it has.
"""

import logging
import re

# C0 without tab and newline, delete, C1, separators of lines, changes of direction, and halves of characters.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Show what acts on a terminal as Python writes it: ``\x1b[31m`` in place of red letters."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class PrintableFormatter(logging.Formatter):
    """Formats what is logged as text that does nothing but be read."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, or the lines with a traceback."""
        return printable(super().format(record))
