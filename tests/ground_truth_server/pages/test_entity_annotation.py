"""crowd-entity-annotation in headless Chromium: passages marked by mouse and keys, and answered to the letter."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.ground_truth_server.pages.marking_text import click_at, drag_over, edges, faults
from tests.ground_truth_server.pages.test_plain_fields import SCRIPT, form
from tests.ground_truth_server.pages.worker_page_frame import Shown, Site, WorkerPages, served

E = "crowd-entity-annotation"
TEXT = "Amazon SageMaker Ground Truth helps you build datasets for machine learning in Berlin since 2018."
LABELS = (
    "[{'label': 'person', 'shortDisplayName': 'per', 'fullDisplayName': 'Person'}, "
    "{label: 'date', shortDisplayName: 'dat', fullDisplayName: 'Date'}, 'company', ]"
)
EMOJI = "👩‍🔧 Schweißnaht 🔥🔥 – naïve “Riß” 𝔞 end"


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with served() as portal, served() as pages:
        yield portal, pages


@pytest.fixture
def pages(browser: Browser, sites: tuple[Site, Site]) -> Iterator[WorkerPages]:
    pages = WorkerPages(browser, *sites)
    yield pages
    pages.close()


def annotation(attributes: str = "", content: str = "", labels: str = LABELS) -> str:
    return (
        f'<{E} name="found" header="Highlight parts of the text below" labels="{labels}" '
        f'text="{{{{ task.input.text }}}}" {attributes}>{content}</{E}>'
    )


def shown_with(pages: WorkerPages, attributes: str = "", text: str = TEXT, labels: str = LABELS) -> Shown:
    return pages.show(form(annotation(attributes, labels=labels)), {"text": text})


def span(text: str, passage: str) -> tuple[int, int]:
    """Offsets as Python counts characters."""
    start = text.index(passage)
    return start, start + len(passage)


def entity(text: str, passage: str, label: str) -> dict[str, object]:
    start, end = span(text, passage)
    return {"label": label, "startOffset": start, "endOffset": end}


def label(shown: Shown, name: str) -> None:
    shown.task.get_by_role("group", name="Labels").get_by_role("button", name=name).click()


def test_select_then_choose_a_label(pages: WorkerPages) -> None:
    shown = shown_with(pages)
    drag_over(shown, E, *span(TEXT, "2018"))
    label(shown, "Date")
    drag_over(shown, E, *span(TEXT, "Amazon SageMaker"))
    shown.page.keyboard.press("3")
    expect(shown.task.get_by_role("status").filter(has_text="Marked “Amazon SageMaker” as company.")).to_be_visible()
    assert shown.submit() == {
        "found": {"entities": [entity(TEXT, "Amazon SageMaker", "company"), entity(TEXT, "2018", "date")]}
    }
    assert shown.errors == []


def test_choose_a_label_then_select(pages: WorkerPages) -> None:
    shown = shown_with(pages)
    label(shown, "Person")
    drag_over(shown, E, *span(TEXT, "Berlin"))
    drag_over(shown, E, *span(TEXT, "you"))
    shown.page.keyboard.press("Escape")
    drag_over(shown, E, *span(TEXT, "helps"))
    assert shown.submit() == {"found": {"entities": [entity(TEXT, "you", "person"), entity(TEXT, "Berlin", "person")]}}


def test_by_keys_alone(pages: WorkerPages) -> None:
    shown = shown_with(pages)
    shown.task.get_by_role("textbox", name="Highlight").focus()
    shown.page.keyboard.press("Control+Home")
    for _ in range(7):
        shown.page.keyboard.press("ArrowRight")
    shown.page.keyboard.press("Control+Shift+ArrowRight")
    shown.page.keyboard.press("1")
    shown.page.keyboard.press("End")
    shown.page.keyboard.press("Control+Home")
    for _ in range(6):
        shown.page.keyboard.press("Shift+ArrowRight")
    shown.page.keyboard.press("3")
    entities = [entity(TEXT, "Amazon", "company"), entity(TEXT, "SageMaker", "person")]
    assert shown.evaluate(f"document.querySelector('{E}').value.entities") == entities
    shown.page.keyboard.press("Delete")
    assert shown.evaluate(f"document.querySelector('{E}').value.entities") == entities[1:]
    shown.page.keyboard.press("Control+z")
    shown.page.keyboard.press("Enter")
    assert shown.answer() == {"found": {"entities": entities}}


def test_by_fingers(pages: WorkerPages) -> None:
    shown = pages.show(form(annotation()), {"text": TEXT}, touch=True, size=(390, 844))

    def tap(passage: str) -> None:
        start, end = span(TEXT, passage)
        left, top, right, bottom = edges(shown, E, start, end)
        shown.page.touchscreen.tap((left + right) / 2, (top + bottom) / 2)
        shown.page.wait_for_timeout(100)

    tap("Berlin")
    expect(shown.task.get_by_role("status").filter(has_text="“Berlin”")).to_be_visible()
    shown.task.get_by_role("group", name="Labels").get_by_role("button", name="Person").tap()
    shown.task.get_by_role("group", name="Labels").get_by_role("button", name="Date").tap()
    tap("2018")
    tap("since")
    assert shown.submit() == {
        "found": {
            "entities": [
                entity(TEXT, "Berlin", "person"),
                entity(TEXT, "since", "date"),
                entity(TEXT, "2018", "date"),
            ]
        }
    }


def test_typing_pasting_and_cutting_leave_the_text_as_it_is(pages: WorkerPages) -> None:
    shown = shown_with(pages)
    click_at(shown, E, 3)
    for key in ("x", "Backspace", "Shift+Enter", "Control+a", "Control+x", "Control+v", "Delete"):
        shown.page.keyboard.press(key)
    expect(shown.task.locator(".marked")).to_have_text(TEXT)
    assert shown.messages("key") == []


def test_offsets_count_unicode_characters(pages: WorkerPages) -> None:
    shown = shown_with(pages, text=EMOJI)
    for passage, key in (("🔥🔥", "1"), ("Schweißnaht", "2"), ("𝔞", "3"), ("“Riß”", "1")):
        drag_over(shown, E, *span(EMOJI, passage))
        shown.page.keyboard.press(key)
    answer = shown.submit()
    assert isinstance(answer, dict)
    assert answer["found"]["entities"] == [
        entity(EMOJI, "Schweißnaht", "date"),
        entity(EMOJI, "🔥🔥", "person"),
        entity(EMOJI, "“Riß”", "person"),
        entity(EMOJI, "𝔞", "company"),
    ]


def test_a_mark_is_relabeled_and_removed_where_it_stands(pages: WorkerPages) -> None:
    given = [entity(TEXT, "Amazon", "person"), entity(TEXT, "Berlin", "person"), entity(TEXT, "2018", "date")]
    shown = pages.show(
        form(annotation('initial-value="{{ task.input.given | to_json | escape }}"')), {"text": TEXT, "given": given}
    )
    click_at(shown, E, 2)
    label(shown, "company")
    shown.task.locator(".tag", has_text="per").get_by_role("button", name="Remove Person").click()
    answer = {
        "found": {
            "entities": [entity(TEXT, "Amazon", "company"), entity(TEXT, "2018", "date")],
            "initialValueModified": True,
        }
    }
    assert shown.evaluate("document.querySelector('crowd-form').answer") == answer
    shown.task.get_by_role("button", name="Undo").click()
    shown.task.get_by_role("button", name="Undo").click()
    assert shown.evaluate(f"document.querySelector('{E}').value") == {
        "entities": given,
        "initialValueModified": False,
    }
    shown.task.get_by_role("button", name="Redo").click()
    shown.page.keyboard.press("Control+Shift+Z")
    assert shown.submit() == answer


def test_an_answer_read_back_gives_the_same_answer(pages: WorkerPages) -> None:
    shown = shown_with(pages)
    drag_over(shown, E, *span(TEXT, "Berlin since"))
    shown.page.keyboard.press("2")
    answer = shown.submit()
    assert isinstance(answer, dict)
    again = pages.show(
        form(annotation('initial-value="{{ task.input.given | to_json | escape }}"')),
        {"text": TEXT, "given": answer["found"]["entities"]},
    )
    assert again.submit() == {"found": {**answer["found"], "initialValueModified": False}}


def test_a_part_of_a_mark_cannot_be_marked_and_all_of_it_can(pages: WorkerPages) -> None:
    shown = shown_with(pages)
    drag_over(shown, E, *span(TEXT, "Ground Truth"))
    shown.page.keyboard.press("1")
    drag_over(shown, E, *span(TEXT, "SageMaker Ground"))
    shown.page.keyboard.press("2")
    expect(shown.task.get_by_role("status").filter(has_text="Part of this is marked as Person already")).to_be_visible()
    drag_over(shown, E, *span(TEXT, "SageMaker Ground Truth"))
    shown.page.keyboard.press("2")
    assert shown.submit() == {"found": {"entities": [entity(TEXT, "SageMaker Ground Truth", "date")]}}


def test_given_marks_that_overlap_stay(pages: WorkerPages) -> None:
    given = [entity(TEXT, "Amazon SageMaker", "company"), entity(TEXT, "SageMaker Ground", "date")]
    shown = pages.show(
        form(annotation("initial-value='{{ task.input.given | to_json }}'")), {"text": TEXT, "given": given}
    )
    expect(shown.task.locator(".tag")).to_have_count(2)
    assert shown.submit() == {"found": {"entities": given, "initialValueModified": False}}


@pytest.mark.parametrize(
    ("attributes", "labels", "said"),
    [
        ("", "{'a': 1}", "labels isn't a list: an object was found, and a JSON array was expected."),
        ("", "['a'", "labels can't be read as a JSON array: a comma or ] was expected at character 5"),
        ("", "", "There are no labels"),
        ("", "['a', 'b', 'a']", "1 of 3 labels are there twice, and are shown once."),
        ("", "['a', {}, null]", "2 of 3 labels have no label of their own, and are left out."),
        ('initial-value="[{label: 1}]"', LABELS, "1 of 1 given marks can't be shown"),
        (
            "initial-value=\"[{label: 'person', startOffset: 90, endOffset: 999}]\"",
            LABELS,
            f"person from 90 to 999 is no passage of a text of {len(TEXT)} characters",
        ),
        (
            "initial-value=\"[{label: 'person', startOffset: 5, endOffset: 5}]\"",
            LABELS,
            "person from 5 to 5 is no passage",
        ),
        ('initial-value="nothing"', LABELS, "initial-value isn't a list: the text ‘nothing’ was found"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_works(pages: WorkerPages, attributes: str, labels: str, said: str) -> None:
    shown = pages.show(form(annotation(attributes, labels=labels) + '<input name="x" value="1">'), {"text": TEXT})
    expect(shown.task.get_by_role("note")).to_contain_text(said)
    answer = shown.submit()
    assert isinstance(answer, dict)
    assert (answer["x"], answer["found"]["entities"]) == ("1", [])
    assert shown.errors == []


def test_what_is_wrong_is_told_to_the_owner_too_unless_a_script_puts_it_right(pages: WorkerPages) -> None:
    listen = """<script>const told = [];
      document.addEventListener('crowd-trouble', ({ detail }) => told.push(detail));</script>"""
    shown = pages.show(
        listen
        + form(annotation(labels="['a', 'a']") + f"<{E} id='late' name='late' text='x'></{E}>")
        + """<script>document.addEventListener('all-crowd-elements-ready', () => { late.labels = ['b']; });</script>""",
        {"text": TEXT},
    )
    shown.page.wait_for_timeout(900)
    assert shown.evaluate("told") == [f'<{E} name="found">: 1 of 2 labels are there twice, and are shown once.']


def test_a_given_label_that_is_not_in_the_list_is_kept(pages: WorkerPages) -> None:
    given = [entity(TEXT, "Berlin", "place")]
    shown = pages.show(
        form(annotation("initial-value='{{ task.input.given | to_json }}'")), {"text": TEXT, "given": given}
    )
    expect(shown.task.locator(".tag")).to_have_text("place✕")
    assert shown.submit() == {"found": {"entities": given, "initialValueModified": False}}


def test_among_two_hundred_labels_one_is_found_by_typing(pages: WorkerPages) -> None:
    labels = json.dumps([f"label {number}" for number in range(200)]).replace('"', "'")
    shown = shown_with(pages, labels=labels)
    drag_over(shown, E, *span(TEXT, "Berlin"))
    shown.task.get_by_label("Find a label").press_sequentially("l 137")
    shown.page.keyboard.press("Enter")
    assert shown.submit() == {"found": {"entities": [entity(TEXT, "Berlin", "label 137")]}}


@pytest.mark.parametrize("script_first", [True, False], ids=["script first", "script last"])
def test_without_a_form_it_submits_by_itself_with_what_a_page_appends(pages: WorkerPages, script_first: bool) -> None:
    page = annotation(
        content="""<short-instructions>Mark words.</short-instructions>
        <div id="more"><h3>What is it about?</h3><crowd-radio-group>
        <crowd-radio-button name="tech" value="tech">Technology</crowd-radio-button>
        <crowd-radio-button name="other" value="other">Other</crowd-radio-button></crowd-radio-group></div>"""
    )
    append = f"""<script>document.addEventListener('all-crowd-elements-ready', () => {{
      const inner = document.querySelector('{E}').shadowRoot.querySelector('crowd-form');
      inner.form.appendChild(more);
      inner.addEventListener('submit', () => {{ window.kept = inner._serializeForm().taskAnswers; }});
    }});</script>"""
    shown = pages.show(f"{SCRIPT}{page}{append}" if script_first else f"{page}{append}{SCRIPT}", {"text": TEXT})
    drag_over(shown, E, *span(TEXT, "Berlin"))
    shown.page.keyboard.press("1")
    shown.task.get_by_role("radio", name="Technology").click()
    answer = {
        "found": {"entities": [entity(TEXT, "Berlin", "person")]},
        "tech": {"tech": True},
        "other": {"other": False},
    }
    assert shown.submit() == answer
    assert json.loads(str(shown.evaluate("window.kept"))) == [answer]
    assert shown.errors == []


def test_without_a_form_enter_submits_from_anywhere(pages: WorkerPages) -> None:
    shown = pages.show(SCRIPT + annotation(), {"text": TEXT})
    expect(shown.task.get_by_role("button", name="Submit", exact=True)).to_have_count(1)
    shown.tell({"type": "key", "key": "Enter"})
    assert shown.answer() == {"found": {"entities": []}}


def test_made_by_a_script_and_two_on_a_page(pages: WorkerPages) -> None:
    shown = pages.show(
        form('<div id="place"></div>')
        + f"""<script>document.addEventListener('all-crowd-elements-ready', () => {{
          for (const name of ['one', 'two']) {{
            const made = document.createElement('{E}');
            Object.assign(made, {{ name, text: name + ' text', labels: [{{ label: 'a' }}, {{ label: 'b' }}] }});
            made.setAttribute('id', name);
            place.append(made);
          }}
        }});</script>"""
    )
    drag_over(shown, "#two", 0, 3)
    shown.page.keyboard.press("2")
    assert shown.submit() == {
        "one": {"entities": []},
        "two": {"entities": [{"label": "b", "startOffset": 0, "endOffset": 3}]},
    }
    assert shown.evaluate("document.querySelector('#one').labels") == [{"label": "a"}, {"label": "b"}]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_it_fits(pages: WorkerPages, dark: bool, size: tuple[int, int]) -> None:
    given = [entity(TEXT, "Amazon", "company"), entity(TEXT, "Berlin", "person"), entity(TEXT, "2018", "date")]
    page = annotation(
        'initial-value="{{ task.input.given | to_json | escape }}"',
        """<short-instructions>Apply labels to words or phrases.</short-instructions>
           <full-instructions header="How to">Read the text carefully.</full-instructions>""",
    )
    shown = pages.show(SCRIPT + page, {"text": f"{TEXT} {TEXT} {TEXT}", "given": given}, dark=dark, size=size)
    click_at(shown, E, 2)
    drag_over(shown, E, *span(TEXT, "helps"))
    assert shown.evaluate("document.documentElement.scrollWidth") == size[0]
    shown.picture(f"entities-{size[0]}-{'dark' if dark else 'light'}")
    assert faults(shown) == []
