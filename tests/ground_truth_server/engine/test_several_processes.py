"""Several processes on one PostgreSQL and one S3: each job is run by one of them, and by another when that is gone."""

import json
import multiprocessing
import random
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ground_truth_server.s3.storage import EmbeddedS3
from ground_truth_server.worker_ids import worker_id
from tests.ground_truth_server.engine.labeling import BUCKET, TEMPLATE, answer_all, request, wait_for_end, wait_until
from tests.ground_truth_server.engine.sharing_job import WORKERS, label_of, open_engine, run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OBJECTS = 120
LONG = 400  # objects of a job that is killed again and again
PROCESSES = 2
KILLS = 6
SECONDS = 10  # within which another process goes on with a job


@pytest.fixture
def place(s3_server: EmbeddedS3, s3: "S3Client", postgres_url: str) -> dict[str, str]:
    """What the processes share."""
    put_manifest(s3, OBJECTS)
    s3.put_object(Bucket=BUCKET, Key="template.liquid.html", Body=TEMPLATE.encode())
    keys = s3_server.keys
    return {
        "s3": s3_server.endpoint_url,
        "access_key": keys.access_key,
        "secret_key": keys.secret_key,
        "database": postgres_url,
    }


def put_manifest(s3: "S3Client", objects: int) -> None:
    lines = (json.dumps({"source": f"s3://{BUCKET}/{number}.json"}) for number in range(objects))
    s3.put_object(Bucket=BUCKET, Key="input.manifest", Body="\n".join(lines).encode())


def test_processes_that_are_killed_lose_and_repeat_nothing(
    tmp_path: Path, place: dict[str, str], s3: "S3Client"
) -> None:
    put_manifest(s3, LONG)
    engine = open_engine(tmp_path / "first", place)
    engine.create(request(NumberOfHumanWorkersPerDataObject=3, MaxConcurrentTaskCount=40))
    engine.close()
    moments = random.Random(7)
    context = multiprocessing.get_context("forkserver")

    def start(number: int) -> Any:
        ready = context.Event()
        process = context.Process(target=run, args=(tmp_path, number, place, ready))
        process.start()
        assert ready.wait(60)
        return process

    processes = [start(number) for number in range(PROCESSES)]
    kills = 0
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.1, 0.8))
        number = moments.randrange(PROCESSES)
        if processes[number].is_alive():
            kills += 1
            processes[number].kill()
            processes[number].join()
            processes[number] = start(number)
    for process in processes:
        process.join(120)
        assert process.exitcode == 0

    assert kills >= KILLS // 2, "the job ended before it could be killed often enough"
    names = [f"{name}-{number}" for number in range(PROCESSES) for name in WORKERS]
    kept = answers(tmp_path, names)
    assert Counter(number for number, _ in kept) == {str(number): 3 for number in range(LONG)}
    assert len(kept) == len(set(kept))
    for name in names:
        noted = (tmp_path / f"{name}.notes").read_text().split()
        assert len(noted) == len(set(noted))
        assert {(number, name) for number in noted} <= set(kept)
    for number, line in enumerate(output(tmp_path)):
        votes = Counter(label_of(name, str(number)) for of, name in kept if of == str(number))
        assert votes[line["Weld"]["class"]] == max(votes.values())


def test_a_job_goes_on_elsewhere_when_its_process_ends(tmp_path: Path, place: dict[str, str]) -> None:
    first, second = (open_engine(tmp_path / name, place) for name in ("first", "second"))
    first.resume()
    second.resume()
    first.create(request())
    wait_until(lambda: second.ledger.progress("Welds1").get("open") == OBJECTS)
    assert answer_all(second, "ann") == OBJECTS  # workers may be with either
    first.close()
    began = time.monotonic()
    assert wait_for_end(second, seconds=SECONDS)["LabelingJobStatus"] == "Completed"
    assert time.monotonic() - began < SECONDS
    labeled = [event.message for event in second.ledger.events("Welds1") if event.kind == "consolidated"]
    assert labeled == [f"{OBJECTS} objects labeled from {OBJECTS} answers"]
    second.close()


def test_only_one_of_two_runs_a_job(tmp_path: Path, place: dict[str, str]) -> None:
    first, second = (open_engine(tmp_path / name, place) for name in ("first", "second"))
    first.resume()
    second.resume()
    first.create(request())
    wait_until(lambda: second.ledger.progress("Welds1").get("open") == OBJECTS)
    time.sleep(2.5)  # so that the second has looked for jobs that nobody runs
    assert answer_all(second, "ann") == OBJECTS
    assert wait_for_end(second, seconds=SECONDS)["LabelingJobStatus"] == "Completed"
    kinds = Counter(event.kind for event in first.ledger.events("Welds1", limit=10_000))
    assert (kinds["prepared"], kinds["submitted"], kinds["wave"], kinds["consolidated"]) == (OBJECTS, OBJECTS, 1, 1)
    for engine in (first, second):
        engine.close()


def answers(folder: Path, names: list[str]) -> list[tuple[str, str]]:
    """Object and worker of every answer in the worker responses."""
    workers = {worker_id(name, "eu-west-1"): name for name in names}
    found = folder / "s3" / BUCKET / "output/Welds1/annotations/worker-response"
    return [
        (path.parent.name, workers[answer["workerId"]])
        for path in found.glob("*/*/*.json")
        for answer in json.loads(path.read_text())["answers"]
    ]


def output(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "s3" / BUCKET / "output/Welds1/manifests/output/output.manifest").read_text()
    return [json.loads(line) for line in text.splitlines()]
