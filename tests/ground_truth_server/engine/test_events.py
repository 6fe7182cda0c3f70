from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ground_truth_server.engine.events import StateChanges, state_change
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from tests.ground_truth_server.engine.labeling import wait_until

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"
AT = "2020-09-15T16:16:12.527256"
DONE = state_change(ARN, "Completed", AT)


def test_the_event_is_the_one_that_reaches_eventbridge() -> None:
    event = dict(DONE)
    assert len(event.pop("id")) == 36
    assert event == {
        "version": "0",
        "detail-type": "SageMaker Ground Truth Labeling Job State Change",
        "source": "aws.sagemaker",
        "account": "111122223333",
        "time": "2020-09-15T16:16:12Z",
        "region": "eu-west-1",
        "resources": [ARN],
        "detail": {"LabelingJobStatus": "Completed"},
    }


def test_a_listener_that_fails_keeps_nothing_from_the_others(tmp_path: Path) -> None:
    def broken(_: Mapping[str, Any]) -> None:
        raise OSError("no one there")

    heard: list[Mapping[str, Any]] = []
    store = Records(SqliteDatabase(tmp_path / "store.sqlite"))
    changes = StateChanges(store, [broken, heard.append])
    for status in ("InProgress", "Completed"):
        with store.transaction():
            changes.record(state_change(ARN, status, AT))
    wait_until(lambda: len(heard) == 2)
    assert [event["detail"]["LabelingJobStatus"] for event in heard] == ["InProgress", "Completed"]


def test_what_was_not_delivered_is_delivered_at_the_next_start(tmp_path: Path) -> None:
    store = Records(SqliteDatabase(tmp_path / "store.sqlite"))
    with store.transaction():  # as if the process had been killed right after
        store.state_changes.add(DONE)

    heard: list[Mapping[str, Any]] = []
    StateChanges(store, [heard.append])
    wait_until(lambda: heard)

    again: list[Mapping[str, Any]] = []
    StateChanges(store, [again.append])
    wait_until(lambda: not store.state_changes.any_waiting())
    assert (heard, again) == ([DONE], [])
