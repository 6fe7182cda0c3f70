"""The preview of a worker page: one manifest line through the pre-annotation function and the template as it is now."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from ground_truth_server.arns import labeling_job_arn
from ground_truth_server.engine.function_answers import WrongAnswer, check_pre_annotation
from ground_truth_server.engine.invoke import FunctionFailed, Invoke
from ground_truth_server.engine.manifest import ManifestLine, check_line, read_manifest
from ground_truth_server.engine.preparation import EVENT_VERSION
from ground_truth_server.engine.s3_location import NotAnS3Uri, S3Location
from ground_truth_server.pages.ground_truth_liquid import LiquidProblem, MissingVariable
from ground_truth_server.pages.page_origin import PageOrigin
from ground_truth_server.pages.worker_page import RenderedPage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LINES = 1000
_JOB_ARN = labeling_job_arn("preview")


class PreviewFailed(Exception):
    """A line has no page. The text says why.

    Attributes:
        detail: What the function was called with and its traceback, where it was the function.
    """

    def __init__(self, message: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.detail = detail


@dataclass(frozen=True)
class PreviewSource:
    """What is previewed.

    Attributes:
        template: The worker page's template, a file that is being edited.
        manifest: The input manifest: a path, or an S3 URI.
        pre_annotation: The function that makes task inputs; ``None`` for a job without one.
        prepare: Makes the job's template of the file's text; a ValueError says why it can't.
        watched: Further files on which the page depends, such as the job configuration.
    """

    template: Path
    manifest: str
    pre_annotation: str | None = None
    prepare: Callable[[str], str] = str
    watched: Sequence[Path] = ()


class Preview:
    """Renders the lines of a manifest. Task inputs are kept; the template is read anew each time.

    Args:
        source: What is previewed.
        pages: The origin that the pages are made for.
        s3: Reads a manifest that is in S3.
        invoke: Calls the pre-annotation function.
    """

    def __init__(self, source: PreviewSource, pages: PageOrigin, s3: "S3Client", invoke: Invoke) -> None:
        self._source = source
        self._pages = pages
        self._s3 = s3
        self._invoke = invoke
        self._task_inputs: dict[int, dict[str, Any]] = {}
        self._lock = threading.Lock()

    @property
    def template(self) -> Path:
        """The template's file."""
        return self._source.template

    def lines(self) -> Sequence[ManifestLine]:
        """Read the manifest, good lines and bad, the first thousand.

        Raises:
            PreviewFailed: If it can't be read.
        """
        manifest = self._source.manifest
        try:
            if manifest.startswith("s3://"):
                return list(islice(read_manifest(self._s3, S3Location.parse(manifest)), _LINES))
            with Path(manifest).open("rb") as file:
                numbered = enumerate((line.rstrip(b"\r\n") for line in file), 1)
                return [check_line(number, line) for number, line in islice(numbered, _LINES) if line.strip()]
        except (OSError, ClientError, NotAnS3Uri) as error:
            raise PreviewFailed(f"The manifest {manifest} can't be read: {error}") from error

    def line(self, number: int) -> ManifestLine:
        """Find a line by its number, counted from 1.

        Raises:
            PreviewFailed: If there is none.
        """
        found = next((line for line in self.lines() if line.number == number), None)
        if found is None:
            raise PreviewFailed(f"The manifest {self._source.manifest} has no line {number}.")
        return found

    def task_input(self, number: int) -> dict[str, Any]:
        """Make the task input of a line; a second time, it is the same.

        Raises:
            PreviewFailed: If the line is bad, or the function fails or answers what Ground Truth doesn't take.
        """
        with self._lock:
            if number not in self._task_inputs:
                self._task_inputs[number] = self._pre_annotate(self.line(number))
            return self._task_inputs[number]

    def forget(self, number: int) -> None:
        """Let the function be called anew for a line."""
        with self._lock:
            self._task_inputs.pop(number, None)

    def render(self, number: int) -> RenderedPage:
        """Render the page of a line with the template as it is now; places are the template's own lines.

        Raises:
            PreviewFailed: If there is no task input, or the template can't be read.
        """
        task_input = self.task_input(number)
        try:
            template = self.template.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PreviewFailed(f"The template {self.template} can't be read: {error}") from error
        try:
            prepared = self._source.prepare(template)
        except ValueError as error:
            raise PreviewFailed(f"The template {self.template} can't be prepared: {error}") from error
        page = self._pages.render(prepared, task_input, None)
        if prepared == template:
            return page
        lines = [line.strip() for line in template.splitlines()]
        errors = tuple(_in_template(error, lines) for error in page.errors)
        return replace(page, errors=errors, missing=tuple(_in_template(one, lines) for one in page.missing))

    def version(self) -> str:
        """Give a text that changes whenever a file changes on which the pages depend."""
        manifest = [] if self._source.manifest.startswith("s3://") else [Path(self._source.manifest)]
        files = [self.template, *self._source.watched, *manifest]
        return "-".join(str(_changed(file)) for file in files)

    def _pre_annotate(self, line: ManifestLine) -> dict[str, Any]:
        if line.data_object is None or line.problem:
            raise PreviewFailed(f"Line {line.number} of {self._source.manifest}: {line.problem}")
        function = self._source.pre_annotation
        if function is None:
            return line.data_object
        event = {"version": EVENT_VERSION, "labelingJobArn": _JOB_ARN, "dataObject": line.data_object}
        try:
            return check_pre_annotation(self._invoke(function, event)).task_input
        except FunctionFailed as error:
            detail = {"errorType": error.error_type, "message": error.message, "trace": error.trace}
            raise PreviewFailed(str(error), {"functionArn": function, "event": event, **detail}) from error
        except WrongAnswer as error:
            detail = {"errorType": "UnreadableAnswer", "message": str(error), "trace": ""}
            raise PreviewFailed(f"{function}: {error}", {"functionArn": function, "event": event, **detail}) from error


_Placed = TypeVar("_Placed", LiquidProblem, MissingVariable)


def _in_template(found: _Placed, lines: Sequence[str]) -> _Placed:
    """Name the line of the template that a line of the prepared page was most likely made of; lines may be repeated."""
    text = found.place.text

    def likeness(number: int) -> tuple[float, int]:
        return SequenceMatcher(None, text, lines[number - 1], autojunk=False).ratio(), -abs(number - found.place.line)

    if not lines:
        return found
    return replace(found, place=replace(found.place, line=max(range(1, len(lines) + 1), key=likeness)))


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0  # an editor is just putting a new one in its place
