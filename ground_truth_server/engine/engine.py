"""The job engine: plays Ground Truth for any custom labeling job, over S3, functions and workers.

Every call is safe from several threads. What a call changed is on disk when it returns; an engine opened on
the same workspace later goes on from there.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ground_truth_server.arns import ACCOUNT, REGION, labeling_job_arn
from ground_truth_server.engine.counting import JobCounts
from ground_truth_server.engine.desk import WorkersDesk
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
from ground_truth_server.engine.ledger import Ledger
from ground_truth_server.engine.outputs import QuickPut
from ground_truth_server.engine.request_files import read_request_files
from ground_truth_server.engine.retrying import Waiting
from ground_truth_server.engine.sealing import Sealing
from ground_truth_server.engine.surroundings import Surroundings
from ground_truth_server.engine.tasks import TaskPool
from ground_truth_server.records.database import Database
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase, naming_database
from ground_truth_server.timestamps import from_text, now, to_text
from ground_truth_server.workspace_lock import lock_folder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Engine:
    """Runs labeling jobs: creates, describes and stops them.

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
        quick_put: Puts small outputs at less cost than a request, where there is such a way.

    Attributes:
        records: Where all is kept.
        desk: What workers ask for.
        ledger: What owners read.
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
        quick_put: QuickPut | None = None,
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
            self.records, s3_client, invoke, self._changes, self._tasks, clock, concurrency, tick, quick_put
        )
        self._expiry = Expiry(self.records, self._jobs, self._tasks, clock, tick)
        self._sealing = Sealing(self.records, 2 * tick)
        self._counts = JobCounts(self.records)
        self.desk = WorkersDesk(self.records, self._jobs, self._tasks, self._counts)
        self.ledger = Ledger(self.records, self._jobs, self._counts)
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
        counts = self.records.objects.count(key) if exactly else self._counts.objects(key)
        labeled, failed = counts.get("labeled", 0), counts.get("failed", 0)
        return {
            "TotalLabeled": labeled,
            "HumanLabeled": labeled,
            "MachineLabeled": 0,
            "FailedNonRetryableError": failed,
            "Unlabeled": sum(counts.values()) - labeled - failed,
        }
