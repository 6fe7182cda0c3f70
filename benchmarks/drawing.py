"""Pictures to draw on, of 50 megapixels: ``python -m benchmarks.drawing``.

A worker page in Chromium, its files from loopback: how long until a picture of 50 megapixels can be drawn on, how many
frames a second it is moved with at several zooms, the same with 500 boxes, and what the PNG of a painted mask
of 12 megapixels takes.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Final

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.judge import Judge
from ground_truth_server.pages import crowd
from ground_truth_server.pages.worker_page import PageAssets, render

CHROMIUM: Final = "/usr/bin/chromium"
# Moves the picture with each frame, as fast as frames come, and gives the milliseconds of each.
_PAN: Final = """async ([tag, zoom, frames]) => {
  const element = document.querySelector(tag), times = [];
  element.fit();
  element.zoom(zoom);
  const next = () => new Promise(requestAnimationFrame);
  await next();
  for (let frame = 0; frame < frames; frame += 1) {
    const begin = performance.now();
    element.pan(frame % 40 < 20 ? 7 : -7, frame % 20 < 10 ? 4 : -4);
    await next();
    await next();
    times.push((performance.now() - begin) / 2);
  }
  return times;
}"""
_OPENED: Final = """async (tag) => {
  const element = document.querySelector(tag);
  while (!element.picture) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now();
}"""
_PLACE: Final = """([tag, x, y]) => {
  const { stage, view } = document.querySelector(tag), { left, top } = stage.getBoundingClientRect();
  const [atX, atY] = view.toStage([x, y]);
  return [left + atX, top + atY];
}"""
_PNG: Final = """(tag) => {
  const element = document.querySelector(tag), begin = performance.now();
  const { length } = element._submittableValue.labeledImage.pngImageData;
  return [performance.now() - begin, length * 3 / 4];
}"""


class _Files(ThreadingHTTPServer):
    """What pages load, by path: content type and body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, tuple[str, bytes]] = {"/favicon.ico": ("image/x-icon", b"")}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def put(self, path: str, kind: str, body: bytes) -> str:
        self.files[path] = (kind, body)
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: _Files

    def do_GET(self) -> None:
        kind, body = self.server.files[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Print nothing but figures."""


def main() -> int:
    """Measure, print, and judge."""
    judge = Judge()
    files = _Files()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        _large(browser, files, judge)
        _mask(browser, files, judge)
        browser.close()
    files.shutdown()
    return 1 if judge.failed else 0


def _photograph(width: int, height: int) -> bytes:
    """A picture that is as hard to open as a photograph: with noise, which JPEG can't leave out."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[0:height, 0:width]
    noise = random.integers(0, 16, (height, width), dtype=np.uint8)
    shade = ((x // 34) % 200 + (y // 23) % 40).astype(np.uint8) + noise
    written = BytesIO()
    Image.fromarray(np.stack([shade, shade[::-1], 255 - shade], axis=-1)).save(written, "JPEG", quality=85)
    return written.getvalue()


def _open(browser: Browser, files: _Files, tag: str, src: str, more: str = "") -> Page:
    script = files.put("/crowd.js", "text/javascript", crowd.SERVED_SCRIPT.encode())
    bridge = files.put("/bridge.js", "text/javascript", crowd.BRIDGE.encode())
    element = f"<{tag} name=\"a\" src=\"{src}\" labels=\"['Pore', 'Crack', 'Spatter']\" {more}></{tag}>"
    html = render(f"<crowd-form>{element}</crowd-form>", {}, str, PageAssets(script, bridge)).html
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.goto(files.put("/page", "text/html; charset=utf-8", html.encode()))
    return page


def _large(browser: Browser, files: _Files, judge: Judge) -> None:
    tag = "crowd-bounding-box"
    src = files.put("/large.jpg", "image/jpeg", _photograph(8688, 5792))
    times = []
    for _ in range(3):
        page = _open(browser, files, tag, src)
        times.append(float(page.evaluate(_OPENED, tag)))
        page.close()
    judge("50 megapixels: opened after", min(times), "ms", most=2000)
    page = _open(browser, files, tag, src)
    page.evaluate(_OPENED, tag)
    page.wait_for_timeout(4000)  # until its halvings are made
    for zoom in (1.0, 3.0, 12.0, 60.0):
        _pan(judge, f"50 megapixels, zoomed by {zoom:.0f}", page.evaluate(_PAN, [tag, zoom, 60]))
    page.close()
    random = np.random.default_rng(5)
    boxes = [
        f"{{label: '{('Pore', 'Crack', 'Spatter')[nth % 3]}', left: {x}, top: {y}, width: {wide}, height: {high}}}"
        for nth, (x, y, wide, high) in enumerate(random.integers((0, 0, 40, 40), (8000, 5000, 600, 600), (500, 4)))
    ]
    page = _open(browser, files, tag, src, f'initial-value="[{", ".join(boxes)}]"')
    page.evaluate(_OPENED, tag)
    page.wait_for_timeout(4000)
    for zoom in (1.0, 12.0):
        _pan(judge, f"and 500 boxes, zoomed by {zoom:.0f}", page.evaluate(_PAN, [tag, zoom, 60]))
    page.close()


def _pan(judge: Judge, what: str, times: Any) -> None:
    judge(what, 1000 / float(np.median(times)), "frames/s", least=30)
    judge("of its frames 95 % within", float(np.percentile(times, 95)), "ms")


def _mask(browser: Browser, files: _Files, judge: Judge) -> None:
    tag = "crowd-semantic-segmentation"
    page = _open(browser, files, tag, files.put("/middle.jpg", "image/jpeg", _photograph(4000, 3000)))
    page.evaluate(_OPENED, tag)
    for nth in range(12):
        x, y = 500 + 900 * (nth % 4), 500 + 900 * (nth // 4)
        around = [(x + 250 * np.cos(angle), y + 250 * np.sin(angle)) for angle in np.linspace(0, 6, 12)]
        page.keyboard.press(str(1 + nth % 3))
        for step, (at_x, at_y) in enumerate(around):
            place = page.evaluate(_PLACE, [tag, at_x, at_y])
            page.mouse.move(*place)
            if step == 0:
                page.mouse.down()
        page.mouse.up()
    milliseconds, size = page.evaluate(_PNG, tag)
    judge("a mask of 12 megapixels: its PNG is made in", milliseconds, "ms", most=500)
    judge("and has", size / 1000, "kB", most=300)
    _pan(judge, "moved with the mask", page.evaluate(_PAN, [tag, 3.0, 60]))


if __name__ == "__main__":
    sys.exit(main())
