"""Items' files from the page origin: over real sockets from a real S3, compared with the bytes on the disk."""

import base64
import contextlib
import hashlib
import html
import http.server
import json
import os
import re
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config

from ground_truth_server.engine.tasks import Task
from ground_truth_server.pages.file_links import FileLinks, WorkersTask
from ground_truth_server.s3.storage import EmbeddedS3
from tests.ground_truth_server.engine.labeling import BUCKET, Bench, request, wait_until
from tests.ground_truth_server.portal.portal_site import PortalSite, portal_site

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOUR = 3600
KEY = "recordings/weld 1, ü.wav"
SOURCE = f"s3://{BUCKET}/{KEY}"
TEMPLATE = "<crowd-form><audio src='{{ task.input.source | grant_read_access }}'></audio></crowd-form>"
SIZE = 3_000_001


@pytest.fixture
def recording(tmp_path: Path, bench: Bench) -> bytes:
    """What lies on the disk where S3 keeps the item's file."""
    bench.s3.put_object(Bucket=BUCKET, Key=KEY, Body=os.urandom(SIZE), ContentType="audio/wav")
    bench.put("template.liquid.html", TEMPLATE)
    bench.put_manifest([{"source": SOURCE}, {"source": f"s3://{BUCKET}/missing.wav"}])
    return (tmp_path / "s3" / BUCKET / KEY).read_bytes()


@pytest.fixture
def site(bench: Bench, recording: bytes) -> Iterator[PortalSite]:
    with portal_site(bench) as site:
        site.engine.create(request("Welds1", TaskTimeLimitInSeconds=10 * HOUR))
        wait_until(
            lambda: site.engine.ledger.progress("Welds1").get("open") == 2
        )  # else the second could be taken first
        yield site


def take(site: PortalSite, worker: str) -> Task:
    found: list[Task] = []

    def took() -> bool:
        task = site.engine.desk.next_task(worker, "Welds1")
        found.extend([task] if task else [])
        return task is not None

    wait_until(took)
    return found[-1]


def links_in(page: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r"(?:src|href)='([^']+)'", page)]


def link_of(site: PortalSite, task: Task, worker: str) -> str:
    """The link to the file that stands in a task's page."""
    page = httpx.get(site.pages.links.of_task(WorkersTask(task.id, worker)))
    assert page.status_code == 200
    (link,) = links_in(page.text)
    assert link.startswith(f"{site.pages.origin}/files/")
    return link


@pytest.fixture
def link(site: PortalSite) -> str:
    return link_of(site, take(site, "Ada"), "Ada")


def test_a_file_is_the_object_for_any_page_and_never_a_page_of_the_origin(link: str, recording: bytes) -> None:
    found = httpx.get(link, headers={"Origin": "null"})
    assert found.status_code == 200
    assert found.content == recording
    headers = found.headers
    assert headers["content-type"] == "audio/wav"
    assert headers["content-length"] == str(SIZE)
    assert headers["etag"] == f'"{hashlib.md5(recording).hexdigest()}"'
    assert headers["accept-ranges"] == "bytes"
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers
    exposed = {name.strip() for name in headers["access-control-expose-headers"].split(",")}
    assert {"Content-Range", "ETag", "Accept-Ranges", "Content-Length"} <= exposed
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == "inline; filename*=UTF-8''weld%201%2C%20%C3%BC.wav"
    directives = dict(part.partition(" ")[::2] for part in headers["content-security-policy"].split("; "))
    assert "allow-same-origin" not in directives["sandbox"]
    assert "frame-ancestors" not in directives  # the worker page that shows it has no origin to be named
    assert link.endswith("/weld%201%2C%20%C3%BC.wav")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-1999", 1000, 1999),
        ("bytes=1048570-1048580", 1_048_570, 1_048_580),  # over the end of the first part that is read
        ("bytes=2999999-", 2_999_999, SIZE - 1),
        ("bytes=2999999-99999999999", 2_999_999, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        ("bytes=-9999999999", 0, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
    ],
)
def test_a_range_is_exactly_those_bytes(link: str, recording: bytes, asked: str, first: int, last: int) -> None:
    found = httpx.get(link, headers={"Range": asked})
    assert found.status_code == 206
    assert found.content == recording[first : last + 1]
    assert found.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert found.headers["content-length"] == str(last + 1 - first)


@pytest.mark.parametrize("asked", ["bytes=3000001-", "bytes=9999999-99999999", "bytes=-0"])
def test_a_range_behind_the_end_is_said(link: str, asked: str) -> None:
    found = httpx.get(link, headers={"Range": asked})
    assert found.status_code == 416
    assert found.headers["content-range"] == f"bytes */{SIZE}"
    assert f"{SOURCE} has {SIZE} bytes" in found.text


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=-", "bytes=x-y", "bytes=1-2,4-5", "lines=1-2", "bytes=٣-٤", ""])
def test_what_is_no_range_is_the_whole(link: str, recording: bytes, asked: str) -> None:
    found = httpx.get(link, headers={b"Range": asked.encode()})
    assert (found.status_code, found.content) == (200, recording)


def test_head_tells_and_sends_nothing(link: str) -> None:
    found = httpx.head(link, headers={"Range": "bytes=0-9"})
    assert (found.status_code, found.content) == (200, b"")
    assert found.headers["content-length"] == str(SIZE)


def test_what_the_browser_has_is_not_sent_again(site: PortalSite, link: str, recording: bytes) -> None:
    first = httpx.head(link).headers
    etag, modified = first["etag"], first["last-modified"]
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"other", W/{etag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": modified},
    ):
        found = httpx.get(link, headers=headers)
        assert (found.status_code, found.content, found.headers["etag"]) == (304, b"", etag), headers
    for headers in (
        {"If-None-Match": '"other"', "If-Modified-Since": modified},
        {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 -0000"},
        {"If-Modified-Since": "yesterday"},
        {"If-Modified-Since": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"},
    ):
        found = httpx.get(link, headers=headers)
        assert (found.status_code, found.content) == (200, recording), headers
    assert first["cache-control"] == "private, no-cache"  # each time the task is looked at


def test_if_range_gives_the_part_only_of_the_object_that_it_names(link: str, recording: bytes) -> None:
    first = httpx.head(link).headers
    for condition in (first["etag"], first["last-modified"]):
        found = httpx.get(link, headers={"Range": "bytes=5-9", "If-Range": condition})
        assert (found.status_code, found.content) == (206, recording[5:10])
    for condition in ('"other"', f"W/{first['etag']}", "Mon, 01 Jan 2001 00:00:00 GMT"):
        found = httpx.get(link, headers={"Range": "bytes=5-9", "If-Range": condition})
        assert (found.status_code, found.content) == (200, recording)


def test_a_preflight_lets_a_page_without_origin_ask_for_ranges(link: str) -> None:
    asked = {"Origin": "null", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    found = httpx.options(link, headers=asked)
    assert (found.status_code, found.headers["access-control-allow-origin"]) == (204, "*")
    assert "range" in found.headers["access-control-allow-headers"].lower()
    assert httpx.post(link).status_code == httpx.put(link).status_code == httpx.delete(link).status_code == 405


def test_an_empty_object_is_empty(site: PortalSite, bench: Bench) -> None:
    bench.put("empty.csv", "")
    link = site.pages.files.granted_to(None)(f"s3://{BUCKET}/empty.csv")
    found = httpx.get(link)
    assert (found.status_code, found.content, found.headers["content-length"]) == (200, b"", "0")
    assert httpx.get(link, headers={"Range": "bytes=0-"}).status_code == 416


@pytest.mark.parametrize(
    ("key", "said", "shown"),
    [
        ("a.js", "binary/octet-stream", "javascript"),
        ("a.css", "application/octet-stream", "text/css"),
        ("a.png", "image/webp", "image/webp"),
        ("a.csv.gz", "binary/octet-stream", "application/octet-stream"),
        ("a", "binary/octet-stream", "application/octet-stream"),
    ],
)
def test_a_type_that_s3_does_not_know_is_the_name_s(
    site: PortalSite, bench: Bench, key: str, said: str, shown: str
) -> None:
    """Browsers may not guess, so scripts and styles that were stored without a type would not run."""
    bench.s3.put_object(Bucket=BUCKET, Key=key, Body=b"1", ContentType=said)
    found = httpx.get(site.pages.files.granted_to(None)(f"s3://{BUCKET}/{key}"))
    assert found.headers["content-type"].endswith(shown)


def test_packed_content_and_attachments_stay_so(site: PortalSite, bench: Bench) -> None:
    bench.s3.put_object(
        Bucket=BUCKET,
        Key="a.csv",
        Body=b"packed",
        ContentEncoding="gzip",
        ContentDisposition='attachment; filename="b"',
    )
    with httpx.stream("GET", site.pages.files.granted_to(None)(f"s3://{BUCKET}/a.csv")) as found:
        assert b"".join(found.iter_raw()) == b"packed"
    assert found.headers["content-encoding"] == "gzip"
    assert found.headers["content-disposition"] == "attachment; filename*=UTF-8''a.csv"


# -- who may read


def test_a_tab_that_is_open_for_eight_hours_goes_on(site: PortalSite, link: str, recording: bytes) -> None:
    site.bench.clock.pass_seconds(8 * HOUR)
    assert httpx.get(link).content == recording
    site.bench.clock.pass_seconds(2 * HOUR)
    over = httpx.get(link, headers={"Origin": "null"})
    assert over.status_code == 403
    assert over.text.startswith("The time for object 0 ran out at")
    assert over.headers["access-control-allow-origin"] == "*"  # so that the page can say it


def test_who_has_the_task_no_more_reads_nothing_more(site: PortalSite, recording: bytes) -> None:
    task = take(site, "Ada")
    link = link_of(site, task, "Ada")
    known = {"If-None-Match": httpx.head(link).headers["etag"]}
    site.engine.desk.release(task.id, "Ada")
    again = take(site, "Ben")
    assert again.object_id == task.object_id
    for headers in ({}, known, {"Range": "bytes=0-1"}):
        refused = httpx.get(link, headers=headers)
        assert (refused.status_code, refused.text) == (
            403, "This task for object 0 was released before. Take the next task.",
        )  # fmt: skip
    assert httpx.get(link_of(site, again, "Ben")).content == recording
    site.engine.desk.submit(again.id, "Ben", {"class": {"label": "Good Weld"}})
    assert httpx.get(link_of(site, take(site, "Ben"), "Ben")).status_code == 404  # of the next task


def test_a_submitted_task_s_files_are_closed(site: PortalSite) -> None:
    task = take(site, "Ada")
    link = link_of(site, task, "Ada")
    site.engine.desk.submit(task.id, "Ada", {"class": {"label": "Good Weld"}})
    assert httpx.get(link).status_code == 403


def test_another_worker_s_task_is_refused(site: PortalSite) -> None:
    task = take(site, "Ada")
    granted = site.pages.files.granted_to(WorkersTask(task.id, "Ben"))
    refused = httpx.get(granted(SOURCE))
    assert (refused.status_code, refused.text) == (
        403,
        f"There is no task {task.id} in your hands. Take the next task.",
    )
    unknown = httpx.get(site.pages.files.granted_to(WorkersTask("x", "Ada"))(SOURCE))
    assert unknown.status_code == 403


def parts_of(link: str) -> tuple[str, list[Any], str]:
    """What stands before, in, and behind what is signed."""
    origin, _, rest = link.partition("/files/")
    text, _, signature = rest.partition("/")[0].partition(".")
    return f"{origin}/files/", json.loads(base64.urlsafe_b64decode(text + "==")), signature


def test_no_other_object_or_task_is_reached_by_a_changed_link(site: PortalSite, link: str) -> None:
    before, said, signature = parts_of(link)
    changed = [
        [BUCKET, "input.manifest", *said[2:]],
        ["other", *said[1:]],
        [*said[:3], "Ben", *said[4:]],
        [*said[:2], None, "", 99999999999],
    ]
    for one in changed:
        text = base64.urlsafe_b64encode(json.dumps(one, separators=(",", ":")).encode()).decode().rstrip("=")
        found = httpx.get(f"{before}{text}.{signature}")
        assert (found.status_code, found.text) == (
            403, "This link to a file isn't one that this server made. Open the page again.",
        )  # fmt: skip


def test_a_token_that_is_none_is_refused(site: PortalSite, link: str) -> None:
    before, _, signature = parts_of(link)
    token = link.partition("/files/")[2].partition("/")[0]
    text = token.partition(".")[0]
    foreign = FileLinks(site.pages.origin, b"another server's").granted_to(None)(SOURCE)
    tries = ["x", "x.y", "..x", f"{text}.", f".{signature}", text, f"{token}=", f"{token}.", token[:-1], token.upper()]
    tries += ["%00", "%ED%A0%80.a", "%FF.%FF", "a" * 20_000, f"{text}%0A.{signature}", f"{token}%20"]
    for one in (*(f"{before}{found}" for found in tries), foreign):
        assert httpx.get(one).status_code == 403, one
    assert httpx.get(f"{before}{token}").status_code == 200  # the name behind it is for people


def test_the_owner_s_links_hold_for_a_day(site: PortalSite, recording: bytes) -> None:
    take(site, "Ada")
    (link,) = links_in(httpx.get(site.pages.links.of_object("Welds1", "0")).text)
    assert httpx.get(link).content == recording
    site.bench.clock.pass_seconds(24 * HOUR)
    assert httpx.get(link).status_code == 200
    site.bench.clock.pass_seconds(HOUR + 1)
    over = httpx.get(link)
    assert (over.status_code, over.text) == (403, "This link to a file could be read for a day. Open the page again.")


def test_a_page_gets_the_same_link_each_time(site: PortalSite) -> None:
    """So that a browser finds in its cache what it has."""
    task = take(site, "Ada")
    assert link_of(site, task, "Ada") == link_of(site, task, "Ada")
    owners = [site.pages.files.granted_to(None)(SOURCE) for _ in range(2)]
    assert owners[0] == owners[1]


@pytest.mark.parametrize("uri", [f"s3://{BUCKET}", f"s3://{BUCKET}/", "s3://..%2F/a", f"s3://{BUCKET}/{'x' * 1025}"])
def test_what_can_be_no_object_is_an_error_of_the_page(site: PortalSite, uri: str) -> None:
    page = site.pages.render("<p>{{ task.input.a | grant_read_access }}</p>", {"a": uri}, None)
    assert len(page.errors) == 1
    assert uri in page.errors[0].message


# -- pages that want presigned links


META = '<meta name="grant-read-access" content="presigned">'


@pytest.mark.parametrize("meta", [META, "<META content=presigned\n NAME='grant-read-access' />"])
def test_a_page_that_asks_for_them_gets_presigned_links(site: PortalSite, meta: str, recording: bytes) -> None:
    page = site.pages.render(f"{meta}{TEMPLATE}", {"source": SOURCE}, None)
    (link,) = links_in(page.html)
    storage = site.bench.s3.meta.endpoint_url
    assert link.startswith(f"{storage}/{BUCKET}/recordings/")
    assert httpx.get(link).content == recording
    policy = site.pages.respond(page.html).headers["content-security-policy"]
    for name in ("img-src", "media-src", "connect-src", "script-src", "style-src"):
        sources = next(part for part in policy.split("; ") if part.startswith(f"{name} ")).split()
        assert storage in sources
        assert f"{site.pages.origin}/files/" in sources


@pytest.mark.parametrize("meta", ["", META.replace("presigned", "files"), META.replace("presigned", "s3-links")])
def test_a_page_that_does_not_gets_files_and_its_owner_hears_of_a_slip(site: PortalSite, meta: str) -> None:
    (link,) = links_in(site.pages.render(f"{meta}{TEMPLATE}", {"source": SOURCE}, None).html)
    assert link.startswith(f"{site.pages.origin}/files/")
    _, remarks = site.pages.look_at_template(meta)
    assert [('content="s3-links"' in one, "presigned links" in one) for one in remarks] == (
        [(True, True)] if "s3-links" in meta else []
    )


# -- what S3 does


def test_an_object_that_is_not_there_is_named(site: PortalSite) -> None:
    take(site, "Ada")
    missing = link_of(site, take(site, "Ben"), "Ben")
    for method in ("GET", "HEAD"):
        found = httpx.request(method, missing)
        assert found.status_code == 404
    assert httpx.get(missing).text == (
        f"s3://{BUCKET}/missing.wav is not in S3. Put it there, or correct the data object that names it."
    )
    no_bucket = httpx.get(site.pages.files.granted_to(None)("s3://no-such-bucket/a"))
    assert (no_bucket.status_code, no_bucket.text.partition(" ")[0]) == (404, "s3://no-such-bucket/a")


def test_an_archived_object_is_said(site: PortalSite) -> None:
    site.bench.s3.put_object(Bucket=BUCKET, Key="old.wav", Body=b"1", StorageClass="GLACIER")
    found = httpx.get(site.pages.files.granted_to(None)(f"s3://{BUCKET}/old.wav"))
    assert (found.status_code, found.text) == (
        502, f"s3://{BUCKET}/old.wav is archived. Restore it in S3, and open the page again.",
    )  # fmt: skip


def client(endpoint: str, secret: str = "wrong", key: str = "wrong") -> "S3Client":
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=2)
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id=key, aws_secret_access_key=secret,
        config=config,
    )  # fmt: skip


def test_an_s3_that_refuses_or_is_not_there_is_said_in_a_line(bench: Bench, recording: bytes) -> None:
    for s3, status, said in (
        (client(str(bench.s3.meta.endpoint_url)), 502, "S3 refuses it to this server"),
        (client("http://127.0.0.1:1"), 503, "Could not connect to the endpoint URL"),
    ):
        with portal_site(bench, s3) as site:
            found = httpx.get(site.pages.files.granted_to(None)(SOURCE))
        assert found.status_code == status
        assert found.text.startswith(f"{SOURCE} can't be read")
        assert said in found.text
        assert len(found.text.splitlines()) == 1
        assert found.headers.get("retry-after") == ("5" if status == 503 else None)
        assert found.headers["content-type"] == "text/plain; charset=utf-8"


class Line:
    """The way to a real S3, on which answers break off, or nothing comes."""

    def __init__(self, s3: EmbeddedS3) -> None:
        self._s3 = s3
        self.broken = 0
        self.silent = False
        self.asked: list[str] = []
        line = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                line.pass_on(self)

            def do_HEAD(self) -> None:
                line.pass_on(self)

            def log_message(self, *_: object) -> None:
                """Nothing to tell."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def pass_on(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.asked.append(f"{handler.command} {handler.headers.get('Range', '')}".strip())
        if self.silent:
            time.sleep(3)
            return
        path = handler.path.removeprefix(self._s3.endpoint_url)
        found = httpx.request(handler.command, self._s3.endpoint_url + path, headers=dict(handler.headers))
        handler.send_response(found.status_code)
        for name, value in found.headers.items():
            if name not in ("date", "server"):
                handler.send_header(name, value)
        handler.end_headers()
        breaks = handler.command == "GET" and self.broken > 0
        self.broken -= breaks
        handler.wfile.write(found.content[: len(found.content) // 2] if breaks else found.content)

    def client(self) -> "S3Client":
        proxies = {"http": f"http://127.0.0.1:{self._server.server_port}"}
        config = Config(retries={"total_max_attempts": 1}, read_timeout=1, proxies=proxies)
        return self._s3.keys.session("eu-west-1").client("s3", endpoint_url=self._s3.endpoint_url, config=config)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def line(s3_server: EmbeddedS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    line = Line(s3_server)
    yield line
    line.close()


def test_a_part_that_breaks_off_is_asked_for_again_once(bench: Bench, recording: bytes, line: Line) -> None:
    with portal_site(bench, line.client()) as site:
        link = site.pages.files.granted_to(None)(SOURCE)
        line.broken = 1
        assert httpx.get(link, headers={"Range": "bytes=5-1000"}).content == recording[5:1001]
        assert line.asked == ["HEAD", "GET bytes=5-1000", "GET bytes=5-1000"]
        line.broken = 2
        found = httpx.get(link)
        assert (found.status_code, found.text.partition(" can't ")[0]) == (503, SOURCE)


def test_an_s3_that_says_nothing_is_said(bench: Bench, recording: bytes, line: Line) -> None:
    with portal_site(bench, line.client()) as site:
        line.silent = True
        found = httpx.get(site.pages.files.granted_to(None)(SOURCE), timeout=10)
        assert (found.status_code, found.text.partition(":")[0]) == (503, "s3")
        assert "can't be read now: Read timeout" in found.text


def large(folder: Path, size: int) -> Path:
    """A file put into the bucket's folder, of which each piece is another."""
    path = folder / "s3" / BUCKET / "large.bin"
    with path.open("wb") as file:
        for number in range(size // 1_000_000):
            file.write(number.to_bytes(4, "big") * 250_000)
    return path


def read(link: str, after_the_first_piece: Callable[[], object]) -> tuple[bytes, bool]:
    """Read a file to where it ends; tells whether it came as a whole."""
    came = bytearray()
    try:
        with httpx.stream("GET", link, timeout=30) as found:
            for piece in found.iter_raw():
                came += piece
                if len(came) == len(piece):
                    after_the_first_piece()
    except httpx.RemoteProtocolError:
        return bytes(came), False
    return bytes(came), True


def test_an_s3_that_goes_away_in_the_middle_breaks_the_file_off(
    s3_server: EmbeddedS3, tmp_path: Path, site: PortalSite, caplog: pytest.LogCaptureFixture
) -> None:
    path = large(tmp_path, 60_000_000)
    link = site.pages.files.granted_to(None)(f"s3://{BUCKET}/large.bin")
    came, complete = read(link, s3_server.close)
    assert not complete
    assert 0 < len(came) < 60_000_000
    with path.open("rb") as file:
        assert came == file.read(len(came))
    assert f"A file broke off in the middle: s3://{BUCKET}/large.bin can't be read now: " in caplog.text


def test_an_object_that_is_replaced_in_the_middle_is_never_two_in_one(tmp_path: Path, site: PortalSite) -> None:
    large(tmp_path, 60_000_000)
    link = site.pages.files.granted_to(None)(f"s3://{BUCKET}/large.bin")
    came, complete = read(link, lambda: site.bench.put("large.bin", "another"))
    assert not complete
    assert b"another" not in came
    assert httpx.get(link).text == "another"


def test_a_client_that_leaves_ends_the_reading(tmp_path: Path, site: PortalSite) -> None:
    large(tmp_path, 60_000_000)
    asked: list[str] = []
    site.bench.s3.meta.events.register("before-call.s3.GetObject", lambda params, **_: asked.append(params["url"]))
    link = site.pages.files.granted_to(None)(f"s3://{BUCKET}/large.bin")
    with contextlib.suppress(httpx.HTTPError), httpx.stream("GET", link) as found:
        next(found.iter_raw())
    wait_until(lambda: _still(asked))
    assert len(asked) < 20  # of 58 parts


def _still(asked: list[str]) -> bool:
    before = len(asked)
    time.sleep(0.3)
    return len(asked) == before


def test_two_hundred_megabytes_take_the_memory_of_a_few_parts(tmp_path: Path, site: PortalSite) -> None:
    """S3, the page origin and the browser's side are all in this process."""
    path = large(tmp_path, 200_000_000)
    link = site.pages.files.granted_to(None)(f"s3://{BUCKET}/large.bin")
    digest = hashlib.sha256()
    assert httpx.head(link).headers["content-length"] == "200000000"  # S3 has made its entity tag
    tracemalloc.start()
    try:
        with httpx.stream("GET", link, timeout=60) as found:
            for piece in found.iter_raw():
                digest.update(piece)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    with path.open("rb") as file:
        assert digest.digest() == hashlib.file_digest(file, "sha256").digest()
    assert most < 12_000_000
