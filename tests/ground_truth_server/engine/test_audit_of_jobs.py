"""What a labeling job leaves in the audit: each change of state once, by whom, and no worker by name."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.local_server import BUCKET, create_job, local_server
from demo.portal_client import PortalClient
from ground_truth_server.commands.main import main
from ground_truth_server.engine.engine import Engine
from ground_truth_server.worker_ids import worker_id
from tests.ground_truth_server.engine.labeling import Bench, label_all, request, wait_for_end, wait_until

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"


def entries(engine: Engine) -> list[dict[str, Any]]:
    """All entries, sealed and not, in the order in which they were written."""
    found = [*engine.records.audit.sealed(), *engine.records.audit.unsealed()]
    return sorted((entry.as_json() for entry in found), key=lambda entry: entry["id"])


def test_a_job_from_its_creation_to_its_end(bench: Bench) -> None:
    with bench.engine() as engine:
        engine.create(request(NumberOfHumanWorkersPerDataObject=2))
        label_all(engine, ["Ada Lovelace", "Ben"])
    with bench.engine() as engine:
        told = entries(engine)
        assert engine.records.audit.verify().unsealed == 0, "it was sealed when the engine was closed"
    ada, ben = worker_id("Ada Lovelace", "eu-west-1"), worker_id("Ben", "eu-west-1")
    assert Counter((entry["actor"], entry["action"]) for entry in told) == {
        ("server", "labeling-job.created"): 1,
        ("server", "labeling-job.in-progress"): 1,
        ("server", "labeling-job.completed"): 1,
        (ada, "task.accepted"): 3,
        (ada, "task.submitted"): 3,
        (ben, "task.accepted"): 3,
        (ben, "task.submitted"): 3,
    }
    assert {entry["subject"] for entry in told} == {ARN}
    answer = hashlib.sha256(b'{"class":{"label":"Good Weld"}}').hexdigest()
    assert {entry["detail"]["answer"] for entry in told if entry["action"] == "task.submitted"} == {answer}
    assert not any(name in json.dumps(told) for name in ("Ada", "Ben", "Lovelace"))


def test_what_is_handed_back_runs_out_or_is_stopped(bench: Bench) -> None:
    with bench.engine() as engine:
        engine.create(request(TaskTimeLimitInSeconds=60))
        for way in (engine.desk.decline, engine.desk.release):
            wait_until(lambda: engine.desk.next_task("ann", "Welds1"))
            task = engine.desk.next_task("ann", "Welds1")
            assert task is not None
            way(task.id, "ann")
        engine.desk.next_task("bob", "Welds1")
        bench.clock.pass_seconds(61)
        wait_until(lambda: any(entry["action"] == "task.expired" for entry in entries(engine)))
        engine.stop("Welds1")
        wait_for_end(engine)
        told = entries(engine)
    ann, bob = worker_id("ann", "eu-west-1"), worker_id("bob", "eu-west-1")
    by_worker = [(entry["actor"], entry["action"]) for entry in told if entry["action"].startswith("task.")]
    assert by_worker == [
        (ann, "task.accepted"),
        (ann, "task.declined"),
        (ann, "task.accepted"),
        (ann, "task.released"),
        (bob, "task.accepted"),
        ("server", "task.expired"),
    ]
    expired = next(entry for entry in told if entry["action"] == "task.expired")
    assert expired["detail"]["worker"] == bob
    jobs = [entry["action"] for entry in told if entry["action"].startswith("labeling-job.")]
    assert jobs == ["labeling-job.created", "labeling-job.in-progress", "labeling-job.stopping", "labeling-job.stopped"]


def test_a_server_tells_who_asked_and_from_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with local_server(tmp_path / "w") as server:
        create_job(server, 1, 1, "numbers")
        sagemaker = server.sagemaker()
        groups: Any = [{"OidcMemberDefinition": {"Groups": ["Adas-group"]}}]
        sagemaker.create_workteam(WorkteamName="inspectors", Description="They look", MemberDefinitions=groups)
        team = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/inspectors"
        sagemaker.add_tags(ResourceArn=team, Tags=[{"Key": "plant", "Value": "7"}])
        sagemaker.delete_tags(ResourceArn=team, TagKeys=["plant"])
        sagemaker.update_workteam(WorkteamName="inspectors", Description="They look twice")
        sagemaker.delete_workteam(WorkteamName="inspectors")
        portal = PortalClient(server.url, "Ada")
        wait_until(lambda: portal.next_task("numbers").task, 30)
        assert portal.answer(portal.next_task("numbers").task["id"], {"class": {"label": "even"}})
        portal.close()

        def status() -> str:
            return sagemaker.describe_labeling_job(LabelingJobName="numbers")["LabelingJobStatus"]

        wait_until(lambda: status() == "Completed", 30)

    assert main(["audit", "verify", "--workspace", str(tmp_path / "w")]) == 0
    assert "sealed entries are as they were written" in capsys.readouterr().out
    main(["audit", "export", "--workspace", str(tmp_path / "w")])
    text = capsys.readouterr().out
    told = [json.loads(line) for line in text.splitlines()]
    key, worker = f"access key {server.keys.access_key}", worker_id("Ada", "eu-west-1")
    found = [(one["actor"], one["address"], one["action"], one["subject"].rpartition(":")[2]) for one in told]
    for expected in (
        ("server", "", "work-team.created", "workteam/private-crowd/everyone"),
        (key, "127.0.0.1", "labeling-job.created", "labeling-job/numbers"),
        (key, "127.0.0.1", "work-team.created", "workteam/private-crowd/inspectors"),
        (key, "127.0.0.1", "tags.added", "workteam/private-crowd/inspectors"),
        (key, "127.0.0.1", "tags.removed", "workteam/private-crowd/inspectors"),
        (key, "127.0.0.1", "work-team.changed", "workteam/private-crowd/inspectors"),
        (key, "127.0.0.1", "work-team.deleted", "workteam/private-crowd/inspectors"),
        (worker, "127.0.0.1", "task.accepted", "labeling-job/numbers"),
        (worker, "127.0.0.1", "task.submitted", "labeling-job/numbers"),
        ("server", "", "labeling-job.in-progress", "labeling-job/numbers"),
        ("server", "", "labeling-job.completed", "labeling-job/numbers"),
    ):
        assert found.count(expected) == 1, expected
    assert "Ada" not in text
    assert BUCKET in text
