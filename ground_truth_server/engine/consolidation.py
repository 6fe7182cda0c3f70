"""Labels of answers: data objects go to the post-annotation function in batches and come back labeled."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from ground_truth_server.engine.data_objects import Answer, ObjectTable
from ground_truth_server.engine.function_answers import WrongAnswer, check_consolidation
from ground_truth_server.engine.invoke import UnreadableAnswer
from ground_truth_server.engine.json_text import write_json
from ground_truth_server.engine.labeling_job import LabelingJob
from ground_truth_server.engine.outputs import Outputs, consolidation_entry
from ground_truth_server.engine.preparation import EVENT_VERSION
from ground_truth_server.engine.surroundings import Surroundings
from ground_truth_server.engine.timestamps import later, to_text

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
        self._store = around.store
        self._job = job
        self._categories = categories
        self._outputs = outputs
        self._objects = ObjectTable(around.store)

    def run(self) -> None:
        """Consolidate every answered object.

        Raises:
            FunctionFailed: If the function gives no answer, or one that is not of the right shape.
        """
        while self._start_batch():
            pass
        query = "SELECT * FROM batches WHERE job = ? AND NOT consolidated ORDER BY number"
        for batch in self._store.rows(query, self._job.key):
            self._consolidate(batch)

    def _start_batch(self) -> bool:
        job = self._job.key
        with self._store.transaction() as database:
            query = "SELECT max(wave) FROM data_objects WHERE job = ? AND state = 'answered' AND batch IS NULL"
            (wave,) = database.execute(query, (job,)).fetchone()
            if wave is None:
                return False
            number, created = self._next_batch(database)
            database.execute("INSERT INTO batches VALUES (?, ?, ?, ?, 0)", (job, number, wave, created))
            database.execute(
                "UPDATE data_objects SET batch = ? WHERE job = ? AND number IN"
                " (SELECT number FROM data_objects WHERE job = ? AND state = 'answered' AND batch IS NULL"
                " ORDER BY number LIMIT ?)",
                (number, job, job, _OBJECTS_A_BATCH),
            )
        return True

    def _next_batch(self, database: sqlite3.Connection) -> tuple[int, str]:
        query = "SELECT number, created FROM batches WHERE job = ? ORDER BY number DESC LIMIT 1"
        last = database.execute(query, (self._job.key,)).fetchone()
        at = to_text(self._around.clock())
        if last is None:
            return 1, at
        # files are named by the second: two batches must not have the same one
        return last["number"] + 1, max(at, later(last["created"], 1))

    def _consolidate(self, batch: sqlite3.Row) -> None:
        query = "SELECT number, line FROM data_objects WHERE job = ? AND batch = ? ORDER BY number"
        objects = {
            row["number"]: (json.loads(row["line"]), self._objects.answers(self._job.key, row["number"]))
            for row in self._store.rows(query, self._job.key, batch["number"])
        }
        payload = [
            consolidation_entry(number, line, answers, self._job.region) for number, (line, answers) in objects.items()
        ]
        contents = self._labels_of(batch, payload)
        self._record(batch, {int(object_id): content for object_id, content in contents.items()}, objects)

    def _labels_of(self, batch: sqlite3.Row, payload: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        request = self._outputs.write_consolidation_request(batch["wave"], batch["created"], payload)
        function, event = self._job.consolidation, self._event(str(request))
        if function is None:
            answer = [_answers_as_label(self._job, entry) for entry in payload]
            self._outputs.write_consolidation_response(batch["wave"], batch["created"], answer)
            return {entry["datasetObjectId"]: entry["consolidatedAnnotation"]["content"] for entry in answer}
        answer = self._around.invoke(function, event)
        object_ids = [entry["datasetObjectId"] for entry in payload]
        try:
            contents = check_consolidation(answer, object_ids, self._job.label_attribute)
        except WrongAnswer as error:
            raise UnreadableAnswer(function, event, "AnnotationConsolidationLambda", str(error)) from error
        self._outputs.write_consolidation_response(batch["wave"], batch["created"], answer)
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

    def _record(
        self,
        batch: sqlite3.Row,
        contents: Mapping[int, dict[str, Any]],
        objects: Mapping[int, tuple[dict[str, Any], list[Answer]]],
    ) -> None:
        job = self._job.key
        with self._store.transaction() as database:
            database.executemany(
                "UPDATE data_objects SET state = 'labeled', label = ? WHERE job = ? AND number = ?",
                ((write_json(content), job, number) for number, content in contents.items()),
            )
            database.execute("UPDATE batches SET consolidated = 1 WHERE job = ? AND number = ?", (job, batch["number"]))
            answers = sum(len(given) for _, given in objects.values())
            message = f"{len(contents)} objects labeled from {answers} answers"
            self._around.log.write(database, job, to_text(self._around.clock()), "consolidated", message)


def _answers_as_label(job: LabelingJob, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Label an object with all of its answers, which is what a job without a post-annotation function has."""
    return {
        "datasetObjectId": entry["datasetObjectId"],
        "consolidatedAnnotation": {
            "content": {job.label_attribute: {"annotationsFromAllWorkers": entry["annotations"]}}
        },
    }
