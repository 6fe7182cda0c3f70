"""What workers do beside answering: correct answers, say why, put tasks aside, look at what they did."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.invoke import Json
from ground_truth_server.engine.tasks import (
    LONGEST_REMARK,
    MOST_ASIDE,
    AnswerUnfit,
    NotYourTask,
    Task,
    TaskClosed,
    TaskExpired,
    TooManyAside,
)
from ground_truth_server.worker_ids import worker_id
from tests.ground_truth_server.engine.labeling import (
    POST,
    Bench,
    MajorityVote,
    answer_all,
    request,
    wait_for_end,
    wait_until,
)

GOOD, BAD = {"class": {"label": "Good Weld"}}, {"class": {"label": "Burn Through"}}


@pytest.fixture
def engine(bench: Bench) -> Iterator[Engine]:
    with bench.engine() as engine:
        yield engine


def begin(engine: Engine, **changes: Any) -> None:
    engine.create(request(**changes))
    wait_until(lambda: engine.ledger.progress("Welds1").get("open", 0) >= 3)


def take(engine: Engine, worker: str = "ann") -> Task:
    task = engine.desk.next_task(worker, "Welds1")
    assert task is not None
    return task


def audited(engine: Engine) -> list[Json]:
    """The audit's entries, those that are sealed meanwhile once."""
    found = [*engine.records.audit.unsealed(), *engine.records.audit.sealed()]
    return list({entry.id: entry.as_json() for entry in found}.values())


def responses(bench: Bench, number: int) -> list[Json]:
    """The files of an object's worker response."""
    folder = f"output/Welds1/annotations/worker-response/iteration-1/{number}/"
    return [bench.json(key)["answers"] for key in bench.output_keys(folder)]


def payload(bench: Bench) -> dict[str, Json]:
    """The annotations of the consolidation request, by the objects' ids."""
    folder = "output/Welds1/annotations/consolidated-annotation/consolidation-request/"
    (key,) = bench.output_keys(folder)
    return {entry["datasetObjectId"]: entry["annotations"] for entry in bench.json(key)}


class TestCorrections:
    def test_the_newest_version_counts_and_the_former_ones_stay(self, engine: Engine, bench: Bench) -> None:
        begin(engine)
        task = take(engine)
        bench.clock.pass_seconds(8)
        engine.desk.submit(task.id, "ann", GOOD, "looks fine")
        wait_until(lambda: responses(bench, 0))
        bench.clock.pass_seconds(60)
        engine.desk.correct(task.id, "ann", BAD, "there is a hole")
        engine.desk.correct(task.id, "ann", BAD, "there is a hole")  # sent again: the same
        wait_until(lambda: responses(bench, 0)[0][0]["answerContent"] == BAD)
        view = engine.ledger.data_object("Welds1", "0")
        assert [(one.content, one.remark) for one in view.answers] == [(BAD, "there is a hole")]
        assert [(one.version, one.content, one.remark) for one in view.former] == [(1, GOOD, "looks fine")]
        assert answer_all(engine, "ann") == 2
        wait_for_end(engine)
        assert [line["Weld"]["class"] for line in bench.output()] == ["Burn Through", "Good Weld", "Good Weld"]
        (response,) = responses(bench, 0)
        assert response == [
            {
                "acceptanceTime": "2020-09-15T16:00:00.000Z",
                "submissionTime": "2020-09-15T16:01:08.000Z",
                "timeSpentInSeconds": 8.0,
                "workerId": worker_id("ann", "eu-west-1"),
                "workerMetadata": response[0]["workerMetadata"],
                "answerContent": BAD,
                "remark": "there is a hole",
            }
        ]

    def test_log_and_audit_say_so(self, engine: Engine) -> None:
        begin(engine)
        task = take(engine)
        engine.desk.submit(task.id, "ann", GOOD)
        engine.desk.correct(task.id, "ann", BAD, "a hole")
        told = [(event.kind, event.message) for event in engine.ledger.events("Welds1")]
        assert ("corrected", "ann corrected object 0: version 2") in told
        (entry,) = [one for one in audited(engine) if one["action"] == "task.corrected"]
        assert entry["actor"] == worker_id("ann", "eu-west-1")
        assert entry["detail"] == {
            "object": "0",
            "task": task.id,
            "version": "2",
            "answer": hashlib.sha256(json.dumps(BAD, separators=(",", ":")).encode()).hexdigest(),
            "remark": hashlib.sha256(b"a hole").hexdigest(),
        }

    def test_none_is_taken_once_a_label_is_being_made(self, engine: Engine, bench: Bench) -> None:
        refused: list[str] = []

        def correct_late(event: Mapping[str, Any]) -> Json:
            try:
                engine.desk.correct(task.id, "ann", BAD)
            except TaskClosed as error:
                refused.append(str(error))
            return MajorityVote(bench.s3)(event)

        bench.functions.functions[POST] = correct_late
        begin(engine)
        task = take(engine)
        engine.desk.submit(task.id, "ann", GOOD)
        answer_all(engine, "ann")
        wait_for_end(engine)
        with pytest.raises(TaskClosed, match="Your answer to object 0 can't be corrected any more"):
            engine.desk.correct(task.id, "ann", BAD, version=1)
        engine.desk.correct(task.id, "ann", GOOD)  # what is there already needs no correction
        assert refused == ["Your answer to object 0 can't be corrected any more: its label is being made or is there."]
        assert bench.output()[0]["Weld"] == {"class": "Good Weld"}
        assert not engine.desk.find_own(task.id, "ann").correctable

    def test_only_what_one_has_answered_and_seen(self, engine: Engine) -> None:
        begin(engine)
        task = take(engine)
        with pytest.raises(TaskClosed, match="There is no answer of yours to object 0"):
            engine.desk.correct(task.id, "ann", BAD)
        engine.desk.submit(task.id, "ann", GOOD)
        with pytest.raises(NotYourTask):
            engine.desk.correct(task.id, "bo", BAD)
        engine.desk.correct(task.id, "ann", BAD)
        with pytest.raises(TaskClosed, match="was corrected meanwhile"):
            engine.desk.correct(task.id, "ann", {"class": {"label": "Lack of Fusion"}}, version=1)
        engine.desk.correct(task.id, "ann", GOOD, version=2)
        own = engine.desk.find_own(task.id, "ann")
        assert (own.content, own.version, own.correctable) == (GOOD, 3, True)

    def test_whether_answers_differ_follows(self, engine: Engine) -> None:
        begin(engine, NumberOfHumanWorkersPerDataObject=2)
        mine, other = take(engine), take(engine, "bo")
        engine.desk.submit(mine.id, "ann", GOOD)
        engine.desk.submit(other.id, "bo", GOOD)
        assert engine.ledger.data_objects_that_differ("Welds1") == []
        engine.desk.correct(mine.id, "ann", BAD)
        assert [one.object_id for one in engine.ledger.data_objects_that_differ("Welds1")] == ["0"]
        engine.desk.correct(other.id, "bo", BAD)
        assert engine.ledger.data_objects_that_differ("Welds1") == []


class TestRemarks:
    def test_stand_beside_the_answer_and_only_where_there_are_some(self, engine: Engine, bench: Bench) -> None:
        begin(engine)
        first = take(engine)
        engine.desk.submit(first.id, "ann", GOOD, "  the seam is clean ü  ")
        answer_all(engine, "ann")
        assert wait_for_end(engine)["LabelingJobStatus"] == "Completed"
        me, content = worker_id("ann", "eu-west-1"), {"content": json.dumps(GOOD, separators=(",", ":"))}
        assert payload(bench)["0"] == [{"workerId": me, "annotationData": content, "remark": "the seam is clean ü"}]
        assert payload(bench)["1"] == [{"workerId": me, "annotationData": content}]
        assert "remark" not in responses(bench, 1)[0][0]

    def test_go_along_where_no_function_makes_labels(self, engine: Engine, bench: Bench) -> None:
        begin(engine, AnnotationConsolidationConfig=None)
        engine.desk.submit(take(engine).id, "ann", GOOD, "why not")
        answer_all(engine, "ann")
        wait_for_end(engine)
        (annotation,) = bench.output()[0]["Weld"]["annotationsFromAllWorkers"]
        assert annotation["remark"] == "why not"

    def test_change_nothing_of_the_answer(self, engine: Engine) -> None:
        begin(engine, NumberOfHumanWorkersPerDataObject=2)
        for worker, remark in (("ann", "sure"), ("bo", "")):
            engine.desk.submit(take(engine, worker).id, worker, GOOD, remark)
        assert engine.ledger.data_objects_that_differ("Welds1") == []

    @pytest.mark.parametrize(
        ("remark", "problem"),
        [("x" * (LONGEST_REMARK + 1), "the remark has 2,001 characters"), ("\ud83d", "half of a character")],
    )
    def test_unfit_ones_are_refused_with_the_reason(self, engine: Engine, remark: str, problem: str) -> None:
        begin(engine)
        task = take(engine)
        with pytest.raises(AnswerUnfit, match=problem):
            engine.desk.submit(task.id, "ann", GOOD, remark)
        assert take(engine).id == task.id, "it is still in hand"


class TestAside:
    def test_a_task_put_aside_is_taken_up_again(self, engine: Engine) -> None:
        begin(engine)
        first = take(engine)
        engine.desk.put_aside(first.id, "ann")
        engine.desk.put_aside(first.id, "ann")
        second = take(engine)
        assert (first.object_id, second.object_id, take(engine, "bo").object_id) == ("0", "1", "2")
        assert [one.task.id for one in engine.desk.aside("ann", "Welds1")] == [first.id]
        open_job = engine.desk.open_job("Welds1", "ann")
        assert open_job is not None
        assert (open_job.available, open_job.aside) == (2, 1)
        engine.desk.take_up(first.id, "ann")
        assert take(engine).id == first.id
        assert [one.task.id for one in engine.desk.aside("ann", "Welds1")] == [second.id], "they changed places"
        engine.desk.submit(first.id, "ann", GOOD)
        assert engine.desk.next_task("ann", "Welds1") is None
        assert [line.line for line in engine.desk.aside("ann", "Welds1")] == [{"source": "s3://welds/dataset/1.json"}]
        kinds = [event.kind for event in engine.ledger.events("Welds1")]
        assert (kinds.count("put aside"), kinds.count("taken up")) == (2, 1)
        actions = [one["action"] for one in audited(engine)]
        assert (actions.count("task.put-aside"), actions.count("task.taken-up")) == (2, 1)

    def test_its_time_goes_on_and_then_it_is_anybody_s(self, engine: Engine, bench: Bench) -> None:
        begin(engine)
        task = take(engine)
        engine.desk.put_aside(task.id, "ann")
        bench.clock.pass_seconds(601)
        wait_until(lambda: engine.ledger.workers("Welds1") == [{"worker": "ann", "expired": 1}])
        with pytest.raises(TaskExpired):
            engine.desk.take_up(task.id, "ann")
        assert engine.desk.aside("ann", "Welds1") == []
        assert take(engine, "bo").object_id == "0"

    def test_only_one_s_own_and_not_too_many(self, engine: Engine, bench: Bench) -> None:
        bench.put_manifest({"source": f"s3://welds/dataset/{i}.json"} for i in range(MOST_ASIDE + 1))
        begin(engine)
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == MOST_ASIDE + 1)
        for _ in range(MOST_ASIDE):
            engine.desk.put_aside(take(engine).id, "ann")
        last = take(engine)
        with pytest.raises(TooManyAside, match="You have put 20 tasks of this job aside"):
            engine.desk.put_aside(last.id, "ann")
        with pytest.raises(NotYourTask):
            engine.desk.put_aside(last.id, "bo")
        aside = engine.desk.aside("ann", "Welds1")
        with pytest.raises(NotYourTask):
            engine.desk.take_up(aside[0].task.id, "bo")
        engine.desk.take_up(aside[0].task.id, "ann")  # in exchange for the one in hand

    def test_a_job_that_stops_takes_them_back(self, engine: Engine, bench: Bench) -> None:
        begin(engine)
        engine.desk.put_aside(take(engine).id, "ann")
        engine.stop("Welds1")
        assert wait_for_end(engine)["LabelingJobStatus"] == "Stopped"
        assert engine.desk.aside("ann", "Welds1") == []
        assert "Weld" not in bench.output()[0]


class TestOwnWork:
    def test_how_long_a_task_takes_is_the_median_of_the_last_ones(self, engine: Engine, bench: Bench) -> None:
        bench.put_manifest({"source": str(i)} for i in range(5))
        begin(engine)
        for seconds in (10, 300, 20):
            assert engine.desk.seconds_a_task("ann", "Welds1") is None
            task = take(engine)
            bench.clock.pass_seconds(seconds)
            engine.desk.submit(task.id, "ann", GOOD)
        assert engine.desk.seconds_a_task("ann", "Welds1") == 20
        assert engine.desk.seconds_a_task("bo", "Welds1") is None

    def test_own_answers_with_what_became_of_them(self, engine: Engine) -> None:
        begin(engine, NumberOfHumanWorkersPerDataObject=2)
        answer_all(engine, "ann")
        answer_all(engine, "bo", label="Burn Through")
        wait_for_end(engine)
        mine = engine.desk.own_answers("bo", 2)
        (rest,) = engine.desk.own_answers("bo", 9, (mine[-1].task.ended or "", mine[-1].task.id))
        assert {one.task.number for one in (*mine, rest)} == {0, 1, 2}
        assert rest.content == BAD
        assert (rest.state, rest.in_batch) == ("labeled", True)
        assert rest.label is not None
        assert rest.label["Weld"] == {"class": "Burn Through"}
