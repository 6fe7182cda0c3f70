"""What a server asks for before it listens on a network, and whose address it believes behind a proxy."""

import http.client
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ground_truth_server.edge import loopback
from ground_truth_server.edge.client_address import BehindProxy, client_address
from ground_truth_server.edge.network import Network, is_loopback

URL, PAGES = "https://label.example.com", "https://pages.example.com"
CERTIFICATE = (Path("certificate.pem"), Path("key.pem"))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_on_loopback_nothing_is_asked_for(address: str) -> None:
    Network(address).check(signs_in=False)
    assert is_loopback(address)


@pytest.mark.parametrize(
    ("network", "signs_in", "missing"),
    [
        (Network("0.0.0.0"), False, "--people accounts"),
        (Network("10.0.0.7", URL, PAGES, behind_proxy=True), False, "--people accounts"),
        (Network(url=URL, pages_url=PAGES, behind_proxy=True), False, "--people accounts"),
        (Network("::"), True, "needs TLS"),
        (Network("label.example.com"), True, "needs TLS"),
        (Network("0.0.0.0", URL, PAGES, certificate=CERTIFICATE, behind_proxy=True), True, "not both"),
        (Network("0.0.0.0", behind_proxy=True), True, "--url: found ''"),
        (Network("0.0.0.0", "http://label.example.com", PAGES, behind_proxy=True), True, "https origin"),
        (Network("0.0.0.0", f"{URL}/label", PAGES, behind_proxy=True), True, "https origin"),
        (Network("0.0.0.0", URL, "https://a:b@pages.example.com", behind_proxy=True), True, "https origin"),
        (Network("0.0.0.0", URL, "", behind_proxy=True), True, "--pages-url: found ''"),
        (Network("0.0.0.0", URL, "https://LABEL.example.com", behind_proxy=True), True, "two origins"),
        (Network("0.0.0.0", URL, PAGES, "https://s3.example.com", certificate=CERTIFICATE), True, "--s3-url needs"),
    ],
)
def test_on_a_network_each_missing_thing_is_named(network: Network, signs_in: bool, missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        network.check(signs_in=signs_in)


def test_on_a_network_with_all_of_it_it_starts() -> None:
    Network("0.0.0.0", URL, PAGES, behind_proxy=True).check(signs_in=True)
    Network("0.0.0.0", URL, PAGES, "https://s3.example.com", behind_proxy=True).check(signs_in=True)
    Network("0.0.0.0", URL, "https://label.example.com:8443", certificate=CERTIFICATE).check(signs_in=True)


def address(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{client_address(request.scope)} {request.url.scheme}")


@pytest.mark.parametrize(
    ("sent", "believed"),
    [
        ({}, "testclient"),
        ({"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9"),
        ({"X-Forwarded-For": "10.0.0.1, 203.0.113.9"}, "203.0.113.9"),  # the first, the client may have written
        ({"X-Forwarded-For": "203.0.113.9, 2001:db8::1"}, "2001:db8::1"),
        ({"X-Forwarded-For": "10.0.0.1, somebody"}, "testclient"),
        ({"X-Real-IP": "10.0.0.1", "Forwarded": "for=10.0.0.1"}, "testclient"),
        ({"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}, "testclient"),
    ],
)
def test_only_the_last_address_that_the_proxy_added_is_believed(sent: dict[str, str], believed: str) -> None:
    app = Starlette(routes=[Route("/", address)])
    assert TestClient(BehindProxy(app)).get("/", headers=sent).text == f"{believed} http"
    assert TestClient(app).get("/", headers=sent).text == "testclient http"


@pytest.mark.parametrize("behind_proxy", [False, True])
def test_a_proxy_s_connections_are_kept_until_it_closes_them(
    monkeypatch: pytest.MonkeyPatch, behind_proxy: bool
) -> None:
    """One that the server closes while the proxy asks on it is a 502 to somebody."""
    monkeypatch.setattr(loopback, "_IDLE_SECONDS", 0.2)
    monkeypatch.setattr(loopback, "_HEAD_SECONDS", 0.2)
    app = Starlette(routes=[Route("/", address)])
    with loopback.serving(app, behind_proxy=behind_proxy) as origin:
        connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=10)
        connection.request("GET", "/")
        connection.getresponse().read()
        kept = connection.sock
        time.sleep(0.6)
        kept.setblocking(False)
        try:
            closed = kept.recv(1) == b""
        except BlockingIOError:
            closed = False
        assert closed != behind_proxy
        connection.close()
