"""Pictures, labels and initial values that are not what they should be: said, and nothing else is lost."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.ground_truth_server.pages.drawing_page import Drawing, drawing, form, picture, put_pictures
from tests.ground_truth_server.pages.worker_page_frame import Site, WorkerPages, served

ALL = [f"crowd-{one}" for one in ("bounding-box", "polygon", "polyline", "line", "keypoint")]
MASKS = ["crowd-semantic-segmentation", "crowd-instance-segmentation"]
NOTE = '<crowd-input name="note" label="Note"></crowd-input>'


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with served() as portal, served() as pages:
        put_pictures(pages)
        yield portal, pages


@pytest.fixture
def pages(browser: Browser, sites: tuple[Site, Site]) -> Iterator[WorkerPages]:
    pages = WorkerPages(browser, *sites)
    yield pages
    pages.close()


def opened(pages: WorkerPages, src: str, labels: str = "['A', 'B']", more: str = "", tag: str = ALL[0]) -> Drawing:
    content = f'<{tag} name="marks" src="{src}" labels="{labels}" {more}></{tag}>'
    return drawing(pages, form(content + NOTE), tag)


def weld(pages: WorkerPages) -> str:
    return f"{pages.pages.origin}/bucket/weld.png"


def told(found: Drawing, count: int = 1) -> list[str]:
    """What the owner is told."""
    found.shown.page.wait_for_function(
        "(count) => messages.filter((one) => one.type === 'trouble').length >= count", arg=count
    )
    return [message["text"] for message in found.shown.messages("trouble")]


@pytest.mark.parametrize("tag", [*ALL, *MASKS])
def test_a_picture_that_is_not_there(pages: WorkerPages, tag: str) -> None:
    found = opened(pages, f"{pages.pages.origin}/bucket/nothing.png", tag=tag)
    task = found.shown.task
    expect(task.locator(".trouble p")).to_contain_text("could not be loaded")
    assert told(found)[0].startswith(f'<{tag} name="marks">: The picture could not be loaded')
    task.get_by_role("textbox", name="Note").fill("kept")
    found.shown.refuses("Try again, or tick “Submit without this picture”.")
    task.get_by_label("Submit without this picture").check()
    assert found.shown.submit() == {"note": "kept"}


def test_a_picture_that_comes_at_the_second_try(pages: WorkerPages) -> None:
    found = opened(pages, f"{pages.pages.origin}/bucket/late.png")
    pages.pages.put("/bucket/late.png", picture(100, 80), "image/png", Access_Control_Allow_Origin="*")
    found.shown.task.get_by_role("button", name="Try again").click()
    expect(found.shown.task.locator(".trouble")).to_be_hidden()
    found.drag((10, 10), (30, 20))
    answer: Any = found.shown.submit()
    assert answer["marks"]["inputImageProperties"] == {"height": 80, "width": 100}


def test_what_is_no_picture(pages: WorkerPages) -> None:
    pages.pages.put("/bucket/text.png", "no picture", "image/png", Access_Control_Allow_Origin="*")
    found = opened(pages, f"{pages.pages.origin}/bucket/text.png")
    expect(found.shown.task.locator(".trouble p")).to_contain_text("none that this browser can show")
    found = opened(pages, "")
    expect(found.shown.task.locator(".trouble p")).to_contain_text("attribute src is missing or empty")


def test_a_picture_that_is_too_large(pages: WorkerPages) -> None:
    Image.MAX_IMAGE_PIXELS = None
    pages.pages.put("/bucket/huge.png", huge_png(20000, 15000), "image/png", Access_Control_Allow_Origin="*")
    found = opened(pages, f"{pages.pages.origin}/bucket/huge.png")
    expect(found.shown.task.locator(".trouble p")).to_contain_text("20000 × 15000 pixels; at most 268 megapixels")


def huge_png(width: int, height: int) -> bytes:
    written = BytesIO()
    Image.new("1", (width, height)).save(written, "PNG")
    return written.getvalue()


def test_a_picture_of_an_origin_that_lets_nobody_read_it(pages: WorkerPages) -> None:
    found = opened(pages, f"{pages.pages.origin}/bucket/closed.png")
    found.drag((100, 100), (200, 150))
    answer: Any = found.shown.submit()
    assert answer["marks"]["boundingBoxes"] == [{"label": "A", "left": 100, "top": 100, "width": 100, "height": 50}]
    assert answer["marks"]["inputImageProperties"] == {"height": 400, "width": 600}


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_picture_that_is_stored_turned(pages: WorkerPages, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    name = f"/bucket/turned{orientation}.jpg"
    pages.pages.put(name, picture(600, 400, "JPEG", exif=exif), "image/jpeg", Access_Control_Allow_Origin="*")
    found = opened(pages, pages.pages.origin + name)
    size = {3: {"height": 400, "width": 600}, 6: {"height": 600, "width": 400}}[orientation]
    expect(found.shown.task.get_by_text(f"stored turned (EXIF orientation {orientation})")).to_be_visible()
    found.drag((100, 100), (200, 150))
    assert found.value()["inputImageProperties"] == size
    assert found.value()["boundingBoxes"] == [{"label": "A", "left": 100, "top": 100, "width": 100, "height": 50}]
    assert "EXIF orientation" in told(found)[0]


@pytest.mark.parametrize(
    ("labels", "names", "said"),
    [
        ("['A', 'B', 'A']", ["A", "B"], "The label “A” is there twice"),
        ("Car", ["Car"], "labels is the text “Car”"),
        ("[' A car ', 'B', 'B']", [" A car ", "B"], "The label “B” is there twice"),
        ("['A', {label: 'B'}, null, 3, '']", ["A", "B", "3"], "labels holds null, which is no label"),
    ],
)
def test_labels_that_are_odd(pages: WorkerPages, labels: str, names: list[str], said: str) -> None:
    found = opened(pages, weld(pages), labels)
    assert found.do("element.labels") == names
    expect(found.shown.task.get_by_text(said)).to_be_visible()
    found.drag((100, 100), (200, 150))
    assert found.value()["boundingBoxes"][0]["label"] == names[0]
    assert said in told(found)[0]


@pytest.mark.parametrize("labels", ["", "[]", "{a: 1}", "['A', 'B'", "[" * 5000])
def test_labels_that_are_none(pages: WorkerPages, labels: str) -> None:
    found = opened(pages, weld(pages), labels)
    expect(found.shown.task.locator(".trouble p")).to_contain_text("There are no labels")
    found.drag((100, 100), (200, 150))
    found.shown.task.get_by_role("textbox", name="Note").fill("kept")
    found.shown.task.get_by_label("Submit without this picture").check()
    assert found.shown.submit() == {"note": "kept"}
    assert len(told(found, 2)) == 2


@pytest.mark.parametrize("tag", [ALL[0], *MASKS])
def test_two_hundred_labels(pages: WorkerPages, tag: str) -> None:
    labels = json.dumps([f"Part {nth}" for nth in range(200)]).replace('"', "&quot;")
    found = opened(pages, weld(pages), labels, tag=tag)
    colours = found.do("element.labelList.map((one) => one.colour)")
    assert len(set(colours)) == 200
    assert "#ffffff" not in colours
    found.do("element.focus()")
    found.press("/")
    found.shown.page.keyboard.type("part 157")
    found.press("Enter")
    found.drag((100, 100), (200, 150))
    value = found.value()
    if tag == ALL[0]:
        assert value["boundingBoxes"][0]["label"] == "Part 157"
    elif tag == MASKS[1]:
        assert value["instances"][0]["label"] == "Part 157"
    else:
        assert found.do("element.count") == 1
        assert "Part 157" in found.do("element.rows()[0].text")


OUTSIDE = [
    {"label": "A", "left": -50, "top": 20, "width": 100, "height": 50},
    {"label": "B", "left": 900, "top": 900, "width": 10, "height": 10},
]


def test_an_initial_value_outside_the_picture(pages: WorkerPages) -> None:
    value = json.dumps(OUTSIDE).replace('"', "&quot;")
    found = opened(pages, weld(pages), more=f'initial-value="{value}"')
    expect(found.shown.task.get_by_text("2 boxes of the initial value lie outside the picture")).to_be_visible()
    assert found.value()["boundingBoxes"] == OUTSIDE
    assert found.value()["initialValueModified"] is False
    found.press("PageDown", "ArrowLeft")
    assert found.value()["boundingBoxes"] == OUTSIDE
    found.press("Shift+ArrowRight")
    assert found.value()["boundingBoxes"] == [{**OUTSIDE[0], "left": -40}, OUTSIDE[1]]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            "[{label: 'A', left: 'x'}, {label: 'B', left: 1, top: 2, width: 3, height: 4}]",
            "Item 1 of the initial",
        ),
        ("[{label: 'B', left: 1, top: 2, width: 3, height: 4}, 7]", "Item 2 of the initial value is 7"),
        ("[{label: 'B', left: 1", "The initial value can't be read and isn't shown"),
        ("17", "The initial value is 17 and isn't shown; expected was a list."),
    ],
)
def test_an_initial_value_that_is_none(pages: WorkerPages, value: str, said: str) -> None:
    found = opened(pages, weld(pages), more=f'initial-value="{value}"')
    expect(found.shown.task.get_by_text(said)).to_be_visible()
    kept = [{"label": "B", "left": 1, "top": 2, "width": 3, "height": 4}] if "}" in value else []
    assert found.value()["boundingBoxes"] == kept
    found.drag((100, 100), (200, 150))
    assert len(found.value()["boundingBoxes"]) == len(kept) + 1
    assert said in told(found)[0]


def test_what_a_late_script_gives_was_never_missing(pages: WorkerPages) -> None:
    script = f"""<script>setTimeout(() => {{
      const element = document.querySelector('{MASKS[0]}');
      element.labels = ['A', 'B', 'C'];
      element.src = '{weld(pages)}';
    }}, 150);</script>"""
    found = drawing(pages, form(f'<{MASKS[0]} name="marks"></{MASKS[0]}>') + script, MASKS[0])
    found.shown.page.wait_for_timeout(800)
    found.press("3", "b")
    found.drag((100, 100), (200, 150))
    assert list(found.value()["labelMappings"]) == ["A", "B", "C"]
    assert found.do("element.rows()[0].text").startswith("C: ")
    expect(found.shown.task.locator(".remarks li")).to_have_count(0)
    assert found.shown.messages("trouble") == []


@pytest.mark.parametrize("tag", [ALL[0], MASKS[0]])
def test_a_former_answer_waits_for_the_picture(pages: WorkerPages, tag: str) -> None:
    first = opened(pages, weld(pages), tag=tag)
    first.drag((100, 100), (200, 150))
    former = first.value()
    second = opened(pages, "", tag=tag)
    second.do(f"(element.src = '{weld(pages)}', element.restore({json.dumps(former)}), 1)")
    assert second.value() == former
    second.shown.page.wait_for_timeout(800)
    assert second.value() == former
    second.drag((300, 300), (320, 320))
    assert second.value() != former


def test_hostile_texts_stay_texts(pages: WorkerPages) -> None:
    label = "<img src=x onerror=window.hit=1>"
    value = json.dumps([{"label": f"{label}2", "left": 1, "top": 2, "width": 3, "height": 4, "__proto__": {"x": 1}}])
    escaped = value.replace('"', "&quot;").replace("<", "&lt;")
    labels = f"[&quot;{label.replace('<', '&lt;')}&quot;, &quot;__proto__&quot;]"
    found = opened(pages, weld(pages), labels, f'initial-value="{escaped}"')
    found.press("2")
    found.drag((100, 100), (200, 150))
    assert [one["label"] for one in found.value()["boundingBoxes"]] == [f"{label}2", "__proto__"]
    found.shown.page.wait_for_timeout(200)
    assert found.shown.evaluate("window.hit === undefined")
