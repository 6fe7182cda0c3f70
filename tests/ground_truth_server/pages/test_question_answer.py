"""crowd-question-answer-generation in headless Chromium: questions, answers, tags and passages that they refer to."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, expect

from tests.ground_truth_server.pages.marking_text import drag_over, faults
from tests.ground_truth_server.pages.test_plain_fields import SCRIPT, form
from tests.ground_truth_server.pages.worker_page_frame import Site, WorkerPages, served

E = "crowd-question-answer-generation"
TEXT = "The Amazon 🌳 rainforest covers most of the Amazon basin. It holds 16,000 species."


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with served() as portal, served() as pages:
        pages.put("/bucket/text.txt", "A passage in S3.", "text/plain", Access_Control_Allow_Origin="*")
        yield portal, pages


@pytest.fixture
def pages(browser: Browser, sites: tuple[Site, Site]) -> Iterator[WorkerPages]:
    pages = WorkerPages(browser, *sites)
    yield pages
    pages.close()


def generation(attributes: str = "", text: str = "{{ task.input.source }}", tags: str = '["What", "Why",]') -> str:
    return (
        f"<{E} name='qa' text='{text}' min-questions='1' max-questions='3' question-min-words='2' "
        f"question-max-words='6' answer-min-words='1' answer-max-words='5' question-tags='{tags}' {attributes}>"
        f"<short-instructions><p>Ask about the text.</p></short-instructions></{E}>"
    )


def card(task: FrameLocator, number: int) -> Locator:
    return task.get_by_role("group", name=f"Question {number}", exact=True)


def write(task: FrameLocator, number: int, question: str, answer: str) -> None:
    card(task, number).get_by_role("textbox", name="Question").fill(question)
    card(task, number).get_by_role("textbox", name="Answer").fill(answer)


def reference(passage: str, after: int = 0) -> dict[str, int]:
    start = TEXT.index(passage, after)
    return {"startOffset": start, "endOffset": start + len(passage)}


def select(shown: object, passage: str, after: int = 0) -> None:
    at = reference(passage, after)
    drag_over(shown, E, at["startOffset"], at["endOffset"])  # type: ignore[arg-type]


def test_questions_answers_tags_and_references(pages: WorkerPages) -> None:
    shown = pages.show(form(generation("allow-custom-question-tags='true'")), {"source": TEXT})
    write(shown.task, 1, "What covers the basin?", "The rainforest")
    card(shown.task, 1).get_by_label("What").check()
    select(shown, "Amazon basin")
    card(shown.task, 1).get_by_role("button", name="Add the selected passage").click()
    select(shown, "rainforest")
    shown.page.keyboard.press("1")
    shown.task.get_by_role("button", name="Add a question").click()
    shown.page.keyboard.type("How many species live there?")
    write(shown.task, 2, "How many species live there?", "16,000")
    card(shown.task, 2).get_by_label("Another tag").fill("How many")
    shown.page.keyboard.press("Enter")
    select(shown, "16,000 species")
    shown.page.keyboard.press("2")
    assert shown.messages("answer") == []
    assert shown.submit() == {
        "qa": {
            "questionsAndAnswers": [
                {
                    "question": "What covers the basin?",
                    "answer": "The rainforest",
                    "questionTags": ["What"],
                    "references": [reference("rainforest"), reference("Amazon basin")],
                },
                {
                    "question": "How many species live there?",
                    "answer": "16,000",
                    "questionTags": ["How many"],
                    "references": [reference("16,000 species")],
                },
            ]
        }
    }
    assert shown.errors == []


def test_by_keys_alone(pages: WorkerPages) -> None:
    shown = pages.show(form(generation()), {"source": TEXT})
    shown.task.get_by_role("textbox", name="The text to ask about").focus()
    shown.page.keyboard.press("Control+End")
    for _ in range(8):
        shown.page.keyboard.press("Shift+ArrowLeft")
    shown.page.keyboard.press("1")
    shown.page.keyboard.press("Tab")
    for key in "What lives there?":
        shown.page.keyboard.press(key)
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.type("Many species")
    shown.page.keyboard.press("Control+Enter")
    answer = shown.answer()
    assert isinstance(answer, dict)
    (pair,) = answer["qa"]["questionsAndAnswers"]
    assert (pair["question"], pair["answer"], pair["references"]) == (
        "What lives there?",
        "Many species",
        [reference("species.")],
    )


def test_counts_of_questions_and_words_are_asked_for(pages: WorkerPages) -> None:
    shown = pages.show(form(generation()), {"source": TEXT})
    shown.refuses("Write at least 1 question (0 so far).")
    write(shown.task, 1, "What?", "")
    shown.refuses("Question 1: at least 2 words (1 so far).")
    write(shown.task, 1, "What is it?", "")
    shown.refuses("Answer 1: at least 1 word (0 so far).")
    write(shown.task, 1, "What is it?", "one two three four five six")
    shown.refuses("Answer 1: at most 5 words (6 so far).")
    write(shown.task, 1, "What is it?", "A forest")
    more = shown.task.get_by_role("button", name="Add a question")
    more.click()
    more.click()
    expect(more).to_be_hidden()
    card(shown.task, 2).get_by_role("button", name="Remove the question").click()
    answer = shown.submit()  # the third, empty now, is left out
    assert isinstance(answer, dict)
    assert [pair["question"] for pair in answer["qa"]["questionsAndAnswers"]] == ["What is it?"]


def test_an_answer_read_back_gives_the_same_answer(pages: WorkerPages) -> None:
    given = {
        "questionsAndAnswers": [
            {
                "question": "What is it?",
                "answer": "It's <a> forest",
                "questionTags": ["Why", "own"],
                "references": [reference("It")],
            }
        ]
    }
    page = form(generation("initial-value='{{ task.input.given | to_json }}'"))
    shown = pages.show(page, {"source": TEXT, "given": given})
    expect(shown.task.locator(".tag")).to_have_count(1)
    assert shown.submit() == {"qa": {**given, "initialValueModified": False}}
    again = pages.show(page, {"source": TEXT, "given": given})
    again.task.locator(".references").get_by_role("button", name="Remove the reference to It").click()
    value = again.evaluate(f"document.querySelector('{E}').value")
    assert isinstance(value, dict)
    assert (value["initialValueModified"], value["questionsAndAnswers"][0]["references"]) == (True, [])


def test_beside_a_hidden_form_that_it_names(pages: WorkerPages) -> None:
    shown = pages.show(
        f"""<html><head><script src="https://assets.crowd.aws/crowd-html-elements-v2.js"></script></head><body><div>
          <crowd-form id="crowd-form-qa" style="display: none"></crowd-form>
          <{E} crowd-form-element-id="crowd-form-qa" text='{{{{ task.input.source }}}}' question-tags='["What"]'
            allow-custom-tags="true" instructions='- Ask.
                - Answer.'></{E}></div>{SCRIPT}</body></html>""",
        {"source": TEXT},
    )
    write(shown.task, 1, "What?", "That")
    expect(shown.task.get_by_label("Another tag")).to_be_visible()
    assert shown.submit() == {
        "questionsAndAnswers": [{"question": "What?", "answer": "That", "questionTags": [], "references": []}]
    }
    assert shown.errors == []


@pytest.mark.parametrize(
    ("attributes", "text", "said"),
    [
        (
            "initial-value='{questionsAndAnswers: [{references: [{startOffset: 0, endOffset: 9}]}]}'",
            "ab",
            "1 given references",
        ),
        ("initial-value='['", "ab", "initial-value can't be read"),
        ("", "", "There is no text to ask about"),
        ("", "s3://bucket/text.txt", "write {{ … | grant_read_access }}"),
        ("", "{{ 's3://bucket/none.txt' | grant_read_access }}", "none.txt can't be loaded"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_works(pages: WorkerPages, attributes: str, text: str, said: str) -> None:
    shown = pages.show(form(generation(attributes, text)))
    expect(shown.task.get_by_role("note")).to_contain_text(said)
    write(shown.task, 1, "What is it?", "That")
    answer = shown.submit()
    assert isinstance(answer, dict)
    assert answer["qa"]["questionsAndAnswers"][0]["answer"] == "That"


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("{}", "question-tags isn't a list: an object was found"),
        ('["a", "a", []]', "2 of 3 question-tags are there twice"),
    ],
)
def test_tags_that_cannot_be_read_are_said(pages: WorkerPages, tags: str, said: str) -> None:
    shown = pages.show(form(generation(tags=tags)), {"source": TEXT})
    expect(shown.task.get_by_role("note")).to_contain_text(said)


def test_a_text_in_s3_is_fetched(pages: WorkerPages) -> None:
    shown = pages.show(form(generation(text="{{ 's3://bucket/text.txt' | grant_read_access }}")))
    expect(shown.task.get_by_role("textbox", name="The text to ask about")).to_have_text("A passage in S3.")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_it_fits(pages: WorkerPages, dark: bool, size: tuple[int, int]) -> None:
    shown = pages.show(
        form(generation("header='Ask about the text' allow-custom-question-tags")),
        {"source": TEXT},
        dark=dark,
        size=size,
    )
    write(shown.task, 1, "What covers the basin?", "one two three four five six")
    card(shown.task, 1).get_by_label("What").check()
    select(shown, "Amazon basin")
    shown.page.keyboard.press("1")
    shown.page.wait_for_timeout(200)
    shown.picture(f"questions-{size[0]}-{'dark' if dark else 'light'}")
    assert shown.evaluate("document.documentElement.scrollWidth") == size[0]
    assert faults(shown) == []
