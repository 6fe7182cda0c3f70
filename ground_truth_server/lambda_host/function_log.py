"""What functions log: live to a file and to this process's log, and to the log of the labeling job that called them."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ground_truth_server.lambda_host.function_host import FunctionHost, OnLog
from ground_truth_server.lambda_host.invocation import Invocation, JsonValue
from ground_truth_server.printable import printable

_log = logging.getLogger("ground_truth_server.lambda_host")
_OF_LAMBDA_ITSELF = ("START RequestId: ", "END RequestId: ")
_SECONDS = 0.3  # between two looks for lines: each look that finds some is a transaction

_LONGEST_SECONDS = 30.0  # between two tries to note what could not be noted
_MOST_ENTRIES = 10_000  # that wait to be noted; the oldest are in the file only

Note = Callable[[Sequence[tuple[str, str, str]]], None]
"""Takes entries of labeling jobs' logs: the labeling job's ARN, kind and message of each."""


class FunctionLog:
    """Takes the lines of functions, from any thread.

    Args:
        file: Where each line is written as it comes, with its function, and nothing that acts on a terminal.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._told = ""
        self._calls = threading.local()
        self._waiting: dict[tuple[str, str, str], list[str]] = {}

    def host(self, make: Callable[[OnLog], FunctionHost]) -> "LoggedFunctions":
        """Make a host of functions whose lines come here."""
        return LoggedFunctions(make(self._line), self)

    def close(self) -> None:
        """Close the file; lines that come later are not kept."""
        with self._lock:
            self._file.close()

    @contextmanager
    def calling(self, event: JsonValue) -> Iterator[None]:
        """Take what this thread's function logs for the labeling job that an event names."""
        arn = event.get("labelingJobArn") if isinstance(event, Mapping) else None
        self._calls.job = arn if isinstance(arn, str) else ""
        try:
            yield
        finally:
            self._calls.job = ""

    @contextmanager
    def delivering(self, note: Note) -> Iterator[None]:
        """Pass the lines on to the labeling jobs' logs until the block ends."""
        ended = threading.Event()
        thread = threading.Thread(target=self._deliver, args=(note, ended), name="function-log", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _line(self, function: str, request_id: str, logged: str) -> None:
        line = printable(logged)
        _log.info("%s: %s", function, line)
        job = getattr(self._calls, "job", "")
        with self._lock:
            self._write(f"{function}: {line}\n")
            if job and line.strip() and not line.startswith(_OF_LAMBDA_ITSELF):
                self._waiting.setdefault((job, function, request_id), []).append(line)

    def _write(self, text: str) -> None:
        """Write into the file; a function doesn't fail because its log can't be written."""
        if self._file.closed:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            if str(error) != self._told:
                _log.warning("the functions' log can't be written: %s", error)
            self._told = str(error)

    def _deliver(self, note: Note, ended: threading.Event) -> None:
        """Pass lines on; those that can't be noted now, as when the disk is full, are tried again with the next."""
        last, seconds = False, _SECONDS
        entries: list[tuple[str, str, str]] = []
        while not last:
            last = ended.wait(seconds)
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            entries += [(job, "log", "\n".join((name, *lines))) for (job, name, _), lines in waiting.items()]
            del entries[:-_MOST_ENTRIES]
            try:
                if entries:
                    note(entries)
            except Exception as error:  # whatever it is may pass
                _log.warning("the functions' log can't be noted, trying again: %s", error)
                seconds = min(2 * seconds, _LONGEST_SECONDS)
            else:
                entries, seconds = [], _SECONDS


class LoggedFunctions:
    """The functions of a host, which log for the labeling job that calls them.

    Args:
        host: Runs them.
        log: Takes what they log.
    """

    def __init__(self, host: FunctionHost, log: FunctionLog) -> None:
        self._host = host
        self._log = log

    @property
    def names(self) -> Sequence[str]:
        """The functions' logical names."""
        return list(self._host.functions)

    def find(self, name: str) -> object:
        """Find a function; see :meth:`FunctionHost.find`."""
        return self._host.find(name)

    def invoke(
        self, name: str, event: JsonValue, *, client_context: Mapping[str, JsonValue] | None = None
    ) -> Invocation:
        """Run an invocation; see :meth:`FunctionHost.invoke`."""
        with self._log.calling(event):
            return self._host.invoke(name, event, client_context=client_context)

    def close(self) -> None:
        """End the functions' processes; invocations that still run fail."""
        self._host.close()
