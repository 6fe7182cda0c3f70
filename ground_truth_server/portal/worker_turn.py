"""What a worker gets who asks a labeling job for the next task: a task, or why there is none."""

from dataclasses import dataclass
from typing import Literal

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.tasks import Task

State = Literal["task", "preparing", "waiting", "finished", "completed", "stopped", "failed"]


@dataclass(frozen=True)
class WorkerTurn:
    """A worker's turn in a labeling job.

    Attributes:
        state: ``task``: here is one. ``preparing``: objects are on their way. ``waiting``: what is left is with
            other workers, or this worker has had it. ``finished``: every object has its answers.
            ``completed``, ``stopped``, ``failed``: the job has ended.
        task: The task.
        open: How many objects other workers still answer.
    """

    state: State
    task: Task | None = None
    open: int = 0

    @property
    def may_change(self) -> bool:
        """Whether it is worth asking again by and by."""
        return self.state in ("preparing", "waiting")


def next_turn(engine: Engine, worker: str, job_name: str) -> WorkerTurn:
    """Give a worker the next task of a job, or tell why there is none.

    Raises:
        LabelingJobNotFound: If there is no such job.
    """
    task = engine.desk.next_task(worker, job_name)
    if task is not None:
        return WorkerTurn("task", task)
    status = engine.describe(job_name)["LabelingJobStatus"]
    if status == "InProgress":
        return _without_task(engine.ledger.progress(job_name))
    states: dict[str, State] = {"Initializing": "preparing", "Completed": "completed", "Failed": "failed"}
    return WorkerTurn(states.get(status, "stopped"))


@dataclass(frozen=True)
class Answers:
    """How far the work on a job is, which shows before the first object has all of its answers.

    Attributes:
        given: How many answers workers submitted.
        needed: How many there will be, as far as is known.
    """

    given: int
    needed: int


def answers_of(engine: Engine, job_name: str) -> Answers:
    """Count the answers of a job."""
    given = sum(worker.get("submitted", 0) for worker in engine.ledger.workers(job_name))
    objects = engine.ledger.progress(job_name)
    labeled = sum(objects.values()) - objects.get("failed", 0) - objects.get("not required", 0)
    return Answers(given, max(given, labeled * engine.ledger.job(job_name).workers_per_object))


def _without_task(objects: dict[str, int]) -> WorkerTurn:
    if objects.get("open"):
        return WorkerTurn("waiting", open=objects["open"])
    if objects.get("waiting") or objects.get("preparing"):
        return WorkerTurn("preparing")
    return WorkerTurn("finished")
