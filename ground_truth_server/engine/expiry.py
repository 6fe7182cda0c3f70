"""The clock of the labeling jobs: takes back what has run out, whatever the jobs' runs are busy with."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from ground_truth_server.engine.labeling_job import JobTable, LabelingJob
from ground_truth_server.engine.tasks import TaskPool
from ground_truth_server.records.records import Records
from ground_truth_server.timestamps import to_text

_log = logging.getLogger(__name__)
NOT_ANSWERED = "No worker submitted an answer before the data object's availability ran out"


class Expiry:
    """Looks at the clock every tick, in a thread of its own.

    Args:
        records: What must survive.
        jobs: The labeling jobs.
        tasks: The workers' side.
        clock: Tells the time.
        tick: Seconds between two looks.
    """

    def __init__(
        self, records: Records, jobs: JobTable, tasks: TaskPool, clock: Callable[[], datetime], tick: float
    ) -> None:
        self._records = records
        self._jobs = jobs
        self._tasks = tasks
        self._clock = clock
        self._tick = tick
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="expiry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        told = ""
        while not self._closing.wait(self._tick):
            try:
                for key in self._jobs.list_keys("InProgress"):
                    self._close_due(self._jobs.get(key))
            except Exception as error:  # what it is may pass: the next look tries again
                if str(error) != told:
                    _log.warning("what has run out could not be taken back, trying again: %s", error)
                told = str(error)
            else:
                told = ""

    def _close_due(self, job: LabelingJob) -> None:
        at, records = to_text(self._clock()), self._records
        if not records.objects.any_due(job.key, at):
            return  # nothing to write
        with records.transaction():
            if records.jobs.status_until_the_end(job.key) != "InProgress":
                return
            self._tasks.expire(job, at)
            closed, failed = records.objects.close_due(job.key, at, f"{NOT_ANSWERED} ({job.availability} s)")
            for number in failed:
                message = f"Object {number} failed: nobody answered it within {job.availability} s"
                records.log.write(job.key, at, "failed", message, number=number)
            if closed:
                message = f"{closed} objects go on with the answers they have"
                records.log.write(job.key, at, "closed", message)
