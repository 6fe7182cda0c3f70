import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ground_truth_server.engine.events import StateChanges, Webhook, state_change
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from tests.ground_truth_server.engine.labeling import wait_until

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"
AT = "2020-09-15T16:16:12.527256"
DONE = state_change(ARN, "Completed", AT)


class Receiver(BaseHTTPRequestHandler):
    """Takes posts, after refusing as many as the test asks."""

    refusals: ClassVar[int] = 0
    bodies: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if Receiver.refusals:
            Receiver.refusals -= 1
            self.send_error(503)
            return
        self.bodies.append((self.headers["Content-Type"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Receiver.bodies.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


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


def test_a_webhook_posts_the_event_and_tries_again(url: str) -> None:
    Receiver.refusals = 2
    Webhook(url, pause=0)(DONE)
    assert Receiver.bodies == [("application/json", DONE)]


def test_a_webhook_gives_up_in_the_end(url: str) -> None:
    Receiver.refusals = 3
    with pytest.raises(OSError, match="503"):
        Webhook(url, pause=0)(DONE)
    assert Receiver.bodies == []


def test_a_webhook_is_a_web_address() -> None:
    with pytest.raises(ValueError, match="found 'file:///etc/passwd', expected an http or https URL"):
        Webhook("file:///etc/passwd")


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
