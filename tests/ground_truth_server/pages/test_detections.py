"""The elements of Augmented AI in headless Chromium, on pages as its developer guide has them."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.ground_truth_server.pages.marking_text import faults
from tests.ground_truth_server.pages.test_inner_parts import PHOTOGRAPH
from tests.ground_truth_server.pages.test_plain_fields import form
from tests.ground_truth_server.pages.worker_page_frame import Shown, Site, WorkerPages, served

MODERATION = """{% capture s3_uri %}s3://{{ task.input.image.bucket }}/{{ task.input.image.name }}{% endcapture %}
<crowd-form><crowd-rekognition-detect-moderation-labels categories='[
  {% for label in task.input.labels %}
    { name: "{{ label.name }}", parentName: "{{ label.parentName }}", },
  {% endfor %} ]'
  src="{{ s3_uri | grant_read_access }}" header="Review the image and choose all applicable categories." EXCLUSION>
  <short-instructions header="Instructions">Choose.</short-instructions>
  <full-instructions header="Instructions"></full-instructions></crowd-rekognition-detect-moderation-labels>
</crowd-form>"""
MODERATED: dict[str, Any] = {
    "image": {"bucket": "bucket", "name": "photograph.png"},
    "labels": [
        {"name": "Gore", "parentName": "Violence"},
        {"name": "Weapons", "parentName": "Violence"},
        {"name": "Corpses", "parentName": "Disturbing"},
    ],
}
LABELS = "AWS/Rekognition/DetectModerationLabels/Image/V3"
FORMS = "AWS/Textract/AnalyzeDocument/Forms/V1"


def block(name: str, kind: str, text: str | None, value: str = "", left: float = 0.1) -> dict[str, Any]:
    related = [{"type": "VALUE", "ids": [value]}] if value else [{"type": "CHILD", "ids": [f"{name}-word"]}]
    box = {"left": left, "top": 0.2, "width": 0.2, "height": 0.1}
    found = {
        "blockType": "KEY_VALUE_SET",
        "confidence": 38.4,
        "geometry": {"boundingBox": box},
        "id": name,
        "relationships": related,
        "entityTypes": [kind],
    }
    return found if text is None else {**found, "text": text}


BLOCKS: list[dict[str, Any]] = [
    block("k1", "KEY", "Name:", "v1"),
    block("v1", "VALUE", "Ada Lovelase", left=0.4),
    block("k2", "KEY", "Page 1", "v2"),
    block("v2", "VALUE", "of 3", left=0.7),
    block("k3", "KEY", "Phone", "v3"),
    block("v3", "VALUE", None, left=0.5),
    {"blockType": "WORD", "id": "v3-word", "text": "030 1234"},
]
DOCUMENT = form(
    """<crowd-textract-analyze-document src="{{ 's3://bucket/photograph.png' | grant_read_access }}"
       initial-value="{{ task.input.blocks }}" header="Review the key-value pairs" no-key-edit no-geometry-edit
       keys="{{ task.input.keys }}" block-types="['KEY_VALUE_SET']">
       <short-instructions>Correct them.</short-instructions></crowd-textract-analyze-document>"""
)
KEYS = [
    {"importantFormKey": "Full name", "importantFormKeyAliases": ["name", "Surname"]},
    {"importantFormKey": "Address", "importantFormKeyAliases": ["Addr."]},
]


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with served() as portal, served() as pages:
        pages.put("/bucket/photograph.png", PHOTOGRAPH, "image/png")
        yield portal, pages


@pytest.fixture
def pages(browser: Browser, sites: tuple[Site, Site]) -> Iterator[WorkerPages]:
    pages = WorkerPages(browser, *sites)
    yield pages
    pages.close()


def pair(shown: Shown, title: str) -> Locator:
    return shown.task.get_by_role("group", name=title, exact=True)


def test_moderation_labels_answer_with_the_whole_of_each(pages: WorkerPages) -> None:
    shown = pages.show(MODERATION.replace("EXCLUSION", ""), MODERATED)
    shown.task.get_by_role("checkbox", name="Corpses").check()
    shown.page.keyboard.press("1")
    assert shown.submit() == {LABELS: {"ModerationLabels": [MODERATED["labels"][0], MODERATED["labels"][2]]}}
    assert shown.errors == []


def test_no_moderation_label_is_an_answer(pages: WorkerPages) -> None:
    assert pages.show(MODERATION.replace("EXCLUSION", ""), MODERATED).submit() == {LABELS: {"ModerationLabels": []}}


@pytest.mark.parametrize("exclusion", ["None", "{ text: 'None' }"])
def test_none_of_them_bars_the_others(pages: WorkerPages, exclusion: str) -> None:
    shown = pages.show(MODERATION.replace("EXCLUSION", f'exclusion-category="{exclusion}"'), MODERATED)
    shown.refuses("Choose at least one category.")
    gore, none = shown.task.get_by_role("checkbox", name="Gore"), shown.task.get_by_role("checkbox", name="None")
    gore.check()
    none.check()
    expect(gore).to_be_disabled()
    expect(gore).not_to_be_checked()
    none.uncheck()
    expect(gore).to_be_enabled()
    none.check()
    assert shown.submit() == {LABELS: {"ModerationLabels": []}}


def test_moderation_labels_as_texts_and_what_cannot_be_read(pages: WorkerPages) -> None:
    element = "crowd-rekognition-detect-moderation-labels"
    shown = pages.show(form(f"""<{element} name="m" categories="['Gore', 'Weapons']"></{element}>"""))
    shown.task.get_by_role("checkbox", name="Weapons").check()
    assert shown.submit() == {"m": {"ModerationLabels": ["Weapons"]}}
    broken = pages.show(form(f"""<{element} categories="[{{name: 'Gore'"></{element}>"""))
    expect(broken.task.get_by_text("categories can't be read as a JSON array")).to_be_visible()


def test_values_are_corrected_refused_and_found(pages: WorkerPages) -> None:
    shown = pages.show(DOCUMENT, {"blocks": BLOCKS, "keys": KEYS})
    shown.refuses("Address: write the value, or choose")
    shown.task.get_by_role("textbox", name="Value of Name:").fill("Ada Lovelace")
    pair(shown, "Page 1").get_by_role("radio", name="No").check()
    expect(shown.task.get_by_role("textbox", name="Value of Phone")).to_have_value("030 1234")
    pair(shown, "Phone").get_by_label("Value is blank").check()
    shown.task.get_by_role("textbox", name="Value of Address").fill("1 Dorset Street")
    expect(shown.task.get_by_role("group", name="Full name")).to_have_count(0)  # "Name:" is an alias of it
    answer = shown.submit()
    assert isinstance(answer, dict)
    *kept, key, value = answer[FORMS]["blocks"]
    assert kept == [
        BLOCKS[0],
        {**BLOCKS[1], "text": "Ada Lovelace"},
        BLOCKS[4],
        {**BLOCKS[5], "text": ""},
        BLOCKS[6],
    ]
    assert (key["text"], key["entityTypes"], key["relationships"]) == (
        "Address",
        ["KEY"],
        [{"type": "VALUE", "ids": [value["id"]]}],
    )
    assert (value["text"], value["entityTypes"], value["blockType"]) == ("1 Dorset Street", ["VALUE"], "KEY_VALUE_SET")
    assert shown.errors == []


def test_what_is_right_goes_back_as_it_came(pages: WorkerPages) -> None:
    shown = pages.show(DOCUMENT, {"blocks": BLOCKS, "keys": KEYS})
    pair(shown, "Address").get_by_role("radio", name="Key not found").check()
    assert shown.submit() == {FORMS: {"blocks": BLOCKS}}


def test_boxes_lie_where_they_were_detected_and_lead_to_their_fields(pages: WorkerPages) -> None:
    shown = pages.show(DOCUMENT, {"blocks": BLOCKS, "keys": []})
    shown.evaluate("document.querySelector('crowd-textract-analyze-document').shadowRoot.querySelector('img').decode()")
    picture, box = shown.task.locator(".image").bounding_box(), shown.task.locator(".box.value").first.bounding_box()
    assert picture
    assert box
    assert (box["x"] - picture["x"]) / picture["width"] == pytest.approx(0.4, abs=0.01)
    assert box["height"] / picture["height"] == pytest.approx(0.1, abs=0.01)
    shown.task.locator(".box.value").nth(1).click()
    expect(pair(shown, "Page 1").get_by_role("radio", name="Yes")).to_be_focused()


@pytest.mark.parametrize(
    ("task_input", "said"),
    [
        ({"blocks": "[{", "keys": []}, "initial-value can't be read as a JSON array"),
        ({"blocks": [], "keys": "name"}, "keys isn't a list: the text ‘name’ was found"),
        ({"blocks": BLOCKS[:1], "keys": []}, "1 of 1 keys have no value block"),
    ],
)
def test_what_is_wrong_is_said(pages: WorkerPages, task_input: dict[str, object], said: str) -> None:
    shown = pages.show(DOCUMENT, task_input)
    expect(shown.task.get_by_role("note")).to_contain_text(said)
    assert shown.errors == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", ["moderation", "document"])
def test_axe_finds_nothing(pages: WorkerPages, kind: str, dark: bool) -> None:
    if kind == "moderation":
        shown = pages.show(MODERATION.replace("EXCLUSION", 'exclusion-category="None"'), MODERATED, dark=dark)
    else:
        shown = pages.show(DOCUMENT, {"blocks": BLOCKS, "keys": KEYS}, dark=dark)
    shown.page.wait_for_timeout(300)
    shown.picture(f"{kind}-{'dark' if dark else 'light'}")
    assert faults(shown) == []
