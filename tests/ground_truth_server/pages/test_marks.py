"""Regions and instants, marked on the plots of a worker page in a browser: by mouse, finger, keys and typed times."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from labeling.answers import AnyQuestion, InstantsQuestion, RegionsQuestion
from labeling.worker_page import page
from playwright.sync_api import Browser, Locator, expect

from tests.conftest import ROOT
from tests.ground_truth_server.pages import test_plots_to_work_in as plots
from tests.ground_truth_server.pages.test_plots_to_work_in import AXE, Plotted, few, touch
from tests.ground_truth_server.pages.worker_page_frame import WorkerPages, served

REGIONS = RegionsQuestion(name="marks", title="Mark it.", categories=("Defect", "Doubt"), required=False)
INSTANTS = InstantsQuestion(name="marks", title="Mark it.", categories=("Short",), tolerance_seconds=1, required=False)
STEP = 0.025  # seconds from row to row of `few`


@pytest.fixture
def pages(browser: Browser) -> Iterator[WorkerPages]:
    with served() as portal, served() as site:
        pages = WorkerPages(browser, portal, site)
        yield pages
        pages.close()


def template(*questions: AnyQuestion) -> str:
    job = msgspec.structs.replace(plots.JOB, questions=questions)
    return page(job, (ROOT / "labeling_job/worker-task.liquid.html").read_text(encoding="utf-8"))


def arm(found: Plotted, category: str) -> None:
    found.shown.task.get_by_role("button", name=f"Mark: {category}").click()


def drag(found: Plotted, begin: float, end: float, channel: int = 0) -> None:
    mouse = found.shown.page.mouse
    found.move_to(begin, channel)
    mouse.down()
    found.move_to((begin + end) / 2, channel)
    found.move_to(end, channel)
    mouse.up()


def marked(found: Plotted, count: int, kind: str = "regions") -> list[dict[str, Any]]:
    """The marks in the form, once there are so many."""
    expect(found.shown.task.locator(".marks li")).to_have_count(count)
    value = found.shown.task.locator("input[name=marks]").input_value()
    marks: list[dict[str, Any]] = json.loads(value)[kind] if value else []
    return marks


def places(marks: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    return [(mark["category"], round(mark["begin"], 6), round(mark["end"], 6)) for mark in marks]


def extent(found: Plotted, mark: Locator) -> tuple[float, float]:
    """Which stretch of time what is drawn over a plot covers."""
    box = mark.bounding_box()
    assert box is not None
    left, right, _, _ = found.surface()
    begin, end = found.view
    seconds = (end - begin) / (right - left)
    return begin + (box["x"] - left) * seconds, begin + (box["x"] + box["width"] - left) * seconds


def test_a_region_is_dragged_shown_on_every_channel_and_submitted_with_the_category(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    arm(found, "Doubt")
    drag(found, 2, 3.3, channel=1)
    assert places(marked(found, 1)) == [("Doubt", 2.0, 3.3)]
    on_plots = found.shown.task.locator(".mark")
    expect(on_plots).to_have_count(3)
    for number in range(3):
        assert extent(found, on_plots.nth(number)) == pytest.approx((2, 3.3), abs=0.02)
    expect(found.shown.task.locator(".marks")).to_contain_text("from")
    found.shown.picture("marks")
    found.shown.task.get_by_role("radio", name="Good Weld").check(force=True)
    answer: Any = found.shown.submit()
    assert answer["WeldingClassification"] == {"label": "Good Weld"}
    told = json.loads(answer["marks"])
    assert told["duration"] == pytest.approx(399 * STEP)
    question_reads = REGIONS.read(answer["marks"], ())
    assert question_reads is not None
    ((begin, end),) = question_reads[next(iter(question_reads))]
    # The very doubles of the recording's rows, whatever the pixels were.
    assert {begin, end} <= set(found.time.tolist())
    assert found.shown.errors == []


def test_edges_are_exact_to_a_row_where_pixels_hold_hundreds(pages: WorkerPages) -> None:
    job = msgspec.structs.replace(plots.JOB, questions=(REGIONS,))
    made = page(job, (ROOT / "labeling_job/worker-task.liquid.html").read_text(encoding="utf-8"))
    time = np.cumsum(np.random.default_rng(2).uniform(0.5e-4, 1.5e-4, 100_000))
    time -= time[0]
    found = plots.show(pages, time, np.sin(time), np.cos(time), time, template=made)
    arm(found, "Defect")
    drag(found, 2, 4)
    ((_, begin, end),) = [(mark["category"], mark["begin"], mark["end"]) for mark in marked(found, 1)]
    assert {begin, end} <= set(found.time.tolist())
    assert (begin, end) == pytest.approx((2, 4), abs=0.02)


def test_a_finger_marks(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    arm(found, "Defect")
    left, right, top, bottom = found.surface()
    y = (top + bottom) / 2
    x = [left + moment / found.view[1] * (right - left) for moment in np.linspace(1, 4, 7)]
    touch(found, *([(one, y)] for one in x))
    ((category, begin, end),) = places(marked(found, 1))
    assert category == "Defect"
    assert (begin, end) == pytest.approx((1, 4), abs=2 * STEP)
    assert found.view == pytest.approx((0, 9.98), abs=0.01)  # nor did it pan


def test_keys_alone_mark_resize_by_rows_and_remove(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    keys = found.shown.page.keyboard
    found.group.focus()
    keys.press("m")  # at the middle, row 199 or 200
    for _ in range(20):
        keys.press("ArrowRight")
    keys.press("m")
    ((category, begin, end),) = places(marked(found, 1))
    assert category == "Defect"
    assert begin == pytest.approx(399 * STEP / 2, abs=STEP)
    assert end - begin == pytest.approx(20 * 399 * STEP / 200, abs=2 * STEP)
    edge = found.shown.task.get_by_role("slider", name="Defect, end").first
    edge.focus()
    keys.press("Shift+ArrowRight")
    expect(edge).not_to_have_attribute("aria-valuenow", str(end))
    ((_, _, later),) = places(marked(found, 1))
    assert later - end == pytest.approx(399 * STEP / 20, abs=STEP)
    for _ in range(12):  # to where rows are far apart
        found.group.focus()
        keys.press("+")
    found.settle()
    found.shown.task.get_by_role("button", name="Show it in the plots").click()
    found.settle()
    edge = found.shown.task.get_by_role("slider", name="Defect, end").first
    edge.focus()
    before = float(edge.get_attribute("aria-valuenow") or "nan")
    keys.press("ArrowLeft")
    expect(edge).not_to_have_attribute("aria-valuenow", str(before))
    after = float(edge.get_attribute("aria-valuenow") or "nan")
    assert after in found.time
    assert 0 < before - after < 2.01 * STEP
    keys.press("Delete")
    assert marked(found, 0) == []


def test_escape_drops_what_is_begun_and_then_drags_zoom_again(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    keys = found.shown.page.keyboard
    arm(found, "Defect")
    keys.press("m")
    expect(found.shown.task.locator(".mark")).to_have_count(3)
    keys.press("Escape")
    expect(found.shown.task.locator(".mark")).to_have_count(0)
    keys.press("Escape")
    expect(found.shown.task.get_by_role("button", name="Mark: Defect")).to_have_attribute("aria-pressed", "false")
    drag(found, 2, 4)
    found.settle()
    assert found.view == pytest.approx((2, 4), abs=0.05)
    assert marked(found, 0) == []


def test_edges_and_regions_are_dragged_and_stop_at_their_neighbours(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    arm(found, "Defect")
    drag(found, 1, 2)
    marked(found, 1)
    drag(found, 5, 6)
    marked(found, 2)
    mouse = found.shown.page.mouse
    edge = found.shown.task.locator(".mark .edge.end").first
    box = edge.bounding_box()
    assert box is not None
    mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    mouse.down()
    found.move_to(4)
    mouse.up()
    expect(found.shown.task.locator(".marks li").first.get_by_label("to")).to_have_value("4")
    assert places(marked(found, 2)) == [("Defect", 1.0, 4.0), ("Defect", 5.0, 6.0)]
    tab = found.shown.task.locator(".mark .tab").nth(0)
    box = tab.bounding_box()
    assert box is not None
    grip = found.view[1] / (found.surface()[1] - found.surface()[0])
    mouse.move(box["x"] + 10, box["y"] + 6)
    mouse.down()
    mouse.move(box["x"] + 10 + 3 / grip, box["y"] + 6, steps=4)  # by 3 s, into the other
    mouse.up()
    expect(found.shown.task.locator(".marks li").first.get_by_label("to")).to_have_value("5")
    assert places(marked(found, 2)) == [("Defect", 2.0, 5.0), ("Defect", 5.0, 6.0)]
    drag(found, 4, 8)  # over both: what is left behind them
    drag(found, 0.5, 3)
    assert places(marked(found, 3))[0] == ("Defect", 0.5, 2.0)


def test_what_must_not_overlap_does_not(pages: WorkerPages) -> None:
    apart = msgspec.structs.replace(REGIONS, overlaps="none")
    found = few(pages, template(apart))
    arm(found, "Defect")
    drag(found, 1, 3)
    marked(found, 1)
    arm(found, "Doubt")
    drag(found, 4, 2)
    assert places(marked(found, 2)) == [("Defect", 1.0, 3.0), ("Doubt", 3.0, 4.0)]
    drag(found, 1.5, 2.5)
    expect(found.shown.task.locator(".question .problem")).to_contain_text("must")
    marked(found, 2)


def test_over_another_category_it_may_where_it_is_allowed(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    arm(found, "Defect")
    drag(found, 1, 3)
    marked(found, 1)
    arm(found, "Doubt")
    drag(found, 2, 4)
    assert places(marked(found, 2)) == [("Defect", 1.0, 3.0), ("Doubt", 2.0, 4.0)]


def test_times_are_typed_and_what_is_wrong_with_them_is_said(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    task = found.shown.task
    task.get_by_role("button", name="Add by typing times").click()
    marked(found, 1)
    line = task.locator(".marks li")
    line.get_by_label("to").fill("7.51")
    line.get_by_label("to").press("Tab")
    line.get_by_label("from").fill("2.26")
    line.get_by_label("from").press("Tab")
    expect(line.get_by_label("from")).to_have_value("2.25")  # the nearest row
    line.get_by_label("What").select_option("Doubt")
    expect(task.locator(".mark .tab").first).to_have_text("Doubt")
    assert places(marked(found, 1)) == [("Doubt", 2.25, 7.5)]
    problem = task.locator(".question .problem")
    for label, text, said in (
        ("to", "99", "between 0 and 9.975 s"),
        ("to", "1", "must end after it begins"),
        ("from", "", "Type times in seconds"),
        ("from", "-3", "between 0 and"),
    ):
        line.get_by_label(label).fill(text)
        line.get_by_label(label).press("Tab")
        expect(problem).to_contain_text(said)
        assert places(marked(found, 1)) == [("Doubt", 2.25, 7.5)]
    line.get_by_role("button", name="Remove it").click()
    assert marked(found, 0) == []


def test_enter_in_a_field_does_not_submit_nor_does_a_digit_choose_a_category(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    found.shown.task.get_by_role("button", name="Add by typing times").click()
    marked(found, 1)
    field = found.shown.task.locator(".marks li").get_by_label("from")
    field.fill("")
    field.press("1")
    field.press("Enter")
    assert found.shown.messages("answer") == []
    assert found.shown.evaluate("document.querySelector('crowd-classifier').chosen") == []


def test_a_region_may_be_of_one_channel(pages: WorkerPages) -> None:
    found = few(pages, template(msgspec.structs.replace(REGIONS, channels="one")))
    arm(found, "Defect")
    drag(found, 1, 2, channel=1)
    (mark,) = marked(found, 1)
    assert mark["channel"] == "voltage"
    drag(found, 1, 2, channel=0)  # on another channel it may lie beside it
    assert {mark["channel"] for mark in marked(found, 2)} == {"current", "voltage"}
    expect(found.shown.task.locator(".mark")).to_have_count(6)
    expect(found.shown.task.locator(".mark.elsewhere")).to_have_count(4)
    found.shown.task.locator(".marks li").first.get_by_role("combobox", name="in").select_option("electrode")
    expect(found.shown.task.locator(".marks li [data-of=channel]").first).to_have_value("electrode")
    assert "electrode" in {mark["channel"] for mark in marked(found, 2)}


def test_instants_are_marked_by_a_click_and_by_a_key(pages: WorkerPages) -> None:
    found = few(pages, template(INSTANTS))
    arm(found, "Short")
    found.move_to(3)
    found.shown.page.mouse.down()
    found.shown.page.mouse.up()
    marked(found, 1, "instants")
    found.shown.page.keyboard.press("ArrowRight")
    found.shown.page.keyboard.press("m")
    first, second = marked(found, 2, "instants")
    assert first == {"category": "Short", "time": 3.0}
    assert second["time"] == pytest.approx(3 + 399 * STEP / 200, abs=STEP / 2 + 1e-9)
    assert second["time"] in found.time
    handle = found.shown.task.get_by_role("slider", name="Short, time").first
    handle.focus()
    found.shown.page.keyboard.press("ArrowLeft")
    expect(handle).not_to_have_attribute("aria-valuenow", "3")
    assert marked(found, 2, "instants")[0]["time"] < 3


def test_a_question_that_must_be_answered_is_asked_for(pages: WorkerPages) -> None:
    found = few(pages, template(msgspec.structs.replace(REGIONS, required=True)))
    task = found.shown.task
    task.get_by_role("radio", name="Good Weld").check(force=True)
    task.get_by_role("button", name="Submit", exact=True).click()
    expect(task.locator(".question .problem")).to_contain_text(
        "Mark a stretch in the plots, or say that there is none."
    )
    assert found.shown.messages("answer") == []
    task.get_by_label("There is nothing to mark").check()
    answer: Any = found.shown.submit()
    assert json.loads(answer["marks"])["regions"] == []


def test_an_answer_sent_right_after_a_drag_has_the_mark(pages: WorkerPages) -> None:
    """Rows are looked up meanwhile: here the numbers take their time."""
    found = few(pages, template(REGIONS))
    found.shown.evaluate("""{
        const nearest = document.querySelector(".plots").plots.channels[0].numbers.constructor.prototype;
        const look = nearest.nearest;
        nearest.nearest = async function (...given) {
          await new Promise((resolve) => setTimeout(resolve, 700));
          return look.apply(this, given);
        };
        0;
    }""")
    found.shown.task.get_by_role("radio", name="Good Weld").check(force=True)
    arm(found, "Defect")
    drag(found, 2, 3.3)
    found.shown.task.get_by_role("button", name="Submit", exact=True).click()
    assert found.shown.messages("answer") == []
    answer: Any = found.shown.answer()
    assert places(json.loads(answer["marks"])["regions"]) == [("Defect", 2.0, 3.3)]


def test_a_mark_and_nothing_to_mark_rule_each_other_out(pages: WorkerPages) -> None:
    found = few(pages, template(msgspec.structs.replace(REGIONS, required=True)))
    nothing = found.shown.task.get_by_label("There is nothing to mark")
    nothing.check()
    arm(found, "Defect")
    drag(found, 1, 2)
    assert places(marked(found, 1)) == [("Defect", 1.0, 2.0)]
    expect(nothing).not_to_be_checked()


def test_no_more_are_marked_than_are_allowed(pages: WorkerPages) -> None:
    found = few(pages, template(msgspec.structs.replace(REGIONS, most=1)))
    arm(found, "Defect")
    drag(found, 1, 2)
    marked(found, 1)
    drag(found, 3, 4)
    expect(found.shown.task.locator(".question .problem")).to_contain_text("No more than 1 can be marked.")
    assert places(marked(found, 1)) == [("Defect", 1.0, 2.0)]


def test_what_a_portal_gives_back_is_shown_again(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    kept = json.dumps({"regions": [{"category": "Doubt", "begin": 1.0, "end": 2.5}], "duration": 9.975})
    found.shown.evaluate(f"""{{
        const field = document.querySelector("input[name=marks]");
        field.value = {json.dumps(kept)};
        field.dispatchEvent(new Event("change", {{ bubbles: true }}));
    }}""")
    assert places(marked(found, 1)) == [("Doubt", 1.0, 2.5)]
    assert extent(found, found.shown.task.locator(".mark").first) == pytest.approx((1, 2.5), abs=0.02)


def test_an_answer_that_is_only_looked_at_can_not_be_changed(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    kept = json.dumps({"regions": [{"category": "Doubt", "begin": 1.0, "end": 2.5}], "duration": 9.975})
    found.shown.tell({"type": "restore", "answer": {"marks": kept}})
    before = marked(found, 1)
    found.shown.tell({"type": "read-only"})
    expect(found.shown.task.get_by_role("button", name="Mark: Defect")).to_be_disabled()
    expect(found.shown.task.get_by_role("button", name="Remove it")).to_be_disabled()
    expect(found.shown.task.locator(".marks li").get_by_label("from")).to_be_disabled()
    edge = found.shown.task.get_by_role("slider", name="Doubt, end").first
    edge.focus()
    found.shown.page.keyboard.press("Delete")
    found.shown.page.keyboard.press("ArrowLeft")
    found.group.focus()
    found.shown.page.keyboard.press("m")
    assert marked(found, 1) == before
    found.shown.task.get_by_role("button", name="Show it in the plots").click()
    found.settle()
    assert found.view == pytest.approx((0.25, 3.25), abs=0.01)


def test_marks_go_with_the_view(pages: WorkerPages) -> None:
    found = few(pages, template(REGIONS))
    arm(found, "Defect")
    drag(found, 2, 4)
    marked(found, 1)
    found.shown.page.keyboard.press("Escape")
    drag(found, 1, 5)
    found.settle()
    assert extent(found, found.shown.task.locator(".mark").first) == pytest.approx((2, 4), abs=0.02)
    drag(found, 4.5, 5)
    found.settle()
    expect(found.shown.task.locator(".mark").first).to_be_hidden()
    found.shown.task.get_by_role("button", name="Show it in the plots").click()
    expect(found.shown.task.locator(".mark").first).to_be_visible()
    assert found.view == pytest.approx((1, 5), abs=0.02)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_while_marking(pages: WorkerPages, dark: bool) -> None:
    found = few(pages, template(msgspec.structs.replace(REGIONS, required=True, channels="one")))
    if dark:
        found.shown.page.emulate_media(color_scheme="dark")
    arm(found, "Defect")
    drag(found, 2, 4)
    marked(found, 1)
    found.shown.evaluate(AXE)
    result: Any = found.shown.page.frames[1].evaluate("axe.run({ resultTypes: ['violations'], iframes: false })")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]] == []
    found.shown.picture(f"marking-{'dark' if dark else 'light'}")
