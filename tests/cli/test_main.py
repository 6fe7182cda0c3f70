"""What every command says when it can't go on: a message, no traceback."""

import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cli import account
from cli.errors import explained
from cli.main import parser
from tests.cli.conftest import Command
from tests.conftest import ROOT
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory

COMMANDS = ["check", "start", "watch", "results", "stop", "render", "list"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(name, "--help")
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"examples:\n  labeling-job {name}" in text


def test_the_examples_of_the_help_are_commands_that_parse(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line of each example is parsed by the command's own parser."""
    with pytest.raises(SystemExit):
        command("--help")
    texts = [capsys.readouterr().out]
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            command(name, "--help")
        texts.append(capsys.readouterr().out)
    examples = re.findall(r"^  labeling-job ((?:.*\\\n)*.*)$", "\n".join(texts), re.MULTILINE)
    assert len(examples) > 15
    for example in examples:
        line = re.split(r" {4,}(?=\w)|&&|\||>", example.replace("\\\n", " ").replace("  ", " "))[0]
        line = re.sub(r"\s+draw all plots.*", "", line)
        parser().parse_args(line.split())


def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials and no region, as on a new machine."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class Proxy(BaseHTTPRequestHandler):
    """Refuses everything, and remembers what it was asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(502)

    do_POST = do_PUT = do_CONNECT = do_GET  # noqa: N815 - as http.server names them


@pytest.mark.parametrize("excepted", [None, "intranet.example"])
def test_what_is_on_this_machine_is_asked_of_no_proxy(jobs: JobsInMemory, excepted: str | None) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy = f"http://127.0.0.1:{server.server_port}"
    own = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    own |= {"HTTP_PROXY": proxy, "http_proxy": proxy, "HTTPS_PROXY": proxy}
    own |= {"NO_PROXY": excepted} if excepted else {}
    command = [sys.executable, "-m", "cli.main", "list"]
    done = subprocess.run(command, env=own, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    server.shutdown()
    assert (done.returncode, Proxy.asked) == (0, []), done.stderr


@pytest.mark.parametrize(
    "arguments", [["list"], ["watch", "a"], ["stop", "a"], ["results", "a"], ["start", "--stack", "a"]]
)
def test_no_region(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]) -> None:
    environment(monkeypatch, tmp_path)
    done = command(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("There is no AWS region: name one with --region")


@pytest.mark.parametrize(
    ("variables", "given", "region"),
    [
        ({"AWS_REGION": "eu-central-1"}, None, "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "eu-north-1"}, None, "eu-north-1"),
        ({"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-north-1"}, None, "eu-central-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-north-1"}, None, "eu-north-1"),
        ({"AWS_REGION": "eu-central-1"}, "us-east-1", "us-east-1"),
        ({}, None, "ap-south-1"),
    ],
)
def test_the_region_is_the_one_that_aws_s_own_command_line_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], given: str | None, region: str
) -> None:
    environment(monkeypatch, tmp_path)
    (tmp_path / "none").write_text("[default]\nregion = ap-south-1\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    clients = account.AwsAccount(region=given)
    assert (clients.region, clients.s3.meta.region_name) == (region, region)
    assert clients.sagemaker.meta.endpoint_url == f"https://api.sagemaker.{region}.amazonaws.com"


def test_servers_of_one_s_own_are_asked_with_keys_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And all else with the account's."""
    environment(monkeypatch, tmp_path)
    (tmp_path / "none").write_text(
        "[default]\nregion = eu-west-1\naws_access_key_id = ACCOUNT\naws_secret_access_key = secret\n"
        "[profile labeling]\naws_access_key_id = SERVERS\naws_secret_access_key = secret\n"
        "endpoint_url = https://label.example.com\nregion = eu-west-1\n"
    )
    monkeypatch.setenv("GROUND_TRUTH_PROFILE", "labeling")
    clients = account.AwsAccount()
    assert (clients.is_local, clients.has_logs) == (True, True)
    labeling = clients.sagemaker.generate_presigned_url("list_labeling_jobs")
    assert urlsplit(labeling).hostname == "label.example.com"
    assert "SERVERS" in labeling
    others = (
        clients.s3.generate_presigned_url("list_buckets"),
        clients.cloudformation.generate_presigned_url("list_stacks"),
    )
    for link in others:
        assert (urlsplit(link).hostname or "").endswith(".amazonaws.com")
        assert "ACCOUNT" in link


@pytest.mark.parametrize("arguments", [["list"], ["start", "--stack", "a"], ["check", "input.manifest"]])
def test_no_credentials(
    command: Command, jobs: JobsInMemory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    environment(monkeypatch, tmp_path)
    done = command(*arguments, "--region", "eu-west-1")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("There are no AWS credentials: sign in with")


def test_no_such_profile(command: Command) -> None:
    done = command("list", "--profile", "nobody")
    assert done.status == 2
    assert "nobody" in done.err
    assert "list-profiles" in done.err


def test_nobody_answers(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:9")
    monkeypatch.setattr(account, "PATIENT", Config(retries={"total_max_attempts": 1}))
    done = command("list")
    assert done.status == 2
    assert done.err.startswith("AWS can't be reached:")


@pytest.mark.parametrize("arguments", [["watch", "a"], ["stop", "a"], ["results", "a"]])
def test_no_such_job(command: Command, jobs: JobsInMemory, arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.status == 2
    assert "There is no labeling job named 'a' in eu-west-1." in done.err


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "AWS refuses ListLabelingJobs: no Allow it in the policy of your user or role."),
        ("ExpiredTokenException", "AWS doesn't accept the credentials (ExpiredTokenException: no): sign in with"),
        ("ThrottlingException", "AWS refuses ListLabelingJobs (ThrottlingException): no"),
    ],
)
def test_what_aws_refuses_is_said_with_what_to_do(code: str, said: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "no"}}, "ListLabelingJobs")
    assert explained(error).startswith(said)


def test_the_command_is_installed() -> None:
    script = Path(sys.executable).with_name("labeling-job")
    done = subprocess.run([script, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "the way of a job:" in done.stdout
