"""A labeling job of one configuration, by AWS's own clients: its bucket is filled, and a run of it started."""

import re
from typing import TYPE_CHECKING, Any, Final

from labeling import worker_page
from labeling.data_folder import DataFolder
from labeling.job import JobConfiguration
from labeling.job_request import WORKER_PAGE_KEY, JobResources, create_labeling_job
from rich.console import Console
from rich.markup import escape
from rich.progress import track

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

# The bucket's name is the name of the folder with its objects: build/demo/bucket.
BUCKET = "bucket"
REGION: Final = "eu-west-1"
_ARN = "arn:aws:{service}:" + REGION + ":111122223333:{resource}"
ACCOUNT = JobResources(
    bucket=BUCKET,
    role_arn="arn:aws:iam::111122223333:role/GroundTruthRole",
    workteam_arn=_ARN.format(service="sagemaker", resource="workteam/private-crowd/everyone"),
    pre_labeling_arn=_ARN.format(service="lambda", resource="function:PreLabelingFunction"),
    post_labeling_arn=_ARN.format(service="lambda", resource="function:PostLabelingFunction"),
)
# As the stack's bucket has it: workers' browsers load the pictures from another origin.
_CORS: Any = {
    "CORSRules": [
        {
            "AllowedMethods": ["GET"],
            "AllowedOrigins": ["*"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["Access-Control-Allow-Origin"],
        }
    ]
}


def fill_bucket(s3: "S3Client", job: JobConfiguration, data: DataFolder, page: str, console: Console) -> None:
    """Put items, manifest and worker page into the bucket; what is there is replaced.

    Args:
        s3: Where.
        job: The job.
        data: Its items.
        page: The worker page's template.
        console: Where the progress is shown.
    """
    for remark in data.remarks:
        console.print(f"[yellow]Note:[/yellow] {escape(remark)}", soft_wrap=True)
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration=_CORS)
    objects = list(data.objects(BUCKET))
    for key, body, content_type in track(objects, "Filling the bucket", console=console, transient=True):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=content_type)
    body = worker_page.page(job, page).encode()
    s3.put_object(Bucket=BUCKET, Key=WORKER_PAGE_KEY, Body=body, ContentType="text/html; charset=utf-8")


def job_names(sagemaker: "SageMakerClient") -> list[str]:
    """Name all labeling jobs, the first one first."""
    pages = sagemaker.get_paginator("list_labeling_jobs").paginate(SortOrder="Ascending")
    return [job["LabelingJobName"] for page in pages for job in page["LabelingJobSummaryList"]]


def runs_among(names: list[str], job: JobConfiguration) -> list[str]:
    """Choose a job's runs, the first one first."""
    ours = re.compile(re.escape(job.name) + r"-\d+")
    return sorted(filter(ours.fullmatch, names), key=_number)


def start_run(sagemaker: "SageMakerClient", job: JobConfiguration) -> str:
    """Start a labeling job under the next free name, by SageMaker's API, and give its name."""
    runs = runs_among(job_names(sagemaker), job)
    name = f"{job.name}-{_number(runs[-1]) + 1 if runs else 1}"
    sagemaker.create_labeling_job(**create_labeling_job(job, name, ACCOUNT))
    return name


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
