"""The runs of labeling jobs in this process: of each job that has not ended, and that no other process has in hand."""

import logging
import threading
import time

from ground_truth_server.engine.job_run import JobRun
from ground_truth_server.engine.labeling_job import ENDED, JobTable, LabelingJob
from ground_truth_server.engine.retrying import Waiting
from ground_truth_server.engine.surroundings import Surroundings

_LOOK_SECONDS = 2.0  # between two looks for jobs whose process is gone

_log = logging.getLogger(__name__)


class JobRuns:
    """Starts a run for each job that this process gets a lease of, and ends it when the lease is lost.

    Args:
        around: What runs work with.
        jobs: The labeling jobs.
    """

    def __init__(self, around: Surroundings, jobs: JobTable) -> None:
        self._around = around
        self._database = around.records.database
        self._jobs = jobs
        self._runs: dict[str, JobRun] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, name="job-runs", daemon=True)

    def begin(self) -> None:
        """Go on with the jobs that nobody has in hand, now and from now on."""
        self._look()
        self._thread.start()

    def start(self, job: LabelingJob) -> None:
        """Run a job, if no other process does."""
        with self._lock:
            self._keep(job)

    def try_now(self, key: str) -> None:
        """Let a job that waits to try a step again try it at once, if it is run here."""
        with self._lock:
            run = self._runs.get(key)
        if run:
            run.try_now()

    def waiting(self, key: str) -> Waiting | None:
        """Tell why a job that is run here waits; ``None`` if nothing is wrong."""
        with self._lock:
            run = self._runs.get(key)
        return run.waiting if run else None

    def leave(self) -> None:
        """Leave every job after the step at hand, without waiting, and begin no other."""
        self._closing.set()
        with self._lock:
            for run in self._runs.values():
                run.leave()

    def close(self, patience: float) -> None:
        """Leave every job and let other processes have them.

        Args:
            patience: How many seconds to wait for the steps at hand.
        """
        self.leave()
        end = time.monotonic() + patience
        if self._thread.is_alive():
            self._thread.join(max(0.0, end - time.monotonic()))
        with self._lock:
            for key, run in self._runs.items():
                run.close(max(0.0, end - time.monotonic()))
                self._database.give_back(_lease_of(key))
            self._runs.clear()

    def _keep_looking(self) -> None:
        told = ""
        while not self._closing.wait(_LOOK_SECONDS):
            try:
                self._look()
            except Exception as error:  # whatever it is may pass: the next look tries again
                if str(error) != told:
                    _log.warning("jobs that nobody runs can't be looked for, trying again: %s", error)
                told = str(error)
            else:
                told = ""

    def _look(self) -> None:
        under_way = [key for key in self._jobs.list_keys() if self._jobs.state(key).status not in ENDED]
        with self._lock:
            for key in under_way:
                if not self._closing.is_set():
                    self._keep(self._jobs.get(key))
            for key in [key for key, run in self._runs.items() if key not in under_way and run.ended]:
                del self._runs[key]
                self._database.give_back(_lease_of(key))

    def _keep(self, job: LabelingJob) -> None:
        run = self._runs.get(job.key)
        if not self._database.lease(_lease_of(job.key)):
            if run is not None:
                _log.warning("%s is run by another process now", job.key)
                run.leave()
                del self._runs[job.key]
        elif run is None:
            self._runs[job.key] = JobRun(self._around, self._jobs, job)
            self._runs[job.key].start()


def _lease_of(key: str) -> str:
    return f"job {key}"
