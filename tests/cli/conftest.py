"""The command in this process, against servers on loopback: moto's S3, CloudFormation and logs, our SageMaker API."""

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import boto3
import botocore.session
import pytest
from labeling.data_folder import DataFolder
from labeling.job import JobConfiguration, load
from labeling.observability import logger
from starlette.applications import Starlette

from cli.main import main
from ground_truth_server.loopback import serving
from tests.conftest import ROOT, Bucket
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, sagemaker_route

STACK = "welds"
ROLE = "arn:aws:iam::111122223333:role/ground-truth"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:"


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture(scope="session", autouse=True)
def models() -> Iterator[None]:
    """AWS's service models are read once: each command has a session of its own, and would read them again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, s3_endpoint: str) -> Iterator[Command]:
    """Runs ``labeling-job`` with these arguments."""
    for service in ("S3", "CLOUDFORMATION", "CLOUDWATCH_LOGS", "LAMBDA"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", s3_endpoint)

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Outcome(status, *capsys.readouterr())

    level = logger.log_level
    yield run
    logger.setLevel(level)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[JobsInMemory]:
    """The account's labeling jobs, behind the SageMaker API."""
    jobs = JobsInMemory()
    with (
        sagemaker_route(jobs, tmp_path / "account.sqlite") as route,
        serving(Starlette(routes=[route])) as url,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", url)
        yield jobs


@pytest.fixture(scope="session")
def job() -> JobConfiguration:
    return load(ROOT / "labeling_job" / "job.toml")


@pytest.fixture
def welds(bucket: Bucket, job: JobConfiguration) -> Bucket:
    """A bucket with the sample welds."""
    for found in DataFolder(ROOT / "labeling_job" / "sample", job).objects(bucket.name):
        bucket.put(found.key, found.body)
    return bucket


@pytest.fixture
def stack(welds: Bucket, s3_endpoint: str) -> Iterator[dict[str, str]]:
    """The outputs of a stack that has the welds' bucket."""
    outputs = {
        "BucketName": welds.name,
        "ManifestS3Path": f"s3://{welds.name}/manifests/input.manifest",
        "ProposedOutputPath": f"s3://{welds.name}/output",
        "SagemakerServiceRoleArn": ROLE,
        "PreLabelingFunctionArn": f"{FUNCTION}PreLabelingFunction",
        "PostLabelingFunctionArn": f"{FUNCTION}PostLabelingFunction",
    }
    with stack_with(outputs, s3_endpoint):
        yield outputs


@contextmanager
def stack_with(outputs: dict[str, str], endpoint: str) -> Iterator[None]:
    """A CloudFormation stack with these outputs, for the block."""
    cloudformation = boto3.client("cloudformation", endpoint_url=endpoint)
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(template))
    yield
    cloudformation.delete_stack(StackName=STACK)
