"""The command line: what its options and the environment make of a local Ground Truth."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from benchmarks.local_server import free_ports
from ground_truth_server.aws_services import EMBEDDED, Ports, ServerSettings
from ground_truth_server.commands.main import main
from ground_truth_server.commands.places import keep_shared_keys
from ground_truth_server.commands.serve import add_arguments, settings_of
from ground_truth_server.edge.key_pair import KeyPair
from tests.conftest import ROOT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def settings(*arguments: str) -> ServerSettings:
    parser = ArgumentParser()
    add_arguments(parser)
    return settings_of(parser.parse_args(arguments))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_LAMBDA"):
        monkeypatch.delenv(name, raising=False)


def test_without_options_all_is_embedded() -> None:
    found = settings()
    assert (found.s3, found.functions, found.template) == (EMBEDDED, EMBEDDED, None)
    assert found.ports == Ports(8085, 8086, 8087, 8088) == Ports.beginning_at(8085)


def test_the_template_of_the_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").touch()
    assert settings().template == Path("template.yaml")


def test_endpoints_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://minio:9000/")
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:3001")
    assert settings().s3 == "http://minio:9000"
    assert settings().functions == "http://127.0.0.1:3001"
    assert settings("--s3", "embedded", "--functions", "aws").functions == "aws"


def test_what_it_printed_for_clients_means_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:8087")
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9004")
    assert settings("--lambda-port", "9004").s3 == EMBEDDED
    assert settings("--lambda-port", "9004").functions == EMBEDDED


def test_variables_of_the_command_line_go_over_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "variables").write_text("# the job\nJOB=welds\n\nMODE=a=b\n")
    found = settings("--env-file", "variables", "--env", "JOB=seams")
    assert found.environment == {"JOB": "seams", "MODE": "a=b"}


def start(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Start with what can't work; gives the one line that it says."""
    ports = [f"--{name}=0" for name in ("port", "page-port", "s3-port", "lambda-port")]
    assert main(["serve", *ports, *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_database_that_is_none_is_named_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "w" / ".ground-truth" / "ground-truth.sqlite"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database " * 1000)
    said = start(capsys, "--workspace", str(tmp_path / "w"))
    assert said.startswith(f"ground-truth serve: {file}: found: file is not a database. Expected a database")


def test_the_account_s_database_is_named_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "w" / ".ground-truth" / "account.sqlite"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database " * 1000)
    assert f"{file}: found: file is not a database." in start(capsys, "--workspace", str(tmp_path / "w"))


def test_an_unknown_profile_is_named_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "AWS_PROFILE: found: The config profile (nobody)" in start(capsys, "--s3", "aws")


def test_a_workspace_that_is_a_file_is_named_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "w").write_text("a file")
    assert str(tmp_path / "w") in start(capsys, "--workspace", str(tmp_path / "w"))


# -- buckets that several servers share

ACCESS_KEY, SECRET_KEY = "GTSLABCDEFGHIJKLMNOP", "0123456789abcdefghijklmnopqrstuvwxyzABCD"


@pytest.fixture
def shared_s3(tmp_path: Path) -> Iterator[str]:
    """ground-truth s3, in a process of its own, with the keys that the environment names; gives its port."""
    port = free_ports()[0]
    variables = {"GROUND_TRUTH_ACCESS_KEY_ID": ACCESS_KEY, "GROUND_TRUTH_SECRET_ACCESS_KEY": SECRET_KEY}
    command = [sys.executable, "-m", "ground_truth_server", "s3", "--workspace", "w", "--port", str(port)]
    command += ["--name", "s3", "--url", "https://s3.plant.example"]
    variables |= {"PYTHONPATH": str(ROOT), "GROUND_TRUTH_DATABASE": ""}
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(f"S3: http://127.0.0.1:{port}")
    yield str(port)
    process.terminate()
    assert process.wait(10) == 0


def test_buckets_are_served_alone_to_who_has_the_shared_keys(shared_s3: str, tmp_path: Path) -> None:
    def client(secret: str) -> "S3Client":
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{shared_s3}",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=secret,
        )

    client(SECRET_KEY).create_bucket(Bucket="welds", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client(SECRET_KEY).put_object(Bucket="welds", Key="a/weld.csv", Body=b"1;2")
    assert (tmp_path / "w" / "welds" / "a" / "weld.csv").read_bytes() == b"1;2"
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client("x" * 40).list_buckets()


@pytest.mark.parametrize("host", ["s3", "s3.plant.example", "127.0.0.1"])
def test_buckets_are_asked_for_by_the_names_that_were_given(shared_s3: str, host: str) -> None:
    at = host if "." in host and host != "127.0.0.1" else f"{host}:{shared_s3}"
    assert httpx.get(f"http://127.0.0.1:{shared_s3}/", headers={"Host": at}).status_code == 403
    assert httpx.get(f"http://127.0.0.1:{shared_s3}/", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    ("access", "secret", "said"),
    [
        (ACCESS_KEY, "", "GROUND_TRUTH_SECRET_ACCESS_KEY has 0 characters; expected 32 or more"),
        ("", SECRET_KEY, "GROUND_TRUTH_ACCESS_KEY_ID has 0 characters; expected 16 or more"),
        (ACCESS_KEY, "x" * 31, "GROUND_TRUTH_SECRET_ACCESS_KEY has 31 characters"),
        (ACCESS_KEY, SECRET_KEY + "\n[other]", "expected 32 or more letters and digits"),
    ],
)
def test_shared_keys_that_can_not_be_meant_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], access: str, secret: str, said: str
) -> None:
    monkeypatch.setenv("GROUND_TRUTH_ACCESS_KEY_ID", access)
    monkeypatch.setenv("GROUND_TRUTH_SECRET_ACCESS_KEY", secret)
    assert said in start(capsys)


def test_shared_keys_take_the_place_of_the_workspace_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = KeyPair.of_workspace(tmp_path)
    monkeypatch.setenv("GROUND_TRUTH_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("GROUND_TRUTH_SECRET_ACCESS_KEY", SECRET_KEY)
    keep_shared_keys(tmp_path)
    found = KeyPair.of_workspace(tmp_path)
    assert (found.access_key, found.secret_key) == (ACCESS_KEY, SECRET_KEY) != (before.access_key, before.secret_key)
    assert (tmp_path / ".ground-truth" / "credentials").stat().st_mode & 0o777 == 0o600
