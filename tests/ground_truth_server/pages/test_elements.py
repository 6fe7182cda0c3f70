"""Which crowd elements there are, and which a template uses that aren't."""

import pytest

from ground_truth_server.pages import crowd
from ground_truth_server.pages.elements import IMPLEMENTED, PLACEHOLDERS, lacking, unknown_elements
from tests.conftest import ROOT


def test_the_lists_are_those_of_the_script() -> None:
    assert {"crowd-form", "crowd-classifier", "crowd-input", "crowd-tab", "crowd-radio-group"} <= IMPLEMENTED
    assert {"crowd-bounding-box", "crowd-polygon"} <= set(PLACEHOLDERS)
    assert not IMPLEMENTED & set(PLACEHOLDERS)
    made = {
        "entity-annotation",
        "text-ranking",
        "question-answer-generation",
        "textract-analyze-document",
        "slider-label",
    }
    assert {f"crowd-{name}" for name in made} <= IMPLEMENTED


def test_the_script_is_small_and_holds_no_comments() -> None:
    assert len(crowd.SCRIPT.encode()) <= 250_000
    lines = crowd.SCRIPT.splitlines()
    assert [line for line in lines if line.startswith(("//", "/**", " ", "\t"))] == []


@pytest.mark.parametrize(
    ("template", "unknown"),
    [
        ("<p>crowd-form</p>", []),
        ("<crowd-form><crowd-input name='a'></crowd-input></crowd-form>", []),
        ("<CROWD-POLYGON name=a></CROWD-POLYGON><crowd-polygon>", ["crowd-polygon"]),
        ("<crowd-time-machine name='a'/><crowd-bounding-box>", ["crowd-bounding-box", "crowd-time-machine"]),
        ((ROOT / "labeling_job/worker-task.liquid.html").read_text(), []),
    ],
)
def test_elements_that_are_not_there_are_named(template: str, unknown: list[str]) -> None:
    assert unknown_elements(template) == unknown
    assert all(f"<{name}>" in lacking(unknown) for name in unknown)
