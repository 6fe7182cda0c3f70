"""Post-labeling: a batch of workers' answers becomes labels, for Ground Truth and for training."""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

from labeling import consolidation_request, contract, dataset, evidence, labels
from labeling.annotations import Answers, Dropped, repeated, usable
from labeling.answers import AnyQuestion, CategoryQuestion
from labeling.consolidation_request import Request
from labeling.contract import AnnotatedObject, PostLabelingEvent
from labeling.errors import LabelingError
from labeling.evidence import Evidence, Found
from labeling.job import RESERVED_NAMES, JobConfiguration
from labeling.labels import LabelLine
from labeling.observability import logger, metrics
from labeling.storage import S3Uri, Storage


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
        category: What came of the label's own question, if it has one: ``{"category", "confidence", "votes"}``, and
            more as `CategoryQuestion.consolidate` has it.
        further: What came of the further questions, by their names.
    """

    ballot: Ballot
    category: dict[str, Any] | None
    further: dict[str, dict[str, Any]]


class PostLabeling:
    """Answers Ground Truth's post-labeling events for one labeling job.

    A strategy that learns whom to trust learns it from the job's earlier batches, too.

    Args:
        job: What is labeled.
        storage: Its buckets.
        pool: Where calls of S3 run side by side.
        bucket: Where labels for training go, and what is learned from; the bucket of the job's output if empty.
    """

    def __init__(self, job: JobConfiguration, storage: Storage, pool: Executor, bucket: str = "") -> None:
        self.job = job
        self.storage = storage
        self.pool = pool
        self.bucket = bucket

    @property
    def evidence(self) -> evidence.Reader:
        """What the job's earlier batches tell."""
        return evidence.Reader(self.job, self.storage, self.pool, self.bucket)

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
        payload = consolidation_request.read(S3Uri.parse(request.payload.s3Uri), self.storage)
        ballots = list(self.pool.map(self._ballot, payload.objects))
        found = self.evidence.before(request)
        decided = decide(ballots, self.job, found.evidence)
        _report_input(payload)
        self._report_evidence(found)
        self._report(decided)
        self._keep(request, decided)
        return [_entry(one, request, self.job) for one in decided]

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

    def _report_evidence(self, found: Found) -> None:
        if not evidence.is_learned(self.job):
            return
        metrics.add_metric("EarlierObjects", "Count", len(found.evidence.objects))
        metrics.add_metric("LostRequests", "Count", len(found.lost))
        metrics.add_metric("EarlierDroppedAnswers", "Count", found.dropped)
        metrics.add_metric("EvidenceUnavailable", "Count", int(bool(found.without)))
        if found.without:
            logger.warning("The batch is decided by itself, without the job's earlier ones: %s", found.without)
        left_out = {
            "lost": len(found.lost),
            "first": found.lost[:1],
            "dropped_answers": found.dropped,
            "left_to_the_next_batch": found.unread,
        }
        if any(left_out.values()):
            logger.warning("Some of the job's earlier batches are left out", extra=left_out)

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
                evidence=one.category.get("evidence") if one.category else None,
                strategy=one.category.get("strategy") if one.category else None,
                dropped_answers=len(one.ballot.dropped),
                label_attribute=request.labelAttributeName,
                labeling_job=request.labelingJobArn,
            )
            for one in decided
        ]
        uri = labels.batch_uri(request, [line.object_id for line in lines], self.bucket or output.bucket)
        labels.write(uri, lines, self.storage)
        logger.info("The batch has its labels", extra={"labels": str(uri), "objects": len(lines)})


def decide(ballots: Sequence[Ballot], job: JobConfiguration, earlier: Evidence) -> list[Decided]:
    """Consolidates the answers to each question.

    Args:
        ballots: The objects of a batch.
        job: What was asked.
        earlier: The answers to the job's other objects.
    """
    labels = {question.name: _labels(question, ballots, job, earlier) for question in job.asked}
    category = labels.pop(job.label.name, None)
    return [
        Decided(
            ballot,
            category[str(place)] if category else None,
            {name: of[str(place)] for name, of in labels.items()},
        )
        for place, ballot in enumerate(ballots)
    ]


def _labels(
    question: AnyQuestion, ballots: Sequence[Ballot], job: JobConfiguration, earlier: Evidence
) -> dict[str, dict[str, Any]]:
    # By place, not by id: should two entries have one id, each keeps its answers.
    answers = {str(place): ballot.answers[question.name] for place, ballot in enumerate(ballots)}
    if not isinstance(question, CategoryQuestion) or not evidence.is_learned(job):
        return question.consolidate(answers, job.consolidation)
    known = earlier.of(question.name, but=[ballot.annotated.datasetObjectId for ballot in ballots])
    by_digest = {
        place: {evidence.digest(worker): category for worker, category in of.items()} for place, of in answers.items()
    }
    return question.consolidate(by_digest, job.consolidation, known)


def _report_input(payload: Request) -> None:
    """Counts what is odd in a payload, and logs each kind of it once."""
    ids = [one.datasetObjectId for one in payload.objects]
    odd = {
        "LeftOutEntries": (len(payload.left_out), "Entries of the payload are left out: none of them is an object"),
        "RepeatedObjects": (len(ids) - len(set(ids)), "Objects stand in the payload twice: each is answered for"),
        "RepeatedAnswers": (sum(map(repeated, payload.objects)), "Workers answered twice: their last answers count"),
    }
    for name, (number, message) in odd.items():
        metrics.add_metric(name, "Count", number)
        if number:
            first = {"first": payload.left_out[0]} if name == "LeftOutEntries" else {}
            logger.warning(message, extra={"number": number, **first})


def _entry(one: Decided, request: PostLabelingEvent, job: JobConfiguration) -> dict[str, Any]:
    label: dict[str, Any] = {}
    if one.category:
        label = {job.label.name: one.category["category"]}
        label |= {name: one.category[name] for name in RESERVED_NAMES if name in one.category}
    return {
        "datasetObjectId": one.ballot.annotated.datasetObjectId,
        "consolidatedAnnotation": {"content": {request.labelAttributeName: label | one.further}},
    }
