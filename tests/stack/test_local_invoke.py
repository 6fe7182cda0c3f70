"""The functions in Lambda's own runtime, in containers, as they are built for deployment."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from labeling import worker_page
from labeling.job import load_configured
from labeling.job_request import WORKER_PAGE_KEY, JobResources, create_labeling_job

from demo.lambda_runtime import BUCKET, EVENTS, SampleS3, containers, invoke, sample_s3, why_not
from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.invoke import LambdaInvoke
from tests.conftest import ROOT
from tests.stack.lambda_service import start_lambda

REASON = why_not()
# In CI the runtime is made ready before the tests, so there a lack of it is a failure.
MUST_RUN = os.environ.get("CI") == "true" and (ROOT.parent / "shared" / "lambda-image").is_dir()
pytestmark = pytest.mark.skipif(bool(REASON) and not MUST_RUN, reason=f"no Lambda runtime here: {REASON}")

# What becomes of each event: whether workers are needed, or the error for which they aren't, or which is raised.
PRE_LABELING = {
    "pre-labeling": "true",
    "pre-labeling-source-ref": "true",
    "pre-labeling-gaps-and-bad-rows": "true",
    "pre-labeling-already-labeled": "false",
    "pre-labeling-broken-recording": "RecordingError",
    "pre-labeling-missing-recording": "MissingObjectError",
    "pre-labeling-not-json": "DatasetFileError",
    "pre-labeling-other-bucket": "BucketError",
    "pre-labeling-no-source": "raises EventError",
}
POST_LABELING = {
    "post-labeling": ["Good Weld", "Burn Through"],
    "post-labeling-single-worker": ["Not sure"],
    "post-labeling-tie": ["Not sure"],
    "post-labeling-marks": ["Burn Through"],
    "post-labeling-broken-answers": ["Not sure", "Burn Through", "Contamination"],
    "post-labeling-missing-payload": "raises MissingObjectError",
}


class Run(NamedTuple):
    """One invocation: what the function answered, and what it logged."""

    answer: Any
    log: str


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleS3]:
    done = subprocess.run(["make", "build"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with sample_s3(tmp_path_factory.mktemp("s3")) as served:
        yield served


@pytest.fixture(scope="module")
def runs(s3: SampleS3) -> dict[str, Run]:
    """Every event, invoked; several at a time, since an invocation is mostly waiting."""

    def run(name: str) -> Run:
        try:
            done = invoke(EVENTS / f"{name}.json", s3, seconds=90)
        except subprocess.TimeoutExpired:  # on a busy machine SAM can miss that its container is ready
            done = invoke(EVENTS / f"{name}.json", s3, seconds=90)
        assert done.stdout.strip(), done.stderr
        return Run(json.loads(done.stdout), done.stderr)

    first, others = ["pre-labeling", "post-labeling"], [path.stem for path in EVENTS.glob("*.json")]
    found = {name: run(name) for name in first}  # SAM makes an image of each function's layers once
    others = [name for name in others if name not in first]
    with ThreadPoolExecutor(3) as pool:
        return found | dict(zip(others, pool.map(run, others), strict=True))


def test_every_event_is_known() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == PRE_LABELING.keys() | POST_LABELING.keys()


@pytest.mark.parametrize(("name", "expected"), PRE_LABELING.items())
def test_pre_labeling(runs: dict[str, Run], s3: SampleS3, name: str, expected: str) -> None:
    answer = runs[name].answer
    if expected.startswith("raises"):
        assert f"raises {answer['errorType']}" == expected
        return
    needed = answer["isHumanAnnotationRequired"]
    assert (answer["taskInput"].get("errorType") or needed) == expected
    if expected == "true":
        for panel in answer["taskInput"]["panels"]:
            key = panel["file"].removeprefix(f"s3://{BUCKET}/")
            assert s3.client.get_object(Bucket=BUCKET, Key=key)["Body"].read().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "expected"), POST_LABELING.items())
def test_post_labeling(runs: dict[str, Run], name: str, expected: list[str] | str) -> None:
    answer = runs[name].answer
    if isinstance(expected, str):
        assert f"raises {answer['errorType']}" == expected
        return
    labels = [entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"] for entry in answer]
    assert [label["WeldingClassification"] for label in labels] == expected


def test_a_cold_start_neither_reads_every_font_nor_writes_outside_tmp(runs: dict[str, Run]) -> None:
    for run in runs.values():
        assert "generated new fontManager" not in run.log
        assert "Read-only file system" not in run.log


def test_a_labeling_job_runs_through_start_lambda(s3: SampleS3, tmp_path: Path) -> None:
    """The local Ground Truth calls the containers by Lambda's API; three workers answer each weld alike."""
    job = load_configured()
    page = worker_page.page(job, (ROOT / "labeling_job" / "worker-task.liquid.html").read_text())
    s3.client.put_object(Bucket=BUCKET, Key=WORKER_PAGE_KEY, Body=page.encode())
    function = "arn:aws:lambda:eu-west-1:111122223333:function:{}Function".format
    account = JobResources(
        bucket=BUCKET,
        role_arn="arn:aws:iam::111122223333:role/GroundTruthRole",
        workteam_arn="arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/welders",
        pre_labeling_arn=function("PreLabeling"),
        post_labeling_arn=function("PostLabeling"),
    )
    with start_lambda(s3, tmp_path / "sam.log") as endpoint:
        client = boto3.client(
            "lambda", endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}, read_timeout=300)
        )
        engine = Engine(tmp_path / "ground-truth", s3.client, LambdaInvoke(client))
        try:
            engine.create(create_labeling_job(job, "RealRuntime-1", account))
            status = label(engine, "RealRuntime-1", {job.label.name: {"label": "Burn Through"}})
            assert containers(s3), "none is found while they run: the test of their end would say nothing"
        finally:
            engine.close()
    assert status["LabelingJobStatus"] == "Completed", (status, (tmp_path / "sam.log").read_text())
    assert containers(s3) == []
    key = "output/RealRuntime-1/manifests/output/output.manifest"
    lines = [json.loads(line) for line in s3.client.get_object(Bucket=BUCKET, Key=key)["Body"].read().splitlines()]
    assert [line["WeldingLabel"]["WeldingClassification"] for line in lines] == ["Burn Through"] * 7
    assert {line["WeldingLabel"]["confidence"] for line in lines} == {1.0}


def label(engine: Engine, job: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Three workers answer until the job has ended; gives how it did."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        for worker in ("ada", "bo", "cy"):
            while task := engine.desk.next_task(worker, job):
                engine.desk.submit(task.id, worker, answer)
        status = engine.describe(job)
        if status["LabelingJobStatus"] in ("Completed", "Failed", "Stopped"):
            return status
        time.sleep(0.1)
    raise AssertionError("the job hasn't ended after three minutes")
