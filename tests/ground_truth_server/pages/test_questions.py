"""Further questions on a worker page in a browser: what is chosen and typed is what the library reads."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from labeling.answers import AnyQuestion, CategoriesQuestion, CategoryQuestion, NumberQuestion, TextQuestion
from labeling.job import load
from labeling.worker_page import page
from playwright.sync_api import Browser, Locator, expect

from tests.conftest import ROOT
from tests.ground_truth_server.pages.test_plots_to_work_in import AXE
from tests.ground_truth_server.pages.worker_page_frame import Shown, WorkerPages, served

QUESTIONS: tuple[AnyQuestion, ...] = (
    CategoryQuestion(
        name="side", title="On which side?", categories=("Left", 'R"i&ght', "Can't tell"), not_sure="Left"
    ),
    CategoriesQuestion(name="signs", title="Which signs?", categories=("Soot", "Pores"), required=False),
    NumberQuestion(name="pores", title="How many pores?", least=0, most=9, integer=True, unit="pores", help="By eye."),
    TextQuestion(name="why", title="What decided it?", most_characters=50, required=False),
)
JOB = load(ROOT / "labeling_job/job.toml")
TEMPLATE = (ROOT / "labeling_job/worker-task.liquid.html").read_text(encoding="utf-8")


@pytest.fixture
def pages(browser: Browser) -> Iterator[WorkerPages]:
    with served() as portal, served() as site:
        pages = WorkerPages(browser, portal, site)
        yield pages
        pages.close()


def show(pages: WorkerPages, *questions: AnyQuestion, category: bool = True) -> Shown:
    label = JOB.label if category else msgspec.structs.replace(JOB.label, categories=())
    return pages.show(page(msgspec.structs.replace(JOB, label=label, questions=questions), TEMPLATE))


def asked(shown: Shown, title: str) -> Locator:
    return shown.task.get_by_role("group", name=title)


def test_what_is_chosen_and_typed_is_read_by_the_library(pages: WorkerPages) -> None:
    shown = show(pages, *QUESTIONS)
    asked(shown, "On which side?").get_by_role("button", name='R"i&ght').click()
    for sign in ("Pores", "Soot", "Pores"):  # the second time takes it back
        asked(shown, "Which signs?").get_by_role("button", name=sign).click()
    shown.task.get_by_role("spinbutton", name="How many pores?").fill("3")
    shown.task.get_by_role("textbox", name="What decided it?").fill("A {{ hole }}\nin it")
    shown.task.get_by_role("radio", name="Good Weld").check(force=True)
    answer: Any = shown.submit()
    assert answer.pop("WeldingClassification") == {"label": "Good Weld"}
    read = {question.name: question.read(answer[question.name], ()) for question in QUESTIONS}
    assert read == {"side": 'R"i&ght', "signs": ("Soot",), "pores": 3.0, "why": "A {{ hole }}\nin it"}
    assert list(answer) == list(read)
    assert shown.errors == []


def test_what_is_missing_is_said_at_its_question_and_the_first_is_gone_to(pages: WorkerPages) -> None:
    shown = show(pages, *QUESTIONS)
    shown.task.get_by_role("radio", name="Good Weld").check(force=True)
    shown.task.get_by_role("button", name="Submit", exact=True).click()
    problems = shown.task.locator(".question .problem")
    expect(problems).to_have_text(["Choose one.", "", "Type a number.", ""])
    expect(asked(shown, "On which side?").get_by_role("button", name="Left")).to_be_focused()
    asked(shown, "On which side?").get_by_role("button", name="Left").click()
    expect(problems.first).to_have_text("")
    number = shown.task.get_by_role("spinbutton", name="How many pores?")
    for wrong in ("12", "2.5"):
        number.fill(wrong)
        shown.task.get_by_role("button", name="Submit", exact=True).click()
        expect(problems.nth(2)).not_to_have_text("")
    assert shown.messages("answer") == []
    number.fill("2")
    answer: Any = shown.submit()
    assert (answer["side"], answer["pores"], answer["signs"], answer["why"]) == ("Left", "2", '{"categories":[]}', "")


def test_keys_alone_answer_and_a_typed_digit_chooses_no_category(pages: WorkerPages) -> None:
    shown = show(pages, QUESTIONS[0], QUESTIONS[2])
    keys = shown.page.keyboard
    asked(shown, "On which side?").get_by_role("button", name="Left").focus()
    keys.press("Space")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("4")
    keys.press("Enter")
    assert shown.messages("answer") == []
    assert shown.evaluate("document.querySelector('crowd-classifier').chosen") == []
    shown.tell({"type": "key", "key": "1"})
    shown.tell({"type": "key", "key": "Enter"})
    answer: Any = shown.answer()
    assert (answer["side"], answer["pores"]) == ("Left", "4")


def test_a_job_without_a_category_has_a_page_of_its_questions(pages: WorkerPages) -> None:
    shown = show(pages, QUESTIONS[2], category=False)
    expect(shown.task.get_by_role("heading", level=1, name="Classify a weld")).to_be_visible()
    expect(shown.task.locator("crowd-classifier")).to_have_count(0)
    shown.task.get_by_role("spinbutton", name="How many pores?").fill("0")
    assert shown.submit() == {"pores": "0"}
    assert shown.errors == []


def test_what_a_portal_gives_back_is_shown_again(pages: WorkerPages) -> None:
    shown = show(pages, *QUESTIONS)
    shown.evaluate("""{
        const kept = { side: "Left", signs: '{"categories":["Pores"]}', pores: "4", why: "so" };
        for (const [name, value] of Object.entries(kept)) {
            const [field] = document.getElementsByName(name);
            field.value = value;
            field.dispatchEvent(new Event("change", { bubbles: true }));
        }
    }""")
    pressed = shown.task.locator(".question [aria-pressed=true]")
    expect(pressed).to_have_text(["Left", "Pores"])
    expect(shown.task.get_by_role("spinbutton", name="How many pores?")).to_have_value("4")
    expect(shown.task.get_by_role("textbox", name="What decided it?")).to_have_value("so")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("category", [False, True], ids=["alone", "beside"])
def test_axe_finds_nothing(pages: WorkerPages, dark: bool, category: bool) -> None:
    shown = show(pages, *QUESTIONS, category=category)
    if dark:
        shown.page.emulate_media(color_scheme="dark")
    asked(shown, "Which signs?").get_by_role("button", name="Soot").click()
    shown.task.get_by_role("button", name="Submit", exact=True).click()
    shown.evaluate(AXE)
    result: Any = shown.page.frames[1].evaluate("axe.run({ resultTypes: ['violations'], iframes: false })")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]] == []
    shown.picture(f"questions-{'beside' if category else 'alone'}-{'dark' if dark else 'light'}")
