"""Task inputs of data objects: the pre-annotation function is called for each, several at a time."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

from ground_truth_server.engine.function_answers import PreAnnotation, WrongAnswer, check_pre_annotation
from ground_truth_server.engine.invoke import UnreadableAnswer
from ground_truth_server.engine.labeling_job import LabelingJob
from ground_truth_server.engine.retrying import is_final
from ground_truth_server.engine.surroundings import Surroundings
from ground_truth_server.timestamps import later, to_text

EVENT_VERSION = "2018-10-16"
_TOGETHER = 20  # objects in a transaction, which workers wait for


class Preparation:
    """Prepares the data objects of one labeling job for its workers.

    Args:
        around: What it works with.
        job: The labeling job.
    """

    def __init__(self, around: Surroundings, job: LabelingJob) -> None:
        self._around = around
        self._job = job
        self._records = around.records

    def run(self, is_over: Callable[[], bool]) -> None:
        """Prepare the objects of a wave; each goes out as soon as it is ready.

        Args:
            is_over: Tells whether to leave the objects that have not been begun.

        Raises:
            FunctionFailed: If the function gives no answer for one, or one that is not of the right shape. The
                rest is left as it is.
        """
        numbers = self._records.objects.numbers_in(self._job.key, "preparing")
        if self._job.pre_annotation is None:
            for first in range(0, len(numbers), _TOGETHER):
                if not is_over():
                    self._pass_on(numbers[first : first + _TOGETHER])
        elif numbers:
            self._call_for(numbers, is_over)

    def _pass_on(self, numbers: Sequence[int]) -> None:
        """Prepare objects that no function is called for, together."""
        lines = {number: self._line(number) for number in numbers}
        with self._records.transaction():
            for number, line in lines.items():
                self._keep(number, PreAnnotation(task_input=line, is_human_annotation_required=True))

    def _call_for(self, numbers: Sequence[int], is_over: Callable[[], bool]) -> None:
        """Call the function for each object, several at a time."""
        halt = threading.Event()

        def prepare(number: int) -> None:
            if not halt.is_set() and not is_over():
                self._prepare(number)

        with ThreadPoolExecutor(self._around.concurrency, "pre-annotation") as pool:
            calls = [pool.submit(prepare, number) for number in numbers]
            wait(calls, return_when=FIRST_EXCEPTION)
            halt.set()
        errors = [error for call in calls if (error := call.exception()) is not None]
        for error in sorted(errors, key=is_final, reverse=True):  # one that ends the job hides behind none that passes
            raise error

    def _prepare(self, number: int) -> None:
        prepared = self._pre_annotate(self._line(number))
        with self._records.transaction():
            self._keep(number, prepared)

    def _line(self, number: int) -> dict[str, Any]:
        line = self._records.objects.line(self._job.key, number)
        assert line is not None  # noqa: S101  (it was there when the wave began; one that is no JSON object has failed)
        return line

    def _keep(self, number: int, prepared: PreAnnotation) -> None:
        """Let workers have an object, or keep it from them, in a transaction."""
        at, job, records = to_text(self._around.clock()), self._job, self._records
        if prepared.is_human_annotation_required:
            closes = later(at, job.availability)
            records.objects.open(job.key, number, prepared.task_input, closes, job.workers_per_object)
            kind, message = "prepared", f"Object {number} is ready for workers"
        else:
            records.objects.leave_out(job.key, number, prepared.task_input)
            kind = "not required"
            message = f"Object {number} needs no person: isHumanAnnotationRequired is false"
        records.log.write(job.key, at, kind, message, number=number)

    def _pre_annotate(self, data_object: dict[str, Any]) -> PreAnnotation:
        function = self._job.pre_annotation
        assert function is not None  # noqa: S101  (else there is nothing to call)
        event = {"version": EVENT_VERSION, "labelingJobArn": self._job.arn, "dataObject": data_object}
        try:
            return check_pre_annotation(self._around.invoke(function, event))
        except WrongAnswer as error:
            raise UnreadableAnswer(function, event, "PreHumanTaskLambda", str(error)) from error
