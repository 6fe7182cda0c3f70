"""A large labeling job on SQLite and on PostgreSQL: 200,000 objects, fifty workers without a pause, the console beside.

``python -m benchmarks.large [sqlite|postgresql]``. On SQLite it is one server, on PostgreSQL two.
Workers, servers and database share the machine, so that half of what is measured is the workers. Each figure stands
beside what is required.
"""

import multiprocessing
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psutil

from benchmarks.chaos import place_in
from benchmarks.judge import Judge
from benchmarks.local_server import LocalServer, create_job, local_server
from benchmarks.team import PROCESSES, WORKERS, share
from demo.portal_client import PortalClient

OBJECTS: Final = 200_000
OPENED: Final = 100_000
EXPORTED: Final = 50_000
SECONDS: Final = 30.0
KINDS: Final = ("sqlite", "postgresql")
_JOB: Final = "large"
_PAGES: Final = ("", "?show=disagreement", "?show=open", "?show=labeled", "?show=failed", "?start=150000", "/objects/0")


def main() -> int:
    """Measure on the databases that are named, or on both."""
    judge = Judge()
    for kind in sys.argv[1:] or KINDS:
        print(f"\n{kind}:", flush=True)
        with servers_on(kind) as servers:
            measure(servers, judge)
    return 1 if judge.failed else 0


@contextmanager
def servers_on(kind: str) -> Iterator[Sequence[LocalServer]]:
    """Run what serves on a database of one kind."""
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="large")))
        if kind == "postgresql":
            yield parts.enter_context(place_in(folder)).servers
        else:
            yield [parts.enter_context(local_server(folder / "w", "--quiet"))]


def measure(servers: Sequence[LocalServer], judge: Judge) -> None:
    """Measure all, and judge."""
    server = servers[0]
    _open(server, judge)
    create_job(server, OBJECTS, 3, _JOB, MaxConcurrentTaskCount=5000)
    _first_task(server, _JOB)
    memory = _memory(servers)
    until = time.time() + SECONDS
    with multiprocessing.Pool(PROCESSES) as pool:
        each = WORKERS // PROCESSES
        parts = pool.starmap(
            share, [(servers[number % len(servers)].url, _JOB, number, each, until) for number in range(PROCESSES)]
        )
    asked, answered = (sorted(value * 1000 for part in parts for value in part[side]) for side in (0, 1))
    judge("answers a second", len(answered) / SECONDS, "", least=250)
    judge("next task, p95", asked[len(asked) * 95 // 100], "ms", most=200)
    judge("next task, p99", asked[len(asked) * 99 // 100], "ms", most=400)
    judge("submit, p95", answered[len(answered) * 95 // 100], "ms", most=100)
    for path in _PAGES:
        judge(f"console page {path or '/'}", 1000 * min(_seconds(server, path) for _ in range(3)), "ms", most=300)
    judge("memory that was added", (_memory(servers) - memory) / 2**20, "MiB", most=200)
    _export(server, judge)


def _memory(servers: Sequence[LocalServer]) -> int:
    """Bytes, all servers together."""
    return sum(int(psutil.Process(server.process.pid).memory_info().rss) for server in servers)


def _open(server: LocalServer, judge: Judge) -> None:
    began = time.monotonic()
    create_job(server, OPENED, 1, "opened", MaxConcurrentTaskCount=1000)
    _first_task(server, "opened")
    judge(f"first task of a manifest of {OPENED:,} lines", time.monotonic() - began, "s", most=5)
    server.sagemaker().stop_labeling_job(LabelingJobName="opened")


def _first_task(server: LocalServer, job: str) -> None:
    portal = PortalClient(server.url, "first")
    while not portal.next_task(job).task:
        time.sleep(0.02)
    portal.close()


def _seconds(server: LocalServer, path: str) -> float:
    request = urllib.request.Request(f"{server.url}/console/jobs/{_JOB}{path}", headers={"Cookie": "worker=owner"})
    began = time.monotonic()
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
    return time.monotonic() - began


def _export(server: LocalServer, judge: Judge) -> None:
    """Export the labels of a job whose lines all bring theirs along."""
    label = {"label": {"class": "even"}, "label-metadata": {"human-annotated": "yes"}}
    create_job(server, EXPORTED, 1, "labeled", line=label)
    sagemaker = server.sagemaker()
    while sagemaker.describe_labeling_job(LabelingJobName="labeled")["LabelingJobStatus"] != "Completed":
        time.sleep(0.1)
    command = [sys.executable, "-m", "cli.main", "results", "labeled", "--format", "jsonl"]
    environment = {"AWS_ENDPOINT_URL_SAGEMAKER": server.url, "AWS_ENDPOINT_URL_S3": server.s3_url}
    environment |= {"AWS_ACCESS_KEY_ID": server.keys.access_key, "AWS_SECRET_ACCESS_KEY": server.keys.secret_key}
    began = time.monotonic()
    done = subprocess.run(
        command, env={**environment, "AWS_DEFAULT_REGION": "eu-west-1"}, capture_output=True, check=True
    )
    labels = done.stdout.count(b"\n")
    if labels != EXPORTED:
        raise RuntimeError(f"{labels} labels were exported, expected {EXPORTED}")
    judge(f"{EXPORTED:,} labels exported", time.monotonic() - began, "s", most=10)


if __name__ == "__main__":
    sys.exit(main())
