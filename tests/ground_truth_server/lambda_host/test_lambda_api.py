"""Lambda's Invoke API by boto3's own client, over loopback, with real processes of real handlers."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ground_truth_server.edge.loopback import serving
from ground_truth_server.lambda_host.function_host import FunctionHost
from ground_truth_server.lambda_host.invocation import MAX_EVENT_BYTES
from ground_truth_server.lambda_host.lambda_api import create_app

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import InvocationResponseTypeDef

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    CodeUri: code
    Runtime: python3.13
    Layers: [!Ref Layer]
    Environment: {Variables: {BUCKET: !Ref DataBucket, JOB: unset}}
Resources:
  DataBucket: {Type: AWS::S3::Bucket}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Echo: {Type: AWS::Serverless::Function, Properties: {Handler: app.echo, FunctionName: echo-events}}
  Surroundings: {Type: AWS::Serverless::Function, Properties: {Handler: app.surroundings, MemorySize: 256}}
  Raising: {Type: AWS::Serverless::Function, Properties: {Handler: app.raising}}
  Crashing: {Type: AWS::Serverless::Function, Properties: {Handler: app.crashing}}
  Sleeping: {Type: AWS::Serverless::Function, Properties: {Handler: app.sleeping, Timeout: 1}}
  Allocating: {Type: AWS::Serverless::Function, Properties: {Handler: app.allocating, Timeout: 10}}
  Answering: {Type: AWS::Serverless::Function, Properties: {Handler: app.answering}}
  Talking: {Type: AWS::Serverless::Function, Properties: {Handler: app.talking}}
  Noting: {Type: AWS::Serverless::Function, Properties: {Handler: app.noting}}
  Single:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.sleeping, ReservedConcurrentExecutions: 1}
  Unimportable: {Type: AWS::Serverless::Function, Properties: {Handler: unimportable.handler}}
  Misspelt: {Type: AWS::Serverless::Function, Properties: {Handler: app.handlr}}
  Unparsable: {Type: AWS::Serverless::Function, Properties: {Handler: unparsable.handler}}
  FailingToStart: {Type: AWS::Serverless::Function, Properties: {Handler: failing.handler}}
  Web: {Type: AWS::Serverless::Function, Properties: {Handler: index.handler, Runtime: nodejs22.x}}
"""

APP = '''\
import decimal, logging, os, sys, time
import shared

def echo(event, context):
    return event

def surroundings(event, context):
    return {
        "environment": dict(os.environ),
        "cwd": os.getcwd(),
        "path": sys.path,
        "context": {
            name: getattr(context, name)
            for name in ("aws_request_id", "function_name", "function_version", "invoked_function_arn",
                         "memory_limit_in_mb", "log_group_name")
        },
        "client": context.client_context and context.client_context.custom,
        "remaining": context.get_remaining_time_in_millis(),
        "shared": shared.VALUE,
        "ours": "ground_truth_server" in sys.modules,
        "pid": os.getpid(),
    }

def raising(event, context):
    try:
        {}["weld"]
    except KeyError as error:
        raise ValueError("no weld in " + repr(event)) from error

def crashing(event, context):
    print("last words")
    if event == "exit":
        sys.exit("no more")
    if event == "abort":
        os.abort()
    os._exit(3)

def sleeping(event, context):
    time.sleep(event)
    return "rested"

def allocating(event, context):
    held = bytearray(event << 20)
    held = None
    return "fits"

def answering(event, context):
    return {
        "a set": {1},
        "not a number": float("nan"),
        "a decimal": {"price": decimal.Decimal("1.5")},
        "long": "x" * 6_291_600,
        "nothing": None,
        "umlaut": "Schweißnaht",
    }[event]

def talking(event, context):
    print("printed")
    print("to stderr", file=sys.stderr)
    logging.getLogger("welds").warning("seam %s", 7)
    os.write(1, b"bytes \\xff\\n")
    print("x" * event)

def noting(event, context):
    """Writes one line a pid and invocation, then waits to be seen."""
    with open(event, "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(0.2)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stack")
    (folder / "code").mkdir()
    (folder / "layer").mkdir()
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "code/app.py").write_text(APP)
    (folder / "code/unimportable.py").write_text("import no_such_module\n")
    (folder / "code/unparsable.py").write_text("def handler(event, context)\n    return 1\n")
    (folder / "code/failing.py").write_text("print('starting')\nraise RuntimeError('no configuration')\n")
    (folder / "layer/shared.py").write_text("VALUE = 'from the layer'\n")
    return folder


@pytest.fixture(scope="module")
def log() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture(scope="module")
def host(folder: Path, log: list[tuple[str, str, str]]) -> Iterator[FunctionHost]:
    host = FunctionHost(
        folder / "template.yaml",
        {"JOB": "welds", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9/", "AWS_REGION": "eu-west-1"},
        folder / "events",
        lambda *entry: log.append(entry),
        processes=2,
    )
    yield host
    host.close()


@pytest.fixture(scope="module")
def client(host: FunctionHost) -> Iterator["LambdaClient"]:
    with serving(create_app(host)) as url:
        yield boto3.client(
            "lambda",
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
        )


Invoke = Callable[..., tuple["InvocationResponseTypeDef", Any]]


@pytest.fixture
def invoke(client: "LambdaClient") -> Invoke:
    def invoke(name: str, event: object = None, **more: str) -> tuple["InvocationResponseTypeDef", Any]:
        options: Any = more
        response = client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **options)
        payload = response["Payload"].read()
        return response, json.loads(payload) if payload else None

    return invoke


@pytest.mark.parametrize("event", [{"weld": 1}, [1, "ß"], "text", 3.5, None, {"deep": [{"line": "a\nb"}]}])
def test_the_handlers_answer_comes_back(invoke: Invoke, event: object) -> None:
    response, answer = invoke("Echo", event)
    assert answer == event
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in response
    assert "LogResult" not in response


def test_no_payload_is_an_empty_event(client: "LambdaClient") -> None:
    assert client.invoke(FunctionName="Echo")["Payload"].read() == b"{}"


@pytest.mark.parametrize(
    "name",
    [
        "Echo",
        "echo-events",
        "Echo:live",
        "Echo:$LATEST",
        "arn:aws:lambda:eu-west-1:111122223333:function:Echo",
        "arn:aws:lambda:eu-west-1:111122223333:function:echo-events:live",
        "111122223333:function:Echo",
    ],
)
def test_a_function_has_several_names(invoke: Invoke, name: str) -> None:
    assert invoke(name, 5)[1] == 5


def test_the_handler_finds_lambdas_surroundings(invoke: Invoke, folder: Path) -> None:
    context = base64.b64encode(b'{"custom": {"who": "me"}}').decode()
    response, found = invoke("Surroundings", Qualifier="live", ClientContext=context)
    assert found["cwd"] == str(folder / "code")
    assert found["path"][:2] == [str(folder / "code"), str(folder / "layer")]
    assert not any("ground_truth_server" in entry for entry in found["path"])
    assert found["shared"] == "from the layer"
    assert found["ours"] is False
    assert found["client"] == {"who": "me"}
    assert 2000 < found["remaining"] <= 3000
    assert found["context"] == {
        "aws_request_id": response["ResponseMetadata"]["RequestId"],
        "function_name": "Surroundings",
        "function_version": "$LATEST",
        "invoked_function_arn": "arn:aws:lambda:eu-west-1:111122223333:function:Surroundings:live",
        "memory_limit_in_mb": "256",
        "log_group_name": "/aws/lambda/Surroundings",
    }
    expected = {
        "BUCKET": "DataBucket",
        "JOB": "welds",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9/",
        "AWS_LAMBDA_FUNCTION_NAME": "Surroundings",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_ACCESS_KEY_ID": "local",
        "LAMBDA_TASK_ROOT": str(folder / "code"),
        "_HANDLER": "app.surroundings",
    }
    assert {name: found["environment"].get(name) for name in expected} == expected
    assert "PYTEST_CURRENT_TEST" not in found["environment"]


def test_an_exception_is_shown_as_lambda_shows_it(invoke: Invoke, folder: Path) -> None:
    response, error = invoke("Raising", {"a": 1}, LogType="Tail")
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "no weld in {'a': 1}"
    assert error["requestId"] == response["ResponseMetadata"]["RequestId"]
    assert len(error["stackTrace"]) == 1
    line = 1 + next(number for number, text in enumerate(APP.splitlines()) if "raise ValueError" in text)
    assert f'File "{folder}/code/app.py", line {line}, in raising' in error["stackTrace"][0]


def test_a_failure_tells_people_how_to_repeat_it(invoke: Invoke, folder: Path, log: list[tuple[str, str, str]]) -> None:
    response, _ = invoke("Raising", {"weld": "ß"})
    request_id = response["ResponseMetadata"]["RequestId"]
    lines = [line for name, own_id, line in log if (name, own_id) == ("Raising", request_id)]
    event_file = folder / f"events/Raising-{request_id}.json"
    assert json.loads(event_file.read_text()) == {"weld": "ß"}
    environment_file = folder / "events/Raising.environment.json"
    assert json.loads(environment_file.read_text())["Raising"]["JOB"] == "welds"
    assert "KeyError: 'weld'" in lines  # the cause, which Lambda's own answer leaves out
    assert "The above exception was the direct cause of the following exception:" in lines
    assert (
        f"  sam local invoke Raising --template-file {folder}/template.yaml "
        f"--event {event_file} --env-vars {environment_file} --docker-network host"
    ) in lines
    assert "  (sam passes on variables of the template only, so not AWS_ENDPOINT_URL_S3, AWS_REGION)" in lines
    assert lines[0].startswith("START")
    assert lines[-1].startswith("REPORT")


@pytest.mark.parametrize(
    ("name", "error_type", "message"),
    [
        (
            "Unimportable",
            "Runtime.ImportModuleError",
            "Unable to import module 'unimportable': No module named 'no_such_module'",
        ),
        ("Misspelt", "Runtime.HandlerNotFound", "Handler 'handlr' missing on module 'app'"),
        ("Unparsable", "Runtime.UserCodeSyntaxError", "Syntax error in module 'unparsable': expected ':'"),
        ("FailingToStart", "RuntimeError", "no configuration"),
    ],
)
def test_a_handler_that_cant_be_loaded(invoke: Invoke, name: str, error_type: str, message: str) -> None:
    for _ in range(2):  # it is loaded anew each time
        response, error = invoke(name)
        assert response["FunctionError"] == "Unhandled"
        assert error["errorType"] == error_type
        assert error["errorMessage"].startswith(message)


def test_the_traceback_of_a_handler_that_cant_be_loaded_begins_in_its_file(host: FunctionHost) -> None:
    log = host.invoke("FailingToStart", {}).log.splitlines()
    assert log[1:4] == [
        "starting",
        "[ERROR] RuntimeError: no configuration",
        "Traceback (most recent call last):",
    ]
    assert "code/failing.py" in log[4]


def test_a_timeout_ends_the_process(invoke: Invoke) -> None:
    started = time.monotonic()
    response, error = invoke("Sleeping", 30)
    assert 1 <= time.monotonic() - started < 3
    assert response["FunctionError"] == "Unhandled"
    request_id = response["ResponseMetadata"]["RequestId"]
    assert error == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
    assert invoke("Sleeping", 0)[1] == "rested"


def test_memory_over_the_limit_ends_the_process(invoke: Invoke) -> None:
    assert invoke("Allocating", 60)[1] == "fits"
    response, error = invoke("Allocating", 200)
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Runtime.OutOfMemory"
    assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert invoke("Allocating", 1)[1] == "fits"


@pytest.mark.parametrize(
    ("event", "message", "logged"),
    [
        ("now", "Runtime exited with error: exit status 3", "last words"),
        ("exit", "Runtime exited with error: exit status 1", "no more"),
        ("abort", "Runtime exited with error: signal: aborted", "last words"),
    ],
)
def test_a_crash_is_told(invoke: Invoke, event: str, message: str, logged: str) -> None:
    response, error = invoke("Crashing", event, LogType="Tail")
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(f"Error: {message}")
    assert logged in base64.b64decode(response["LogResult"]).decode().splitlines()


def test_a_warm_process_is_used_again(invoke: Invoke) -> None:
    assert invoke("Surroundings")[1]["pid"] == invoke("Surroundings")[1]["pid"]


@pytest.mark.parametrize(
    ("event", "answer"), [("a decimal", {"price": 1.5}), ("nothing", None), ("umlaut", "Schweißnaht")]
)
def test_answers_become_json(invoke: Invoke, event: str, answer: object) -> None:
    assert invoke("Answering", event)[1] == answer


@pytest.mark.parametrize(
    ("event", "error_type", "message"),
    [
        ("a set", "Runtime.MarshalError", "Unable to marshal response: Object of type set is not"),
        ("not a number", "Runtime.MarshalError", "Unable to marshal response: Out of range float"),
        (
            "long",
            "Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size",
        ),
    ],
)
def test_answers_that_lambda_doesnt_take(invoke: Invoke, event: str, error_type: str, message: str) -> None:
    response, error = invoke("Answering", event)
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == error_type
    assert error["errorMessage"].startswith(message)


def test_the_log_has_all_that_was_written_before_the_answer(invoke: Invoke) -> None:
    response, _ = invoke("Talking", 10, LogType="Tail")
    request_id = response["ResponseMetadata"]["RequestId"]
    lines = base64.b64decode(response["LogResult"]).decode().splitlines()
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST"
    assert lines[1:3] == ["printed", "to stderr"]
    level, _, logged_id, message = lines[3].split("\t")
    assert (level, logged_id, message) == ("[WARNING]", request_id, "seam 7")
    assert lines[4:7] == ["bytes \ufffd", "x" * 10, f"END RequestId: {request_id}"]
    assert lines[7].startswith(f"REPORT RequestId: {request_id}\tDuration: ")
    assert "\tMemory Size: 128 MB\tMax Memory Used: " in lines[7]
    assert "\tInit Duration: " in lines[7]


def test_the_log_tail_is_the_last_4_kilobytes(invoke: Invoke) -> None:
    response, _ = invoke("Talking", 300_000, LogType="Tail")
    tail = base64.b64decode(response["LogResult"])
    assert len(tail) == 4096
    assert tail.startswith(b"xxx")
    assert b"REPORT RequestId" in tail


def test_the_log_is_heard_while_the_function_runs(folder: Path) -> None:
    heard: list[tuple[float, str]] = []
    code = folder / "live"
    code.mkdir()
    (code / "app.py").write_text(
        "import time\ndef handler(*_):\n    print('soon')\n    time.sleep(0.5)\n    print('late')\n"
    )
    template = folder / "live.yaml"
    template.write_text(
        "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: live, Handler: app.handler}}}"
    )
    host = FunctionHost(template, {}, folder / "events", lambda _n, _i, line: heard.append((time.time(), line)))
    host.invoke("F", {})
    host.close()
    (soon,) = [when for when, line in heard if line == "soon"]
    (late,) = [when for when, line in heard if line == "late"]
    assert late - soon > 0.4


def test_no_more_processes_than_allowed_run_at_a_time(invoke: Invoke, folder: Path) -> None:
    notes = folder / "notes.txt"
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: invoke("Noting", str(notes)), range(6)))
    pids = notes.read_text().split()
    assert len(pids) == 6
    assert len(set(pids)) == 2


def test_reserved_concurrency_is_a_limit(invoke: Invoke, client: "LambdaClient") -> None:
    results: list[Any] = []
    first = threading.Thread(target=lambda: results.append(invoke("Single", 1)[1]))
    first.start()
    time.sleep(0.4)
    with pytest.raises(client.exceptions.TooManyRequestsException, match="ReservedConcurrentExecutions 1"):
        invoke("Single", 0)
    first.join()
    assert results == ["rested"]
    assert invoke("Single", 0)[1] == "rested"


def test_an_unknown_function_is_refused(invoke: Invoke, client: "LambdaClient") -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=r"function:Ecko.* has: Echo, ") as info:
        invoke("Ecko")
    assert info.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        invoke("Ecko", InvocationType="DryRun")


def test_a_function_in_another_language_is_refused_with_the_reason(invoke: Invoke, client: "LambdaClient") -> None:
    with pytest.raises(client.exceptions.InvalidRuntimeException, match=r"Web can't run here: .*nodejs22\.x"):
        invoke("Web")


def test_an_event_that_isnt_json_is_refused(client: "LambdaClient") -> None:
    with pytest.raises(client.exceptions.InvalidRequestContentException, match="line 1 column 2"):
        client.invoke(FunctionName="Echo", Payload=b"{weld}")
    with pytest.raises(client.exceptions.InvalidRequestContentException, match="ClientContext"):
        client.invoke(FunctionName="Echo", ClientContext="e2E=")


def test_a_qualifier_must_not_contradict_the_name(invoke: Invoke, client: "LambdaClient") -> None:
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="qualifier live"):
        invoke("Echo:live", Qualifier="other")


def test_large_events_pass_and_larger_ones_are_refused(invoke: Invoke) -> None:
    largest = "x" * (MAX_EVENT_BYTES - 2)
    assert invoke("Echo", largest)[1] == largest
    with pytest.raises(ClientError, match="6291457 byte payload is too large for the RequestResponse") as info:
        invoke("Echo", largest + "x")
    assert info.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert info.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_dry_run_runs_nothing(invoke: Invoke, folder: Path) -> None:
    notes = folder / "dry.txt"
    response, answer = invoke("Noting", str(notes), InvocationType="DryRun")
    assert (response["StatusCode"], answer) == (204, None)
    assert not notes.exists()


def test_an_event_invocation_runs_after_the_answer(invoke: Invoke, folder: Path) -> None:
    notes = folder / "event.txt"
    response, answer = invoke("Noting", str(notes), InvocationType="Event")
    assert (response["StatusCode"], answer) == (202, None)
    until = time.monotonic() + 5
    while not notes.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert len(notes.read_text().split()) == 1


def test_other_operations_are_named(client: "LambdaClient") -> None:
    with pytest.raises(ClientError, match="Invoke is the only operation"):
        client.list_functions()
