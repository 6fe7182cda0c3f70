"""The run of one labeling job, from its manifest to its labels, in a thread of its own.

The run keeps nothing in memory that matters: it looks at the store, does the next step, and writes it there.
Cut off anywhere and run again, it goes on with the step that was not done.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from ground_truth_server.engine.consolidation import ConsolidationStep
from ground_truth_server.engine.data_objects import ObjectTable
from ground_truth_server.engine.events import state_change
from ground_truth_server.engine.invoke import FunctionFailed, UnreadableAnswer
from ground_truth_server.engine.labeling_job import JobTable, LabelingJob
from ground_truth_server.engine.manifest import ManifestLine, read_manifest
from ground_truth_server.engine.outputs import Outputs, manifest_line
from ground_truth_server.engine.preparation import Preparation
from ground_truth_server.engine.surroundings import Surroundings
from ground_truth_server.engine.timestamps import to_text

if TYPE_CHECKING:
    pass

_log = logging.getLogger(__name__)
_LINES_A_TRANSACTION = 500
_SHORTEST_PAUSE = 0.02  # seconds; answers come in bursts, and each would wake the run
_TICKS_WITHOUT_S3 = 10  # between tries; botocore has paused between its own before
_INTERMEDIATE_MANIFESTS = 20  # in a job; each holds every line


class JobRun:
    """Runs a labeling job until it has ended or the engine closes.

    Args:
        around: What it works with.
        jobs: The labeling jobs.
        job: The one to run.
    """

    def __init__(self, around: Surroundings, jobs: JobTable, job: LabelingJob) -> None:
        self._around = around
        self._store = around.store
        self._jobs = jobs
        self._job = job
        self._objects = ObjectTable(around.store)
        self._outputs = Outputs(around.s3, job)
        self._preparation = Preparation(around, job)
        self._consolidation = ConsolidationStep(around, job, jobs.categories(job.name), self._outputs)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"labeling-job-{job.name}", daemon=True)

    def start(self) -> None:
        """Begin, or go on where the job was left."""
        self._thread.start()

    def leave(self) -> None:
        """Leave the job where it is after the step at hand; what fails from now on is done again next time."""
        self._closing.set()

    def close(self, patience: float) -> None:
        """Leave the job where it is, waiting up to so many seconds for the step at hand."""
        self.leave()
        self._thread.join(patience)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            if self._closing.is_set():
                _log.info("%s was left: %s", self._job.name, error)
            elif isinstance(error, FunctionFailed):
                self._fail_for_function(error)
            elif isinstance(error, ClientError):
                self._fail(f"ClientError: {error}")
            else:
                _log.exception("%s failed", self._job.name)
                self._fail(f"InternalServerError: {type(error).__name__}: {error}")

    def _work(self) -> None:
        """Do all steps; where S3 is out of reach for a while, wait and go on with the step that failed."""
        while not self._closing.is_set():
            try:
                self._do_steps()
            except (BotoCoreError, ClientError) as error:
                if not _may_pass(error):
                    raise
                with self._store.transaction() as database:
                    self._tell(database, "waiting for S3", f"S3 can't be reached, trying again: {error}")
                self._closing.wait(_TICKS_WITHOUT_S3 * self._around.tick)
            else:
                return

    def _do_steps(self) -> None:
        if not self._jobs.manifest_is_read(self._job.name) and not self._read_manifest():
            return
        if self._status() == "Initializing" and not self._begin():
            return
        while not self._closing.is_set():
            if self._status() == "Stopping":
                self._finish("Stopped")
                return
            if not self._objects.any_in(self._job, "preparing", "open", "answered"):
                self._write_intermediate_manifests()
                if not self._start_wave():
                    return
            self._preparation.run(self._is_over)
            if self._workers_are_done():
                self._write_worker_responses()
                self._consolidation.run()

    def _is_over(self) -> bool:
        return self._closing.is_set() or self._status() != "InProgress"

    def _status(self) -> str:
        return self._jobs.state(self._job.name).status

    # -- the manifest

    def _read_manifest(self) -> bool:
        """Read the manifest from its start, whatever was read before; ``False`` if the engine closes."""
        with self._store.transaction() as database:
            self._objects.forget(database, self._job)
        lines = read_manifest(self._around.s3, self._job.manifest)
        while some := list(islice(lines, _LINES_A_TRANSACTION)):
            if self._closing.is_set():
                return False
            self._add_lines(some, [line for line in some if line.problem])
        with self._store.transaction() as database:
            database.execute("UPDATE jobs SET manifest_read = 1 WHERE name = ?", (self._job.name,))
        return True

    def _begin(self) -> bool:
        """Let the job be in progress; where no line can be labeled, let it fail."""
        counts = self._objects.count(self._job.name)
        manifest, good, bad = self._job.manifest, counts.get("waiting", 0), counts.get("failed", 0)
        if good:
            self._set_status("InProgress", f"{good} data objects to label, {bad} bad lines in {manifest}")
            return True
        first = self._objects.get(self._job.name, 0)
        problem = first.problem if first else "it has no lines"
        self._fail(f"ClientError: The manifest {manifest} has no line that can be labeled: {problem}")
        return False

    def _add_lines(self, lines: list[ManifestLine], problems: list[ManifestLine]) -> None:
        at = self._now()
        with self._store.transaction() as database:
            self._objects.add(database, self._job, lines, at)
            for line in problems:
                message = f"Line {line.number} of {self._job.manifest}: {line.problem}"
                self._tell(database, "failed", message, number=line.number - 1)

    # -- waves

    def _start_wave(self) -> bool:
        """Send the next objects out; where there are none, or enough are labeled, finish the job."""
        size = self._wave_size()
        if size <= 0:
            self._set_status("Stopping", "a stopping condition is met")
            self._finish("Stopped")
            return False
        with self._store.transaction() as database:
            wave, objects = self._objects.start_wave(database, self._job, size)
            if objects:
                self._tell(database, "wave", f"Wave {wave}: {objects} data objects go out")
        if not objects:
            self._finish("Completed")
        return objects > 0

    def _wave_size(self) -> int:
        job, size = self._job, self._job.concurrent_objects
        if job.most_labeled is None and job.most_percent is None:
            return size
        counts = self._objects.count(job.name)
        labeled = counts.get("labeled", 0)
        if not counts.get("waiting"):
            return size
        if job.most_labeled is not None:
            size = min(size, job.most_labeled - labeled)
        if job.most_percent is not None:
            size = min(size, -(-sum(counts.values()) * job.most_percent // 100) - labeled)
        return size

    # -- workers

    def _workers_are_done(self) -> bool:
        """Wait until no object is with the workers; ``False`` if the job stops or the engine closes."""
        while not self._is_over():
            changes = self._store.changes
            self._close_due()
            self._write_worker_responses()
            if not self._objects.any_in(self._job, "preparing", "open"):
                return True
            self._closing.wait(_SHORTEST_PAUSE)
            self._store.wait_for_change(changes, self._around.tick)
        return False

    def _close_due(self) -> None:
        at, job = self._now(), self._job
        query = (
            "SELECT 1 FROM tasks WHERE job = ?1 AND state = 'accepted' AND expires <= ?2"
            " UNION ALL SELECT 1 FROM data_objects WHERE job = ?1 AND state = 'open' AND closes <= ?2 LIMIT 1"
        )
        if self._store.row(query, job.name, at) is None:
            return  # nothing to write
        with self._store.transaction() as database:
            self._around.tasks.expire(database, job, at)
            closed, failed = self._objects.close_due(database, job, at)
            for number in failed:
                message = f"Object {number} failed: nobody answered it within {job.availability} s"
                self._tell(database, "failed", message, number=number)
            if closed:
                self._tell(database, "closed", f"{closed} objects go on with the answers they have")

    def _write_worker_responses(self) -> None:
        while some := self._objects.without_response(self._job):
            written = []
            for number, wave in some:
                answers = self._objects.answers(self._job.name, number)
                uri = self._outputs.write_worker_response(wave, number, answers)
                written.append((uri.key, self._job.name, number))
            with self._store.transaction() as database:
                database.executemany("UPDATE data_objects SET response = ? WHERE job = ? AND number = ?", written)

    # -- labels

    def _write_intermediate_manifests(self) -> None:
        """Write how far the labels are after a wave, unless little has changed since the last time."""
        counts = self._objects.count(self._job.name)
        done = counts.get("labeled", 0) + counts.get("failed", 0)
        row = self._store.row("SELECT in_manifests FROM jobs WHERE name = ?", self._job.name)
        before = row["in_manifests"] if row else -1
        enough = max(1, sum(counts.values()) // _INTERMEDIATE_MANIFESTS)
        if done == before or (before >= 0 and counts.get("waiting") and done - before < enough):
            return
        latest = self._store.row("SELECT max(wave) AS wave FROM data_objects WHERE job = ?", self._job.name)
        if latest is None or latest["wave"] is None:
            return
        self._outputs.write_intermediate_manifests(latest["wave"], self._lines())
        with self._store.transaction() as database:
            database.execute("UPDATE jobs SET in_manifests = ? WHERE name = ?", (done, self._job.name))

    def _lines(self) -> Iterator[str]:
        return (manifest_line(self._job, row) for row in self._objects.manifest_rows(self._job.name))

    # -- the end

    def _finish(self, status: str) -> None:
        if status == "Stopped":
            with self._store.transaction() as database:
                self._around.tasks.withdraw(database, self._job, self._now())
                self._objects.close_all(database, self._job)
            self._write_worker_responses()
            self._consolidation.run()
            self._write_intermediate_manifests()
        manifest = self._outputs.write_output_manifest(self._lines())
        self._set_status(status, f"The labels are in {manifest}")

    def _fail_for_function(self, failure: FunctionFailed) -> None:
        detail = {
            "functionArn": failure.function_arn,
            "errorType": failure.error_type,
            "message": failure.message,
            "trace": failure.trace,
            "event": failure.event,
        }
        with self._store.transaction() as database:
            message = f"{failure.function_arn} failed: {failure.error_type}: {failure.message}"
            self._tell(database, "function failed", message, detail=detail)
        self._fail(_failure_reason(failure, self._job.role_arn))

    def _fail(self, reason: str) -> None:
        try:
            self._write_worker_responses_of_all()
        except Exception:
            _log.exception("the worker responses of %s could not be written", self._job.name)
        self._set_status("Failed", reason, reason)

    def _write_worker_responses_of_all(self) -> None:
        """Write the answers that came before the job failed, also those of objects that wait for more."""
        with self._store.transaction() as database:
            self._around.tasks.withdraw(database, self._job, self._now())
            self._objects.close_all(database, self._job)
        self._write_worker_responses()

    def _set_status(self, status: str, message: str, reason: str | None = None) -> None:
        with self._store.transaction() as database:
            stopping = self._status() == "Stopping"
            if stopping and status == "InProgress":
                return  # somebody stopped it while its manifest was read
            if stopping and status == "Completed":
                status = "Stopped"
            at = self._now()
            self._jobs.set_status(database, self._job.name, status, at, reason)
            self._around.changes.record(database, state_change(self._job.arn, status, at))
            self._tell(database, "state", f"{status}: {message}")

    def _tell(
        self,
        database: sqlite3.Connection,
        kind: str,
        message: str,
        *,
        number: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        log, at = self._around.log, self._now()
        log.write(database, self._job.name, at, kind, message, number=number, detail=detail)

    def _now(self) -> str:
        return to_text(self._around.clock())


def _may_pass(error: BotoCoreError | ClientError) -> bool:
    """Tell a fault of S3 that passes, which botocore has tried several times, from one that stays."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response["Error"].get("Code") in ("SlowDown", "RequestTimeout")
    return isinstance(error, HTTPClientError | BotoConnectionError)


def _failure_reason(failure: FunctionFailed, role_arn: str) -> str:
    """Say why a job failed in the words of the real service."""
    if isinstance(failure, UnreadableAnswer):
        return (
            f"ClientError: The JSON output from the {failure.role} function could not be read. Check the"
            " output of the Lambda function and try your request again."
            f" {failure.function_arn}: {failure.message}"
        )
    return (
        f"ClientError: Exception invoking the Lambda function {failure.function_arn}. LambdaErrorCode:"
        f" {failure.error_code}. Ensure the Lambda function exists, that the role {role_arn} has permissions"
        " to invoke it and try your request again."
    )
