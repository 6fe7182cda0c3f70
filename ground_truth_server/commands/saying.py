"""What commands say on the terminal."""

import errno
import logging
import sys
import time

from botocore.exceptions import ProfileNotFound

from ground_truth_server.printable import PrintableFormatter, printable
from ground_truth_server.telemetry.json_log import JsonFormatter
from ground_truth_server.telemetry.watched import requests_log


def say_in_a_line(error: BaseException) -> str:
    """Say what kept a command from its work, and what to do, in a line without a traceback."""
    found = " ".join(str(error).split())
    if isinstance(error, ProfileNotFound):
        return f"AWS_PROFILE: found: {found}. Name one that ~/.aws/config has, or unset AWS_PROFILE."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"{found}: the disk is full. Free space on it and start again."
    if isinstance(error, PermissionError):
        return f"{found}. Ensure that this user may read and write it, or choose another workspace with --workspace."
    return found


def print_line(text: str, *, error: bool = False) -> None:
    """Print, at once."""
    print(printable(text), file=sys.stderr if error else sys.stdout, flush=True)


def log_to_the_terminal(form: str = "text") -> None:
    """Show what is logged.

    Args:
        form: ``text``, lines that can't steer a terminal, or ``json``, for what collects them: with each request.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter() if form == "json" else PrintableFormatter("%(message)s"))
    requests_log.setLevel(logging.NOTSET if form == "json" else logging.WARNING)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class Counting:
    """Shows on a terminal how many of something are done.

    Args:
        what: What is counted.

    Attributes:
        done: How many are.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = 0.0
        self._shown = False
        self.done = 0

    def __call__(self, done: int) -> None:
        """Show another number, four times a second at most."""
        self.done = done
        now = time.monotonic()
        if now >= self._next and sys.stderr.isatty():
            self._next, self._shown = now + 0.25, True
            sys.stderr.write(f"\r{done:,} {self._what} ")
            sys.stderr.flush()

    def __enter__(self) -> "Counting":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
