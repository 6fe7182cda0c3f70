"""Watching, stopping and listing jobs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from tests.cli.conftest import FUNCTION, Command
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, job_request

REASON = (
    f"Exception invoking the Lambda function {FUNCTION}PreLabelingFunction. LambdaErrorCode: Unhandled. "
    "Please verify the function."
)


def add(jobs: JobsInMemory, name: str = "Welds-1", **changes: object) -> dict[str, Any]:
    jobs.create(job_request(name))
    jobs.jobs[name.lower()].update(changes)
    return jobs.jobs[name.lower()]


@pytest.mark.parametrize(("state", "status"), [("Completed", 0), ("Stopped", 1), ("Failed", 1)])
def test_the_exit_status_is_the_jobs_outcome(command: Command, jobs: JobsInMemory, state: str, status: int) -> None:
    add(jobs, LabelingJobStatus=state)
    done = command("watch", "Welds-1")
    assert done.status == status
    assert f"Welds-1: {state}. 3 of 6 data objects labeled, 1 failed." in done.err


def test_a_job_is_followed_until_it_ends(command: Command, jobs: JobsInMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job goes one step on each time that somebody looks."""
    job = add(jobs)
    counters = {**job["LabelCounters"], "TotalLabeled": 5, "Unlabeled": 0}
    steps: Iterator[dict[str, Any]] = iter([{}, {}, {"LabelCounters": counters}, {"LabelingJobStatus": "Completed"}])
    monkeypatch.setattr(jobs, "describe", lambda _name: job.update(next(steps)) or dict(job))
    done = command("watch", "Welds-1", "--interval", "0.1")
    assert done.status == 0
    assert done.err.splitlines() == [
        "InProgress. 3 of 6 data objects labeled, 1 failed.",
        "InProgress. 5 of 6 data objects labeled, 1 failed.",
        "Welds-1: Completed. 5 of 6 data objects labeled, 1 failed.",
    ]


def test_a_failure_comes_with_the_functions_last_lines(command: Command, jobs: JobsInMemory, s3_endpoint: str) -> None:
    now = datetime.now(UTC)
    logs = boto3.client("logs", endpoint_url=s3_endpoint)
    group, moment = "/aws/lambda/PreLabelingFunction", int(now.timestamp() * 1000)
    logs.create_log_group(logGroupName=group)
    for stream, lines in {
        "one": [
            "START RequestId: 1",
            json.dumps(
                {
                    "level": "ERROR",
                    "message": "The item could not be prepared",
                    "item": {"source": "s3://b/9.json"},
                    "exception": "Traceback\nDatasetFileError: not JSON",
                }
            ),
        ],
        "two": ["something older", "REPORT RequestId: 1 Duration: 3 ms"],
    }.items():
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": moment - 1000 * (stream == "two"), "message": line} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)  # type: ignore[arg-type]
    add(jobs, LabelingJobStatus="Failed", FailureReason=REASON, LastModifiedTime=now)
    done = command("watch", "Welds-1")
    logs.delete_log_group(logGroupName=group)
    assert done.status == 1
    assert REASON in done.err
    assert f"The last lines of {FUNCTION}PreLabelingFunction:" in done.err
    older, error = done.err.index("something older"), done.err.index("ERROR The item could not be prepared")
    assert (
        older
        < error
        < done.err.index('item: {"source": "s3://b/9.json"}')
        < done.err.index("DatasetFileError: not JSON")
    )
    assert "RequestId" not in done.err


def test_a_log_that_is_not_there_is_said(command: Command, jobs: JobsInMemory) -> None:
    add(jobs, LabelingJobStatus="Failed", FailureReason=REASON)
    assert "there is no log group '/aws/lambda/PreLabelingFunction'" in command("watch", "Welds-1").err


def test_of_a_local_job_no_log_is_looked_for_at_aws(
    command: Command, jobs: JobsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS")
    add(jobs, LabelingJobStatus="Failed", FailureReason=REASON)
    done = command("watch", "Welds-1")
    assert "The functions' log is in the console, http://127.0.0.1:" in done.err


def test_other_failures_show_no_log(command: Command, jobs: JobsInMemory) -> None:
    add(jobs, LabelingJobStatus="Failed", FailureReason="The manifest has no lines.")
    done = command("watch", "Welds-1")
    assert "The manifest has no lines." in done.err
    assert "last lines" not in done.err


@pytest.mark.parametrize("seconds", ["0", "often", "nan", "100000"])
def test_an_odd_interval_is_refused(command: Command, seconds: str) -> None:
    with pytest.raises(SystemExit) as ended:
        command("watch", "Welds-1", "--interval", seconds)
    assert ended.value.code == 2


def test_a_job_is_stopped_once(command: Command, jobs: JobsInMemory) -> None:
    job = add(jobs)
    done = command("stop", "Welds-1")
    assert done.status == 0
    assert "Welds-1 is stopping" in done.err
    assert job["LabelingJobStatus"] == "Stopping"
    assert "there is nothing to stop" in command("stop", "Welds-1").err


def test_jobs_are_listed_the_newest_first(command: Command, jobs: JobsInMemory) -> None:
    assert "There are no such labeling jobs in eu-west-1." in command("list").err
    add(jobs, "Old", CreationTime=datetime(2020, 9, 15, tzinfo=UTC), LabelingJobStatus="Completed")
    add(jobs, "New")
    out = command("list").out
    assert out.index("New") < out.index("Old")
    assert "2020-09-15" in out
    assert "InProgress" in out
    assert "New" not in command("list", "--state", "Completed").out
    assert "Old" not in command("list", "--contains", "Ne").out
    assert "Old" not in command("list", "--most", 1).out
