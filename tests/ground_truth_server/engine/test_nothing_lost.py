"""A 200-object job that is killed at random moments gives what it gives when it is left alone."""

import json
import multiprocessing
import random
import time
from pathlib import Path
from typing import Any

from ground_truth_server.worker_ids import worker_id
from tests.ground_truth_server.engine.killable_job import OBJECTS, WORKERS, run
from tests.ground_truth_server.engine.labeling import BUCKET

KILLS = 9
LONGEST_LIFE = 0.7  # seconds from the workers' start to the kill


def test_a_job_killed_at_random_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    killed, alone = tmp_path / "killed", tmp_path / "alone"
    moments = random.Random(7)
    kills = 0
    while not run_for(killed, moments.uniform(0, LONGEST_LIFE) if kills < KILLS else None):
        kills += 1
    run_for(alone, None)

    assert kills >= KILLS // 2, "the job ended before it could be killed often enough"
    for worker in WORKERS:
        noted = (killed / f"{worker}.notes").read_text().split()
        assert len(noted) == len(set(noted))
        assert set(noted) <= {object_id for object_id, name in answers(killed) if name == worker}
    assert sorted(answers(killed)) == sorted((str(i), worker) for i in range(OBJECTS) for worker in WORKERS)
    assert labels(killed) == labels(alone)
    assert files(killed) == files(alone)


def run_for(folder: Path, seconds: float | None) -> bool:
    """Run the job and kill it after a while; tells whether it ended by itself."""
    folder.mkdir(exist_ok=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ground_truth_server.engine.killable_job"])
    ready = context.Event()
    process = context.Process(target=run, args=(folder, ready))
    process.start()
    if seconds is not None:
        assert ready.wait(30)
        time.sleep(seconds)
        process.kill()
    process.join(150)
    assert process.exitcode is not None, "the job did not end in time"
    assert seconds is not None or process.exitcode == 0
    return process.exitcode == 0


def answers(folder: Path) -> list[tuple[str, str]]:
    """Object and worker of every answer in the worker responses."""
    workers = {worker_id(worker, "eu-west-1"): worker for worker in WORKERS}
    return [
        (path.parent.name, workers[answer["workerId"]])
        for path in output(folder).glob("annotations/worker-response/*/*/*.json")
        for answer in json.loads(path.read_text())["answers"]
    ]


def labels(folder: Path) -> list[Any]:
    """The output manifest without its dates."""
    lines = (output(folder) / "manifests/output/output.manifest").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    for line in found:
        line["Weld-metadata"].pop("creation-date")
    return found


def files(folder: Path) -> list[str]:
    """The output's files, without the moments in their names."""
    paths = (path.relative_to(output(folder)) for path in output(folder).rglob("*") if path.is_file())
    return sorted(str(path.parent if path.suffix == ".json" else path) for path in paths)


def output(folder: Path) -> Path:
    return folder / "s3" / BUCKET / "output/Welds1"
