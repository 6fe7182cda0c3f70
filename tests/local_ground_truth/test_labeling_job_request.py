from typing import Any

import pytest

from local_ground_truth.aws_error import AwsError
from local_ground_truth.labeling_job_request import check_labeling_job
from tests.local_ground_truth.sagemaker_server import job_request


def with_source(source: dict[str, Any]) -> dict[str, Any]:
    return job_request() | {"InputConfig": {"DataSource": source}}


def manifest_at(uri: str) -> dict[str, Any]:
    return with_source({"S3DataSource": {"ManifestS3Uri": uri}})


def test_a_custom_labeling_job_is_accepted() -> None:
    check_labeling_job(
        job_request(TaskTimeLimitInSeconds=28_800, TaskAvailabilityLifetimeInSeconds=2_592_000)
    )


@pytest.mark.parametrize("member", ["PreHumanTaskLambdaArn", "AnnotationConsolidationConfig"])
def test_the_functions_are_optional(member: str) -> None:
    request = job_request()
    del request["HumanTaskConfig"][member]
    check_labeling_job(request)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (
            job_request() | {"LabelAttributeName": "weld-metadata"},
            "'weld-metadata' must not end with '-metadata'",
        ),
        (
            job_request() | {"LabelAttributeName": "weld-ref"},
            "LabelAttributeName 'weld-ref' must not end with '-ref'",
        ),
        (with_source({}), "must have an S3DataSource"),
        (
            with_source({"SnsDataSource": {"SnsTopicArn": "arn:aws:sns:x:111122223333:t"}}),
            "streaming labeling jobs",
        ),
        (
            manifest_at("s3://welds-bucket"),
            "ManifestS3Uri 's3://welds-bucket' must be of the form s3://BUCKET/KEY",
        ),
        (manifest_at("s3://welds-bucket/"), "ManifestS3Uri 's3://welds-bucket/' must be of the form"),
        (manifest_at("https://welds-bucket.s3.amazonaws.com/m"), "must be of the form s3://BUCKET/KEY"),
        (manifest_at("s3://Welds_Bucket/input.manifest"), "must be of the form s3://BUCKET/KEY"),
        (
            job_request() | {"OutputConfig": {"S3OutputPath": "https://x/output"}},
            "S3OutputPath 'https://x/output'",
        ),
        (
            job_request() | {"LabelCategoryConfigS3Uri": "s3://labels"},
            "LabelCategoryConfigS3Uri 's3://labels'",
        ),
        (job_request(UiConfig={}), "UiConfig must have UiTemplateS3Uri"),
        (job_request(UiConfig={"HumanTaskUiArn": "arn:…"}), "built-in task type"),
        (job_request(UiConfig={"UiTemplateS3Uri": "s3://b"}), "UiTemplateS3Uri 's3://b' must be"),
        (
            job_request(TaskTimeLimitInSeconds=28_801),
            "TaskTimeLimitInSeconds is 28801; in a custom labeling job at",
        ),
        (job_request(TaskAvailabilityLifetimeInSeconds=2_592_001), "at most 2592000 is allowed"),
        (job_request(PublicWorkforceTaskPrice={}), "Amazon Mechanical Turk"),
        (job_request() | {"LabelingJobAlgorithmsConfig": {}}, "no automated data labeling"),
    ],
)
def test_what_ground_truth_does_not_take_is_refused(request_: dict[str, Any], problem: str) -> None:
    with pytest.raises(AwsError) as refused:
        check_labeling_job(request_)
    assert refused.value.code == "ValidationException"
    assert problem in refused.value.message


def test_all_problems_are_told_at_once() -> None:
    request = manifest_at("s3://b") | {"LabelAttributeName": "x-ref"}
    with pytest.raises(AwsError, match=r"must not end with '-ref'.*ManifestS3Uri 's3://b'"):
        check_labeling_job(request)
