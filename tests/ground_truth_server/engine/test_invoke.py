"""LambdaInvoke against an endpoint on loopback that answers as Lambda does."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import boto3
import pytest

from ground_truth_server.engine.invoke import FunctionFailed, LambdaInvoke

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:SageMakerPre:live"
EVENT = {"dataObject": {"source": "s3://b/ü.json"}}


class LambdaEndpoint(BaseHTTPRequestHandler):
    """Answers with what the test queued; remembers the requests."""

    answers: ClassVar[list[tuple[int, dict[str, str], bytes]]] = []
    requests: ClassVar[list[tuple[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, json.loads(body)))
        status, headers, content = self.answers.pop(0)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def invoke() -> Iterator[LambdaInvoke]:
    LambdaEndpoint.answers.clear()
    LambdaEndpoint.requests.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), LambdaEndpoint)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    client = boto3.client(
        "lambda",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        region_name="eu-west-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    yield LambdaInvoke(client, pause=lambda _: None)
    server.shutdown()
    server.server_close()


def answer(content: object, headers: dict[str, str] | None = None, status: int = 200) -> None:
    LambdaEndpoint.answers.append((status, headers or {}, json.dumps(content).encode()))


def test_the_function_gets_the_event_and_its_answer_comes_back(invoke: LambdaInvoke) -> None:
    answer({"taskInput": {"é": 1}})

    assert invoke(ARN, EVENT) == {"taskInput": {"é": 1}}
    path, event = LambdaEndpoint.requests[0]
    assert event == EVENT
    assert path.startswith("/2015-03-31/functions/arn")


def test_what_a_function_raises_comes_with_traceback_log_and_event(invoke: LambdaInvoke) -> None:
    error = {"errorType": "KeyError", "errorMessage": "'source'", "stackTrace": ["  File app.py\n", "  line 3\n"]}
    log = base64.b64encode(b"START\nEND\n").decode()
    answer(error, {"X-Amz-Function-Error": "Unhandled", "X-Amz-Log-Result": log})

    with pytest.raises(FunctionFailed) as caught:
        invoke(ARN, EVENT)

    failure = caught.value
    assert (failure.function_arn, failure.error_type, failure.message) == (ARN, "KeyError", "'source'")
    assert failure.error_code == "Unhandled"
    assert failure.event == EVENT
    assert failure.trace == "  File app.py\n  line 3\n\nSTART\nEND\n"


def test_a_throttle_is_tried_again(invoke: LambdaInvoke) -> None:
    for _ in range(3):
        answer({"Message": "Rate exceeded"}, {"x-amzn-errortype": "TooManyRequestsException"}, 429)
    answer({"taskInput": {}})

    assert invoke(ARN, EVENT) == {"taskInput": {}}


def test_a_function_that_is_not_there_fails_at_once(invoke: LambdaInvoke) -> None:
    answer({"Message": "Function not found"}, {"x-amzn-errortype": "ResourceNotFoundException"}, 404)

    with pytest.raises(FunctionFailed, match="Function not found") as caught:
        invoke(ARN, EVENT)

    assert caught.value.error_code == "ResourceNotFoundException"
    assert len(LambdaEndpoint.requests) == 1


def test_an_answer_that_is_not_json_is_a_failure(invoke: LambdaInvoke) -> None:
    LambdaEndpoint.answers.append((200, {}, b"<html>"))

    with pytest.raises(FunctionFailed, match="the answer is not JSON"):
        invoke(ARN, EVENT)


def test_an_endpoint_that_is_not_there_is_a_failure() -> None:
    client = boto3.client(
        "lambda",
        endpoint_url="http://127.0.0.1:9",
        region_name="eu-west-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    with pytest.raises(FunctionFailed, match="Could not connect to the endpoint"):
        LambdaInvoke(client, pause=lambda _: None)(ARN, EVENT)
