"""The welding job's worker page, in a browser: `labeling_job/worker-task.liquid.html` as the job's."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from labeling.job import load
from labeling.worker_page import page
from playwright.sync_api import Browser, FloatRect, Locator, expect

from tests.ground_truth_server.pages.worker_page_frame import WorkerPages, served

ROOT = Path(__file__).parents[3]
JOB = load(ROOT / "labeling_job/job.toml")
TEMPLATE = page(JOB, (ROOT / "labeling_job/worker-task.liquid.html").read_text(encoding="utf-8"))
PLOTS = {"current": "current", "voltage": "voltage", "electrode": "electrode_pos"}
NOTHING_MARKED = '{"regions":[]}'
LEFT_OUT = "3 rows were left out: text in a number column."


def plain_item() -> dict[str, dict[str, object]]:
    """The contract's panels, each of a file and a title."""
    image: dict[str, object] = {"file": "s3://b/images/weld.2.png", "title": " from image at s3://b/images/weld.2.png"}
    return {"image": image} | {
        key: {
            "file": f"s3://b/plots/weld.2.csv-{suffix}.png",
            "title": f" from file at plots/weld.2.csv-{suffix}.png",
        }
        for key, suffix in PLOTS.items()
    }


def described_item() -> dict[str, dict[str, object]]:
    """The same with alt texts and notes about the data."""
    item = plain_item()
    for key, panel in item.items():
        panel |= {"alt": f"What the {key} shows.", "notes": [] if key == "image" else [LEFT_OUT]}
    item["voltage"]["notes"] = [LEFT_OUT, "5 values <are> missing."]
    return item


def listed(item: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """The task input of an item's panels, under their keys and in a list."""
    panels = [
        {"kind": one.kind, "key": one.key, "name": one.name, "unit": one.unit, **item.get(one.key, {})}
        for one in JOB.panels
    ]
    return {**item, "panels": panels}


def plot(title: str) -> str:
    """A stand-in of a plot's proportions; what plots look like is the plotting layer's own test."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 300"><rect width="880" height="300" fill="#fff"/>'
        f'<path d="M80 20V250H860" fill="none" stroke="#333"/><text x="90" y="30">{title}</text></svg>'
    )


def box_of(picture: Locator) -> FloatRect:
    box = picture.bounding_box()
    assert box is not None
    return box


@pytest.fixture
def pages(browser: Browser) -> Iterator[WorkerPages]:
    with served() as portal, served() as site:
        photograph = (ROOT / "labeling_job/sample/images/weld.2.png").read_bytes()
        site.put("/b/images/weld.2.png", photograph, "image/png")
        for suffix in PLOTS.values():
            site.put(f"/b/plots/weld.2.csv-{suffix}.png", plot(suffix), "image/svg+xml")
        pages = WorkerPages(browser, portal, site)
        yield pages
        pages.close()


@pytest.mark.parametrize("item", [plain_item(), described_item()], ids=["plain", "described"])
def test_a_weld_is_labeled_with_two_keys(pages: WorkerPages, item: dict[str, dict[str, object]]) -> None:
    shown = pages.show(TEMPLATE, listed(item))
    shown.tell({"type": "key", "key": "2"})
    shown.tell({"type": "key", "key": "Enter"})
    assert shown.answer() == {"WeldingClassification": {"label": "Burn Through"}, "DefectStretch": NOTHING_MARKED}
    assert shown.errors == []


def test_every_category_of_the_job_can_be_chosen(pages: WorkerPages) -> None:
    shown = pages.show(TEMPLATE, listed(plain_item()))
    values = shown.evaluate("document.querySelector('crowd-classifier').categories")
    assert values == [category.name for category in JOB.label.categories]


def test_pictures_have_their_alt_texts_or_at_least_a_name(pages: WorkerPages) -> None:
    alts = "[...document.querySelectorAll('.panel img')].map((image) => image.alt)"
    described = pages.show(TEMPLATE, listed(described_item())).evaluate(alts)
    assert described == [f"What the {key} shows." for key in ("image", "current", "voltage", "electrode")]
    plain = pages.show(TEMPLATE, listed(plain_item())).evaluate(alts)
    assert plain == ["Photograph of the weld", "Welding current", "Welding voltage", "Electrode position"]


def test_what_all_plots_note_is_said_once_and_what_one_notes_with_its_name(pages: WorkerPages) -> None:
    shown = pages.show(TEMPLATE, listed(described_item()))
    expect(shown.task.locator(".notes li")).to_have_text([LEFT_OUT, "Welding voltage: 5 values <are> missing."])


@pytest.mark.parametrize(
    ("size", "side_by_side"), [((1440, 900), True), ((820, 1180), True), ((390, 844), False)],
    ids=["wide", "tablet", "narrow"],
)  # fmt: skip
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_plots_share_their_axis_beside_the_photograph_or_under_it(
    pages: WorkerPages, size: tuple[int, int], side_by_side: bool, dark: bool
) -> None:
    shown = pages.show(TEMPLATE, listed(described_item()), size=size, dark=dark)
    shown.evaluate("Promise.all([...document.images].filter((i) => i.src).map((i) => i.decode()))")
    shown.picture(f"weld-{size[0]}-{'dark' if dark else 'light'}")
    photograph, *plots = map(box_of, shown.task.locator(".panel img").all())
    assert len({(plot["x"], plot["width"]) for plot in plots}) == 1
    for above, below in pairwise(plots):
        assert below["y"] - (above["y"] + above["height"]) <= 1
    beside = photograph["x"] + photograph["width"] <= plots[0]["x"]
    assert beside is side_by_side
    assert shown.evaluate("document.documentElement.scrollWidth") == size[0]


def test_one_click_enlarges_arrows_go_on_and_escape_closes(pages: WorkerPages) -> None:
    shown = pages.show(TEMPLATE, listed(described_item()))
    before = box_of(shown.task.locator(".panel img").nth(2))
    shown.task.get_by_role("button", name="What the voltage shows.").click()
    dialog = shown.task.get_by_role("dialog", name="Welding voltage")
    assert box_of(dialog.locator("img"))["width"] > 1.5 * before["width"]
    shown.page.keyboard.press("ArrowRight")
    expect(shown.task.get_by_role("dialog", name="Electrode position")).to_be_visible()
    shown.page.keyboard.press("Escape")
    expect(shown.task.locator("#enlarged")).to_be_hidden()
    assert shown.messages("answer") == []


def scale_of(picture: Locator) -> float:
    return float(picture.evaluate("(image) => new DOMMatrix(getComputedStyle(image).transform).a"))


def test_the_photograph_is_zoomed_where_it_stands(pages: WorkerPages) -> None:
    shown = pages.show(TEMPLATE, listed(described_item()), size=(1440, 900))
    photograph = shown.task.locator(".images img")
    before = box_of(photograph)
    shown.task.get_by_role("button", name="Photograph of the weld: zoom in").click(force=True)
    assert scale_of(photograph) == pytest.approx(1.4)
    x, y = before["x"] + before["width"] / 4, before["y"] + before["height"] / 4
    at = box_of(photograph)
    share = ((x - at["x"]) / at["width"], (y - at["y"]) / at["height"])
    shown.page.mouse.move(x, y)
    shown.page.mouse.wheel(0, -150)
    shown.page.wait_for_timeout(100)
    now = box_of(photograph)
    assert scale_of(photograph) > 2
    # What lies under the pointer stays there.
    assert (x - now["x"]) / now["width"] == pytest.approx(share[0], abs=0.01)
    assert (y - now["y"]) / now["height"] == pytest.approx(share[1], abs=0.01)
    shown.page.mouse.down()
    shown.page.mouse.move(x - 40, y - 30, steps=4)
    shown.page.mouse.up()
    dragged = box_of(photograph)
    assert (dragged["x"] - now["x"], dragged["y"] - now["y"]) == pytest.approx((-40, -30), abs=1)
    expect(shown.task.locator("#enlarged")).to_be_hidden()  # the end of a drag is no click
    shown.task.get_by_role("button", name="Photograph of the weld: as at first").click(force=True)
    assert scale_of(photograph) == 1
    assert shown.errors == []


def test_an_enlarged_picture_is_zoomed_by_keys_and_the_next_one_is_whole(pages: WorkerPages) -> None:
    shown = pages.show(TEMPLATE, listed(described_item()))
    shown.task.locator(".images .panel > button").click()
    picture = shown.task.locator("#enlarged img")
    picture.dispatch_event("keydown", {"key": "+", "bubbles": True})
    picture.dispatch_event("keydown", {"key": "+", "bubbles": True})
    assert scale_of(picture) == pytest.approx(1.96)
    shown.task.get_by_role("button", name="Next picture").click()
    shown.page.wait_for_timeout(100)
    assert scale_of(picture) == 1


def test_a_missing_panel_and_a_picture_that_cannot_be_loaded_are_said(pages: WorkerPages) -> None:
    item = plain_item()
    del item["electrode"]
    item["current"]["file"] = "s3://b/plots/gone.png"
    shown = pages.show(TEMPLATE, listed(item))
    expect(shown.task.get_by_text("Electrode position: this item has none.")).to_be_visible()
    expect(shown.task.get_by_text("Welding current: this picture could not be loaded.")).to_be_visible()
    shown.tell({"type": "key", "key": "7"})
    shown.tell({"type": "key", "key": "Enter"})
    assert shown.answer() == {"WeldingClassification": {"label": "Not sure"}, "DefectStretch": NOTHING_MARKED}


def test_what_to_look_for_is_at_hand(pages: WorkerPages) -> None:
    shown = pages.show(TEMPLATE, listed(plain_item()))
    burn = JOB.label.categories[1]
    shown.task.locator("short-instructions summary").filter(has_text=burn.name).click()
    expect(shown.task.locator("short-instructions").get_by_text(burn.look_for)).to_be_visible()
    shown.task.get_by_role("button", name="View full instructions").click()
    for category in JOB.label.categories:
        expect(shown.task.locator("full-instructions dd").get_by_text(category.look_for)).to_be_visible()
