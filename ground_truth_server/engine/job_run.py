"""The run of one labeling job, from its manifest to its labels, in a thread of its own.

The run keeps nothing in memory that matters: it looks at the store, does the next step, and writes it there.
Cut off anywhere and run again, it goes on with the step that was not done.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from ground_truth_server.engine.consolidation import ConsolidationStep
from ground_truth_server.engine.events import state_change
from ground_truth_server.engine.invoke import FunctionFailed, UnreadableAnswer
from ground_truth_server.engine.labeling_job import JobTable, LabelingJob
from ground_truth_server.engine.manifest import ManifestLine, read_manifest
from ground_truth_server.engine.outputs import Outputs, manifest_line
from ground_truth_server.engine.preparation import Preparation
from ground_truth_server.engine.retrying import Pauses, Waiting, is_final
from ground_truth_server.engine.surroundings import Surroundings
from ground_truth_server.records.data_objects import NewObject
from ground_truth_server.timestamps import later, to_text

_log = logging.getLogger(__name__)
_LINES_A_TRANSACTION = 500
_SHORTEST_PAUSE = 0.02  # seconds; answers come in bursts, and each would wake the run
_FIRST_PAUSE, _LONGEST_PAUSE = 2, 120  # ticks before a failed step is tried again
_IN_AUDIT = {
    "InProgress": "in-progress",
    "Stopping": "stopping",
    "Stopped": "stopped",
    "Completed": "completed",
    "Failed": "failed",
}
_INTERMEDIATE_MANIFESTS = 20  # in a job; each holds every line


class JobRun:
    """Runs a labeling job until it has ended or the engine closes.

    Args:
        around: What it works with.
        jobs: The labeling jobs.
        job: The one to run.

    Attributes:
        waiting: Why it waits and when it tries again; ``None`` while nothing is wrong.
    """

    def __init__(self, around: Surroundings, jobs: JobTable, job: LabelingJob) -> None:
        self._around = around
        self._records = around.records
        self._jobs = jobs
        self._job = job
        self._objects = around.records.objects
        self._outputs = Outputs(around.s3, job, around.quick_put)
        self._preparation = Preparation(around, job)
        self._consolidation = ConsolidationStep(around, job, around.records.jobs.categories(job.key), self._outputs)
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._pauses = Pauses(_FIRST_PAUSE * around.tick, _LONGEST_PAUSE * around.tick)
        self._done_at_failure: tuple[Any, ...] = ()
        self._failure: Exception | None = None
        self.waiting: Waiting | None = None
        self._thread = threading.Thread(target=self._run, name=f"labeling-job-{job.key}", daemon=True)

    def start(self) -> None:
        """Begin, or go on where the job was left."""
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing more will be done."""
        return not self._thread.is_alive()

    def try_now(self) -> None:
        """Try again at once, if it waits to."""
        self._wake.set()

    def leave(self) -> None:
        """Leave the job where it is after the step at hand; what fails from now on is done again next time."""
        self._closing.set()
        self._wake.set()

    def close(self, patience: float) -> None:
        """Leave the job where it is, waiting up to so many seconds for the step at hand."""
        self.leave()
        self._thread.join(patience)

    def _run(self) -> None:
        """Do all steps. A step that fails is tried again, unless its error is declared to end the job."""
        while not self._closing.is_set():
            try:
                if self._failure is None:
                    self._do_steps()
                else:
                    self._fail_for(self._failure)
            except Exception as error:
                if self._closing.is_set():
                    _log.info("%s was left: %s", self._job.key, error)
                elif self._failure is None and is_final(error):
                    self._failure = error
                else:
                    self._pause(error)
            else:
                self.waiting = None
                return

    # -- trying again

    def _pause(self, error: Exception) -> None:
        """Wait before the next try: the longer, the more tries came to nothing."""
        try:
            done = (self._status(), *self._objects.progress(self._job.key))
        except Exception:
            done = self._done_at_failure
        if done != self._done_at_failure:
            self._pauses.reset()
        self._done_at_failure = done
        seconds = self._pauses.grow()
        reason = f"{type(error).__name__}: {error}"
        known = self.waiting is not None and self.waiting.reason == reason
        self.waiting = Waiting(reason, self._pauses.tries, later(self._now(), seconds))
        if not known:
            _log.warning("%s waits, and tries again: %s", self._job.key, reason, exc_info=error)
            self._try_to_tell(reason)
        self._wake.wait(seconds)
        if not self._closing.is_set():
            self._wake.clear()

    def _try_to_tell(self, reason: str) -> None:
        """Write into the log that the job waits, unless it is the log that fails."""
        try:
            with self._records.transaction():
                self._tell("waiting", f"A step failed and is tried again: {reason}")
        except Exception as error:
            _log.warning("%s: its log can't be written now: %s", self._job.key, error)

    # -- the steps

    def _do_steps(self) -> None:
        if not self._records.jobs.manifest_is_read(self._job.key) and not self._read_manifest():
            return
        if self._status() == "Initializing" and not self._begin():
            return
        while not self._closing.is_set():
            if self._status() == "Stopping":
                self._finish("Stopped")
                return
            if not self._objects.any_in(self._job.key, "preparing", "open", "answered"):
                self._write_intermediate_manifests()
                if not self._start_wave():
                    return
            self._preparation.run(self._is_over)
            self.waiting = None
            if self._workers_are_done():
                self._consolidate()

    def _is_over(self) -> bool:
        return self._closing.is_set() or self._status() != "InProgress"

    def _status(self) -> str:
        return self._jobs.state(self._job.key).status

    # -- the manifest

    def _read_manifest(self) -> bool:
        """Read the manifest from its start, whatever was read before; ``False`` if the engine closes."""
        with self._records.transaction():
            self._objects.forget(self._job.key)
        lines = read_manifest(self._around.s3, self._job.manifest, self._job.label_attribute)
        while some := list(islice(lines, _LINES_A_TRANSACTION)):
            if self._closing.is_set():
                return False
            self._add_lines(some)
        with self._records.transaction():
            self._records.jobs.set_manifest_read(self._job.key)
        return True

    def _begin(self) -> bool:
        """Let the job be in progress; where no line can be labeled, let it fail."""
        counts = self._objects.count(self._job.key)
        manifest, good, bad = self._job.manifest, counts.get("waiting", 0), counts.get("failed", 0)
        labeled = counts.get("labeled", 0)
        if good or labeled:
            before = f", {labeled} labeled before" if labeled else ""
            self._set_status("InProgress", f"{good} data objects to label{before}, {bad} bad lines in {manifest}")
            return True
        first = self._objects.find(self._job.key, 0)
        problem = first.problem if first else "it has no lines"
        reason = f"ClientError: The manifest {manifest} has no line that can be labeled: {problem}"
        self._set_status("Failed", reason, reason)
        return False

    def _add_lines(self, lines: list[ManifestLine]) -> None:
        where = self._job.manifest
        objects = [
            NewObject(
                line.number - 1,
                line.data_object,
                f"Line {line.number} of {where}: {line.problem}" if line.problem else None,
                line.text,
                line.label,
            )
            for line in lines
        ]
        with self._records.transaction():
            self._objects.add(self._job.key, objects, self._now())
            for one in objects:
                if one.problem:
                    self._tell("failed", one.problem, number=one.number)

    # -- waves

    def _start_wave(self) -> bool:
        """Send the next objects out; where there are none, or enough are labeled, finish the job."""
        size = self._wave_size()
        if size <= 0:
            self._set_status("Stopping", "a stopping condition is met")
            self._finish("Stopped")
            return False
        with self._records.transaction():
            wave, objects = self._objects.start_wave(self._job.key, size)
            if objects:
                self._tell("wave", f"Wave {wave}: {objects} data objects go out")
        if not objects:
            self._finish("Completed")
        return objects > 0

    def _wave_size(self) -> int:
        job, size = self._job, self._job.concurrent_objects
        if job.most_labeled is None and job.most_percent is None:
            return size
        counts = self._objects.count(job.key)
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
            changes = self._records.database.changes
            self._write_worker_responses()
            if not self._objects.any_in(self._job.key, "preparing", "open"):
                return True
            self._closing.wait(_SHORTEST_PAUSE)
            self._records.database.wait_for_change(changes, self._around.tick)
        return False

    def _write_worker_responses(self) -> None:
        while some := self._objects.without_response(self._job.key):
            written = {}
            for one in some:
                answers = self._records.tasks.answers(self._job.key, one.number)
                written[one] = self._outputs.write_worker_response(one.wave, one.number, answers).key
            with self._records.transaction():
                self._objects.set_responses(self._job.key, written)

    # -- labels

    def _consolidate(self) -> None:
        # Once an object is in a batch its answers stay as they are: what was corrected until then is written now.
        self._consolidation.start_batches()
        self._write_worker_responses()
        self._consolidation.run()

    def _write_intermediate_manifests(self) -> None:
        """Write how far the labels are after a wave, unless little has changed since the last time."""
        counts = self._objects.count(self._job.key)
        done = counts.get("labeled", 0) + counts.get("failed", 0)
        before = self._records.jobs.in_manifests(self._job.key)
        enough = max(1, sum(counts.values()) // _INTERMEDIATE_MANIFESTS)
        if done == before or (before >= 0 and counts.get("waiting") and done - before < enough):
            return
        latest = self._objects.last_wave(self._job.key)
        if latest is None:
            return
        self._outputs.write_intermediate_manifests(latest, self._lines())
        with self._records.transaction():
            self._records.jobs.set_in_manifests(self._job.key, done)

    def _lines(self) -> Iterator[str]:
        return (manifest_line(self._job, row) for row in self._objects.manifest_rows(self._job.key))

    # -- the end

    def _finish(self, status: str) -> None:
        if status == "Stopped":
            self._take_all_back()
            self._consolidate()
            self._write_intermediate_manifests()
        manifest = self._outputs.write_output_manifest(self._lines())
        self._set_status(status, f"The labels are in {manifest}")

    def _fail_for(self, failure: Exception) -> None:
        """Let the job fail, after the answers that came are in its output."""
        try:
            self._write_worker_responses_of_all()
        except ClientError as error:
            if not is_final(error):
                raise
            _log.warning("the worker responses of %s can't be written: %s", self._job.key, error)
        if isinstance(failure, FunctionFailed):
            reason = _failure_reason(failure, self._job.role_arn)
            self._set_status("Failed", reason, reason, failed=failure)
        else:
            reason = f"ClientError: {failure}"
            self._set_status("Failed", reason, reason)

    def _tell_of_function(self, failure: FunctionFailed) -> None:
        detail = {
            "functionArn": failure.function_arn,
            "errorType": failure.error_type,
            "message": failure.message,
            "trace": failure.trace,
            "event": failure.event,
        }
        message = f"{failure.function_arn} failed: {failure.error_type}: {failure.message}"
        self._tell("function failed", message, detail=detail)

    def _write_worker_responses_of_all(self) -> None:
        """Write the answers that came before the job failed, also those of objects that wait for more."""
        self._take_all_back()
        self._write_worker_responses()

    def _take_all_back(self) -> None:
        with self._records.transaction():
            self._around.tasks.withdraw(self._job, self._now())
            self._objects.close_all(self._job.key)

    def _set_status(
        self, status: str, message: str, reason: str | None = None, *, failed: FunctionFailed | None = None
    ) -> None:
        records = self._records
        with records.transaction():
            if failed is not None:
                self._tell_of_function(failed)
            stopping = records.jobs.status_to_change(self._job.key) == "Stopping"
            if stopping and status == "InProgress":
                return  # somebody stopped it while its manifest was read
            if stopping and status == "Completed":
                status = "Stopped"
            at = self._now()
            records.jobs.set_status(self._job.key, status, at, reason)
            self._around.changes.record(state_change(self._job.arn, status, at))
            self._tell("state", f"{status}: {message}")
            records.audit.write(None, f"labeling-job.{_IN_AUDIT[status]}", self._job.arn, at=at)

    def _tell(
        self, kind: str, message: str, *, number: int | None = None, detail: Mapping[str, Any] | None = None
    ) -> None:
        self._records.log.write(self._job.key, self._now(), kind, message, number=number, detail=detail)

    def _now(self) -> str:
        return to_text(self._around.clock())


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
