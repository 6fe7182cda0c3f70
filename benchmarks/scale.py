"""A labeling job of 2,000 objects beside ten of 200: three workers answer each over HTTP, as browsers would.

What a single object takes must not depend on how many there are, and neither must the memory of the server. The large
job and the small ones, one after the other, run at the same time, so that whatever else the machine does meets both.
"""

import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean
from typing import Final, NamedTuple

import psutil

from benchmarks.local_server import LABEL, LocalServer, create_job, local_server
from demo.portal_client import PortalClient

SMALL: Final = 200
LARGE: Final = 2_000
WORKERS: Final = ("Ada", "Ben", "Cleo")
MOST_RATIO: Final = 1.3
_MEBIBYTE = 1 << 20


class Measured(NamedTuple):
    """A job that was run.

    Attributes:
        objects: How many data objects it had.
        seconds: From its creation to its last output.
        memory: What the server's process held in the end, in bytes.
    """

    objects: int
    seconds: float
    memory: int

    @property
    def milliseconds_an_object(self) -> float:
        """How long it took, for each object."""
        return 1000 * self.seconds / self.objects


def main() -> int:
    """Measure, print, and judge."""
    print(f"{'objects':>10} {'workers':>16} {'an object':>10} {'memory':>10}", flush=True)
    with ThreadPoolExecutor(2) as pool:
        many = pool.submit(lambda: [measure(SMALL) for _ in range(LARGE // SMALL)])
        large = pool.submit(measure, LARGE).result()
        small = _typical(many.result())
    _show(small)
    _show(large)
    ratio = large.milliseconds_an_object / small.milliseconds_an_object
    memory = large.memory / small.memory
    print(f"{'ratio':>10} {'':>16} {ratio:>9.2f}× {memory:>9.2f}×", flush=True)
    if max(ratio, memory) > MOST_RATIO:
        print(f"Too much at {large.objects:,} objects: at most {MOST_RATIO:g}× is required.")
        return 1
    return 0


def _typical(jobs: list[Measured]) -> Measured:
    """A job that takes what these take on average, which is what counts beside one as long as all of them."""
    return Measured(jobs[0].objects, mean(job.seconds for job in jobs), max(job.memory for job in jobs))


def measure(objects: int) -> Measured:
    """Run a job of so many objects on a server of its own."""
    with tempfile.TemporaryDirectory() as folder, local_server(Path(folder), "--quiet") as server:
        begin = time.perf_counter()
        create_job(server, objects, len(WORKERS), "scale")
        workers = [threading.Thread(target=_work, args=(server, name)) for name in WORKERS]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        _wait_for_labels(server)
        seconds = time.perf_counter() - begin
        return Measured(objects, seconds, psutil.Process(server.process.pid).memory_info().rss)


def _work(server: LocalServer, name: str) -> None:
    """Answer every object."""
    portal = PortalClient(server.url, name)
    while (turn := portal.next_task("scale")).state not in ("finished", "completed", "failed"):
        if not turn.task:
            time.sleep(0.02)
            continue
        portal.page(turn.task["page"])
        even = int(turn.task["object"]) % 2 == 0
        portal.answer(turn.task["id"], {LABEL: {"label": "even" if even else "odd"}})
    portal.close()


def _wait_for_labels(server: LocalServer) -> None:
    sagemaker = server.sagemaker()
    while (status := sagemaker.describe_labeling_job(LabelingJobName="scale")["LabelingJobStatus"]) != "Completed":
        if status in ("Failed", "Stopped"):
            raise RuntimeError(f"the labeling job is {status}")
        time.sleep(0.05)


def _show(measured: Measured) -> None:
    workers, memory = f"{len(WORKERS)} by HTTP", measured.memory / _MEBIBYTE
    time_and_memory = f"{measured.milliseconds_an_object:>7.1f} ms {memory:>6.0f} MiB"
    print(f"{measured.objects:>10,} {workers:>16} {time_and_memory}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
