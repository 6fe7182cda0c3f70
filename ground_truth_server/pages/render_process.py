"""Worker pages rendered in processes of their own, within limits: templates are other people's programs.

A template that doubles a string in a loop takes all of a machine's memory in seconds, and nothing in the same process
can end it. Here it meets Liquid's own limits, then its process's limits of memory and time, and at the worst is ended
with its process; the next page gets a new one. The process has no credentials: it asks for each link.
"""

import contextlib
import json
import os
import queue
import resource
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import IO, Any

from ground_truth_server.pages.ground_truth_liquid import (
    LiquidProblem,
    MissingVariable,
    Place,
    Presign,
    RenderedTemplate,
    render_template,
)

SECONDS = 10.0
"""How long the rendering of one page may take."""
MEGABYTES = 512
"""How much memory a rendering process may take, its own libraries included."""
_PROCESSES = 2
_WARM_SECONDS = 30.0  # for a new process to be ready on a busy machine

Rendering = Callable[[str, Mapping[str, Any] | None, Presign], RenderedTemplate]
"""What renders a template: `render_template`, or that in another process."""


class RenderProcesses:
    """Renders templates in a few warm processes. Safe to be used from several threads.

    Example:
        >>> with RenderProcesses() as rendering:  # doctest: +SKIP
        ...     rendering("{{ task.input.a }}", {"a": 1}, str).text
        '1'
    """

    def __init__(self, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> None:
        """Make ready; the processes start when the first pages are asked for.

        Args:
            seconds: How long one page may take.
            megabytes: How much memory a process may take.
        """
        self._seconds = seconds
        self._megabytes = megabytes
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        self._closed = False
        for _ in range(_PROCESSES):
            self._idle.put(None)

    def __call__(self, template: str, task_input: Mapping[str, Any] | None, presign: Presign) -> RenderedTemplate:
        """Render a page; a limit that is met is an error of the template, named, and the page is empty."""
        process = self._idle.get()
        try:
            if process is None or not process.is_alive:
                process = _Process(self._megabytes)
            return process.render(template, task_input, presign, self._seconds)
        except _Ended as ended:
            assert process is not None  # noqa: S101  (it is what ended)
            process.end()
            process = None
            return RenderedTemplate("", (LiquidProblem(str(ended), Place(1, 1, "")),), ())
        finally:
            if self._closed and process is not None:
                process.end()
                process = None
            self._idle.put(process)

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            for _ in range(_PROCESSES):
                process = self._idle.get_nowait()
                if process is not None:
                    process.end()

    def __enter__(self) -> "RenderProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Ended(Exception):
    """A rendering came to no end; the text says which limit it met."""


class _Process:
    """A process that renders one page after another."""

    def __init__(self, megabytes: int) -> None:
        self._megabytes = megabytes
        own = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "PYTHONPATH") if name in os.environ}
        command = [sys.executable, "-m", "ground_truth_server.pages.render_process", str(megabytes)]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=own
        )
        self._ready = False
        self._received = bytearray()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def render(
        self, template: str, task_input: Mapping[str, Any] | None, presign: Presign, seconds: float
    ) -> RenderedTemplate:
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None  # noqa: S101  (both were asked for)
        assert writer is not None  # noqa: S101
        limit = f"The template took more than {seconds:g} s to render, so it was ended; are its loops meant to end?"
        end = time.monotonic() + seconds + (0 if self._ready else _WARM_SECONDS)
        try:
            _send(writer, {"template": template, "task_input": task_input})
            while True:
                message = self._receive(reader, end, limit)
                if "ready" in message:
                    self._ready = True
                    end = time.monotonic() + seconds
                elif "link" in message:
                    _send(writer, _linked(message["link"], presign))
                else:
                    return _rendered(message)
        except (BrokenPipeError, ValueError, KeyError, TypeError) as error:
            raise _Ended(
                f"The template took more than {self._megabytes} MB of memory to render, or is nested too deep, so it "
                "was ended; does it make a text longer and longer?"
            ) from error

    def _receive(self, reader: IO[bytes], end: float, limit: str) -> dict[str, Any]:
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise _Ended(limit)
                part = os.read(reader.fileno(), 65_536)
                if not part:
                    raise BrokenPipeError
                self._received += part
        line, _, rest = self._received.partition(b"\n")
        self._received = rest
        message: dict[str, Any] = json.loads(line)
        return message

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _send(writer: IO[bytes], message: Mapping[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")
    writer.flush()


def _linked(uri: str, presign: Presign) -> dict[str, str]:
    try:
        return {"link": presign(uri)}
    except (ValueError, OSError) as error:
        return {"problem": str(error)}


def _rendered(message: Mapping[str, Any]) -> RenderedTemplate:
    return RenderedTemplate(
        message["text"],
        tuple(LiquidProblem(found["message"], Place(**found["place"])) for found in message["errors"]),
        tuple(MissingVariable(found["path"], Place(**found["place"])) for found in message["missing"]),
    )


def main() -> None:
    """Be such a process: render what comes, until nothing can come any more."""
    size = int(sys.argv[1]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    reader, writer = sys.stdin.buffer, sys.stdout.buffer

    def ask(uri: str) -> str:
        _send(writer, {"link": uri})
        answer = json.loads(reader.readline())
        if "problem" in answer:
            raise ValueError(answer["problem"])
        return str(answer["link"])

    for line in reader:
        _send(writer, {"ready": True})
        request = json.loads(line)
        rendered = render_template(request["template"], request["task_input"], ask)
        _send(writer, asdict(rendered))


def _end_with(parent: int) -> None:
    """End when the server has, also in the middle of a template's endless loop."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
