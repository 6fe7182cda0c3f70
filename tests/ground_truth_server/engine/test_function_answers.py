from typing import Any

import pytest

from ground_truth_server.engine.function_answers import (
    PreAnnotation,
    WrongAnswer,
    check_consolidation,
    check_pre_annotation,
)


@pytest.mark.parametrize(("value", "required"), [("true", True), ("false", False), (True, True), (False, False)])
def test_whether_a_person_is_needed_comes_as_text_or_boolean(value: object, required: bool) -> None:
    answer = {"taskInput": {"a": 1}, "isHumanAnnotationRequired": value}
    assert check_pre_annotation(answer) == PreAnnotation({"a": 1}, required)


def test_a_person_is_needed_if_nothing_is_said() -> None:
    assert check_pre_annotation({"taskInput": {}}) == PreAnnotation({}, True)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "found null, expected"),
        ([], r"found \[\], expected"),
        ({"task": {}}, "found no 'taskInput' among the keys \\['task'\\]"),
        ({"taskInput": "text"}, 'taskInput: found "text", expected a JSON object'),
        ({"taskInput": {"x": float("nan")}}, "taskInput: not JSON"),
        ({"taskInput": {}, "isHumanAnnotationRequired": "yes"}, 'isHumanAnnotationRequired: found "yes"'),
        ({"taskInput": {}, "isHumanAnnotationRequired": 1}, "isHumanAnnotationRequired: found 1"),
        ({"taskInput": {}, "isHumanAnnotationRequired": None}, "isHumanAnnotationRequired: found null"),
        ({"taskInput": {}, "isHumanAnnotationRequired": [1]}, r"isHumanAnnotationRequired: found \[1\]"),
    ],
)
def test_a_wrong_task_input_is_refused(answer: object, message: str) -> None:
    with pytest.raises(WrongAnswer, match=message):
        check_pre_annotation(answer)


def entry(object_id: str = "0", **content: Any) -> dict[str, Any]:
    return {
        "datasetObjectId": object_id,
        "consolidatedAnnotation": {"content": content or {"Weld": {"class": "Good Weld"}}},
    }


def test_each_object_gets_the_content_of_its_entry() -> None:
    answer = [
        entry("1"),
        entry("0", Weld="anything", **{"Weld-metadata": {"confidence": 0.5}}),
    ]
    assert check_consolidation(answer, ["0", "1"], "Weld") == {
        "0": {"Weld": "anything", "Weld-metadata": {"confidence": 0.5}},
        "1": {"Weld": {"class": "Good Weld"}},
    }


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"statusCode": 200, "body": []}, 'found {"statusCode": 200, "body": \\[\\]}, expected a JSON array'),
        (None, "found null, expected a JSON array"),
        (["0"], 'entry 0: found "0", expected a JSON object'),
        ([{"consolidatedAnnotation": {}}], "entry 0: datasetObjectId: found null, expected text"),
        ([{"datasetObjectId": 0}], "entry 0: datasetObjectId: found 0, expected text"),
        ([{"datasetObjectId": "0"}], "found no 'consolidatedAnnotation' among the keys"),
        ([{"datasetObjectId": "0", "consolidatedAnnotation": {"Weld": 1}}], "found no 'content' among"),
        ([{"datasetObjectId": "0", "consolidatedAnnotation": {"content": "{}"}}], 'content: found "{}"'),
        ([entry(weld={})], r"found the keys \['weld'\], expected the label attribute 'Weld'"),
        ([entry(Weld=1, **{"Weld-metadata": "x"})], 'Weld-metadata: found "x", expected a JSON object'),
        ([entry(Weld=float("inf"))], "not JSON: Out of range float"),
        ([entry(), entry()], "datasetObjectId '0' is there twice, expected once"),
        ([entry("9")], "found datasetObjectId '9', expected one of the request: 0"),
        ([], "found no entry for datasetObjectId 0, expected one for each data object"),
    ],
)
def test_a_wrong_consolidation_is_refused(answer: object, message: str) -> None:
    with pytest.raises(WrongAnswer, match=message):
        check_consolidation(answer, ["0"], "Weld")
