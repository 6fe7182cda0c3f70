import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.tasks import AnswerUnfit, NotYourTask, Task, TaskClosed, TaskExpired, TaskRefused
from tests.ground_truth_server.engine.labeling import (
    PRE,
    TEMPLATE,
    Bench,
    answer_all,
    label_all,
    pass_on,
    request,
    wait_for_end,
    wait_until,
)

GOOD = {"class": {"label": "Good Weld"}}


@pytest.fixture
def engine(bench: Bench) -> Iterator[Engine]:
    with bench.engine() as engine:
        yield engine


def begin(engine: Engine, **changes: Any) -> None:
    engine.create(request(**changes))
    wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 3)


def take(engine: Engine, worker: str) -> Task:
    task = engine.desk.next_task(worker, "Welds1")
    assert task is not None
    return task


def test_a_task_has_what_a_worker_page_needs(engine: Engine, bench: Bench) -> None:
    begin(engine)

    task = take(engine, "ann")

    assert (task.job_name, task.object_id, task.template) == ("Welds1", "0", TEMPLATE)
    assert task.job_arn.endswith(":labeling-job/welds1")
    assert task.task_input == {"source": "s3://welds/dataset/0.json"}
    assert task.accepted == bench.clock()
    assert task.expires - task.accepted == timedelta(seconds=task.time_limit) == timedelta(seconds=600)


def test_a_worker_keeps_the_task_in_hand(engine: Engine) -> None:
    begin(engine)
    task = take(engine, "ann")
    assert take(engine, "ann") == task
    assert engine.desk.find_task(task.id, "ann") == task
    assert take(engine, "bo").object_id == "1"


def test_a_worker_never_gets_an_object_twice(engine: Engine) -> None:
    begin(engine, NumberOfHumanWorkersPerDataObject=2)
    assert answer_all(engine, "ann") == 3
    assert engine.desk.next_task("ann", "Welds1") is None
    assert engine.describe("Welds1")["LabelingJobStatus"] == "InProgress"


def test_an_object_goes_to_no_more_workers_than_asked(engine: Engine) -> None:
    begin(engine, NumberOfHumanWorkersPerDataObject=2)
    taken = [take(engine, worker).object_id for worker in ("ann", "bo", "cy", "di", "eve", "fay")]
    assert taken == ["0", "0", "1", "1", "2", "2"]
    assert engine.desk.next_task("gil", "Welds1") is None


def test_the_same_submission_again_changes_nothing(engine: Engine) -> None:
    begin(engine, NumberOfHumanWorkersPerDataObject=2)
    task = take(engine, "ann")
    engine.desk.submit(task.id, "ann", GOOD)
    engine.desk.submit(task.id, "ann", GOOD)
    with pytest.raises(TaskClosed, match="This task for object 0 was submitted before"):
        engine.desk.submit(task.id, "ann", {"class": {"label": "Not sure"}})
    assert [answer.content for answer in engine.ledger.data_object("Welds1", "0").answers] == [GOOD]


def test_the_same_submission_again_is_taken_after_the_job_has_ended(engine: Engine) -> None:
    begin(engine)
    task = take(engine, "ann")
    engine.desk.submit(task.id, "ann", GOOD)
    label_all(engine, ["ann"])
    engine.desk.submit(task.id, "ann", GOOD)


def test_an_answer_that_is_not_json_is_refused(engine: Engine) -> None:
    begin(engine)
    task = take(engine, "ann")
    with pytest.raises(TaskRefused, match="The answer can't be taken: Out of range float"):
        engine.desk.submit(task.id, "ann", {"wire speed": float("nan")})
    engine.desk.submit(task.id, "ann", {"wire speed": 8.5})


def test_a_task_is_nobody_elses(engine: Engine) -> None:
    begin(engine)
    task = take(engine, "ann")
    for act in (engine.desk.decline, engine.desk.release, engine.desk.find_task):
        with pytest.raises(NotYourTask, match="in your hands"):
            act(task.id, "bo")
    with pytest.raises(NotYourTask):
        engine.desk.submit(task.id, "bo", GOOD)
    with pytest.raises(NotYourTask):
        engine.desk.submit("no such task", "ann", GOOD)


def test_an_expired_task_goes_back_to_the_pool(engine: Engine, bench: Bench) -> None:
    begin(engine)
    late = take(engine, "ann")
    bench.clock.pass_seconds(600)

    with pytest.raises(TaskExpired, match="The time for object 0 ran out at 2020-09-15T16:10:00"):
        engine.desk.submit(late.id, "ann", GOOD)

    assert take(engine, "bo").object_id == "0"
    assert take(engine, "ann").object_id == "1"
    assert "The time of ann for object 0 ran out" in [event.message for event in engine.ledger.events("Welds1")]


def test_a_worker_may_take_an_expired_task_again(engine: Engine, bench: Bench) -> None:
    begin(engine)
    late = take(engine, "ann")
    bench.clock.pass_seconds(601)

    again = take(engine, "ann")

    assert (again.object_id, again.id == late.id) == ("0", False)
    with pytest.raises(TaskExpired):
        engine.desk.submit(late.id, "ann", GOOD)
    engine.desk.submit(again.id, "ann", GOOD)


def test_a_task_expires_with_the_availability_of_its_object(engine: Engine, bench: Bench) -> None:
    begin(engine, TaskAvailabilityLifetimeInSeconds=700)
    bench.clock.pass_seconds(400)
    task = take(engine, "ann")
    assert task.expires - task.accepted == timedelta(seconds=300)


def test_a_declined_object_goes_to_others_only(engine: Engine) -> None:
    begin(engine)
    task = take(engine, "ann")
    engine.desk.decline(task.id, "ann")
    engine.desk.decline(task.id, "ann")
    with pytest.raises(TaskClosed, match="was declined before"):
        engine.desk.submit(task.id, "ann", GOOD)
    assert take(engine, "ann").object_id == "1"
    assert take(engine, "bo").object_id == "0"


def test_a_task_handed_back_is_for_all(engine: Engine) -> None:
    begin(engine)
    task = take(engine, "ann")
    engine.desk.release(task.id, "ann")
    with pytest.raises(TaskClosed, match="was released before"):
        engine.desk.submit(task.id, "ann", GOOD)
    assert take(engine, "bo").object_id == "0"
    engine.desk.release(take(engine, "bo").id, "bo")
    assert take(engine, "ann").object_id == "0"


def test_a_stopped_job_takes_no_answers(engine: Engine) -> None:
    begin(engine)
    task = take(engine, "ann")
    engine.stop("Welds1")
    with pytest.raises(TaskClosed, match="The labeling job Welds1 has ended"):
        engine.desk.submit(task.id, "ann", GOOD)


def test_the_list_of_jobs_tells_what_there_is_to_do(engine: Engine) -> None:
    begin(engine)
    task = take(engine, "ann")
    engine.desk.submit(task.id, "ann", GOOD)
    engine.desk.decline(take(engine, "ann").id, "ann")
    take(engine, "bo")

    (for_ann,), (for_bo,) = engine.desk.open_jobs("ann"), engine.desk.open_jobs("bo")

    assert (for_ann.name, for_ann.title) == ("Welds1", "Classify the weld")
    assert (for_ann.objects, for_ann.done) == (3, 1)
    assert (for_ann.available, for_ann.submitted) == (1, 1)
    assert (for_bo.available, for_bo.submitted) == (2, 0)


def test_workers_at_the_same_time_get_each_object_as_often_as_asked(engine: Engine, bench: Bench) -> None:
    bench.put_manifest({"source": str(i)} for i in range(30))
    engine.create(request(NumberOfHumanWorkersPerDataObject=3))
    workers = ["ann", "bo", "cy", "di"]
    threads = [threading.Thread(target=_work, args=(engine, worker)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert wait_for_end(engine, "Welds1", 10)["LabelCounters"]["HumanLabeled"] == 30
    answers = [
        (str(i), answer.worker) for i in range(30) for answer in engine.ledger.data_object("Welds1", str(i)).answers
    ]
    assert len(set(answers)) == len(answers)
    assert set(Counter(object_id for object_id, _ in answers).values()) == {3}


def _work(engine: Engine, worker: str) -> None:
    while engine.describe("Welds1")["LabelingJobStatus"] in ("Initializing", "InProgress"):
        answer_all(engine, worker)


def nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"text": "half an emoji: \ud83d"}, "it holds U\\+D83D, half of a character"),
        ({"\udc00": 1}, "it holds U\\+DC00, half of a character"),
        (nested(970), "nested more than 100 levels deep"),
        (nested(100_000), "nested more than 100 levels deep"),
        ({"text": "x" * (10 * 1024 * 1024)}, "it has 10,485,771 bytes, at most 10,485,760 are taken"),
    ],
)
def test_an_answer_unfit_to_be_kept_is_refused(engine: Engine, answer: Any, problem: str) -> None:
    begin(engine)
    task = take(engine, "ann")
    with pytest.raises(AnswerUnfit, match=problem):
        engine.desk.submit(task.id, "ann", answer)
    assert engine.ledger.workers("Welds1") == [{"worker": "ann", "accepted": 1}]
    engine.desk.submit(task.id, "ann", {"text": "whole: \U0001f600", **nested(99)})


def test_a_clock_that_is_set_back_spends_no_time(engine: Engine, bench: Bench) -> None:
    begin(engine)
    task = take(engine, "ann")
    bench.clock.pass_seconds(-3600)
    engine.desk.submit(task.id, "ann", {"class": {"label": "a"}})
    (answer,) = engine.ledger.data_object("Welds1", task.object_id).answers
    assert answer.submitted == answer.accepted == "2020-09-15T16:00:00.000000"


def test_an_object_past_its_availability_is_not_handed_out_while_its_wave_is_prepared(bench: Bench) -> None:
    going_on = threading.Event()

    def slow_for_the_last(event: Any) -> Any:
        if event["dataObject"]["source"].endswith("2.json"):
            going_on.wait(30)
        return pass_on(event)

    bench.functions.functions[PRE] = slow_for_the_last
    with bench.engine(tick=3600) as engine:  # the clock that runs besides does not look in the meantime
        engine.create(request(TaskAvailabilityLifetimeInSeconds=60, NumberOfHumanWorkersPerDataObject=2))
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 2)
        assert take(engine, "ann").object_id == "0"
        bench.clock.pass_seconds(61)
        assert engine.desk.next_task("ann", "Welds1") is None
        assert engine.desk.next_task("bo", "Welds1") is None
        (job,) = engine.desk.open_jobs("ann")
        assert job.available == 0
        going_on.set()


def test_what_runs_out_is_closed_while_a_wave_is_prepared(bench: Bench) -> None:
    going_on = threading.Event()

    def slow_for_the_last(event: Any) -> Any:
        if event["dataObject"]["source"].endswith("2.json"):
            going_on.wait(30)
        return pass_on(event)

    bench.functions.functions[PRE] = slow_for_the_last
    with bench.engine() as engine:
        engine.create(request(TaskAvailabilityLifetimeInSeconds=60))
        wait_until(lambda: engine.ledger.progress("Welds1").get("open") == 2)
        bench.clock.pass_seconds(61)
        wait_until(lambda: engine.ledger.progress("Welds1").get("failed") == 2)
        assert engine.ledger.progress("Welds1").get("preparing") == 1
        going_on.set()
