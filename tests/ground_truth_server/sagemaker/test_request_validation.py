import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, StructureShape

from ground_truth_server.aws_error import AwsError
from ground_truth_server.sagemaker.request_validation import read_request
from tests.ground_truth_server.sagemaker.sagemaker_server import job_request

MODEL = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
FAILED = "failed to satisfy constraint: Member must"
WORKERS = "humanTaskConfig.numberOfHumanWorkersPerDataObject"
NAME_PATTERN = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


def read(operation: str, request: object) -> dict[str, Any]:
    shape = MODEL.operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    return read_request(shape, request if isinstance(request, bytes) else json.dumps(request).encode())


def refusal(operation: str, request: object) -> AwsError:
    with pytest.raises(AwsError) as refused:
        read(operation, request)
    return refused.value


def test_a_valid_request_comes_through_unchanged() -> None:
    assert read("CreateLabelingJob", job_request()) == job_request()


def test_unknown_members_and_nulls_are_left_out() -> None:
    request = {"NameContains": "weld", "StatusEquals": None, "Colour": "blue"}
    assert read("ListLabelingJobs", request) == {"NameContains": "weld"}


def test_an_empty_body_is_an_empty_request() -> None:
    assert read("ListLabelingJobs", b"") == {}


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert read("ListLabelingJobs", {"MaxResults": 5.0}) == {"MaxResults": 5}


def test_timestamps_are_seconds_since_1970() -> None:
    request = read("ListLabelingJobs", {"CreationTimeAfter": 1600186572.5})
    assert request == {"CreationTimeAfter": datetime(2020, 9, 15, 16, 16, 12, 500_000, UTC)}


def test_one_error_is_told_as_the_service_tells_it() -> None:
    error = refusal("DescribeLabelingJob", {"LabelingJobName": "not_a_name"})
    assert error.code == "ValidationException"
    assert error.message == (
        "1 validation error detected: Value 'not_a_name' at 'labelingJobName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {NAME_PATTERN}"
    )


def test_several_errors_are_counted() -> None:
    name = "x" * 64
    request = job_request(name, NumberOfHumanWorkersPerDataObject=10)
    del request["RoleArn"]
    count, _, sentences = refusal("CreateLabelingJob", request).message.partition(" detected: ")
    assert count == "4 validation errors"
    assert sentences.split("; ") == [
        f"Value '{name}' at 'labelingJobName' {FAILED} have length less than or equal to 63",
        f"Value '{name}' at 'labelingJobName' {FAILED} satisfy regular expression pattern: {NAME_PATTERN}",
        f"Value null at 'roleArn' {FAILED} not be null",
        f"Value '10' at '{WORKERS}' {FAILED} have value less than or equal to 9",
    ]


KEYWORDS = "humanTaskConfig.taskKeywords"
KEYWORD = (
    "[Member must have length less than or equal to 30, Member must have length greater than or equal to 1, "
    "Member must satisfy regular expression pattern: [A-Za-z0-9]+( [A-Za-z0-9]+)*, Member must not be null]"
)
ROLE_PATTERN = r"regular expression pattern: arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"


def tagging(*tags: object) -> dict[str, object]:
    return {"ResourceArn": "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/welds", "Tags": tags}


@pytest.mark.parametrize(
    ("operation", "request_", "sentence"),
    [
        (
            "ListLabelingJobs",
            {"SortBy": "Colour"},
            f"Value 'Colour' at 'sortBy' {FAILED} satisfy enum value set: [Name, CreationTime, Status]",
        ),
        (
            "ListLabelingJobs",
            {"MaxResults": 0},
            f"Value '0' at 'maxResults' {FAILED} have value greater than or equal to 1",
        ),
        (
            "AddTags",
            tagging({"Key": "a", "Value": "1"}, {"Key": "", "Value": ""}),
            f"Value '' at 'tags.2.member.key' {FAILED} have length greater than or equal to 1",
        ),
        (
            "AddTags",
            tagging({"Key": "a"}),
            f"Value null at 'tags.1.member.value' {FAILED} not be null",
        ),
        (
            "AddTags",
            tagging(None),
            f"Value null at 'tags.1.member' {FAILED} not be null",
        ),
        (
            "CreateLabelingJob",
            job_request(TaskKeywords=["weld", "steel!"]),
            f"Value '[weld, steel!]' at '{KEYWORDS}' {FAILED} satisfy constraint: {KEYWORD}",
        ),
        (
            "CreateLabelingJob",
            job_request(TaskKeywords=[]),
            f"Value '[]' at 'humanTaskConfig.taskKeywords' {FAILED} have length greater than or equal to 1",
        ),
        (
            "CreateLabelingJob",
            job_request() | {"RoleArn": "arn:aws:iam::12:role/job"},
            f"Value 'arn:aws:iam::12:role/job' at 'roleArn' {FAILED} satisfy {ROLE_PATTERN}",
        ),
    ],
)
def test_each_kind_of_constraint(operation: str, request_: object, sentence: str) -> None:
    assert refusal(operation, request_).message == f"1 validation error detected: {sentence}"


def test_too_many_tags_are_one_error_of_the_list() -> None:
    tags = [{"Key": str(number), "Value": ""} for number in range(51)]
    message = refusal("AddTags", {"ResourceArn": "arn:aws:sagemaker:x:111122223333:y", "Tags": tags}).message
    assert "Value '[{Key=0, Value=}, {Key=1, Value=}" in message
    assert "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50" in message


def test_a_long_value_is_not_repeated_in_full() -> None:
    message = refusal("DescribeLabelingJob", {"LabelingJobName": "x" * 100_000}).message
    assert "x… (100000 characters)' at 'labelingJobName'" in message
    assert len(message) < 3000


STRUCTURE = "Start of structure or map found where not expected"
LIST = "Start of list found where not expected"


@pytest.mark.parametrize(
    ("operation", "request_", "found"),
    [
        ("DescribeLabelingJob", {"LabelingJobName": 7}, "NUMBER_VALUE can not be converted to a String"),
        ("DescribeLabelingJob", {"LabelingJobName": True}, "TRUE_VALUE can not be converted to a String"),
        ("DescribeLabelingJob", {"LabelingJobName": ["x"]}, LIST),
        ("DescribeLabelingJob", {"LabelingJobName": {}}, STRUCTURE),
        ("ListLabelingJobs", {"MaxResults": "5"}, "STRING_VALUE can not be converted to an Integer"),
        ("ListLabelingJobs", {"MaxResults": 5.5}, "NUMBER_VALUE can not be converted to an Integer"),
        ("ListLabelingJobs", {"MaxResults": 2**31}, "NUMBER_VALUE can not be converted to an Integer"),
        ("ListLabelingJobs", {"MaxResults": False}, "FALSE_VALUE can not be converted to an Integer"),
        ("ListLabelingJobs", {"CreationTimeAfter": "now"}, "STRING_VALUE can not be converted to seconds"),
        ("ListLabelingJobs", {"CreationTimeAfter": 1e30}, "NUMBER_VALUE can not be converted to seconds"),
        (
            "CreateLabelingJob",
            {"InputConfig": "s3://b/k"},
            "STRING_VALUE can not be converted to a structure",
        ),
        ("CreateLabelingJob", {"Tags": {"a": "b"}}, f"{STRUCTURE} (at 'tags', which takes a list)"),
        (
            "CreateLabelingJob",
            {"Tags": [7]},
            "NUMBER_VALUE can not be converted to a structure (at 'tags.1.m",
        ),
        ("ListLabelingJobs", [], f"{LIST} (as the request's body, which takes a structure)"),
    ],
)
def test_a_value_of_the_wrong_type_is_not_read(operation: str, request_: object, found: str) -> None:
    error = refusal(operation, request_)
    assert error.code == "SerializationException"
    assert error.message.startswith(found)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"NaN",
        b'{"MaxResults": 1e999}',
        b"9" * 5000,
        b'{"NameContains": "\\ud800"}',
        b"[" * 100_000,
    ],
    ids=["cut off", "not UTF-8", "not a number", "infinite", "endless", "half a character", "deep"],
)
def test_a_body_that_is_not_json_is_not_read(body: bytes) -> None:
    assert refusal("ListLabelingJobs", body).code == "SerializationException"
