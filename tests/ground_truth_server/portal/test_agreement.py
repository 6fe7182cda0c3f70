"""Whether an answer and a label are of one category, by the shapes that functions give their labels."""

import pytest

from ground_truth_server.portal.agreement import agrees

GOOD = {"weld": {"label": "Good"}}


@pytest.mark.parametrize(
    ("answer", "label", "found"),
    [
        (GOOD, "Good", True),
        (GOOD, "Bad", False),
        (GOOD, {"weld": "Good", "confidence": 0.9}, True),
        (GOOD, {"weld": "Bad", "confidence": 0.9}, False),
        (GOOD, {"weld": {"label": "Bad"}}, False),
        (GOOD, {"label": "Good"}, True),
        ({"weld": {"label": "Good", "workerComment": "sure"}}, "Good", True),
        (GOOD, {"other": "Good"}, None),
        (GOOD, 1, None),
        (GOOD, None, None),
        (GOOD, {"weld": ["Good"]}, None),
        ({"weld": {"labels": ["Good"]}}, "Good", None),
        ({"weld": {"label": "Good"}, "length": 3}, "Good", None),
        (GOOD | {"marks": '{"regions":[]}'}, {"weld": "Good", "marks": {"regions": []}}, True),
        (GOOD | {"marks": '{"regions":[]}'}, {"weld": "Bad", "marks": {"regions": []}}, False),
        ({"weld": "Good"}, "Good", None),
        ({"weld": {"label": 1}}, {"weld": 1}, None),
        ({}, "Good", None),
    ],
)
def test_agreement(answer: dict[str, object], label: object, found: bool | None) -> None:
    assert agrees(answer, label) is found
