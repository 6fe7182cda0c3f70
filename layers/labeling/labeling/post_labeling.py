"""Post-labeling: a batch of workers' answers becomes labels, for Ground Truth and for training."""

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

from labeling import contract, dataset, labels
from labeling.annotations import Dropped, usable
from labeling.consolidation import Verdict, consolidate
from labeling.contract import AnnotatedObject, PostLabelingEvent
from labeling.decoding import DecodingError, convert
from labeling.errors import EventError, LabelingError
from labeling.job import JobConfiguration
from labeling.labels import LabelLine
from labeling.observability import logger, metrics
from labeling.storage import S3Uri, Storage

# Read into memory whole; a batch of 5,000 objects with 9 workers each has a tenth of it.
MAX_PAYLOAD_BYTES = 50_000_000


class Ballot(NamedTuple):
    """One object on its way to a label.

    Attributes:
        annotated: The object, as the payload has it.
        votes: The category of each worker whose answer counts.
        dropped: The answers that don't.
        sources: The S3 URIs of the item's files.
    """

    annotated: AnnotatedObject
    votes: dict[str, str]
    dropped: list[Dropped]
    sources: dict[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """How many workers chose each category, most first."""
        return dict(sorted(Counter(self.votes.values()).items(), key=lambda vote: (-vote[1], vote[0])))


Decided = tuple[Ballot, Verdict]


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
            {label attribute: {label name: category, "confidence": 0 to 1, "votes": {category: count}}}}}``.

        Raises:
            LabelingError: If the event or the payload can't be read, or S3 refuses or fails to read answers or to
                keep the labels. A broken answer, object or dataset file never is a reason.
        """
        metrics.add_metric("Batches", "Count", 1)
        request = contract.post_labeling_event(event)
        logger.append_keys(labeling_job=request.labelingJobArn, payload=request.payload.s3Uri)
        ballots = list(self.pool.map(self._ballot, self._annotated_objects(request)))
        # By place, not by id: should two entries have one id, each keeps its votes.
        verdicts = consolidate({str(place): ballot.votes for place, ballot in enumerate(ballots)}, self.job)
        decided = [(ballot, verdicts[str(place)]) for place, ballot in enumerate(ballots)]
        self._report(decided)
        self._keep(request, decided)
        return [_entry(ballot, verdict, request, self.job) for ballot, verdict in decided]

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
        votes, dropped = usable(annotated, self.job.label, self.storage)
        return Ballot(annotated, votes, dropped, self._sources(annotated))

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
        dropped = [answer for ballot, _ in decided for answer in ballot.dropped]
        for answer in dropped:
            logger.warning("A broken answer is dropped", extra=answer._asdict())
        metrics.add_metric("Objects", "Count", len(decided))
        metrics.add_metric("Answers", "Count", sum(len(ballot.votes) for ballot, _ in decided))
        metrics.add_metric("DroppedAnswers", "Count", len(dropped))
        for _, verdict in decided:
            metrics.add_metric("Confidence", "NoUnit", verdict.confidence)

    def _keep(self, request: PostLabelingEvent, decided: Sequence[Decided]) -> None:
        output = S3Uri.parse(request.outputConfig or request.payload.s3Uri)
        lines = [
            LabelLine(
                object_id=ballot.annotated.datasetObjectId,
                dataset_file=ballot.annotated.source,
                sources=ballot.sources,
                label=verdict.category,
                confidence=verdict.confidence,
                votes=ballot.counts,
                dropped_answers=len(ballot.dropped),
                label_attribute=request.labelAttributeName,
                labeling_job=request.labelingJobArn,
            )
            for ballot, verdict in decided
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


def _entry(ballot: Ballot, verdict: Verdict, request: PostLabelingEvent, job: JobConfiguration) -> dict[str, Any]:
    label = {job.label.name: verdict.category, "confidence": verdict.confidence, "votes": ballot.counts}
    return {
        "datasetObjectId": ballot.annotated.datasetObjectId,
        "consolidatedAnnotation": {"content": {request.labelAttributeName: label}},
    }
