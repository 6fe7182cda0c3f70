"""The command line: what its options and the environment make of a local Ground Truth."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from ground_truth_server.aws_services import EMBEDDED, Ports, ServerSettings
from ground_truth_server.commands.main import main
from ground_truth_server.commands.serve import add_arguments, settings_of


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
