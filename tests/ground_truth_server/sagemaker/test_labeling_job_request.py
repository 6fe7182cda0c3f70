from typing import Any

import pytest

from ground_truth_server.aws_error import AwsError
from ground_truth_server.sagemaker.labeling_job_request import check_labeling_job
from tests.ground_truth_server.sagemaker.sagemaker_server import job_request

STREAM = {"SnsDataSource": {"SnsTopicArn": "arn:aws:sns:eu-west-1:111122223333:welds"}}


def with_source(source: dict[str, Any]) -> dict[str, Any]:
    return job_request() | {"InputConfig": {"DataSource": source}}


def with_manifest(uri: str) -> dict[str, Any]:
    return with_source({"S3DataSource": {"ManifestS3Uri": uri}})


def with_output(uri: str) -> dict[str, Any]:
    return job_request() | {"OutputConfig": {"S3OutputPath": uri}}


def test_a_custom_labeling_job_is_accepted() -> None:
    check_labeling_job(job_request(TaskTimeLimitInSeconds=28_800, TaskAvailabilityLifetimeInSeconds=2_592_000))


@pytest.mark.parametrize("uri", ["s3://welds-bucket", "s3://welds-bucket/", "s3://welds-bucket/output/of job"])
def test_the_output_may_go_into_any_folder(uri: str) -> None:
    check_labeling_job(with_output(uri))


@pytest.mark.parametrize("member", ["PreHumanTaskLambdaArn", "AnnotationConsolidationConfig"])
def test_the_functions_are_optional(member: str) -> None:
    request = job_request()
    del request["HumanTaskConfig"][member]
    check_labeling_job(request)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (with_manifest("s3://welds-bucket"), "ManifestS3Uri 's3://welds-bucket' must be of the form"),
        (with_manifest("s3://welds-bucket/"), "ManifestS3Uri 's3://welds-bucket/' must be of the"),
        (with_manifest("https://s3.amazonaws.com/b/m"), "ManifestS3Uri 'https://s3.amazonaws.com/b/m' must be"),
        (with_manifest("s3://Welds_Bucket/m"), "ManifestS3Uri 's3://Welds_Bucket/m' must be"),
        (with_output("https://welds/output"), "S3OutputPath 'https://welds/output' must be of the"),
        (job_request() | {"LabelCategoryConfigS3Uri": "s3://labels"}, "LabelCategoryConfigS3Uri 's3://labels'"),
        (job_request(UiConfig={"UiTemplateS3Uri": "s3://pages"}), "UiTemplateS3Uri 's3://pages' must be"),
        (job_request(UiConfig={"HumanTaskUiArn": "arn:…"}), "HumanTaskUiArn is a built-in task type's"),
        (with_source(STREAM), "SnsDataSource is for streaming labeling jobs"),
        (job_request(TaskTimeLimitInSeconds=28_801), "TaskTimeLimitInSeconds is 28801; in a custom labeling job"),
        (job_request(TaskAvailabilityLifetimeInSeconds=2_592_001), "at most 2592000 is allowed"),
        (job_request(PublicWorkforceTaskPrice={}), "PublicWorkforceTaskPrice is for Amazon Mechanical Turk"),
        (job_request() | {"LabelingJobAlgorithmsConfig": {}}, "no automated data labeling"),
    ],
)
def test_what_can_not_run_here_is_refused(request_: dict[str, Any], problem: str) -> None:
    with pytest.raises(AwsError) as refused:
        check_labeling_job(request_)
    assert refused.value.code == "ValidationException"
    assert problem in refused.value.message


def test_all_problems_are_told_at_once() -> None:
    request = with_manifest("s3://b") | {"OutputConfig": {"S3OutputPath": "output"}}
    with pytest.raises(AwsError, match=r"ManifestS3Uri 's3://b'.*S3OutputPath 'output'"):
        check_labeling_job(request)


OURS, AWS = "arn:aws:lambda:eu-west-1:111122223333:function:", "arn:aws:lambda:eu-west-1:568282634449:function:"


def with_functions(before: str, after: str) -> dict[str, Any]:
    request = job_request()
    task = request["HumanTaskConfig"]
    task["PreHumanTaskLambdaArn"] = before
    task["AnnotationConsolidationConfig"] = {"AnnotationConsolidationLambdaArn": after}
    return request


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{OURS}PRE-Own", f"{OURS}ACS-Own"),
        (f"{AWS}PRE-PassThrough", f"{AWS}ACS-PassThrough"),
        (f"{AWS}SomebodysFunction", f"{OURS}Post"),
    ],
)
def test_functions_that_can_be_called_are_taken(before: str, after: str) -> None:
    check_labeling_job(with_functions(before, after))


@pytest.mark.parametrize("name", ["PRE-BoundingBox", "ACS-ImageMultiClass", "PRE-TextMultiClass:1"])
def test_aws_s_own_functions_that_are_not_there_are_refused_before_the_job_begins(name: str) -> None:
    with pytest.raises(AwsError, match="AWS's own function of a built-in task type") as error:
        check_labeling_job(with_functions(f"{AWS}{name}", f"{OURS}Post"))
    assert f"{AWS}{name}" in str(error.value)
    assert "PRE-PassThrough and ACS-PassThrough" in str(error.value)
