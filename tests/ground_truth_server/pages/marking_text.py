"""Passages of a text selected in a browser as people do it: by mouse and by keys."""

from importlib.resources import files
from typing import Any

from tests.ground_truth_server.pages.worker_page_frame import Shown

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")

_EDGES = """([element, start, end]) => {
  const place = document.querySelector(element).shadowRoot.querySelector('.marked');
  place.scrollIntoView({ block: 'nearest' });
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT,
    (node) => (node.parentElement.closest('.tag') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
  const places = [];
  while (walker.nextNode()) {
    let at = 0;
    for (const character of walker.currentNode.data) {
      places.push([walker.currentNode, at, at + character.length]);
      at += character.length;
    }
  }
  const box = ([node, from, to]) => {
    const range = document.createRange(); range.setStart(node, from); range.setEnd(node, to);
    return range.getBoundingClientRect();
  };
  const [first, last] = [box(places[start]), box(places[end - 1])];
  return [first.left + 1, (first.top + first.bottom) / 2, last.right - 1, (last.top + last.bottom) / 2];
}"""


def edges(shown: Shown, element: str, start: int, end: int) -> tuple[float, float, float, float]:
    """Where the characters from ``start`` to ``end``, not included, begin and end on the screen."""
    left, top, right, bottom = shown.page.frames[1].evaluate(_EDGES, [element, start, end])
    return left, top, right, bottom


def drag_over(shown: Shown, element: str, start: int, end: int) -> None:
    """Select by the mouse."""
    left, top, right, bottom = edges(shown, element, start, end)
    shown.page.mouse.move(left, top)
    shown.page.mouse.down()
    shown.page.mouse.move((left + right) / 2, (top + bottom) / 2)
    shown.page.mouse.move(right, bottom)
    shown.page.mouse.up()
    shown.page.wait_for_timeout(50)


def click_at(shown: Shown, element: str, character: int) -> None:
    """Click on a character."""
    left, top, right, bottom = edges(shown, element, character, character + 1)
    shown.page.mouse.click((left + right) / 2, (top + bottom) / 2)
    shown.page.wait_for_timeout(50)


def faults(shown: Shown) -> list[str]:
    """What axe finds in the worker page."""
    frame = shown.page.frames[1]
    frame.evaluate(AXE)
    found: Any = frame.evaluate("axe.run({ resultTypes: ['violations'], iframes: false })")
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]
