"""What a CreateLabelingJob request must hold beyond what its model says."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local_ground_truth.aws_error import invalid

LONGEST_TASK_SECONDS = 8 * 60 * 60
LONGEST_AVAILABILITY_SECONDS = 30 * 24 * 60 * 60

_S3_OBJECT = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+", re.DOTALL)
_S3_FOLDER = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?", re.DOTALL)


def check_labeling_job(request: Mapping[str, Any]) -> None:
    """Refuse a job that Ground Truth doesn't take, or that can't run on one machine.

    Args:
        request: The request, valid by its model. Its work team is not looked at.

    Raises:
        AwsError: ``ValidationException`` with all that is wrong.
    """
    task = request["HumanTaskConfig"]
    problems = [
        *_label_attribute_problems(request["LabelAttributeName"]),
        *_input_problems(request["InputConfig"]["DataSource"]),
        *_output_problems(request),
        *_worker_page_problems(task["UiConfig"]),
        *_time_problems(task),
        *_problems_away_from_aws(request),
    ]
    if problems:
        raise invalid(" ".join(problems))


def _label_attribute_problems(name: str) -> Iterator[str]:
    for ending, reason in (
        ("-metadata", "Ground Truth writes its metadata under that name"),
        (
            "-ref",
            "in a custom labeling job the label itself is in the output manifest, not a reference to it",
        ),
    ):
        if name.endswith(ending):
            yield f"LabelAttributeName '{name}' must not end with '{ending}': {reason}."


def _input_problems(source: Mapping[str, Any]) -> Iterator[str]:
    if "SnsDataSource" in source:
        yield "SnsDataSource is for streaming labeling jobs, which don't run locally; use S3DataSource."
    elif "S3DataSource" not in source:
        yield "InputConfig.DataSource must have an S3DataSource with the manifest's S3 URI."
    else:
        yield from _object_problems("ManifestS3Uri", source["S3DataSource"]["ManifestS3Uri"])


def _output_problems(request: Mapping[str, Any]) -> Iterator[str]:
    path = request["OutputConfig"]["S3OutputPath"]
    if not _S3_FOLDER.fullmatch(path):
        yield f"S3OutputPath '{path}' must be of the form s3://BUCKET/FOLDER/."
    if "LabelCategoryConfigS3Uri" in request:
        yield from _object_problems("LabelCategoryConfigS3Uri", request["LabelCategoryConfigS3Uri"])


def _worker_page_problems(page: Mapping[str, str]) -> Iterator[str]:
    if "HumanTaskUiArn" in page:
        yield "HumanTaskUiArn names a worker page of a built-in task type, which don't run locally."
    if "UiTemplateS3Uri" in page:
        yield from _object_problems("UiTemplateS3Uri", page["UiTemplateS3Uri"])
    else:
        yield "UiConfig must have UiTemplateS3Uri, the S3 URI of the worker page's template."


def _time_problems(task: Mapping[str, Any]) -> Iterator[str]:
    for name, most in (
        ("TaskTimeLimitInSeconds", LONGEST_TASK_SECONDS),
        ("TaskAvailabilityLifetimeInSeconds", LONGEST_AVAILABILITY_SECONDS),
    ):
        if task.get(name, 0) > most:
            yield f"{name} is {task[name]}; in a custom labeling job at most {most} is allowed."


def _problems_away_from_aws(request: Mapping[str, Any]) -> Iterator[str]:
    if "LabelingJobAlgorithmsConfig" in request:
        yield "LabelingJobAlgorithmsConfig: a custom labeling job has no automated data labeling."
    if "PublicWorkforceTaskPrice" in request["HumanTaskConfig"]:
        yield "PublicWorkforceTaskPrice is for Amazon Mechanical Turk; a private work team has no price."


def _object_problems(member: str, uri: str) -> Iterator[str]:
    if not _S3_OBJECT.fullmatch(uri):
        yield f"{member} '{uri}' must be of the form s3://BUCKET/KEY."
