"""Labeling jobs for tests: an embedded S3, functions as plain callables, and workers who answer all."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.invoke import FunctionFailed, Json
from ground_truth_server.engine.labeling_job import ENDED
from ground_truth_server.engine.tasks import TaskRefused
from ground_truth_server.records.database import Database
from ground_truth_server.s3.storage import EmbeddedS3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "welds"
PRE = "arn:aws:lambda:eu-west-1:111122223333:function:SageMakerPre"
POST = "arn:aws:lambda:eu-west-1:111122223333:function:SageMakerPost"
TEMPLATE = "<crowd-form>{{ task.input.source }}</crowd-form>"
Function = Callable[[Mapping[str, Any]], Json]


def s3_client(s3: EmbeddedS3) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id=s3.keys.access_key,
        aws_secret_access_key=s3.keys.secret_key,
        config=Config(retries={"total_max_attempts": 2}),
    )


class Functions:
    """The Invoke interface over plain callables; remembers the events."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self.functions = dict(functions)
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self._lock = threading.Lock()

    def __call__(self, function_arn: str, event: Mapping[str, Any]) -> Json:
        with self._lock:
            self.events.append((function_arn, json.loads(json.dumps(event))))
        try:
            return json.loads(json.dumps(self.functions[function_arn](event)))
        except FunctionFailed:
            raise
        except Exception as error:
            name = type(error).__name__
            raise FunctionFailed(function_arn, event, error_type=name, message=str(error), trace="line 1") from error

    def events_of(self, function_arn: str) -> list[Mapping[str, Any]]:
        return [event for arn, event in self.events if arn == function_arn]


def pass_on(event: Mapping[str, Any]) -> Json:
    """A pre-annotation function whose task input is the data object."""
    return {"taskInput": event["dataObject"], "isHumanAnnotationRequired": "true"}


class MajorityVote:
    """A post-annotation function, which reads its payload from S3."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def __call__(self, event: Mapping[str, Any]) -> Json:
        attribute = event["labelAttributeName"]
        return [
            {
                "datasetObjectId": entry["datasetObjectId"],
                "consolidatedAnnotation": {
                    "content": {
                        attribute: self._label(entry["annotations"]),
                        f"{attribute}-metadata": {"votes": len(entry["annotations"])},
                    }
                },
            }
            for entry in self._payload(event["payload"]["s3Uri"])
        ]

    def _payload(self, uri: str) -> Json:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _label(self, annotations: Iterable[Mapping[str, Any]]) -> Json:
        answers = [json.loads(a["annotationData"]["content"])["class"]["label"] for a in annotations]
        return {"class": max(sorted(set(answers)), key=answers.count)}


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.moment = datetime(2020, 9, 15, 16, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_seconds(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def request(name: str = "Welds1", **changes: object) -> dict[str, Any]:
    """A CreateLabelingJob request; ``changes`` go into HumanTaskConfig, ``None`` leaves out."""
    task: dict[str, Any] = {
        "WorkteamArn": "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone",
        "UiConfig": {"UiTemplateS3Uri": f"s3://{BUCKET}/template.liquid.html"},
        "PreHumanTaskLambdaArn": PRE,
        "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": POST},
        "TaskTitle": "Classify the weld",
        "TaskDescription": "Look at the picture and the plots",
        "NumberOfHumanWorkersPerDataObject": 1,
        "TaskTimeLimitInSeconds": 600,
        **changes,
    }
    return {
        "LabelingJobName": name,
        "LabelAttributeName": "Weld",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{BUCKET}/input.manifest"}}},
        "OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/output/"},
        "RoleArn": "arn:aws:iam::111122223333:role/GroundTruth",
        "HumanTaskConfig": {key: value for key, value in task.items() if value is not None},
    }


class Bench:
    """A workspace with an S3, functions and a clock; opens the engine on it, again and again if need be."""

    def __init__(self, folder: Path, s3: "S3Client", database: Callable[[], Database | None] = lambda: None) -> None:
        self.folder = folder
        self._database = database
        self.s3 = s3
        self.clock = Clock()
        self.functions = Functions({PRE: pass_on, POST: MajorityVote(s3)})
        self.state_changes: list[Mapping[str, Any]] = []
        self.put("template.liquid.html", TEMPLATE)
        self.put_manifest({"source": f"s3://{BUCKET}/dataset/{i}.json"} for i in range(3))

    def put(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())

    def put_manifest(self, lines: Iterable[dict[str, Any] | str]) -> None:
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        self.put("input.manifest", "".join(f"{text}\n" for text in texts))

    def text(self, key: str) -> str:
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()

    def json(self, key: str) -> Json:
        return json.loads(self.text(key))

    def output_keys(self, prefix: str = "output/") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def output(self, name: str = "Welds1") -> list[dict[str, Any]]:
        text = self.text(f"output/{name}/manifests/output/output.manifest")
        return [json.loads(line) for line in text.splitlines()]

    @contextmanager
    def engine(self, **options: Json) -> Iterator[Engine]:
        known = {"tick": 0.02, "listeners": [self.state_changes.append], "database": self._database()}
        engine = Engine(self.folder, self.s3, self.functions, self.clock, **{**known, **options})
        try:
            yield engine
        finally:
            engine.close()


def answer_all(engine: Engine, worker: str, name: str = "Welds1", label: str = "Good Weld") -> int:
    """Let a worker answer all that there is now; gives the number of answers."""
    answered = 0
    while task := engine.desk.next_task(worker, name):
        engine.desk.submit(task.id, worker, {"class": {"label": label}})
        answered += 1
    return answered


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def wait_for_end(engine: Engine, name: str = "Welds1", seconds: float = 10) -> dict[str, Any]:
    """Wait until a job has ended; gives its description."""
    wait_until(lambda: engine.describe(name)["LabelingJobStatus"] in ENDED, seconds)
    return engine.describe(name)


def label_all(engine: Engine, workers: Iterable[str], name: str = "Welds1") -> dict[str, Any]:
    """Let workers answer until the job has ended; gives its description."""
    workers = list(workers)

    def ended() -> bool:
        for worker in workers:
            with suppress(TaskRefused):  # the job may end between a task and its answer
                answer_all(engine, worker, name)
        return engine.describe(name)["LabelingJobStatus"] not in ("Initializing", "InProgress")

    wait_until(ended)
    return wait_for_end(engine, name)
