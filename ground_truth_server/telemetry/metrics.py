"""Metrics in Prometheus' format: of this process, and at each scrape of what the database holds."""

import hmac
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ground_truth_server.edge.client_address import client_address
from ground_truth_server.edge.network import is_loopback
from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.invoke import FunctionOutOfReach, Invoke, Json

METRICS_PATH: Final = "/metrics"
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 1.0, 2.5, 10.0)
_CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Metrics:
    """The metrics of one server.

    Attributes:
        registry: Where they are registered.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "ground_truth_request_seconds",
            "HTTP requests, from their head to the end of the answer.",
            ("part", "method", "status"),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        self._calls = Histogram(
            "ground_truth_function_call_seconds",
            "Calls of labeling jobs' functions.",
            ("function", "outcome"),
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )

    def requested(self, part: str, method: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            part: ``portal``, ``pages`` or ``api``.
            method: Its method; strangers may write any, so that others are counted as one.
            status: The answer's HTTP status; 499 where the client went before it.
            seconds: How long it took.
        """
        self._requests.labels(part, method if method in _METHODS else "other", str(status)).observe(seconds)

    def counting(self, invoke: Invoke) -> Invoke:
        """Count the calls of functions."""

        def call(function_arn: str, event: Mapping[str, Any]) -> Json:
            began, outcome = time.monotonic(), "failed"
            try:
                answer = invoke(function_arn, event)
                outcome = "answered"
                return answer
            except FunctionOutOfReach:
                outcome = "out of reach"
                raise
            finally:
                name = function_arn.rpartition(":function:")[2] or function_arn
                self._calls.labels(name, outcome).observe(time.monotonic() - began)

        return call

    def watch(self, engine: Engine) -> None:
        """Add what an engine's records tell."""
        self.registry.register(_RecordsCollector(engine))


class _RecordsCollector(Collector):
    """Asks the database at each scrape; where it can't be asked, says only that."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[Metric]:
        """Nothing in advance: the database need not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the metrics."""
        try:
            found = list(self._of_records())
        except Exception:
            found = []
        up = "Whether the database answers."
        yield GaugeMetricFamily("ground_truth_database_up", up, value=1 if found else 0)
        yield from found

    def _of_records(self) -> Iterator[Metric]:
        records = self._engine.records
        jobs = GaugeMetricFamily("ground_truth_jobs", "Labeling jobs by status.", labels=["status"])
        for status, count in records.jobs.count_by_status().items():
            jobs.add_metric([status], count)
        yield jobs
        objects = GaugeMetricFamily(
            "ground_truth_objects", "Data objects of jobs in progress by state.", labels=["job", "state"]
        )
        retrying = GaugeMetricFamily(
            "ground_truth_job_tries",
            "How often in a row a step failed, of jobs that this server runs and that wait to try it again.",
            labels=["job"],
        )
        for key in self._engine.desk.keys_in_progress():
            for state, count in self._engine.ledger.progress(key).items():
                objects.add_metric([key, state], count)
            if waiting := self._engine.waiting(key):
                retrying.add_metric([key], waiting.tries)
        yield objects
        yield retrying
        waiting_changes = "State changes that a listener hasn't taken yet."
        yield GaugeMetricFamily(
            "ground_truth_state_changes_waiting", waiting_changes, value=records.state_changes.count_waiting()
        )


def metrics_route(metrics: Metrics, token: str, *, open_on_loopback: bool) -> Route:
    """Make the route ``/metrics``.

    Args:
        metrics: What it tells.
        token: What who asks must show as ``Authorization: Bearer``; empty where nobody can.
        open_on_loopback: Whether this machine's own addresses need no token; not where a proxy of this machine might
            pass on requests of others.
    """

    def may_ask(request: Request) -> bool:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        known = bool(token) and hmac.compare_digest(shown.encode(), token.encode())
        return known or (open_on_loopback and is_loopback(client_address(request.scope)))

    async def tell(request: Request) -> Response:
        if not may_ask(request):
            expected = "Authorization: Bearer with the server's GROUND_TRUTH_METRICS_TOKEN"
            return PlainTextResponse(f"Metrics need {expected}.\n", 401, {"WWW-Authenticate": "Bearer"})
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(await run_in_threadpool(encode, metrics.registry), media_type=content_type)

    return Route(METRICS_PATH, tell)
