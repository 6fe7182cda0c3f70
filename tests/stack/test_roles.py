"""The functions and Ground Truth under their own roles, with moto's IAM enforcement turned on.

Functions run in processes of this machine. The custom resource is carried out here as CloudFormation would: moto has
containers for that.
"""

import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ground_truth_server.lambda_host.function_host import FunctionHost
from tests.conftest import ROOT
from tests.stack.conftest import PARAMETERS, REGION, Deployed

ROLES = "arn:aws:iam::123456789012:role"
REFUSED = r"AccessDenied|Forbidden|403"
OBJECTS = (
    *("output/answer.json", "labels/label.jsonl", "evidence/job.json", "plots/old.png", "images/i.png"),
    *("dataset/d.json", "hr/pay.csv", "sample/images/i.png", "sample/dataset/d.json", "reference/welds.json"),
)


@pytest.fixture(scope="module")
def enforced(stack: Deployed) -> Iterator[dict[str, dict[str, str]]]:
    """IAM's rules apply: from here on each call needs a role's credentials; gives those of each role."""
    s3, sts = stack.client("s3"), stack.client("sts")
    s3.create_bucket(Bucket="another-team", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="another-team", Key="dataset/secret.json", Body=b"{}")
    for key in OBJECTS:
        s3.put_object(Bucket=stack.bucket, Key=key, Body=b"{}")
    roles = {
        name: sts.assume_role(RoleArn=f"arn:aws:iam::123456789012:role/{physical}", RoleSessionName="test")[
            "Credentials"
        ]
        for name, physical in stack.resources.items()
        if stack.declared[name]["Type"] == "AWS::IAM::Role"
    }
    set_unchecked_calls(stack, "0")
    yield roles
    set_unchecked_calls(stack, "1000000")


def set_unchecked_calls(stack: Deployed, number: str) -> None:
    request = urllib.request.Request(
        f"{stack.endpoint}/moto-api/reset-auth", number.encode(), {"Content-Type": "text/plain"}, method="POST"
    )
    urllib.request.urlopen(request).close()


ALLOWED = [
    ("PreLabelingRole", "get", "dataset/d.json"),
    ("PreLabelingRole", "get", "images/i.png"),
    ("PreLabelingRole", "get", "plots/old.png"),
    ("PreLabelingRole", "put", "plots/new.png"),
    ("PreLabelingRole", "get", "reference/welds.json"),
    ("PostLabelingRole", "get", "output/answer.json"),
    ("PostLabelingRole", "get", "dataset/d.json"),
    ("PostLabelingRole", "put", "labels/new.jsonl"),
    ("PostLabelingRole", "get", "evidence/job.json"),
    ("PostLabelingRole", "put", "evidence/job.json"),
    ("GroundTruthRole", "get", "images/i.png"),
    ("GroundTruthRole", "put", "output/job/x.json"),
    ("StackSetupRole", "put", "sample/sensor_data/new.csv"),
    ("StackSetupRole", "delete", "sample/images/nothing.png"),
    ("PreLabelingRole", "get", "sample/images/i.png"),
    ("PostLabelingRole", "get", "sample/dataset/d.json"),
    ("CheckReportRole", "put", "check-report/a.jsonl"),
]
DENIED = [
    ("PreLabelingRole", "get", "output/answer.json"),
    ("PreLabelingRole", "get", "labels/label.jsonl"),
    ("PreLabelingRole", "get", "hr/pay.csv"),
    ("PreLabelingRole", "put", "labels/forged.jsonl"),
    ("PreLabelingRole", "put", "dataset/d.json"),
    ("PreLabelingRole", "put", "reference/welds.json"),
    ("PostLabelingRole", "get", "reference/welds.json"),
    ("PreLabelingRole", "put", "output/forged.json"),
    ("PreLabelingRole", "delete", "plots/old.png"),
    ("PostLabelingRole", "get", "images/i.png"),
    ("PostLabelingRole", "get", "hr/pay.csv"),
    ("PostLabelingRole", "put", "plots/new.png"),
    ("PostLabelingRole", "put", "output/forged.json"),
    ("PostLabelingRole", "delete", "labels/label.jsonl"),
    ("PostLabelingRole", "delete", "evidence/job.json"),
    ("PostLabelingRole", "get", "labels/label.jsonl"),
    ("PreLabelingRole", "get", "evidence/job.json"),
    ("PreLabelingRole", "put", "evidence/forged.json"),
    ("GroundTruthRole", "put", "evidence/forged.json"),
    ("GroundTruthRole", "put", "dataset/d.json"),
    ("GroundTruthRole", "delete", "output/answer.json"),
    ("StackSetupRole", "get", "labels/label.jsonl"),
    ("StackSetupRole", "put", "images/i.png"),
    ("StackSetupRole", "put", "dataset/d.json"),
    ("StackSetupRole", "put", "manifests/input.manifest"),
    ("StackSetupRole", "delete", "images/i.png"),
    ("PreLabelingRole", "put", "sample/images/i.png"),
    ("PostLabelingRole", "get", "sample/images/i.png"),
    ("StackSetupRole", "delete", "labels/label.jsonl"),
    ("StackSetupRole", "delete", "output/answer.json"),
    ("CheckReportRole", "get", "dataset/d.json"),
]


def call(s3: Any, verb: str, bucket: str, key: str) -> None:
    body = {"Body": b"x"} if verb == "put" else {}
    getattr(s3, f"{verb}_object")(Bucket=bucket, Key=key, **body)


@pytest.mark.parametrize(("role", "verb", "key"), ALLOWED)
def test_a_role_may_do_what_its_work_needs(
    stack: Deployed, enforced: dict[str, Any], role: str, verb: str, key: str
) -> None:
    call(stack.client("s3", enforced[role]), verb, stack.bucket, key)


@pytest.mark.parametrize(("role", "verb", "key"), DENIED)
def test_and_nothing_else(stack: Deployed, enforced: dict[str, Any], role: str, verb: str, key: str) -> None:
    with pytest.raises(ClientError, match=REFUSED):
        call(stack.client("s3", enforced[role]), verb, stack.bucket, key)


@pytest.mark.parametrize("role", ["PreLabelingRole", "PostLabelingRole", "GroundTruthRole", "StackSetupRole"])
def test_no_role_reaches_another_bucket(stack: Deployed, enforced: dict[str, Any], role: str) -> None:
    s3 = stack.client("s3", enforced[role])
    for verb in ("get", "put", "delete"):
        with pytest.raises(ClientError, match=REFUSED):
            call(s3, verb, "another-team", "dataset/secret.json")


class CloudFormationMailbox:
    """Takes the custom resource's answers, as CloudFormation's presigned URL does."""

    def __init__(self) -> None:
        answers: list[dict[str, Any]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.answers = answers
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def run(
    stack: Deployed,
    role: dict[str, str],
    function: str,
    event: Any,
    folder: Path,
    job: Path = ROOT / "labeling_job" / "job.toml",
) -> Any:
    """Runs a function of the template in a process of its own, under a role's credentials."""
    environment = {
        "AWS_ENDPOINT_URL_S3": stack.endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": role["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"],
        "AWS_SESSION_TOKEN": role["SessionToken"],
        "LABELING_BUCKET": stack.bucket,
        "LABELING_JOB_CONFIG": str(job),
    }
    host = FunctionHost(ROOT / "template.yaml", environment, folder, parameters=PARAMETERS)
    try:
        return json.loads(host.invoke(function, event).payload)
    finally:
        host.close()


def custom_resource(stack: Deployed, mailbox: CloudFormationMailbox, kind: str, **changed: str) -> dict[str, Any]:
    role = stack.outputs["SagemakerServiceRoleArn"]
    return {
        "RequestType": kind,
        "ResponseURL": mailbox.url,
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/welds/1",
        "RequestId": "1",
        "LogicalResourceId": "StackSetup",
        "PhysicalResourceId": f"s3://{stack.bucket}",
        "ResourceType": "Custom::StackSetup",
        "ResourceProperties": {
            "ServiceToken": "arn",
            "ServiceTimeout": "960",
            "Bucket": stack.bucket,
            "RoleArn": role,
            "PreLabelingFunctionArn": stack.outputs["PreLabelingFunctionArn"],
            "PostLabelingFunctionArn": stack.outputs["PostLabelingFunctionArn"],
            "SourceFolders": "images,sensor_data",
            "WorkteamArn": "",
            "KeepDataOnDelete": "true",
            **changed,
        },
    }


def test_the_functions_do_their_work_under_their_roles(
    stack: Deployed, enforced: dict[str, Any], tmp_path: Path
) -> None:
    """Set-up fills the bucket, pre-labeling draws, post-labeling labels, and set-up takes away what it brought."""
    mailbox = CloudFormationMailbox()
    created = custom_resource(stack, mailbox, "Create")
    run(stack, enforced["StackSetupRole"], "StackSetupFunction", created, tmp_path)
    answer = mailbox.answers[-1]
    assert answer["Status"] == "SUCCESS", answer
    assert answer["Data"]["LabelingJobRequest"] == f"s3://{stack.bucket}/labeling-job.json"

    event = json.loads((ROOT / "events" / "pre-labeling.json").read_text())
    event["dataObject"] = {"source": f"s3://{stack.bucket}/sample/dataset/dataset-1.json"}
    task = run(stack, enforced["PreLabelingRole"], "PreLabelingFunction", event, tmp_path)
    assert task["isHumanAnnotationRequired"] == "true", task

    payload = "output/WeldingLabelJob1/annotations/consolidated-annotation/consolidation-request/iteration-1/tie.json"
    body = (ROOT / "events" / "objects" / payload).read_text().replace("mixed-source-labeling-sample", stack.bucket)
    ground_truth = stack.client("s3", enforced["GroundTruthRole"])
    ground_truth.put_object(Bucket=stack.bucket, Key=payload, Body=body.encode())
    event = json.loads((ROOT / "events" / "post-labeling-tie.json").read_text())
    event["payload"] = {"s3Uri": f"s3://{stack.bucket}/{payload}"}
    event["outputConfig"] = f"s3://{stack.bucket}/output/WeldingLabelJob1/annotations"
    labels = run(stack, enforced["PostLabelingRole"], "PostLabelingFunction", event, tmp_path)
    assert labels[0]["datasetObjectId"] == "0", labels

    deleted = custom_resource(stack, mailbox, "Delete")
    run(stack, enforced["StackSetupRole"], "StackSetupFunction", deleted, tmp_path)
    assert mailbox.answers[-1]["Status"] == "SUCCESS", mailbox.answers[-1].get("Reason")
    left = {entry["Key"] for entry in ground_truth.list_objects_v2(Bucket=stack.bucket)["Contents"]}
    assert not any(
        key.startswith(("worker-page/", "sample/dataset/dataset-", "sample/manifests", "labeling-job", "stack-setup"))
        for key in left
    )
    assert any(key.startswith("labels/") for key in left)
    assert {payload, "hr/pay.csv"} <= left
    mailbox.close()


def test_post_labeling_learns_from_earlier_batches_under_its_role(
    stack: Deployed, enforced: dict[str, Any], tmp_path: Path
) -> None:
    sample = (ROOT / "labeling_job" / "job.toml").read_text()
    job = tmp_path / "job.toml"
    job.write_text(sample.replace('strategy = "majority-vote"', 'strategy = "bayesian"'))
    assert job.read_text() != sample
    folder = "output/Learning/annotations/consolidated-annotation/consolidation-request/iteration-1"
    vote = {"workerId": "w", "annotationData": {"content": '{"WeldingClassification": {"label": "Good Weld"}}'}}
    ground_truth = stack.client("s3", enforced["GroundTruthRole"])
    for number in range(2):
        body = json.dumps([{"datasetObjectId": str(number), "dataObject": {}, "annotations": [vote]}]).encode()
        ground_truth.put_object(Bucket=stack.bucket, Key=f"{folder}/2020-09-15_16:16:1{number}.json", Body=body)
    event = {
        "labelingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:labeling-job/learning",
        "labelAttributeName": "WeldingLabel",
        "outputConfig": f"s3://{stack.bucket}/output/Learning/annotations",
        "payload": {"s3Uri": f"s3://{stack.bucket}/{folder}/2020-09-15_16:16:11.json"},
    }
    (entry,) = run(stack, enforced["PostLabelingRole"], "PostLabelingFunction", event, tmp_path, job)
    label = entry["consolidatedAnnotation"]["content"]["WeldingLabel"]
    assert (label["WeldingClassification"], label["evidence"]) == ("Good Weld", 2)
    # The former batch was found, and the summary kept; nobody but the function may read it.
    with pytest.raises(ClientError, match=REFUSED):
        call(stack.client("s3", enforced["PreLabelingRole"]), "get", stack.bucket, "evidence/learning.json")
    call(stack.client("s3", enforced["PostLabelingRole"]), "get", stack.bucket, "evidence/learning.json")


def test_an_item_elsewhere_is_refused_by_the_role_too(
    stack: Deployed, enforced: dict[str, Any], tmp_path: Path
) -> None:
    event = json.loads((ROOT / "events" / "pre-labeling.json").read_text())
    event["dataObject"] = {"source": f"s3://{stack.bucket}/hr/pay.csv"}
    refused = run(stack, enforced["PreLabelingRole"], "PreLabelingFunction", event, tmp_path)
    assert refused["errorType"] == "AccessError"
    assert "hr/pay.csv: S3 refuses access" in refused["errorMessage"]
