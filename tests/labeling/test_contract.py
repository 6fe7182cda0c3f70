"""Events as real jobs send them, and answers as Ground Truth reads them."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labeling import contract
from labeling.errors import EventError
from labeling.job import load_configured

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/weldinglabeljob1"
JOB = load_configured({})


def event(**data_object: Any) -> dict[str, Any]:
    return {"version": "2018-10-06", "labelingJobArn": ARN, "dataObject": data_object}


@pytest.mark.parametrize("key", ["source", "source-ref"])
@pytest.mark.parametrize("version", ["2018-10-06", "2018-10-16", "2031-01-01"])
def test_both_keys_and_any_version_are_read(key: str, version: str) -> None:
    request = contract.pre_labeling_event(event(**{key: "s3://b/dataset/dataset-1.json"}) | {"version": version})
    assert request.dataset_uri == "s3://b/dataset/dataset-1.json"


@pytest.mark.parametrize("data_object", [{}, {"source": ""}, {"source": 3}, {"url": "s3://b/k"}])
def test_a_line_without_a_source_is_an_error_that_says_what_is_there(data_object: dict[str, Any]) -> None:
    with pytest.raises(EventError, match="expected 'source-ref' or 'source'"):
        _ = contract.pre_labeling_event(event(**data_object)).dataset_uri


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ({"WeldingLabel": {"WeldingClassification": "Good Weld"}}, "Good Weld"),
        ({"WeldingLabelJob1": {"WeldingClassification": "Not sure"}}, "Not sure"),
        ({"OtherJob": {"WeldingClassification": "Good Weld"}}, None),
        ({"WeldingLabel": {"WeldingClassification": "A cat"}}, None),
        ({"WeldingLabel": {"PumpState": "Good Weld"}}, None),
        ({"WeldingLabel": 3}, None),
        ({"WeldingLabel": {"WeldingClassification": ["Good Weld"]}}, None),
        ({"WeldingLabel-metadata": {"WeldingClassification": "Good Weld"}}, None),
    ],
)
def test_a_label_of_this_job_is_found_on_the_line(line: dict[str, Any], label: str | None) -> None:
    request = contract.pre_labeling_event(event(source="s3://b/k", **line))
    assert contract.existing_label(request, JOB) == label


def test_a_label_without_a_category_is_found_by_its_questions() -> None:
    label = msgspec.structs.replace(JOB.label, categories=())
    job = msgspec.structs.replace(JOB, label=label)
    marks: dict[str, Any] = {"DefectStretch": {"regions": []}}
    labeled = contract.pre_labeling_event(event(source="s3://b/k", WeldingLabel=marks))
    assert contract.existing_label(labeled, job) == "DefectStretch"
    assert contract.existing_label(labeled, JOB) is None
    assert contract.existing_label(contract.pre_labeling_event(event(source="s3://b/k", WeldingLabel={})), job) is None


def test_whether_workers_are_needed_is_a_string() -> None:
    assert contract.task({"a": 1}, for_workers=True) == {"taskInput": {"a": 1}, "isHumanAnnotationRequired": "true"}
    assert contract.task({}, for_workers=False)["isHumanAnnotationRequired"] == "false"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_any_json_is_an_event_or_an_event_error(value: Any) -> None:
    for read in (contract.pre_labeling_event, contract.post_labeling_event):
        with contextlib.suppress(EventError):
            assert isinstance(read(value).labelingJobArn, str)
