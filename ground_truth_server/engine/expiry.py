"""The clock of the labeling jobs: takes back what has run out, whatever the jobs' runs are busy with."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from ground_truth_server.engine.data_objects import ObjectTable
from ground_truth_server.engine.event_log import EventLog
from ground_truth_server.engine.labeling_job import JobTable, LabelingJob
from ground_truth_server.engine.store import Store
from ground_truth_server.engine.tasks import TaskPool
from ground_truth_server.engine.timestamps import to_text

_log = logging.getLogger(__name__)


class Expiry:
    """Looks at the clock every tick, in a thread of its own.

    Args:
        store: The store.
        jobs: The labeling jobs.
        tasks: The workers' side.
        log: Where it is told.
        clock: Tells the time.
        tick: Seconds between two looks.
    """

    def __init__(  # noqa: PLR0913, PLR0917  (each is a part of the engine)
        self,
        store: Store,
        jobs: JobTable,
        tasks: TaskPool,
        log: EventLog,
        clock: Callable[[], datetime],
        tick: float,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._tasks = tasks
        self._log = log
        self._clock = clock
        self._tick = tick
        self._objects = ObjectTable(store)
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
        at = to_text(self._clock())
        if not self._objects.any_due(job, at):
            return  # nothing to write
        with self._store.transaction() as database:
            if self._jobs.state(job.key).status != "InProgress":
                return
            self._tasks.expire(database, job, at)
            closed, failed = self._objects.close_due(database, job, at)
            for number in failed:
                message = f"Object {number} failed: nobody answered it within {job.availability} s"
                self._log.write(database, job.key, at, "failed", message, number=number)
            if closed:
                message = f"{closed} objects go on with the answers they have"
                self._log.write(database, job.key, at, "closed", message)
