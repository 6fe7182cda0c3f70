"""Limits on tries to sign in: after some that failed, the next must wait, longer each time.

They are counted by the name that was tried, whether anybody has it or not, and by the address that they came from.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from ground_truth_server.records.records import Records
from ground_truth_server.timestamps import from_text, now, to_text


@dataclass(frozen=True)
class _Limit:
    free: int  # tries that need no wait
    longest: timedelta


# Nobody can keep somebody else from signing in for long, nor try many names from one place.
_BY_NAME = _Limit(5, timedelta(minutes=1))
_BY_ADDRESS = _Limit(30, timedelta(minutes=15))
_FORGOTTEN = timedelta(hours=1)


class TooManyTries(Exception):
    """A try comes too early.

    Attributes:
        seconds: How long to wait.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"There were too many tries. Wait {seconds} s and try again.")
        self.seconds = seconds


class Tries:
    """Counts tries. Safe to use from several threads, and by several servers.

    Args:
        records: Where they are kept.
        clock: Tells the time, with its zone.
    """

    def __init__(self, records: Records, clock: Callable[[], datetime] = now) -> None:
        self._records = records
        self._clock = clock

    def begin(self, name: str, address: str) -> None:
        """Count a try before it is made, so that many at once are as many as one after the other.

        Raises:
            TooManyTries: If it comes too early; it isn't counted then.
        """
        at = self._clock()
        with self._records.transaction():
            self._records.people.forget_old_tries(to_text(at - _FORGOTTEN))
            for of, limit in ((_key("name", name), _BY_NAME), (_key("address", address), _BY_ADDRESS)):
                self._records.people.hold_tries(of)
                count, until = self._records.people.tries(of)
                if until and from_text(until) > at and count >= limit.free:
                    raise TooManyTries(ceil((from_text(until) - at).total_seconds()))
                wait = min(limit.longest, timedelta(seconds=2 ** min(max(0, count + 1 - limit.free), 20)))
                self._records.people.set_tries(of, count + 1, to_text(at + wait))

    def succeed(self, name: str, address: str) -> None:
        """Forget the tries of a name, and the last of its address."""
        of = _key("address", address)
        with self._records.transaction():
            self._records.people.forget_tries(_key("name", name))
            self._records.people.hold_tries(of)
            count, _ = self._records.people.tries(of)
            self._records.people.set_tries(of, max(0, count - 1), to_text(self._clock()))


def _key(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind}:{text}".encode("utf-8", "surrogatepass")).hexdigest()
