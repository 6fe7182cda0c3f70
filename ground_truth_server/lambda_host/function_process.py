"""The main program of a process that runs one Lambda function: loads the handler as Lambda does and calls it.

It is run as a file, not as a module, so that the function can't import anything of ours by accident; it
imports the standard library only. Its one argument is JSON: ``{"channel": descriptor, "path": folders}``.

Over the channel go JSON lines. First this process says ``{"ready": true}`` or ``{"error": …}``; then for each
``{"request_id", "arn", "deadline_ms", "client_context", "event"}`` it answers ``{"payload": JSON text}`` or
``{"error": …, "traceback": text}``. An ``error`` is the object that Lambda answers with. What the function
prints is its log.
"""

import decimal
import importlib
import json
import logging
import math
import os
import queue
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Any, TypeAlias

MAX_ANSWER_BYTES = 6_291_556  # what Lambda takes from a function; the 100 bytes over 6 MiB are Lambda's

JsonValue: TypeAlias = Any
Handler: TypeAlias = Callable[[JsonValue, "LambdaContext"], JsonValue]
Message: TypeAlias = dict[str, JsonValue]

_request_id = ""


@dataclass(frozen=True)
class LambdaContext:
    """What a handler gets beside the event, with the names of Lambda's own context object for Python."""

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    deadline_ms: int
    client_context: SimpleNamespace | None = None
    identity: SimpleNamespace | None = None
    tenant_id: str | None = None

    def get_remaining_time_in_millis(self) -> int:
        """Gives the milliseconds left before the function times out."""
        return max(0, self.deadline_ms - int(time.time() * 1000))


class HandlerError(Exception):
    """The handler can't be loaded or its answer can't be sent, for a reason that Lambda has a name for."""

    def __init__(self, error_type: str, message: str, stack: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.stack = stack or []


def main(argument: str) -> None:
    """Loads the handler and serves invocations until the other end of the channel closes."""
    settings = json.loads(argument)
    channel = socket.socket(fileno=settings["channel"])
    sys.path[:0] = settings["path"]
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(channel, requests), daemon=True).start()
    _set_up_logging()
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        _send(channel, _failure(error))
        return
    _send(channel, {"ready": True})
    while True:
        _send(channel, invoke(handler, requests.get()))


def load_handler(name: str) -> Handler:
    """Imports the handler ``module.function``; slashes in the module's path count as dots.

    Raises:
        HandlerError: There is no such module or function, or it can't be parsed or imported.
        Exception: Whatever else the module's own code raises.
    """
    module_name, _, function_name = name.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise HandlerError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        message = f"Syntax error in module '{module_name}': {error}"
        raise HandlerError("Runtime.UserCodeSyntaxError", message, [place]) from error
    try:
        handler: Handler = getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise HandlerError("Runtime.HandlerNotFound", message) from None
    return handler


def invoke(handler: Handler, request: Message) -> Message:
    """Calls the handler with a request's event and gives the message to answer with."""
    global _request_id  # noqa: PLW0603 - the log's lines name the request that runs, of which there is one
    _request_id = request["request_id"]
    try:
        return {"payload": _payload(handler(request["event"], _context(request)))}
    except Exception as error:
        return _failure(error)


def _payload(answer: JsonValue) -> str:
    try:
        payload = json.dumps(answer, default=_number, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise HandlerError("Runtime.MarshalError", f"Unable to marshal response: {error}") from None
    if len(payload.encode()) > MAX_ANSWER_BYTES:
        raise HandlerError(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({MAX_ANSWER_BYTES} bytes).",
        )
    return payload


def _number(value: object) -> float:
    if isinstance(value, decimal.Decimal):
        return math.nan if value.is_nan() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _context(request: Message) -> LambdaContext:
    client = request["client_context"]
    return LambdaContext(
        aws_request_id=request["request_id"],
        invoked_function_arn=request["arn"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        deadline_ms=request["deadline_ms"],
        client_context=None if client is None else SimpleNamespace(**client),
    )


def _failure(error: Exception) -> Message:
    if isinstance(error, HandlerError):
        error_type, stack, cause = error.error_type, error.stack, error.__cause__
    else:
        cause = error.with_traceback(_own_part(error.__traceback__))
        error_type, stack = type(error).__name__, traceback.format_tb(cause.__traceback__)
    told = traceback.format_exception(cause.with_traceback(_own_part(cause.__traceback__))) if cause else []
    return {
        "error": {
            "errorMessage": str(error),
            "errorType": error_type,
            "requestId": _request_id,
            "stackTrace": stack,
        },
        "traceback": "".join(told),
    }


def _own_part(trace: TracebackType | None) -> TracebackType | None:
    """Leaves out the frames of this file and of the import machinery that stand before the function's own."""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name != __file__ and not name.startswith("<frozen importlib") and name != importlib.__file__:
            return trace
        trace = trace.tb_next
    return None


class _RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = _request_id
        return True


def _set_up_logging() -> None:
    """Gives the root logger the handler and the format that it has in Lambda."""
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_RequestIdFilter())
    logging.getLogger().addHandler(handler)


def _receive(channel: socket.socket, requests: "queue.SimpleQueue[Message]") -> None:
    """Reads requests beside the handler, so that this process ends when the one that started it is gone."""
    try:
        for line in channel.makefile("rb"):
            requests.put(json.loads(line))
    finally:  # also where it was killed while it wrote, or before it had read what was sent
        os._exit(0)


def _send(channel: socket.socket, message: Message) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    channel.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
