"""What published pages reach for inside crowd elements, overlays, a slider's second progress and icons, in Chromium."""

import base64
import re
import struct
import zlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from ground_truth_server.pages import crowd
from tests.ground_truth_server.pages.test_plain_fields import SCRIPT, form
from tests.ground_truth_server.pages.worker_page_frame import Shown, Site, WorkerPages, served


def png(width: int, height: int, pixel: dict[tuple[int, int], tuple[int, int, int]], ground: tuple[int, ...]) -> bytes:
    """A PNG by its specification, without a library: some pixels on a ground."""
    rows = b"".join(b"\0" + b"".join(bytes(pixel.get((x, y), ground)) for x in range(width)) for y in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PHOTOGRAPH = png(200, 100, {}, (60, 70, 80))
MASK = png(200, 100, {(x, y): (255, 127, 14) for x in range(50, 100) for y in range(20, 60)}, (255, 255, 255))


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with served() as portal, served() as pages:
        pages.put("/bucket/photograph.png", PHOTOGRAPH, "image/png")
        pages.put("/bucket/mask.png", MASK, "image/png")
        yield portal, pages


@pytest.fixture
def pages(browser: Browser, sites: tuple[Site, Site]) -> Iterator[WorkerPages]:
    pages = WorkerPages(browser, *sites)
    yield pages
    pages.close()


def test_a_second_tier_of_categories_below_the_first(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<crowd-classifier name="kind" header="Which kind?" categories="['Pore', 'Crack']">
               <classification-target>A seam</classification-target></crowd-classifier><div id="kept"></div>"""
        )
        + """<script>
          const NEXT = { Pore: ['single', 'cluster'], Crack: ['hot', 'cold'] };
          document.addEventListener('all-crowd-elements-ready', () => {
            const classifier = document.querySelector('crowd-classifier');
            const picker = classifier.shadowRoot.querySelector('.annotation-area .category-picker-wrapper');
            const card = document.createElement('crowd-card');
            picker.insertAdjacentElement('afterend', card);
            classifier.addEventListener('change', (event) => {
              const questions = NEXT[event.target.value];
              kept.innerHTML = questions.map((q) => `<input type="checkbox" name="more" value="${q}" hidden>`).join('');
              card.innerHTML = '';
              for (const q of questions) card.innerHTML += `<label><input type="checkbox" value="${q}"> ${q}</label>`;
              for (const box of card.querySelectorAll('input')) {
                box.onchange = () => { kept.querySelector(`[value="${box.value}"]`).checked = box.checked; };
              }
            });
          });
        </script>"""
    )
    shown.task.get_by_role("radio", name="Crack").check()
    shown.task.get_by_label("cold").check()
    picker = shown.task.locator(".category-picker-wrapper").bounding_box()
    card = shown.task.locator("crowd-card").bounding_box()
    assert picker
    assert card
    assert card["y"] >= picker["y"] + picker["height"]
    assert shown.submit() == {"kind": {"label": "Crack"}, "more": {"hot": False, "cold": True}}
    assert shown.errors == []


def test_a_page_widens_instructions_where_it_finds_them(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<crowd-classifier-multi-select name="c" categories="['a', 'b']">
               <full-instructions header="How to">At length.</full-instructions>
               <short-instructions>Briefly.</short-instructions></crowd-classifier-multi-select>"""
        )
        + """<script>document.addEventListener('all-crowd-elements-ready', () => {
          const inside = document.querySelector('crowd-classifier-multi-select').shadowRoot;
          inside.querySelector('.awsui-app-layout__navigation').style.width = '400px';
          inside.querySelector('.awsui-modal-dialog').style.maxWidth = '90%';
        });</script>"""
    )
    side = shown.task.locator(".awsui-app-layout__navigation").bounding_box()
    assert side
    assert side["width"] == 400
    shown.task.get_by_role("button", name="View full instructions").click()
    dialog = shown.task.get_by_role("dialog", name="How to").bounding_box()
    assert dialog
    assert dialog["width"] == pytest.approx(0.9 * 1280, abs=2)


@pytest.mark.parametrize("element", ["crowd-classifier", "crowd-image-classifier"])
def test_a_classifiers_value_is_an_answer_and_as_a_text_its_category(pages: WorkerPages, element: str) -> None:
    shown = pages.show(form(f"""<{element} name="c" categories="['a', 'b']"></{element}>"""))
    value = f"document.querySelector('{element}').value"
    read = f"[{value}.label, `${{{value}}}`]"
    assert shown.evaluate(read) == [None, ""]
    shown.task.get_by_role("radio", name="b").check()
    assert shown.evaluate(read) == ["b", "b"]
    assert shown.submit() == {"c": {"label": "b"}}


def overlaid(pages: WorkerPages, overlay: str, *, dark: bool = False) -> Shown:
    shown = pages.show(
        form(
            f"""<crowd-image-classifier name="review" header="Is it marked well?" categories="['good', 'bad']"
                src="{{{{ 's3://bucket/photograph.png' | grant_read_access }}}}" overlay='{overlay}'>
                <worker-comment>Say why.</worker-comment></crowd-image-classifier>"""
        ),
        {"mask": "s3://bucket/mask.png"},
        dark=dark,
    )
    shown.evaluate("document.querySelector('crowd-image-classifier').shadowRoot.querySelector('.image').decode()")
    return shown


@pytest.mark.parametrize("dark", [False, True])
def test_boxes_of_an_earlier_task_lie_where_they_were_drawn(pages: WorkerPages, dark: bool) -> None:
    overlay = """{"boundingBox": {labels: ["bird", "cat"], value: [
      {height: 40, label: "bird", left: 20, top: 10, width: 60},
      {height: 20, label: "cat", left: 150, top: 70, width: 50}]},}"""
    shown = overlaid(pages, overlay, dark=dark)
    picture = shown.task.locator(".image").bounding_box()
    boxes = [one.bounding_box() for one in shown.task.locator(".over .box").all()]
    assert picture
    assert boxes[0]
    assert boxes[1]
    scale = picture["width"] / 200
    for box, (left, top, width, height) in zip(boxes, [(20, 10, 60, 40), (150, 70, 50, 20)], strict=True):
        assert box is not None
        assert (box["x"] - picture["x"]) / scale == pytest.approx(left, abs=0.6)
        assert (box["y"] - picture["y"]) / scale == pytest.approx(top, abs=0.6)
        assert box["width"] / scale == pytest.approx(width, abs=0.6)
        assert box["height"] / scale == pytest.approx(height, abs=0.6)
    shown.picture(f"overlay-boxes-{'dark' if dark else 'light'}")
    shown.task.get_by_label("Show what was marked").uncheck()
    expect(shown.task.locator(".over")).to_be_hidden()
    shown.task.get_by_role("radio", name="good").check()
    assert shown.submit() == {"review": {"label": "good"}}


def test_a_mask_lies_over_its_picture_without_its_white_ground(pages: WorkerPages) -> None:
    overlay = """{"semanticSegmentation": {"labels": ["Cat", "Dog"],
      "labelMappings": {"Cat": {"color": "#ff7f0e"}, "Dog": {"color": "#2ca02c"}},
      "src": "{{ task.input.mask | grant_read_access }}", }}"""
    shown = overlaid(pages, overlay)
    shown.evaluate("document.querySelector('crowd-image-classifier').shadowRoot.querySelector('.over img').decode()")
    expect(shown.task.locator(".legend li")).to_have_text(["Cat", "Dog"])
    shown.task.get_by_label("Strength").fill("100")
    shown.picture("overlay-mask-light")
    seen = shown.task.locator(".picture").screenshot()
    inside, ground = colours_of(shown, seen, [(75, 40), (150, 80)])
    assert inside == (255, 127, 14)
    assert ground == (60, 70, 80)


def colours_of(shown: Shown, picture: bytes, points: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    """The colours of points of the photograph in a screenshot of it, read by the browser."""
    found = shown.page.evaluate(
        """async ([data, points]) => {
          const image = new Image(); image.src = 'data:image/png;base64,' + data; await image.decode();
          const canvas = new OffscreenCanvas(image.width, image.height); const paint = canvas.getContext('2d');
          paint.drawImage(image, 0, 0);
          const scale = image.width / 200;
          return points.map(([x, y]) => [...paint.getImageData(x * scale, y * scale, 1, 1).data]);
        }""",
        [base64.b64encode(picture).decode(), points],
    )
    return [tuple(rgba[:3]) for rgba in found]


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ("{boundingBox: [", "can&#39;t be shown: a value was expected at character 16, where the end is"),
        ("[1]", "an object was expected"),
        ('{"polygon": {}}', "the overlay has polygon, and boundingBox or semanticSegmentation was expected"),
        ('{"boundingBox": {"value": "none"}}', "boundingBox.value isn&#39;t a list of boxes"),
        ('{"boundingBox": {"value": [{"left": 1}]}}', "1 of 1 boxes have no left, top, width and height"),
        (
            '{"boundingBox": {"value": [{"left": 190, "top": 0, "width": 20, "height": 5}]}}',
            "1 of 1 boxes reach outside the picture of 200 × 100 pixels",
        ),
        ('{"semanticSegmentation": {}}', "semanticSegmentation.src isn&#39;t the address of a mask"),
    ],
)
def test_an_overlay_that_cannot_be_shown_is_said(pages: WorkerPages, overlay: str, said: str) -> None:
    shown = overlaid(pages, overlay)
    expect(shown.task.get_by_role("note")).to_contain_text(said.replace("&#39;", "'"))
    shown.task.get_by_role("radio", name="bad").check()
    assert shown.submit() == {"review": {"label": "bad"}}


def test_a_picture_that_does_not_load_is_said(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<crowd-image-classifier name="c" categories="['a']"
                 src="{{ 's3://bucket/none.png' | grant_read_access }}"></crowd-image-classifier>"""
        )
    )
    expect(shown.task.get_by_role("note")).to_contain_text("The picture can't be loaded.")


def test_a_sliders_second_progress_and_its_labels(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<style>crowd-slider { --crowd-slider-secondary-color: rgb(0, 114, 178); }</style>
               <crowd-slider name="seen" label="Seen" min="10" max="50" value="20" secondary-progress="40">
                 <crowd-slider-label>none</crowd-slider-label><crowd-slider-label>all</crowd-slider-label></crowd-slider>
               <crowd-slider name="plain" label="Plain"></crowd-slider>"""
        )
    )
    track = shown.task.locator(".track").first.bounding_box()
    second = shown.task.locator(".second").first
    box = second.bounding_box()
    assert track
    assert box
    assert box["width"] == pytest.approx(0.75 * track["width"], abs=1)
    assert second.evaluate("(bar) => getComputedStyle(bar).backgroundColor") == "rgb(0, 114, 178)"
    expect(shown.task.locator(".second").nth(1)).to_be_hidden()
    expect(shown.task.get_by_text("none", exact=True)).to_be_visible()
    shown.task.get_by_role("slider", name="Seen").press("ArrowRight")
    assert shown.submit() == {"seen": 21, "plain": 0}


def test_each_icon_is_a_drawing_within_its_square(pages: WorkerPages) -> None:
    block = crowd.SCRIPT.partition("const ICONS = {")[2].partition("};")[0]
    names = re.findall(r'^ *"?([a-z-]+)"?: "', block, re.MULTILINE)
    assert {"thumb-up", "visibility", "zoom-in", "rotate-left", "play-arrow", "favorite", "undo", "star"} <= set(names)
    icons = "".join(f'<iron-icon icon="icons:{name}" title="{name}"></iron-icon> ' for name in names)
    shown = pages.show(f"{SCRIPT}<style>iron-icon {{ margin: 8px; zoom: 1.5 }}</style>{icons}")
    shown.picture("icons")
    faulty = shown.evaluate(
        """[...document.querySelectorAll('iron-icon')].filter((one) => {
          const { x, y, width, height } = one.shadowRoot.querySelector('path').getBBox();
          return width + height < 8 || x < -0.5 || y < -0.5 || x + width > 24.5 || y + height > 24.5;
        }).map((one) => one.icon)"""
    )
    assert faulty == []
