"""What Ground Truth sends to a custom labeling job's functions, and what it wants back.

See "Custom labeling workflows" in the Amazon SageMaker Developer Guide. Unknown members are ignored: the service adds
some without notice.
"""

from typing import Any, TypeVar

import msgspec

from labeling.decoding import DecodingError, convert
from labeling.errors import EventError
from labeling.job import JobConfiguration

# An S3 URI has at most 1,093.
MAX_LOGGED_CHARACTERS = 1_100


class PreLabelingEvent(msgspec.Struct, frozen=True):
    """Sent once for each data object, before any worker sees it.

    Attributes:
        labelingJobArn: The running labeling job.
        dataObject: The line of the manifest.
        version: Of the contract; real jobs send 2018-10-06 as well as 2018-10-16.
    """

    labelingJobArn: str
    dataObject: dict[str, Any]
    version: str = ""

    @property
    def item(self) -> str:
        """What logs call the item: its dataset file, or the names of what its line holds: lines may hold anything."""
        try:
            uri = self.dataset_uri
        except EventError:
            return f"a manifest line with {', '.join(map(repr, list(self.dataObject)[:20]))}"[:MAX_LOGGED_CHARACTERS]
        uri = uri.encode(errors="backslashreplace").decode()  # half a character can't be written to a log
        return uri[:MAX_LOGGED_CHARACTERS] if uri.startswith("s3://") else "a manifest line without an S3 URI"

    @property
    def dataset_uri(self) -> str:
        """The S3 URI of the dataset file.

        Raises:
            EventError: If the manifest line has no text under ``source-ref`` or ``source``.
        """
        for key in ("source-ref", "source"):
            value = self.dataObject.get(key)
            if isinstance(value, str) and value.strip():
                return value.strip()
        found = ", ".join(map(repr, list(self.dataObject)[:20]))[:MAX_LOGGED_CHARACTERS] or "nothing"
        raise EventError(
            f"{self.labelingJobArn}: a manifest line holds {found}; expected 'source-ref' or 'source' with the S3 URI "
            "of a dataset file; mend the line and start the job under a new name"
        )


class AnnotationData(msgspec.Struct, frozen=True):
    """A worker's answer: the submitted form as a JSON string, or where that string lies."""

    content: str | None = None
    s3Uri: str | None = None


class Annotation(msgspec.Struct, frozen=True):
    """One worker's annotation of a data object."""

    workerId: str
    annotationData: AnnotationData


class PayloadDataObject(msgspec.Struct, frozen=True):
    """What a manifest line was about: its ``source`` as ``content``, or its ``source-ref`` as ``s3Uri``."""

    content: Any = None
    s3Uri: Any = None

    @property
    def value(self) -> str | None:
        """The one that is there, if it is text."""
        value = self.s3Uri or self.content
        return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else None


class AnnotatedObject(msgspec.Struct, frozen=True):
    """A data object with its workers' annotations, as it stands in the payload file."""

    datasetObjectId: str
    dataObject: PayloadDataObject | None = None
    annotations: Any = None

    @property
    def source(self) -> str | None:
        """What the manifest line named."""
        return self.dataObject.value if self.dataObject else None


class Payload(msgspec.Struct, frozen=True):
    """Where a batch of annotated objects lies."""

    s3Uri: str


class PostLabelingEvent(msgspec.Struct, frozen=True):
    """Sent with each batch of objects whose workers answered, or ran out of time."""

    labelingJobArn: str
    labelAttributeName: str
    payload: Payload
    outputConfig: str | None = None
    labelCategories: list[str] | None = None
    version: str = ""


def pre_labeling_event(event: object) -> PreLabelingEvent:
    """Reads the event of a pre-labeling function.

    Raises:
        EventError: If a member is missing or of another type.
    """
    return _read(event, PreLabelingEvent, "pre-labeling")


def post_labeling_event(event: object) -> PostLabelingEvent:
    """Reads the event of a post-labeling function.

    Raises:
        EventError: If a member is missing or of another type.
    """
    return _read(event, PostLabelingEvent, "post-labeling")


def task(task_input: dict[str, Any], *, for_workers: bool) -> dict[str, Any]:
    """The answer of a pre-labeling function: a string says whether workers are needed, as deployed functions do."""
    return {"taskInput": task_input, "isHumanAnnotationRequired": "true" if for_workers else "false"}


def job_name(labeling_job_arn: str) -> str:
    """The last part of a labeling job's ARN, which Ground Truth writes in lower case."""
    return labeling_job_arn.rpartition("/")[2] or "labeling-job"


def existing_label(event: PreLabelingEvent, job: JobConfiguration) -> str | None:
    """The category that the manifest line already carries for this job, if any; a question's name where it has none.

    It stands under the label attribute of the configuration, or under the job's own name, which the console
    proposes as the label attribute.
    """
    running = job_name(event.labelingJobArn).lower()
    for key, value in event.dataObject.items():
        if key == job.label_attribute or key.lower() == running:
            label = value if isinstance(value, dict) else {}
            if label.get(job.label.name) in job.label.category_names:
                return str(label[job.label.name])
            if not job.label.categories and (named := next((q.name for q in job.questions if q.name in label), None)):
                return named
    return None


Event = TypeVar("Event", PreLabelingEvent, PostLabelingEvent)


def _read(event: object, type_: type[Event], function: str) -> Event:
    try:
        return convert(event, type_)
    except DecodingError as error:
        raise EventError(
            f"this is not a {function} event of Ground Truth: {error}; events/ holds samples of such events"
        ) from None
