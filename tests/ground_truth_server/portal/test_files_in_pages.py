"""Items' files in worker pages, in a browser: shown, fetched by parts and sought in, from a bucket without CORS."""

import io
import math
import struct
import wave
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from matplotlib.image import imread
from playwright.sync_api import Browser, Page, Request, expect

from ground_truth_server.pages.page_origin import presigned_by
from tests.conftest import ROOT
from tests.ground_truth_server.engine.labeling import BUCKET, Bench, request, wait_until
from tests.ground_truth_server.portal.portal_site import PortalSite, Worker, browsing, portal_site

WELD = ROOT / "labeling_job" / "sample" / "images" / "weld.1.png"
HOUR = 3600


@pytest.fixture
def site(bench: Bench) -> Iterator[PortalSite]:
    with portal_site(bench) as site:
        yield site


@pytest.fixture
def ada(browser: Browser, site: PortalSite) -> Iterator[Worker]:
    with browsing(browser, site, "Ada") as worker:
        yield worker


def put(site: PortalSite, key: str, body: bytes, kind: str) -> str:
    site.bench.s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=kind)
    return f"s3://{BUCKET}/{key}"


def begin(site: PortalSite, template: str, *items: dict[str, str]) -> None:
    site.bench.put("template.liquid.html", template)
    site.bench.put_manifest(items)
    site.engine.create(request("Welds1", TaskTimeLimitInSeconds=10 * HOUR))
    wait_until(lambda: site.engine.ledger.progress("Welds1").get("open"))


def open_page(site: PortalSite, worker: Worker, template: str, **item: str) -> None:
    begin(site, template, {"source": "1", **item})
    worker.page.goto("/jobs/Welds1")
    expect(worker.page.locator("iframe:not(.coming)")).to_be_visible()


PICTURE = """
<crowd-form><crowd-image-classifier name="class" src="{{ task.input.image | grant_read_access }}"
  categories="['Good Weld', 'Burn Through']" header="What is it?"></crowd-image-classifier></crowd-form>
<img id="seen" src="{{ task.input.image | grant_read_access }}" alt="The weld">
"""
SIZE_SHOWN = "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"


def size_in(path: Path) -> list[int]:
    """Width and height as the file's header has them."""
    return list(struct.unpack(">II", path.read_bytes()[16:24]))


@pytest.mark.parametrize("kind", ["image/png", "binary/octet-stream"])
def test_a_picture_is_shown_also_after_eight_hours(site: PortalSite, ada: Worker, kind: str) -> None:
    image = put(site, "images/weld.png", WELD.read_bytes(), kind)
    open_page(site, ada, PICTURE, image=image)
    assert ada.task.locator("#seen").evaluate(SIZE_SHOWN) == size_in(WELD)
    ada.picture(f"file-{kind.partition('/')[0]}")
    site.bench.clock.pass_seconds(8 * HOUR)
    again = "image => new Promise((done, failed) => Object.assign(new Image(), { src: image.src + '?again', onload() {"
    again += " done([this.naturalWidth, this.naturalHeight]); }, onerror: failed }))"
    assert ada.task.locator("#seen").evaluate(again) == size_in(WELD)
    assert ada.errors == []


FETCH = """
<crowd-form><p id="link">{{ task.input.recording | grant_read_access }}</p></crowd-form>
"""
PARTS = """async (holder) => {
  const link = holder.textContent, found = {};
  const bytes = async (answer) => [...new Uint8Array(await answer.arrayBuffer())];
  for (const range of ["bytes=1000-1009", "bytes=-7", "bytes=99995-"]) {
    const answer = await fetch(link, { headers: { Range: range } });
    const headers = ["Content-Range", "Content-Length", "ETag", "Accept-Ranges"];
    found[range] = [answer.status, await bytes(answer), headers.map((name) => answer.headers.get(name))];
  }
  const all = await fetch(link);
  found.whole = [all.status, await bytes(all)];
  const etag = all.headers.get("ETag");
  const known = await fetch(link, { headers: { "If-None-Match": etag }, cache: "no-store" });
  found.known = [known.status, await bytes(known)];
  const behind = await fetch(link, { headers: { Range: "bytes=100000-" } });
  found.behind = [behind.status, await behind.text()];
  return found;
}"""


def test_a_page_fetches_parts_from_a_bucket_without_cors(site: PortalSite, ada: Worker, tmp_path: Path) -> None:
    body = bytes(range(256)) * 390 + bytes(160)
    recording = put(site, "recordings/weld.bin", body, "application/octet-stream")
    open_page(site, ada, FETCH, recording=recording)
    on_disk = (tmp_path / "s3" / BUCKET / "recordings" / "weld.bin").read_bytes()
    assert on_disk == body
    found = ada.task.locator("#link").evaluate(PARTS)
    etag = site.bench.s3.head_object(Bucket=BUCKET, Key="recordings/weld.bin")["ETag"]
    for asked, first, last in (
        ("bytes=1000-1009", 1000, 1009), ("bytes=-7", 99_993, 99_999), ("bytes=99995-", 99_995, 99_999),
    ):  # fmt: skip
        length = str(last + 1 - first)
        headers = [f"bytes {first}-{last}/100000", length, etag, "bytes"]
        assert found[asked] == [206, list(on_disk[first : last + 1]), headers]
    assert found["whole"] == [200, list(on_disk)]
    assert found["known"] == [304, []]
    status, text = found["behind"]
    assert (status, f"s3://{BUCKET}/recordings/weld.bin has 100000 bytes" in text) == (416, True)


def test_a_page_reads_why_a_file_is_refused(site: PortalSite, ada: Worker) -> None:
    open_page(site, ada, FETCH, recording=put(site, "a.csv", b"1", "text/csv"))
    site.bench.clock.pass_seconds(10 * HOUR)
    read = "(holder) => fetch(holder.textContent).then(async (found) => [found.status, await found.text()])"
    status, text = ada.task.locator("#link").evaluate(read)
    assert (status, text.partition(" at ")[0]) == (403, "The time for object 0 ran out")


def tone(seconds: int) -> bytes:
    """A recording of 88,200 bytes a second."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)
        second = b"".join(struct.pack("<h", int(9000 * math.sin(number / 16))) for number in range(44_100))
        file.writeframes(second * seconds)
    return content.getvalue()


SEEK = """audio => new Promise((done, failed) => {
  audio.onerror = () => failed(new Error(audio.error.message));
  audio.onloadedmetadata = () => { audio.currentTime = 500; };
  audio.onseeked = () => done([audio.currentTime, Math.round(audio.duration), audio.seekable.end(0) > 599]);
  audio.preload = "metadata";
  audio.src = audio.dataset.src;
})"""


@pytest.mark.parametrize("element", ["audio", "video"])
def test_seeking_in_a_recording_reads_the_part(site: PortalSite, ada: Worker, element: str) -> None:
    body = tone(600)
    sound = put(site, "recordings/weld.wav", body, "audio/wav")
    asked: list[Request] = []
    ada.page.on("request", lambda one: asked.append(one) if "/files/" in one.url else None)
    page = f"<crowd-form><{element} data-src='{{{{ task.input.sound | grant_read_access }}}}'></{element}></crowd-form>"
    open_page(site, ada, page, sound=sound)
    assert ada.task.locator(element).evaluate(SEEK) == [500, 600, True]
    starts = [int(one.all_headers()["range"].removeprefix("bytes=").partition("-")[0]) for one in asked]
    assert any(abs(start - 500 * 88_200) < 2_000_000 for start in starts), starts


CONTENT = """
<link rel="stylesheet" href="{{ task.input.style | grant_read_access }}">
<script src="{{ task.input.script | grant_read_access }}"></script>
<crowd-form><p id="styled">x</p><iframe id="plot" title="Plot" src="{{ task.input.plot | grant_read_access }}"></iframe>
</crowd-form>
"""
# What an HTML file of the bucket finds out about where it is.
PROBE = b"""<!doctype html><title>Plot</title><p id="found"></p><script>
(async () => {
  const tried = { origin: self.origin };
  try { tried.cookie = document.cookie; } catch { tried.cookie = "refused"; }
  try { tried.storage = String(localStorage.length); } catch { tried.storage = "refused"; }
  try { tried.pages = await (await fetch("/crowd/bridge.js")).text(); } catch { tried.pages = "refused"; }
  document.getElementById("found").textContent = JSON.stringify(tried);
})();
</script>"""
FOUND = '{"origin":"null","cookie":"refused","storage":"refused","pages":"refused"}'


def test_a_page_brings_scripts_styles_and_plots_in_the_bucket(site: PortalSite, ada: Worker) -> None:
    """Also where nobody said of which type they are."""
    kind = "binary/octet-stream"
    item = {
        "script": put(site, "own.js", b"document.title = 'ran';", kind),
        "style": put(site, "own.css", b"#styled { color: rgb(1, 2, 3); }", kind),
        "plot": put(site, "plot.html", PROBE, kind),
    }
    open_page(site, ada, CONTENT, **item)
    expect(ada.task.locator("#styled")).to_have_css("color", "rgb(1, 2, 3)")
    assert ada.task.locator("html").evaluate("() => document.title") == "ran"
    expect(ada.task.frame_locator("#plot").locator("#found")).to_have_text(FOUND)


DRAWING = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text id="found" y="9">none</text><script>
  document.getElementById("found").textContent = self.origin;
</script></svg>"""


def opened_in_a_tab(site: PortalSite, browser: Browser, uri: str) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.pages.files.granted_to(None)(uri))
    yield page
    context.close()


def test_html_and_svg_that_are_opened_by_themselves_have_no_origin(site: PortalSite, browser: Browser) -> None:
    for page in opened_in_a_tab(site, browser, put(site, "plot.html", PROBE, "text/html")):
        expect(page.locator("#found")).to_have_text(FOUND)
    for page in opened_in_a_tab(site, browser, put(site, "drawing.svg", DRAWING, "image/svg+xml")):
        expect(page.locator("#found")).to_have_text("null")
        assert page.evaluate("self.origin") == "null"


def test_pictures_and_recordings_that_are_opened_by_themselves_are_shown(site: PortalSite, browser: Browser) -> None:
    for page in opened_in_a_tab(site, browser, put(site, "weld.png", WELD.read_bytes(), "image/png")):
        assert page.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]") == size_in(WELD)
    for page in opened_in_a_tab(site, browser, put(site, "weld.wav", tone(2), "audio/wav")):
        page.wait_for_function("document.querySelector('video').duration > 1.9")


# A red square.
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>endobj
4 0 obj<</Length 25>>stream
1 0 0 rg 0 0 200 200 re f
endstream endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def test_a_pdf_is_shown_in_a_tab(site: PortalSite, browser: Browser) -> None:
    for page in opened_in_a_tab(site, browser, put(site, "log.pdf", PDF, "application/pdf")):
        wait_until(partial(has_red_square, page), 20)


def has_red_square(page: Page) -> bool:
    shown = imread(io.BytesIO(page.screenshot()), format="png")
    red = (shown[..., 0] > 0.9) & (shown[..., 1] < 0.1) & (shown[..., 2] < 0.1)
    return bool(red.sum() > 10_000)


@pytest.mark.parametrize("kind", ["application/pdf;a=b, text/html", "application/pdf, text/html", "text/html;x=.pdf"])
def test_html_that_passes_for_a_pdf_has_no_origin(site: PortalSite, browser: Browser, kind: str) -> None:
    for page in opened_in_a_tab(site, browser, put(site, "log.pdf", PROBE, kind)):
        assert page.evaluate("self.origin") == "null"


def test_a_page_has_a_way_to_a_pdf(site: PortalSite, ada: Worker) -> None:
    page = "<crowd-form><iframe src='{{ task.input.log | grant_read_access }}'></iframe></crowd-form>"
    open_page(site, ada, page, log=put(site, "log.pdf", PDF, "application/pdf"))
    link = ada.task.get_by_role("link", name="Open the PDF in a new tab")
    address = link.get_attribute("href")
    assert address is not None
    assert address.endswith("/log.pdf")
    headers = ada.page.request.get(address).headers
    assert "sandbox" not in headers["content-security-policy"]
    assert headers["content-type"] == "application/pdf"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("brought", [False, True], ids=["asked for by meta", "brought in the task input"])
def test_presigned_links_are_shown_too(site: PortalSite, ada: Worker, brought: bool) -> None:
    image = put(site, "images/weld.png", WELD.read_bytes(), "image/png")
    if brought:
        page, item = "<img id='seen' src='{{ task.input.image }}'>", presigned_by(site.bench.s3)(image)
    else:
        meta = '<meta name="grant-read-access" content="presigned">'
        page, item = f"{meta}<img id='seen' src='{{{{ task.input.image | grant_read_access }}}}'>", image
    open_page(site, ada, f"<crowd-form>{page}</crowd-form>", image=item)
    assert ada.task.locator("#seen").evaluate(SIZE_SHOWN) == size_in(WELD)
    shown = ada.task.locator("#seen").get_attribute("src")
    assert shown is not None
    assert shown.startswith(f"{site.bench.s3.meta.endpoint_url}/{BUCKET}/images/weld.png?")


def test_the_console_shows_an_object_s_files(site: PortalSite, browser: Browser) -> None:
    image = put(site, "images/weld.png", WELD.read_bytes(), "image/png")
    begin(site, PICTURE, {"source": "1", "image": image})
    with browsing(browser, site) as owner:
        owner.page.goto("/console/jobs/Welds1/objects/0")
        seen = owner.page.frame_locator("iframe").locator("#seen")
        assert seen.evaluate(SIZE_SHOWN) == size_in(WELD)
        assert (seen.get_attribute("src") or "").startswith(f"{site.pages.origin}/files/")
        assert owner.errors == []
