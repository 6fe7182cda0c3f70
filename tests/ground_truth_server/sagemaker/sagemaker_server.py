"""The SageMaker API on the loopback interface, over jobs whose times and states the tests choose."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from mypy_boto3_sagemaker import SageMakerClient
from starlette.routing import Route

from ground_truth_server.engine.labeling_job import LabelingJobNotFound
from ground_truth_server.people.work_teams import WorkteamTable
from ground_truth_server.people.workforces import WorkforceTable
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from ground_truth_server.sagemaker.aws_json import AwsJson, Caller
from ground_truth_server.sagemaker.human_task_uis import HumanTaskUiTable
from ground_truth_server.sagemaker.sagemaker_api import LabelingJobs, Members, Render, SageMakerApi

ACCOUNT_ARN = "arn:aws:sagemaker:us-east-1:111122223333:"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:111122223333:function:"
EVERYONE_ARN = ACCOUNT_ARN + "workteam/private-crowd/everyone"


class JobsInMemory:
    """Jobs that nobody works on, since the engine's own can't be given a state and a time at will."""

    def __init__(self, region: str = "us-east-1") -> None:
        self._region = region
        self.jobs: dict[str, Members] = {}
        self.remarks: list[str] = []
        self.owners: dict[str, str | None] = {}

    def new_key(self, name: str, region: str, account: str) -> str:
        return name if (region, account) else ""

    def create(
        self,
        request: Members,
        region: str = "",
        account: str = "111122223333",
        remarks: Sequence[str] = (),
        owner: str | None = None,
    ) -> str:
        self.remarks = list(remarks)
        name = request["LabelingJobName"]
        self.owners[name.lower()] = owner
        arn = Caller(region or self._region, account).arn(f"labeling-job/{name.lower()}")
        now = datetime.now(UTC)
        self.jobs[name.lower()] = {
            **request,
            "Key": name,
            "LabelingJobArn": arn,
            "LabelingJobStatus": "InProgress",
            "JobReferenceCode": f"111122223333{name}",
            "CreationTime": now,
            "LastModifiedTime": now,
            "LabelCounters": {
                "TotalLabeled": 3,
                "HumanLabeled": 3,
                "MachineLabeled": 0,
                "FailedNonRetryableError": 1,
                "Unlabeled": 2,
            },
        }
        return arn

    def find(self, name: str, region: str, account: str) -> str:
        arn = Caller(region, account).arn(f"labeling-job/{name.lower()}")
        if all(job["LabelingJobArn"] != arn for job in self.jobs.values()):
            raise LabelingJobNotFound(f"There is no labeling job named {name}.")
        return name

    def describe(self, name: str) -> Members:
        if name.lower() not in self.jobs:
            raise LabelingJobNotFound(f"There is no labeling job named {name}.")
        return self.jobs[name.lower()]

    def owner(self, name: str) -> str | None:
        return self.owners.get(name.lower())

    def list(self) -> list[Members]:
        return [*self.jobs.values()]

    def stop(self, name: str) -> None:
        self.describe(name)["LabelingJobStatus"] = "Stopping"


@dataclass(frozen=True)
class Page:
    html: str
    errors: list[str]


def render(template: str, task_input: Members) -> Page:
    """Names what it was given, so that a test sees that both came through."""
    return Page(f"{template} with {sorted(task_input)}", ["line 1: odd"] if "odd" in template else [])


@contextmanager
def sagemaker_route(jobs: LabelingJobs, database: Path, render: Render = render) -> Iterator[Route]:
    """The SageMaker API over the jobs, with the account in the database."""
    records = Records(SqliteDatabase(database))
    account = WorkteamTable(records)
    forces = WorkforceTable(records, providers=True)
    api = SageMakerApi(jobs, account, forces, HumanTaskUiTable(records), render, portal="127.0.0.1:8000")
    yield AwsJson("sagemaker", api.operations()).route()
    records.database.close()


def connect(url: str, *, region: str = "us-east-1", validate: bool = True) -> SageMakerClient:
    """A client as users make it, but for the credentials; without ``validate`` it sends what it is given."""
    config = Config(parameter_validation=validate, retries={"total_max_attempts": 1})
    return boto3.client(
        "sagemaker",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


def job_request(name: str = "welds", **task: object) -> dict[str, Any]:
    """A valid CreateLabelingJob request; ``task`` sets members of its HumanTaskConfig."""
    return {
        "LabelingJobName": name,
        "LabelAttributeName": "WeldLabel",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://welds-bucket/dataset/input.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://welds-bucket/output/"},
        "RoleArn": "arn:aws:iam::111122223333:role/ground-truth",
        "HumanTaskConfig": {
            "WorkteamArn": EVERYONE_ARN,
            "UiConfig": {"UiTemplateS3Uri": "s3://welds-bucket/worker-task.liquid.html"},
            "PreHumanTaskLambdaArn": FUNCTION_ARN + "PreLabelingFunction",
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": FUNCTION_ARN + "PostLabelingFunction"
            },
            "TaskTitle": "Classify the weld",
            "TaskDescription": "Look at the photograph and the plots, then choose the category.",
            "NumberOfHumanWorkersPerDataObject": 3,
            "TaskTimeLimitInSeconds": 600,
            **task,
        },
    }
