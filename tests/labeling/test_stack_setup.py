"""Setting up a stack's bucket leaves alone what people made, in every order of events."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.validate import ParamValidator
from labeling.errors import AccessError, EventError, JobConfigurationError
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
    place = f"s3://{bucket.name}/sample"
    lines = [json.loads(line) for line in bucket.get("sample/manifests/input.manifest").splitlines()]
    assert [line["source"] for line in lines] == [f"{place}/dataset/dataset-{n}.json" for n in range(1, 8)]
    for line in lines:
        for file in bucket.json(line["source"].removeprefix(f"s3://{bucket.name}/")).values():
            assert bucket.get(file["s3Path"].removeprefix(f"s3://{bucket.name}/"))
    assert data["ManifestS3Uri"] == f"s3://{bucket.name}/manifests/input.manifest"  # it is people's to put there
    assert bucket.get("worker-page/worker-task.liquid.html").startswith(b"<script src=")


def test_the_sample_lies_apart_and_has_a_request_of_its_own(
    setup: StackSetup, stack: Properties, bucket: Bucket, sagemaker_model: Any
) -> None:
    data = setup.put(stack)
    keys = bucket.keys()
    assert {key for key in keys if not key.startswith("sample/")} == {
        "labeling-job.json",
        "stack-setup.json",
        "worker-page/worker-task.liquid.html",
    }
    request = bucket.json("sample/labeling-job.json")
    sagemaker_model(request)
    manifest = request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    assert manifest == f"s3://{bucket.name}/sample/manifests/input.manifest" == data["SampleManifestS3Uri"]
    assert request["LabelingJobName"] != bucket.json("labeling-job.json")["LabelingJobName"]


def test_without_the_sample_there_is_none_and_one_that_was_there_goes(
    setup: StackSetup, stack: Properties, bucket: Bucket
) -> None:
    setup.put(stack)
    bucket.put("sample/images/weld.1.png", b"drawn on by people")
    setup.put(msgspec.structs.replace(stack, Sample="off"))
    assert bucket.keys("sample/") == ["sample/images/weld.1.png"]
    assert not any(key.startswith("sample/") for key in bucket.json("stack-setup.json"))


OTHER_JOBS = {
    "other sources": {"sources": {"image": JOB.sources["image"]}},
    "other folders": {
        "sources": {**JOB.sources, "image": msgspec.structs.replace(JOB.sources["image"], folder="photographs")}
    },
    "other categories": {
        "label": msgspec.structs.replace(JOB.label, categories=JOB.label.categories[-2:], not_sure="Not sure")
    },
}


@pytest.mark.parametrize("changed", OTHER_JOBS.values(), ids=OTHER_JOBS)
def test_another_job_s_bucket_gets_no_welds(
    setup: StackSetup, stack: Properties, bucket: Bucket, changed: dict[str, Any]
) -> None:
    setup.job = msgspec.structs.replace(JOB, **changed)
    data = setup.put(msgspec.structs.replace(stack, SourceFolders="images,sensor_data,photographs"))
    assert data["SampleManifestS3Uri"].startswith("none")  # an output of the stack, which may not be empty
    assert sorted(bucket.keys()) == ["labeling-job.json", "stack-setup.json", "worker-page/worker-task.liquid.html"]


def test_a_sample_of_one_s_own_needs_no_dataset_files(
    setup: StackSetup, stack: Properties, bucket: Bucket, tmp_path: Path
) -> None:
    for name in ("images/part.png", "sensor_data/part.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    setup.sample = tmp_path
    setup.put(stack)
    assert bucket.json("sample/dataset/dataset-1.json")["image"] == {
        "s3Path": f"s3://{bucket.name}/sample/images/part.png"
    }


def test_key_and_tags_stand_in_the_request(
    setup: StackSetup, stack: Properties, bucket: Bucket, sagemaker_model: Any
) -> None:
    setup.put(stack)
    assert "KmsKeyId" not in bucket.json("labeling-job.json")["OutputConfig"]
    assert "Tags" not in bucket.json("labeling-job.json")
    key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    setup.put(msgspec.structs.replace(stack, KmsKeyArn=key, JobTags="CostCenter=42,Team=Welding hall"))
    for name in ("labeling-job.json", "sample/labeling-job.json"):
        request = bucket.json(name)
        sagemaker_model(request)
        assert request["OutputConfig"]["KmsKeyId"] == key
        assert request["Tags"] == [{"Key": "CostCenter", "Value": "42"}, {"Key": "Team", "Value": "Welding hall"}]


@pytest.mark.parametrize("keep", ["true", "false"])
def test_what_s3_refuses_is_told_in_this_project_s_words(
    setup: StackSetup, stack: Properties, bucket: Bucket, keep: Any
) -> None:
    """A deletion that S3 refuses: botocore's own error would name no object."""
    setup.put(stack)

    def refuse(**_: Any) -> tuple[Any, dict[str, Any]]:
        answer = AWSResponse("", 403, HTTPHeaders(), None)
        return answer, {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    hooks: Any = bucket.s3.meta.events
    events = [f"before-call.s3.{operation}" for operation in ("DeleteObject", "DeleteObjects")]
    for event in events:
        hooks.register(event, refuse)
    try:
        with pytest.raises(AccessError, match=f"s3://{bucket.name}/.*S3 refuses access"):
            setup.remove(msgspec.structs.replace(stack, KeepDataOnDelete=keep))
    finally:
        for event in events:
            hooks.unregister(event, refuse)


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
    bucket.put("sample/manifests/input.manifest", "my own\n")
    setup.template += "<!-- new -->"
    setup.put(stack)
    assert bucket.get("sample/manifests/input.manifest") == b"my own\n"
    assert bucket.get("worker-page/worker-task.liquid.html").endswith(b"<!-- new -->")


def test_what_was_there_before_the_stack_is_people_s(setup: StackSetup, stack: Properties, bucket: Bucket) -> None:
    bucket.put("sample/images/weld.1.png", b"mine")
    setup.put(stack)
    setup.remove(stack)
    assert bucket.get("sample/images/weld.1.png") == b"mine"
    assert bucket.keys() == ["sample/images/weld.1.png"]


def test_a_deletion_takes_away_what_it_brought_and_nothing_else(
    setup: StackSetup, stack: Properties, bucket: Bucket
) -> None:
    setup.put(stack)
    people_s = {"labels/a.jsonl", "output/job/answer.json", "images/another.png", "sample/manifests/input.manifest"}
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


def test_everything_goes_when_it_is_more_than_one_page(setup: StackSetup, stack: Properties, bucket: Bucket) -> None:
    bucket.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    for number in range(5):
        bucket.put(f"labels/{number % 2}.jsonl", f"version {number}")
    bucket.s3.delete_object(Bucket=bucket.name, Key="labels/0.jsonl")

    def two_a_page(params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "MaxKeys": 2}

    hooks: Any = bucket.s3.meta.events
    hooks.register("provide-client-params.s3.ListObjectVersions", two_a_page)
    try:
        assert setup.remove(msgspec.structs.replace(stack, KeepDataOnDelete="false")) == 6
    finally:
        hooks.unregister("provide-client-params.s3.ListObjectVersions", two_a_page)
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


def test_a_wrong_tag_is_named(stack: Properties) -> None:
    with pytest.raises(EventError, match="'Welding' is no tag; expected NAME=VALUE"):
        properties({**msgspec.to_builtins(stack), "JobTags": "CostCenter=42,Welding"})
