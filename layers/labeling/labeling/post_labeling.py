"""Post-labeling: a batch of workers' answers becomes labels, for Ground Truth and for training."""

import json
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

from labeling import contract, dataset, labels
from labeling.annotations import Answers, Dropped, usable
from labeling.contract import AnnotatedObject, PostLabelingEvent
from labeling.decoding import DecodingError, convert
from labeling.errors import EventError, LabelingError
from labeling.job import RESERVED_NAMES, JobConfiguration
from labeling.labels import LabelLine
from labeling.observability import logger, metrics
from labeling.storage import S3Uri, Storage

# Read into memory whole; a batch of 5,000 objects with 9 workers each has a tenth of it.
MAX_PAYLOAD_BYTES = 50_000_000


class Ballot(NamedTuple):
    """One object on its way to a label.

    Attributes:
        annotated: The object, as the payload has it.
        answers: Of each question, each worker's answer that counts.
        dropped: The answers that don't.
        sources: The S3 URIs of the item's files.
    """

    annotated: AnnotatedObject
    answers: Answers
    dropped: list[Dropped]
    sources: dict[str, str]


class Decided(NamedTuple):
    """One object with its label.

    Attributes:
        ballot: What was answered.
        category: What came of the label's own question, if it has one: ``{"category", "confidence", "votes"}``.
        further: What came of the further questions, by their names.
    """

    ballot: Ballot
    category: dict[str, Any] | None
    further: dict[str, dict[str, Any]]


class PostLabeling:
    """Answers Ground Truth's post-labeling events for one labeling job.

    Args:
        job: What is labeled.
        storage: Its buckets.
        pool: Where calls of S3 run side by side.
        bucket: Where labels for training go; the bucket of the job's output if empty.
    """

    def __init__(self, job: JobConfiguration, storage: Storage, pool: Executor, bucket: str = "") -> None:
        self.job = job
        self.storage = storage
        self.pool = pool
        self.bucket = bucket

    def answer(self, event: object) -> list[dict[str, Any]]:
        """Consolidates a batch, and keeps its labels in S3 for training.

        Args:
            event: As Ground Truth sends it.

        Returns:
            One entry an object, in the payload's order: ``{"datasetObjectId", "consolidatedAnnotation": {"content":
            {label attribute: {label name: category, "confidence": 0 to 1, "votes": {category: count}}}}}``; with what
            came of each further question under its name, as the kinds in `answers` have it.

        Raises:
            LabelingError: If the event or the payload can't be read, or S3 refuses or fails to read answers or to
                keep the labels. A broken answer, object or dataset file never is a reason.
        """
        metrics.add_metric("Batches", "Count", 1)
        request = contract.post_labeling_event(event)
        logger.append_keys(labeling_job=request.labelingJobArn, payload=request.payload.s3Uri)
        ballots = list(self.pool.map(self._ballot, self._annotated_objects(request)))
        decided = self._decide(ballots)
        self._report(decided)
        self._keep(request, decided)
        return [_entry(one, request, self.job) for one in decided]

    def _decide(self, ballots: Sequence[Ballot]) -> list[Decided]:
        """Consolidates the answers to each question."""
        labels = {
            # By place, not by id: should two entries have one id, each keeps its answers.
            question.name: question.consolidate(
                {str(place): ballot.answers[question.name] for place, ballot in enumerate(ballots)},
                self.job.consolidation,
            )
            for question in self.job.asked
        }
        category = labels.pop(self.job.label.name, None)
        return [
            Decided(
                ballot,
                category[str(place)] if category else None,
                {name: of[str(place)] for name, of in labels.items()},
            )
            for place, ballot in enumerate(ballots)
        ]

    def _annotated_objects(self, request: PostLabelingEvent) -> list[AnnotatedObject]:
        uri = request.payload.s3Uri
        try:
            entries = convert(json.loads(self.storage.read(S3Uri.parse(uri), MAX_PAYLOAD_BYTES)), list[Any])
        except (ValueError, RecursionError) as error:
            raise EventError(
                f"{uri} is no payload of a post-labeling event: {error}; expected a JSON list of objects with "
                "datasetObjectId, dataObject and annotations"
            ) from None
        return [
            found for place, entry in enumerate(entries) if (found := _annotated_object(entry, f"{uri}: [{place}]"))
        ]

    def _ballot(self, annotated: AnnotatedObject) -> Ballot:
        answers, dropped = usable(annotated, self.job, self.storage)
        return Ballot(annotated, answers, dropped, self._sources(annotated))

    def _sources(self, annotated: AnnotatedObject) -> dict[str, str]:
        """The item's files: a label is worth keeping even if they have gone."""
        try:
            files = dataset.read(S3Uri.parse(annotated.source or ""), self.job, self.storage)
        except LabelingError as error:
            logger.warning(
                "The label is kept without its sources",
                extra={"object": annotated.datasetObjectId, "reason": str(error)},
            )
            return {}
        return {key: str(uri) for key, uri in files.items()}

    def _report(self, decided: Sequence[Decided]) -> None:
        dropped = [answer for one in decided for answer in one.ballot.dropped]
        for answer in dropped:
            logger.warning("A broken answer is dropped", extra=answer._asdict())
        metrics.add_metric("Objects", "Count", len(decided))
        first = self.job.asked[0].name
        metrics.add_metric("Answers", "Count", sum(len(one.ballot.answers[first]) for one in decided))
        metrics.add_metric("DroppedAnswers", "Count", len(dropped))
        for one in decided:
            if one.category:
                metrics.add_metric("Confidence", "NoUnit", one.category["confidence"])

    def _keep(self, request: PostLabelingEvent, decided: Sequence[Decided]) -> None:
        output = S3Uri.parse(request.outputConfig or request.payload.s3Uri)
        lines = [
            LabelLine(
                object_id=one.ballot.annotated.datasetObjectId,
                dataset_file=one.ballot.annotated.source,
                sources=one.ballot.sources,
                label=one.category["category"] if one.category else None,
                confidence=one.category["confidence"] if one.category else None,
                votes=one.category["votes"] if one.category else {},
                answers=one.further,
                dropped_answers=len(one.ballot.dropped),
                label_attribute=request.labelAttributeName,
                labeling_job=request.labelingJobArn,
            )
            for one in decided
        ]
        uri = labels.batch_uri(request, [line.object_id for line in lines], self.bucket or output.bucket)
        labels.write(uri, lines, self.storage)
        logger.info("The batch has its labels", extra={"labels": str(uri), "objects": len(lines)})


def _annotated_object(entry: object, place: str) -> AnnotatedObject | None:
    """One entry of the payload; nothing if it is so odd that there is no object to answer for."""
    try:
        return convert(entry, AnnotatedObject)
    except DecodingError as error:
        logger.error("An entry of the payload is left out", extra={"entry": place, "reason": str(error)})
        return None


def _entry(one: Decided, request: PostLabelingEvent, job: JobConfiguration) -> dict[str, Any]:
    label: dict[str, Any] = {}
    if one.category:
        label = {job.label.name: one.category["category"]}
        label |= {name: one.category[name] for name in RESERVED_NAMES}
    return {
        "datasetObjectId": one.ballot.annotated.datasetObjectId,
        "consolidatedAnnotation": {"content": {request.labelAttributeName: label | one.further}},
    }
