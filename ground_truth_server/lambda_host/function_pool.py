"""The warm processes of one function: few at a time, and new ones when the source changes."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ground_truth_server.lambda_host.invocation import InvokeRefusedError, TooManyRequestsError
from ground_truth_server.lambda_host.sam_template import LambdaFunction
from ground_truth_server.lambda_host.source_watch import SourceWatch
from ground_truth_server.lambda_host.warm_process import OnLine, ProcessEndedError, Request, WarmProcess

_INIT_SECONDS = 10.0  # Lambda's own limit


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended.

    Attributes:
        payload: The answer as JSON text, or the error as Lambda shows it.
        failed: Which of the two.
        traceback: Of a failed one, as Python prints it, causes included; empty where there is none.
        duration_ms: How long the handler ran.
        init_ms: How long the process took to start and import the handler; None if it was warm.
        peak_mb: The most memory the process held so far, in MiB.
    """

    payload: str
    failed: bool
    traceback: str
    duration_ms: float
    init_ms: float | None
    peak_mb: int


class FunctionPool:
    """Runs one function's invocations. Safe to use from several threads.

    Args:
        function: What to run.
        processes: How many processes may run at a time; further invocations wait for one.
    """

    def __init__(self, function: LambdaFunction, processes: int) -> None:
        self.function = function
        self._watch = SourceWatch([function.code_folder, *function.layer_folders, *_named_files(function)])
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(processes)
        self._admitted = 0
        self._idle: list[WarmProcess] = []
        self._busy: set[WarmProcess] = set()
        self._retired = False
        self._closed = False

    def invoke(self, request: Request, on_line: OnLine) -> Outcome:
        """Runs one invocation, in a warm process if there is one.

        Args:
            request: What to invoke the function with.
            on_line: Takes each line of its log as it is written.

        Raises:
            TooManyRequestsError: The function's reserved concurrency is used up.
            InvokeRefusedError: The pool was closed meanwhile.
        """
        with self._turn(), self._process() as process:
            init_ms = None
            started = time.monotonic()
            try:
                message: dict[str, Any] = {}
                if not process.ready:
                    limit = max(_INIT_SECONDS, self.function.timeout_seconds)
                    message = process.start(started + limit, on_line)
                    init_ms = _milliseconds_since(started)
                    started = time.monotonic()
                if "error" not in message:
                    message = process.invoke(request, on_line)
            except ProcessEndedError as error:
                told = f"RequestId: {request.request_id} Error: {error}"
                message = {"error": {"errorType": error.error_type, "errorMessage": told}}
            failed = "error" in message
            return Outcome(
                payload=json.dumps(message["error"]) if failed else message["payload"],
                failed=failed,
                traceback=message.get("traceback", ""),
                duration_ms=_milliseconds_since(started),
                init_ms=init_ms,
                peak_mb=process.peak_mb,
            )

    def retire(self) -> None:
        """Ends the processes as they become idle; running invocations go on to their end."""
        with self._lock:
            self._retired = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.stop()

    def close(self) -> None:
        """Ends all processes at once; running invocations fail."""
        self.retire()
        with self._lock:
            self._closed = True
            for process in self._busy:
                process.kill()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        reserved = self.function.reserved_concurrency
        with self._lock:
            if reserved is not None and self._admitted >= reserved:
                raise TooManyRequestsError(
                    f"Rate Exceeded: {self.function.logical_name} has ReservedConcurrentExecutions {reserved}"
                )
            self._admitted += 1
        try:
            with self._turns:
                if self._closed:
                    raise InvokeRefusedError(f"{self.function.logical_name}'s processes are ended")
                yield
        finally:
            with self._lock:
                self._admitted -= 1

    @contextlib.contextmanager
    def _process(self) -> Iterator[WarmProcess]:
        version = self._watch.version()
        with self._lock:
            outdated = [process for process in self._idle if process.source_version != version]
            current = [process for process in self._idle if process.source_version == version]
            process = current.pop() if current else None  # the last used one: its caches are warmest
            self._idle = current
        for old in outdated:
            old.stop()
        if process is not None and not process.alive:
            process.stop()
            process = None
        process = process or WarmProcess(self.function, version)
        with self._lock:
            self._busy.add(process)
        try:
            yield process
        finally:
            with self._lock:
                self._busy.discard(process)
                keep = process.ready and not self._retired
                if keep:
                    self._idle.append(process)
            if not keep:
                process.stop()


def _named_files(function: LambdaFunction) -> list[Path]:
    """Gives the files that the function's environment names: a configuration that it reads as it starts."""
    paths = [Path(value) for value in function.environment.values() if value.startswith("/")]
    return [path for path in paths if path.is_file()]


def _milliseconds_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
