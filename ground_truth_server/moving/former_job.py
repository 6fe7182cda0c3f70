"""A labeling job that began elsewhere, as DescribeLabelingJob printed it or as its CreateLabelingJob request asked."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.model import StructureShape

from ground_truth_server.aws_error import AwsError
from ground_truth_server.engine.aws_functions import PASS_THROUGH, aws_function
from ground_truth_server.engine.s3_location import NotAnS3Uri, S3Location
from ground_truth_server.sagemaker.request_validation import read_request

_EXPECTED = (
    "expected what “aws sagemaker describe-labeling-job --output json” printed, or the file of a CreateLabelingJob "
    "request"
)
_UNDER_WAY = ("Initializing", "InProgress", "Stopping")
_LONGEST_NAME = 63
_ENDING = "-moved"
_JOB_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):labeling-job/.+")


class CantMoveIn(ValueError):
    """A labeling job can't be moved in as asked; the text says why and what to do."""


@dataclass(frozen=True)
class Changes:
    """What is to be different in the new job; what is ``None`` stays as it was.

    Attributes:
        name: Its name; the former one with an ending if not given.
        workteam: The ARN of the work team.
        pre_function: The function that makes task inputs: its ARN, or its name in the former account.
        post_function: The function that makes labels of answers: likewise.
        template: The S3 URI of the worker page's template.
        role: The ARN of the execution role.
        output: The S3 URI of the folder below which the job writes its own.
        workers: How many workers answer each data object.
    """

    name: str | None = None
    workteam: str | None = None
    pre_function: str | None = None
    post_function: str | None = None
    template: str | None = None
    role: str | None = None
    output: str | None = None
    workers: int | None = None


@dataclass(frozen=True)
class FormerJob:
    """A labeling job that began elsewhere.

    Attributes:
        file: Where it is described, as errors name it.
        described: All members that the file holds.
    """

    file: Path
    described: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> "FormerJob":
        """Read a description or a request.

        Raises:
            CantMoveIn: If the file holds neither.
            OSError: If it can't be read.
        """
        raw = file.read_bytes()
        try:
            found = json.loads(raw)  # in UTF-16 as well, which a shell of Windows writes
        except (ValueError, RecursionError) as error:
            raise CantMoveIn(f"{file}: found no JSON ({error}); {_EXPECTED}.") from error
        missing = [name for name in _NEEDED if not isinstance(found, dict) or name not in found]
        if missing:
            raise CantMoveIn(f"{file}: found no {missing[0]}; {_EXPECTED}.")
        job = cls(file, found)
        status = found.get("LabelingJobStatus")
        if status in _UNDER_WAY:
            raise CantMoveIn(
                f"{file}: the job is {status} there, and its workers would label what is labeled here too. Stop it "
                f"(aws sagemaker stop-labeling-job --labeling-job-name {job.name}), wait until it is Stopped, and "
                "describe it again."
            )
        return job

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.described["LabelingJobName"])

    @property
    def label_attribute(self) -> str:
        """The label's key in its output manifest."""
        return str(self.described["LabelAttributeName"])

    @property
    def workers(self) -> int:
        """How many workers answered each data object."""
        return int(self.described["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"])

    @property
    def manifest(self) -> S3Location:
        """Its input manifest.

        Raises:
            CantMoveIn: If it had none.
        """
        try:
            return self._uri("ManifestS3Uri", self.described["InputConfig"]["DataSource"]["S3DataSource"])
        except (KeyError, TypeError) as error:
            raise CantMoveIn(
                f"{self.file}: InputConfig.DataSource: found no S3DataSource. Streaming labeling jobs, which take "
                "objects from an SNS topic, can't be moved in: make a manifest of the objects that have no label yet, "
                "and create a labeling job with it."
            ) from error

    @property
    def output(self) -> S3Location:
        """The folder that it wrote to."""
        return self._uri("S3OutputPath", self.described["OutputConfig"]).below(self.name)

    def request(self, changes: Changes, region: str) -> dict[str, Any]:
        """Make the request of the job that goes on here; its manifest is the former one's still.

        Args:
            changes: What is different in it.
            region: The region of functions that are given by name, where nothing else says it.

        Raises:
            CantMoveIn: With all that keeps the job from being moved in, and what to do.
        """
        text = json.dumps({**self.described, "Tags": self._own_tags()}, default=str)
        try:
            request = read_request(_create_labeling_job(), text.encode())
        except AwsError as error:
            raise CantMoveIn(f"{self.file}: {error}") from error
        self._change(request, changes, region)
        problems = list(_problems(request))
        if problems:
            raise CantMoveIn(
                f"{self.file}: the labeling job {self.name} can't be moved in as it is. {' '.join(problems)}"
            )
        if not request["Tags"]:
            del request["Tags"]
        return request

    def _change(self, request: dict[str, Any], changes: Changes, region: str) -> None:
        task = request["HumanTaskConfig"]
        request["LabelingJobName"] = changes.name or _new_name(self.name)
        if changes.workteam:
            task["WorkteamArn"] = changes.workteam
            task.pop("PublicWorkforceTaskPrice", None)  # a team of one's own has no price
        if changes.pre_function:
            task["PreHumanTaskLambdaArn"] = self._function(changes.pre_function, region)
        if changes.post_function:
            function = self._function(changes.post_function, region)
            task["AnnotationConsolidationConfig"] = {"AnnotationConsolidationLambdaArn": function}
        if changes.template:
            task["UiConfig"] = {"UiTemplateS3Uri": changes.template}
        if changes.workers:
            task["NumberOfHumanWorkersPerDataObject"] = changes.workers
        if changes.role:
            request["RoleArn"] = changes.role
        if changes.output:
            request["OutputConfig"]["S3OutputPath"] = changes.output

    def _function(self, named: str, region: str) -> str:
        if named.startswith("arn:"):
            return named
        own = _JOB_ARN.fullmatch(str(self.described.get("LabelingJobArn", "")))
        account = own["account"] if own else str(self.described.get("RoleArn", "")).split(":")[4:5]
        account = account if isinstance(account, str) else "".join(account)
        return f"arn:aws:lambda:{own['region'] if own else region}:{account}:function:{named}"

    def _own_tags(self) -> list[Any]:
        """Tags but for those that AWS's services give, which can't be asked for."""
        tags = self.described.get("Tags") or []
        return [tag for tag in tags if not str(tag.get("Key", "")).lower().startswith("aws:")]

    def _uri(self, member: str, holder: Mapping[str, Any]) -> S3Location:
        try:
            return S3Location.parse(str(holder[member]))
        except (NotAnS3Uri, KeyError) as error:
            raise CantMoveIn(f"{self.file}: {member}: {error}") from error


_NEEDED = ("LabelingJobName", "LabelAttributeName", "InputConfig", "OutputConfig", "HumanTaskConfig", "RoleArn")


def _create_labeling_job() -> StructureShape:
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateLabelingJob").input_shape
    assert shape is not None  # noqa: S101  (the operation takes a request)
    return shape


def _new_name(former: str) -> str:
    return former[: _LONGEST_NAME - len(_ENDING)].rstrip("-") + _ENDING


def _problems(request: Mapping[str, Any]) -> Iterator[str]:
    task, account = request["HumanTaskConfig"], request["RoleArn"].split(":")[4]
    if "LabelingJobAlgorithmsConfig" in request:
        yield (
            "LabelingJobAlgorithmsConfig: automated labeling isn't there. Take the member out of the file: the labels "
            "that the model gave are kept, and people label the rest."
        )
    if "UiTemplateS3Uri" not in task["UiConfig"]:
        found = task["UiConfig"].get("HumanTaskUiArn", "no UiTemplateS3Uri")
        yield (
            f"UiConfig: found {found}, the worker page of a built-in task type, which only AWS has. Name a template of "
            "your own with --template s3://BUCKET/KEY."
        )
    if "SnsDataSource" in request["InputConfig"]["DataSource"]:
        yield "SnsDataSource: streaming labeling jobs aren't there. Make a manifest of the objects without a label."
    consolidation = task.get("AnnotationConsolidationConfig", {})
    for option, arn in (
        ("--pre-function", task.get("PreHumanTaskLambdaArn", "")),
        ("--post-function", consolidation.get("AnnotationConsolidationLambdaArn", "")),
    ):
        if aws_function(arn, account) not in (None, *PASS_THROUGH):
            yield f"{arn} is AWS's own function of a built-in task type. Name one of your own with {option}."
    team = task["WorkteamArn"].rpartition(":workteam/")[2].partition("/")[0]
    if team in ("vendor-crowd", "public-crowd"):
        who = "a vendor's workers" if team == "vendor-crowd" else "Mechanical Turk"
        yield f"WorkteamArn: {task['WorkteamArn']} is {who}, which aren't there. Name a team with --workteam."
