"""The elements that mark a picture with shapes: drawn by real mouse, touch and key events, and their answers."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, expect

from tests.ground_truth_server.pages.drawing_page import Drawing, drawing, form, put_pictures
from tests.ground_truth_server.pages.worker_page_frame import Site, WorkerPages, served

MASKS = ("crowd-semantic-segmentation", "crowd-instance-segmentation")
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
SIZE = {"height": 400, "width": 600}
LABELS = "['Car', 'Bus', 'Tree']"
PICTURE = "{{ 's3://bucket/weld.png' | grant_read_access }}"


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


def opened(
    pages: WorkerPages, tag: str, attributes: str = "", labels: str = "['Car', 'Bus', 'Tree']", **options: Any
) -> Drawing:
    """A page with one element, written as an author would."""
    content = f'<{tag} name="marks" header="Mark it" src="{PICTURE}" labels="{labels}" {attributes}></{tag}>'
    return drawing(pages, form(content), tag, **options)


class TestAnswers:
    def test_a_box_takes_one_drag_and_a_label_one_key(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.drag((100, 80), (200, 150))
        found.press("2")
        found.drag((400, 300), (300, 250))
        found.click((500, 20), (580, 90))
        assert found.shown.submit() == {
            "marks": {
                "boundingBoxes": [
                    {"label": "Car", "left": 100, "top": 80, "width": 100, "height": 70},
                    {"label": "Bus", "left": 300, "top": 250, "width": 100, "height": 50},
                    {"label": "Bus", "left": 500, "top": 20, "width": 80, "height": 70},
                ],
                "inputImageProperties": SIZE,
            }
        }
        assert found.shown.errors == []

    def test_a_polygon(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-polygon")
        found.click((100, 100), (200, 100), (200, 200), (100, 100))
        found.press("3")
        found.click((300, 50), (400, 60), (350, 160), (340, 300), (340, 300))
        found.click((500, 50), (560, 60), (550, 160))
        found.press("Enter")
        assert found.shown.submit() == {
            "marks": {
                "polygons": [
                    {"label": "Car", "vertices": points((100, 100), (200, 100), (200, 200))},
                    {"label": "Tree", "vertices": points((300, 50), (400, 60), (350, 160), (340, 300))},
                    {"label": "Tree", "vertices": points((500, 50), (560, 60), (550, 160))},
                ],
                "inputImageProperties": SIZE,
            }
        }
        assert found.shown.errors == []

    def test_a_polyline(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-polyline", "label-colors=\"['#ff0000', 'blue', 'teal']\"")
        found.click((100, 100), (200, 120), (300, 300), (300, 300))
        assert [one["colour"] for one in found.do("element.labelList")] == ["#ff0000", "#0000ff", "#008080"]
        assert found.shown.submit() == {
            "marks": {
                "polylines": [{"label": "Car", "vertices": points((100, 100), (200, 120), (300, 300))}],
                "inputImageProperties": SIZE,
            }
        }

    def test_a_line(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-line")
        found.drag((100, 100), (250, 110))
        found.press("2")
        found.click((300, 300), (20, 390))
        assert found.shown.submit() == {
            "marks": {
                "lines": [
                    {"label": "Car", "vertices": points((100, 100), (250, 110))},
                    {"label": "Bus", "vertices": points((300, 300), (20, 390))},
                ],
                "inputImageProperties": SIZE,
            }
        }

    def test_a_keypoint(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-keypoint")
        found.click((100.5, 100.5))
        found.press("2")
        found.click((250.5, 330.5))
        found.drag((100.5, 100.5), (130.5, 90.5))
        assert found.shown.submit() == {
            "marks": {
                "keypoints": [{"label": "Car", "x": 130, "y": 90}, {"label": "Bus", "x": 250, "y": 330}],
                "inputImageProperties": SIZE,
            }
        }


def points(*places: tuple[int, int]) -> list[dict[str, int]]:
    return [{"x": x, "y": y} for x, y in places]


BOX = {"label": "Bus", "left": 10, "top": 20, "width": 30, "height": 40}
INITIAL: list[tuple[str, str, list[dict[str, Any]], bool]] = [
    (
        "crowd-bounding-box",
        "boundingBoxes",
        [{"label": "Bus", "left": 10, "top": 20, "width": 30, "height": 40}],
        False,
    ),
    ("crowd-polygon", "polygons", [{"label": "Car", "vertices": points((100, 100), (200, 100), (150, 180))}], False),
    ("crowd-polyline", "polylines", [{"label": "Car", "vertices": points((100, 100), (200, 100), (150, 180))}], True),
    ("crowd-line", "lines", [{"label": "Tree", "vertices": points((100, 100), (200, 100))}], True),
    ("crowd-keypoint", "keypoints", [{"label": "Bus", "x": 120, "y": 200}, {"label": "Car", "x": 20, "y": 1}], False),
]


class TestInitialValues:
    @pytest.mark.parametrize(("tag", "member", "marks", "nested"), INITIAL, ids=[one[0] for one in INITIAL])
    def test_unchanged_it_is_the_answer(
        self, pages: WorkerPages, tag: str, member: str, marks: list[dict[str, Any]], nested: bool
    ) -> None:
        value = json.dumps({member: marks} if nested else marks).replace('"', "&quot;")
        found = opened(pages, tag, f'initial-value="{value}"')
        expected = {member: marks, "inputImageProperties": SIZE, "initialValueModified": False}
        assert found.value() == expected
        found.press("PageDown", "ArrowRight")
        assert found.value()["initialValueModified"] is True
        assert found.value() != expected
        found.press("Control+z")
        assert found.value() == expected
        found.press("Control+Shift+z")
        assert found.value()["initialValueModified"] is True
        found.press("Delete", "Control+z", "Control+z")
        assert found.shown.submit() == {"marks": expected}

    @pytest.mark.parametrize("tag", [one[0] for one in INITIAL])
    def test_an_answer_reads_back_as_an_initial_value(self, pages: WorkerPages, tag: str) -> None:
        first = opened(pages, tag)
        first.click((100, 100), (200, 150), (200, 220), (200, 220))
        given = first.value()
        size = given.pop("inputImageProperties")
        value = json.dumps(given).replace('"', "&quot;")
        second = opened(pages, tag, f'initial-value="{value}"')
        assert second.value() == {**given, "inputImageProperties": size, "initialValueModified": False}
        assert all(len(marks) > 0 for marks in given.values())

    def test_loose_javascript_is_read(self, pages: WorkerPages) -> None:
        value = "[{label: 'Bus', left: 10, top: 20, width: 30, height: '40',},]"
        found = opened(
            pages, "crowd-bounding-box", f'initial-value="{value}"', labels="[&quot;Car&quot;, 'Bus', Tree,]"
        )
        assert found.do("element.labels") == ["Car", "Bus", "Tree"]
        assert found.value()["boundingBoxes"] == [BOX]

    def test_a_label_that_the_page_lacks(self, pages: WorkerPages) -> None:
        value = "[{label: 'Ship', left: 10, top: 20, width: 30, height: 40}]"
        found = opened(pages, "crowd-bounding-box", f'initial-value="{value}"')
        assert found.value()["boundingBoxes"][0]["label"] == "Ship"
        expect(found.shown.task.get_by_role("button", name="Ship", exact=False).first).to_be_visible()
        points_of = "[{label: 'Nose', x: 10, y: 20}, {label: 'Car', x: 1, y: 2}]"
        found = opened(pages, "crowd-keypoint", f'initial-value="{points_of}"')
        assert found.value()["keypoints"] == [{"label": "Car", "x": 1, "y": 2}]
        expect(found.shown.task.get_by_text("label “Nose” aren't shown")).to_be_visible()


class TestWorking:
    def test_move_reshape_relabel_and_delete(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.drag((100, 100), (200, 200))
        found.drag((200, 200), (250, 230))  # by its corner
        assert box(found) == (100, 100, 150, 130)
        found.drag((175, 100), (175, 60))  # by the handle of its upper edge
        assert box(found) == (100, 60, 150, 170)
        found.drag((250, 110), (240, 120))  # by its edge, which moves it
        assert box(found) == (90, 70, 150, 170)
        found.click((160, 160))
        found.drag((160, 160), (190, 150))  # once it is chosen, by any place in it
        assert box(found) == (120, 60, 150, 170)
        found.press("3")
        assert found.value()["boundingBoxes"][0]["label"] == "Tree"
        found.press("Delete")
        assert found.value()["boundingBoxes"] == []
        for _ in range(6):
            found.press("Control+z")
        assert box(found) == (100, 100, 100, 100)
        found.press("Control+z")
        assert found.value()["boundingBoxes"] == []
        for _ in range(7):
            found.press("Control+y")
        assert found.value()["boundingBoxes"] == []

    def test_a_box_in_a_box(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.drag((100, 100), (400, 300))
        found.drag((150, 150), (200, 200))
        found.drag((300, 150), (350, 200))
        assert len(found.value()["boundingBoxes"]) == 3
        found.click((170, 170))
        found.press("2")
        assert [one["label"] for one in found.value()["boundingBoxes"]] == ["Car", "Bus", "Car"]

    def test_nothing_leaves_the_picture(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.drag((500, 300), (640, 460))
        assert box(found) == (500, 300, 100, 100)
        found.click((550, 350))
        found.drag((550, 350), (40, 20))
        assert box(found) == (0, 0, 100, 100)

    def test_the_corners_of_a_polygon(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-polygon")
        found.click((100, 100), (300, 100), (300, 300), (100, 100))
        found.drag((300, 100), (350, 80))
        found.drag((200, 200), (150, 250))  # the middle of an edge becomes a corner
        corners = [(100, 100), (350, 80), (300, 300), (150, 250)]
        assert found.value()["polygons"][0]["vertices"] == points(*corners)
        found.press("Escape", "PageDown", "Enter", "Enter", "ArrowUp", "Shift+ArrowLeft")
        assert found.value()["polygons"][0]["vertices"] == points(corners[0], (340, 79), *corners[2:])
        found.press("Delete")
        assert found.value()["polygons"][0]["vertices"] == points(corners[0], *corners[2:])

    def test_while_a_polygon_is_open(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-polygon")
        found.click((100, 100), (300, 100), (300, 300))
        found.shown.task.get_by_role("button", name="Submit", exact=True).click()
        expect(found.shown.task.locator("crowd-form .status")).to_contain_text("Finish or cancel the polygon")
        found.shown.task.get_by_role("button", name="Remove point").click()
        expect(found.shown.task.get_by_role("button", name="Finish polygon")).to_be_disabled()
        found.click((200, 300))
        found.shown.task.get_by_role("button", name="Finish polygon").click()
        assert found.value()["polygons"][0]["vertices"] == points((100, 100), (300, 100), (200, 300))
        found.click((400, 100), (500, 100))
        found.press("Escape")
        assert len(found.value()["polygons"]) == 1

    def test_by_keyboard_alone(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.do("element.focus()")
        found.press("2")
        middle = (300, 200)
        found.press("ArrowRight", "Enter", *["Shift+ArrowRight"] * 4, *["Shift+ArrowDown"] * 3, "Enter")
        assert box(found) == (middle[0] + 1, middle[1], 40, 30)
        found.press(*["Shift+ArrowRight"] * 2, "Enter", "Shift+ArrowRight", "ArrowUp", "Enter")
        assert len(found.value()["boundingBoxes"]) == 2
        found.press("PageUp", "Shift+ArrowLeft", "ArrowDown")
        assert box(found) == (middle[0] - 9, middle[1] + 1, 40, 30)
        found.press("Enter", "ArrowLeft", "ArrowUp")  # its first corner
        assert box(found) == (middle[0] - 10, middle[1], 41, 31)
        found.press("Escape", "Delete")
        assert len(found.value()["boundingBoxes"]) == 1
        assert found.shown.errors == []

    def test_by_touch(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.touch([(100, 100), (150, 140), (200, 180)])
        assert box(found) == (100, 100, 100, 80)
        before = found.seen()
        found.touch([(280, 200), (240, 200), (200, 200)], [(320, 200), (360, 200), (400, 200)])
        assert found.seen() > 2 * before
        assert len(found.value()["boundingBoxes"]) == 1
        left = found.at((0, 0))[0]
        found.touch([(300, 200), (310, 200), (320, 200)], [(330, 230), (340, 230), (350, 230)])
        assert found.at((0, 0))[0] > left

    def test_wheel_and_keys_zoom_and_pan(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        at = found.at((450, 100))
        found.move((450, 100))
        fitted = found.seen()
        found.shown.page.mouse.wheel(0, -500)
        found.shown.page.wait_for_timeout(100)
        assert found.seen() > 1.5 * fitted
        assert found.at((450, 100)) == pytest.approx(at, abs=1)
        found.drag((450, 100), (460, 110))
        assert box(found) == (450, 100, 10, 10)
        found.press_down(" ")
        found.drag((450, 100), (430, 90))
        found.shown.page.keyboard.up(" ")
        assert found.at((450, 100))[0] < at[0] - 10
        assert len(found.value()["boundingBoxes"]) == 1
        found.press("f")
        assert found.seen() == fitted
        found.press("+", "+")
        assert found.seen() == pytest.approx(fitted * 1.25**2)
        place = found.at((0, 0))
        found.press("Alt+ArrowRight")
        assert found.at((0, 0)) == pytest.approx((place[0] - 80, place[1]), abs=0.01)

    def test_hidden_and_locked_labels(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.drag((100, 100), (300, 300))
        found.press("Escape")
        found.tool("Lock Car")
        found.click((200, 200))
        found.press("Delete")
        assert len(found.value()["boundingBoxes"]) == 1
        found.tool("Unlock Car")
        before = found.shown.task.locator("crowd-bounding-box .stage").screenshot()
        found.tool("Hide Car")
        assert found.shown.task.locator("crowd-bounding-box .stage").screenshot() != before
        found.press("PageDown", "Delete")
        assert len(found.value()["boundingBoxes"]) == 1
        found.press("h")
        found.click((200, 200))
        found.press("Delete")
        assert found.value()["boundingBoxes"] == []

    def test_the_list_of_all(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.drag((100, 100), (300, 300))
        found.drag((400, 100), (500, 300))
        found.shown.task.get_by_text("2 boxes", exact=True).click()
        found.shown.task.get_by_role("button", name="Car: 100, 100 · 200 × 200", exact=True).click()
        found.press("2")
        found.shown.task.get_by_role("button", name="Delete Car: 400, 100 · 100 × 200").click()
        assert found.value()["boundingBoxes"] == [
            {"label": "Bus", "left": 100, "top": 100, "width": 200, "height": 200}
        ]

    def test_brightness_contrast_crosshair_and_place(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        task = found.shown.task
        task.get_by_label("Picture", exact=True).click()
        task.get_by_label("Brightness").fill("180")
        task.get_by_label("Contrast").fill("150")
        expect(task.locator("canvas.picture")).to_have_css("filter", "brightness(1.8) contrast(1.5)")
        found.move((123.5, 45.5))
        expect(task.locator(".place")).to_have_text("x 123, y 45")
        stage = task.locator("canvas.marks")
        found.shown.page.wait_for_timeout(100)
        lined = painted(found)
        task.get_by_label("Crosshair").uncheck()
        found.move((124.5, 45.5))
        found.shown.page.wait_for_timeout(100)
        assert painted(found) < lined
        expect(stage).to_be_visible()


def painted(found: Drawing) -> int:
    """How many pixels of the marks' canvas aren't clear."""
    pixels: int = found.do(
        """(() => { const canvas = element.part('canvas.marks');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0; for (let at = 3; at < data.length; at += 4) count += data[at] > 0; return count; })()"""
    )
    return pixels


def box(found: Drawing) -> tuple[int, int, int, int]:
    first = found.value()["boundingBoxes"][0]
    return first["left"], first["top"], first["width"], first["height"]


# What people without one kind of cones see, in linear RGB: Machado, Oliveira and Fernandes, 2009.
DICHROMACIES = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* of linear RGB, rows of three."""
    xyz = np.clip(linear, 0, 1) @ TO_XYZ.T / (0.9505, 1, 1.089)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def test_colours_of_eight_labels_are_told_apart_by_anybody(pages: WorkerPages) -> None:
    found = opened(pages, "crowd-bounding-box", labels="['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']")
    colours = found.do("element.labelList.map((one) => one.colour)")
    shares = np.array([list(bytes.fromhex(colour[1:])) for colour in colours]) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    for matrix in DICHROMACIES.values():
        seen = lab(linear @ np.array(matrix).T)
        apart = np.linalg.norm(seen[:, None] - seen, axis=-1)
        assert apart[np.triu_indices(8, 1)].min() > 15


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "tag", [*(one[0] for one in INITIAL), "crowd-semantic-segmentation", "crowd-instance-segmentation"]
)
def test_axe_finds_nothing(pages: WorkerPages, tag: str, dark: bool) -> None:
    found = opened(pages, tag, dark=dark)
    found.drag((100, 100), (200, 150))
    found.press("c")
    found.drag((300, 300), (350, 350))
    task = found.shown.task
    found.do("(element.part('.all').open = true)")
    task.get_by_label("Picture", exact=True).click()
    found.shown.page.wait_for_timeout(100)
    sheet = task.locator(".sheet:visible").bounding_box()
    assert sheet is not None
    assert sheet["x"] >= 0
    found.shown.picture(f"{tag}-{'dark' if dark else 'light'}")
    frame = found.shown.page.frames[1]
    frame.evaluate(AXE)
    result: Any = frame.evaluate("axe.run({ resultTypes: ['violations'], iframes: false })")
    assert [(one["id"], one["nodes"][0]["html"]) for one in result["violations"]] == []


class TestForms:
    def test_nothing_to_label_must_be_said(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.shown.refuses("Mark at least one box, or tick “Nothing to label”.")
        found.shown.task.get_by_label("Nothing to label").check()
        assert found.shown.submit() == {"marks": {"boundingBoxes": [], "inputImageProperties": SIZE}}

    def test_enter_submits_and_digits_of_the_portal_choose_labels(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-bounding-box")
        found.shown.tell({"type": "key", "key": "3"})
        found.drag((100, 100), (300, 300))
        found.press("Enter")
        answer: Any = found.shown.answer()
        assert answer["marks"]["boundingBoxes"][0]["label"] == "Tree"

    def test_what_validators_of_pages_ask(self, pages: WorkerPages) -> None:
        """As the developer guide's validator of keypoints does."""
        script = """<script>document.querySelector('crowd-form').onsubmit = (event) => {
          const element = document.querySelector('crowd-keypoint');
          const keypoints = element.value.keypoints || element._submittableValue.keypoints;
          const isForm = element.form === event.target;
          window.asked = [keypoints.length, element.labels, isForm, element.getAttribute('labels')];
          if (keypoints.length >= 2) return;
          event.preventDefault();
          document.getElementById('told').textContent = 'Mark all.';
        };</script><p id="told"></p>"""
        content = f'<crowd-keypoint name="marks" src="{PICTURE}" labels="[\'A\',\'B\']"></crowd-keypoint>'
        found = drawing(pages, form(content) + script, "crowd-keypoint")
        found.click((100, 100))
        found.shown.task.get_by_role("button", name="Submit", exact=True).click()
        expect(found.shown.task.get_by_text("Mark all.")).to_be_visible()
        assert found.shown.evaluate("asked") == [1, ["A", "B"], True, "['A','B']"]
        found.press("2")
        found.click((200, 100))
        assert found.shown.submit() == {
            "marks": {
                "keypoints": [{"label": "A", "x": 100, "y": 100}, {"label": "B", "x": 200, "y": 100}],
                "inputImageProperties": SIZE,
            }
        }

    def test_an_element_made_by_a_late_script(self, pages: WorkerPages) -> None:
        script = f"""<script>setTimeout(() => {{
          const element = document.createElement('crowd-bounding-box');
          Object.assign(element, {{ labels: ['A', 'B'], header: 'Late' }});
          element.setAttribute('name', 'marks');
          element.src = "{PICTURE}";
          element.initialValue = [{{ label: 'B', left: 1, top: 2, width: 3, height: 4 }}];
          document.querySelector('crowd-form').append(element);
        }}, 50);</script>"""
        shown = pages.show(form("<p>Wait</p>") + script)
        shown.task.locator("crowd-bounding-box").wait_for()
        found = Drawing(shown, "crowd-bounding-box")
        shown.page.wait_for_timeout(300)
        shown.page.locator("iframe").focus()
        assert found.value()["boundingBoxes"] == [{"label": "B", "left": 1, "top": 2, "width": 3, "height": 4}]
        found.press("2")
        found.drag((100, 100), (200, 200))
        assert found.value()["boundingBoxes"][1]["label"] == "B"

    def test_several_on_a_page_in_tabs(self, pages: WorkerPages) -> None:
        one = f'<crowd-bounding-box name="first" src="{PICTURE}" labels="[\'A\']"></crowd-bounding-box>'
        other = f'<crowd-keypoint name="second" src="{PICTURE}" labels="[\'B\', \'C\']"></crowd-keypoint>'
        tabs = f'<crowd-tab header="Boxes">{one}</crowd-tab><crowd-tab header="Points">{other}</crowd-tab>'
        note = '<crowd-input name="note" label="Note"></crowd-input>'
        found = drawing(pages, form(f"<crowd-tabs>{tabs}</crowd-tabs>{note}"), "crowd-bounding-box")
        found.drag((100, 100), (200, 200))
        found.shown.task.get_by_role("button", name="Submit", exact=True).click()
        second = Drawing(found.shown, "crowd-keypoint")  # the form opened its tab
        found.shown.page.wait_for_timeout(200)
        second.press("2")
        second.click((50.5, 60.5))
        answer: Any = found.shown.submit()
        assert answer["first"]["boundingBoxes"][0]["width"] == 100
        assert answer["second"]["keypoints"] == [{"label": "C", "x": 50, "y": 60}]

    def test_a_former_answer_is_shown_again(self, pages: WorkerPages) -> None:
        found = opened(pages, "crowd-polygon")
        former = {
            "polygons": [{"label": "Bus", "vertices": points((1, 1), (50, 1), (50, 60))}],
            "inputImageProperties": SIZE,
        }
        found.do(f"{{ element.restore({json.dumps(former)}); }}".replace("{ ", "(() => { ").replace("; }", "; })()"))
        assert found.value() == former
        found.do("(element.value = {polygons: []}, 1)")
        assert found.value()["polygons"] == []
        found.do("(element.restore(null), element.restore('x'), element.restore({polygons: 3}), 1)")
        assert found.value()["polygons"] == []

    def test_a_disabled_element_is_to_look_at(self, pages: WorkerPages) -> None:
        value = "[{label: 'Bus', left: 100, top: 100, width: 300, height: 200}]"
        found = opened(pages, "crowd-bounding-box", f'initial-value="{value}"')
        found.do("(element.disabled = true, 1)")
        before = found.value()
        found.drag((50, 50), (90, 90))
        found.click((200, 200))
        found.press("Delete", "2", "ArrowLeft", "Control+z")
        assert found.value() == before
