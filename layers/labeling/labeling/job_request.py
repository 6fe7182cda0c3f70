"""The CreateLabelingJob request of a job configuration."""

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
    """

    bucket: str
    role_arn: str
    workteam_arn: str
    pre_labeling_arn: str
    post_labeling_arn: str


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
    return {
        "LabelingJobName": name,
        "LabelAttributeName": job.label_attribute,
        "RoleArn": account.role_arn,
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"{bucket}/{MANIFEST_KEY}"}}},
        "OutputConfig": {"S3OutputPath": f"{bucket}/{OUTPUT_FOLDER}"},
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
