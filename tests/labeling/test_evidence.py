"""Workers are learned from all of a job's earlier batches, in any order and few calls of S3, and never failing."""

import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling import evidence
from labeling.consolidation import ConsolidationConfiguration, bayesian, decide
from labeling.evidence import Evidence, Remembered, digest
from labeling.job import JobConfiguration, load_configured
from labeling.observability import metrics
from labeling.post_labeling import PostLabeling
from labeling.storage import S3Uri, Storage

from benchmarks import strategies, whole_job
from tests.conftest import ARN, Bucket

FOLDER = "output/weldinglabeljob1/annotations"
REQUESTS = f"{FOLDER}/consolidated-annotation/consolidation-request/"
SUMMARY = "evidence/weldinglabeljob1.json"
NAMES = load_configured({}).label.category_names
CHOICES = strategies.CHOICES
Votes = dict[str, str]


def job_with(strategy: Any = "bayesian") -> JobConfiguration:
    return msgspec.structs.replace(
        load_configured({}), questions=(), consolidation=ConsolidationConfiguration(strategy=strategy)
    )


@pytest.fixture(scope="module", autouse=True)
def fewer_draws() -> Iterator[None]:
    """How good the draws are is tested with all of them, elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bayesian, "CHAINS", 2)
        patch.setattr(bayesian, "SWEEPS", 60)
        yield


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as found:
        yield found


@pytest.fixture
def post_labeling(bucket: Bucket, pool: ThreadPoolExecutor) -> PostLabeling:
    return PostLabeling(job_with(), Storage(bucket.s3), pool)


class Calls:
    """Counts the calls of S3, by their names."""

    def __init__(self, bucket: Bucket) -> None:
        self.names: list[str] = []
        self._events = bucket.s3.meta.events
        self._events.register("before-call.s3", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.names.append(model.name)

    def taken(self) -> Counter[str]:
        self._events.unregister("before-call.s3", self._count)
        return Counter(self.names)


def name_of(number: int) -> str:
    return f"iteration-1/2020-09-15_16:{number // 60:02}:{number % 60:02}.json"


def payload_of(votes: dict[str, Votes]) -> list[dict[str, Any]]:
    def annotation(worker: str, category: str) -> dict[str, Any]:
        content = json.dumps({"WeldingClassification": {"label": category}})
        return {"workerId": worker, "annotationData": {"content": content}}

    return [
        {"datasetObjectId": key, "dataObject": {}, "annotations": [annotation(*vote) for vote in of.items()]}
        for key, of in votes.items()
    ]


def put(bucket: Bucket, number: int, votes: dict[str, Votes]) -> dict[str, Any]:
    """Stores a request, and gives its event."""
    uri = bucket.put(f"{REQUESTS}{name_of(number)}", payload_of(votes))
    return {
        "version": "2018-10-16",
        "labelingJobArn": ARN,
        "labelAttributeName": "WeldingLabel",
        "roleArn": "arn:aws:iam::111122223333:role/x",
        "outputConfig": f"s3://{bucket.name}/{FOLDER}",
        "payload": {"s3Uri": uri},
    }


def labels_of(answer: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["datasetObjectId"]: entry["consolidatedAnnotation"]["content"]["WeldingLabel"] for entry in answer}


def batches(number: int, size: int = 5, seed: int = 1) -> list[dict[str, Votes]]:
    """Batches of one job, whose objects have three answers each."""
    _, answers = strategies.simulated("mixed", "any", (number * size, 3, 6), random.Random(seed))
    rows = list(answers.items())
    return [dict(rows[place : place + size]) for place in range(0, len(rows), size)]


def test_a_batch_is_decided_with_all_before_it(post_labeling: PostLabeling, bucket: Bucket) -> None:
    made = batches(4)
    events = [put(bucket, number, votes) for number, votes in enumerate(made)]
    labels = [labels_of(post_labeling.answer(event)) for event in events]
    assert [{label["evidence"] for label in of.values()} for of in labels] == [{15}, {30}, {45}, {60}]
    assert all("strategy" not in label for of in labels for label in of.values())
    # By hand: workers and objects are known by digests, which sort otherwise.
    earlier = {
        digest(key): {digest(who): said for who, said in of.items()} for some in made[:3] for key, of in some.items()
    }
    batch = {str(place): {digest(who): said for who, said in of.items()} for place, of in enumerate(made[3].values())}
    expected = decide(batch, CHOICES, "bayesian", earlier).verdicts
    found = [(label["WeldingClassification"], label["confidence"]) for label in labels[3].values()]
    assert found == [tuple(verdict) for verdict in expected.values()]
    alone = decide(batch, CHOICES, "bayesian").verdicts
    assert [verdict.confidence for verdict in alone.values()] != [confidence for _, confidence in found]
    lines = [json.loads(line) for key in bucket.keys("labels/") for line in bucket.get(key).splitlines()]
    assert {line["evidence"] for line in lines} == {15, 30, 45, 60}


def test_labels_are_the_same_whatever_the_order_and_repetition_of_batches(s3: Any, pool: ThreadPoolExecutor) -> None:
    made = batches(5)
    found = []
    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 0, 3, 1, 4, 1], [3, 3, 4, 0, 1, 2]):
        bucket = Bucket(s3)
        post_labeling = PostLabeling(job_with(), Storage(bucket.s3), pool)
        events = [put(bucket, number, votes) for number, votes in enumerate(made)]
        labels: dict[str, Any] = {}
        for number in order:
            labels |= labels_of(post_labeling.answer(events[number]))
        found.append((dict(sorted(labels.items())), bucket.json(SUMMARY)["objects"]))
    assert found[0][0] == found[1][0] == found[2][0]


def test_a_batch_sent_again_counts_once_and_its_later_request_is_what_counts(
    post_labeling: PostLabeling, bucket: Bucket
) -> None:
    put(bucket, 0, {"a": {"w1": "Good Weld", "w2": "Good Weld"}, "b": {"w1": "Good Weld"}})
    put(bucket, 1, {"a": {"w1": "Good Weld", "w2": "Burn Through", "w3": "Burn Through"}})
    label = labels_of(post_labeling.answer(put(bucket, 2, {"c": {"w1": "Good Weld"}})))["c"]
    assert label["evidence"] == 3 + 1 + 1
    # An object of the batch itself isn't learned from its earlier answers.
    label = labels_of(post_labeling.answer(put(bucket, 3, {"a": {"w1": "Good Weld"}})))["a"]
    assert label["evidence"] == 1 + 1 + 1
    kept = bucket.json(SUMMARY)
    workers = kept["workers"]
    request, (votes,) = kept["objects"][digest("a")]
    assert kept["requests"][request][0] == name_of(1)
    said = {workers[who]: NAMES[what] for who, what in zip(votes[::2], votes[1::2], strict=True)}
    assert said == {digest("w1"): "Good Weld", digest("w2"): "Burn Through", digest("w3"): "Burn Through"}


def test_a_late_batch_reads_little(post_labeling: PostLabeling, bucket: Bucket) -> None:
    made = batches(14, size=2)
    events = [put(bucket, number, votes) for number, votes in enumerate(made)]
    counted = []
    for event in events:
        calls = Calls(bucket)
        post_labeling.answer(event)
        counted.append(calls.taken())
    # Its own request, the one before and the summary are read; the summary and the labels are written.
    few = Counter(GetObject=3, ListObjectsV2=1, PutObject=2)
    assert all(calls == few for calls in counted[2:])
    calls = Calls(bucket)
    label = labels_of(post_labeling.answer(events[-1]))
    assert calls.taken() == Counter(GetObject=2, ListObjectsV2=1, PutObject=1)
    assert {one["evidence"] for one in label.values()} == {84}


def test_a_vote_reads_and_keeps_nothing(bucket: Bucket, pool: ThreadPoolExecutor) -> None:
    post_labeling = PostLabeling(job_with("majority-vote"), Storage(bucket.s3), pool)
    put(bucket, 0, {"a": {"w1": "Good Weld"}})
    event = put(bucket, 1, {"b": {"w1": "Good Weld"}})
    calls = Calls(bucket)
    label = labels_of(post_labeling.answer(event))["b"]
    assert calls.taken() == Counter(GetObject=1, PutObject=1)
    assert label == {"WeldingClassification": "Good Weld", "confidence": 1.0, "votes": {"Good Weld": 1}}


def test_auto_says_what_it_took(bucket: Bucket, pool: ThreadPoolExecutor) -> None:
    post_labeling = PostLabeling(job_with("auto"), Storage(bucket.s3), pool)
    first, second = batches(2, size=4)
    early = labels_of(post_labeling.answer(put(bucket, 0, first)))
    assert {(label["strategy"], label.get("evidence")) for label in early.values()} == {("majority-vote", None)}
    late = labels_of(post_labeling.answer(put(bucket, 1, second)))
    assert {(label["strategy"], label.get("evidence")) for label in late.values()} == {("bayesian", 24)}
    lines = [json.loads(line) for key in bucket.keys("labels/") for line in bucket.get(key).splitlines()]
    assert sorted({line["strategy"] for line in lines}) == ["bayesian", "majority-vote"]


# ---------------------------------------------------------------- what may be wrong with earlier batches


def counted(name: str) -> float:
    """A metric's value so far, in what will be written with the answer."""
    return float(sum(metrics.metric_set.get(name, {"Value": [0]})["Value"]))


@pytest.fixture(autouse=True)
def fresh_metrics() -> Iterator[None]:
    metrics.clear_metrics()
    yield
    metrics.clear_metrics()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, but that these objects have no files."""
    found = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [message for message in found if message != "The label is kept without its sources"]


BROKEN: dict[str, Any] = {
    "no JSON": b"{",
    "no list": {"a": 1},
    "deep": b"[" * 200_000,
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_foreign_request_is_left_out_counted_and_logged_once(
    kind: str, post_labeling: PostLabeling, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    put(bucket, 0, {"a": {"w1": "Good Weld", "w2": "Good Weld"}})
    bucket.put(f"{REQUESTS}{name_of(1)}", BROKEN[kind])
    bucket.put(f"{REQUESTS}notes/read me.txt", "somebody's")
    with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
        label = labels_of(post_labeling.answer(put(bucket, 2, {"c": {"w1": "Good Weld"}})))["c"]
    assert label["evidence"] == 3
    assert counted("LostRequests") == 2
    assert counted("EvidenceUnavailable") == 0
    assert warnings(caplog).count("Some of the job's earlier batches are left out") == 1
    # It is read once only.
    put(bucket, 3, {"d": {"w1": "Good Weld"}})
    calls = Calls(bucket)
    post_labeling.answer(put(bucket, 4, {"e": {"w1": "Good Weld"}}))
    assert calls.taken()["GetObject"] == 4  # its own, the summary, and two requests since


def test_odd_entries_and_broken_answers_of_earlier_requests_leave_the_others(
    post_labeling: PostLabeling, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    entries = payload_of({"a": {"w1": "Good Weld", "w2": "A category that was"}, "b": {"w1": "Burn Through"}})
    bucket.put(f"{REQUESTS}{name_of(0)}", [None, 3, {"datasetObjectId": 7}, {"datasetObjectId": "x"}, *entries])
    with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
        label = labels_of(post_labeling.answer(put(bucket, 1, {"c": {"w1": "Good Weld"}})))["c"]
    assert label["evidence"] == 2 + 1
    # Three entries are no objects, and a category was removed from the job configuration since.
    assert counted("EarlierDroppedAnswers") == 4
    assert warnings(caplog) == ["Some of the job's earlier batches are left out"]


SUMMARIES: dict[str, Any] = {
    "no JSON": b"{",
    "another shape": {"folder": 3},
    "empty": b"",
    "deep": b"[" * 200_000,
}


def spoil(kept: dict[str, Any], kind: str) -> dict[str, Any]:
    """A summary that contradicts itself, or is about something else."""
    key = next(iter(kept["objects"]))
    if kind == "a worker that it has not":
        kept["objects"][key] = [0, [[99, 0]]]
    elif kind == "a worker counted backwards":
        kept["objects"][key] = [0, [[-1, 0]]]
    elif kind == "half a vote":
        kept["objects"][key] = [0, [[0]]]
    elif kind == "no such request":
        kept["objects"][key] = [7, [[0, 0]]]
    elif kind == "too few questions":
        kept["objects"][key] = [0, []]
    elif kind == "another job":
        kept["folder"] = "s3://b/elsewhere/consolidation-request/"
    elif kind == "other categories":
        kept["questions"][0][1][0] = "A category that was"
    return kept


SPOILED = (
    *("a worker that it has not", "a worker counted backwards", "half a vote", "no such request"),
    *("too few questions", "another job", "other categories"),
)


@pytest.mark.parametrize("kind", [*SUMMARIES, *SPOILED])
def test_a_summary_that_is_none_is_made_anew(
    kind: str, post_labeling: PostLabeling, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    put(bucket, 0, {"a": {"w1": "Good Weld", "w2": "Good Weld"}})
    post_labeling.answer(put(bucket, 1, {"b": {"w1": "Good Weld"}}))
    good = bucket.get(SUMMARY)
    bucket.put(SUMMARY, SUMMARIES[kind] if kind in SUMMARIES else spoil(json.loads(good), kind))
    with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
        label = labels_of(post_labeling.answer(put(bucket, 1, {"b": {"w1": "Good Weld"}})))["b"]
    assert label["evidence"] == 3
    assert bucket.get(SUMMARY) == good
    assert warnings(caplog) == ["Some of the job's earlier batches are left out"]
    (found,) = (record for record in caplog.records if record.getMessage().startswith("Some of the job's earlier"))
    assert "it is made anew" in vars(found)["first"][0]


def test_a_request_that_is_gone_is_said_and_one_that_changed_is_read_again(
    post_labeling: PostLabeling, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    put(bucket, 0, {"a": {"w1": "Good Weld", "w2": "Good Weld"}})
    put(bucket, 1, {"b": {"w1": "Good Weld", "w2": "Good Weld"}})
    post_labeling.answer(put(bucket, 2, {"c": {"w1": "Good Weld"}}))
    put(bucket, 1, {"b": {"w1": "Good Weld"}})
    label = labels_of(post_labeling.answer(put(bucket, 2, {"c": {"w1": "Good Weld"}})))["c"]
    assert label["evidence"] == 2 + 1 + 1
    bucket.s3.delete_object(Bucket=bucket.name, Key=f"{REQUESTS}{name_of(0)}")
    metrics.clear_metrics()
    with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
        label = labels_of(post_labeling.answer(put(bucket, 2, {"c": {"w1": "Good Weld"}})))["c"]
    assert label["evidence"] == 2 + 1 + 1  # what it told is kept
    assert counted("LostRequests") == 1
    assert warnings(caplog) == ["Some of the job's earlier batches are left out"]


def refusing(operation: str, part: str) -> Any:
    def refuse(model: Any, params: dict[str, Any], **_: Any) -> None:
        if model.name == operation and part in params["url_path"] + str(params.get("query_string")):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    return refuse


@pytest.mark.parametrize(
    ("operation", "part", "without", "learned"),
    [("ListObjectsV2", "", 1, 1), ("GetObject", "evidence/", 1, 1), ("PutObject", "evidence/", 0, 3)],
)
def test_a_batch_is_decided_by_itself_where_s3_refuses(
    operation: str,
    part: str,
    without: int,
    learned: int,
    post_labeling: PostLabeling,
    bucket: Bucket,
    caplog: pytest.LogCaptureFixture,
) -> None:
    put(bucket, 0, {"a": {"w1": "Good Weld", "w2": "Good Weld"}})
    event = put(bucket, 1, {"b": {"w1": "Good Weld"}})
    refuse = refusing(operation, part)
    bucket.s3.meta.events.register("before-call.s3", refuse)
    try:
        with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
            label = labels_of(post_labeling.answer(event))["b"]
    finally:
        bucket.s3.meta.events.unregister("before-call.s3", refuse)
    assert label["evidence"] == learned
    assert counted("EvidenceUnavailable") == without
    assert len(warnings(caplog)) == 1


def test_a_payload_elsewhere_is_decided_by_itself(
    post_labeling: PostLabeling, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    event = put(bucket, 1, {"b": {"w1": "Good Weld"}})
    event["payload"]["s3Uri"] = bucket.put("somewhere/payload.json", payload_of({"b": {"w1": "Good Weld"}}))
    with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
        assert labels_of(post_labeling.answer(event))["b"]["evidence"] == 1
    assert counted("EvidenceUnavailable") == 1
    assert "isn't in a folder consolidation-request/" in warnings(caplog)[0]


def test_what_is_odd_in_a_payload_is_counted_and_each_kind_logged_once(
    post_labeling: PostLabeling, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    event = put(bucket, 0, {})
    (first,) = payload_of({"a": {"w1": "Good Weld"}})
    (second,) = payload_of({"b": {"w1": "Good Weld"}})
    first["annotations"] *= 3
    bucket.put(f"{REQUESTS}{name_of(0)}", [None, first, second, second, {"annotations": []}])
    with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
        answer = post_labeling.answer(event)
    assert [entry["datasetObjectId"] for entry in answer] == ["a", "b", "b"]
    assert [counted(name) for name in ("LeftOutEntries", "RepeatedObjects", "RepeatedAnswers")] == [2, 1, 2]
    assert warnings(caplog) == [
        "Entries of the payload are left out: none of them is an object",
        "Objects stand in the payload twice: each is answered for",
        "Workers answered twice: their last answers count",
    ]


# ---------------------------------------------------------------- bounds


def test_a_long_history_is_read_in_parts(
    post_labeling: PostLabeling, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(evidence, "MOST_REQUESTS", 3)
    for number in range(5):
        put(bucket, number, {f"o{number}": {"w1": "Good Weld"}})
    event = put(bucket, 9, {"new": {"w1": "Good Weld"}})
    with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
        assert labels_of(post_labeling.answer(event))["new"]["evidence"] == 4
    assert [vars(one)["left_to_the_next_batch"] for one in caplog.records if "left out" in one.getMessage()] == [2]
    assert labels_of(post_labeling.answer(event))["new"]["evidence"] == 6


remembered = st.dictionaries(
    st.integers(0, 40).map(str),
    st.tuples(st.integers(0, 5), st.dictionaries(st.sampled_from("uvw"), st.sampled_from(NAMES), min_size=1)),
    max_size=30,
)


@settings(deadline=None)
@given(st.lists(remembered, max_size=6), st.randoms())
def test_what_is_remembered_is_the_same_in_any_order(
    made: list[dict[str, tuple[int, Votes]]], order: random.Random
) -> None:
    """Requests that come in any order, repeated, of which only some objects are remembered."""
    requests = [
        (name_of(place), {digest(key): {"q": votes} for key, (_, votes) in some.items()})
        for place, some in enumerate(made)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "MOST_OBJECTS", 7)
        found = []
        for sequence in (requests, order.sample(requests, len(requests)) + order.sample(requests, len(requests) // 2)):
            objects: dict[str, Remembered] = {}
            for name, votes in sequence:
                evidence._remember(objects, name, votes)
                objects = evidence._sample(objects)
            found.append(objects)
            packed = evidence._packed(
                Evidence(objects, {name: "etag" for name, _ in requests}), "s3://b/f/", [("q", list(NAMES))]
            )
            assert evidence._unpacked(packed).objects == objects
    assert found[0] == found[1]
    assert len(found[0]) <= 7


def test_iterations_are_in_order_of_their_numbers(post_labeling: PostLabeling, bucket: Bucket) -> None:
    """As names iteration-10 would stand before iteration-2."""
    votes = payload_of({"a": {"w1": "Good Weld", "w2": "Good Weld"}})
    bucket.put(f"{REQUESTS}iteration-2/2020-09-15_16:00:00.json", votes)
    event = put(bucket, 0, {"b": {"w1": "Good Weld"}})
    uri = bucket.put(f"{REQUESTS}iteration-10/2020-09-15_10:00:00.json", payload_of({"b": {"w1": "Good Weld"}}))
    assert labels_of(post_labeling.answer(event))["b"]["evidence"] == 1
    assert labels_of(post_labeling.answer(event | {"payload": {"s3Uri": uri}}))["b"]["evidence"] == 3


def test_the_worker_s_id_isn_t_kept(post_labeling: PostLabeling, bucket: Bucket) -> None:
    put(bucket, 0, {"a": {"private.eu-west-1.a12b3cdefg4h5i67": "Good Weld"}})
    post_labeling.answer(put(bucket, 1, {"b": {"w1": "Good Weld"}}))
    assert b"a12b3c" not in bucket.get(SUMMARY)
    assert digest("private.eu-west-1.a12b3cdefg4h5i67").encode() in bucket.get(SUMMARY)


def test_listing_goes_on_beyond_a_page(bucket: Bucket) -> None:
    for number in range(5):
        bucket.put(f"many/{number}", b"x" * number)
    storage = Storage(bucket.s3)
    with pytest.MonkeyPatch.context() as patch:
        whole = bucket.s3.list_objects_v2
        patch.setattr(bucket.s3, "list_objects_v2", lambda **wanted: whole(**wanted, MaxKeys=2))
        found = storage.listed(S3Uri(bucket.name, "many/"), 1_000)
        assert [(key, one.size) for key, one in found.items()] == [(f"many/{number}", number) for number in range(5)]
        assert len(storage.listed(S3Uri(bucket.name, "many/"), 3)) == 4


# ---------------------------------------------------------------- what it is worth


@pytest.mark.parametrize("mistakes", ["any", "the same"])
def test_with_all_before_it_a_late_batch_is_as_right_as_with_all_at_once(mistakes: str) -> None:
    """Workers of mixed skill, batches of 20 with three answers; a batch by itself is right far less often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bayesian, "CHAINS", 4)
        patch.setattr(bayesian, "LARGE", 1)
        jobs = whole_job.simulated_jobs("mixed", mistakes, jobs=1, objects=600, workers=8)
        alone, before, at_once = (
            whole_job.measure(jobs, whole_job.decided(jobs, way), first=200)
            for way in (whole_job.by_itself, whole_job.with_all_before, whole_job.all_at_once)
        )
    assert before.right > alone.right + 0.005
    assert before.right > at_once.right - 0.005
