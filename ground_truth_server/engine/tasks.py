"""The workers' side: taking tasks of a labeling job, submitting answers, handing tasks back."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ground_truth_server.acting import SERVER
from ground_truth_server.arns import REGION
from ground_truth_server.engine.labeling_job import JobTable, LabelingJob
from ground_truth_server.json_text import UnfitJson, write_answer
from ground_truth_server.records.records import Records
from ground_truth_server.records.tasks import TaskRecord
from ground_truth_server.timestamps import from_text, later, seconds_between, to_text
from ground_truth_server.worker_ids import worker_id


class TaskRefused(Exception):
    """What a worker asked for can't be done. The text tells the worker why."""


class TaskExpired(TaskRefused):
    """The task's time ran out, or its data object is no longer available."""


class NotYourTask(TaskRefused):
    """There is no such task in this worker's hands."""


class AnswerUnfit(TaskRefused):
    """The answer is nested too deeply, too long, or holds what JSON or UTF-8 can't."""


class TaskClosed(TaskRefused):
    """The task ended before: submitted with another answer, declined, handed back, or its job ended."""


@dataclass(frozen=True)
class Task:
    """A data object in the hands of one worker.

    Attributes:
        id: Names this task; a data object taken again is a new task.
        job_name: The labeling job.
        job_arn: Its ARN.
        object_id: The data object, ``datasetObjectId``.
        task_input: What the worker page reads as ``task.input``.
        template: The worker page's template.
        time_limit: Seconds that the worker has from ``accepted`` on.
        accepted: When the worker took it.
        expires: When it goes back to the others.
    """

    id: str
    job_name: str
    job_arn: str
    object_id: str
    task_input: dict[str, Any]
    template: str
    time_limit: int
    accepted: datetime
    expires: datetime


class TaskPool:
    """Hands out the tasks of labeling jobs in progress; every change is on disk when the call returns.

    Where several transactions are in hand at once, each locks in one order, so that no two wait for each other: what
    takes tasks back from many first, then objects by their numbers, then their tasks.

    Args:
        records: What must survive.
        jobs: The labeling jobs.
        clock: Tells the time.
    """

    def __init__(self, records: Records, jobs: JobTable, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._jobs = jobs
        self._clock = clock
        self._came_for_nothing: set[tuple[str, str]] = set()  # jobs' keys and workers, the last time

    def available(self, worker: str, job_name: str) -> int:
        """Count the data objects that a worker could take now, the one in hand included."""
        count = self._records.objects.count_to_take(job_name, worker, to_text(self._clock()))
        return count + (self._records.tasks.in_hand(job_name, worker) is not None)

    def submitted(self, worker: str, job_name: str) -> int:
        """Count the answers that a worker gave."""
        return self._records.tasks.count_submitted(job_name, worker)

    def next(self, worker: str, job_name: str) -> Task | None:
        """Give a worker the task in hand, or else take the next data object that this worker has not had.

        Returns:
            The task; ``None`` if there is nothing for this worker now.

        Raises:
            LabelingJobNotFound: If there is no such job.
        """
        job = self._jobs.get(job_name)
        # Who came for nothing asks again and again: that must not wait for those who write, nor keep them waiting.
        if (job.key, worker) in self._came_for_nothing and not self._may_have_any(worker, job):
            return None
        task = self._next(worker, job)
        if task is None:
            self._came_for_nothing.add((job.key, worker))
        else:
            self._came_for_nothing.discard((job.key, worker))
        return task

    def _next(self, worker: str, job: LabelingJob) -> Task | None:
        records = self._records
        with records.transaction():
            if records.jobs.status_until_the_end(job.key) != "InProgress":
                return None
            records.database.lock("worker", job.key, worker)  # one in two tabs gets one task
            at = to_text(self._clock())
            task = records.tasks.in_hand(job.key, worker)
            if task is not None and task.expires <= at:
                self.expire(job, at)
                task = None
            if task is None:
                # What others had too long is looked for only where there is nothing else.
                return self._take(worker, job, at) or (self._take(worker, job, at) if self.expire(job, at) else None)
            task_input = records.objects.task_input(job.key, task.number)
        return self._task(task, job, task_input)

    def find(self, task_id: str, worker: str) -> Task:
        """Find a task that a worker has in hand.

        Raises:
            TaskRefused: If it is not in this worker's hands, or not any more.
        """
        task = self._own(task_id, worker)
        _check_in_hand(task, to_text(self._clock()))
        return self._task(task, self._jobs.get(task.job), self._records.objects.task_input(task.job, task.number))

    def submit(self, task_id: str, worker: str, answer: Mapping[str, Any]) -> None:
        """Take a worker's answer. It is on disk when this returns; the same answer again changes nothing.

        Raises:
            TaskRefused: If the task is another worker's, expired or ended, its job is not in progress, or the
                answer is unfit to be kept.
        """
        try:
            text = write_answer(answer)
        except UnfitJson as error:
            raise AnswerUnfit(f"The answer can't be taken: {error}. Correct it and submit it again.") from error
        with self._records.transaction():
            expired = self._submit(task_id, worker, text)
        if expired:  # what was found expired stays so, although the answer is refused
            raise expired

    def _submit(self, task_id: str, worker: str, text: str) -> TaskExpired | None:
        found = self._records.tasks.find_to_change(task_id)
        task, status = found or (None, "")
        task = _of_worker(task, task_id, worker)
        job, at = self._jobs.get(task.job), to_text(self._clock())
        if status == "InProgress" and task.state == "accepted" and task.expires <= at:
            self.expire(job, at)
            task = self._own(task_id, worker)
        self._records.objects.hold(job.key, task.number)  # who answers it too counts after this
        if task.state == "submitted" and task.answer == text:
            return None
        if status != "InProgress":
            raise TaskClosed(f"The labeling job {job.key} has ended and takes no more answers.")
        try:
            _check_in_hand(task, at)
        except TaskExpired as error:
            return error
        if not self._record(job, task, text, at):  # it ended elsewhere since it was read
            return self._submit(task_id, worker, text)
        return None

    def decline(self, task_id: str, worker: str) -> None:
        """Give a task to the others for good: this worker does not get the data object again."""
        self._hand_back(task_id, worker, "declined", "declined")

    def release(self, task_id: str, worker: str) -> None:
        """Hand a task back for now: anyone may take it, this worker too."""
        self._hand_back(task_id, worker, "released", "handed back")

    def expire(self, job: LabelingJob, at: str) -> bool:
        """Return the tasks whose time ran out to the pool, in a transaction; tells whether there were any."""
        if not self._records.tasks.in_hands(job.key, at):
            return False
        self._records.database.lock("taking back", job.key)
        for task in self._records.tasks.in_hands(job.key, at):
            if self._end(task, "expired", at):
                self._tell(task, "expired", f"The time of {task.worker} for object {task.number} ran out", at)
        return True

    def withdraw(self, job: LabelingJob, at: str) -> None:
        """Take back every task of a job that stops, in a transaction."""
        self._records.database.lock("taking back", job.key)
        for task in self._records.tasks.in_hands(job.key):
            self._end(task, "expired", at)

    def _may_have_any(self, worker: str, job: LabelingJob) -> bool:
        """Tell whether there may be a task for a worker: in hand, whose time ran out, or to take."""
        at, records = to_text(self._clock()), self._records
        with records.database.reads():
            if self._jobs.state(job.key).status != "InProgress":
                return False
            if records.tasks.in_hand(job.key, worker) or records.objects.any_due(job.key, at):
                return True
            return records.objects.any_to_take(job.key, worker, at)

    def _take(self, worker: str, job: LabelingJob, at: str) -> Task | None:
        found = self._records.objects.take(job.key, worker, at)
        if found is None:
            return None
        number, expires = found.number, min(later(at, job.time_limit), found.closes)
        task = TaskRecord(uuid.uuid4().hex, job.key, number, worker, "accepted", at, expires)
        self._records.tasks.add(task)
        self._tell(task, "accepted", f"{worker} took object {number}", at)
        self._audit(task, "accepted", at)
        return self._task(task, job, found.task_input)

    def _task(self, task: TaskRecord, job: LabelingJob, task_input: dict[str, Any] | None) -> Task:
        if task_input is None:
            raise NotYourTask(f"Object {task.number} of the labeling job {job.key} is not there any more.")
        return Task(
            id=task.id,
            job_name=job.key,
            job_arn=job.arn,
            object_id=str(task.number),
            task_input=task_input,
            template=self._jobs.template(job.key),
            time_limit=job.time_limit,
            accepted=from_text(task.accepted),
            expires=from_text(task.expires),
        )

    def _own(self, task_id: str, worker: str) -> TaskRecord:
        return _of_worker(self._records.tasks.find(task_id), task_id, worker)

    def _record(self, job: LabelingJob, task: TaskRecord, answer: str, at: str) -> bool:
        """Keep an answer, in a transaction; tells whether the task was still in hand."""
        records = self._records
        # The clock may have been set back meanwhile.
        if not records.tasks.submit(task.id, answer, max(at, task.accepted)):
            return False
        answers, different = records.tasks.count_answers(job.key, task.number)
        if different > 1:
            records.objects.set_differ(job.key, task.number)
        if answers >= job.workers_per_object:
            records.objects.set_answered(job.key, task.number)
        spent = seconds_between(task.accepted, at)
        self._tell(task, "submitted", f"{task.worker} answered object {task.number} in {spent:.0f} s", at)
        self._audit(task, "submitted", at, answer=hashlib.sha256(answer.encode()).hexdigest())
        return True

    def _hand_back(self, task_id: str, worker: str, state: str, verb: str) -> None:
        with self._records.transaction():
            task = self._own(task_id, worker)
            if task.state == state:
                return
            at = to_text(self._clock())
            _check_in_hand(task, at)
            if self._end(task, state, at):
                self._tell(task, state, f"{worker} {verb} object {task.number}", at)

    def _end(self, task: TaskRecord, state: str, at: str) -> bool:
        self._records.objects.hold(task.job, task.number)
        if not self._records.tasks.end(task.id, state, at):
            return False
        self._records.objects.give_back(task.job, task.number)
        self._audit(task, state, at)
        return True

    def _audit(self, task: TaskRecord, state: str, at: str, **detail: str) -> None:
        """Write down what became of a task; its worker goes by an id that only another table resolves."""
        worker = worker_id(task.worker, REGION)
        told = {"object": str(task.number), "task": task.id, **detail}
        by_clock = state == "expired"
        self._records.audit.write(
            SERVER if by_clock else worker,
            f"task.{state}",
            self._jobs.get(task.job).arn,
            {**told, "worker": worker} if by_clock else told,
            "" if by_clock else None,
            at=at,
        )

    def _tell(self, task: TaskRecord, kind: str, message: str, at: str) -> None:
        self._records.log.write(task.job, at, kind, message, number=task.number, worker=task.worker)


def _of_worker(task: TaskRecord | None, task_id: str, worker: str) -> TaskRecord:
    if task is None or task.worker != worker:
        raise NotYourTask(f"There is no task {task_id} in your hands. Take the next task.")
    return task


def _check_in_hand(task: TaskRecord, at: str) -> None:
    if task.state == "expired" or (task.state == "accepted" and task.expires <= at):
        raise TaskExpired(f"The time for object {task.number} ran out at {task.expires} UTC. Take the next task.")
    if task.state != "accepted":
        raise TaskClosed(f"This task for object {task.number} was {task.state} before. Take the next task.")
