"""The end of a server's process: when it is told to, and at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_SLEEP = 0.2  # seconds


class Told(threading.Event):
    """Set when the process is told to end."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait as every event does, but wake now and then.

        Python handles a signal in the main thread only, and the system may hand it to another one: a main thread that
        waits without an end would never see it.
        """
        if timeout is not None:
            return super().wait(timeout)
        while not super().wait(_LONGEST_SLEEP):
            pass
        return True


@contextmanager
def until_told() -> Iterator[Told]:
    """Give an event that Ctrl-C and SIGTERM set, and let neither break into what the block does after it."""
    told = Told()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: told.set()) for number in numbers]
    try:
        yield told
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def leave(status: int) -> None:
    """End the process now, without waiting for a call of a function somewhere else, which nobody needs any more."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
