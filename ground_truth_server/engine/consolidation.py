"""Labels of answers: data objects go to the post-annotation function in batches and come back labeled."""

from collections.abc import Mapping
from typing import Any

from ground_truth_server.engine.function_answers import WrongAnswer, check_consolidation
from ground_truth_server.engine.invoke import UnreadableAnswer
from ground_truth_server.engine.labeling_job import LabelingJob
from ground_truth_server.engine.outputs import Outputs, consolidation_entry
from ground_truth_server.engine.preparation import EVENT_VERSION
from ground_truth_server.engine.surroundings import Surroundings
from ground_truth_server.records.batches import Batch
from ground_truth_server.timestamps import later, to_text

_OBJECTS_A_BATCH = 1000


class ConsolidationStep:
    """The batches of one labeling job.

    A batch and its moment are in the store before the function is called, so that a batch repeated after a
    crash writes the same files and labels.

    Args:
        around: What it works with.
        job: The labeling job.
        categories: The names in its label category file.
        outputs: Writes its files.
    """

    def __init__(self, around: Surroundings, job: LabelingJob, categories: list[str] | None, outputs: Outputs) -> None:
        self._around = around
        self._records = around.records
        self._job = job
        self._categories = categories
        self._outputs = outputs

    def start_batches(self) -> None:
        """Put every answered object into a batch: from then on no answer to it is corrected."""
        while self._start_batch():
            pass

    def run(self) -> None:
        """Consolidate every batch that isn't yet.

        Raises:
            FunctionFailed: If the function gives no answer, or one that is not of the right shape.
        """
        for batch in self._records.batches.to_consolidate(self._job.key):
            self._consolidate(batch)

    def _start_batch(self) -> bool:
        job, records = self._job.key, self._records
        with records.transaction():
            wave = records.objects.last_answered_wave(job)
            if wave is None:
                return False
            batch = self._next_batch(wave)
            records.batches.add(job, batch)
            records.objects.put_in_batch(job, batch.number, _OBJECTS_A_BATCH)
        return True

    def _next_batch(self, wave: int) -> Batch:
        last = self._records.batches.last(self._job.key)
        at = to_text(self._around.clock())
        if last is None:
            return Batch(1, wave, at)
        # files are named by the second: two batches must not have the same one
        return Batch(last.number + 1, wave, max(at, later(last.created, 1)))

    def _consolidate(self, batch: Batch) -> None:
        job = self._job.key
        lines = self._records.objects.lines_of_batch(job, batch.number)
        objects = {number: (line, self._records.tasks.answers(job, number)) for number, line in lines.items()}
        payload = [
            consolidation_entry(number, line, answers, self._job.region) for number, (line, answers) in objects.items()
        ]
        contents = self._labels_of(batch, payload)
        answers = sum(len(given) for _, given in objects.values())
        self._record(batch, {int(object_id): content for object_id, content in contents.items()}, answers)

    def _labels_of(self, batch: Batch, payload: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        request = self._outputs.write_consolidation_request(batch.wave, batch.created, payload)
        function, event = self._job.consolidation, self._event(str(request))
        if function is None:
            answer = [_answers_as_label(self._job, entry) for entry in payload]
            self._outputs.write_consolidation_response(batch.wave, batch.created, answer)
            return {entry["datasetObjectId"]: entry["consolidatedAnnotation"]["content"] for entry in answer}
        answer = self._around.invoke(function, event)
        object_ids = [entry["datasetObjectId"] for entry in payload]
        try:
            contents = check_consolidation(answer, object_ids, self._job.label_attribute)
        except WrongAnswer as error:
            raise UnreadableAnswer(function, event, "AnnotationConsolidationLambda", str(error)) from error
        self._outputs.write_consolidation_response(batch.wave, batch.created, answer)
        return contents

    def _event(self, payload: str) -> dict[str, Any]:
        key = self._job.kms_key_id
        return {
            "version": EVENT_VERSION,
            "labelingJobArn": self._job.arn,
            **({"labelCategories": self._categories} if self._categories is not None else {}),
            "labelAttributeName": self._job.label_attribute,
            "roleArn": self._job.role_arn,
            "outputConfig": str(self._job.output.below("annotations")),
            "maxHumanWorkersPerDataObject": self._job.workers_per_object,
            **({"kmsKeyId": key} if key else {}),
            "payload": {"s3Uri": payload},
        }

    def _record(self, batch: Batch, contents: Mapping[int, dict[str, Any]], answers: int) -> None:
        job, records = self._job.key, self._records
        with records.transaction():
            records.objects.set_labels(job, contents)
            records.batches.set_consolidated(job, batch.number)
            message = f"{len(contents)} objects labeled from {answers} answers"
            records.log.write(job, to_text(self._around.clock()), "consolidated", message)


def _answers_as_label(job: LabelingJob, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Label an object with all of its answers, which is what a job without a post-annotation function has."""
    return {
        "datasetObjectId": entry["datasetObjectId"],
        "consolidatedAnnotation": {
            "content": {job.label_attribute: {"annotationsFromAllWorkers": entry["annotations"]}}
        },
    }
