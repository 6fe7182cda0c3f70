"""The guard before a socket, met by real connections."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from ground_truth_server.edge import guard, loopback
from ground_truth_server.edge.guard import (
    MEGABYTE,
    Guard,
    Policy,
    Signing,
    Wording,
    hosts_of,
    in_json,
    in_plain_words,
    in_query_xml,
    in_xml,
)
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.edge.loopback import listen, serving

KEYS = KeyPair.new()


async def length(request: Request) -> Response:
    """Tells how long a body was."""
    return PlainTextResponse(str(len(await request.body())))


class Site:
    """A guarded application, and plain connections to it."""

    def __init__(
        self,
        wording: Wording = in_plain_words,
        keys: KeyPair | None = None,
        *,
        service: str = "lambda",
        longest_body: int = MEGABYTE,
        browsers: bool = True,
    ) -> None:
        listener = listen(0, "a test")
        self.port = listener.getsockname()[1]
        app = Starlette(routes=[Route("/{path:path}", length, methods=["GET", "POST", "OPTIONS"])])
        signing = Signing(keys, service, free=("OPTIONS",)) if keys else None
        policy = Policy(hosts_of("127.0.0.1", self.port), longest_body, wording, signing, browsers=browsers)
        self._serving = serving(Guard(app, policy), listener)
        self._serving.__enter__()

    def close(self) -> None:
        self._serving.__exit__(None, None, None)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def ask(self, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(
            method, "/", body or None, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def test_it_answers_to_its_own_names_only(site: Site) -> None:
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        assert site.ask(Host=f"{name}:{site.port}") == (200, "0")
    for host in ("evil.example", f"evil.example:{site.port}", "127.0.0.1", f"127.0.0.1:{site.port + 1}", "x" * 9000):
        status, text = site.ask(Host=host)
        assert status == 421
        assert text.startswith(f"This is 127.0.0.1:{site.port}, ")
        assert len(text) < 400


def test_a_body_up_to_the_limit_is_taken_and_one_more_byte_is_not(site: Site) -> None:
    assert site.ask("POST", b"x" * MEGABYTE) == (200, str(MEGABYTE))
    status, text = site.ask("POST", b"x" * (MEGABYTE + 1))
    assert status == 413
    assert text == f"The request's body has {MEGABYTE + 1} bytes; at most {MEGABYTE} are taken here."


def test_a_gigabyte_is_refused_before_it_is_read(site: Site) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    for head in (b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"):
        with site.connect() as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost:%d\r\n%s\r\n\r\n" % (site.port, head))
            chunk = b"100000\r\n" + b"x" * MEGABYTE + b"\r\n"
            sent = 0
            with contextlib.suppress(OSError):  # it has hung up
                while sent < 1000 and not _has_answer(connection):
                    connection.sendall(chunk)
                    sent += 1
            assert sent < 100
            assert b" 413 " in connection.recv(100)
    assert process.memory_info().rss - before < 100 * MEGABYTE


def _has_answer(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False
    finally:
        connection.settimeout(30)


def test_a_body_that_drips_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_BODY_SECONDS", 0.3)
    with site.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 1000\r\n\r\nx" % site.port)
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert b" 408 " in answer.partition(b"\r\n")[0]
    assert b"came too slowly: 1 bytes" in answer


def test_a_stranger_s_body_is_never_held() -> None:
    site = Site(in_xml, KEYS, service="s3", longest_body=256 * MEGABYTE)
    process = psutil.Process()
    before = process.memory_info().rss
    open_ones = []
    for _ in range(3):
        open_ones.append(connection := site.connect())
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 100000000\r\n\r\n" % site.port)
        sent = 0
        with contextlib.suppress(OSError):  # it has hung up
            while sent < 95 and not _has_answer(connection):
                connection.sendall(b"x" * MEGABYTE)
                sent += 1
        assert sent < 20
        with contextlib.suppress(ConnectionResetError):
            assert b" 403 " in connection.recv(100)
    assert process.memory_info().rss - before < 50 * MEGABYTE
    for connection in open_ones:
        connection.close()
    assert site.ask("OPTIONS") == (200, "0")
    assert site.ask("OPTIONS", b"x")[0] == 400  # EntityTooLarge: what needs no signature has no body either
    site.close()


@pytest.mark.parametrize("wait_for_leave", [False, True])
def test_who_is_refused_while_still_sending_hears_why(*, wait_for_leave: bool) -> None:
    site = Site(in_xml, KEYS, service="s3")
    with site.connect() as connection:
        head = b"PUT /b/a HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 300000\r\n" % site.port
        if wait_for_leave:
            connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
        else:
            connection.sendall(head + b"\r\n")
            time.sleep(0.1)
            connection.sendall(b"x" * 300_000)
        began = time.monotonic()
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"<Code>AccessDenied</Code>" in answer
    assert time.monotonic() - began < 0.9
    site.close()


def test_who_hangs_up_amid_a_body_is_no_news(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        with site.connect() as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 1000\r\n\r\nx" % site.port)
            time.sleep(0.01)
    assert site.ask("POST", b"12") == (200, "2")
    assert caplog.text == ""


@pytest.mark.parametrize("target", ["//[", "[x", "http://[x/", "*", "/%ff%00?x=%zz"])
@pytest.mark.parametrize("keys", [None, KEYS])
def test_an_odd_address_is_no_fault_of_the_server(target: str, keys: KeyPair | None) -> None:
    site = Site(in_xml, keys, service="s3")
    with site.connect() as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % (target.encode(), site.port))
        status = connection.recv(1000).split()[1]
    expected = (b"403" if keys else b"200") if target.startswith("/") else b"400"
    assert status == expected
    site.close()


@pytest.mark.parametrize(
    "request_", ["GET / HTTP/1.1\r\nHost: loc", "POST / HTTP/1.1\r\nContent-Length: 9\r\nHost: %s\r\n\r\n"]
)
def test_half_open_connections_crowd_out_each_other_and_nobody_at_work(
    request_: str, caplog: pytest.LogCaptureFixture
) -> None:
    most = loopback.most_connections()
    site = Site()
    half_open: list[socket.socket] = []
    try:
        worker = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        for number in range(most + 200):
            half_open.append(site.connect())
            half_open[-1].sendall(request_.replace("%s", f"localhost:{site.port}").encode())
            if number % 100 == 0:
                assert site.ask() == (200, "0")
        worker.request("GET", "/")
        assert worker.getresponse().read() == b"0"
        hung_up = sum(_is_closed(one) for one in half_open[:200])
        assert hung_up >= 150
        assert caplog.text == ""
    finally:
        for one in half_open:
            one.close()
        site.close()


def test_answers_that_nobody_takes_crowd_out_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recordings are long, and a browser that shows a paused one takes nothing for hours."""
    monkeypatch.setattr(loopback, "most_connections", lambda: 20)
    monkeypatch.setattr(loopback, "_HEAD_SECONDS", 0.3)  # no patience is lost with who has asked
    piece = bytes(MEGABYTE)

    async def long(_: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield piece

        return StreamingResponse(pieces())

    with serving(Starlette(routes=[Route("/", long), Route("/short", length)])) as url, contextlib.ExitStack() as stack:
        place = url.removeprefix("http://")
        stalled = []
        for _ in range(18):
            connection = stack.enter_context(contextlib.closing(http.client.HTTPConnection(place, timeout=30)))
            connection.request("GET", "/")
            stalled.append(connection.getresponse())
        time.sleep(1)
        assert len(stalled[17].read()) == 20 * MEGABYTE  # with room for all, nobody is hung up on
        for _ in range(18):
            connection = stack.enter_context(contextlib.closing(http.client.HTTPConnection(place, timeout=30)))
            connection.request("GET", "/")
            stalled.append(connection.getresponse())
        worker = stack.enter_context(contextlib.closing(http.client.HTTPConnection(place, timeout=30)))
        worker.request("GET", "/short")
        assert worker.getresponse().read() == b"0"
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            stalled[0].read()
        assert len(stalled[-1].read()) == 20 * MEGABYTE


def test_an_answer_that_is_taken_slowly_to_its_end_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_HEAD_SECONDS", 0.2)
    content = bytes(20 * MEGABYTE)
    app = Starlette(routes=[Route("/", lambda _: Response(content))])
    with serving(app) as url, contextlib.closing(http.client.HTTPConnection(url[7:], timeout=30)) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        time.sleep(1)  # what is sent at once waits in the server, which has done with it
        assert len(answer.read()) == len(content)


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_who_connects_and_never_asks_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_HEAD_SECONDS", 0.3)
    site = Site()
    with site.connect() as silent, site.connect() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        began = time.monotonic()
        for connection in (silent, slow):
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert time.monotonic() - began < 15
    site.close()


def test_a_request_under_way_is_never_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_HEAD_SECONDS", 0.2)
    wait = threading.Event()

    def slow(_: Request) -> Response:
        wait.wait(1)
        return PlainTextResponse("done")

    with serving(Starlette(routes=[Route("/", slow)])) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        for _ in range(2):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"done"


@pytest.mark.parametrize(
    ("wording", "code"),
    [
        (in_json, "MissingAuthenticationTokenException"),
        (in_xml, "<Code>AccessDenied</Code>"),
        (in_query_xml, "<Code>MissingAuthenticationToken</Code>"),
    ],
)
def test_what_is_not_signed_is_refused_in_the_service_s_words(wording: Wording, code: str) -> None:
    site = Site(wording, KEYS)
    status, text = site.ask("POST", b"{}")
    assert (status, code in text) == (403, True)
    request = AWSRequest("POST", f"http://127.0.0.1:{site.port}/", data=b"{}")
    SigV4Auth(KEYS.credentials, "lambda", "eu-west-1").add_auth(request)
    headers = {name.replace("-", "_"): str(value) for name, value in request.headers.items()}
    assert site.ask("POST", b"{}", **headers) == (200, "2")
    assert site.ask("POST", b"{ }", **headers)[0] == 403
    site.close()


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}]
)
def test_an_endpoint_for_clients_refuses_every_page(headers: dict[str, str]) -> None:
    site = Site(in_json, browsers=False)
    status, text = site.ask("POST", b"{}", **headers)
    assert (status, json.loads(text)["__type"]) == (403, "AccessDeniedException")
    assert site.ask("POST", b"{}") == (200, "2")
    site.close()
