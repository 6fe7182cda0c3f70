"""What a CreateLabelingJob request must not ask for, beyond what its model and the job engine say."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ground_truth_server.aws_error import invalid
from ground_truth_server.engine.aws_functions import PASS_THROUGH, aws_function

LONGEST_TASK_SECONDS = 8 * 60 * 60
LONGEST_AVAILABILITY_SECONDS = 30 * 24 * 60 * 60


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    shown: str


_BUCKET = "s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_S3_OBJECT = _Form(re.compile(f"{_BUCKET}/.+", re.DOTALL), "s3://BUCKET/KEY")
_S3_FOLDER = _Form(re.compile(f"{_BUCKET}(/.*)?", re.DOTALL), "s3://BUCKET/FOLDER/")


def check_labeling_job(request: Mapping[str, Any]) -> None:
    """Refuse a job that Ground Truth doesn't take, or that can't run on one machine.

    Args:
        request: The request, valid by its model. What it must have and whether its work team is there are not
            looked at.

    Raises:
        AwsError: ``ValidationException`` with all that is wrong.
    """
    task = request["HumanTaskConfig"]
    problems = [
        *_uri_problems(request),
        *_time_problems(task),
        *_problems_away_from_aws(request),
        *_problems_of_functions(request),
    ]
    if problems:
        raise invalid(" ".join(problems))


def _uri_problems(request: Mapping[str, Any]) -> Iterator[str]:
    source = request["InputConfig"]["DataSource"]
    for name, holder, form in (
        ("ManifestS3Uri", source.get("S3DataSource", {}), _S3_OBJECT),
        ("UiTemplateS3Uri", request["HumanTaskConfig"]["UiConfig"], _S3_OBJECT),
        ("LabelCategoryConfigS3Uri", request, _S3_OBJECT),
        ("S3OutputPath", request["OutputConfig"], _S3_FOLDER),
    ):
        if name in holder and not form.pattern.fullmatch(holder[name]):
            yield f"{name} '{holder[name]}' must be of the form {form.shown}."


def _time_problems(task: Mapping[str, Any]) -> Iterator[str]:
    for name, most in (
        ("TaskTimeLimitInSeconds", LONGEST_TASK_SECONDS),
        ("TaskAvailabilityLifetimeInSeconds", LONGEST_AVAILABILITY_SECONDS),
    ):
        if task.get(name, 0) > most:
            yield f"{name} is {task[name]}; in a custom labeling job at most {most} is allowed."


def _problems_of_functions(request: Mapping[str, Any]) -> Iterator[str]:
    """AWS's own functions have ARNs of other accounts than the job's role."""
    task, account = request["HumanTaskConfig"], request["RoleArn"].split(":")[4]
    consolidation = task.get("AnnotationConsolidationConfig", {})
    for arn in (task.get("PreHumanTaskLambdaArn", ""), consolidation.get("AnnotationConsolidationLambdaArn", "")):
        if aws_function(arn, account) not in (None, *PASS_THROUGH):
            yield (
                f"{arn} is AWS's own function of a built-in task type, which isn't there. {' and '.join(PASS_THROUGH)} "
                "are; for all else use a function of your own."
            )


def _problems_away_from_aws(request: Mapping[str, Any]) -> Iterator[str]:
    task = request["HumanTaskConfig"]
    if "SnsDataSource" in request["InputConfig"]["DataSource"]:
        yield "SnsDataSource is for streaming labeling jobs, which don't run locally; use S3DataSource."
    if "HumanTaskUiArn" in task["UiConfig"]:
        yield "HumanTaskUiArn is a built-in task type's worker page, which isn't there; use UiTemplateS3Uri."
    if "LabelingJobAlgorithmsConfig" in request:
        yield "LabelingJobAlgorithmsConfig: a custom labeling job has no automated data labeling."
    if "PublicWorkforceTaskPrice" in task:
        yield "PublicWorkforceTaskPrice is for Amazon Mechanical Turk; a private work team has no price."
