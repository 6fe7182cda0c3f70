"""Portal, console and worker pages on two loopback origins over a real engine, for HTTP and for browsers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, expect
from starlette.applications import Starlette

from ground_truth_server.engine.engine import Engine
from ground_truth_server.pages.page_frame import create_page_frame
from ground_truth_server.pages.page_origin import PageOrigin, presigned_by
from ground_truth_server.portal.console import create_console
from ground_truth_server.portal.console_commands import Endpoints
from ground_truth_server.portal.portal import create_portal
from tests.ground_truth_server.engine.labeling import Bench

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCREENSHOTS = Path("build/screenshots/portal")
CATEGORIES = ["Good Weld", "Burn Through", "Lack of Fusion"]
TEMPLATE = """
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-classifier name="class" categories="['Good Weld', 'Burn Through', 'Lack of Fusion']"
      header="What is this weld?">
    <classification-target>
      <p>Weld {{ task.input.source }}</p>
      <svg viewBox="0 0 600 200" width="100%" role="img" aria-label="A seam">
        <rect width="600" height="200" fill="#aab2ba"/><rect y="80" width="600" height="40" fill="#6b6259"/></svg>
    </classification-target>
    <full-instructions header="Welds">Look at the seam.</full-instructions>
    <short-instructions>Choose what the weld is.</short-instructions>
  </crowd-classifier>
</crowd-form>
"""


@contextmanager
def serving(*apps: tuple[socket.socket, Starlette]) -> Iterator[None]:
    """Serve applications, each on its socket, until the block ends."""
    configs = [uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1) for _, app in apps]
    servers = [uvicorn.Server(config) for config in configs]
    threads = [
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        for server, (listener, _) in zip(servers, apps, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server in servers:
            server.should_exit = True
        for thread in threads:
            thread.join()


def listen(port: int = 0) -> tuple[socket.socket, str]:
    """A socket on loopback and its origin."""
    listener = socket.create_server(("127.0.0.1", port))
    # asyncio does this only for sockets whose protocol is said; without it each answer waits 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Site:
    """Something that a browser opens."""

    origin: str


@dataclass
class PortalSite(Site):
    """The portal under test."""

    pages: PageOrigin
    engine: Engine
    bench: Bench

    def client(self, worker: str = "") -> httpx.Client:
        """A client that is no browser, signed in or not."""
        cookies = {"worker": worker} if worker else {}
        return httpx.Client(base_url=self.origin, cookies=cookies, timeout=10)


@contextmanager
def portal_site(bench: Bench, s3_for_pages: "S3Client | None" = None, **options: object) -> Iterator[PortalSite]:
    """Open the engine of a bench with its portal before it; items' files come from another S3 where one is given."""
    (portal_socket, origin), (page_socket, page_origin) = listen(), listen()
    storage = bench.s3.meta.endpoint_url
    pages = PageOrigin(page_origin, origin, presigned_by(bench.s3), [storage], clock=bench.clock)
    with bench.engine(**options) as engine:
        console = create_console(engine, pages, bench.s3, Endpoints("http://127.0.0.1:8080", storage))
        portal = create_portal(engine, pages, console, bench.clock)
        frames = create_page_frame(pages, s3_for_pages or bench.s3, engine)
        with serving((portal_socket, portal), (page_socket, frames)):
            yield PortalSite(origin, pages, engine, bench)


@dataclass
class Worker:
    """A person in front of a browser of their own."""

    page: Page
    site: Site
    errors: list[str]

    @property
    def task(self) -> FrameLocator:
        return self.page.frame_locator("iframe:not(.coming, #beside *)")

    def note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def sees_task(self) -> None:
        expect(self.task.get_by_role("button", name="Submit", exact=True)).to_be_visible()

    def picture(self, name: str, *, full_page: bool = False) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full_page)


@contextmanager
def browsing(
    browser: Browser, site: Site, name: str = "", *, dark: bool = False, size: tuple[int, int] = (1280, 800)
) -> Iterator[Worker]:
    """Open a browser context, signed in as a worker where a name is given."""
    context = browser.new_context(
        base_url=site.origin,
        color_scheme="dark" if dark else "light",
        viewport={"width": size[0], "height": size[1]},
        permissions=["clipboard-read", "clipboard-write"],
    )
    if name:
        context.add_cookies([{"name": "worker", "value": name, "url": site.origin}])
    page = context.new_page()
    page.set_default_timeout(8000)
    worker = Worker(page, site, [])
    page.on("pageerror", lambda error: worker.errors.append(str(error)))
    page.on("console", worker.note)
    try:
        yield worker
    finally:
        context.close()
