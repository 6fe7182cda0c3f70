"""Notices that source files changed, cheaply enough to look before every invocation of a function."""

import contextlib
import importlib.util
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_CHEAP_SECONDS = 0.005  # a scan that takes no longer is done at every look
_PAUSE_PER_COST = 20  # a longer one at most a twentieth of the time: built layers hold thousands of files
_LEFT_OUT = frozenset({"__pycache__", "node_modules"})


class SourceWatch:
    """Watches files and folders by time of change and size.

    Args:
        paths: Files, and folders with all below them but hidden folders and caches.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(dict.fromkeys(paths))
        self._lock = threading.Lock()
        self._version = 0
        self._next_scan = 0.0
        self._seen = dict(_scan(self._paths))

    def version(self) -> int:
        """Gives a number that is greater after a change. Safe to call from several threads."""
        with self._lock:
            if time.monotonic() < self._next_scan:
                return self._version
            started = time.thread_time()  # of this thread, so that a busy machine doesn't make a scan look dear
            found = dict(_scan(self._paths))
            if found != self._seen:
                _forget_bytecode(path for path, stamp in found.items() if self._seen.get(path) != stamp)
                self._seen = found
                self._version += 1
            cost = time.thread_time() - started
            if cost > _CHEAP_SECONDS:
                self._next_scan = time.monotonic() + cost * _PAUSE_PER_COST
            return self._version


def _scan(paths: Iterable[str | Path]) -> Iterator[tuple[str, tuple[int, int]]]:
    for path in paths:
        with contextlib.suppress(OSError):  # gone since it was listed, which the next scan sees
            if not os.path.isdir(path):  # noqa: PTH112 - scandir gives text, and this runs for every file
                status = os.stat(path)  # noqa: PTH116
                yield os.fspath(path), (status.st_mtime_ns, status.st_size)
                continue
            with os.scandir(path) as entries:
                yield from _scan([entry.path for entry in entries if not _is_left_out(entry.name)])


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name in _LEFT_OUT


def _forget_bytecode(sources: Iterable[str]) -> None:
    """Removes what Python compiled from changed sources.

    Python tells old bytecode by the source's size and its time in whole seconds, so a change within the
    second that leaves the size as it was would not take effect.
    """
    for source in sources:
        if source.endswith(".py"):
            with contextlib.suppress(OSError):
                Path(importlib.util.cache_from_source(source)).unlink(missing_ok=True)
