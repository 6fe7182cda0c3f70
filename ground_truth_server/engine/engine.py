"""The job engine: plays Ground Truth for any custom labeling job, over S3, functions and workers.

Every call is safe from several threads. What a call changed is on disk when it returns; an engine opened on
the same workspace later goes on from there.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ground_truth_server.arns import ACCOUNT, REGION, labeling_job_arn
from ground_truth_server.engine.counting import Counting
from ground_truth_server.engine.events import Listener, StateChanges, state_change
from ground_truth_server.engine.expiry import Expiry
from ground_truth_server.engine.invoke import Invoke
from ground_truth_server.engine.job_runs import JobRuns
from ground_truth_server.engine.labeling_job import (
    ENDED,
    JobTable,
    LabelingJob,
    LabelingJobNotFound,
    LabelingJobRefused,
)
from ground_truth_server.engine.request_files import read_request_files
from ground_truth_server.engine.retrying import Waiting
from ground_truth_server.engine.sealing import Sealing
from ground_truth_server.engine.surroundings import Surroundings
from ground_truth_server.engine.tasks import Task, TaskPool
from ground_truth_server.records.data_objects import DataObject
from ground_truth_server.records.database import Database
from ground_truth_server.records.event_log import Event
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase, naming_database
from ground_truth_server.records.tasks import Answer, TaskRecord
from ground_truth_server.timestamps import from_text, now, to_text
from ground_truth_server.workspace_lock import lock_folder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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


@dataclass(frozen=True)
class ObjectView:
    """A data object with all that happened to it, for the job's owner.

    Attributes:
        data_object: The object: its line, task input, label, problem.
        answers: What workers submitted.
        tasks: Every task of it: worker, state, when accepted and ended.
    """

    data_object: DataObject
    answers: Sequence[Answer]
    tasks: Sequence[TaskRecord]


class Engine:
    """Runs labeling jobs.

    Args:
        workspace: The folder of the engine's lock, and of its database if none is given; made if it is missing.
        s3_client: Reads and writes the jobs' files.
        invoke: Calls the jobs' functions.
        clock: Tells the time, with its zone.
        database: Where all is kept; a file of SQLite in the workspace if not given. Closed with the engine.
        region: The region in the ARNs of jobs that are created without one.
        account: The account in the ARNs of jobs that are created without one.
        look_at_template: Tells why a worker page's template can't be used, and what its owner should know of it.
        listeners: Get each state change as the event that reaches EventBridge.
        concurrency: How many pre-annotation calls are made at a time, for each job.
        tick: Seconds between looks at the clock for what has run out.

    Attributes:
        records: Where all is kept.
        leaving: Whether it is about to close, so that nobody need wait for what happens next.

    Raises:
        RuntimeError: If another engine works in this folder, or its database can't be opened.

    Jobs are known by a key: their name, and for one whose name a job of another account or region has already,
    ``NAME@ACCOUNT.REGION``. Where a method takes a job's ``name``, it is this key.

    Example:
        >>> engine = Engine(Path("build/workspace"), s3, invoke)  # doctest: +SKIP
        >>> engine.resume()  # doctest: +SKIP
        >>> engine.create(request)  # doctest: +SKIP
        'arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds-1'
    """

    def __init__(  # noqa: PLR0913  (each has a default but the three that matter)
        self,
        workspace: Path,
        s3_client: "S3Client",
        invoke: Invoke,
        clock: Callable[[], datetime] = now,
        *,
        database: Database | None = None,
        region: str = REGION,
        account: str = ACCOUNT,
        look_at_template: Callable[[str], tuple[str, Sequence[str]]] = lambda _: ("", ()),
        listeners: Sequence[Listener] = (),
        concurrency: int = 8,
        tick: float = 0.5,
    ) -> None:
        self._path = workspace / "ground-truth.sqlite"
        with naming_database(self._path):
            workspace.mkdir(parents=True, exist_ok=True)
            self._workspace_lock = lock_folder(workspace)
        try:
            self.records = Records(database or SqliteDatabase(self._path))
        except BaseException:
            self._workspace_lock.close()
            raise
        self._s3 = s3_client
        self._clock = clock
        self._region = region
        self._account = account
        self._look_at = look_at_template
        self._jobs = JobTable(self.records)
        self._tasks = TaskPool(self.records, self._jobs, clock)
        self._changes = StateChanges(self.records, listeners)
        self._around = Surroundings(
            self.records, s3_client, invoke, self._changes, self._tasks, clock, concurrency, tick
        )
        self._expiry = Expiry(self.records, self._jobs, self._tasks, clock, tick)
        self._sealing = Sealing(self.records, 2 * tick)
        self._counted: Counting[dict[str, int]] = Counting(
            self.records.objects.count, lambda found: sum(found.values())
        )
        self._by_worker = Counting(self.records.tasks.by_worker, lambda found: sum(count for _, _, count in found))
        self.leaving = False
        self._runs = JobRuns(self._around, self._jobs)

    def create(
        self,
        request: Mapping[str, Any],
        region: str | None = None,
        account: str | None = None,
        remarks: Sequence[str] = (),
        owner: str | None = None,
    ) -> str:
        """Create a labeling job and start it.

        Args:
            request: A CreateLabelingJob request that is valid by SageMaker's model.
            region: The region in its ARN; the engine's if not given.
            account: The account in its ARN; the engine's if not given.
            remarks: What its owner should know; the first lines of its log.
            owner: Who creates it: a person's id or an access key, if somebody had to say.

        Returns:
            Its ARN.

        Raises:
            LabelingJobRefused: If the account has the name in this region already, the manifest, template or
                category file can't be read, or the output can't be written.
        """
        name = request["LabelingJobName"]
        arn = labeling_job_arn(name, region or self._region, account or self._account)
        job = LabelingJob.from_request(request, arn, self._jobs.key_for(name, arn), owner)
        files = read_request_files(self._s3, job)
        problem, further = self._look_at(files.template)
        if problem:
            raise LabelingJobRefused("ValidationException", f"UiTemplateS3Uri: {job.template}: {problem}")
        at = to_text(self._clock())
        with self.records.transaction():
            self._jobs.add(job, files.template, files.categories, at)
            self._changes.record(state_change(job.arn, "Initializing", at))
            self.records.log.write(job.key, at, "state", f"Initializing: {job.manifest}")
            self.records.audit.write(None, "labeling-job.created", job.arn, {"manifest": str(job.manifest)}, at=at)
            for remark in (*remarks, *further):
                self.records.log.write(job.key, at, "remark", remark)
        self._runs.start(job)
        return job.arn

    def find(self, name: str, region: str | None = None, account: str | None = None) -> str:
        """Find the key of a job by its name in a region and account; the engine's if not given.

        Raises:
            LabelingJobNotFound: If there is no such job there.
        """
        region, account = region or self._region, account or self._account
        try:
            return self._jobs.key_of(labeling_job_arn(name, region, account))
        except LabelingJobNotFound:
            raise LabelingJobNotFound(
                f"There is no labeling job named {name} in {region}, account {account}."
            ) from None

    def new_key(self, name: str, region: str, account: str) -> str:
        """Tell the key that a job of a name would get in a region and account."""
        return self._jobs.key_for(name, labeling_job_arn(name, region, account))

    def owner(self, name: str) -> str | None:
        """Tell who created a job, if somebody had to say."""
        return self._jobs.get(name).owner

    def waiting(self, name: str) -> Waiting | None:
        """Tell why a job waits to try a step again, and until when; ``None`` if nothing is wrong."""
        return self._runs.waiting(self._jobs.get(name).key)

    def describe(self, name: str) -> dict[str, Any]:
        """Tell what DescribeLabelingJob answers, and the job's ``Key``; ``Tags`` are those of the request.

        Raises:
            LabelingJobNotFound: If there is no such job.
        """
        job = self._jobs.get(name)
        state = self._jobs.state(name)
        answer: dict[str, Any] = {
            "Key": job.key,
            "LabelingJobStatus": state.status,
            "LabelCounters": self._label_counters(job.key, exactly=state.status in ENDED),
            "CreationTime": from_text(state.created),
            "LastModifiedTime": from_text(state.modified),
            "JobReferenceCode": hashlib.sha256(job.arn.encode()).hexdigest()[:16],
            "LabelingJobArn": job.arn,
            **job.request,
        }
        if state.failure_reason:
            answer["FailureReason"] = state.failure_reason
        if state.status in ("Completed", "Stopped"):
            answer["LabelingJobOutput"] = {"OutputDatasetS3Uri": str(job.output_manifest)}
        return answer

    def list(self) -> Sequence[dict[str, Any]]:
        """Describe all jobs, the oldest first."""
        return [self.describe(key) for key in self._jobs.list_keys()]

    def stop(self, name: str) -> None:
        """Stop a job: workers get no more tasks, and the answers that are there become labels.

        Raises:
            LabelingJobNotFound: If there is no such job.
            LabelingJobRefused: If it has ended or is stopping already.
        """
        job = self._jobs.get(name)
        with self.records.transaction():
            status = self.records.jobs.status_to_change(job.key)
            if status not in ("Initializing", "InProgress"):
                message = f"The labeling job {job.name} is {status}; only a job in progress can be stopped."
                raise LabelingJobRefused("ValidationException", message)
            at = to_text(self._clock())
            self.records.jobs.set_status(job.key, "Stopping", at)
            self._changes.record(state_change(job.arn, "Stopping", at))
            self.records.log.write(job.key, at, "state", "Stopping: by request")
            self.records.audit.write(None, "labeling-job.stopping", job.arn, at=at)
        self._runs.try_now(job.key)

    def resume(self) -> None:
        """Go on with every job that has not ended and that no other process has in hand, now and from now on.

        Raises:
            RecordsUnusable: If the database can't be read.
        """
        with self.records.database.naming():
            self._runs.begin()

    def check_database(self) -> None:
        """Read from the database, whatever comes; what it raises says that it can't be used now."""
        self.records.jobs.has("")

    def leave(self) -> None:
        """Leave every job after the step at hand, without waiting: functions may be ended from now on."""
        self.leaving = True
        self._runs.leave()

    def close(self, patience: float = 60) -> None:
        """Leave every job where it is and close the workspace.

        Args:
            patience: How many seconds to wait for a step at hand, such as a function's call. One that takes
                longer comes to nothing and is done again next time.
        """
        self.leave()
        end = time.monotonic() + patience
        self._runs.close(patience)
        self._expiry.close()
        self._changes.close(max(0.0, end - time.monotonic()))
        self._sealing.close()
        self.records.database.close()
        self._workspace_lock.close()

    # -- workers

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
        counts = self._counted(self._jobs.get(name).key)
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

    # -- the owner's console

    def job(self, name: str) -> LabelingJob:
        """Find a job as its request describes it.

        Raises:
            LabelingJobNotFound: If there is no such job.
        """
        return self._jobs.get(name)

    def template(self, name: str) -> str:
        """Give the text of a job's worker page template."""
        return self._jobs.template(name)

    def progress(self, name: str) -> dict[str, int]:
        """Count a job's data objects by state; of large jobs, as it was up to two seconds ago."""
        return self._counted(self._jobs.get(name).key)

    def workers(self, name: str) -> Sequence[dict[str, Any]]:
        """Tell for each worker of a job how many tasks are in each state; see :meth:`progress`."""
        found: dict[str, dict[str, Any]] = {}
        for worker, state, count in self._by_worker(self._jobs.get(name).key):
            found.setdefault(worker, {"worker": worker})[state] = count
        return list(found.values())

    def data_objects(
        self, name: str, start: int = 0, limit: int = 100, states: Collection[str] = ()
    ) -> Sequence[DataObject]:
        """Read a job's data objects in the manifest's order, beginning at a number; only those in some states."""
        key = self._jobs.get(name).key
        if states:
            return self.records.objects.page_in(key, states, start, limit)
        return self.records.objects.page(key, start, limit)

    def data_objects_that_differ(self, name: str, start: int = 0, limit: int = 100) -> Sequence[DataObject]:
        """Read a job's data objects whose answers aren't all the same, in the manifest's order."""
        return self.records.objects.page_that_differs(self._jobs.get(name).key, start, limit)

    def answers_to(self, name: str, objects: Sequence[DataObject]) -> Mapping[str, Sequence[dict[str, Any]]]:
        """Read what workers answered for some data objects, by the objects' ids."""
        found = self.records.tasks.answers_to(self._jobs.get(name).key, [int(one.object_id) for one in objects])
        return {str(number): answers for number, answers in found.items()}

    def data_object(self, name: str, object_id: str) -> ObjectView:
        """Tell all that happened to a data object.

        Raises:
            LookupError: If there is no such object.
        """
        # Digits of other scripts, and more of them than a database counts, name no object.
        named = object_id.isascii() and object_id.isdigit() and len(object_id) <= 18
        key = self._jobs.get(name).key
        found = self.records.objects.find(key, int(object_id)) if named else None
        if found is None:
            raise LookupError(f"The labeling job {name} has no data object {object_id[:40]}.")
        number = int(object_id)
        tasks = self.records.tasks
        return ObjectView(found, tasks.answers(key, number), tasks.of_object(key, number))

    def events(self, name: str | None = None, after: int = 0, limit: int = 1000) -> Sequence[Event]:
        """Read the event log after a sequence number."""
        return self.records.log.read(name and self._jobs.get(name).key, after, limit)

    def last_events(self, name: str, limit: int) -> Sequence[Event]:
        """Read a job's last events, the newest first."""
        return self.records.log.last(self._jobs.get(name).key, limit)

    def last_failure(self, name: str) -> Event | None:
        """Read of the last call of one of a job's functions that failed."""
        found = self.records.log.last_failures(self._jobs.get(name).key, 1)
        return found[0] if found else None

    def events_of(self, name: str, found: DataObject, limit: int = 1000) -> Sequence[Event]:
        """Read what happened to a data object, the newest first.

        A failed call of the pre-annotation function names its object by the line; of those the last thousand are
        looked at.
        """
        key, log = self._jobs.get(name).key, self.records.log
        calls = [event for event in log.last_failures(key, limit) if _was_called_with(event, found)]
        events = [*log.of_object(key, int(found.object_id), limit), *calls]
        return sorted(events, key=lambda event: event.sequence, reverse=True)

    def note(self, entries: Sequence[tuple[str, str, str]]) -> None:
        """Write what happened outside of the engine into the log: the labeling job's ARN, kind and message of each.

        Those of jobs that aren't there are left out.
        """
        at = to_text(self._clock())
        keys = {job.arn: job.key for job in map(self._jobs.get, self._jobs.list_keys())}
        with self.records.transaction():
            for arn, kind, message in entries:
                if arn in keys:
                    self.records.log.write(keys[arn], at, kind, message)

    def _label_counters(self, key: str, *, exactly: bool) -> dict[str, int]:
        counts = self.records.objects.count(key) if exactly else self._counted(key)
        labeled, failed = counts.get("labeled", 0), counts.get("failed", 0)
        return {
            "TotalLabeled": labeled,
            "HumanLabeled": labeled,
            "MachineLabeled": 0,
            "FailedNonRetryableError": failed,
            "Unlabeled": sum(counts.values()) - labeled - failed,
        }


def _was_called_with(event: Event, found: DataObject) -> bool:
    """Tell whether an event is of a call of the pre-annotation function for a data object."""
    called_with = (event.detail or {}).get("event")
    return (
        event.object_id is None
        and isinstance(called_with, dict)
        and called_with.get("dataObject") == found.data_object is not None
    )
