"""Lets a former job go on in a Ground Truth of one's own, as any client of its would: with CreateLabelingJob and S3.

It can be done again: a job that was moved in stays as it is, and what was cut off is done anew.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from ground_truth_server.engine.s3_location import NotAnS3Uri, S3Location
from ground_truth_server.moving.copying import Copying
from ground_truth_server.moving.former_files import FilesInFolder, FilesInS3, FormerFiles, file_chunks, read_chunks
from ground_truth_server.moving.former_job import CantMoveIn, Changes, FormerJob
from ground_truth_server.moving.former_labels import FormerLabels, lines_of
from ground_truth_server.moving.moved_manifest import Tally, write_moved_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

_FOLDER = "move-in"


@dataclass(frozen=True)
class Places:
    """What works where.

    Attributes:
        sagemaker: The server's SageMaker API.
        s3: The S3 that the server works with.
        former_s3: The S3 that the former job's objects lie in.
        manifest: The former job's input manifest, where it was copied to a file.
        output: The former job's output, where it was copied to a folder.
    """

    sagemaker: "SageMakerClient"
    s3: "S3Client"
    former_s3: "S3Client"
    manifest: Path | None = None
    output: Path | None = None


@dataclass(frozen=True)
class Moved:
    """A job that was moved in.

    Attributes:
        name: Its name here.
        arn: Its ARN.
        output_manifest: Where its labels end up, the former job's with them.
        tally: What became of the lines; ``None`` if it was moved in before.
        status: Its status, if it was moved in before.
        report: Where the report stands.
        copying: What was copied; ``None`` if nothing was to be.
        remarks: What of the former job couldn't be used.
    """

    name: str
    arn: str
    output_manifest: str
    tally: Tally | None
    status: str
    report: str
    copying: Copying | None
    remarks: list[str]


def move_in(
    job: FormerJob,
    changes: Changes,
    places: Places,
    *,
    copy: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Moved:
    """Let a former job go on.

    Args:
        job: The former job.
        changes: What is different here; a work team may be named in place of its ARN.
        places: What works where.
        copy: Copy manifest, template, items and output from the former S3 to the server's.
        tell: Is told what it is about to do.

    Raises:
        CantMoveIn: If it can't, with what was found and what to do.
        botocore.exceptions.BotoCoreError: If the server or S3 can't be reached.
    """
    region = places.sagemaker.meta.region_name
    request = job.request(replace(changes, workteam=_workteam(places.sagemaker, changes.workteam)), region)
    name = request["LabelingJobName"]
    output = _uri("S3OutputPath", request["OutputConfig"]["S3OutputPath"]).below(name)
    manifest = output.below(f"{_FOLDER}/input.manifest")
    request["InputConfig"]["DataSource"] = {"S3DataSource": {"ManifestS3Uri": str(manifest)}}
    report = output.below(f"{_FOLDER}/report.json")
    labels_at = str(output.below("manifests/output/output.manifest"))
    before = _moved_before(places.sagemaker, name, str(manifest))
    if before is not None:
        status = before["LabelingJobStatus"]
        return Moved(name, before["LabelingJobArn"], labels_at, None, status, str(report), None, [])
    _check_output_is_free(places.s3, output, job)
    copying = _copy(job, request, places, tell) if copy else None
    tell("Reading the labels that are there.")
    with FormerLabels(job.name, job.label_attribute, _files(job, places)) as labels, tempfile.TemporaryFile() as file:
        tally = write_moved_manifest(job, labels, _manifest_chunks(job, places), file)
        file.seek(0)
        _put(places.s3, manifest, lambda: places.s3.upload_fileobj(file, manifest.bucket, manifest.key))
        text = json.dumps(tally.report(job, labels), indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace")
        _put(places.s3, report, lambda: places.s3.put_object(Bucket=report.bucket, Key=report.key, Body=text))
        remarks = labels.remarks
    tell(f"Creating the labeling job {name}.")
    arn = _create(places.sagemaker, request)
    return Moved(name, arn, labels_at, tally, "Initializing", str(report), copying, remarks)


def _workteam(sagemaker: "SageMakerClient", named: str | None) -> str | None:
    """The ARN of a work team that is given by its name or its ARN."""
    if named is None or named.startswith("arn:"):
        return named
    try:
        return sagemaker.describe_workteam(WorkteamName=named)["Workteam"]["WorkteamArn"]
    except ClientError as error:
        raise CantMoveIn(f"--workteam {named}: the server says: {_said(error)}") from error


def _moved_before(sagemaker: "SageMakerClient", name: str, manifest: str) -> dict[str, Any] | None:
    try:
        found = sagemaker.describe_labeling_job(LabelingJobName=name)
    except ClientError as error:
        if error.response["Error"].get("Code") in ("ResourceNotFound", "ResourceNotFoundException"):
            return None
        raise
    if found["InputConfig"]["DataSource"].get("S3DataSource", {}).get("ManifestS3Uri") == manifest:
        return dict(found)
    raise CantMoveIn(
        f"The server has a labeling job {name} already, which isn't this one moved in: its manifest isn't {manifest}. "
        "Choose another name with --name."
    )


def _check_output_is_free(s3: "S3Client", output: S3Location, job: FormerJob) -> None:
    """See that nothing of another job is written over."""
    own = output.below(f"{_FOLDER}/").key
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=output.bucket, Prefix=output.below("").key)
        other = next(
            (one["Key"] for page in pages for one in page.get("Contents", []) if not one["Key"].startswith(own)), ""
        )
    except ClientError as error:
        if error.response["Error"].get("Code") == "NoSuchBucket":
            return  # where it is missing, putting the manifest there says what to do
        raise
    if other or str(output) == str(job.output):
        raise CantMoveIn(
            f"{output}/ is another job's output{f': it holds {other}' if other else ''}. Nothing of it is written "
            "over: choose another name with --name, or another folder with --output-path."
        )


def _copy(job: FormerJob, request: dict[str, Any], places: Places, tell: Callable[[str], None]) -> Copying:
    tell("Copying what isn't there yet: worker page, items, former output.")
    copying = Copying(places.former_s3, places.s3)
    copying.bucket(_uri("S3OutputPath", request["OutputConfig"]["S3OutputPath"]).bucket)
    files = [request["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"], request.get("LabelCategoryConfigS3Uri")]
    copying.objects([_uri("UiTemplateS3Uri", one) for one in files if one])
    if places.manifest is None:
        copying.objects([job.manifest])
    if places.output is None:
        copying.prefix(job.output)
    copying.items(line for line, _ in lines_of(_manifest_chunks(job, places), job.label_attribute))
    return copying


def _files(job: FormerJob, places: Places) -> FormerFiles:
    return FilesInFolder(places.output, job.name) if places.output else FilesInS3(places.former_s3, job.output)


def _manifest_chunks(job: FormerJob, places: Places) -> Iterator[bytes]:
    return file_chunks(places.manifest) if places.manifest else read_chunks(places.former_s3, job.manifest)


def _put(s3: "S3Client", place: S3Location, put: Callable[[], object]) -> None:
    try:
        put()
    except (ClientError, S3UploadFailedError) as error:
        found = str(error).rpartition(": ")[2] if isinstance(error, S3UploadFailedError) else _said(error)
        where = s3.meta.endpoint_url
        raise CantMoveIn(
            f"{place} can't be written at {where}: {found} Ensure that the bucket {place.bucket} is there and may be "
            "written: --copy makes it and copies what the job needs; --output-path names another."
        ) from error


def _create(sagemaker: "SageMakerClient", request: dict[str, Any]) -> str:
    try:
        return sagemaker.create_labeling_job(**request)["LabelingJobArn"]
    except ClientError as error:
        raise CantMoveIn(f"The server refuses the labeling job: {_said(error)}{_advice(_said(error))}") from error
    except BotoCoreError as error:
        if type(error).__name__ == "ParamValidationError":
            raise CantMoveIn(f"The request can't be sent: {error}") from error
        raise


def _advice(said: str) -> str:
    if "work team" in said:
        return " Name one of them with --workteam, or create the team first (aws sagemaker create-workteam)."
    if "UiTemplateS3Uri" in said or "ManifestS3Uri" in said or "LabelCategoryConfigS3Uri" in said:
        return " With --copy it is copied from the former S3."
    return ""


def _said(error: ClientError) -> str:
    return str(error.response["Error"].get("Message") or error)


def _uri(member: str, text: str) -> S3Location:
    try:
        return S3Location.parse(text)
    except NotAnS3Uri as error:
        raise CantMoveIn(f"{member}: {error}") from error
