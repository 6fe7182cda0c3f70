"""Which crowd elements there are, and which a template uses that aren't."""

import re

import pytest

from ground_truth_server.pages import crowd
from ground_truth_server.pages.elements import IMPLEMENTED, lacking, unknown_elements
from tests.conftest import ROOT


def test_the_lists_are_those_of_the_script() -> None:
    assert {"crowd-form", "crowd-classifier", "crowd-input", "crowd-tab", "crowd-radio-group"} <= IMPLEMENTED
    made = {
        "bounding-box",
        "polygon",
        "instance-segmentation",
        "entity-annotation",
        "text-ranking",
        "question-answer-generation",
        "textract-analyze-document",
        "slider-label",
    }
    assert {f"crowd-{name}" for name in made} <= IMPLEMENTED


def test_a_plant_s_slow_network_loads_the_elements_quickly() -> None:
    assert len(crowd.SERVED_SCRIPT.encode()) <= 250_000
    assert "  //" not in crowd.SERVED_SCRIPT


def test_no_template_stands_in_a_template() -> None:
    """rjsmin takes the inner one for code, and drops its blanks."""
    inner = re.compile(r"`(?:[^`$\\]|\\.|\$(?!\{)|\$\{[^{}`]*\})*\$\{[^{}`]*`")
    assert [line for line in crowd.SCRIPT.splitlines() if inner.search(line)] == []


@pytest.mark.parametrize(
    ("template", "unknown"),
    [
        ("<p>crowd-form</p>", []),
        ("<crowd-form><crowd-input name='a'></crowd-input></crowd-form>", []),
        ("<CROWD-POLYGONS name=a></CROWD-POLYGONS><crowd-polygon>", ["crowd-polygons"]),
        ("<crowd-time-machine name='a'/><crowd-clock>", ["crowd-clock", "crowd-time-machine"]),
        ((ROOT / "labeling_job/worker-task.liquid.html").read_text(), []),
    ],
)
def test_elements_that_are_not_there_are_named(template: str, unknown: list[str]) -> None:
    assert unknown_elements(template) == unknown
    assert all(f"<{name}>" in lacking(unknown) for name in unknown)
