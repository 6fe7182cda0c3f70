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
from labeling.errors import EventError, ItemError
from labeling.job import LabelingJob
from labeling.labels import LabelLine
from labeling.observability import logger, metrics
from labeling.storage import S3Uri, Storage

MAX_PAYLOAD_BYTES = 500_000_000


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


class PostLabeling:
    """Answers Ground Truth's post-labeling events for one labeling job.

    Args:
        job: What is labeled.
        storage: Its buckets.
        pool: Where calls of S3 run side by side.
        bucket: Where labels for training go; the bucket of the job's output if empty.
    """

    def __init__(self, job: LabelingJob, storage: Storage, pool: Executor, bucket: str = "") -> None:
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
            LabelingError: If the event or the payload can't be read, or S3 refuses or fails. A broken answer or
                object never is a reason.
        """
        metrics.add_metric("Batches", "Count", 1)
        request = contract.post_labeling_event(event)
        logger.append_keys(labeling_job=request.labelingJobArn, payload=request.payload.s3Uri)
        ballots = list(self.pool.map(self._ballot, self._annotated_objects(request)))
        verdicts = consolidate({ballot.annotated.datasetObjectId: ballot.votes for ballot in ballots}, self.job)
        self._report(ballots, verdicts)
        self._keep(request, ballots, verdicts)
        return [_entry(ballot, verdicts, request, self.job) for ballot in ballots]

    def _annotated_objects(self, request: PostLabelingEvent) -> list[AnnotatedObject]:
        uri = request.payload.s3Uri
        try:
            return convert(json.loads(self.storage.read(S3Uri.parse(uri), MAX_PAYLOAD_BYTES)), list[AnnotatedObject])
        except (ValueError, DecodingError) as error:
            raise EventError(
                f"{uri} is no payload of a post-labeling event: {error}; expected a JSON list of objects with "
                "datasetObjectId, dataObject and annotations"
            ) from None

    def _ballot(self, annotated: AnnotatedObject) -> Ballot:
        votes, dropped = usable(annotated, self.job.label, self.storage)
        return Ballot(annotated, votes, dropped, self._sources(annotated))

    def _sources(self, annotated: AnnotatedObject) -> dict[str, str]:
        """The item's files: a label is worth keeping even if they have gone."""
        try:
            files = dataset.read(S3Uri.parse(annotated.dataObject.value or ""), self.job, self.storage)
        except ItemError as error:
            logger.warning(
                "The label is kept without its sources",
                extra={"object": annotated.datasetObjectId, "reason": str(error)},
            )
            return {}
        return {key: str(uri) for key, uri in files.items()}

    def _report(self, ballots: Sequence[Ballot], verdicts: dict[str, Verdict]) -> None:
        dropped = [answer for ballot in ballots for answer in ballot.dropped]
        for answer in dropped:
            logger.warning("A broken answer is dropped", extra=answer._asdict())
        metrics.add_metric("Objects", "Count", len(ballots))
        metrics.add_metric("Answers", "Count", sum(len(ballot.votes) for ballot in ballots))
        metrics.add_metric("DroppedAnswers", "Count", len(dropped))
        for verdict in verdicts.values():
            metrics.add_metric("Confidence", "NoUnit", verdict.confidence)

    def _keep(self, request: PostLabelingEvent, ballots: Sequence[Ballot], verdicts: dict[str, Verdict]) -> None:
        output = S3Uri.parse(request.outputConfig or request.payload.s3Uri)
        ids = [ballot.annotated.datasetObjectId for ballot in ballots]
        lines = [
            LabelLine(
                object_id=ballot.annotated.datasetObjectId,
                dataset_file=ballot.annotated.dataObject.value,
                sources=ballot.sources,
                label=verdicts[ballot.annotated.datasetObjectId].category,
                confidence=verdicts[ballot.annotated.datasetObjectId].confidence,
                votes=ballot.counts,
                dropped_answers=len(ballot.dropped),
                label_attribute=request.labelAttributeName,
                labeling_job=request.labelingJobArn,
            )
            for ballot in ballots
        ]
        uri = labels.batch_uri(request, ids, self.bucket or output.bucket)
        labels.write(uri, lines, self.storage)
        logger.info("The batch has its labels", extra={"labels": str(uri), "objects": len(lines)})


def _entry(
    ballot: Ballot, verdicts: dict[str, Verdict], request: PostLabelingEvent, job: LabelingJob
) -> dict[str, Any]:
    verdict = verdicts[ballot.annotated.datasetObjectId]
    label = {job.label.name: verdict.category, "confidence": verdict.confidence, "votes": ballot.counts}
    return {
        "datasetObjectId": ballot.annotated.datasetObjectId,
        "consolidatedAnnotation": {"content": {request.labelAttributeName: label}},
    }
