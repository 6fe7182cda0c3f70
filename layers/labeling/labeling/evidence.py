"""What all of a labeling job's earlier batches tell of its workers.

The answers in the job's earlier consolidation requests are kept as one summary in S3, so that each batch reads that and
the request before it. The summary depends on the requests alone: not on the order in which they came, nor on how often.
"""

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple, TypeVar

import msgspec

from labeling import annotations, consolidation_request
from labeling.answers import CategoryQuestion
from labeling.consolidation import UNLEARNED
from labeling.consolidation_request import Address
from labeling.contract import PostLabelingEvent, job_name
from labeling.decoding import from_json
from labeling.errors import AccessError, ItemError, LabelingError, MissingObjectError, StorageError
from labeling.job import JobConfiguration
from labeling.storage import Listed, S3Uri, Storage

T = TypeVar("T")

FOLDER = "evidence"
# What is remembered: of larger jobs a fair sample, from which workers are known as well.
MOST_OBJECTS = 10_000
MOST_ANSWERS_AN_OBJECT = 30
# What one batch looks at and reads. Of a longer history, the next batches read the rest.
MOST_LISTED = 10_000
MOST_REQUESTS = 500
MOST_BYTES = 200_000_000
MAX_SUMMARY_BYTES = 20_000_000
# So many requests are held at once.
AT_ONCE = 4

Votes = Mapping[str, Mapping[str, str]]
"""For each question, by its name: each worker's category, by a digest of the worker's id."""


class Summary(msgspec.Struct, frozen=True):
    """What is kept in S3.

    Attributes:
        folder: The S3 URI of the folder of the requests that it is about.
        questions: The questions and their categories, as the job configuration had them.
        requests: The requests that were read, each by its name with its ETag.
        workers: The digests of the workers' ids.
        objects: For each object, by a digest of its id: the number of its request, then for each question a list of
            worker and category in turn, by their numbers.
    """

    folder: str
    questions: list[tuple[str, list[str]]]
    requests: list[tuple[str, str]]
    workers: list[str]
    objects: dict[str, tuple[int, list[list[int]]]]


class Remembered(NamedTuple):
    """The answers to one object.

    Attributes:
        request: The name of the request that they are from.
        votes: The answers to each question.
    """

    request: str
    votes: Votes


class Evidence(NamedTuple):
    """The answers to a job's earlier objects.

    Attributes:
        objects: By a digest of each object's id.
        requests: The ETags of the requests that were read, by their names.
    """

    objects: dict[str, Remembered]
    requests: dict[str, str]

    def of(self, question: str, but: Sequence[str] = ()) -> dict[str, Mapping[str, str]]:
        """The answers to one question, for each object but some.

        Args:
            question: Its name.
            but: The ids of objects to leave out.
        """
        left_out = set(map(digest, but))
        return {
            key: votes
            for key, remembered in self.objects.items()
            if key not in left_out and (votes := remembered.votes.get(question))
        }


class Found(NamedTuple):
    """What there is to learn from, and what is wrong with it.

    Attributes:
        evidence: The earlier answers.
        lost: Why some requests are left out: gone, foreign, or not to be read.
        dropped: How many answers of the requests that were read now can't be counted, such as those of a category that
            the job configuration has no more; entries that are no objects among them.
        unread: How many are left to the next batch, since there are too many for one.
        without: Why there is nothing to learn from but the batch itself, if so.
    """

    evidence: Evidence
    lost: Sequence[str] = ()
    dropped: int = 0
    unread: int = 0
    without: str = ""


class _Answers(NamedTuple):
    """What a request says.

    Attributes:
        votes: By a digest of each object's id.
        dropped: How many answers and entries can't be counted.
    """

    votes: dict[str, Votes]
    dropped: int


class _Known(NamedTuple):
    """What is known when requests were read.

    Attributes:
        objects: As `Evidence.objects`.
        requests: As `Evidence.requests`.
        lost: As `Found.lost`.
        dropped: As `Found.dropped`, of each request.
    """

    objects: dict[str, Remembered]
    requests: dict[str, str]
    lost: list[str]
    dropped: list[int]


def digest(text: str) -> str:
    """What stands for an id: as short for each, and no person's name."""
    return hashlib.blake2b(text.encode(errors="backslashreplace"), digest_size=8).hexdigest()


def is_learned(job: JobConfiguration) -> bool:
    """Whether a job's consolidation learns from earlier answers."""
    return job.consolidation.strategy != UNLEARNED and bool(category_questions(job))


def category_questions(job: JobConfiguration) -> tuple[CategoryQuestion, ...]:
    """The questions whose answers tell whom to trust."""
    return tuple(question for question in job.asked if isinstance(question, CategoryQuestion))


def votes_of(answers: annotations.Answers, questions: Sequence[CategoryQuestion]) -> Votes:
    """What is remembered of one object's answers."""
    return {
        question.name: {worker: said[key] for worker, key in sorted((digest(key), key) for key in said)}
        for question in questions
        if (said := answers[question.name])
    }


class Reader:
    """Reads what a job's earlier batches tell, and keeps it.

    Args:
        job: What is labeled.
        storage: Its buckets.
        pool: Where calls of S3 run side by side; nothing waits there for another call of the same pool.
        bucket: Where the summary goes; the bucket of the job's output if empty.
    """

    def __init__(self, job: JobConfiguration, storage: Storage, pool: Executor, bucket: str = "") -> None:
        self._job = job
        self._storage = storage
        self._pool = pool
        self._bucket = bucket
        self._questions = category_questions(job)

    def before(self, event: PostLabelingEvent) -> Found:
        """Find what came before a batch. That nothing can be read is no error: the batch then decides by itself."""
        nothing = Evidence({}, {})
        if not is_learned(self._job):
            return Found(nothing)
        try:
            own = consolidation_request.address(event.payload.s3Uri)
            if own is None:
                return Found(
                    nothing,
                    without=f"{event.payload.s3Uri} isn't in a folder consolidation-request/iteration-…/, where "
                    "earlier batches would lie",
                )
            return self._before(own, job_name(event.labelingJobArn))
        except LabelingError as error:
            return Found(nothing, without=str(error))

    def everything(self, folder: S3Uri) -> Found:
        """Find all that was answered so far, however much it is: for a decision at the end, not for a function.

        Args:
            folder: That of the job's requests.

        Raises:
            LabelingError: If S3 refuses to list it.
        """
        listed, lost = _requests(folder, self._storage, most=sys.maxsize)
        requests = {name: listed[name] for name in sorted(listed, key=_order)}
        known = self._with(Evidence({}, {}), folder, requests)
        return Found(Evidence(known.objects, known.requests), lost + known.lost, sum(known.dropped))

    def _before(self, own: Address, job: str) -> Found:
        # The function's answer must be the same if it is asked again, so that later requests don't count.
        own_order = consolidation_request.order(own.name)
        listed, lost = _requests(own.folder, self._storage, MOST_LISTED)
        earlier = {name: one for name, one in listed.items() if own_order and _order(name) < own_order}
        if not earlier:
            return Found(Evidence({}, {}), lost)
        uri = S3Uri(self._bucket or own.folder.bucket, f"{FOLDER}/{job}.json")
        kept, problem = self._kept(uri, own.folder)
        lost += [problem] if problem else []
        ahead = any(_order(name) >= own_order for name in kept.requests) if own_order else False
        if ahead or any(name in earlier and earlier[name].etag != etag for name, etag in kept.requests.items()):
            kept = Evidence({}, {})
        gone = len(kept.requests.keys() - earlier.keys())
        lost += [f"{own.folder}: {gone} requests are gone that were there before"] if gone else []
        new = sorted(earlier.keys() - kept.requests.keys(), key=_order)
        taken = list(_within_limits(new, earlier))
        known = self._with(kept, own.folder, {name: earlier[name] for name in taken})
        lost += known.lost
        evidence = Evidence(_sample(known.objects), known.requests)
        if evidence.requests != kept.requests and not ahead:
            lost += self._keep(uri, own.folder, evidence)
        return Found(evidence, lost, sum(known.dropped), len(new) - len(taken))

    def _with(self, kept: Evidence, folder: S3Uri, requests: Mapping[str, Listed]) -> "_Known":
        """Read requests, and remember their answers beside those that are."""
        known = _Known(dict(kept.objects), dict(kept.requests), [], [])
        names = list(requests)
        for some in (names[place : place + AT_ONCE] for place in range(0, len(names), AT_ONCE)):
            for name, found in zip(some, self._pool.map(lambda name: self._read(folder, name), some), strict=True):
                if isinstance(found, LabelingError):
                    known.lost.append(str(found))
                else:
                    _remember(known.objects, name, found.votes)
                    known.dropped.append(found.dropped)
                if not isinstance(found, StorageError | AccessError):  # those may be read the next time
                    known.requests[name] = requests[name].etag
        return known

    def _read(self, folder: S3Uri, name: str) -> "_Answers | LabelingError":
        """The answers in a request; or why there are none."""
        try:
            request = consolidation_request.read(folder._replace(key=f"{folder.key}{name}"), self._storage)
            read = [(one, *annotations.usable(one, self._job, self._storage)) for one in request.objects]
        except LabelingError as error:
            return error
        votes = {digest(one.datasetObjectId): votes_of(answers, self._questions) for one, answers, _ in read}
        return _Answers(votes, len(request.left_out) + sum(len(dropped) for _, _, dropped in read))

    def _kept(self, uri: S3Uri, folder: S3Uri) -> tuple[Evidence, str]:
        """What is kept, if it is of this job as it is now; and what is wrong with it."""
        nothing = Evidence({}, {})
        try:
            summary = from_json(self._storage.read(uri, MAX_SUMMARY_BYTES), Summary)
        except MissingObjectError:
            return nothing, ""
        except (ItemError, msgspec.DecodeError, RecursionError) as error:
            return nothing, f"{uri} is no summary of earlier answers: {error}; it is made anew"
        if summary.folder != str(folder):
            return nothing, f"{uri} is about {summary.folder}; expected {folder}: it is made anew"
        if summary.questions != self._asked():
            return nothing, f"{uri} is about other categories than the job configuration's: it is made anew"
        try:
            return _unpacked(summary), ""
        except (IndexError, ValueError) as error:
            return nothing, f"{uri} contradicts itself: {error}; it is made anew"

    def _keep(self, uri: S3Uri, folder: S3Uri, evidence: Evidence) -> list[str]:
        body = msgspec.json.encode(_packed(evidence, str(folder), self._asked()))
        try:
            self._storage.write(uri, body, "application/json")
        except LabelingError as error:
            return [f"the summary of earlier answers isn't kept: {error}"]
        return []

    def _asked(self) -> list[tuple[str, list[str]]]:
        return [(question.name, list(question.categories)) for question in self._questions]


def _order(name: str) -> tuple[int, str]:
    return consolidation_request.order(name) or (-1, name)


def _requests(folder: S3Uri, storage: Storage, most: int) -> tuple[dict[str, Listed], list[str]]:
    """The job's requests by their names, and what else lies there."""
    listed = {
        key.removeprefix(folder.key): one for key, one in storage.listed(folder, most).items() if key != folder.key
    }
    foreign = sorted(name for name in listed if consolidation_request.order(name) is None)
    large = [name for name, one in listed.items() if one.size > consolidation_request.MAX_PAYLOAD_BYTES]
    lost = [f"{folder}{name} is none of Ground Truth's requests" for name in foreign]
    lost += [f"{folder}{name} has {listed[name].size:,} bytes, too many to be a request" for name in large]
    return {name: one for name, one in listed.items() if name not in {*foreign, *large}}, lost


def _within_limits(names: Sequence[str], listed: Mapping[str, Listed]) -> Iterator[str]:
    total = 0
    for name in names[:MOST_REQUESTS]:
        total += listed[name].size
        if total > MOST_BYTES:
            return
        yield name


def _remember(objects: dict[str, Remembered], request: str, found: Mapping[str, Votes]) -> None:
    """Remember the answers in a request; an object that was sent twice has those of its later request."""
    for key, votes in found.items():
        known = objects.get(key)
        if known is None or _order(known.request) <= _order(request):
            few = {name: dict(list(of.items())[:MOST_ANSWERS_AN_OBJECT]) for name, of in votes.items()}
            objects[key] = Remembered(request, few)


def _sample(objects: Mapping[str, Remembered]) -> dict[str, Remembered]:
    """Those that are remembered: with the least digests, so that they are the same whenever others are forgotten."""
    return {key: objects[key] for key in sorted(objects)[:MOST_OBJECTS]}


def _packed(evidence: Evidence, folder: str, asked: list[tuple[str, list[str]]]) -> Summary:
    requests = sorted(evidence.requests.items(), key=lambda item: _order(item[0]))
    number = {name: place for place, (name, _) in enumerate(requests)}
    votes = [of for one in evidence.objects.values() for of in one.votes.values()]
    workers = {worker: place for place, worker in enumerate(sorted({worker for of in votes for worker in of}))}
    places = {name: {category: place for place, category in enumerate(names)} for name, names in asked}

    def flat(name: str, of: Mapping[str, str]) -> list[int]:
        return [value for worker, said in of.items() for value in (workers[worker], places[name][said])]

    objects = {
        key: (number[one.request], [flat(name, one.votes.get(name, {})) for name, _ in asked])
        for key, one in evidence.objects.items()
    }
    return Summary(folder, asked, requests, list(workers), objects)


def _unpacked(summary: Summary) -> Evidence:
    """What a summary says.

    Raises:
        IndexError: If it names a worker, a category or a request that it doesn't have.
        ValueError: If a worker has no category.
    """

    def votes(names: Sequence[str], of: Sequence[int]) -> dict[str, str]:
        return {_at(summary.workers, worker): _at(names, said) for worker, said in zip(of[::2], of[1::2], strict=True)}

    objects = {
        key: Remembered(
            _at(summary.requests, request)[0],
            {name: votes(names, of) for (name, names), of in zip(summary.questions, lists, strict=True) if of},
        )
        for key, (request, lists) in summary.objects.items()
    }
    return Evidence(_sample(objects), dict(summary.requests))


def _at(values: Sequence[T], place: int) -> T:
    if place < 0:
        raise IndexError(f"found the number {place}; expected 0 or more")
    return values[place]
