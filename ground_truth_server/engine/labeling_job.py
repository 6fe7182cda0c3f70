"""A labeling job as its request describes it, and the table of jobs with their states."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ground_truth_server.engine.json_text import write_json
from ground_truth_server.engine.s3_location import NotAnS3Uri, S3Location
from ground_truth_server.engine.store import Store

ENDED = frozenset({"Completed", "Failed", "Stopped"})
_PRIVATE_AVAILABILITY_SECONDS = 30 * 24 * 3600  # Ground Truth's default for a private work team
_CONCURRENT_OBJECTS = 1000  # Ground Truth's default
_LONGEST_REASON = 1024


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

    @classmethod
    def from_request(cls, request: Mapping[str, Any], arn: str, key: str | None = None) -> "LabelingJob":
        """Read a request that is valid by SageMaker's model.

        Args:
            request: The request.
            arn: The job's ARN.
            key: What the workspace knows it by; its name if not given.

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
        )

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


@dataclass(frozen=True)
class JobState:
    """What changes in a labeling job.

    Attributes:
        status: ``Initializing``, ``InProgress``, ``Completed``, ``Failed``, ``Stopping`` or ``Stopped``.
        failure_reason: Why it failed, as DescribeLabelingJob tells it.
        created: When it was created, as the store writes moments.
        modified: When its status last changed.
    """

    status: str
    failure_reason: str | None
    created: str
    modified: str


class JobTable:
    """The labeling jobs of the store.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: dict[str, LabelingJob] = {}
        self._templates: dict[str, str] = {}

    def add(
        self,
        database: sqlite3.Connection,
        job: LabelingJob,
        template: str,
        categories: list[str] | None,
        at: str,
    ) -> None:
        """Add a job that begins.

        Raises:
            LabelingJobRefused: If there is a job of this name; upper and lower case are the same.
        """
        if database.execute("SELECT 1 FROM jobs WHERE arn = ?", (job.arn,)).fetchone():
            message = f"A labeling job named {job.name} exists already. Names are used once; choose another."
            raise LabelingJobRefused("ResourceInUse", message)
        database.execute(
            "INSERT INTO jobs (key, arn, request, template, categories, status, created, modified)"
            " VALUES (?, ?, ?, ?, ?, 'Initializing', ?, ?)",
            (
                job.key,
                job.arn,
                write_json(job.request),
                template,
                None if categories is None else write_json(categories),
                at,
                at,
            ),
        )

    def get(self, name: str) -> LabelingJob:
        """Find a job by its name.

        Raises:
            LabelingJobNotFound: If there is none.
        """
        key = name.lower()
        if key not in self._jobs:
            row = self._store.row("SELECT key, request, arn FROM jobs WHERE key = ?", name)
            if row is None:
                raise LabelingJobNotFound(f"There is no labeling job named {name}.")
            self._jobs[key] = LabelingJob.from_request(json.loads(row["request"]), row["arn"], row["key"])
        return self._jobs[key]

    def key_for(self, name: str, arn: str) -> str:
        """Choose what the workspace will know a new job by."""
        if self._store.row("SELECT 1 FROM jobs WHERE key = ?", name) is None:
            return name
        _, _, _, region, account, _ = arn.split(":", 5)
        return f"{name}@{account}.{region}"

    def key_of(self, arn: str) -> str:
        """Find what the workspace knows a job by.

        Raises:
            LabelingJobNotFound: If there is no job of this ARN.
        """
        row = self._store.row("SELECT key FROM jobs WHERE arn = ?", arn)
        if row is None:
            raise LabelingJobNotFound(f"There is no labeling job {arn}.")
        return str(row["key"])

    def list_keys(self, status: str | None = None) -> list[str]:
        """Tell what the workspace knows the jobs by, those of one status or all, the oldest first."""
        condition = "" if status is None else "WHERE status = ?"
        parameters = () if status is None else (status,)
        rows = self._store.rows(f"SELECT key FROM jobs {condition} ORDER BY created, rowid", *parameters)  # noqa: S608
        return [row["key"] for row in rows]

    def state(self, name: str) -> JobState:
        """Tell a job's state.

        Raises:
            LabelingJobNotFound: If there is none of this name.
        """
        query = "SELECT status, failure_reason, created, modified FROM jobs WHERE key = ?"
        row = self._store.row(query, name)
        if row is None:
            raise LabelingJobNotFound(f"There is no labeling job named {name}.")
        return JobState(*row)

    def template(self, name: str) -> str:
        """Give the text of a job's template, as it was when the job was created."""
        key = name.lower()
        if key not in self._templates:
            row = self._store.row("SELECT template FROM jobs WHERE key = ?", name)
            if row is None:
                raise LabelingJobNotFound(f"There is no labeling job named {name}.")
            self._templates[key] = row["template"]
        return self._templates[key]

    def categories(self, name: str) -> list[str] | None:
        """Give the names in a job's label category file, if it has one."""
        row = self._store.row("SELECT categories FROM jobs WHERE key = ?", name)
        found: list[str] | None = json.loads(row["categories"]) if row and row["categories"] else None
        return found

    def manifest_is_read(self, name: str) -> bool:
        """Tell whether all lines of a job's manifest are among the data objects."""
        row = self._store.row("SELECT manifest_read FROM jobs WHERE key = ?", name)
        return bool(row and row["manifest_read"])

    def set_status(
        self, database: sqlite3.Connection, name: str, status: str, at: str, reason: str | None = None
    ) -> None:
        """Change a job's status."""
        database.execute(
            "UPDATE jobs SET status = ?, modified = ?, failure_reason = ? WHERE key = ?",
            (status, at, reason and reason[:_LONGEST_REASON], name),
        )


def _uri(member: str, text: str) -> S3Location:
    try:
        return S3Location.parse(text)
    except NotAnS3Uri as error:
        raise _invalid(f"{member}: {error}") from error


def _invalid(message: str) -> LabelingJobRefused:
    return LabelingJobRefused("ValidationException", message)
