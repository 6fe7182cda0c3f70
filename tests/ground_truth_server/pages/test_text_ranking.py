"""crowd-text-ranking in headless Chromium: ranks by mouse and keys, answered as AWS's own notebook reads them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.ground_truth_server.pages.marking_text import faults
from tests.ground_truth_server.pages.test_plain_fields import SCRIPT, form
from tests.ground_truth_server.pages.worker_page_frame import Shown, Site, WorkerPages, served

V2 = '<script src="https://assets.crowd.aws/crowd-html-elements-v2.js"></script>'
RESPONSES = ["Light comes back.", "It's a <b>mirror</b>, isn't it?", "Photons  interact\nwith silver."]
DIMENSIONS = '[{"name":"Clarity","allowTie":true},{"name":"Inclusivity","allowTie":false}]'
INPUT = {"source": "Why do you see yourself in a mirror?", "responses": RESPONSES}


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with served() as portal, served() as pages:
        pages.put("/bucket/prompt.txt", "A prompt that lies in S3.", "text/plain", Access_Control_Allow_Origin="*")
        yield portal, pages


@pytest.fixture
def pages(browser: Browser, sites: tuple[Site, Site]) -> Iterator[WorkerPages]:
    pages = WorkerPages(browser, *sites)
    yield pages
    pages.close()


def ranking(attributes: str = "", dimensions: str = DIMENSIONS) -> str:
    return (
        f"<crowd-text-ranking name='ranked' ordinal-ranking-dimensions='{dimensions}' "
        f"text='{{{{ task.input.source }}}}' "
        f"responses='{{{{ task.input.responses | to_json }}}}' {attributes}>"
        "<short-instructions><p>Rank them.</p></short-instructions></crowd-text-ranking>"
    )


def rank(shown: Shown, dimension: str, response: int, place: int) -> None:
    row = shown.task.get_by_role("radiogroup", name=f"{dimension}: response {response}")
    row.get_by_role("radio", name=str(place), exact=True).check()


def ranks(shown: Shown) -> dict[str, list[int]]:
    answer = shown.evaluate("document.querySelector('crowd-text-ranking').value.ordinalRankingDimensions")
    assert isinstance(answer, list)
    return {one["name"]: one["responseRankings"] for one in answer}


def reordered(responses: list[str], rankings: list[int]) -> list[str]:
    """What AWS's notebook makes of the ranks: the responses from the best on, those that share a rank as they stood."""
    return [responses[index] for place in sorted(set(rankings)) for index, one in enumerate(rankings) if one == place]


def test_ranks_of_each_dimension(pages: WorkerPages) -> None:
    shown = pages.show(V2 + f"<crowd-form>{ranking()}</crowd-form>", INPUT)
    expect(shown.task.locator(".response p")).to_have_text([" ".join(one.split()) for one in RESPONSES])
    for response, place in ((1, 2), (2, 1), (3, 2)):
        rank(shown, "Clarity", response, place)
    for response, place in ((1, 3), (2, 1), (3, 2)):
        rank(shown, "Inclusivity", response, place)
    answer = shown.submit()
    assert answer == {
        "ranked": {
            "ordinalRankingDimensions": [
                {"name": "Clarity", "allowTie": True, "responseRankings": [2, 1, 2]},
                {"name": "Inclusivity", "allowTie": False, "responseRankings": [3, 1, 2]},
            ]
        }
    }
    assert isinstance(answer, dict)
    clarity, inclusivity = (one["responseRankings"] for one in answer["ranked"]["ordinalRankingDimensions"])
    assert reordered(RESPONSES, clarity) == [RESPONSES[1], RESPONSES[0], RESPONSES[2]]
    assert reordered(RESPONSES, inclusivity) == [RESPONSES[1], RESPONSES[2], RESPONSES[0]]
    assert shown.errors == []


def test_where_no_two_may_share_a_rank_they_swap(pages: WorkerPages) -> None:
    shown = pages.show(form(ranking()), INPUT)
    for response in (1, 2, 3):
        rank(shown, "Inclusivity", response, response)
        rank(shown, "Clarity", response, 1)
    rank(shown, "Inclusivity", 3, 1)
    assert ranks(shown) == {"Clarity": [1, 1, 1], "Inclusivity": [3, 2, 1]}


def test_by_digits_row_after_row(pages: WorkerPages) -> None:
    shown = pages.show(form(ranking()), INPUT)
    shown.task.get_by_role("radiogroup", name="Clarity: response 1").get_by_role("radio", name="1", exact=True).focus()
    for key in "312132":
        shown.page.keyboard.press(key)
    shown.page.keyboard.press("Enter")
    assert shown.answer() == {
        "ranked": {
            "ordinalRankingDimensions": [
                {"name": "Clarity", "allowTie": True, "responseRankings": [3, 1, 2]},
                {"name": "Inclusivity", "allowTie": False, "responseRankings": [1, 3, 2]},
            ]
        }
    }


def test_every_response_wants_a_rank(pages: WorkerPages) -> None:
    shown = pages.show(form(ranking()), INPUT)
    rank(shown, "Clarity", 1, 1)
    shown.refuses("Give each response a rank: Clarity (2 left), Inclusivity (3 left).")
    focused = "document.activeElement.shadowRoot.activeElement.closest('[role=radiogroup]').getAttribute('aria-label')"
    assert shown.evaluate(focused) == "Clarity: response 2"


def test_an_answer_read_back_gives_the_same_answer(pages: WorkerPages) -> None:
    given = {"ordinalRankingDimensions": [
        {"name": "Clarity", "allowTie": True, "responseRankings": [2, 2, 1]},
        {"name": "Inclusivity", "allowTie": False, "responseRankings": [1, 2, 3]},
    ]}  # fmt: skip
    page = form(ranking("initial-value='{{ task.input.given | to_json }}'"))
    assert pages.show(page, {**INPUT, "given": given}).submit() == {"ranked": {**given, "initialValueModified": False}}
    shown = pages.show(page, {**INPUT, "given": given})
    rank(shown, "Clarity", 1, 3)
    assert shown.evaluate("document.querySelector('crowd-text-ranking').value.initialValueModified") is True


def test_beside_a_hidden_form_that_it_names_it_answers_without_a_name(pages: WorkerPages) -> None:
    shown = pages.show(
        f"""<html><head><script src="https://assets.crowd.aws/gen-ai-components.js"></script></head><body><div>
          <crowd-text-ranking crowd-form-element-id="the-form" instructions='Rank the organisation's answers.'
            ordinal-ranking-dimensions='[{{"name":"Accuracy","allowTie":true}}]' text='{{{{ task.input.source }}}}'
            responses='{{{{ task.input.responses | to_json }}}}' /></div>
          <crowd-form id="the-form" style="display: none"></crowd-form>{SCRIPT}</body></html>""",
        INPUT,
    )
    for response in (1, 2, 3):
        rank(shown, "Accuracy", response, response)
    dimension = {"name": "Accuracy", "allowTie": True, "responseRankings": [1, 2, 3]}
    assert shown.submit() == {"ordinalRankingDimensions": [dimension]}
    assert shown.errors == []


def test_a_prompt_in_s3_is_fetched(pages: WorkerPages) -> None:
    page = form(ranking()).replace("{{ task.input.source }}", "{{ task.input.source | grant_read_access }}")
    shown = pages.show(page, {**INPUT, "source": "s3://bucket/prompt.txt"})
    expect(shown.task.get_by_role("region", name="Prompt")).to_have_text("A prompt that lies in S3.")
    shown = pages.show(page, {**INPUT, "source": "s3://bucket/none.txt"})
    expect(shown.task.get_by_role("note")).to_contain_text("none.txt can't be loaded")


@pytest.mark.parametrize(
    ("page", "task_input", "said"),
    [
        (ranking(dimensions="{}"), INPUT, "ordinal-ranking-dimensions isn't a list: an object was found"),
        (ranking(dimensions="[]"), INPUT, "There is nothing to rank by"),
        (ranking(dimensions='[{"name":"A"},{"name":"A"},{}]'), INPUT, "2 of 3 dimensions have no name of their own"),
        (ranking(), {**INPUT, "responses": []}, "There is nothing to rank: responses is empty"),
        (ranking(), {**INPUT, "responses": "one"}, "responses isn't a list: the text ‘one’ was found"),
        (ranking(), {**INPUT, "source": "s3://bucket/p.txt"}, "text is s3://bucket/p.txt, which a browser can't read"),
        (ranking("initial-value='{'"), INPUT, "initial-value can't be read"),
    ],
)
def test_what_is_wrong_is_said(pages: WorkerPages, page: str, task_input: dict[str, object], said: str) -> None:
    shown = pages.show(form(page + '<label>More <input name="x"></label>'), task_input)
    expect(shown.task.get_by_role("note")).to_contain_text(said)
    shown.task.get_by_label("More").fill("works")
    assert shown.errors == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_it_fits(pages: WorkerPages, dark: bool, size: tuple[int, int]) -> None:
    long = "When light is emitted from a source, some of it travels toward your body, where it may be reflected. " * 3
    shown = pages.show(
        form(ranking("header='Rank the responses'")), {**INPUT, "responses": [long, RESPONSES[1], long, "Short."]},
        dark=dark, size=size,
    )  # fmt: skip
    rank(shown, "Clarity", 1, 2)
    rank(shown, "Inclusivity", 2, 1)
    shown.picture(f"ranking-{size[0]}-{'dark' if dark else 'light'}")
    assert shown.evaluate("document.documentElement.scrollWidth") == size[0]
    assert faults(shown) == []
