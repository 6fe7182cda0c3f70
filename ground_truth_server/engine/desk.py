"""The workers' desk: which labeling jobs there are for them, and the tasks that they take, answer and hand back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ground_truth_server.engine.counting import JobCounts
from ground_truth_server.engine.labeling_job import JobTable
from ground_truth_server.engine.tasks import Task, TaskPool


@dataclass(frozen=True)
class OpenJob:
    """A labeling job in progress, as a worker sees it.

    Attributes:
        name: The job's name.
        title: ``TaskTitle``.
        description: ``TaskDescription``.
        objects: How many data objects it has.
        done: How many of them need no more answers.
        available: How many this worker could take now, the one in hand included.
        submitted: How many answers this worker gave.
    """

    name: str
    title: str
    description: str
    objects: int
    done: int
    available: int
    submitted: int


class WorkersDesk:
    """What workers ask for. Every change is on disk when the call returns.

    Args:
        jobs: The labeling jobs.
        tasks: Their tasks.
        counts: Their counts.
    """

    def __init__(self, jobs: JobTable, tasks: TaskPool, counts: JobCounts) -> None:
        self._jobs = jobs
        self._tasks = tasks
        self._counts = counts

    def keys_in_progress(self) -> Sequence[str]:
        """List the jobs in progress, the oldest first."""
        return self._jobs.list_keys("InProgress")

    def open_job(self, name: str, worker: str) -> OpenJob | None:
        """Tell what a job in progress is to a worker; nothing if it isn't in progress."""
        return self._open_job(name, worker) if self._jobs.state(name).status == "InProgress" else None

    def open_jobs(self, worker: str) -> Sequence[OpenJob]:
        """List the jobs in progress as a worker sees them."""
        return [self._open_job(name, worker) for name in self.keys_in_progress()]

    def next_task(self, worker: str, job_name: str) -> Task | None:
        """Give a worker a task; see :meth:`TaskPool.next`."""
        return self._tasks.next(worker, job_name)

    def find_task(self, task_id: str, worker: str) -> Task:
        """Find a task that a worker has in hand; see :meth:`TaskPool.find`."""
        return self._tasks.find(task_id, worker)

    def submit(self, task_id: str, worker: str, answer: Mapping[str, Any]) -> None:
        """Take a worker's answer; see :meth:`TaskPool.submit`."""
        self._tasks.submit(task_id, worker, answer)

    def decline(self, task_id: str, worker: str) -> None:
        """Give a task to the others for good; see :meth:`TaskPool.decline`."""
        self._tasks.decline(task_id, worker)

    def release(self, task_id: str, worker: str) -> None:
        """Hand a task back for now; see :meth:`TaskPool.release`."""
        self._tasks.release(task_id, worker)

    def _open_job(self, name: str, worker: str) -> OpenJob:
        task = self._jobs.get(name).request["HumanTaskConfig"]
        counts = self._counts.objects(self._jobs.get(name).key)
        waiting = sum(counts.get(state, 0) for state in ("waiting", "preparing", "open"))
        return OpenJob(
            name=name,
            title=task["TaskTitle"],
            description=task["TaskDescription"],
            objects=sum(counts.values()),
            done=sum(counts.values()) - waiting,
            available=self._tasks.available(worker, name),
            submitted=self._tasks.submitted(worker, name),
        )
