"""One of several processes that run labeling jobs on one PostgreSQL and one S3, to be killed and started again."""

import hashlib
import threading
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.labeling_job import ENDED
from ground_truth_server.engine.tasks import TaskRefused
from ground_truth_server.records.postgres import PostgresDatabase
from ground_truth_server.timestamps import now
from tests.ground_truth_server.engine.labeling import POST, PRE, Functions, MajorityVote, pass_on

LABELS = ("Good Weld", "Burn Through", "Contamination")
WORKERS = ("ann", "bo", "cy")  # of each process


def open_engine(folder: Path, place: dict[str, str]) -> Engine:
    """The engine of a process that shares a database and an S3.

    Args:
        folder: Its own workspace.
        place: The URLs of both, and the key pair of S3.
    """
    s3 = boto3.client(
        "s3",
        endpoint_url=place["s3"],
        region_name="eu-west-1",
        aws_access_key_id=place["access_key"],
        aws_secret_access_key=place["secret_key"],
        config=Config(retries={"total_max_attempts": 2}),
    )
    functions = Functions({PRE: pass_on, POST: MajorityVote(s3)})
    return Engine(folder, s3, functions, now, tick=0.05, database=PostgresDatabase(place["database"]))


def run(folder: Path, number: int, place: dict[str, str], ready: Event) -> None:
    """Take part in the job until it has ended.

    Args:
        folder: Where the workspaces and the workers' notes lie.
        number: Which process this is.
        place: As :func:`open_engine` takes it.
        ready: Set when the workers begin.
    """
    engine = open_engine(folder / f"workspace-{number}", place)
    engine.resume()
    ready.set()
    threads = [threading.Thread(target=_work, args=(engine, f"{name}-{number}", folder)) for name in WORKERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while engine.describe("Welds1")["LabelingJobStatus"] not in ENDED:
        threading.Event().wait(0.05)
    engine.close()


def label_of(worker: str, object_id: str) -> str:
    """What a worker answers about an object, always the same."""
    digest = hashlib.sha256(f"{worker} {object_id}".encode()).digest()
    return LABELS[digest[0] % len(LABELS)]


def _work(engine: Engine, worker: str, folder: Path) -> None:
    """Answer, and note each answer once it was taken."""
    with (folder / f"{worker}.notes").open("a", buffering=1) as notes:
        while engine.describe("Welds1")["LabelingJobStatus"] in ("Initializing", "InProgress"):
            task = engine.desk.next_task(worker, "Welds1")
            if task is None:
                threading.Event().wait(0.005)
                continue
            answer: dict[str, Any] = {"class": {"label": label_of(worker, task.object_id)}}
            with suppress(TaskRefused):  # the job may have ended meanwhile
                engine.desk.submit(task.id, worker, answer)
                notes.write(f"{task.object_id}\n")
