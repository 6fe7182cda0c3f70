"""Which crowd elements there are, and which a template uses that aren't."""

import pytest

from ground_truth_server.pages import crowd
from ground_truth_server.pages.elements import IMPLEMENTED, PLACEHOLDERS, lacking, unknown_elements
from tests.conftest import ROOT


def test_the_lists_are_those_of_the_script() -> None:
    assert {"crowd-form", "crowd-classifier", "crowd-input", "crowd-tab", "crowd-radio-group"} <= IMPLEMENTED
    assert {"crowd-bounding-box", "crowd-polygon", "crowd-instance-segmentation"} <= IMPLEMENTED
    assert not IMPLEMENTED & set(PLACEHOLDERS)


def test_the_script_stays_small() -> None:
    assert len(crowd.SCRIPT.encode()) <= 250_000


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
