import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from ground_truth_server.aws_error import AwsError
from ground_truth_server.edge.loopback import serving
from ground_truth_server.sagemaker.aws_json import BODY_LIMIT, AwsJson, Caller
from tests.ground_truth_server.sagemaker.sagemaker_server import (
    JobsInMemory,
    connect,
    job_request,
    sagemaker_route,
)
from tests.ground_truth_server.sagemaker.test_java_pattern import SERVED

HTTP = httpx.Client()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("account") / "account.sqlite"
    with sagemaker_route(JobsInMemory(), database) as route, serving(Starlette(routes=[route])) as url:
        yield url


def describe_workteam(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """An operation of which each part of the protocol can be told by the name that is asked for."""
    match request["WorkteamName"]:
        case "in-use":
            raise AwsError("ResourceInUse", "It is in use.")
        case "defect":
            raise KeyError("a defect of the server")
    created = datetime(2020, 9, 15, 16, 16, 12, 527_256, UTC)
    workteam = {"WorkteamArn": caller.arn("workteam/private-crowd/x"), "CreateDate": created, "Mood": "good"}
    return {"Workteam": {**workteam, "SubDomain": None, "Description": "Größe"}}


@pytest.fixture(scope="module")
def small_url() -> Iterator[str]:
    service = AwsJson("sagemaker", {"DescribeWorkteam": describe_workteam}, region="eu-west-1")
    with serving(Starlette(routes=[service.route()])) as url:
        yield url


def post(url: str, operation: str, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    target = {"X-Amz-Target": f"SageMaker.{operation}"} if operation else {}
    return HTTP.post(url, content=content, headers={**target, **headers})


def test_an_answer_has_the_form_of_the_protocol(small_url: str) -> None:
    answer = post(small_url, "DescribeWorkteam", {"WorkteamName": "welders"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert len(answer.headers["x-amzn-requestid"]) == 36
    assert answer.json() == {
        "Workteam": {
            "WorkteamArn": "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/x",
            "CreateDate": 1600186572.527,
            "Description": "Größe",
        }
    }


def test_botocore_reads_times_and_request_ids(small_url: str) -> None:
    answer = connect(small_url).describe_workteam(WorkteamName="welders")
    assert answer["Workteam"]["CreateDate"] == datetime(2020, 9, 15, 16, 16, 12, 527_000, UTC)
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2"])
def test_the_region_is_that_of_the_signature(small_url: str, region: str) -> None:
    answer = connect(small_url, region=region).describe_workteam(WorkteamName="welders")
    assert answer["Workteam"]["WorkteamArn"].split(":")[3] == region


def test_an_error_has_the_form_of_the_protocol(small_url: str) -> None:
    answer = post(small_url, "DescribeWorkteam", {"WorkteamName": "in-use"})
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ResourceInUse"
    assert answer.json() == {"__type": "ResourceInUse", "Message": "It is in use."}


def test_botocore_raises_the_modelled_exception(small_url: str) -> None:
    client = connect(small_url)
    with pytest.raises(client.exceptions.ResourceInUse) as raised:
        client.describe_workteam(WorkteamName="in-use")
    assert raised.value.response["Error"] == {"Code": "ResourceInUse", "Message": "It is in use."}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_defect_is_an_internal_failure_and_in_the_log(small_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ClientError) as raised:
        connect(small_url).describe_workteam(WorkteamName="defect")
    assert raised.value.response["Error"]["Code"] == "InternalFailure"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "SageMaker.DescribeWorkteam failed" in caplog.text
    assert "a defect of the server" in caplog.text


def test_an_operation_that_is_not_there_is_told_what_is(url: str) -> None:
    with pytest.raises(ClientError) as raised:
        connect(url).list_training_jobs()
    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"
    message = raised.value.response["Error"]["Message"]
    assert message.startswith("Operation 'ListTrainingJobs' is not part of the local Ground Truth, which has: AddTags")
    assert all(operation in message for operation in SERVED)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize("target", ["", "ListTags", "S3.ListTags", "SageMaker.", "SageMaker.listtags", "..", "Ω"])
def test_a_target_that_names_no_operation_is_refused(url: str, target: str) -> None:
    answer = HTTP.post(url, content=b"{}", headers={b"X-Amz-Target": target.encode()})
    assert (answer.status_code, answer.json()["__type"]) == (404, "UnknownOperationException")


def test_a_body_over_the_limit_is_refused(url: str) -> None:
    answer = post(url, "ListLabelingJobs", b" " * (BODY_LIMIT + 1))
    assert (answer.status_code, answer.json()["__type"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize("signature", ["", "AWS4-HMAC-SHA256", "Credential=x/20200101/EU WEST/", "Credential=a/b/c"])
def test_without_a_readable_signature_the_default_region_applies(small_url: str, signature: str) -> None:
    answer = post(small_url, "DescribeWorkteam", {"WorkteamName": "x"}, Authorization=signature)
    assert ":eu-west-1:" in answer.json()["Workteam"]["WorkteamArn"]


def test_the_server_validates_what_the_client_lets_through(url: str) -> None:
    with pytest.raises(ClientError, match="5 validation errors detected: Value null at 'labelAttributeName'"):
        connect(url, validate=False).create_labeling_job(LabelingJobName="welds")  # type: ignore[call-arg]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
MEMBERS = [
    *(
        "LabelingJobName",
        "LabelAttributeName",
        "HumanTaskConfig",
        "InputConfig",
        "OutputConfig",
        "RoleArn",
        "Tags",
    ),
    *("NameContains", "NextToken", "MaxResults", "SortBy", "SortOrder", "CreationTimeAfter", "StatusEquals"),
    *("WorkteamName", "WorkteamArn", "MemberDefinitions", "Description", "ResourceArn", "TagKeys", "Task"),
    *("UiTemplate", "HumanTaskUiArn", "LastModifiedTimeBefore", "JobReferenceCodeContains"),
]
PLAUSIBLE = st.sampled_from(
    [
        *("welds", "everyone", "Name", "Ascending", "{}", 1, 50, 1e9, [], {}, [{"Key": "a", "Value": "b"}]),
        *("arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/everyone", ["a"], {"Input": "{}"}),
        *("arn:aws:sagemaker:us-east-1:111122223333:labeling-job/welds", {"Content": "x"}, {"Input": "[1]"}),
        *("arn:aws:iam::111122223333:role/ground-truth", [{"OidcMemberDefinition": {}}], [{}]),
        *job_request().values(),
    ]
)
REQUESTS = st.dictionaries(st.sampled_from(MEMBERS), PLAUSIBLE | JSON, max_size=8)


def assert_well_formed(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    body = answer.json()
    if answer.status_code != 200:
        assert answer.status_code in {400, 404}
        assert body["__type"] == answer.headers["x-amzn-errortype"]
        assert body.get("message") or body.get("Message")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SERVED), REQUESTS | JSON)
def test_whatever_json_is_sent_the_answer_is_well_formed(url: str, operation: str, body: object) -> None:
    assert_well_formed(post(url, operation, body))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SERVED), st.binary(max_size=200))
def test_whatever_bytes_are_sent_the_answer_is_well_formed(url: str, operation: str, body: bytes) -> None:
    assert_well_formed(post(url, operation, body))
