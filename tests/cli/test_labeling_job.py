"""A whole labeling job by the command alone, on the real local Ground Truth: check, start, watch, results."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from labeling.data_folder import DataFolder
from labeling.job import JobConfiguration

from ground_truth_server.aws_services import Ports, ServerSettings
from ground_truth_server.server import GroundTruthServer
from tests.cli.conftest import FUNCTION, ROLE, Command
from tests.conftest import ROOT

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

BUCKET = "welds"
SAMPLE = ROOT / "labeling_job" / "sample"


@pytest.fixture
def ground_truth(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: JobConfiguration
) -> Iterator[GroundTruthServer]:
    """A local Ground Truth with the sample welds in its bucket, to which the environment leads."""
    settings = ServerSettings(
        tmp_path / "workspace",
        template=ROOT / "template.yaml",
        environment={"LABELING_JOB_CONFIG": str(ROOT / "labeling_job" / "job.toml"), "LABELING_BUCKET": BUCKET},
        ports=Ports.beginning_at(0),
    )
    with GroundTruthServer(settings) as server:
        server.services.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for found in DataFolder(SAMPLE, job).objects(BUCKET):
            server.services.s3.put_object(Bucket=BUCKET, Key=found.key, Body=found.body)
        rule: CORSRuleTypeDef = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
        server.services.s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        for name, value in server.endpoints.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def answer(ground_truth: GroundTruthServer, name: str, ended: threading.Event) -> None:
    """Three workers answer all that there is: two the truth, the third that it can't be told."""
    truth = json.loads((SAMPLE / "truth.json").read_text())
    while not ended.wait(0.05):
        for worker in ("Ada", "Ben", "Cas"):
            while task := ground_truth.engine.desk.next_task(worker, name):
                item = ground_truth.engine.ledger.data_object(name, task.object_id).data_object.data_object or {}
                right = truth[item["source"].removeprefix(f"s3://{BUCKET}/")]
                choice = "Not sure" if worker == "Cas" else right
                ground_truth.engine.desk.submit(task.id, worker, {"WeldingClassification": {"label": choice}})


def test_a_job_from_check_to_results(command: Command, ground_truth: GroundTruthServer, tmp_path: Path) -> None:
    functions = ["--pre", f"{FUNCTION}PreLabelingFunction", "--post", f"{FUNCTION}PostLabelingFunction"]
    assert command("check", f"s3://{BUCKET}/manifests/input.manifest").status == 0
    started = command("start", "--bucket", BUCKET, "--role", ROLE, *functions)
    assert started.status == 0, started.err
    assert "WeldingLabelJob-1" in command("list").out

    ended = threading.Event()
    workers = threading.Thread(target=answer, args=(ground_truth, "WeldingLabelJob-1", ended))
    workers.start()
    watched = command("watch", "WeldingLabelJob-1", "--interval", "0.2")
    ended.set()
    workers.join()
    assert watched.status == 0, watched.err
    assert "WeldingLabelJob-1: Completed. 7 of 7 data objects labeled." in watched.err

    path = tmp_path / "labels.jsonl"
    done = command("results", "WeldingLabelJob-1", "--output", path, "--plot", tmp_path / "labels.png")
    assert done.status == 0, done.err
    labels = [json.loads(line) for line in path.read_text().splitlines()]
    truth = json.loads((SAMPLE / "truth.json").read_text())
    assert {label["item"].removeprefix(f"s3://{BUCKET}/"): label["label"] for label in labels} == truth
    assert (tmp_path / "labels.png").read_bytes().startswith(b"\x89PNG")

    rendered = command(
        "render",
        "--role",
        ROLE,
        "--manifest",
        f"s3://{BUCKET}/manifests/input.manifest",
        "--output",
        tmp_path / "page.html",
    )
    assert rendered.status == 0, rendered.err
    assert "Burn Through" in (tmp_path / "page.html").read_text()

    again = command("start", "--bucket", BUCKET, "--role", ROLE, *functions)
    assert "Started WeldingLabelJob-2" in again.err
    assert command("stop", "WeldingLabelJob-2").status == 0
    assert command("watch", "WeldingLabelJob-2", "--interval", "0.2").status == 1
