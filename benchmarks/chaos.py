"""Two servers on one PostgreSQL are killed again and again, and so is it: ``make chaos``.

Workers take tasks and answer them over HTTP without a pause, at whichever server lives. At random moments a server, or
PostgreSQL with all of its processes, gets SIGKILL, and is started anew. In the end every answer that a worker was told
is submitted must be in the output once, and every object must have as many answers as were asked for. What is checked
is what lies on the disk: the worker responses and the output manifest, as files, and the rows, by a driver of its own.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.local_server import BUCKET, LABEL, LocalServer, create_job, free_ports, start
from benchmarks.postgres import Postgres
from demo.portal_client import PortalClient, PortalError
from ground_truth_server.edge.key_pair import KeyPair

SERVERS: Final = 2
ANSWERS: Final = 3
JOB: Final = "chaos"
_PATIENCE: Final = 120.0  # seconds without any answer before it counts as stuck


@dataclass
class Result:
    """What a run came to.

    Attributes:
        objects: How many data objects there were.
        acknowledged: How many answers workers were told to be submitted.
        kills: How often what was killed.
        seconds: How long it took.
        faults: What is not as it must be; empty if all is well.
    """

    objects: int
    acknowledged: int
    kills: dict[str, int]
    seconds: float
    faults: list[str]


def main() -> int:
    """Read the command line, run, and judge."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    print(f"{given.objects:,} objects × {ANSWERS} answers, {given.workers} workers, seed {given.seed}", flush=True)
    result = run(given.objects, given.workers, given.kills, given.seed, say=lambda text: print(text, flush=True))
    told = ", ".join(f"{what} {count} times" for what, count in sorted(result.kills.items()))
    print(f"{result.acknowledged:,} answers acknowledged in {result.seconds:.0f} s; killed: {told}")
    for fault in result.faults:
        print(f"WRONG: {fault}")
    print("Nothing lost, nothing doubled." if not result.faults else f"{len(result.faults)} things are wrong.")
    return 1 if result.faults else 0


Say = Callable[[str], None]


def run(  # noqa: PLR0913  (each is another side of it)
    objects: int, workers: int, kills: int, seed: int, *, pause: float = 0.0, say: Say = lambda _: None
) -> Result:
    """Label a job while what runs it is killed.

    Args:
        objects: How many data objects it has.
        workers: How many label them, all at once.
        kills: How often something is killed, spread over the answers that are to come.
        seed: Of what is killed when; the moments themselves differ all the same.
        pause: Seconds for which a worker looks at a task, on average.
        say: Is told how it goes.
    """
    began = time.monotonic()
    with ExitStack() as parts:
        folder = Path(tempfile.mkdtemp(prefix="chaos"))
        place = parts.enter_context(place_in(folder))
        create_job(place.servers[0], objects, ANSWERS, JOB, MaxConcurrentTaskCount=_wave_of(objects))
        chances = {f"worker{number}": random.Random(f"{seed}-{number}") for number in range(workers)}
        crowd = [Worker(name, place, chance, pause) for name, chance in chances.items()]
        for worker in crowd:
            worker.thread.start()
        chance = random.Random(seed)
        moments = sorted(chance.uniform(0, 0.95) * objects * ANSWERS for _ in range(kills))
        killed = _kill_at(moments, place, crowd, chance, say)
        for worker in crowd:
            worker.thread.join()
        _wait_for_labels(place)
        acknowledged = [one for worker in crowd for one in worker.acknowledged]
        faults = [*_of_rows(place, objects), *_of_output(place, objects, acknowledged)]
    if faults:
        faults.append(f"what was found is in {folder}")
    else:
        shutil.rmtree(folder)
    return Result(objects, len(acknowledged), killed, time.monotonic() - began, faults)


def _wave_of(objects: int) -> int:
    return min(1000, max(10, objects // 4))


@dataclass
class Place:
    """What runs the job, and what it is found by.

    Attributes:
        folder: Of all of it.
        postgres: The database.
        keys: What the servers sign with.
        s3_url: The S3 that they share.
        servers: The servers as they run now.
    """

    folder: Path
    postgres: Postgres
    keys: KeyPair
    s3_url: str
    ports: list[tuple[int, ...]] = field(default_factory=list)
    servers: list[LocalServer] = field(default_factory=list)

    def start_server(self, number: int) -> LocalServer:
        """Start one of the servers, on the ports that it has."""
        options = ("--quiet", "--database", self.postgres.url, "--s3", self.s3_url)
        variables = {
            "AWS_ACCESS_KEY_ID": self.keys.access_key,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret_key,
            "GROUND_TRUTH_SECRET": self.keys.secret_key,
            **_shared(self.keys),
        }
        found = start(self.folder / f"server-{number}", self.ports[number], *options, variables=variables)
        return LocalServer(found.process, found.url, self.s3_url, found.keys)


def _shared(keys: KeyPair) -> dict[str, str]:
    return {"GROUND_TRUTH_ACCESS_KEY_ID": keys.access_key, "GROUND_TRUTH_SECRET_ACCESS_KEY": keys.secret_key}


@contextmanager
def place_in(folder: Path) -> Iterator[Place]:
    """Run two servers that share one PostgreSQL and one S3, with all that they keep in a folder."""
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own where this is root
    with ExitStack() as parts:
        postgres = Postgres(folder / "postgres")
        parts.callback(postgres.close)
        keys = KeyPair.new()
        port = free_ports()[0]
        s3 = _start_s3(folder / "s3", port, keys)
        parts.callback(s3.wait)
        parts.callback(s3.terminate)
        place = Place(folder, postgres, keys, f"http://127.0.0.1:{port}")
        place.ports = [free_ports() for _ in range(SERVERS)]
        for number in range(SERVERS):
            place.servers.append(place.start_server(number))
        parts.callback(_end, place)
        yield place


def _end(place: Place) -> None:
    for server in place.servers:
        server.process.kill()
        server.process.wait()


def _start_s3(folder: Path, port: int, keys: KeyPair) -> subprocess.Popen[str]:
    folder.mkdir()
    command = [sys.executable, "-m", "ground_truth_server", "s3", "--workspace", str(folder), "--port", str(port)]
    variables = {**os.environ, **_shared(keys), "GROUND_TRUTH_DATABASE": ""}
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    if not process.stdout.readline().startswith("S3: "):
        raise RuntimeError("ground-truth s3 did not start")
    return process


class Worker:
    """Takes tasks and answers them at whichever server answers, until the job is over.

    Attributes:
        acknowledged: The object and the token of each answer of which a server said that it is submitted.
    """

    def __init__(self, name: str, place: Place, chance: random.Random, pause: float) -> None:
        self.name = name
        self._place = place
        self._chance = chance
        self._pause = pause
        self._portal: PortalClient | None = None
        self.acknowledged: list[tuple[str, str]] = []
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        while True:
            try:
                if self._turn():
                    return
            except (PortalError, OSError, HTTPException):  # what is killed answers so, or not at all
                self._leave()
                time.sleep(self._chance.uniform(0.05, 0.3))

    def _leave(self) -> None:
        if self._portal is not None:
            self._portal.close()
        self._portal = None

    def _turn(self) -> bool:
        """Take and answer a task; gives whether there is nothing more to do."""
        if self._portal is None or self._chance.random() < 0.02:
            self._leave()
            self._portal = PortalClient(self._chance.choice(self._place.servers).url, self.name)
        turn = self._portal.next_task(JOB)
        if not turn.task:
            time.sleep(self._chance.uniform(0.5, 1.5))  # as the task page does
            return turn.state in ("finished", "completed", "failed", "stopped")
        time.sleep(self._chance.uniform(0, 2 * self._pause))
        token = uuid.uuid4().hex
        even = int(turn.task["object"]) % 2 == 0
        answer = {LABEL: {"label": "even" if even else "odd"}, "token": token}
        if self._portal.answer(turn.task["id"], answer):
            self.acknowledged.append((turn.task["object"], token))
        return False


def _kill_at(
    moments: Sequence[float], place: Place, crowd: list[Worker], chance: random.Random, say: Say
) -> dict[str, int]:
    """Kill something each time so many answers have come."""
    killed: Counter[str] = Counter()
    for moment in moments:
        _wait_for_answers(crowd, moment, place.folder)
        if not any(worker.thread.is_alive() for worker in crowd):
            break
        what = chance.choice([*range(SERVERS), "PostgreSQL"])
        if isinstance(what, int):
            place.servers[what].process.kill()
            place.servers[what].process.wait()
            time.sleep(chance.uniform(0, 1))
            place.servers[what] = place.start_server(what)
            killed[f"server {what + 1}"] += 1
        else:
            place.postgres.kill()
            time.sleep(chance.uniform(0, 2))
            place.postgres.start()
            killed[what] += 1
        say(f"{sum(len(worker.acknowledged) for worker in crowd):>8,} answers, killed {sum(killed.values())}")
    return dict(killed)


def _wait_for_answers(crowd: list[Worker], count: float, folder: Path) -> None:
    before, since = -1, time.monotonic()
    while (now := sum(len(worker.acknowledged) for worker in crowd)) < count:
        if now != before:
            before, since = now, time.monotonic()
        if time.monotonic() - since > _PATIENCE:
            raise TimeoutError(f"no answer was taken for {_PATIENCE:g} s; {now} were before. Look into {folder}")
        if not any(worker.thread.is_alive() for worker in crowd):
            return
        time.sleep(0.01)


def _wait_for_labels(place: Place) -> None:
    end = time.monotonic() + _PATIENCE
    sagemaker = place.servers[0].sagemaker()
    while (found := sagemaker.describe_labeling_job(LabelingJobName=JOB))["LabelingJobStatus"] != "Completed":
        if time.monotonic() > end:
            raise TimeoutError(f"the labeling job is {found['LabelingJobStatus']}, expected Completed")
        time.sleep(0.2)


def _of_rows(place: Place, objects: int) -> Iterator[str]:
    """What is wrong with the rows."""
    with psycopg.connect(place.postgres.url) as connection:
        query = "SELECT number, count(*), count(DISTINCT worker) FROM tasks WHERE state = 'submitted' GROUP BY number"
        rows = connection.execute(query).fetchall()
    if len(rows) != objects:
        yield f"{len(rows)} objects have answers, expected {objects}"
    for number, answers, workers in rows:
        if (answers, workers) != (ANSWERS, ANSWERS):
            yield f"object {number} has {answers} answers of {workers} workers, expected {ANSWERS}"


def _of_output(place: Place, objects: int, acknowledged: list[tuple[str, str]]) -> Iterator[str]:
    """What is wrong with the files."""
    output = place.folder / "s3" / BUCKET / "output" / JOB
    tokens: Counter[str] = Counter()
    for file in (output / "annotations" / "worker-response").rglob("*.json"):
        answers = json.loads(file.read_text())["answers"]
        tokens.update(answer["answerContent"]["token"] for answer in answers)
        if len(answers) != ANSWERS or len({answer["workerId"] for answer in answers}) != ANSWERS:
            yield f"{file.relative_to(output)} has {len(answers)} answers, expected {ANSWERS} of as many workers"
    for number, token in acknowledged:
        if tokens[token] != 1:
            yield f"an answer to object {number} that was acknowledged is in the output {tokens[token]} times"
    if sum(tokens.values()) != objects * ANSWERS:
        yield f"the output has {sum(tokens.values())} answers, expected {objects * ANSWERS}"
    lines = (output / "manifests" / "output" / "output.manifest").read_text().splitlines()
    sources = [json.loads(line)["source"] for line in lines]
    if sources != [str(number) for number in range(objects)]:
        yield f"the output manifest has {len(lines)} lines, expected the {objects} of the input, in order"
    unlabeled = sum("label" not in json.loads(line) for line in lines)
    if unlabeled:
        yield f"{unlabeled} lines of the output manifest have no label"


if __name__ == "__main__":
    sys.exit(main())
