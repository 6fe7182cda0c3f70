"""Small outputs take the short way into the bucket where there is one, and S3's own way where that fails."""

import json
from typing import TYPE_CHECKING

import pytest

from ground_truth_server.engine.labeling_job import LabelingJob
from ground_truth_server.engine.outputs import Outputs
from ground_truth_server.records.tasks import Answer
from tests.ground_truth_server.engine.labeling import Bench, label_all, request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "outputs"
ANSWER = Answer("ann", "2026-01-01T00:00:00.000000", "2026-01-01T00:00:05.500000", {"class": "even"})


class ShortWay:
    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem
        self.put: list[tuple[str, str, bytes, str]] = []

    def __call__(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        if self.problem:
            raise self.problem
        self.put.append((bucket, key, body, content_type))


def job_of(kms_key: str | None = None) -> LabelingJob:
    output = {"S3OutputPath": f"s3://{BUCKET}/output"} | ({"KmsKeyId": kms_key} if kms_key else {})
    request = {
        "LabelingJobName": "welds",
        "LabelAttributeName": "class",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{BUCKET}/in.manifest"}}},
        "OutputConfig": output,
        "HumanTaskConfig": {
            "TaskTimeLimitInSeconds": 60,
            "NumberOfHumanWorkersPerDataObject": 1,
            "WorkteamArn": "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone",
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": "arn:aws:lambda:eu-west-1:111122223333:function:After"
            },
            "UiConfig": {"UiTemplateS3Uri": f"s3://{BUCKET}/page.html"},
        },
    }
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds"
    return LabelingJob.from_request(request, arn, "welds", None)


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return s3


def keys_in(s3: "S3Client") -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_worker_response_takes_the_short_way(bucket: "S3Client") -> None:
    way = ShortWay()
    written = Outputs(bucket, job_of(), way).write_worker_response(1, 7, [ANSWER])
    ((place, key, body, kind),) = way.put
    assert (place, key, kind) == (BUCKET, written.key, "application/json")
    assert key.startswith("output/welds/annotations/worker-response/iteration-1/7/")
    (answer,) = json.loads(body)["answers"]
    assert (answer["answerContent"], answer["timeSpentInSeconds"]) == ({"class": "even"}, 5.5)
    assert keys_in(bucket) == []


@pytest.mark.parametrize("problem", [OSError("the process has ended"), ValueError("no such bucket")])
def test_where_that_fails_it_is_put_by_a_request(bucket: "S3Client", problem: Exception) -> None:
    written = Outputs(bucket, job_of(), ShortWay(problem)).write_worker_response(1, 7, [ANSWER])
    found = bucket.get_object(Bucket=BUCKET, Key=written.key)
    assert found["ContentType"] == "application/json"
    assert json.loads(found["Body"].read())["answers"][0]["answerContent"] == {"class": "even"}


@pytest.mark.parametrize(("kms_key", "size"), [("a-key", 1), (None, 2 * 2**20)], ids=["encrypted", "large"])
def test_what_is_encrypted_or_large_takes_the_long_way(bucket: "S3Client", kms_key: str | None, size: int) -> None:
    way = ShortWay()
    answer = Answer(ANSWER.worker, ANSWER.accepted, ANSWER.submitted, {"text": "x" * size})
    written = Outputs(bucket, job_of(kms_key), way).write_worker_response(1, 7, [answer])
    assert (way.put, keys_in(bucket)) == ([], [written.key])


def test_a_whole_job_s_small_outputs_take_the_short_way(bench: Bench) -> None:
    put: list[str] = []

    def put_and_note(bucket: str, key: str, body: bytes, content_type: str) -> None:
        bench.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
        put.append(key)

    with bench.engine(quick_put=put_and_note) as engine:
        engine.create(request())
        assert label_all(engine, ["ann"])["LabelingJobStatus"] == "Completed"
    written = [key for key in bench.output_keys() if key.endswith(".json")]
    assert sorted(put) == sorted(written)
    assert len(written) == 3 + 2  # a worker response each, and a consolidation's request and response
