"""Metrics and JSON logs of a server in a process of its own; metrics are read by Prometheus' own parser."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.local_server import LocalServer, create_job, local_server
from ground_truth_server.acting import acting
from ground_truth_server.engine.invoke import FunctionFailed, FunctionOutOfReach
from ground_truth_server.telemetry.json_log import JsonFormatter
from ground_truth_server.telemetry.metrics import Metrics
from tests.ground_truth_server.engine.labeling import Bench, request, wait_until

TOKEN = "a-token-for-metrics"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:PreLabeling"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples_in(text: str) -> Samples:
    families = text_string_to_metric_families(text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUND_TRUTH_METRICS_TOKEN", TOKEN)
        with local_server(tmp_path_factory.mktemp("workspace"), "--log-format", "json") as server:
            yield server


def log_of(server: LocalServer) -> list[dict[str, Any]]:
    assert server.keys.file is not None
    *lines, _ = (server.keys.file.parents[1] / "server.log").read_text().split("\n")  # the last may be half written
    return [json.loads(line) for line in lines]


def metrics_of(server: LocalServer) -> Samples:
    return samples_in(httpx.get(f"{server.url}/metrics").raise_for_status().text)


def test_metrics_tell_jobs_objects_and_requests(server: LocalServer) -> None:
    create_job(server, 5, 1, "numbers")
    wait_until(lambda: value(metrics_of(server), "ground_truth_objects", job="numbers", state="open") == 5)
    before = value(metrics_of(server), "ground_truth_request_seconds_count", part="portal", method="GET", status="404")
    for _ in range(3):
        assert httpx.get(f"{server.url}/nowhere", cookies={"worker": "ann"}).status_code == 404
    found = metrics_of(server)
    count = value(found, "ground_truth_request_seconds_count", part="portal", method="GET", status="404")
    assert count == (before or 0) + 3
    assert value(found, "ground_truth_request_seconds_count", part="api", method="POST", status="200") == 1
    assert value(found, "ground_truth_jobs", status="InProgress") == 1
    assert value(found, "ground_truth_database_up") == 1
    assert value(found, "ground_truth_state_changes_waiting") == 0
    assert (value(found, "process_resident_memory_bytes") or 0) > 1e7


def test_metrics_are_told_by_any_name_as_scrapers_ask_by_address(server: LocalServer) -> None:
    assert httpx.get(f"{server.url}/metrics", headers={"Host": "10.0.0.7:8085"}).status_code == 200


def test_methods_of_strangers_are_one(server: LocalServer) -> None:
    for method in ("FOO", "BAR"):
        httpx.request(method, f"{server.url}/nowhere")
    assert not [labels for _, labels in metrics_of(server) if ("method", "FOO") in labels]


@pytest.mark.parametrize(("shown", "status"), [("", 401), ("Bearer wrong", 401), (f"Bearer {TOKEN}", 200)])
def test_behind_a_proxy_metrics_need_the_token(tmp_path: Path, shown: str, status: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUND_TRUTH_METRICS_TOKEN", TOKEN)
        names = ("--url", "https://label.example.com", "--pages-url", "https://pages.example.com")
        with local_server(tmp_path, "--behind-proxy", "--people", "accounts", *names) as server:
            answer = httpx.get(f"{server.url}/metrics", headers={"Authorization": shown} if shown else {})
    assert answer.status_code == status
    assert ("GROUND_TRUTH_METRICS_TOKEN" in answer.text) == (status == 401)


def test_each_request_has_a_number_that_stands_in_its_line(server: LocalServer) -> None:
    answer = httpx.get(f"{server.url}/nowhere?secret=1", cookies={"worker": "ann"})
    number = answer.headers["x-request-id"]

    def lines() -> list[dict[str, Any]]:
        return [line for line in log_of(server) if line.get("request_id") == number]

    wait_until(lines)
    (line,) = lines()
    assert (line["method"], line["path"], line["status"], line["part"]) == ("GET", "/nowhere", 404, "portal")
    assert (line["level"], line["address"]) == ("INFO", "127.0.0.1")
    assert line["milliseconds"] > 0
    assert httpx.get(f"{server.url}/nowhere").headers["x-request-id"] != number


def test_what_opens_something_by_itself_is_not_logged(server: LocalServer) -> None:
    token = "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy"
    number = httpx.get(f"{server.url}/invitation/{token}").headers["x-request-id"]
    wait_until(lambda: any(line.get("request_id") == number for line in log_of(server)))
    assert token not in json.dumps(log_of(server))
    assert any(line.get("path") == "/invitation/…" for line in log_of(server))


def test_a_server_that_logs_json_logs_nothing_else(server: LocalServer) -> None:
    (began,) = [line for line in log_of(server) if line["message"] == "listening"]
    assert began["url"] == server.url
    assert any("is InProgress" in line["message"] for line in log_of(server))


def test_text_has_no_line_for_a_request(tmp_path: Path) -> None:
    with local_server(tmp_path) as server:
        httpx.get(f"{server.url}/nowhere")
    assert "nowhere" not in (tmp_path / "server.log").read_text()


def test_a_line_tells_who_acts_and_what_went_wrong_and_moves_no_terminal() -> None:
    try:
        raise ValueError("broken \x1b[31m")
    except ValueError:
        record = logging.LogRecord("a.b", logging.ERROR, "", 1, "no %s\n\x07", ("luck",), sys.exc_info())
    with acting("GTSLKEY", "10.0.0.7"):
        line = json.loads(JsonFormatter().format(record))
    assert (line["actor"], line["address"], line["level"], line["logger"]) == ("GTSLKEY", "10.0.0.7", "ERROR", "a.b")
    assert line["message"] == "no luck\n\\x07"
    assert "ValueError: broken \\x1b[31m" in line["exception"]
    assert "\n" not in JsonFormatter().format(record)


def test_calls_of_functions_are_counted_by_how_they_ended() -> None:
    def call(function_arn: str, event: Mapping[str, Any]) -> Any:
        if event:
            raise event["error"](function_arn, {}, error_type="Error", message="no")
        return "answer"

    metrics = Metrics()
    counted = metrics.counting(call)
    assert counted(FUNCTION, {}) == "answer"
    for error in (FunctionFailed, FunctionFailed, FunctionOutOfReach):
        with pytest.raises(error):
            counted(FUNCTION, {"error": error})
    count = "ground_truth_function_call_seconds_count"
    found = {
        labels["outcome"]: sample
        for labels, sample in (
            (dict(one.labels), one.value)
            for family in metrics.registry.collect()
            for one in family.samples
            if one.name == count
        )
        if labels["function"] == "PreLabeling"
    }
    assert found == {"answered": 1, "failed": 2, "out of reach": 1}


def test_a_database_that_does_not_answer_is_said_and_the_rest_is_told(bench: Bench) -> None:
    metrics = Metrics()
    with bench.engine() as engine:
        engine.create(request())
        metrics.watch(engine)
        assert metrics.registry.get_sample_value("ground_truth_database_up") == 1
        assert metrics.registry.get_sample_value("ground_truth_jobs", {"status": "Completed"}) is None
    assert metrics.registry.get_sample_value("ground_truth_database_up") == 0
    assert metrics.registry.get_sample_value("process_open_fds") is not None
