"""The command line: what its options and the environment make of a local Ground Truth."""

from pathlib import Path

import pytest

from ground_truth_server.__main__ import parser, settings_of
from ground_truth_server.aws_services import EMBEDDED, Ports, ServerSettings


def settings(*arguments: str) -> ServerSettings:
    return settings_of(parser().parse_args(arguments))


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
