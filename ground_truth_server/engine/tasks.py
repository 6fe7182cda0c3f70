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
from ground_truth_server.json_text import UnfitJson, read_kept, write_answer
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


class TooManyAside(TaskRefused):
    """A worker has put as many tasks aside as there may be."""


MOST_ASIDE = 20
"""How many tasks of a labeling job a worker may put aside: others wait for their objects."""
LONGEST_REMARK = 2_000
"""Characters of a remark."""


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


@dataclass(frozen=True)
class OwnItem:
    """A task that a worker has or has answered, to look at, or to correct the answer.

    Attributes:
        task: The task.
        content: The newest version of the answer; ``None`` while there is none.
        remark: Why, in the worker's words.
        version: The answer's version, from 1.
        correctable: Whether the answer can be corrected now.
    """

    task: Task
    content: dict[str, Any] | None
    remark: str
    version: int
    correctable: bool


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

    def count_left(self, worker: str, job_name: str) -> tuple[int, int]:
        """Count what is left for a worker: the data objects in hand, put aside and to take; and those put aside."""
        count = self._records.objects.count_to_take(job_name, worker, to_text(self._clock()))
        had, aside = self._records.tasks.count_had(job_name, worker)
        return count + had, aside

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

    def submit(self, task_id: str, worker: str, answer: Mapping[str, Any], remark: str = "") -> None:
        """Take a worker's answer. It is on disk when this returns; the same answer again changes nothing.

        Args:
            task_id: The task.
            worker: The worker.
            answer: The answer.
            remark: Why, in the worker's words.

        Raises:
            TaskRefused: If the task is another worker's, expired or ended, its job is not in progress, or the
                answer is unfit to be kept.
        """
        given = _fit(answer, remark)
        with self._records.transaction():
            expired = self._submit(task_id, worker, given)
        if expired:  # what was found expired stays so, although the answer is refused
            raise expired

    def correct(self, task_id: str, worker: str, answer: Mapping[str, Any], remark: str = "", version: int = 1) -> None:
        """Take a newer version of a worker's answer while no label is being made of it; the former ones are kept.

        The same version again changes nothing.

        Args:
            task_id: The task.
            worker: The worker.
            answer: The newer version; it counts from now on.
            remark: Why, in the worker's words.
            version: Which version the worker saw and corrects.

        Raises:
            TaskRefused: If the task is another worker's or wasn't submitted, the object's label is being made, another
                version came meanwhile, or the answer is unfit to be kept.
        """
        given = _fit(answer, remark)
        with self._records.transaction():
            found = self._records.tasks.find_to_change(task_id)
            task, status = found or (None, "")
            number = _of_worker(task, task_id, worker).number
            job = self._jobs.get(_of_worker(task, task_id, worker).job)
            self._records.objects.hold(job.key, number)  # no batch takes it until the end
            task = self._own(task_id, worker)
            if _Given.of(task) == given:
                return
            self._check_correctable(job, task, status)
            if task.version != version:
                raise TaskClosed(f"Your answer to object {number} was corrected meanwhile, in another tab perhaps.")
            self._correct(job, task, given)

    def put_aside(self, task_id: str, worker: str) -> None:
        """Put a task aside for later: it stays the worker's until its time ends, and the next one can be taken.

        Raises:
            TaskRefused: If it is not in this worker's hands, or too many are put aside already.
        """
        with self._records.transaction():
            task, at = self._hold_worker(task_id, worker)
            if task.aside is not None:
                return
            if self._records.tasks.count_had(task.job, worker)[1] >= MOST_ASIDE:
                raise TooManyAside(f"You have put {MOST_ASIDE} tasks of this job aside, the most. Take one up first.")
            if self._records.tasks.put_aside(task.id, at):
                self._tell(task, "put aside", f"{worker} put object {task.number} aside", at)
                self._audit(task, "put-aside", at)

    def take_up(self, task_id: str, worker: str) -> None:
        """Take up a task that was put aside; the one in hand, if any, is put aside for it.

        Raises:
            TaskRefused: If the worker doesn't have it, or not any more.
        """
        with self._records.transaction():
            task, at = self._hold_worker(task_id, worker)
            if task.aside is None:
                return
            in_hand = self._records.tasks.in_hand(task.job, worker)
            if in_hand is not None and self._records.tasks.put_aside(in_hand.id, at):
                self._tell(in_hand, "put aside", f"{worker} put object {in_hand.number} aside", at)
                self._audit(in_hand, "put-aside", at)
            if self._records.tasks.put_aside(task.id, None):
                self._tell(task, "taken up", f"{worker} took object {task.number} up again", at)
                self._audit(task, "taken-up", at)

    def find_own(self, task_id: str, worker: str) -> OwnItem:
        """Find a task that a worker has, in hand or put aside, or has answered.

        Raises:
            TaskRefused: If there is no such task of this worker's.
        """
        task = self._check_own(task_id, worker)
        job, records = self._jobs.get(task.job), self._records
        return OwnItem(
            self._task(task, job, records.objects.task_input(task.job, task.number)),
            None if task.answer is None else read_kept(task.answer),
            task.remark or "",
            task.version,
            task.state == "submitted"
            and self._jobs.state(job.key).status == "InProgress"
            and records.objects.takes_corrections(job.key, task.number),
        )

    def check_own(self, task_id: str, worker: str) -> None:
        """See that a worker has a task or has answered it; see :meth:`find_own`."""
        self._check_own(task_id, worker)

    def _check_own(self, task_id: str, worker: str) -> TaskRecord:
        task = self._own(task_id, worker)
        if task.state != "submitted":
            _check_in_hand(task, to_text(self._clock()))
        return task

    def _hold_worker(self, task_id: str, worker: str) -> tuple[TaskRecord, str]:
        """Find a task that a worker has, and keep the worker's others from changing; in a transaction."""
        task = self._own(task_id, worker)
        self._records.database.lock("worker", task.job, worker)
        task, at = self._own(task_id, worker), to_text(self._clock())
        _check_in_hand(task, at)
        return task, at

    def _check_correctable(self, job: LabelingJob, task: TaskRecord, status: str) -> None:
        if task.state != "submitted":
            raise TaskClosed(f"There is no answer of yours to object {task.number} that could be corrected.")
        if status != "InProgress" or not self._records.objects.takes_corrections(job.key, task.number):
            raise TaskClosed(
                f"Your answer to object {task.number} can't be corrected any more: its label is being made or is there."
            )

    def _correct(self, job: LabelingJob, task: TaskRecord, given: "_Given") -> None:
        records, at = self._records, max(to_text(self._clock()), task.corrected or task.ended or "")
        if not records.tasks.correct(task, given.answer, given.remark, at):
            raise TaskClosed(f"Your answer to object {task.number} was corrected meanwhile, in another tab perhaps.")
        _, different = records.tasks.count_answers(job.key, task.number)
        records.objects.note_correction(job.key, task.number, differ=different > 1)
        version = task.version + 1
        self._tell(task, "corrected", f"{task.worker} corrected object {task.number}: version {version}", at)
        self._audit(task, "corrected", at, **given.hashes, version=str(version))

    def _submit(self, task_id: str, worker: str, given: "_Given") -> TaskExpired | None:
        found = self._records.tasks.find_to_change(task_id)
        task, status = found or (None, "")
        task = _of_worker(task, task_id, worker)
        job, at = self._jobs.get(task.job), to_text(self._clock())
        if status == "InProgress" and task.state == "accepted" and task.expires <= at:
            self.expire(job, at)
            task = self._own(task_id, worker)
        self._records.objects.hold(job.key, task.number)  # who answers it too counts after this
        if task.state == "submitted" and _Given.of(task) == given:
            return None
        if status != "InProgress":
            raise TaskClosed(f"The labeling job {job.key} has ended and takes no more answers.")
        try:
            _check_in_hand(task, at)
        except TaskExpired as error:
            return error
        if not self._record(job, task, given, at):  # it ended elsewhere since it was read
            return self._submit(task_id, worker, given)
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

    def _record(self, job: LabelingJob, task: TaskRecord, given: "_Given", at: str) -> bool:
        """Keep an answer, in a transaction; tells whether the task was still in hand."""
        records = self._records
        # The clock may have been set back meanwhile.
        if not records.tasks.submit(task.id, given.answer, max(at, task.accepted), given.remark):
            return False
        answers, different = records.tasks.count_answers(job.key, task.number)
        if different > 1:
            records.objects.set_differ(job.key, task.number)
        if answers >= job.workers_per_object:
            records.objects.set_answered(job.key, task.number)
        spent = seconds_between(task.accepted, at)
        self._tell(task, "submitted", f"{task.worker} answered object {task.number} in {spent:.0f} s", at)
        self._audit(task, "submitted", at, **given.hashes)
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


@dataclass(frozen=True)
class _Given:
    """What a worker gives: the answer as it is written, and the remark, if there is one."""

    answer: str
    remark: str | None

    @classmethod
    def of(cls, task: TaskRecord) -> "_Given":
        return cls(task.answer or "", task.remark)

    @property
    def hashes(self) -> dict[str, str]:
        """What the audit keeps of it."""
        found = {"answer": hashlib.sha256(self.answer.encode()).hexdigest()}
        if self.remark is not None:
            found["remark"] = hashlib.sha256(self.remark.encode()).hexdigest()
        return found


def _fit(answer: Mapping[str, Any], remark: str) -> _Given:
    """Write what a worker gives, if it is fit to be kept."""
    words = remark.strip()
    try:
        write_answer(words)
        text = write_answer(answer)
    except UnfitJson as error:
        raise AnswerUnfit(f"The answer can't be taken: {error}. Correct it and submit it again.") from error
    if len(words) > LONGEST_REMARK:
        found = f"the remark has {len(words):,} characters, at most {LONGEST_REMARK:,} are taken"
        raise AnswerUnfit(f"The answer can't be taken: {found}. Correct it and submit it again.")
    return _Given(text, words or None)


def _of_worker(task: TaskRecord | None, task_id: str, worker: str) -> TaskRecord:
    if task is None or task.worker != worker:
        raise NotYourTask(f"There is no task {task_id} in your hands. Take the next task.")
    return task


def _check_in_hand(task: TaskRecord, at: str) -> None:
    if task.state == "expired" or (task.state == "accepted" and task.expires <= at):
        raise TaskExpired(f"The time for object {task.number} ran out at {task.expires} UTC. Take the next task.")
    if task.state != "accepted":
        raise TaskClosed(f"This task for object {task.number} was {task.state} before. Take the next task.")
