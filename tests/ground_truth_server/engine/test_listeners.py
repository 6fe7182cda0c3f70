"""Who is told state changes: over a real socket, checked by Standard Webhooks' own library, and at moto's SNS, SQS and
EventBridge, which stand in for AWS's."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from standardwebhooks import Webhook as Check
from standardwebhooks import WebhookVerificationError

from ground_truth_server.engine.events import StateChanges, state_change
from ground_truth_server.engine.listeners import EventBus, SnsTopic, Webhook
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from tests.ground_truth_server.engine.labeling import wait_until

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"
DONE = state_change(ARN, "Completed", "2020-09-15T16:16:12.527256")
SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"


class Receiver(BaseHTTPRequestHandler):
    """Takes posts, after refusing as many as the test asks."""

    refusals: ClassVar[int] = 0
    refusal: ClassVar[int] = 503
    posts: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Receiver.refusals:
            Receiver.refusals -= 1
            self.send_response(self.refusal)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            return
        self.posts.append((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Receiver.posts.clear()
    Receiver.refusals, Receiver.refusal = 0, 503
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def test_a_webhook_posts_the_event(url: str) -> None:
    Webhook(url)(DONE)
    ((headers, body),) = Receiver.posts
    assert json.loads(body) == DONE
    assert headers["Content-Type"] == "application/json"
    assert "Webhook-Signature" not in headers


def test_a_signed_webhook_is_what_standard_webhooks_libraries_take(url: str) -> None:
    Webhook(url, SECRET)(DONE)
    ((headers, body),) = Receiver.posts
    assert Check(SECRET).verify(body, headers) == DONE
    assert headers["Webhook-Id"] == DONE["id"]
    assert abs(int(headers["Webhook-Timestamp"]) - time.time()) < 60
    with pytest.raises(WebhookVerificationError):
        Check(SECRET).verify(body.replace(b"Completed", b"Failed"), headers)
    with pytest.raises(WebhookVerificationError):
        Check(f"whsec_{base64.b64encode(bytes(32)).decode()}").verify(body, headers)


@pytest.mark.parametrize("status", [500, 404, 302, 307])
def test_a_webhook_that_is_refused_or_sent_elsewhere_was_not_taken(url: str, status: int) -> None:
    Receiver.refusals, Receiver.refusal = 1, status
    with pytest.raises(OSError, match=str(status)):
        Webhook(url)(DONE)
    assert Receiver.posts == []


def test_a_webhook_that_fails_gets_everything_in_order_later(url: str, tmp_path: Path) -> None:
    records = Records(SqliteDatabase(tmp_path / "records.sqlite"))
    Receiver.refusals = 3
    changes = StateChanges(records, [Webhook(url, SECRET)], pause=0.01)
    for status in ("InProgress", "Stopping", "Stopped"):
        with records.transaction():
            changes.record(state_change(ARN, status, "2020-09-15T16:16:12.527256"))
    wait_until(lambda: len(Receiver.posts) == 3)
    changes.close(5)
    told = [Check(SECRET).verify(body, headers) for headers, body in Receiver.posts]
    assert [event["detail"]["LabelingJobStatus"] for event in told] == ["InProgress", "Stopping", "Stopped"]
    assert not records.state_changes.any_waiting()


def test_a_webhook_is_a_web_address() -> None:
    with pytest.raises(ValueError, match="found 'file:///etc/passwd', expected an http or https URL"):
        Webhook("file:///etc/passwd")


@pytest.mark.parametrize(
    "secret", ["plain", "whsec_", "whsec_???", SECRET.removeprefix("whsec_"), "whsec_YQ==", f"whsec_{'YWFh' * 30}"]
)
def test_a_secret_is_one_that_the_libraries_take_and_is_not_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="GROUND_TRUTH_WEBHOOK_SECRET: expected whsec_ and 24 to 64 bytes") as error:
        Webhook("https://example.com", secret)
    assert secret == "whsec_" or secret not in str(error.value)


# -- AWS


@pytest.fixture
def aws(s3_endpoint: str) -> Any:
    """Makes clients of moto's services."""
    return lambda service: boto3.client(service, endpoint_url=s3_endpoint, region_name="eu-west-1")


def queue_of(aws: Any, name: str, **attributes: str) -> tuple[str, str]:
    queue = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return queue, found["Attributes"]["QueueArn"]


def taken(aws: Any, queue: str) -> list[Any]:
    found = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


@pytest.mark.parametrize("ending", ["", ".fifo"])
def test_a_topic_gets_the_event_and_filters_by_its_status(aws: Any, ending: str) -> None:
    fifo = {"FifoTopic": "true"} if ending else {}
    topic = aws("sns").create_topic(Name=f"changes{ending}", Attributes=fifo)["TopicArn"]
    queue, arn = queue_of(aws, f"topic-queue{ending}", **({"FifoQueue": "true"} if ending else {}))
    only = {"FilterPolicy": json.dumps({"status": ["Completed"]}), "RawMessageDelivery": "true"}
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=only)
    listener = SnsTopic(topic, aws("sns"))
    listener(state_change(ARN, "InProgress", "2020-09-15T16:16:11.527256"))
    listener(DONE)
    assert taken(aws, queue) == [DONE]
    assert listener.name == f"topic {topic}"


def test_a_topic_that_is_not_there_is_an_error_that_passes(aws: Any) -> None:
    arn = "arn:aws:sns:eu-west-1:123456789012:none"
    with pytest.raises(OSError, match=f"{arn}.*NotFound"):
        SnsTopic(arn, aws("sns"))(DONE)


def test_a_bus_gets_the_event_by_a_rule_for_sagemaker_s_detail(aws: Any) -> None:
    aws("events").create_event_bus(Name="labels")
    queue, arn = queue_of(aws, "bus-queue")
    pattern = {"detail-type": [DONE["detail-type"]], "detail": {"LabelingJobStatus": ["Completed"]}}
    aws("events").put_rule(Name="done", EventBusName="labels", EventPattern=json.dumps(pattern))
    aws("events").put_targets(Rule="done", EventBusName="labels", Targets=[{"Id": "1", "Arn": arn}])
    EventBus("labels", aws("events"))(DONE)
    (event,) = taken(aws, queue)
    same = ("detail-type", "detail", "resources")
    assert {name: event[name] for name in same} == {name: DONE[name] for name in same}
    assert event["source"] == "ground-truth"


def test_what_a_bus_did_not_take_is_an_error_that_passes() -> None:
    class Refusing:
        def put_events(self, **_: object) -> Any:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "later"}]}

    refusing: Any = Refusing()
    with pytest.raises(OSError, match="labels: InternalFailure: later"):
        EventBus("labels", refusing)(DONE)
