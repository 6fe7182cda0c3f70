"""Signatures as botocore's own clients make them, and what is refused of any other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.auth
import pytest
from botocore.auth import SIGV4_TIMESTAMP, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

from ground_truth_server.edge import signature
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.edge.signature import SignatureRefused, SignedHead, check_head, sha256_of

KEYS = KeyPair("GTSLEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@contextmanager
def signing_at(moment: datetime) -> Iterator[None]:
    """Botocore's clock at a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
        yield


@dataclass(frozen=True)
class Request:
    """A request as a server gets it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    service: str = "s3"

    def check(self, at: datetime) -> None:
        head = SignedHead(self.method, self.target, self.headers)
        signer, check_body = check_head(head, KEYS, self.service, lambda: at)
        assert signer == KEYS.access_key
        if check_body is not None:
            check_body(sha256_of(self.body))


def signed(service: str = "s3", keys: KeyPair = KEYS, **request: Any) -> Request:
    """A request that botocore signed at `AT`."""
    made = AWSRequest(
        **{"method": "PUT", "url": "http://127.0.0.1:8087/b/a%20key?x=1&a=%2F&empty=", "data": b"1", **request}
    )
    with signing_at(AT):
        (S3SigV4Auth if service == "s3" else SigV4Auth)(keys.credentials, service, "eu-west-1").add_auth(made)
    return as_received(made, service)


def as_received(made: AWSRequest, service: str = "s3") -> Request:
    headers = {"host": "127.0.0.1:8087", **{name.lower(): str(value) for name, value in made.headers.items()}}
    target = str(made.url).removeprefix("http://127.0.0.1:8087")
    return Request(str(made.method), target, headers, made.data or b"", service)


def refused(request: Request, at: datetime = AT) -> str:
    with pytest.raises(SignatureRefused) as error:
        request.check(at)
    return error.value.reason


@pytest.mark.parametrize("service", ["s3", "lambda", "sagemaker"])
def test_what_botocore_signs_is_let_through(service: str) -> None:
    signed(service).check(AT + timedelta(minutes=14))
    other = replace(signed(service), service="sts")
    assert refused(other) == signature.WRONG_SIGNATURE


def test_aws_s_own_example_is_let_through() -> None:
    """The request of "Example: GET Object" in the Amazon S3 API Reference, with its published keys and signature."""
    keys = KeyPair("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    headers = {
        "host": "examplebucket.s3.amazonaws.com",
        "range": "bytes=0-9",
        "x-amz-content-sha256": empty,
        "x-amz-date": "20130524T000000Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    }
    at = datetime(2013, 5, 24, tzinfo=UTC)
    signer, check_body = check_head(SignedHead("GET", "/test.txt", headers), keys, "s3", lambda: at)
    assert signer == "AKIAIOSFODNN7EXAMPLE"
    assert check_body is not None
    check_body(empty)


def changes() -> Iterator[tuple[str, Request]]:
    good = signed()
    yield "method", replace(good, method="DELETE")
    for target in ("/b/another?x=1&a=%2F&empty=", "/b/a%20key?x=2&a=%2F&empty=", "/b/a%20key?x=1&a=%2F", "/b/a%20key"):
        yield target, replace(good, target=target)
    yield "body", replace(good, body=b"2")
    yield "body of lambda", replace(signed("lambda"), body=b"2")
    for name, value in {
        "host": "127.0.0.1:9999",
        "x-amz-content-sha256": sha256_of(b"2"),
        "x-amz-date": (AT + timedelta(seconds=1)).strftime(SIGV4_TIMESTAMP),
        "authorization": good.headers["authorization"][:-1] + "0",
    }.items():
        yield name, replace(good, headers={**good.headers, name: value})
    yield "no digest", replace(good, headers={n: v for n, v in good.headers.items() if n != "x-amz-content-sha256"})
    another = KeyPair(KEYS.access_key, "another secret")
    yield "secret", signed(keys=another)


@pytest.mark.parametrize(("changed", "request_"), [pytest.param(*one, id=one[0]) for one in changes()])
def test_a_changed_request_is_refused(changed: str, request_: Request) -> None:
    assert refused(request_) == signature.WRONG_SIGNATURE


def test_each_reason_has_its_name() -> None:
    assert refused(Request("GET", "/b?Signature=x", {"host": "h"})) == signature.NOT_SIGNED
    assert refused(signed(keys=KeyPair("GTSLSTRANGER", "x"))) == signature.UNKNOWN_KEY
    for minutes in (-16, 16):
        assert refused(signed(), AT + timedelta(minutes=minutes)) == signature.WRONG_TIME
    assert refused(Request("GET", "/", {"authorization": "Basic YQ=="})) == signature.WRONG_SIGNATURE


@pytest.mark.parametrize("changed", [{"x-amz-content-sha256": "0" * 64}, {}])
def test_a_head_of_a_stranger_is_refused_without_its_body(changed: dict[str, str]) -> None:
    """Whatever the body's digest is: nobody asks for it."""
    for request in (signed(keys=KeyPair("GTSLSTRANGER", "x")), signed(keys=KeyPair(KEYS.access_key, "x"))):
        head = SignedHead(request.method, request.target, {**request.headers, **changed})
        with pytest.raises(SignatureRefused):
            check_head(head, KEYS, "s3", lambda: AT)
    for service in ("lambda", "sagemaker"):
        stranger = signed(service, KeyPair("GTSLSTRANGER", "x"))
        with pytest.raises(SignatureRefused, match="is not this workspace's"):
            check_head(SignedHead(stranger.method, stranger.target, stranger.headers), KEYS, service, lambda: AT)


def test_a_signature_must_cover_host_and_time() -> None:
    good = signed()
    for name in ("host", "x-amz-date"):
        authorization = good.headers["authorization"].replace(f"{name};", "").replace(f";{name}", "")
        less = {**good.headers, "authorization": authorization}
        assert refused(replace(good, headers=less)) == signature.WRONG_SIGNATURE


@pytest.mark.parametrize("header", ["x-amz-copy-source", "x-amz-acl", "x-amz-meta-a"])
def test_a_header_of_amazon_s_acts_only_when_it_is_signed(header: str) -> None:
    for request in (signed(), link("s3v4", 60), link("s3", 60)):
        at = AT if "authorization" in request.headers else datetime.now(UTC)
        request.check(at)
        more = replace(request, headers={**request.headers, header: "/b/secret"})
        assert refused(more, at) in (signature.HEADERS_NOT_SIGNED, signature.WRONG_SIGNATURE)
    signed(headers={header: "/b/a"}).check(AT)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_link_to_write_signs_what_is_written(version: str) -> None:
    headers = {"content-type": "text/csv", "x-amz-meta-made-by": "plots"}
    made = link(version, 60, "put_object", ContentType="text/csv", Metadata={"made-by": "plots"})
    at = datetime.now(UTC)
    good = replace(made, method="PUT", headers={**made.headers, **headers}, body=b"any")
    good.check(at)
    for name in headers:
        assert refused(replace(good, headers={**good.headers, name: "another"}), at) == signature.WRONG_SIGNATURE


def link(version: str, seconds: int, operation: str = "get_object", **more: Any) -> Request:
    """A link that boto3 makes now."""
    s3 = KEYS.session("us-east-1").client(
        "s3",
        endpoint_url="http://127.0.0.1:8087",
        config=Config(signature_version=version, s3={"addressing_style": "path"}),
    )
    more = more or {"ResponseContentType": "image/png"}
    parameters = {"Bucket": "b", "Key": "plots/a plot ü.png", **more}
    url = s3.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)
    return Request("GET", url.removeprefix("http://127.0.0.1:8087"), {"host": "127.0.0.1:8087"})


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_link_is_good_for_its_time_and_its_object(version: str) -> None:
    now = datetime.now(UTC)
    made = link(version, 3600)
    made.check(now + timedelta(seconds=3590))
    assert refused(made, now + timedelta(seconds=3650)) == signature.EXPIRED
    others = [made.target.replace("plot%20", "plan%20"), made.target.replace("image%2Fpng", "image%2Fgif")]
    for changed in others:
        assert changed != made.target
        assert refused(replace(made, target=changed), now) == signature.WRONG_SIGNATURE
    assert refused(replace(made, method="PUT"), now) == signature.WRONG_SIGNATURE


def test_a_link_of_more_than_a_week_is_refused() -> None:
    made = AWSRequest("GET", "http://127.0.0.1:8087/b/a")
    with signing_at(AT):
        S3SigV4QueryAuth(KEYS.credentials, "s3", "eu-west-1", expires=604_801).add_auth(made)
    assert refused(as_received(made)) == signature.WRONG_SIGNATURE


def test_boto3_makes_links_of_version_2_where_nobody_asks_for_another() -> None:
    """Why such links are taken at all."""
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert "AWSAccessKeyId=" in s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
