"""How Ground Truth calls the functions of a labeling job."""

import base64
import json
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from ground_truth_server.json_text import write_json

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Json: TypeAlias = Any  # whatever JSON can hold

_TRIES = 6
_PASSING = frozenset(
    {"TooManyRequestsException", "ServiceException", "ResourceNotReadyException", "EC2ThrottledException"}
    | {"ThrottlingException", "SnapStartNotReadyException", "ResourceConflictException"}
)
_FINAL = frozenset(
    {"ResourceNotFoundException", "AccessDeniedException", "RequestTooLargeException", "InvalidParameterValueException"}
    | {"UnsupportedMediaTypeException", "InvalidRuntimeException", "InvalidZipFileException", "ValidationException"}
    | {"InvalidRequestContentException"}
)
"""What Lambda answers about the function or the role that no waiting mends."""
# What `sam local start-lambda` answers when it is asked for the end of the log, which it shows itself.
_NOT_IMPLEMENTED = 501


class FunctionFailed(Exception):
    """A function raised, ran out of time or memory, or could not be called.

    Attributes:
        function_arn: The function.
        event: What it was called with, to repeat the call.
        error_type: The exception's class, or Lambda's error code.
        message: What it said.
        error_code: What Ground Truth shows as ``LambdaErrorCode``: ``Unhandled`` for an exception.
        trace: The traceback and the end of the function's log, for people; may be empty.
    """

    def __init__(  # noqa: PLR0913  (all of it is what the user needs)
        self,
        function_arn: str,
        event: Mapping[str, Any],
        *,
        error_type: str,
        message: str,
        trace: str = "",
        error_code: str = "Unhandled",
    ) -> None:
        super().__init__(f"{function_arn}: {error_type}: {message}")
        self.function_arn = function_arn
        self.event = event
        self.error_type = error_type
        self.message = message
        self.trace = trace
        self.error_code = error_code


class UnreadableAnswer(FunctionFailed):
    """A function answered, and not what Ground Truth takes.

    Attributes:
        role: What the function is for: ``PreHumanTaskLambda`` or ``AnnotationConsolidationLambda``.
    """

    def __init__(self, function_arn: str, event: Mapping[str, Any], role: str, message: str) -> None:
        super().__init__(function_arn, event, error_type="UnreadableAnswer", message=message)
        self.role = role


class FunctionOutOfReach(FunctionFailed):
    """Nobody answered for a function, or not now: no connection, no credentials, a throttle, a fault of Lambda."""


class Invoke(Protocol):
    """Calls a function and waits for its answer."""

    def __call__(self, function_arn: str, event: Mapping[str, Any]) -> Json:
        """Call a function.

        Args:
            function_arn: The function, with version or alias.
            event: What it is called with, JSON.

        Returns:
            What it answered, JSON.

        Raises:
            FunctionFailed: If there is no answer; ``FunctionOutOfReach`` if there may be one another time.
        """


class LambdaInvoke:
    """Calls functions by the Lambda API: AWS's, or the one at ``AWS_ENDPOINT_URL_LAMBDA``.

    Throttles and passing faults of Lambda itself are tried again with growing pauses; what the function
    raised is not.

    Args:
        client: A Lambda client.
        pause: Waits so many seconds.
    """

    def __init__(self, client: "LambdaClient", pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._pause = pause

    def __call__(self, function_arn: str, event: Mapping[str, Any]) -> Json:
        """Call a function; see :class:`Invoke`."""
        answer = self._invoke(function_arn, event)
        payload = _payload(function_arn, event, answer)
        log_end = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
        if "FunctionError" in answer:
            raise _failure_of(function_arn, event, payload, log_end)
        try:
            return json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise FunctionFailed(
                function_arn,
                event,
                error_type="Runtime.MarshalError",
                message=f"the answer is not JSON: {error}",
                trace=log_end,
            ) from error

    def _invoke(self, function_arn: str, event: Mapping[str, Any]) -> Json:
        payload = write_json(event).encode()
        log: Literal["Tail", "None"] = "Tail"
        for again in range(_TRIES):
            try:
                return self._client.invoke(FunctionName=function_arn, Payload=payload, LogType=log)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == _NOT_IMPLEMENTED and log == "Tail":
                    log = "None"
                    continue
                code = error.response["Error"]["Code"]
                if code not in _PASSING or again == _TRIES - 1:
                    message = error.response["Error"].get("Message", str(error))
                    kind = FunctionFailed if code in _FINAL else FunctionOutOfReach
                    raise kind(function_arn, event, error_type=code, message=message, error_code=code) from error
            except BotoCoreError as error:  # no connection, no answer in time: botocore has tried again
                code = type(error).__name__
                raise FunctionOutOfReach(
                    function_arn, event, error_type=code, message=str(error), error_code=code
                ) from error
            self._pause(0.2 * 2**again * random.uniform(0.5, 1))  # noqa: S311  (spreads retries, no secret)
        raise AssertionError("the last try returns or raises")


def _payload(function_arn: str, event: Mapping[str, Any], answer: Mapping[str, Any]) -> bytes:
    try:
        payload: bytes = answer["Payload"].read()
    except (BotoCoreError, OSError, HTTPError) as error:  # the connection broke off in the middle of the answer
        code = type(error).__name__
        raise FunctionOutOfReach(function_arn, event, error_type=code, message=str(error), error_code=code) from error
    return payload


def _failure_of(function_arn: str, event: Mapping[str, Any], payload: bytes, log_end: str) -> FunctionFailed:
    try:
        error = json.loads(payload)
    except (ValueError, RecursionError):
        error = {"errorMessage": payload.decode("utf-8", "replace")}
    if not isinstance(error, dict):
        error = {"errorMessage": str(error)}
    trace = "".join(str(line) for line in error.get("stackTrace") or [])
    return FunctionFailed(
        function_arn,
        event,
        error_type=str(error.get("errorType", "Unhandled")),
        message=str(error.get("errorMessage", "")),
        trace="\n".join(part for part in (trace, log_end) if part),
    )
