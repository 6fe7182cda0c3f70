"""Counts of large labeling jobs, which many ask for at once and which take a database long."""

import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from ground_truth_server.records.records import Records

T = TypeVar("T")

_LARGE = 5_000  # counted rows from which on a count may be old
_SHARE = 20  # a count is used for so many times as long as it took
_LONGEST_SECONDS = 2.0


class _Counted(NamedTuple, Generic[T]):
    value: T
    until: float


class Counting(Generic[T]):
    """Counts by key; of what is large, a count is used again for up to two seconds.

    So whoever watches a job of 200,000 objects costs the database a twentieth of its time, however many they are.

    Args:
        count: Counts.
        size: Tells of a count how many rows it counted.
    """

    def __init__(self, count: Callable[[str], T], size: Callable[[T], int]) -> None:
        self._count = count
        self._size = size
        self._lock = threading.Lock()
        self._taking: dict[str, threading.Lock] = {}
        self._known: dict[str, _Counted[T]] = {}

    def __call__(self, key: str) -> T:
        """Give a count."""
        with self._lock:
            taking = self._taking.setdefault(key, threading.Lock())
        known = self._known.get(key)
        if known is None:
            return self._take(key)
        if time.monotonic() < known.until:
            return known.value
        with taking:  # one counts, the others wait for it
            known = self._known.get(key)
            return known.value if known and time.monotonic() < known.until else self._take(key)

    def _take(self, key: str) -> T:
        began = time.monotonic()
        value = self._count(key)
        now = time.monotonic()
        if self._size(value) >= _LARGE:
            self._known[key] = _Counted(value, now + min(_LONGEST_SECONDS, _SHARE * (now - began)))
        else:
            self._known.pop(key, None)
        return value


class JobCounts:
    """The counts of labeling jobs that many look at.

    Args:
        records: Where all is kept.

    Attributes:
        objects: Counts a job's data objects by state.
        by_worker: Counts a job's tasks by worker and state.
    """

    def __init__(self, records: Records) -> None:
        self.objects = Counting(records.objects.count, lambda found: sum(found.values()))
        self.by_worker = Counting(records.tasks.by_worker, lambda found: sum(count for _, _, count in found))
