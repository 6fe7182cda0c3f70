"""A labeling job in a process of its own, with its S3 and three workers, to be killed and started again."""

import hashlib
import json
import threading
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from ground_truth_server.engine.engine import Engine
from ground_truth_server.s3.storage import EmbeddedS3
from ground_truth_server.timestamps import now
from tests.ground_truth_server.engine.labeling import (
    BUCKET,
    POST,
    PRE,
    TEMPLATE,
    Functions,
    MajorityVote,
    pass_on,
    request,
    s3_client,
    wait_for_end,
)

OBJECTS = 200
WAVE = 40
WORKERS = ("ann", "bo", "cy")
LABELS = ("Good Weld", "Burn Through", "Contamination")


def run(folder: Path, ready: Event) -> None:
    """Begin the job in a folder or go on with it, until it has ended.

    Args:
        folder: Where S3, the workspace and the workers' notes lie.
        ready: Set when the workers begin.
    """
    with EmbeddedS3(folder / "s3") as server:
        s3 = s3_client(server)
        if BUCKET not in {found["Name"] for found in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        functions = Functions({PRE: pass_on, POST: MajorityVote(s3)})
        engine = Engine(folder / "workspace", s3, functions, now, tick=0.05)
        if engine.list():
            engine.resume()
        else:
            lines = (json.dumps({"source": f"s3://{BUCKET}/{i}.json"}) for i in range(OBJECTS))
            s3.put_object(Bucket=BUCKET, Key="input.manifest", Body="\n".join(lines).encode())
            s3.put_object(Bucket=BUCKET, Key="template.liquid.html", Body=TEMPLATE.encode())
            engine.create(request(NumberOfHumanWorkersPerDataObject=3, MaxConcurrentTaskCount=WAVE))
        ready.set()
        threads = [threading.Thread(target=_work, args=(engine, worker, folder)) for worker in WORKERS]
        for thread in threads:
            thread.start()
        wait_for_end(engine, "Welds1", 120)
        for thread in threads:
            thread.join()
        engine.close()


def label_of(worker: str, object_id: str) -> str:
    """What a worker answers about an object, always the same."""
    digest = hashlib.sha256(f"{worker} {object_id}".encode()).digest()
    return LABELS[digest[0] % len(LABELS)]


def _work(engine: Engine, worker: str, folder: Path) -> None:
    """Answer, and note each answer once it was taken, as a worker who saw "submitted" would."""
    with (folder / f"{worker}.notes").open("a", buffering=1) as notes:
        while engine.describe("Welds1")["LabelingJobStatus"] in ("Initializing", "InProgress"):
            task = engine.desk.next_task(worker, "Welds1")
            if task is None:
                threading.Event().wait(0.005)
                continue
            engine.desk.submit(task.id, worker, _answer(worker, task.object_id))
            notes.write(f"{task.object_id}\n")


def _answer(worker: str, object_id: str) -> dict[str, Any]:
    return {"class": {"label": label_of(worker, object_id)}}
