"""Trying again: how long to wait between tries, and which errors are declared to be final.

An error that isn't declared final may pass: a database or disk that fails for a while, credentials that ran out until
somebody signs in again, a connection that broke, even a bug, which an update mends.
"""

import random
from dataclasses import dataclass

from botocore.exceptions import ClientError

from ground_truth_server.engine.invoke import FunctionFailed, FunctionOutOfReach

_GROWTH = 2.0
_JITTER = 0.25  # of a pause; jobs that failed together don't all try again together

FINAL_S3_CODES = frozenset({"AccessDenied", "NoSuchBucket", "NoSuchKey", "InvalidObjectState", "KeyTooLongError"})
"""What S3 answers about a job's own files that no waiting mends: it is not there, or the role may not use it."""


def is_final(error: BaseException) -> bool:
    """Tell whether an error is declared to end a labeling job."""
    if isinstance(error, FunctionFailed):
        return not isinstance(error, FunctionOutOfReach)
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in FINAL_S3_CODES


@dataclass(frozen=True)
class Waiting:
    """A labeling job that waits to try a step again.

    Attributes:
        reason: What went wrong the last time.
        tries: How often in a row.
        next_try: When it tries again, as the store writes moments.
    """

    reason: str
    tries: int
    next_try: str


class Pauses:
    """Pauses that grow from one try to the next.

    Args:
        first: Seconds of the first pause.
        longest: Seconds that none of them exceeds.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self.tries = 0

    def grow(self) -> float:
        """Give the next pause, in seconds."""
        pause = self._longest
        if self.tries < 60:  # past that the power says nothing more
            pause = min(self._longest, self._first * _GROWTH**self.tries)
        self.tries += 1
        return pause * random.uniform(1 - _JITTER, 1)  # noqa: S311  (spreads tries, no secret)

    def reset(self) -> None:
        """Begin with the first pause again, since something succeeded."""
        self.tries = 0
