"""An AWS service in AWS JSON 1.1: operations named by a header, JSON bodies, errors as botocore reads them.

Signatures (SigV4) are read for their region here; the guard before the socket checks them. Pages in a browser are
refused, of whatever origin, so that no web site can reach it through its visitors.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

import msgspec
from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ground_truth_server.acting import acting
from ground_truth_server.arns import ACCOUNT, REGION
from ground_truth_server.aws_error import AwsError
from ground_truth_server.people.access_keys import Principal
from ground_truth_server.sagemaker.request_validation import read_request

BODY_LIMIT = 4 * 1024 * 1024

_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/,\s]{1,128}/\d{8}/([a-z0-9-]{1,64})/")
_ACCESS_KEY = re.compile(r"Credential=([A-Za-z0-9_]{1,128})/")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """Who sent a request, as far as ARNs tell it.

    Attributes:
        region: The region that the client believes to be in.
        account: The account number, twelve digits.
        service: The service as ARNs name it.
        principal: In whose name; ``None`` where nobody checked.
    """

    region: str = REGION
    account: str = ACCOUNT
    service: str = "sagemaker"
    principal: Principal | None = None

    @property
    def is_admin(self) -> bool:
        """Whether the caller may see and do all."""
        return self.principal is None or self.principal.is_admin

    def owns(self, owner: str | None) -> bool:
        """Whether what somebody owns is the caller's to see."""
        return self.is_admin or (self.principal is not None and self.principal.id == owner)

    def arn(self, resource: str) -> str:
        """The ARN of one of the caller's resources.

        Args:
            resource: Its kind and name, such as ``labeling-job/welds``.

        Returns:
            ``arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE``.
        """
        return f"arn:aws:{self.service}:{self.region}:{self.account}:{resource}"


Operation = Callable[[dict[str, Any], Caller], Mapping[str, Any]]


class AwsJson:
    """Answers the requests of one service's clients.

    Operations run in threads, many at a time, so they must be safe to be called at once. What they raise as
    `AwsError` is what the client gets.
    """

    def __init__(
        self,
        service: str,
        operations: Mapping[str, Operation],
        *,
        region: str = REGION,
        account: str = ACCOUNT,
        principal_of: Callable[[str], Principal] | None = None,
    ) -> None:
        """Load botocore's model of the service.

        Args:
            service: The name that botocore knows it by, such as ``sagemaker``.
            operations: What there is, by the model's operation names.
            region: For requests whose signature names none.
            account: The account of all callers.
            principal_of: Tells in whose name an access key signs, which the guard has checked.
        """
        self._model = _service_model(service)
        self._operations = operations
        self._region = region
        self._account = account
        self._principal_of = principal_of

    def route(self) -> Route:
        """The route to put into a Starlette app: ``POST /``, where all clients send everything.

        Returns:
            The route.
        """
        return Route("/", self.answer, methods=["POST"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as an ASGI application."""
        response = await self.answer(Request(scope, receive))
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Answer one request.

        Args:
            request: The HTTP request.

        Returns:
            The operation's answer, or the error in the form that clients raise as an exception.
        """
        try:
            _refuse_browsers(request)
            operation = self._operation(request.headers.get("x-amz-target", ""))
            body = await _read_body(request)
            caller = await run_in_threadpool(self._caller, request)
            with acting(_actor(request), request.client.host if request.client else ""):
                return _response(await run_in_threadpool(self._call, operation, body, caller))
        except AwsError as error:
            return self._error_response(error)
        except Exception:
            _log.exception("%s failed", request.headers.get("x-amz-target"))
            return self._error_response(
                AwsError("InternalFailure", "The local Ground Truth failed; its log has the reason.", 500)
            )

    def _operation(self, target: str) -> str:
        prefix, _, name = target.rpartition(".")
        if prefix == self._model.metadata["targetPrefix"] and name in self._operations:
            return name
        found = f"Operation {name!r}" if target else "A request without an X-Amz-Target header"
        offered = ", ".join(sorted(self._operations))
        message = f"{found} is not part of the local Ground Truth, which has: {offered}."
        raise AwsError("UnknownOperationException", message, 404)

    def _call(self, name: str, body: bytes, caller: Caller) -> object:
        model = self._model.operation_model(name)
        answer = self._operations[name](read_request(model.input_shape, body), caller)
        return {} if model.output_shape is None else _to_wire(model.output_shape, answer)

    def _caller(self, request: Request) -> Caller:
        scope = _CREDENTIAL_SCOPE.search(request.headers.get("authorization", ""))
        access_key = request.scope.get("state", {}).get("access_key")
        principal = self._principal_of(access_key) if self._principal_of and access_key else None
        return Caller(scope[1] if scope else self._region, self._account, principal=principal)

    def _error_response(self, error: AwsError) -> Response:
        # The model spells a modelled error's message with a capital; all other errors have it small.
        key = "Message" if error.code in self._model.shape_names else "message"
        response = _response({"__type": error.code, key: error.message}, error.status)
        response.headers["x-amzn-ErrorType"] = error.code
        return response


@cache
def _service_model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _refuse_browsers(request: Request) -> None:
    # Browsers name the page's origin with every POST, AWS's clients never do.
    if origin := request.headers.get("origin"):
        message = f"A page of {origin} called the SageMaker API, which is for AWS's clients outside of browsers."
        raise AwsError("AccessDeniedException", message, 403)


def _actor(request: Request) -> str:
    """Who acts in a request: the access key that signed it."""
    found = _ACCESS_KEY.search(request.headers.get("authorization", ""))
    return f"access key {found[1]}" if found else "nobody signed"


async def _read_body(request: Request) -> bytes:
    """The body, read no further than the limit, so that no client can fill the memory."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            message = f"The request's body is over {BODY_LIMIT} bytes; no valid request is that long."
            raise AwsError("RequestEntityTooLargeException", message, 413)
    return bytes(body)


def _to_wire(shape: Shape, value: object) -> object:
    """The value with what the model has a place for; times as seconds since 1970, as the protocol wants."""
    match shape, value:
        case StructureShape(), Mapping():
            members = shape.members.items()
            return {name: _to_wire(member, value[name]) for name, member in members if value.get(name) is not None}
        case ListShape(), list():
            return [_to_wire(shape.member, element) for element in value]
        case _, datetime():
            return round(value.timestamp(), 3)
    return value


def _response(body: object, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        headers={"x-amzn-RequestId": str(uuid4())},
        media_type="application/x-amz-json-1.1",
    )
