"""Fifty workers at once, while a job's objects are still being prepared: ``python -m benchmarks.team``.

They take tasks and answer them over HTTP without a pause, each object by nine of them, beside a pre-annotation function
that takes its time. Every answer is on disk before its worker goes on. What counts is the ratio of two versions of the
server on one machine: ``python -m benchmarks.team OTHER`` measures this one and the checkout in a folder in turns.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from benchmarks.local_server import LABEL, create_job, local_server
from demo.portal_client import PortalClient, PortalError

WORKERS: Final = 50
PROCESSES: Final = 5
_OBJECTS: Final = 1_000
_SECONDS: Final = 12.0
_ROUNDS: Final = 3
_ARN: Final = "arn:aws:lambda:eu-west-1:111122223333:function:Before"
_TEMPLATE: Final = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Before:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.before, Runtime: python3.13, CodeUri: ., Timeout: 30, MemorySize: 512}
"""
_CODE: Final = """
import time

def before(event, context):
    time.sleep(0.03)
    return {"taskInput": {"text": "x" * 2000}, "isHumanAnnotationRequired": "true"}
"""


def main() -> int:
    """Measure, print, and compare with another checkout where one is named."""
    if sys.argv[1:] == ["--once"]:
        print(json.dumps(measure()))
        return 0
    folders = [Path.cwd(), *(Path(name).resolve() for name in sys.argv[1:2])]
    print(
        f"{'':>28} {'requests/s':>10} {'next p50':>9} {'p95':>8} {'worst':>8} {'answer p50':>11} {'p95':>8}", flush=True
    )
    for _ in range(_ROUNDS):
        for folder in folders:
            command = [sys.executable, "-m", "benchmarks.team", "--once"]
            path = os.pathsep.join(str(folder / name) for name in (".", "layers/labeling", "layers/plotting"))
            own = {**os.environ, "PYTHONPATH": path}
            done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            times = "{:>6.0f} ms {:>5.0f} ms {:>5.0f} ms {:>8.0f} ms {:>5.0f} ms".format(*found["milliseconds"])
            print(f"{folder.name[-28:]:>28} {found['rate']:>10.0f} {times}", flush=True)
    return 0


def measure() -> dict[str, object]:
    """Run the workers for a while and tell what they met."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "template.yaml").write_text(_TEMPLATE)
        (folder / "app.py").write_text(_CODE)
        with local_server(folder / "w", "--quiet", "--template", str(folder / "template.yaml")) as server:
            create_job(server, _OBJECTS, 9, "team", PreHumanTaskLambdaArn=_ARN)
            until = time.time() + _SECONDS
            with multiprocessing.Pool(PROCESSES) as pool:
                each = WORKERS // PROCESSES
                parts = pool.starmap(share, [(server.url, "team", number, each, until) for number in range(PROCESSES)])
    asked = sorted(value for part in parts for value in part[0])
    answered = sorted(value for part in parts for value in part[1])
    at = [asked[len(asked) // 2], asked[len(asked) * 95 // 100], asked[-1]]
    at += [answered[len(answered) // 2], answered[len(answered) * 95 // 100]]
    return {"rate": (len(asked) + len(answered)) / _SECONDS, "milliseconds": [1000 * value for value in at]}


def share(url: str, job: str, number: int, count: int, until: float) -> tuple[list[float], list[float]]:
    """Let some of the workers work; gives how long each question and each answer took, in seconds.

    Args:
        url: The portal.
        job: The labeling job.
        number: Of this share, from 0.
        count: How many workers are in it.
        until: When they stop.
    """
    asked: list[float] = []
    answered: list[float] = []
    names = [f"worker{number}-{one}" for one in range(count)]
    threads = [threading.Thread(target=_work, args=(url, job, name, until, asked, answered)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return asked, answered


def _work(  # noqa: PLR0913, PLR0917  (a thread's)
    url: str, job: str, name: str, until: float, asked: list[float], answered: list[float]
) -> None:
    portal = PortalClient(url, name)
    while time.time() < until:
        began = time.perf_counter()
        try:
            turn = portal.next_task(job)
        except PortalError:  # the job has only just been created
            time.sleep(0.05)
            continue
        asked.append(time.perf_counter() - began)
        if not turn.task:
            time.sleep(0.05)
            continue
        began = time.perf_counter()
        portal.answer(turn.task["id"], {LABEL: {"label": "even"}})
        answered.append(time.perf_counter() - began)
    portal.close()


if __name__ == "__main__":
    sys.exit(main())
