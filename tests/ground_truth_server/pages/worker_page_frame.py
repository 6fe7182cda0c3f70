"""Worker pages in a real browser: framed as the portal frames them, by servers of two origins on loopback."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FrameLocator, Page, expect

from ground_truth_server.pages import crowd
from ground_truth_server.pages.worker_page import SANDBOX, PageAssets, content_security_policy, render

SCREENSHOTS = Path("build/screenshots/worker-pages")

PORTAL = """<!doctype html><meta charset=utf-8><title>portal</title>
<meta name=color-scheme content="light dark">
<style>body {{ margin: 0 }} iframe {{ display: block; width: 100%; height: 100vh; border: 0 }}</style>
<script>window.messages = []; window.secret = "portal only";
addEventListener("message", (event) => messages.push({{ ...event.data, origin: event.origin }}));</script>
<iframe title="Task" sandbox="{sandbox}" src="{src}"></iframe>"""


@dataclass
class Site:
    """One origin: paths to (content type, body, headers)."""

    origin: str = ""
    files: dict[str, tuple[str, bytes, dict[str, str]]] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)

    def put(self, path: str, body: str | bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> str:
        data = body.encode() if isinstance(body, str) else body
        self.files[path] = (kind, data, {name.replace("_", "-"): value for name, value in headers.items()})
        return self.origin + path


@contextmanager
def served() -> Iterator[Site]:
    site = Site(files={"/favicon.ico": ("image/x-icon", b"", {})})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requested.append(self.path)
            path = self.path.partition("?")[0]
            kind, body, headers = site.files.get(path, ("text/plain", b"", {}))
            status = 200 if path in site.files else 404
            if status == 200 and (asked := self.headers["Range"]):
                begin, _, end = asked.removeprefix("bytes=").partition("-")  # players leave the end open
                first, last = int(begin), min(int(end or len(body)), len(body) - 1)
                headers = {**headers, "Content-Range": f"bytes {first}-{last}/{len(body)}"}
                status, body = 206, body[first : last + 1]
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Keep the test's output readable."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class WorkerPages:
    """Renders templates and shows them in the portal's frame."""

    browser: Browser
    portal: Site
    pages: Site
    contexts: list[BrowserContext] = field(default_factory=list)

    def show(
        self,
        template: str,
        task_input: Mapping[str, Any] | None = None,
        *,
        dark: bool = False,
        size: tuple[int, int] = (1280, 800),
        hosted: bool = False,
        touch: bool = False,
    ) -> "Shown":
        context = self.browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": size[0], "height": size[1]},
            has_touch=touch,
        )
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        shown = Shown(page, [])
        page.on("pageerror", lambda error: shown.errors.append(str(error)))
        page.on("console", shown.note)
        page.goto(self._frame(template, task_input or {}, hosted))
        page.wait_for_function("messages.some((message) => message.type === 'ready')")
        return shown

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def _frame(self, template: str, task_input: Mapping[str, Any], hosted: bool) -> str:
        script = self.pages.put("/crowd.js", crowd.SERVED_SCRIPT, "text/javascript; charset=utf-8")
        assets = PageAssets(
            crowd_script=None if hosted else script,
            bridge=self.pages.put("/bridge.js", crowd.BRIDGE, "text/javascript; charset=utf-8"),
            portal_origin=self.portal.origin,
        )
        rendered = render(template, task_input, self._presign, assets)
        assert rendered.errors == ()
        policy = content_security_policy(
            assets_origin=self.pages.origin,
            portal_origin=self.portal.origin,
            storage_origins=[self.pages.origin],
        )
        src = self.pages.put("/task", rendered.html, Content_Security_Policy=policy)
        return self.portal.put("/", PORTAL.format(sandbox=SANDBOX, src=src))

    def _presign(self, uri: str) -> str:
        return f"{self.pages.origin}/{uri.removeprefix('s3://')}?X-Amz-Expires=900&X-Amz-Signature=1"


@dataclass
class Shown:
    """A worker page on a portal's page."""

    page: Page
    errors: list[str]

    def note(self, message: ConsoleMessage) -> None:
        """Keep what the browser complains about, a refusal by the page's policy for one."""
        if message.type == "error":
            self.errors.append(message.text)

    @property
    def task(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    def evaluate(self, script: str) -> object:
        """Run a script inside the worker page."""
        return self.page.frames[1].evaluate(script)

    def messages(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate(
            "(kind) => messages.filter((message) => message.type === kind)", kind
        )
        return found

    def answer(self) -> object:
        """The one answer that reached the portal, waited for."""
        self.page.wait_for_function("messages.some((message) => message.type === 'answer')")
        (message,) = self.messages("answer")
        return message["answer"]

    def submit(self) -> object:
        """Press the submit button and take the answer."""
        self.task.get_by_role("button", name="Submit", exact=True).click()
        return self.answer()

    def refuses(self, problem: str) -> None:
        """Press the submit button and see that the page says what is wrong instead of sending."""
        self.task.get_by_role("button", name="Submit", exact=True).click()
        expect(self.task.locator("crowd-form .status")).to_contain_text(problem)
        assert self.messages("answer") == []

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message from the portal to the page."""
        self.page.evaluate(f"document.querySelector('iframe').contentWindow.postMessage({json.dumps(message)}, '*')")

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")
