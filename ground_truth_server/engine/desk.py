"""The workers' desk: which labeling jobs there are for them, and the tasks that they take, answer and hand back."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ground_truth_server.engine.counting import JobCounts
from ground_truth_server.engine.labeling_job import JobTable
from ground_truth_server.engine.tasks import OwnItem, Task, TaskPool
from ground_truth_server.records.records import Records
from ground_truth_server.records.tasks import OwnAnswer, TaskRecord
from ground_truth_server.timestamps import seconds_between

_LAST = 21  # answers that tell how long a task takes
_FEWEST = 3  # of which fewer tell nothing


@dataclass(frozen=True)
class OpenJob:
    """A labeling job in progress, as a worker sees it.

    Attributes:
        name: The job's name.
        title: ``TaskTitle``.
        description: ``TaskDescription``.
        objects: How many data objects it has.
        done: How many of them need no more answers.
        available: How many this worker could take now, the one in hand and those put aside included.
        submitted: How many answers this worker gave.
        aside: How many this worker has put aside.
    """

    name: str
    title: str
    description: str
    objects: int
    done: int
    available: int
    submitted: int
    aside: int = 0


@dataclass(frozen=True)
class AsideTask:
    """A task that a worker has put aside.

    Attributes:
        task: The task.
        line: Its data object's manifest line.
    """

    task: TaskRecord
    line: dict[str, Any] | None


class WorkersDesk:
    """What workers ask for. Every change is on disk when the call returns.

    Args:
        records: Where all is kept.
        jobs: The labeling jobs.
        tasks: Their tasks.
        counts: Their counts.
    """

    def __init__(self, records: Records, jobs: JobTable, tasks: TaskPool, counts: JobCounts) -> None:
        self._records = records
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

    def submit(self, task_id: str, worker: str, answer: Mapping[str, Any], remark: str = "") -> None:
        """Take a worker's answer; see :meth:`TaskPool.submit`."""
        self._tasks.submit(task_id, worker, answer, remark)

    def correct(self, task_id: str, worker: str, answer: Mapping[str, Any], remark: str = "", version: int = 1) -> None:
        """Take a newer version of a worker's answer; see :meth:`TaskPool.correct`."""
        self._tasks.correct(task_id, worker, answer, remark, version)

    def put_aside(self, task_id: str, worker: str) -> None:
        """Put a task aside for later; see :meth:`TaskPool.put_aside`."""
        self._tasks.put_aside(task_id, worker)

    def take_up(self, task_id: str, worker: str) -> None:
        """Take up a task that was put aside; see :meth:`TaskPool.take_up`."""
        self._tasks.take_up(task_id, worker)

    def find_own(self, task_id: str, worker: str) -> OwnItem:
        """Find a task that a worker has or has answered; see :meth:`TaskPool.find_own`."""
        return self._tasks.find_own(task_id, worker)

    def check_own(self, task_id: str, worker: str) -> None:
        """See that a worker has a task or has answered it; see :meth:`TaskPool.check_own`."""
        self._tasks.check_own(task_id, worker)

    def decline(self, task_id: str, worker: str) -> None:
        """Give a task to the others for good; see :meth:`TaskPool.decline`."""
        self._tasks.decline(task_id, worker)

    def release(self, task_id: str, worker: str) -> None:
        """Hand a task back for now; see :meth:`TaskPool.release`."""
        self._tasks.release(task_id, worker)

    def aside(self, worker: str, job_name: str) -> Sequence[AsideTask]:
        """List the tasks of a job that a worker has put aside, the first of them first."""
        key = self._jobs.get(job_name).key
        found = self._records.tasks.aside(key, worker)
        return [AsideTask(task, self._records.objects.line(key, task.number)) for task in found]

    def seconds_a_task(self, worker: str, job_name: str) -> float | None:
        """Tell how long a task of a job takes a worker: the median of the last ones; nothing after fewer than three."""
        last = self._records.tasks.last_submitted(self._jobs.get(job_name).key, worker, _LAST)
        if len(last) < _FEWEST:
            return None
        return statistics.median(seconds_between(accepted, ended) for accepted, ended in last)

    def own_answers(
        self, worker: str, limit: int, before: tuple[str, str] | None = None, job_name: str | None = None
    ) -> Sequence[OwnAnswer]:
        """Read a worker's answers with what became of them; see :meth:`TaskRecords.own_answers`."""
        key = None if job_name is None else self._jobs.get(job_name).key
        return self._records.tasks.own_answers(worker, limit, before, key)

    def _open_job(self, name: str, worker: str) -> OpenJob:
        task = self._jobs.get(name).request["HumanTaskConfig"]
        counts = self._counts.objects(self._jobs.get(name).key)
        waiting = sum(counts.get(state, 0) for state in ("waiting", "preparing", "open"))
        available, aside = self._tasks.count_left(worker, name)
        return OpenJob(
            name=name,
            title=task["TaskTitle"],
            description=task["TaskDescription"],
            objects=sum(counts.values()),
            done=sum(counts.values()) - waiting,
            available=available,
            submitted=self._tasks.submitted(worker, name),
            aside=aside,
        )
