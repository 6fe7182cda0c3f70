"""A labeling job of 2,000 objects beside one of 200: three workers answer over HTTP, as browsers would.

What a single object takes must not depend on how many there are, and neither must the memory of the server.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from benchmarks.local_server import LABEL, LocalServer, create_job, local_server
from demo.portal_client import PortalClient

SIZES: Final = (200, 2_000)
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
    small, large = (_shown(measure(size)) for size in SIZES)
    ratio = large.milliseconds_an_object / small.milliseconds_an_object
    memory = large.memory / small.memory
    print(f"{'ratio':>10} {'':>16} {ratio:>9.2f}× {memory:>9.2f}×", flush=True)
    if max(ratio, memory) > MOST_RATIO:
        print(f"Too much at {large.objects:,} objects: at most {MOST_RATIO:g}× is required.")
        return 1
    return 0


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


def _shown(measured: Measured) -> Measured:
    workers, memory = f"{len(WORKERS)} by HTTP", measured.memory / _MEBIBYTE
    print(
        f"{measured.objects:>10,} {workers:>16} {measured.milliseconds_an_object:>7.1f} ms {memory:>6.0f} MiB",
        flush=True,
    )
    return measured


if __name__ == "__main__":
    sys.exit(main())
