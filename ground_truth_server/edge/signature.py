"""Checks that a request was signed with a key pair: Signature Version 4, in headers or in the query of a link.

Of a body that is sent in signed chunks the seed's signature is checked, which says who sends it; the chunks' aren't.
See "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API Reference.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders

from ground_truth_server.edge.key_pair import KeyPair

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]{1,300}),\s*SignedHeaders=(?P<headers>[^,\s]{1,4000}),"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})\s*"
)
_CREDENTIAL = re.compile(
    r"(?P<key>[\w-]{1,128})/(?P<day>\d{8})/(?P<region>[\w-]{1,64})/(?P<service>[\w-]{1,64})/aws4_request"
)
_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_SKEW = timedelta(minutes=15)
_LONGEST_LINK = timedelta(days=7)
# What may stand for the digest of a body that isn't signed as a whole.
_UNHASHED = ("UNSIGNED-PAYLOAD", "STREAMING-")

NOT_SIGNED = "not signed"
UNKNOWN_KEY = "unknown key"
WRONG_SIGNATURE = "wrong signature"
WRONG_TIME = "wrong time"
EXPIRED = "expired"


class SignatureRefused(Exception):
    """A request isn't signed as it must be.

    Attributes:
        reason: One of this module's reasons, which each service has a code for.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class SignedRequest:
    """What of a request is signed.

    Attributes:
        method: Its method.
        target: Path and query as they were sent, still encoded.
        headers: Its headers, names in small letters.
        body_sha256: Gives the digest of its body, in hexadecimal; called only for one that is signed as a whole.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body_sha256: Callable[[], str]


class _AsSigned(SigV4Auth):
    """Botocore's signer, told which headers were signed and when."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers


class _AsSignedInQuery(HmacV1QueryAuth):
    """Botocore's signer of version 2, told the time at which the link ends."""

    ends = ""

    def _get_date(self) -> str:
        return self.ends


class _AsSignedForS3(S3SigV4Auth, _AsSigned):
    """The same by the rules of S3, whose paths are signed as they are."""


def check_signature(
    request: SignedRequest, keys: KeyPair, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Let a request pass that the key pair signed.

    Args:
        request: The request.
        keys: The pair that is taken.
        now: Tells the time, with its zone.

    Raises:
        SignatureRefused: Why it isn't let through.
    """
    query = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    if "authorization" in request.headers:
        _check_headers(request, keys, now())
    elif "X-Amz-Signature" in query:
        _check_link(request, query, keys, now())
    elif "AWSAccessKeyId" in query and "Signature" in query:
        _check_version_2_link(request, query, keys, now())
    else:
        raise SignatureRefused(
            NOT_SIGNED,
            "The request is not signed. Sign it with the workspace's key pair, as the lines do that the server prints "
            "when it starts.",
        )


def _check_headers(request: SignedRequest, keys: KeyPair, at: datetime) -> None:
    found = _AUTHORIZATION.fullmatch(request.headers["authorization"])
    if found is None:
        raise SignatureRefused(WRONG_SIGNATURE, "The Authorization header is none of Signature Version 4.")
    moment = request.headers.get("x-amz-date") or request.headers.get("date", "")
    signed = found["headers"].split(";")
    if "host" not in signed or not any(name in signed for name in ("x-amz-date", "date")):
        raise SignatureRefused(WRONG_SIGNATURE, "The signature leaves out the headers Host or X-Amz-Date.")
    if abs(_parsed(moment) - at) > _SKEW:
        message = f"The request was signed at {moment[:40]}, more than {_SKEW} from the server's {at:{_TIMESTAMP}}."
        raise SignatureRefused(WRONG_TIME, message)
    digest = request.headers.get("x-amz-content-sha256", "")
    if not digest.startswith(_UNHASHED):
        actual = request.body_sha256()
        if digest and not hmac.compare_digest(digest.lower().encode(), actual.encode()):
            raise SignatureRefused(WRONG_SIGNATURE, "The body isn't the one that X-Amz-Content-SHA256 tells of.")
        digest = actual
    _compare(request, found["credential"], signed, moment, digest, found["signature"], keys)


def _check_link(request: SignedRequest, query: Mapping[str, str], keys: KeyPair, at: datetime) -> None:
    moment, seconds = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
    if not re.fullmatch(r"\d{1,7}", seconds) or timedelta(seconds=int(seconds)) > _LONGEST_LINK:
        raise SignatureRefused(WRONG_SIGNATURE, f"X-Amz-Expires is {seconds[:20]!r}; expected 1 to 604800 seconds.")
    made = _parsed(moment)
    if made - at > _SKEW:
        raise SignatureRefused(WRONG_TIME, f"The link was signed at {moment}, which is still to come.")
    signed = query.get("X-Amz-SignedHeaders", "").split(";")
    _compare(
        request, query.get("X-Amz-Credential", ""), signed, moment, "UNSIGNED-PAYLOAD", query["X-Amz-Signature"], keys
    )
    if at > made + timedelta(seconds=int(seconds)):
        raise SignatureRefused(EXPIRED, f"Request has expired: the link could be read for {seconds} s from {moment}.")


def _check_version_2_link(request: SignedRequest, query: Mapping[str, str], keys: KeyPair, at: datetime) -> None:
    """What boto3 still makes for S3 in us-east-1 when nothing else is asked of it."""
    if query["AWSAccessKeyId"] != keys.access_key:
        raise SignatureRefused(UNKNOWN_KEY, _unknown(query["AWSAccessKeyId"]))
    expires = query.get("Expires", "")
    if not re.fullmatch(r"\d{1,11}", expires):
        raise SignatureRefused(WRONG_SIGNATURE, f"Expires is {expires[:20]!r}; expected seconds since 1970.")
    split = urlsplit(f"http://s3{request.target}")
    signer = _AsSignedInQuery(keys.credentials)
    signer.ends = expires
    expected = signer.get_signature(request.method, split, {})
    if not hmac.compare_digest(expected.encode(), query["Signature"].encode()):
        raise SignatureRefused(WRONG_SIGNATURE, _DIFFERS)
    if at.timestamp() > int(expires):
        raise SignatureRefused(EXPIRED, "Request has expired.")


def _compare(  # noqa: PLR0913, PLR0917  (the parts of a signature)
    request: SignedRequest, credential: str, signed: list[str], moment: str, digest: str, signature: str, keys: KeyPair
) -> None:
    scope = _CREDENTIAL.fullmatch(credential)
    if scope is None:
        raise SignatureRefused(WRONG_SIGNATURE, f"The credential {credential[:80]!r} is none of Signature Version 4.")
    if scope["key"] != keys.access_key:
        raise SignatureRefused(UNKNOWN_KEY, _unknown(scope["key"]))
    if scope["day"] != f"{_parsed(moment):%Y%m%d}":
        raise SignatureRefused(WRONG_SIGNATURE, f"The credential is of {scope['day']}, the request of {moment[:8]}.")
    expected = _signature(request, signed, moment, digest, scope["region"], scope["service"], keys)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise SignatureRefused(WRONG_SIGNATURE, _DIFFERS)


def _signature(  # noqa: PLR0913, PLR0917  (the parts of a signature)
    request: SignedRequest, signed: list[str], moment: str, digest: str, region: str, service: str, keys: KeyPair
) -> str:
    path, _, query = request.target.partition("?")
    pairs = [pair for pair in query.split("&") if pair and not pair.startswith("X-Amz-Signature=")]
    made = AWSRequest(request.method, f"http://host{path}?{'&'.join(map(_canonical_pair, pairs))}")
    for name in signed:
        made.headers[name] = request.headers.get(name, "")
    made.context["timestamp"] = _parsed(moment).strftime(_TIMESTAMP)
    signer = (_AsSignedForS3 if service == "s3" else _AsSigned)(keys.credentials, service, region)
    # The digest stands last in the canonical request; botocore would take it from a header or the body.
    canonical = signer.canonical_request(made).rpartition("\n")[0] + f"\n{digest}"
    return str(signer.signature(signer.string_to_sign(made, canonical), made))


def _canonical_pair(pair: str) -> str:
    name, _, value = pair.partition("=")
    return f"{quote(unquote(name), safe='-_.~')}={quote(unquote(value), safe='-_.~')}"


def _parsed(moment: str) -> datetime:
    try:
        return datetime.strptime(moment, _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        message = f"X-Amz-Date is {moment[:40]!r}; expected a time such as 20261123T120000Z."
        raise SignatureRefused(WRONG_SIGNATURE, message) from None


def _unknown(access_key: str) -> str:
    return (
        f"The access key {access_key[:40]} is not this workspace's. Copy the lines that the server prints at its start."
    )


_DIFFERS = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method: "
    "the lines to copy are those that the server prints when it starts."
)


def sha256_of(body: bytes) -> str:
    """Give the digest of a body as signatures have it."""
    return hashlib.sha256(body).hexdigest()
