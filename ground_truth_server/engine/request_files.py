"""The files that a CreateLabelingJob request names, read when the job is created."""

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ground_truth_server.engine.labeling_job import LabelingJob, LabelingJobRefused
from ground_truth_server.engine.s3_location import S3Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_log = logging.getLogger(__name__)
_LONGEST = 10 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class RequestFiles:
    """What a job needs of the files besides its manifest.

    Attributes:
        template: The text of the worker page's template.
        categories: The names in the label category file; ``None`` if the request names no such file.
    """

    template: str
    categories: list[str] | None


def read_request_files(s3: "S3Client", job: LabelingJob) -> RequestFiles:
    """Read the template and the label category file, and see that the manifest is there and the output can be written.

    Raises:
        LabelingJobRefused: If one of them can't be read, or the output can't be written.
    """
    _prove_output(s3, job)
    try:
        s3.head_object(Bucket=job.manifest.bucket, Key=job.manifest.key)
    except (ClientError, BotoCoreError) as error:
        raise _refused("ManifestS3Uri", job.manifest, error) from error
    categories = _read_categories(s3, job.categories) if job.categories else None
    return RequestFiles(_read_text(s3, "UiTemplateS3Uri", job.template), categories)


def _prove_output(s3: "S3Client", job: LabelingJob) -> None:
    """See that the output can be written, without leaving anything: begin an upload, and end it.

    To begin one takes the same permission as to write an object (s3:PutObject), and the key's if there is one.
    """
    uri, key = job.output_manifest, job.kms_key_id
    encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
    try:
        upload = s3.create_multipart_upload(Bucket=uri.bucket, Key=uri.key, **encryption)
    except (ClientError, BotoCoreError) as error:
        raise _refused("S3OutputPath", uri, error, "written") from error
    try:
        s3.abort_multipart_upload(Bucket=uri.bucket, Key=uri.key, UploadId=upload["UploadId"])
    except (ClientError, BotoCoreError) as error:  # an upload without parts costs nothing and shows nowhere
        _log.warning("an upload to %s that was begun to prove the access could not be ended: %s", uri, error)


def _read_categories(s3: "S3Client", uri: S3Location) -> list[str]:
    text = _read_text(s3, "LabelCategoryConfigS3Uri", uri)
    try:
        return [str(entry["label"]) for entry in json.loads(text)["labels"]]
    except (ValueError, KeyError, TypeError) as error:
        expected = '{"document-version": "2018-11-28", "labels": [{"label": "..."}]}'
        raise _invalid(f"LabelCategoryConfigS3Uri: {uri}: expected {expected}; {error!r}") from error


def _read_text(s3: "S3Client", member: str, uri: S3Location) -> str:
    try:
        body = s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read(_LONGEST + 1)
    except (ClientError, BotoCoreError) as error:
        raise _refused(member, uri, error) from error
    if len(body) > _LONGEST:
        raise _invalid(f"{member}: {uri} is longer than {_LONGEST:,} bytes")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(f"{member}: {uri} is not UTF-8: byte {error.start + 1}: {error.reason}") from error


def _refused(
    member: str, uri: S3Location, error: ClientError | BotoCoreError, done: str = "read"
) -> LabelingJobRefused:
    found = str(error)
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        found = f"{answer.get('Code')} {answer.get('Message')}"
    what = "its bucket" if done == "written" else "it"
    return _invalid(f"{member}: {uri} can't be {done}: {found}. Ensure that {what} exists and that it may be {done}.")


def _invalid(message: str) -> LabelingJobRefused:
    return LabelingJobRefused("ValidationException", message)
