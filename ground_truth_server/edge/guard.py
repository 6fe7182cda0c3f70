"""One guard before every socket: by which name it is asked for, how long a body may be, and who signs.

It looks at a request's head before any body is read and before any application does, so what it refuses costs neither
memory nor a thread.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ground_truth_server.edge import signature
from ground_truth_server.edge.key_pair import KnownKeys
from ground_truth_server.edge.signature import BodyCheck, SignatureRefused, SignedHead, check_head, sha256_of

MEGABYTE = 1024 * 1024
_BODY_SECONDS = 20.0  # for a body to come, and a second more for
_SLOWEST = 64 * 1024  # so many bytes that came: a thousand clients that drip hold up nobody for long
_DRAINED = MEGABYTE  # of a refused body at most,
_DRAIN_SECONDS = 1.0  # and so long


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused, before a service puts it in its own words.

    Attributes:
        status: The HTTP status.
        reason: ``host``, ``target``, ``origin``, ``too long``, ``too slow``, or one of the signature's reasons.
        message: What was found, what was expected and what to do.
    """

    status: int
    reason: str
    message: str


Wording = Callable[[Refusal], Response]


def in_plain_words(refusal: Refusal) -> Response:
    """Refuse as a web page would."""
    return PlainTextResponse(refusal.message, refusal.status)


@dataclass(frozen=True)
class Signing:
    """How requests must be signed.

    Attributes:
        keys: The key pairs that are taken.
        service: The service that they are signed for, such as ``s3``.
        free: Methods that need no signature; their bodies are not taken.
    """

    keys: KnownKeys
    service: str
    free: Collection[str] = ()


@dataclass(frozen=True)
class Policy:
    """What a guard lets through.

    Attributes:
        hosts: The names and ports that a request may ask for, as its ``Host`` header has them.
        longest_body: In bytes.
        wording: Puts a refusal into the service's own form.
        signing: How requests must be signed; ``None`` where people's browsers ask.
        browsers: Whether pages in a browser may ask at all.
        open_paths: Paths that may be asked for by any name, as load balancers ask whether a server is well.
    """

    hosts: Collection[str]
    longest_body: int
    wording: Wording = in_plain_words
    signing: Signing | None = None
    browsers: bool = True
    open_paths: Collection[str] = ()


class Guard:
    """ASGI middleware that stands before an application.

    Args:
        app: The application. What is signed as a whole reaches it once it is there as a whole.
        policy: What is let through.
    """

    def __init__(self, app: ASGIApp, policy: Policy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        body = _CountedBody(receive, self._longest_body(scope), answer)
        try:
            await self._app(scope, await self._checked(scope, body), answer)
        except _Refused as refused:
            answer.refusal = refused.refusal
        except ClientDisconnect:  # nobody is there to answer, and it is no news
            return
        if answer.refusal is not None and not answer.begun:
            if "expect" not in Headers(scope=scope):  # else the client waits with its body for this answer
                await body.drain()
            response = self._policy.wording(answer.refusal)
            response.headers["Connection"] = "close"  # what is left of the body is not read
            await response(scope, receive, send)

    async def _checked(self, scope: Scope, body: "_CountedBody") -> Receive:
        """Look at a request's head, and at its body where that is signed, and give what the application receives."""
        headers = Headers(scope=scope)
        self._check_head(scope, headers)
        signing = self._policy.signing
        check_body = None
        if signing is not None and scope["method"] not in signing.free:
            access_key, check_body = _check_signature(scope, headers, signing)
            scope.setdefault("state", {})["access_key"] = access_key
        body.check_announced(headers.get("content-length", "0"))
        if check_body is None:
            return body
        whole = await body.whole()
        with _refusing_wrong_signatures():
            check_body(await run_in_threadpool(sha256_of, whole))
        return _given(whole, body)

    def _longest_body(self, scope: Scope) -> int:
        signing = self._policy.signing
        return 0 if signing is not None and scope["method"] in signing.free else self._policy.longest_body

    def _check_head(self, scope: Scope, headers: Headers) -> None:
        policy = self._policy
        host = headers.get("host", "")
        if host.lower() not in policy.hosts and scope["path"] not in policy.open_paths:
            expected = ", ".join(policy.hosts)
            raise _Refused(421, "host", f"This is {expected}, not {host[:100]!r}: ask for it by its own name.")
        target = _target(scope)
        if not target.startswith("/"):
            raise _Refused(400, "target", f"The request asks for {target[:100]!r}; expected a path that begins with /.")
        origin = headers.get("origin", "") or headers.get("sec-fetch-site", "none")
        if not policy.browsers and origin != "none":
            message = "This endpoint is for AWS's clients. Pages in a browser are refused, of whatever site."
            raise _Refused(403, "origin", message)


def _check_signature(scope: Scope, headers: Headers, signing: Signing) -> tuple[str, BodyCheck | None]:
    merged = {name: ",".join(headers.getlist(name)) for name in headers}
    with _refusing_wrong_signatures():
        return check_head(SignedHead(scope["method"], _target(scope), merged), signing.keys, signing.service)


@contextmanager
def _refusing_wrong_signatures() -> Iterator[None]:
    try:
        yield
    except SignatureRefused as error:
        raise _Refused(403, error.reason, str(error)) from None


def _target(scope: Scope) -> str:
    """Give path and query as they were sent."""
    query = scope["query_string"].decode("latin-1")
    path: str = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    return f"{path}?{query}" if query else path


class _Refused(Exception):
    """Ends a request; leads to the guard's answer."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(status, reason, message)


class _Answer:
    """An ASGI ``send`` that says nothing more of the application's once the guard has refused the request."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.refusal: Refusal | None = None

    async def __call__(self, message: Message) -> None:
        if self.refusal is None or self.begun:
            self.begun = True
            await self._send(message)


class _CountedBody:
    """An ASGI ``receive`` that goes no further than a limit and doesn't wait for ever."""

    def __init__(self, receive: Receive, longest: int, answer: _Answer) -> None:
        self._receive = receive
        self._answer = answer
        self._longest = longest
        self._length = 0
        self._ended = False
        self._began = 0.0

    def check_announced(self, length: str) -> None:
        """Refuse a body that is said to be too long before any of it is read."""
        if len(length) > 18 or int(length) > self._longest:
            raise self._too_long(length[:20])

    async def __call__(self) -> Message:
        if self._ended:  # what comes now is that the client has gone, however long that takes
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._began = self._began or now
        left = self._began + _BODY_SECONDS + self._length / _SLOWEST - now
        try:
            async with asyncio.timeout(max(left, 0.001)):
                message = await self._receive()
        except TimeoutError:
            expected = f"expected at least {_SLOWEST // 1024} kB a second"
            raise self._refuse(
                408, "too slow", f"The body came too slowly: {self._length} bytes; {expected}."
            ) from None
        self._length += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._length > self._longest:
            raise self._too_long(f"more than {self._longest}")
        return message

    async def whole(self) -> bytes:
        """Read all of the body."""
        parts = []
        while not self._ended:
            message = await self()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
        return b"".join(parts)

    async def drain(self) -> None:
        """Read on for a moment, keeping nothing: who is still sending a short body then hears the answer."""
        read = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._ended and read <= _DRAINED:
                    message = await self._receive()
                    read += len(message.get("body", b""))
                    self._ended = not message.get("more_body", False)

    def _too_long(self, found: str) -> _Refused:
        message = f"The request's body has {found} bytes; at most {self._longest} are taken here."
        return self._refuse(413, "too long", message)

    def _refuse(self, status: int, reason: str, message: str) -> _Refused:
        """Refuse, whatever the application makes of the exception on its way through it."""
        refused = _Refused(status, reason, message)
        self._answer.refusal = refused.refusal
        return refused


def _given(body: bytes, receive: Receive) -> Receive:
    """An ASGI ``receive`` that gives a body that was read before."""
    waiting = [body]

    async def give() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return give


def hosts_of(host: str, port: int) -> list[str]:
    """Name the hosts by which a socket may be asked for: its own address, and loopback's names where it is one."""
    names = ("127.0.0.1", "localhost", "[::1]") if host in ("127.0.0.1", "localhost") else (host,)
    return [f"{name}:{port}" for name in names]


_JSON_CODES = {
    "host": "AccessDeniedException",
    "target": "ValidationException",
    "origin": "AccessDeniedException",
    "too long": "RequestEntityTooLargeException",
    "too slow": "RequestTimeoutException",
    signature.NOT_SIGNED: "MissingAuthenticationTokenException",
    signature.HEADERS_NOT_SIGNED: "InvalidSignatureException",
    signature.UNKNOWN_KEY: "UnrecognizedClientException",
    signature.WRONG_SIGNATURE: "InvalidSignatureException",
    signature.WRONG_TIME: "InvalidSignatureException",
    signature.EXPIRED: "InvalidSignatureException",
}


def in_json(refusal: Refusal) -> Response:
    """Refuse as Lambda and SageMaker do."""
    code = _JSON_CODES[refusal.reason]
    body = {"__type": code, "Type": "User", "Message": refusal.message, "message": refusal.message}
    return JSONResponse(body, refusal.status, headers={"x-amzn-ErrorType": code})


_QUERY_CODES = {
    "too long": "RequestEntityTooLarge",
    "too slow": "RequestTimeout",
    signature.NOT_SIGNED: "MissingAuthenticationToken",
    signature.UNKNOWN_KEY: "InvalidClientTokenId",
    signature.WRONG_SIGNATURE: "SignatureDoesNotMatch",
    signature.HEADERS_NOT_SIGNED: "SignatureDoesNotMatch",
    signature.WRONG_TIME: "SignatureDoesNotMatch",
}


def in_query_xml(refusal: Refusal) -> Response:
    """Refuse as STS and other services of AWS's query protocol do."""
    code, message = _QUERY_CODES.get(refusal.reason, "AccessDenied"), escape(refusal.message)
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(f"<ErrorResponse>{error}</ErrorResponse>", refusal.status, media_type="text/xml")


_XML_CODES = {
    "host": "AccessDenied",
    "target": "InvalidURI",
    "origin": "AccessDenied",
    "too long": "EntityTooLarge",
    "too slow": "RequestTimeout",
    signature.NOT_SIGNED: "AccessDenied",
    signature.HEADERS_NOT_SIGNED: "AccessDenied",
    signature.UNKNOWN_KEY: "InvalidAccessKeyId",
    signature.WRONG_SIGNATURE: "SignatureDoesNotMatch",
    signature.WRONG_TIME: "RequestTimeTooSkewed",
    signature.EXPIRED: "AccessDenied",
}


def in_xml(refusal: Refusal) -> Response:
    """Refuse as S3 does."""
    code, message = _XML_CODES[refusal.reason], escape(refusal.message)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    status = 400 if refusal.reason in ("too long", "too slow") else refusal.status
    return Response(text, status, media_type="application/xml")
