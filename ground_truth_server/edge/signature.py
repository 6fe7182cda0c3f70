"""Checks that a request was signed with a key pair: Signature Version 4, in headers or in the query of a link.

A request is checked as soon as its head is there, so that a stranger's body is never read. What S3's clients sign
tells the digest of the body, which is compared once that has come; Lambda's and SageMaker's clients sign the body
itself, so there the key and the time are looked at first. Of a body that is sent in signed chunks the seed's signature
is checked, which says who sends it; the chunks' aren't.
See "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API Reference.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders

from ground_truth_server.edge.key_pair import KeyPair, KnownKeys

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
HEADERS_NOT_SIGNED = "headers not signed"
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
class SignedHead:
    """What of a request is signed, but for its body.

    Attributes:
        method: Its method.
        target: Path and query as they were sent, still encoded.
        headers: Its headers, names in small letters.
    """

    method: str
    target: str
    headers: Mapping[str, str]


BodyCheck = Callable[[str], None]
"""Takes the digest of a request's body, in hexadecimal, and raises SignatureRefused if it isn't the signed one."""


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


def check_head(
    head: SignedHead, keys: KnownKeys, service: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[str, BodyCheck | None]:
    """Let a request pass that a known key pair signed.

    Args:
        head: The request without its body.
        keys: The pairs that are taken.
        service: The service that it must be signed for, such as ``s3``.
        now: Tells the time, with its zone.

    Returns:
        The access key that signed, and what the body must still pass before the request is acted on; ``None`` if no
        signature speaks of it.

    Raises:
        SignatureRefused: Why it isn't let through.
    """
    query = dict(parse_qsl(head.target.partition("?")[2], keep_blank_values=True))
    if "authorization" in head.headers:
        return _check_headers(head, keys, service, now())
    if "X-Amz-Signature" in query:
        return _check_link(head, query, keys, service, now()), None
    if "AWSAccessKeyId" in query and "Signature" in query:
        return _check_version_2_link(head, query, keys, now()), None
    raise SignatureRefused(
        NOT_SIGNED,
        "The request is not signed. Sign it with the workspace's key pair, as the lines do that the server prints when "
        "it starts, or with a key of: ground-truth keys add.",
    )


def _check_headers(head: SignedHead, keys: KnownKeys, service: str, at: datetime) -> tuple[str, BodyCheck | None]:
    found = _AUTHORIZATION.fullmatch(head.headers["authorization"])
    if found is None:
        raise SignatureRefused(WRONG_SIGNATURE, "The Authorization header is none of Signature Version 4.")
    moment = head.headers.get("x-amz-date") or head.headers.get("date", "")
    names = found["headers"].split(";")
    if "host" not in names or not any(name in names for name in ("x-amz-date", "date")):
        raise SignatureRefused(WRONG_SIGNATURE, "The signature leaves out the headers Host or X-Amz-Date.")
    made = _Signature.read(found["credential"], names, moment, found["signature"])
    pair = made.pair_for(service, keys)
    if abs(made.at - at) > _SKEW:
        message = f"The request was signed at {moment[:40]}, more than {_SKEW} from the server's {at:{_TIMESTAMP}}."
        raise SignatureRefused(WRONG_TIME, message)
    declared = head.headers.get("x-amz-content-sha256", "")
    if not declared and service != "s3":
        return pair.access_key, partial(made.check, head, pair)
    made.check(head, pair, declared)
    return pair.access_key, None if declared.startswith(_UNHASHED) else partial(_check_body, declared.lower())


def _check_body(declared: str, actual: str) -> None:
    if not hmac.compare_digest(declared.encode(), actual.encode()):
        raise SignatureRefused(WRONG_SIGNATURE, "The body isn't the one that X-Amz-Content-SHA256 tells of.")


def _check_link(head: SignedHead, query: Mapping[str, str], keys: KnownKeys, service: str, at: datetime) -> str:
    moment, seconds = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
    if not re.fullmatch(r"\d{1,7}", seconds) or timedelta(seconds=int(seconds)) > _LONGEST_LINK:
        raise SignatureRefused(WRONG_SIGNATURE, f"X-Amz-Expires is {seconds[:20]!r}; expected 1 to 604800 seconds.")
    names = query.get("X-Amz-SignedHeaders", "").split(";")
    made = _Signature.read(query.get("X-Amz-Credential", ""), names, moment, query["X-Amz-Signature"])
    pair = made.pair_for(service, keys)
    if made.at - at > _SKEW:
        raise SignatureRefused(WRONG_TIME, f"The link was signed at {moment}, which is still to come.")
    made.check(head, pair, "UNSIGNED-PAYLOAD")
    if at > made.at + timedelta(seconds=int(seconds)):
        raise SignatureRefused(EXPIRED, f"Request has expired: the link could be read for {seconds} s from {moment}.")
    return pair.access_key


def _check_version_2_link(head: SignedHead, query: Mapping[str, str], keys: KnownKeys, at: datetime) -> str:
    """What boto3 still makes for S3 in us-east-1 when nothing else is asked of it.

    It signs the headers Content-MD5, Content-Type and all of ``X-Amz-…``, and repeats them in the link's query.
    """
    pair = _known(query["AWSAccessKeyId"], keys)
    expires = query.get("Expires", "")
    if not re.fullmatch(r"\d{1,11}", expires):
        raise SignatureRefused(WRONG_SIGNATURE, f"Expires is {expires[:20]!r}; expected seconds since 1970.")
    signer = _AsSignedInQuery(pair.credentials)
    signer.ends = expires
    headers = HTTPHeaders()
    for name, value in {**query, **head.headers}.items():
        if name in ("content-md5", "content-type") or name.startswith("x-amz-"):
            headers[name] = value
    expected = signer.get_signature(head.method, urlsplit(f"http://s3{head.target}"), headers)  # type: ignore[arg-type]
    if not hmac.compare_digest(expected.encode(), query["Signature"].encode()):
        raise SignatureRefused(WRONG_SIGNATURE, _DIFFERS)
    if at.timestamp() > int(expires):
        raise SignatureRefused(EXPIRED, "Request has expired.")
    return pair.access_key


@dataclass(frozen=True)
class _Signature:
    """A signature of version 4 and what it says of itself: whose it is, when it was made, what it covers."""

    access_key: str
    region: str
    service: str
    at: datetime
    names: Sequence[str]
    value: str

    @classmethod
    def read(cls, credential: str, names: Sequence[str], moment: str, value: str) -> "_Signature":
        found, at = _CREDENTIAL.fullmatch(credential), _parsed(moment)
        if found is None:
            message = f"The credential {credential[:80]!r} is none of Signature Version 4."
            raise SignatureRefused(WRONG_SIGNATURE, message)
        if found["day"] != f"{at:%Y%m%d}":
            message = f"The credential is of {found['day']}, the request of {moment[:8]}."
            raise SignatureRefused(WRONG_SIGNATURE, message)
        return cls(found["key"], found["region"], found["service"], at, names, value)

    def pair_for(self, service: str, keys: KnownKeys) -> KeyPair:
        """Give the pair that it says it was made with, for a service; nothing is checked with it yet."""
        pair = _known(self.access_key, keys)
        if self.service != service:
            message = f"Credential should be scoped to correct service: {service!r}, not {self.service!r}."
            raise SignatureRefused(WRONG_SIGNATURE, message)
        return pair

    def check(self, head: SignedHead, keys: KeyPair, digest: str) -> None:
        """Compare it with the one that the key pair makes of a request whose body has a digest."""
        unsigned = [name for name in head.headers if name.startswith("x-amz-") and name not in self.names]
        if unsigned:
            message = f"There were headers present in the request which were not signed: {', '.join(unsigned)[:200]}."
            raise SignatureRefused(HEADERS_NOT_SIGNED, message)
        if not hmac.compare_digest(self._expected(head, keys, digest).encode(), self.value.encode()):
            raise SignatureRefused(WRONG_SIGNATURE, _DIFFERS)

    def _expected(self, head: SignedHead, keys: KeyPair, digest: str) -> str:
        path, _, query = head.target.partition("?")
        pairs = [pair for pair in query.split("&") if pair and not pair.startswith("X-Amz-Signature=")]
        made = AWSRequest(head.method, f"http://host{path}?{'&'.join(map(_canonical_pair, pairs))}")
        for name in self.names:
            made.headers[name] = head.headers.get(name, "")
        made.context["timestamp"] = self.at.strftime(_TIMESTAMP)
        signer = (_AsSignedForS3 if self.service == "s3" else _AsSigned)(keys.credentials, self.service, self.region)
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


def _known(access_key: str, keys: KnownKeys) -> KeyPair:
    pair = keys.find(access_key)
    if pair is None:
        message = (
            f"The access key {access_key[:40]} is not this workspace's, or it has ended. Copy the lines that the "
            "server prints at its start, or make a key: ground-truth keys add."
        )
        raise SignatureRefused(UNKNOWN_KEY, message)
    return pair


_DIFFERS = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method: "
    "the lines to copy are those that the server prints when it starts."
)


def sha256_of(body: bytes) -> str:
    """Give the digest of a body as signatures have it."""
    return hashlib.sha256(body).hexdigest()
