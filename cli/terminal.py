"""Where the command writes: terminals, which what others wrote must not act on."""

import os
import re
import sys
from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# Wide enough for an S3 URI and a message beside each other where there is no terminal to ask.
PLAIN_WIDTH: Final = 160
# C0 without tab and newline, delete, C1, separators of lines, changes of direction, and halves of characters.
_ACTING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class PrintableConsole(Console):
    r"""A console of rich that shows codes for terminals in what it prints as Python writes them: ``\x1b[31m``.

    Names of objects, reasons of failures and lines of logs come from elsewhere; what rich itself adds, such as colours
    and the movements of a progress bar, stays.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Give the pieces of a renderable, at any depth."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=_ACTING.sub(_escaped, segment.text))


class Terminal:
    """Where the command writes: results to standard output, all else to standard error.

    Attributes:
        results: What may go on through a pipe.
        remarks: Progress and what people should know.
    """

    def __init__(self) -> None:
        self.results = PrintableConsole(width=_width(sys.stdout.isatty()), highlight=False, markup=False)
        self.remarks = PrintableConsole(width=_width(sys.stderr.isatty()), highlight=False, markup=False, stderr=True)

    def say(self, text: str, style: str = "") -> None:
        """Tell people something; URIs stay whole, so that they can be copied."""
        self.remarks.print(text, style=style, soft_wrap=True)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _width(on_terminal: bool) -> int | None:
    return None if on_terminal or "COLUMNS" in os.environ else PLAIN_WIDTH
