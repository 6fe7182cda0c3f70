"""Lambda's Invoke API over HTTP, so that any AWS client can call functions that run on this machine.

Errors have the names and statuses of the API's model, so that boto3 raises the exceptions it knows.
"""

import base64
import json
from collections.abc import Mapping
from typing import Protocol

import anyio
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ground_truth_server.lambda_host.invocation import (
    MAX_ASYNCHRONOUS_EVENT_BYTES,
    MAX_EVENT_BYTES,
    InvalidParameterError,
    InvalidRequestContentError,
    Invocation,
    InvokeRefusedError,
    JsonValue,
    check_event_size,
    parse_reference,
)

_MAX_WAITING_THREADS = 200  # of invocations that run or wait for a process; further requests wait unparsed


class Functions(Protocol):
    """What can be invoked."""

    def find(self, name: str) -> object:
        """Raises InvokeRefusedError if no function of this name can run."""

    def invoke(
        self, name: str, event: JsonValue, *, client_context: Mapping[str, JsonValue] | None = None
    ) -> Invocation:
        """Runs an invocation to its end; raises InvokeRefusedError if it can't begin."""


def create_app(functions: Functions) -> Starlette:
    """Makes the API's application.

    An ``Event`` invocation is answered at once and run afterwards, once: Lambda's two retries, minutes later,
    are left out.
    """
    limiter = anyio.CapacityLimiter(_MAX_WAITING_THREADS)

    async def invoke(request: Request) -> Response:
        name, event, context = await _read(request)
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        if kind == "RequestResponse":
            result = await anyio.to_thread.run_sync(
                lambda: functions.invoke(name, event, client_context=context), limiter=limiter
            )
            return _response(result, with_log=request.headers.get("x-amz-log-type") == "Tail")
        await run_in_threadpool(functions.find, name)
        if kind == "DryRun":
            return Response(status_code=204)
        task = BackgroundTask(functions.invoke, name, event, client_context=context)
        return Response(status_code=202, background=task)

    return Starlette(
        routes=[
            Route("/2015-03-31/functions/{name}/invocations", invoke, methods=["POST"]),
            Route("/{path:path}", _unknown_operation, methods=["GET", "POST", "PUT", "DELETE", "HEAD"]),
        ],
        exception_handlers={InvokeRefusedError: _refusal},
    )


async def _read(request: Request) -> tuple[str, JsonValue, Mapping[str, JsonValue] | None]:
    """Gives the function's name with its qualifier, the event, and the client context, all checked."""
    kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
    if kind not in ("RequestResponse", "Event", "DryRun"):
        raise InvalidParameterError(f"InvocationType is {kind}; expected RequestResponse, Event or DryRun")
    name, qualifier = parse_reference(request.path_params["name"], request.query_params.get("Qualifier"))
    limit = MAX_ASYNCHRONOUS_EVENT_BYTES if kind == "Event" else MAX_EVENT_BYTES
    check_event_size(int(request.headers.get("content-length", 0)), limit)
    body = await request.body()
    check_event_size(len(body), limit)
    try:
        event = json.loads(body) if body.strip() else {}
    except ValueError as error:
        raise InvalidRequestContentError(f"Could not parse request body into json: {error}") from error
    given = request.path_params["name"]
    whole = given if given.startswith("arn:") else name
    if qualifier and not whole.endswith(f":{qualifier}"):
        whole = f"{whole}:{qualifier}"
    return whole, event, _client_context(request.headers.get("x-amz-client-context"))


def _client_context(header: str | None) -> Mapping[str, JsonValue] | None:
    if not header:
        return None
    try:
        context = json.loads(base64.b64decode(header, validate=True))
    except ValueError as error:
        raise InvalidRequestContentError(f"ClientContext is not JSON in base64: {error}") from error
    if not isinstance(context, dict):
        raise InvalidRequestContentError(f"ClientContext is {context!r}; expected an object")
    return context


def _response(result: Invocation, *, with_log: bool) -> Response:
    headers = {"X-Amzn-RequestId": result.request_id, "X-Amz-Executed-Version": "$LATEST"}
    if result.failed:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if with_log:
        headers["X-Amz-Log-Result"] = result.log_tail
    return Response(result.payload, media_type="application/json", headers=headers)


def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvokeRefusedError)  # noqa: S101 - what it is registered for
    return _error(error.code, error.status, str(error))


async def _unknown_operation(request: Request) -> Response:
    message = f"{request.method} {request.url.path} is not served here; Invoke is the only operation"
    return _error("UnknownOperationException", 404, message)


def _error(code: str, status: int, message: str) -> Response:
    kind = "Server" if status >= 500 else "User"
    body = {"Type": kind, "Message": message, "message": message}
    return JSONResponse(body, status, headers={"x-amzn-ErrorType": code})
