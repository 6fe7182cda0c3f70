"""A labeling job as its request describes it, and the table of jobs with their states."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ground_truth_server.engine.s3_location import NotAnS3Uri, S3Location
from ground_truth_server.records.jobs import JobRecord, JobState
from ground_truth_server.records.records import Records

ENDED = frozenset({"Completed", "Failed", "Stopped"})
_PRIVATE_AVAILABILITY_SECONDS = 30 * 24 * 3600  # Ground Truth's default for a private work team
_CONCURRENT_OBJECTS = 1000  # Ground Truth's default


class LabelingJobNotFound(LookupError):
    """There is no labeling job of this name."""


class LabelingJobRefused(Exception):
    """A labeling job can't be created as asked.

    Attributes:
        code: The error that SageMaker answers: ``ValidationException`` or ``ResourceInUse``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class LabelingJob:
    """What a CreateLabelingJob request asks for.

    Attributes:
        key: What the workspace knows it by: its name, and where a job of another account or region has that already,
            ``NAME@ACCOUNT.REGION``. No name holds an ``@``.
        name: The job's name.
        arn: Its ARN.
        request: The whole request.
        label_attribute: The label's key in the output manifest.
        manifest: The input manifest.
        output: The folder of the job's output, ``S3OutputPath/NAME``.
        template: The worker page's template.
        categories: The label category file, if there is one.
        pre_annotation: The function called for each data object, if there is one.
        consolidation: The function that makes labels of answers, if there is one.
        workers_per_object: How many workers answer each data object.
        time_limit: Seconds that a worker has for a task.
        availability: Seconds that a data object stays available to workers.
        concurrent_objects: How many data objects are with workers at once, at most.
        most_labeled: Stop when so many objects have been labeled by people.
        most_percent: Stop when so many percent of the objects have been labeled.
        owner: The person who created it, or the access key; ``None`` if nobody had to say.
    """

    key: str
    name: str
    arn: str
    request: Mapping[str, Any]
    label_attribute: str
    manifest: S3Location
    output: S3Location
    template: S3Location
    categories: S3Location | None
    pre_annotation: str | None
    consolidation: str | None
    workers_per_object: int
    time_limit: int
    availability: int
    concurrent_objects: int
    most_labeled: int | None
    most_percent: int | None
    owner: str | None = None

    @classmethod
    def from_request(
        cls, request: Mapping[str, Any], arn: str, key: str | None = None, owner: str | None = None
    ) -> "LabelingJob":
        """Read a request that is valid by SageMaker's model.

        Args:
            request: The request.
            arn: The job's ARN.
            key: What the workspace knows it by; its name if not given.
            owner: Who creates it.

        Raises:
            LabelingJobRefused: If it asks for what a custom labeling job with a manifest can't have.
        """
        name, attribute, task = (
            request["LabelingJobName"],
            request["LabelAttributeName"],
            request["HumanTaskConfig"],
        )
        for ending in ("-metadata", "-ref"):
            if attribute.endswith(ending):
                raise _invalid(
                    f"LabelAttributeName: found {attribute!r}, expected a name that does not end in {ending}"
                )
        source = request["InputConfig"]["DataSource"].get("S3DataSource")
        if source is None:
            raise _invalid("InputConfig.DataSource: found no S3DataSource, expected one with the manifest's S3 URI")
        if "UiTemplateS3Uri" not in task["UiConfig"]:
            raise _invalid("HumanTaskConfig.UiConfig: found no UiTemplateS3Uri, expected the template's S3 URI")
        categories = request.get("LabelCategoryConfigS3Uri")
        stop = request.get("StoppingConditions") or {}
        return cls(
            key=key or name,
            name=name,
            arn=arn,
            request=request,
            label_attribute=attribute,
            manifest=_uri("ManifestS3Uri", source["ManifestS3Uri"]),
            output=_uri("S3OutputPath", request["OutputConfig"]["S3OutputPath"]).below(name),
            template=_uri("UiTemplateS3Uri", task["UiConfig"]["UiTemplateS3Uri"]),
            categories=_uri("LabelCategoryConfigS3Uri", categories) if categories else None,
            pre_annotation=task.get("PreHumanTaskLambdaArn"),
            consolidation=(task.get("AnnotationConsolidationConfig") or {}).get("AnnotationConsolidationLambdaArn"),
            workers_per_object=task["NumberOfHumanWorkersPerDataObject"],
            time_limit=task["TaskTimeLimitInSeconds"],
            availability=task.get("TaskAvailabilityLifetimeInSeconds", _PRIVATE_AVAILABILITY_SECONDS),
            concurrent_objects=task.get("MaxConcurrentTaskCount", _CONCURRENT_OBJECTS),
            most_labeled=stop.get("MaxHumanLabeledObjectCount"),
            most_percent=stop.get("MaxPercentageOfInputDatasetLabeled"),
            owner=owner,
        )

    @property
    def workteam(self) -> str:
        """The ARN of the work team that it is given to."""
        return str(self.request["HumanTaskConfig"]["WorkteamArn"])

    @property
    def region(self) -> str:
        """The region of its ARN."""
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        """The account of its ARN."""
        return self.arn.split(":")[4]

    @property
    def role_arn(self) -> str:
        """The role that Ground Truth takes on for it."""
        return str(self.request["RoleArn"])

    @property
    def kms_key_id(self) -> str | None:
        """The key that its output is encrypted with, if the request names one."""
        key: str | None = self.request["OutputConfig"].get("KmsKeyId")
        return key

    @property
    def output_manifest(self) -> S3Location:
        """Where its labels end up."""
        return self.output.below("manifests/output/output.manifest")


class JobTable:
    """The labeling jobs of the records, as the engine works with them.

    Args:
        records: The records.
    """

    def __init__(self, records: Records) -> None:
        self._records = records.jobs
        self._jobs: dict[str, LabelingJob] = {}
        self._templates: dict[str, str] = {}

    def add(self, job: LabelingJob, template: str, categories: list[str] | None, at: str) -> None:
        """Add a job that begins.

        Raises:
            LabelingJobRefused: If there is a job of this name; upper and lower case are the same.
        """
        if not self._records.add(JobRecord(job.key, job.arn, job.request, job.owner), template, categories, at):
            message = f"A labeling job named {job.name} exists already. Names are used once; choose another."
            raise LabelingJobRefused("ResourceInUse", message)

    def get(self, name: str) -> LabelingJob:
        """Find a job by its name.

        Raises:
            LabelingJobNotFound: If there is none.
        """
        key = name.lower()
        if key not in self._jobs:
            found = self._records.find(name)
            if found is None:
                raise _not_found(name)
            self._jobs[key] = LabelingJob.from_request(found.request, found.arn, found.key, found.owner)
        return self._jobs[key]

    def key_for(self, name: str, arn: str) -> str:
        """Choose what the workspace will know a new job by."""
        if not self._records.has(name):
            return name
        _, _, _, region, account, _ = arn.split(":", 5)
        return f"{name}@{account}.{region}"

    def key_of(self, arn: str) -> str:
        """Find what the workspace knows a job by.

        Raises:
            LabelingJobNotFound: If there is no job of this ARN.
        """
        found = self._records.key_of(arn)
        if found is None:
            raise LabelingJobNotFound(f"There is no labeling job {arn}.")
        return found

    def list_keys(self, status: str | None = None) -> list[str]:
        """Tell what the workspace knows the jobs by, those of one status or all, the oldest first."""
        return self._records.keys(status)

    def state(self, name: str) -> JobState:
        """Tell a job's state.

        Raises:
            LabelingJobNotFound: If there is none of this name.
        """
        found = self._records.state(name)
        if found is None:
            raise _not_found(name)
        return found

    def template(self, name: str) -> str:
        """Give the text of a job's template, as it was when the job was created.

        Raises:
            LabelingJobNotFound: If there is none of this name.
        """
        key = name.lower()
        if key not in self._templates:
            found = self._records.template(name)
            if found is None:
                raise _not_found(name)
            self._templates[key] = found
        return self._templates[key]


def _not_found(name: str) -> LabelingJobNotFound:
    return LabelingJobNotFound(f"There is no labeling job named {name}.")


def _uri(member: str, text: str) -> S3Location:
    try:
        return S3Location.parse(text)
    except NotAnS3Uri as error:
        raise _invalid(f"{member}: {error}") from error


def _invalid(message: str) -> LabelingJobRefused:
    return LabelingJobRefused("ValidationException", message)
