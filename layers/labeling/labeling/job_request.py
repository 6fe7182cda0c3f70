"""The CreateLabelingJob request of a job configuration."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from labeling.data_folder import MANIFEST_KEY
from labeling.job import JobConfiguration

WORKER_PAGE_KEY = "worker-page/worker-task.liquid.html"
OUTPUT_FOLDER = "output"


class JobResources(NamedTuple):
    """What a labeling job needs of the account it runs in.

    Attributes:
        bucket: Where its data lies and its output goes.
        role_arn: The role it runs under.
        workteam_arn: Who labels.
        pre_labeling_arn: The pre-labeling function.
        post_labeling_arn: The post-labeling function.
        kms_key_arn: The key that encrypts its output; empty for the bucket's own.
        tags: Its tags, by key.
        manifest: The key of its manifest in the bucket.
    """

    bucket: str
    role_arn: str
    workteam_arn: str
    pre_labeling_arn: str
    post_labeling_arn: str
    kms_key_arn: str = ""
    tags: Mapping[str, str] = MappingProxyType({})
    manifest: str = MANIFEST_KEY


def create_labeling_job(job: JobConfiguration, name: str, account: JobResources) -> dict[str, Any]:
    """Writes the request that starts a labeling job.

    Args:
        job: The job configuration.
        name: The labeling job's name, never used before in the account and region.
        account: Where it runs.

    Returns:
        The members of SageMaker's CreateLabelingJob.
    """
    bucket = f"s3://{account.bucket}"
    output = {"S3OutputPath": f"{bucket}/{OUTPUT_FOLDER}"}
    if account.kms_key_arn:
        output["KmsKeyId"] = account.kms_key_arn
    request: dict[str, Any] = {
        "LabelingJobName": name,
        "LabelAttributeName": job.label_attribute,
        "RoleArn": account.role_arn,
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"{bucket}/{account.manifest}"}}},
        "OutputConfig": output,
        "HumanTaskConfig": {
            "WorkteamArn": account.workteam_arn,
            "UiConfig": {"UiTemplateS3Uri": f"{bucket}/{WORKER_PAGE_KEY}"},
            "PreHumanTaskLambdaArn": account.pre_labeling_arn,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": account.post_labeling_arn},
            "TaskTitle": job.title,
            "TaskDescription": job.description,
            "TaskKeywords": list(job.keywords),
            "NumberOfHumanWorkersPerDataObject": job.workers.per_object,
            "TaskTimeLimitInSeconds": job.workers.task_time_limit_seconds,
            "TaskAvailabilityLifetimeInSeconds": job.workers.task_availability_seconds,
            "MaxConcurrentTaskCount": job.workers.max_concurrent_tasks,
        },
    }
    if account.tags:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in account.tags.items()]
    return request


def tags(text: str) -> dict[str, str]:
    """Reads tags as the stack's parameter ``JobTags`` has them: ``CostCenter=42,Team=Welding``.

    Raises:
        ValueError: If one has no ``=``, or no name before it.
    """
    found: dict[str, str] = {}
    for tag in filter(None, text.split(",")):
        key, separator, value = tag.partition("=")
        if not separator or not key.strip():
            raise ValueError(f"{tag!r} is no tag; expected NAME=VALUE, as CostCenter=42,Team=Welding")
        found[key.strip()] = value.strip()
    return found
