"""Native fields of HTML in a crowd-form, in headless Chromium: what they answer, and what is asked of them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.ground_truth_server.pages.worker_page_frame import Site, WorkerPages, served

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with served() as portal, served() as pages:
        yield portal, pages


@pytest.fixture
def pages(browser: Browser, sites: tuple[Site, Site]) -> Iterator[WorkerPages]:
    pages = WorkerPages(browser, *sites)
    yield pages
    pages.close()


def form(content: str) -> str:
    return f"{SCRIPT}<crowd-form>{content}</crowd-form>"


def test_radio_buttons_answer_with_each_of_their_values(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<p>Do you agree? <label><input type="radio" name="agrees" value="yes">Yes</label>
               <label><input type="radio" name="agrees" value="no">No</label>
               <label><input type="radio" name="agrees" value="unsure" disabled>Unsure</label></p>
               <p><label><input type="radio" name="untouched" value="left">Left</label>
               <label><input type="radio" name="untouched" value="right">Right</label></p>"""
        )
    )
    shown.task.get_by_label("Yes").click()
    shown.page.keyboard.press("ArrowRight")
    answer = shown.submit()
    assert answer == {"agrees": {"yes": False, "no": True}, "untouched": {"left": False, "right": False}}
    # What public parsers of Ground Truth's answers ask, in their words:
    assert isinstance(answer, dict)
    assert [value for value in ("yes", "no") if answer["agrees"][value] == True] == ["no"]  # noqa: E712


def test_checkboxes_answer_with_each_of_their_values_and_with_on_where_they_have_none(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<label><input type="checkbox" name="seen" value="pore">Pore</label>
               <label><input type="checkbox" name="seen" value="crack" checked>Crack</label>
               <label><input type="checkbox" name="seen" value="spatter">Spatter</label>
               <label><input type="checkbox" name="alone">Alone</label>
               <label><input type="checkbox" name="alone too" checked>Alone too</label>"""
        )
    )
    shown.task.get_by_label("Pore").focus()
    shown.page.keyboard.press("Space")
    shown.task.get_by_label("Crack").click()
    assert shown.submit() == {
        "seen": {"pore": True, "crack": False, "spatter": False},
        "alone": {"on": False},
        "alone too": {"on": True},
    }


def test_of_choices_of_one_name_and_one_value_one_that_is_on_is_enough(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<label><input type="checkbox" name="box" value="a">First</label>
               <label><input type="checkbox" name="box" value="a">Second</label>"""
        )
    )
    shown.task.get_by_label("First").check()
    assert shown.submit() == {"box": {"a": True}}


def test_other_fields_answer_with_their_text(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<label>Count <input type="number" name="count" min="0"></label>
               <label>Day <input type="date" name="day"></label>
               <label>Time <input type="time" name="time" value="07:30"></label>
               <label>Level <input type="range" name="level" min="0" max="10" value="4"></label>
               <label>Colour <input type="color" name="colour" value="#336699"></label>
               <label>Kind <select name="kind"><option value="a">A</option><option value="b">B</option></select></label>
               <label>Several <select name="several" multiple><option>one</option><option>two</option>
                 <option>three</option></select></label>
               <label>Picture <input type="file" name="picture" multiple></label>
               <label>Empty <input type="number" name="empty"></label>
               <label>First <input name="twice" value="1"></label>
               <label>Second <input name="twice" value="2"></label>"""
        )
    )
    shown.task.get_by_label("Count").press_sequentially("12")
    shown.task.get_by_label("Day").fill("2026-02-28")
    shown.task.get_by_label("Level").press("ArrowRight")
    shown.task.get_by_label("Kind").select_option("B")
    shown.task.get_by_label("Several").select_option(["one", "three"])
    files = [{"name": name, "mimeType": "image/png", "buffer": b"x"} for name in ("seam.png", "rear.png")]
    shown.task.get_by_label("Picture").set_input_files(files)  # type: ignore[arg-type]
    assert shown.submit() == {
        "count": "12",
        "day": "2026-02-28",
        "time": "07:30",
        "level": "5",
        "colour": "#336699",
        "kind": "b",
        "several": ["one", "three"],
        "picture": "seam.png, rear.png",
        "empty": "",
        "twice": ["1", "2"],
    }


def test_a_field_may_be_named_as_what_every_object_has(pages: WorkerPages) -> None:
    shown = pages.show(
        form(
            """<label>A <input name="constructor" value="a"></label>
               <label>B <input type="checkbox" name="toString" value="valueOf" checked></label>"""
        )
    )
    assert shown.submit() == {"constructor": "a", "toString": {"valueOf": True}}
    assert shown.errors == []


def test_a_group_of_radio_buttons_is_asked_for_once(pages: WorkerPages) -> None:
    buttons = "".join(
        f'<label><input type="radio" name="side" value="{side}" required>{side}</label>' for side in ("left", "right")
    )
    shown = pages.show(form(f'{buttons}<label>Why <input name="why" required></label>'))
    shown.refuses("2 answers are missing")
    shown.task.get_by_label("left").check()
    shown.refuses("Why: Please fill")
    shown.task.get_by_label("Why").fill("seen")
    assert shown.submit() == {"side": {"left": True, "right": False}, "why": "seen"}


def test_a_page_reads_the_answer_as_of_aws_own_form(pages: WorkerPages) -> None:
    shown = pages.show(form('<input name="a" value="1"><input type="checkbox" name="b">'))
    read = shown.evaluate("JSON.parse(document.querySelector('crowd-form')._serializeForm().taskAnswers)[0]")
    assert read == {"a": "1", "b": {"on": False}} == shown.submit()


def test_two_scripts_of_aws_own_on_a_page_are_answered_once(pages: WorkerPages) -> None:
    shown = pages.show(
        f"""<script src="https://assets.crowd.aws/gen-ai-components.js"></script>
            <crowd-form><crowd-classifier name="c" categories="['a', 'b']"></crowd-classifier></crowd-form>{SCRIPT}"""
    )
    expect(shown.task.get_by_role("radio")).to_have_count(2)
    shown.tell({"type": "key", "key": "2"})
    assert shown.submit() == {"c": {"label": "b"}}
    assert shown.errors == []
