"""The elements that mark a picture with a mask: what is painted by real events is what another library reads."""

import base64
import json
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect

from tests.ground_truth_server.pages.drawing_page import Drawing, drawing, form, picture, put_pictures
from tests.ground_truth_server.pages.worker_page_frame import Site, WorkerPages, served

SEMANTIC = "crowd-semantic-segmentation"
INSTANCES = "crowd-instance-segmentation"
BLUE, ORANGE = (0x00, 0x72, 0xB2, 255), (0xE6, 0x9F, 0x00, 255)
UNPAINTED = (255, 255, 255, 0)


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


def opened(pages: WorkerPages, tag: str, attributes: str = "", name: str = "weld.png", **options: Any) -> Drawing:
    src = f"{{{{ 's3://bucket/{name}' | grant_read_access }}}}"
    content = f"<{tag} name='mask' header='Paint' src=\"{src}\" labels=\"['Car', 'Bus', 'Tree']\" {attributes}></{tag}>"
    return drawing(pages, form(content), tag, **options)


def pixels(answer: Any) -> NDArray[np.uint8]:
    image = Image.open(BytesIO(base64.b64decode(answer["labeledImage"]["pngImageData"])))
    assert image.format == "PNG"
    assert image.mode == "RGBA"
    return np.asarray(image)


def mask_of(array: NDArray[np.uint8], colour: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.asarray((array == np.array(colour, np.uint8)).all(axis=-1))


def without_image(answer: Any) -> Any:
    return {name: value for name, value in answer.items() if name != "labeledImage"}


def size_brush(found: Drawing, diameter: int) -> None:
    while found.do("parseInt(element.part('.size').textContent)") > diameter:
        found.press("[")
    while found.do("parseInt(element.part('.size').textContent)") < diameter:
        found.press("]")


def test_semantic_segmentation(pages: WorkerPages) -> None:
    found = opened(pages, SEMANTIC)
    found.press("p")
    found.click((100, 100), (300, 100), (300, 200), (100, 200), (100, 100))
    found.press("2", "b")
    size_brush(found, 20)
    found.drag((250, 300), (350, 300))
    answer: Any = found.shown.submit()
    assert without_image(answer["mask"]) == {
        "labelMappings": {"Car": {"color": "#0072b2"}, "Bus": {"color": "#e69f00"}, "Tree": {"color": "#009e73"}},
        "inputImageProperties": {"height": 400, "width": 600},
    }
    read = pixels(answer["mask"])
    expected = np.zeros((400, 600), bool)
    expected[100:200, 100:300] = True
    assert (mask_of(read, BLUE) == expected).all()
    y, x = np.mgrid[0:400, 0:600] + 0.5
    nearest = np.clip(x, 250, 350)
    stroke = (x - nearest) ** 2 + (y - 300) ** 2 < 10**2
    differing = mask_of(read, ORANGE) != stroke
    assert differing.sum() <= 4  # a place on the screen is a fraction of a pixel beside its place in the picture
    assert (mask_of(read, UNPAINTED) == ~(mask_of(read, BLUE) | mask_of(read, ORANGE))).all()
    assert found.shown.errors == []


def test_instance_segmentation(pages: WorkerPages) -> None:
    found = opened(pages, INSTANCES)
    found.press("p")
    found.click((100, 100), (200, 100), (200, 200), (100, 100))
    found.press("1")  # another instance of the same label
    found.click((300, 100), (400, 100), (400, 200), (300, 100))
    found.press("2")
    found.drag((450, 300), (550, 300), (550, 380), (450, 380))
    answer: Any = found.shown.submit()
    instances = answer["mask"]["instances"]
    assert [one["label"] for one in instances] == ["Car", "Car", "Bus"]
    assert len({one["color"] for one in instances}) == 3
    read = pixels(answer["mask"])
    expected = np.zeros((400, 600), bool)
    for nth, left in enumerate((100, 300)):
        colour = (*bytes.fromhex(instances[nth]["color"][1:]), 255)
        drawn = Image.new("1", (600, 400))
        ImageDraw.Draw(drawn).polygon([(left, 100), (left + 100, 100), (left + 100, 200)], fill=1)
        outline = mask_of(read, colour) ^ np.asarray(drawn)
        assert outline.sum() <= 310  # PIL takes the outline's pixels in, we take those whose middle lies within
        assert mask_of(read, colour).sum() == pytest.approx(100 * 100 / 2, abs=110)
        expected |= mask_of(read, colour)
    assert not expected[300:, 450:].any()


def test_eraser_locked_labels_undo_and_redo(pages: WorkerPages) -> None:
    found = opened(pages, SEMANTIC)
    found.press("p")
    found.click((100, 100), (300, 100), (300, 300), (100, 300), (100, 100))
    first = pixels(found.value())
    found.press("e")
    size_brush(found, 20)
    found.drag((200, 100), (200, 300))
    erased = pixels(found.value())
    assert 3000 < mask_of(first, BLUE).sum() - mask_of(erased, BLUE).sum() < 5000
    found.tool("Lock Car")
    found.press("2", "p")
    found.click((50, 50), (400, 50), (400, 350), (50, 350), (50, 50))
    painted = pixels(found.value())
    assert (mask_of(painted, BLUE) == mask_of(erased, BLUE)).all()
    assert mask_of(painted, ORANGE).sum() == 350 * 300 - mask_of(erased, BLUE).sum()
    found.press("Control+z")
    assert (pixels(found.value()) == erased).all()
    found.press("Control+z")
    assert (pixels(found.value()) == first).all()
    found.press("Control+z")
    assert not mask_of(pixels(found.value()), BLUE).any()
    found.press(*["Control+Shift+z"] * 3)
    assert (pixels(found.value()) == painted).all()


def test_an_instance_is_chosen_relabelled_and_deleted(pages: WorkerPages) -> None:
    found = opened(pages, INSTANCES)
    found.press("p")
    found.click((100, 100), (200, 100), (200, 200), (100, 100))
    found.press("n")
    found.click((300, 100), (400, 100), (400, 200), (300, 100))
    found.press("v")
    found.click((190, 120))
    found.press("3")
    assert [one["label"] for one in found.value()["instances"]] == ["Tree", "Car"]
    found.press("Delete")
    assert [one["label"] for one in found.value()["instances"]] == ["Car"]
    found.press("Control+z", "Control+z")
    assert [one["label"] for one in found.value()["instances"]] == ["Car", "Car"]
    found.shown.task.get_by_role("button", name="Delete 2 Car", exact=False).click()
    assert len(found.value()["instances"]) == 1


def test_by_touch_and_by_keys(pages: WorkerPages) -> None:
    found = opened(pages, SEMANTIC, name="small.png")
    size_brush(found, 1)
    found.touch([(5.5, 10.5), (10.5, 10.5), (20.5, 10.5)])
    read = mask_of(pixels(found.value()), BLUE)
    assert read[10, 5:21].all()
    assert read.sum() == 16
    found.do("element.focus()")
    found.press("2", "ArrowRight", "Enter", *["ArrowRight"] * 5, "Shift+Enter")
    read = mask_of(pixels(found.value()), ORANGE)
    assert read.sum() == 6
    assert read[15, 21:27].all()


VALUE = {"labelMappings": {"Car": {"color": "#FF0000"}, "Ship": {"color": "#00ff00"}}}


def png(array: NDArray[np.uint8]) -> bytes:
    written = BytesIO()
    Image.fromarray(array).save(written, "PNG")
    return written.getvalue()


def given_mask() -> NDArray[np.uint8]:
    given = np.full((400, 600, 3), 255, np.uint8)
    given[10:60, 20:90] = (255, 0, 0)
    given[200:399, 300:600] = (0, 255, 0)
    return given


def test_an_initial_mask_unchanged_is_the_answer(pages: WorkerPages) -> None:
    pages.pages.put("/bucket/mask.png", png(given_mask()), "image/png", Access_Control_Allow_Origin="*")
    value = {**VALUE, "src": f"{pages.pages.origin}/bucket/mask.png"}
    found = opened(pages, SEMANTIC, f"initial-value='{json.dumps(value)}'")
    answer = found.value()
    assert answer["initialValueModified"] is False
    assert {name: answer["labelMappings"][name] for name in ("Car", "Ship")} == VALUE["labelMappings"]
    colours = [mapping["color"].lower() for mapping in answer["labelMappings"].values()]
    assert len(set(colours)) == len(colours) == 4
    read = pixels(answer)
    assert (mask_of(read, UNPAINTED) == (given_mask() == 255).all(axis=-1)).all()
    assert (read[..., :3][~mask_of(read, UNPAINTED)] == given_mask()[~mask_of(read, UNPAINTED)]).all()
    found.press("1", "b")
    found.drag((300, 100), (320, 100))
    assert found.value()["initialValueModified"] is True
    found.press("Control+z")
    assert found.value() == answer
    assert found.shown.submit() == {"mask": answer}


@pytest.mark.parametrize("tag", [SEMANTIC, INSTANCES])
def test_an_answer_reads_back_as_an_initial_value(pages: WorkerPages, tag: str) -> None:
    first = opened(pages, tag)
    first.press("p")
    first.click((100, 100), (200, 100), (200, 200), (100, 100))
    first.press("2")
    first.click((300, 100), (400, 100), (400, 200), (300, 100))
    given = first.value()
    value = {name: given[name] for name in given if name in ("labelMappings", "instances")}
    value["src"] = f"data:image/png;base64,{given['labeledImage']['pngImageData']}"
    second = opened(pages, tag, f"initial-value='{json.dumps(value)}'")
    assert second.value() == {**given, "initialValueModified": False}
    third = opened(pages, tag)
    third.do(f"element.restore({json.dumps(given)})")
    third.shown.page.wait_for_timeout(300)
    assert third.value() == given
    assert third.shown.errors == []


def test_a_mask_of_another_size_or_with_other_colours_is_told(pages: WorkerPages) -> None:
    given = given_mask()[::2, ::2].copy()
    given[150:160, 10:20] = (1, 2, 3)
    value = {**VALUE, "src": f"data:image/png;base64,{base64.b64encode(png(given)).decode()}"}
    found = opened(pages, SEMANTIC, f"initial-value='{json.dumps(value)}'")
    expect(found.shown.task.get_by_text("has 300 × 200 pixels, the picture 600 × 400")).to_be_visible()
    expect(found.shown.task.get_by_text("#010203 of 400 pixels for one")).to_be_visible()
    assert mask_of(pixels(found.value()), (255, 0, 0, 255))[10:60, 20:90].all()


def test_a_mask_that_is_missing_ends_in_no_empty_answer(pages: WorkerPages) -> None:
    value = {**VALUE, "src": "/bucket/nothing.png"}
    found = opened(pages, SEMANTIC, f"initial-value='{json.dumps(value)}'")
    expect(found.shown.task.get_by_text("mask of the initial value could not be loaded")).to_be_visible()
    found.shown.refuses("Submit without this picture")


def test_twelve_megapixels_are_exact_and_small(pages: WorkerPages) -> None:
    """A mask as a worker would leave it, 25 regions with rough outlines, and the time that its PNG takes."""
    pages.pages.put("/bucket/large.jpg", picture(4000, 3000, "JPEG"), "image/jpeg", Access_Control_Allow_Origin="*")
    truth = Image.new("P", (4000, 3000))
    draw = ImageDraw.Draw(truth)
    random = np.random.default_rng(11)
    for nth in range(25):
        x, y = 400 + 800 * (nth % 5), 300 + 600 * (nth // 5)
        angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
        radius = 260 + 25 * random.standard_normal(120).cumsum() / 6
        corners = [(float(x + r * np.cos(a)), float(y + r * np.sin(a))) for a, r in zip(angles, radius, strict=True)]
        draw.polygon(corners, fill=1 + nth % 3)
    colours = np.array([UNPAINTED, (0, 114, 178, 255), (230, 159, 0, 255), (0, 158, 115, 255)], np.uint8)
    given = colours[np.asarray(truth)]
    value = {
        "labelMappings": {"Car": {"color": "#0072b2"}, "Bus": {"color": "#e69f00"}, "Tree": {"color": "#009e73"}},
        "src": f"{pages.pages.origin}/bucket/rough.png",
    }
    pages.pages.put("/bucket/rough.png", png(given), "image/png", Access_Control_Allow_Origin="*")
    found = opened(pages, SEMANTIC, f"initial-value='{json.dumps(value)}'", name="large.jpg")
    begun = time.monotonic()
    answer = found.value()
    seconds = time.monotonic() - begun
    read = pixels(answer)
    painted = given[..., 3] == 255
    assert (read[painted] == given[painted]).all()
    assert (read[~painted] == UNPAINTED).all()
    size = len(base64.b64decode(answer["labeledImage"]["pngImageData"]))
    assert size <= 300_000
    assert seconds < 5  # a fifth of a second where nothing else runs
