"""Functions of a template run in real processes, without HTTP between."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ground_truth_server.lambda_host import function_pool
from ground_truth_server.lambda_host.cloudformation import SamTemplateError
from ground_truth_server.lambda_host.function_host import FunctionHost, main
from ground_truth_server.lambda_host.invocation import InvokeRefusedError
from ground_truth_server.lambda_host.sam_template import read_template
from ground_truth_server.lambda_host.warm_process import ProcessEndedError, Request, WarmProcess

TEMPLATE = """\
Resources:
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Label:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Timeout: 3
      MemorySize: 256
      Layers: [!Ref Layer]
      Environment: {Variables: {CONFIG: none, STAGE: first}}
"""

APP = """\
import os
import steps

ANSWER = "one"

def handler(event, context):
    named = os.environ["CONFIG"]
    config = open(named).read() if os.path.exists(named) else None
    stage = os.environ["STAGE"]
    return {"answer": ANSWER, "step": steps.STEP, "config": config, "stage": stage, "pid": os.getpid()}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("code", "layer"):
        (tmp_path / name).mkdir()
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "code/app.py").write_text(APP)
    (tmp_path / "layer/steps.py").write_text("STEP = 1\n")
    (tmp_path / "job.toml").write_text("name = 1")
    return tmp_path


@pytest.fixture
def host(folder: Path) -> Iterator[FunctionHost]:
    config = {"CONFIG": str(folder / "job.toml")}
    host = FunctionHost(folder / "template.yaml", config, folder / "events")
    yield host
    host.close()


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "code/app.py",
            APP.replace("one", "two"),
            {"answer": "two"},
        ),  # as long as before, in the same second
        ("layer/steps.py", "STEP = 2\n", {"step": 2}),
        ("job.toml", "name = 2", {"config": "name = 2"}),
        ("template.yaml", TEMPLATE.replace("first", "second"), {"stage": "second"}),
    ],
)
def test_a_changed_file_takes_effect_at_the_next_invocation(
    host: FunctionHost, folder: Path, file: str, text: str, expected: dict[str, object]
) -> None:
    before = host.invoke("Label", {}).answer
    assert host.invoke("Label", {}).answer["pid"] == before["pid"]
    (folder / file).write_text(text)
    after = host.invoke("Label", {}).answer
    assert before | expected != before
    assert after | expected == after
    assert not psutil.pid_exists(before["pid"])


def test_a_broken_template_is_told_until_it_is_mended(host: FunctionHost, folder: Path) -> None:
    (folder / "template.yaml").write_text("Resources: [")
    for _ in range(2):
        with pytest.raises(InvokeRefusedError, match=r"template\.yaml:1: not YAML"):
            host.invoke("Label", {})
    (folder / "template.yaml").write_text(TEMPLATE)
    assert host.invoke("Label", {}).answer["answer"] == "one"


def test_a_template_that_is_broken_at_the_start_is_refused(folder: Path) -> None:
    with pytest.raises(SamTemplateError, match="nothing"):
        FunctionHost(folder / "nothing.yaml", {}, folder / "events")


def test_a_warm_invocation_says_so(host: FunctionHost) -> None:
    first, second = host.invoke("Label", {}), host.invoke("Label", {})
    assert first.init_ms is not None
    assert second.init_ms is None
    assert 0 < second.peak_mb < 256
    assert not first.failed
    assert first.event_file is None


def write_handler(folder: Path, body: str) -> None:
    (folder / "code/app.py").write_text("import os, threading, time\ndef handler(event, context):\n    " + body + "\n")


def test_a_process_that_ended_between_invocations_is_replaced(host: FunctionHost, folder: Path) -> None:
    write_handler(folder, "threading.Timer(0.05, os._exit, [1]).start(); return os.getpid()")
    pid = host.invoke("Label", {}).answer
    wait_until_gone(pid)
    assert host.invoke("Label", {}).answer != pid


def test_a_process_that_ends_before_it_reads_the_event_is_told(folder: Path) -> None:
    (folder / "code/app.py").write_text("import os\nprint(os.getpid())\ndef handler(event, context): pass\n")
    function = read_template(folder / "template.yaml").functions["Label"]
    process = WarmProcess(function, 0)
    lines: list[str] = []
    process.start(time.monotonic() + 10, lines.append)
    child = psutil.Process(int(lines[0]))
    child.suspend()
    threading.Timer(0.2, child.kill).start()
    with pytest.raises(ProcessEndedError, match="signal: killed"):
        process.invoke(Request("id", "arn", "x" * 10_000), lambda _line: None)


def test_what_a_handler_started_ends_with_it(host: FunctionHost, folder: Path) -> None:
    write_handler(folder, "import subprocess; return [os.getpid(), subprocess.Popen(['sleep', '60']).pid]")
    pids = host.invoke("Label", {}).answer
    host.close()
    for pid in pids:
        wait_until_gone(pid)


def test_closing_ends_running_invocations(host: FunctionHost, folder: Path) -> None:
    write_handler(folder, "print(os.getpid()); time.sleep(60)")
    results = []
    thread = threading.Thread(target=lambda: results.append(host.invoke("Label", {})))
    thread.start()
    time.sleep(0.3)
    host.close()
    thread.join(timeout=5)
    (result,) = results
    assert result.failed
    assert result.answer["errorType"] == "Runtime.ExitError"
    with pytest.raises(InvokeRefusedError, match="closed"):
        host.invoke("Label", {})


def test_a_listener_that_fails_doesnt_mix_up_answers(folder: Path) -> None:
    write_handler(folder, "print(event); return event")

    def listen(_function: str, _request_id: str, line: str) -> None:
        if line == "1":
            raise OSError("the terminal is gone")

    host = FunctionHost(folder / "template.yaml", {}, folder / "events", listen)
    with pytest.raises(OSError, match="terminal"):
        host.invoke("Label", 1)
    assert host.invoke("Label", 2).answer == 2
    host.close()


def test_a_handler_that_takes_too_long_to_load_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_pool, "_INIT_SECONDS", 0.3)
    (folder / "template.yaml").write_text(TEMPLATE.replace("Timeout: 3", "Timeout: 1"))
    (folder / "code/app.py").write_text("print('loading')\nimport time\ntime.sleep(60)\n")
    host = FunctionHost(folder / "template.yaml", {}, folder / "events")
    result = host.invoke("Label", {})
    assert result.answer["errorType"] == "Sandbox.Timedout"
    assert result.answer["errorMessage"].endswith("Init phase timed out")
    assert "loading" in result.log.splitlines()
    host.close()


def test_numpy_fits_where_address_space_limits_would_refuse_it(host: FunctionHost, folder: Path) -> None:
    write_handler(folder, "import numpy; return float(numpy.ones(1_000_000) @ numpy.ones(1_000_000))")
    result = host.invoke("Label", {})
    assert result.answer == 1_000_000
    assert 20 < result.peak_mb < 256


def test_processes_end_with_a_host_that_is_killed(folder: Path) -> None:
    write_handler(folder, "print('PID', os.getpid()); time.sleep(60)")
    program = (
        "import sys; from pathlib import Path; from ground_truth_server.lambda_host.function_host import FunctionHost\n"
        f"folder = Path({str(folder)!r})\n"
        "show = lambda name, request, line: print(line, flush=True)\n"
        "FunctionHost(folder / 'template.yaml', {}, folder / 'events', show).invoke('Label', {})\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = next(int(line.split()[1]) for line in process.stdout if line.startswith("PID"))
        process.send_signal(signal.SIGKILL)
        wait_until_gone(pid)


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, f"process {pid} still runs"
        time.sleep(0.01)


def test_nothing_of_the_user_s_own_account_reaches_a_function(
    host: FunctionHost, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By variables, by a default profile, by a setting that ignores endpoints, by a proxy."""
    profile = (
        "[default]\naws_access_key_id = AKIAUSER\naws_secret_access_key = s\nignore_configured_endpoint_urls = true\n"
    )
    (tmp_path / ".aws").mkdir()
    for name in ("credentials", "config"):
        (tmp_path / ".aws" / name).write_text(profile)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    write_handler(
        folder,
        "import boto3, urllib.request\n"
        "    os.environ['AWS_ENDPOINT_URL_S3'] = 'http://127.0.0.1:8087'\n"
        "    session = boto3.Session()\n"
        "    return [session.get_credentials().access_key, session.client('s3').meta.endpoint_url,\n"
        "        urllib.request.proxy_bypass('127.0.0.1:8087') is not False,\n"
        "        sorted(name for name in os.environ if 'PROXY' in name.upper()), 'mine' in os.environ.values()]",
    )
    found = host.invoke("Label", {}).answer
    assert found == ["local", "http://127.0.0.1:8087", True, ["NO_PROXY", "no_proxy"], False]


def test_the_repeat_command_without_docker_repeats_the_failure(
    host: FunctionHost, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_handler(folder, "raise ValueError(f\"{event['weld']} with {os.environ['CONFIG']}\")")
    failed = host.invoke("Label", {"weld": 7})
    lines = failed.log.splitlines()
    (command,) = [line.split() for line in lines if "-m ground_truth_server.lambda_host.function_host" in line]
    status = main(command[3:])
    captured = capsys.readouterr()
    assert status == 1
    assert json.loads(captured.out)["errorMessage"] == failed.answer["errorMessage"]
    assert f"7 with {folder}/job.toml" in captured.err


def test_the_command_prints_the_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = folder / "event.json"
    event.write_text("{}")
    assert main([str(folder / "template.yaml"), "Label", "--event", str(event)]) == 0
    assert json.loads(capsys.readouterr().out)["stage"] == "first"


def test_the_command_refuses_an_unknown_function(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = folder / "event.json"
    event.write_text("{}")
    with pytest.raises(SystemExit):
        main([str(folder / "template.yaml"), "Labl", "--event", str(event)])
    assert "has: Label" in capsys.readouterr().err
