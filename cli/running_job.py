"""A labeling job as SageMaker describes it."""

import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from cli.account import AwsAccount
from cli.errors import CommandError, code_of

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeLabelingJobResponseTypeDef, LabelCountersTypeDef

ENDED: Final = frozenset({"Completed", "Failed", "Stopped"})
STYLES: Final = {"Completed": "green", "Failed": "bold red", "Stopped": "yellow", "Stopping": "yellow"}
MAX_NAME: Final = 63
# What is left of a name for the number that makes it new.
MAX_STEM: Final = MAX_NAME - len("-99999")


def describe(name: str, account: AwsAccount) -> "DescribeLabelingJobResponseTypeDef":
    """Asks for a labeling job.

    Raises:
        CommandError: If there is none of that name.
        botocore.exceptions.ClientError: If SageMaker refuses to tell.
    """
    try:
        return account.sagemaker.describe_labeling_job(LabelingJobName=name)
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise
        raise CommandError(
            f"There is no labeling job named {name!r} in {account.region}. “labeling-job list” shows those that are "
            "there."
        ) from None


def total(counters: "LabelCountersTypeDef") -> int:
    """How many data objects a job has; 0 until Ground Truth has read the manifest."""
    parts = (counters.get("TotalLabeled"), counters.get("FailedNonRetryableError"), counters.get("Unlabeled"))
    return sum(part or 0 for part in parts)


def next_name(name: str, account: AwsAccount) -> str:
    """A name that no job has had: the configuration's with the next free number.

    Ground Truth never accepts a name twice, and never forgets a job.
    """
    stem = name[:MAX_STEM].rstrip("-")
    pages = account.sagemaker.get_paginator("list_labeling_jobs").paginate(NameContains=stem)
    jobs = (job["LabelingJobName"] for page in pages for job in page["LabelingJobSummaryList"])
    numbered = (re.fullmatch(rf"{re.escape(stem)}-(\d+)", job, re.IGNORECASE) for job in jobs)
    return f"{stem}-{max((int(match[1]) for match in numbered if match), default=0) + 1}"
