"""Everything that a labeling job writes to S3, in Ground Truth's own layout.

What is written depends on the store alone, moments included: written again after a crash, a file is the same.
"""

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from ground_truth_server.engine.labeling_job import LabelingJob
from ground_truth_server.engine.s3_location import S3Location
from ground_truth_server.json_text import write_json
from ground_truth_server.records.data_objects import ManifestRow
from ground_truth_server.records.tasks import Answer
from ground_truth_server.timestamps import in_file_name, in_worker_response, seconds_between
from ground_truth_server.worker_ids import worker_id, worker_metadata

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

QuickPut = Callable[[str, str, bytes, str], None]
"""Puts an object, given its bucket, key, bytes and content type, without a request; may raise anything."""
_log = logging.getLogger(__name__)
_IN_MEMORY_BYTES = 4 * 1024 * 1024
_SMALL_BYTES = 1024 * 1024


class Outputs:
    """Writes the files of one labeling job.

    Args:
        s3: The S3 client.
        job: The labeling job.
        quick_put: Puts small files at less cost, where there is such a way.
    """

    def __init__(self, s3: "S3Client", job: LabelingJob, quick_put: QuickPut | None = None) -> None:
        self._s3 = s3
        self._job = job
        self._quick_put = quick_put
        key = job.kms_key_id
        self._encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}

    def write_worker_response(self, wave: int, number: int, answers: Sequence[Answer]) -> S3Location:
        """Write the answers to a data object, at least one; over what was written before an answer was corrected."""
        region = self._job.region
        content = [
            {
                "acceptanceTime": in_worker_response(answer.accepted),
                "submissionTime": in_worker_response(answer.corrected or answer.submitted),
                "timeSpentInSeconds": round(seconds_between(answer.accepted, answer.submitted), 3),
                "workerId": worker_id(answer.worker, region),
                "workerMetadata": worker_metadata(answer.worker, region),
                "answerContent": answer.content,
                **_remark(answer),
            }
            for answer in answers
        ]
        stamp = in_file_name(answers[-1].submitted)
        path = f"annotations/worker-response/iteration-{wave}/{number}/{stamp}.json"
        return self._write(path, {"answers": content})

    def write_consolidation_request(self, wave: int, created: str, payload: object) -> S3Location:
        """Write what the post-annotation function reads."""
        return self._write(_consolidation_path("request", wave, created), payload)

    def write_consolidation_response(self, wave: int, created: str, answer: object) -> S3Location:
        """Write what the post-annotation function answered."""
        return self._write(_consolidation_path("response", wave, created), answer)

    def write_intermediate_manifests(self, wave: int, lines: Iterable[str]) -> None:
        """Write how far the labels are: one line for each line of the input manifest."""
        with _as_file(lines) as file:
            for path in (
                f"annotations/intermediate/{wave}/annotations.manifest",
                f"manifests/intermediate/{wave}/output.manifest",
            ):
                file.seek(0)
                self._put(self._job.output.below(path), file, "application/x-ndjson")

    def write_output_manifest(self, lines: Iterable[str]) -> S3Location:
        """Write the labels: one line for each line of the input manifest."""
        with _as_file(lines) as file:
            self._put(self._job.output_manifest, file, "application/x-ndjson")
        return self._job.output_manifest

    def _write(self, path: str, value: object) -> S3Location:
        uri, body, kind = self._job.output.below(path), write_json(value).encode(), "application/json"
        if not self._is_quickly_put(uri, body, kind):
            self._put(uri, body, kind)
        return uri

    def _is_quickly_put(self, uri: S3Location, body: bytes, kind: str) -> bool:
        if self._quick_put is None or self._encryption or len(body) > _SMALL_BYTES:
            return False
        try:
            self._quick_put(uri.bucket, uri.key, body, kind)
        except Exception as error:  # the request that follows tells what is wrong, in S3's own words
            _log.info("%s is put by a request: %s", uri, error)
            return False
        return True

    def _put(self, uri: S3Location, body: bytes | IO[bytes], kind: str) -> None:
        self._s3.put_object(Bucket=uri.bucket, Key=uri.key, Body=body, ContentType=kind, **self._encryption)


def consolidation_entry(
    number: int, data_object: dict[str, Any], answers: Sequence[Answer], region: str
) -> dict[str, Any]:
    """Make a data object's entry in a consolidation request.

    A worker's remark stands beside ``annotationData``, where functions that look for no remark look past it: the
    answer's own JSON is what the form holds, and nothing else.
    """
    source = {"content": data_object["source"]} if "source" in data_object else {"s3Uri": data_object["source-ref"]}
    return {
        "datasetObjectId": str(number),
        "dataObject": source,
        "annotations": [
            {
                "workerId": worker_id(answer.worker, region),
                "annotationData": {"content": write_json(answer.content)},
                **_remark(answer),
            }
            for answer in answers
        ],
    }


def _remark(answer: Answer) -> dict[str, str]:
    return {} if answer.remark is None else {"remark": answer.remark}


def manifest_line(job: LabelingJob, row: ManifestRow) -> str:
    """Write a data object's line of an intermediate or output manifest.

    Args:
        job: The labeling job.
        row: What it is made of.

    Returns:
        The line with its label, or with the reason why it failed; or as it came, if it has neither or came labeled.
    """
    line = row.line
    name = f"{job.label_attribute}-metadata"
    if row.label is not None and row.labeled_at is not None:
        content = row.label
        metadata = {**content.pop(name, {}), **label_metadata(job.name, row.labeled_at)}
        label = {job.label_attribute: content.pop(job.label_attribute)}
        return write_json({**content, **line, **label, name: metadata})
    if row.state == "failed" and row.ended is not None:
        return write_json({**line, name: {"failure-reason": row.problem, **label_metadata(job.name, row.ended)}})
    return row.text


def label_metadata(job: str, at: str) -> dict[str, Any]:
    """Make what Ground Truth writes beside a label.

    Args:
        job: The labeling job's name.
        at: When, as the store writes it.
    """
    return {
        "job-name": f"labeling-job/{job}",
        "type": "groundtruth/custom",
        "human-annotated": "yes",
        "creation-date": at,
    }


def _consolidation_path(kind: str, wave: int, created: str) -> str:
    folder = f"annotations/consolidated-annotation/consolidation-{kind}/iteration-{wave}"
    return f"{folder}/{in_file_name(created)}.json"


@contextmanager
def _as_file(lines: Iterable[str]) -> Iterator[IO[bytes]]:
    """Write lines to a file that is in memory while it is small."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        file.writelines(f"{line}\n".encode() for line in lines)
        file.seek(0)
        yield file
