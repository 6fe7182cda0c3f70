"""What an invocation of a function is: its result, its refusals, and Lambda's limits.

Figures are those of the Lambda developer guide, "Lambda quotas".
"""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

JsonValue: TypeAlias = Any  # an event or an answer: any JSON value, which is for the function to say

MAX_EVENT_BYTES = 6_291_456  # 6 MiB, for a synchronous invocation
MAX_ASYNCHRONOUS_EVENT_BYTES = 1_048_576
LOG_TAIL_BYTES = 4096

_REFERENCE = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]+(-[a-z]+)+-\d:)?(\d{12}:)?(function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)(:(?P<qualifier>\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9_-]+))?"
)


@dataclass(frozen=True)
class Invocation:
    """An invocation that ran to its end, well or not.

    Attributes:
        function: The function's logical name.
        request_id: What the log calls it.
        payload: The answer as JSON text; for a failed one the error as Lambda shows it.
        failed: Whether the function failed: an exception, a crash, too long, too much memory.
        log: All that the function logged meanwhile, with Lambda's START, END and REPORT lines.
        duration_ms: How long the handler ran.
        init_ms: How long its process took to start and import the handler; None in a warm process.
        peak_mb: The most memory that the process held so far, in MiB; 0 where the system doesn't tell.
        event_file: Where the event of a failed invocation was saved.
    """

    function: str
    request_id: str
    payload: str
    failed: bool
    log: str
    duration_ms: float
    init_ms: float | None
    peak_mb: int
    event_file: Path | None = None

    @property
    def answer(self) -> JsonValue:
        """The answer, or the error as Lambda shows it: errorMessage, errorType, stackTrace."""
        return json.loads(self.payload)

    @property
    def log_tail(self) -> str:
        """The last 4 KB of the log in base64, as the Invoke API gives it."""
        return base64.b64encode(self.log.encode()[-LOG_TAIL_BYTES:]).decode()


class InvokeRefusedError(Exception):
    """Lambda would not run the function at all; the message is for people.

    Attributes:
        code: The error's name in the API.
        status: Its HTTP status.
    """

    code: ClassVar[str] = "ServiceException"
    status: ClassVar[int] = 500


class FunctionNotFoundError(InvokeRefusedError):
    """The template has no such function."""

    code = "ResourceNotFoundException"
    status = 404


class FunctionNotLocalError(InvokeRefusedError):
    """The function can't run in a process of this machine: another language, or code that isn't here."""

    code = "InvalidRuntimeException"
    status = 502


class InvalidRequestContentError(InvokeRefusedError):
    """The event isn't JSON."""

    code = "InvalidRequestContentException"
    status = 400


class InvalidParameterError(InvokeRefusedError):
    """A header or the function's name isn't what the API takes."""

    code = "InvalidParameterValueException"
    status = 400


class RequestTooLargeError(InvokeRefusedError):
    """The event is larger than Lambda takes."""

    code = "RequestEntityTooLargeException"
    status = 413


class TooManyRequestsError(InvokeRefusedError):
    """The function runs as often as its reserved concurrency allows."""

    code = "TooManyRequestsException"
    status = 429


def check_event_size(size: int, limit: int = MAX_EVENT_BYTES) -> None:
    """Refuses an event that Lambda would refuse.

    Raises:
        RequestTooLargeError: It is over the limit; both in bytes.
    """
    if size > limit:
        kind = "RequestResponse" if limit == MAX_EVENT_BYTES else "Event"
        raise RequestTooLargeError(
            f"{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        )


def parse_reference(reference: str, qualifier: str | None = None) -> tuple[str, str]:
    """Takes a function's name, partial ARN or ARN apart.

    Args:
        reference: Such as ``Label``, ``Label:live`` or ``arn:aws:lambda:…:function:Label``.
        qualifier: A version or alias given beside it.

    Returns:
        The name, and the version or alias; empty where there is none.

    Raises:
        InvalidParameterError: It is none of these, or it names another version than the qualifier.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise InvalidParameterError(f"{reference!r} is no name or ARN of a function")
    own = match["qualifier"] or ""
    if qualifier and own and own != qualifier:
        raise InvalidParameterError(f"{reference} has the qualifier {own}, but Qualifier is {qualifier}")
    return match["name"], own or qualifier or ""
