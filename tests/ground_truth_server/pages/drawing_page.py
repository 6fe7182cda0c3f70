"""Pages whose elements mark a picture, worked on by real mouse, touch and key events."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import Any

from PIL import Image
from playwright.sync_api import CDPSession

from tests.ground_truth_server.pages.worker_page_frame import Shown, Site, WorkerPages

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
Place = tuple[float, float]

_SEEN = """async (tag) => {
  await customElements.whenDefined(tag);
  const element = document.querySelector(tag);
  const isWaiting = () => !element.picture && !element.trouble;
  for (let nth = 0; nth < 400 && isWaiting(); nth += 1) await new Promise((go) => setTimeout(go, 20));
  await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
  return element.trouble;
}"""


def form(content: str) -> str:
    return f"{SCRIPT}<crowd-form>{content}</crowd-form>"


def picture(width: int, height: int, kind: str = "PNG", **options: Any) -> bytes:
    """A picture with something in it."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.paste((180, 90, 40), (width // 4, height // 4, width // 2, height // 2))
    written = BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


@dataclass
class Drawing:
    """An element that marks a picture, on a page in the portal's frame; places are those of the picture."""

    shown: Shown
    tag: str

    @property
    def element(self) -> str:
        return f"document.querySelector('{self.tag}')"

    def at(self, place: Place) -> Place:
        """Where a place of the picture lies in the window."""
        frame = self.shown.page.locator("iframe").bounding_box()
        found: Any = self.shown.evaluate(
            f"""() => {{ const {{ left, top }} = {self.element}.stage.getBoundingClientRect();
            const [x, y] = {self.element}.view.toStage([{place[0]}, {place[1]}]); return [left + x, top + y]; }}"""
        )
        assert frame is not None
        return frame["x"] + found[0], frame["y"] + found[1]

    def move(self, place: Place) -> None:
        self.shown.page.mouse.move(*self.at(place))

    def click(self, *places: Place, modifiers: Sequence[str] = ()) -> None:
        for key in modifiers:
            self.press_down(key)
        for place in places:
            self.move(place)
            self.shown.page.mouse.down()
            self.shown.page.mouse.up()
        for key in modifiers:
            self.shown.page.keyboard.up(key)

    def press_down(self, key: str) -> None:
        self.shown.page.keyboard.down(key)

    def drag(self, *places: Place) -> None:
        self.move(places[0])
        self.shown.page.mouse.down()
        for start, end in pairwise(places):
            self.move(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
            self.move(end)
        self.shown.page.mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.shown.page.keyboard.press(key)

    def touch(self, *fingers: Sequence[Place]) -> None:
        """Move fingers from place to place of the picture, all of them at once, and lift them."""
        browser = self.shown.page.context.new_cdp_session(self.shown.page)
        ways = [[self.at(place) for place in finger] for finger in fingers]
        for step, kind in enumerate(["touchStart", *["touchMove"] * (len(ways[0]) - 1)]):
            _touch(browser, kind, [way[step] for way in ways])
        _touch(browser, "touchEnd", [])

    def do(self, script: str) -> Any:
        """Ask the element something."""
        return self.shown.evaluate(f"((element) => {script})({self.element})")

    def tool(self, name: str) -> None:
        self.shown.task.locator(self.tag).get_by_role("button", name=name, exact=True).click()

    def value(self) -> Any:
        return self.do("element._submittableValue")

    def seen(self, view: str = "element.view.scale") -> Any:
        return self.do(view)


def _touch(browser: CDPSession, kind: str, places: Sequence[Place]) -> None:
    points = [{"x": x, "y": y, "id": nth} for nth, (x, y) in enumerate(places)]
    browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def drawing(pages: WorkerPages, template: str, tag: str, task_input: Any = None, **options: Any) -> Drawing:
    """Open a page and wait for its picture, or for what is said in its place."""
    shown = pages.show(template, task_input or {}, **options)
    shown.page.frames[1].evaluate(_SEEN, tag)
    shown.page.locator("iframe").focus()  # as the portal does
    return Drawing(shown, tag)


def put_pictures(pages: Site) -> None:
    anyone = {"Access_Control_Allow_Origin": "*"}
    pages.put("/bucket/weld.png", picture(600, 400), "image/png", **anyone)
    pages.put("/bucket/small.png", picture(40, 30), "image/png", **anyone)
    pages.put("/bucket/closed.png", picture(600, 400), "image/png")
