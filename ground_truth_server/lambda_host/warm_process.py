"""A process that runs one function: started once, then warm for one invocation after another.

Time and memory are watched from here, not by the process itself. Memory is the process's resident set, the
physical memory that Lambda also counts, read from ``/proc`` with the kernel's own record of the peak; so no
spike between two looks is missed. ``RLIMIT_AS`` and ``RLIMIT_DATA`` would count address space instead, of
which the threads of numpy's BLAS reserve hundreds of megabytes that they never touch, and would turn an
overrun into a ``MemoryError`` that the function could catch, where Lambda kills. Where there is no ``/proc``
(macOS), memory isn't limited.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ground_truth_server.lambda_host.sam_template import LambdaFunction

_MAIN = Path(__file__).with_name("function_process.py")
_LOOK_SECONDS = 0.02  # how often memory is looked at while a function runs
_EXIT_SECONDS = 2.0  # how long a process that closed its channel may take to be gone
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "SSL_CERT_FILE", "TMPDIR")
_LOOPBACK = "127.0.0.1,localhost,::1"

OnLine = Callable[[str], None]


class ProcessEndedError(Exception):
    """The process is gone, by its own doing or because it was stopped.

    Attributes:
        error_type: Lambda's name for it, such as ``Sandbox.Timedout``.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


@dataclass(frozen=True)
class Request:
    """One invocation as the process gets it; the event is any JSON value."""

    request_id: str
    arn: str
    event: Any
    client_context: Mapping[str, Any] | None = None


class WarmProcess:
    """A running process of a function. One thread at a time may use it.

    Args:
        function: What to run.
        source_version: The state of the source it was started from, for its owner.

    Attributes:
        ready: Whether it waits for an invocation: the handler is loaded and the process hasn't ended.
        peak_mb: The most memory it held so far, in MiB.
    """

    def __init__(self, function: LambdaFunction, source_version: int) -> None:
        self.source_version = source_version
        self.peak_mb = 0
        self.ready = False
        self._function = function
        self._partial = b""
        self._channel, theirs = socket.socketpair()
        path = [str(folder) for folder in (function.code_folder, *function.layer_folders)]
        settings = json.dumps({"channel": theirs.fileno(), "path": path})
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", "-u", str(_MAIN), settings],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=function.code_folder,
                env=process_environment(function, os.environ),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for the server, which then ends its processes
            )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        self._log = self._process.stdout
        os.set_blocking(self._log.fileno(), False)

    @property
    def alive(self) -> bool:
        """Whether it still runs: it may end between two invocations, by a thread of the function's."""
        return self._process.poll() is None

    def start(self, deadline: float, on_line: OnLine) -> dict[str, Any]:
        """Waits until the handler is loaded and gives the process's message: ``ready`` or ``error``.

        Args:
            deadline: On the monotonic clock.
            on_line: Takes each line that is logged meanwhile.

        Raises:
            ProcessEndedError: It ended, took too long or too much memory; it is stopped then.
        """
        message = self._message(deadline, "Init phase timed out", on_line)
        self.ready = "error" not in message
        return message

    def invoke(self, request: Request, on_line: OnLine) -> dict[str, Any]:
        """Runs one invocation and gives the process's message: ``payload``, or ``error`` and ``traceback``.

        Raises:
            ProcessEndedError: It ended, took too long or too much memory; it is stopped then.
        """
        seconds = self._function.timeout_seconds
        message = {
            "request_id": request.request_id,
            "arn": request.arn,
            "client_context": request.client_context,
            "deadline_ms": int((time.time() + seconds) * 1000),
            "event": request.event,
        }
        deadline = time.monotonic() + seconds
        self.ready = False
        self._channel.settimeout(seconds)
        with contextlib.suppress(OSError):  # it ended or hangs: waiting for its answer says which
            self._channel.sendall(json.dumps(message).encode() + b"\n")
        answer = self._message(deadline, f"Task timed out after {seconds:.2f} seconds", on_line)
        self.ready = True
        return answer

    def kill(self) -> None:
        """Ends the process and whatever it started, at once. Any thread may call this."""
        with contextlib.suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ends it as `kill` does and frees what it held here."""
        self.ready = False
        self.kill()
        self._process.wait()
        self._channel.close()
        self._log.close()

    def _message(self, deadline: float, too_late: str, on_line: OnLine) -> dict[str, Any]:
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(self._log, selectors.EVENT_READ)
            while not received.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0:
                    self._end("Sandbox.Timedout", too_late, on_line)
                for key, _ in selector.select(min(left, _LOOK_SECONDS)):
                    if key.fileobj is self._log:
                        if not self._read_log(on_line):
                            selector.unregister(self._log)
                    elif chunk := self._receive():
                        received += chunk
                    else:
                        self._gone(on_line)
                self._check_memory(on_line)
        # What the function printed was in the pipe before the answer was sent, so it is all there now.
        self._drain(on_line)
        message: dict[str, Any] = json.loads(received)
        return message

    def _receive(self) -> bytes:
        """Reads what is there of the answer; empty if the other end is gone."""
        try:
            return self._channel.recv(1 << 20)
        except ConnectionResetError:  # it went without reading what was sent to it
            return b""

    def _check_memory(self, on_line: OnLine) -> None:
        self.peak_mb = max(self.peak_mb, _peak_bytes(self._process.pid) >> 20)
        if self.peak_mb > self._function.memory_mb:
            self._end("Runtime.OutOfMemory", "Runtime exited with error: signal: killed", on_line)

    def _gone(self, on_line: OnLine) -> None:
        try:
            code = self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._end("Runtime.ExitError", "Runtime closed its channel and was killed", on_line)
        reason = f"exit status {code}" if code >= 0 else f"signal: {str(signal.strsignal(-code)).lower()}"
        how = "Runtime exited without providing a reason" if code == 0 else f"Runtime exited with error: {reason}"
        self._end("Runtime.ExitError", how, on_line)

    def _end(self, error_type: str, message: str, on_line: OnLine) -> None:
        self.ready = False
        self.kill()
        self._process.wait()
        self._drain(on_line)
        self.stop()
        raise ProcessEndedError(error_type, message)

    def _drain(self, on_line: OnLine) -> None:
        for _ in range(16):  # a pipe holds 64 KiB; a thread that prints for ever must not keep us here
            if not self._read_log(on_line):
                break
        if self._partial:
            on_line(self._partial.decode(errors="replace"))
            self._partial = b""

    def _read_log(self, on_line: OnLine) -> bool:
        """Reads what is logged so far; says whether there was anything."""
        chunk = self._log.read(1 << 16) or b""
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        for line in lines:
            on_line(line.decode(errors="replace"))
        return bool(chunk)


# Where the credentials and settings of this machine's user are not, whatever the libraries of a function try.
NO_ACCOUNT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_NO_KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
_NAMES_AN_ACCOUNT = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE")


def process_environment(function: LambdaFunction, own: Mapping[str, str]) -> dict[str, str]:
    """Gives a function's whole environment: little of this machine's, the template's, what Lambda sets.

    Of AWS's variables there are only those that whoever hosts the function gives it, so that it never reaches an
    account by accident: by a profile, a variable or a setting of this machine's user.

    Args:
        function: Whose environment it is.
        own: The environment of the process that starts it.
    """
    environment = {"TZ": ":UTC", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", **NO_ACCOUNT}
    environment |= {name: own[name] for name in own if name in _PASSED_ON}
    environment |= {"NO_PROXY": _LOOPBACK, "no_proxy": _LOOPBACK}
    if not any(name in function.environment for name in _NAMES_AN_ACCOUNT):
        environment |= _NO_KEYS
    environment |= function.environment
    return environment | {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_SAM_LOCAL": "true",  # what libraries such as Powertools look for to know that no AWS is around
        "LAMBDA_TASK_ROOT": str(function.code_folder),
        "_HANDLER": function.handler,
    }


def _peak_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:  # no such system, or the process is just gone
        return 0
    _, found, rest = status.partition("VmHWM:")
    return int(rest.split(None, 1)[0]) * 1024 if found else 0  # the kernel writes kilobytes
