"""The custom resource's handler: CloudFormation gets its answer whatever happens."""

import http.server
import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from functions.stack_setup import app
from tests.conftest import Bucket

Answers = list[dict[str, Any]]


@pytest.fixture
def cloudformation() -> Iterator[tuple[str, Answers]]:
    """A server that takes answers: the URL to send them to, and what came. It refuses the first."""
    answers: Answers = []
    refused: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if refused:
                assert self.headers["Content-Type"] == ""
                answers.append(json.loads(body))
            self.send_response(200 if refused else 503)
            refused.append(1)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", answers
    server.shutdown()
    server.server_close()


def event(url: str, bucket: str, kind: str = "Create", **changed: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "StackSetup",
        "ResourceProperties": {
            "Bucket": bucket,
            "RoleArn": "arn:aws:iam::111122223333:role/GroundTruthRole",
            "PreLabelingFunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:Pre:live",
            "PostLabelingFunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:Post:live",
            "SourceFolders": "images,sensor_data",
            **changed,
        },
    }


def handle(request: dict[str, Any], seconds: float = 900) -> None:
    context = SimpleNamespace(
        log_stream_name="2026/01/01[$LATEST]", get_remaining_time_in_millis=lambda: seconds * 1000
    )
    app.handler(request, context)


@pytest.fixture(autouse=True)
def _endpoint(monkeypatch: pytest.MonkeyPatch, s3_endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_it_fills_the_bucket_and_answers(cloudformation: tuple[str, Answers], bucket: Bucket) -> None:
    url, answers = cloudformation
    handle(event(url, bucket.name))
    (answer,) = answers
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == f"s3://{bucket.name}"
    assert answer["Data"]["LabelingJobRequest"] == f"s3://{bucket.name}/labeling-job.json"
    assert {key: answer[key] for key in ("StackId", "RequestId", "LogicalResourceId")} == {
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "StackSetup",
    }
    deletion = event(url, bucket.name, "Delete") | {"PhysicalResourceId": f"s3://{bucket.name}"}
    handle(deletion)
    assert answers[-1]["Status"] == "SUCCESS"
    assert bucket.keys() == []


def test_a_fingerprint_changes_with_any_setting_and_with_nothing_else(cloudformation: tuple[str, Answers]) -> None:
    url, answers = cloudformation

    def asked(settings: list[str], kind: str = "Update") -> dict[str, Any]:
        resource = {"LogicalResourceId": "SettingsFingerprint", "ResourceType": "Custom::SettingsFingerprint"}
        handle({**event(url, "", kind), **resource, "ResourceProperties": {"ServiceToken": "a", "Settings": settings}})
        return answers[-1]

    first = asked(["x86_64", "1769", ""], "Create")
    assert first["Status"] == "SUCCESS", first
    assert len(first["Data"]["Fingerprint"]) == 16
    assert asked(["x86_64", "1769", ""])["Data"] == first["Data"]
    for changed in (["arm64", "1769", ""], ["x86_64", "1769", "one"], ["x86_64", "", "1769"]):
        assert asked(changed)["Data"] != first["Data"]
    # Another physical id would be another resource, and CloudFormation would ask to delete the first.
    assert {answer["PhysicalResourceId"] for answer in answers} == {"SettingsFingerprint"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Bucket": "no-such-bucket-anywhere"}, "no-such-bucket-anywhere"),
        ({"SourceFolders": "images"}, "Deploy again with the parameter SourceFolders="),
        ({"RoleArn": 7}, "RoleArn"),
    ],
)
def test_a_failure_is_answered_with_its_reason(
    cloudformation: tuple[str, Answers], bucket: Bucket, changed: dict[str, Any], reason: str
) -> None:
    url, answers = cloudformation
    handle(event(url, bucket.name, **changed))
    assert answers[0]["Status"] == "FAILED"
    assert reason in answers[0]["Reason"]
    assert "2026/01/01[$LATEST]" in answers[0]["Reason"]


def test_a_configuration_that_cannot_be_loaded_is_answered(
    cloudformation: tuple[str, Answers], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, answers = cloudformation
    monkeypatch.setenv("LABELING_JOB_CONFIG", "/nowhere/job.toml")
    handle(event(url, bucket.name))
    assert "/nowhere/job.toml" in answers[0]["Reason"]


def test_it_answers_once_and_before_lambda_ends_it(
    cloudformation: tuple[str, Answers], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, answers = cloudformation
    ended = threading.Event()

    def slow(_: Any) -> dict[str, str]:
        ended.wait(10)
        return {}

    monkeypatch.setattr(app, "set_up", slow)
    threading.Timer(1, ended.set).start()
    handle(event(url, bucket.name), seconds=app.SPARE_SECONDS + 0.1)
    (answer,) = answers
    assert answer["Status"] == "FAILED"
    assert "time is up" in answer["Reason"]
