"""Setting up a stack's bucket leaves alone what people made, in every order of events."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import msgspec
import pytest
from botocore.validate import ParamValidator
from labeling.errors import EventError, JobConfigurationError
from labeling.job import load_configured
from labeling.stack_setup import Properties, StackSetup, properties
from labeling.storage import Storage

from tests.conftest import ROOT, Bucket

JOB = load_configured({})
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:{}:live"


@pytest.fixture
def setup(bucket: Bucket) -> StackSetup:
    folder = ROOT / "labeling_job"
    template = (folder / "worker-task.liquid.html").read_text()
    return StackSetup(JOB, template, folder / "sample", Storage(bucket.s3), ThreadPoolExecutor(8))


@pytest.fixture
def stack(bucket: Bucket) -> Properties:
    return properties(
        {
            "ServiceToken": "arn",
            "Bucket": bucket.name,
            "RoleArn": "arn:aws:iam::111122223333:role/GroundTruthRole",
            "PreLabelingFunctionArn": FUNCTION.format("PreLabeling"),
            "PostLabelingFunctionArn": FUNCTION.format("PostLabeling"),
            "SourceFolders": "images,sensor_data",
            "KeepDataOnDelete": "true",
        }
    )


def test_the_bucket_holds_all_that_a_job_needs(setup: StackSetup, stack: Properties, bucket: Bucket) -> None:
    data = setup.put(stack)
    assert data["LabelingJobRequest"] == f"s3://{bucket.name}/labeling-job.json"
    lines = [json.loads(line) for line in bucket.get("manifests/input.manifest").splitlines()]
    assert [line["source"] for line in lines] == [f"s3://{bucket.name}/dataset/dataset-{n}.json" for n in range(1, 8)]
    assert bucket.json("dataset/dataset-1.json")["image"]["s3Path"] == f"s3://{bucket.name}/images/weld.1.png"
    assert bucket.get("worker-page/worker-task.liquid.html").startswith(b"<script src=")


def test_the_request_is_one_that_sagemaker_takes(
    setup: StackSetup, stack: Properties, bucket: Bucket, sagemaker_model: Any
) -> None:
    setup.put(stack)
    request = bucket.json("labeling-job.json")
    sagemaker_model(request)
    task = request["HumanTaskConfig"]
    assert task["PreHumanTaskLambdaArn"] == stack.PreLabelingFunctionArn
    assert task["WorkteamArn"] == "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/YOUR-WORK-TEAM"
    team = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/welders"
    setup.put(msgspec.structs.replace(stack, WorkteamArn=team))
    assert bucket.json("labeling-job.json")["HumanTaskConfig"]["WorkteamArn"] == team


@pytest.fixture
def sagemaker_model() -> Any:
    """Checks a request as botocore does before it sends one."""
    operation = boto3.client("sagemaker").meta.service_model.operation_model("CreateLabelingJob")

    def check(request: Any) -> None:
        assert operation.input_shape
        report = ParamValidator().validate(request, operation.input_shape)
        assert not report.has_errors(), report.generate_report()

    return check


def test_an_update_overwrites_its_own_and_leaves_people_s(setup: StackSetup, stack: Properties, bucket: Bucket) -> None:
    setup.put(stack)
    bucket.put("manifests/input.manifest", "my own\n")
    setup.template += "<!-- new -->"
    setup.put(stack)
    assert bucket.get("manifests/input.manifest") == b"my own\n"
    assert bucket.get("worker-page/worker-task.liquid.html").endswith(b"<!-- new -->")


def test_what_was_there_before_the_stack_is_people_s(setup: StackSetup, stack: Properties, bucket: Bucket) -> None:
    bucket.put("images/weld.1.png", b"mine")
    setup.put(stack)
    setup.remove(stack)
    assert bucket.get("images/weld.1.png") == b"mine"
    assert bucket.keys() == ["images/weld.1.png"]


def test_a_deletion_takes_away_what_it_brought_and_nothing_else(
    setup: StackSetup, stack: Properties, bucket: Bucket
) -> None:
    setup.put(stack)
    people_s = {"labels/a.jsonl", "output/job/answer.json", "images/another.png", "manifests/input.manifest"}
    for key in people_s:
        bucket.put(key, "people's")
    setup.remove(stack)
    assert set(bucket.keys()) == people_s
    assert setup.remove(stack) == 0


def test_only_without_keeping_data_does_it_delete_everything(
    setup: StackSetup, stack: Properties, bucket: Bucket
) -> None:
    bucket.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    setup.put(stack)
    for body in ("first", "second"):
        bucket.put("labels/a.jsonl", body)
    bucket.s3.delete_object(Bucket=bucket.name, Key="labels/a.jsonl")
    setup.remove(msgspec.structs.replace(stack, KeepDataOnDelete="false"))
    answer = bucket.s3.list_object_versions(Bucket=bucket.name)
    assert not answer.get("Versions")
    assert not answer.get("DeleteMarkers")


@pytest.mark.parametrize("keep", ["true", "false"])
def test_a_bucket_that_is_gone_already_is_no_trouble(setup: StackSetup, stack: Properties, keep: Any) -> None:
    assert setup.remove(msgspec.structs.replace(stack, Bucket="no-such-bucket-any-more", KeepDataOnDelete=keep)) == 0


def test_a_folder_that_the_roles_do_not_open_is_refused(setup: StackSetup, stack: Properties, bucket: Bucket) -> None:
    with pytest.raises(JobConfigurationError, match=r"sources\.sensor_data\.folder.*SourceFolders=images,sensor_data"):
        setup.put(msgspec.structs.replace(stack, SourceFolders="images"))
    assert bucket.keys() == []


def test_missing_properties_are_named() -> None:
    with pytest.raises(EventError, match="RoleArn: missing"):
        properties({"Bucket": "b"})
