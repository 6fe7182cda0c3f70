"""The command in this process, against servers on loopback: moto's S3, CloudFormation and logs, our SageMaker API."""

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import botocore.session
import pytest
from labeling.data_folder import DataFolder
from labeling.job import JobConfiguration, load
from labeling.observability import logger
from starlette.applications import Starlette

from cli.main import main
from ground_truth_server.aws_error import AwsError
from ground_truth_server.edge.loopback import serving
from ground_truth_server.pages.ground_truth_liquid import render_template
from tests.conftest import ROOT, Bucket
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, Page, sagemaker_route

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

STACK = "welds"
ROLE = "arn:aws:iam::111122223333:role/ground-truth"
REFUSED_ROLE = "<p>of a role that can't be assumed</p>"
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


def rendered(template: str, task_input: dict[str, Any]) -> Page:
    """A worker page by the server's own Liquid, with links to the bucket that the role would have made.

    The server assumes no roles, so its answer to `REFUSED_ROLE` is AWS's for one that it can't assume.
    """
    if template == REFUSED_ROLE:
        raise AwsError("ValidationException", "Could not assume role")
    s3 = boto3.client("s3")

    def presign(uri: str) -> str:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})

    page = render_template(template, task_input, presign)
    return Page(f"{page.text} with {sorted(task_input)}", [str(error) for error in page.errors])


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[JobsInMemory]:
    """The account's labeling jobs, behind the SageMaker API."""
    jobs = JobsInMemory("eu-west-1")
    with (
        sagemaker_route(jobs, tmp_path / "account.sqlite", rendered) as route,
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
    # moto answers every origin unless an embedded S3, whose buckets' own rules count, was open in this process.
    rule: CORSRuleTypeDef = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    bucket.s3.put_bucket_cors(Bucket=bucket.name, CORSConfiguration={"CORSRules": [rule]})
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
