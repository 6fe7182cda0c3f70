"""What the records promise, on every database that keeps them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from ground_truth_server.records.batches import Batch
from ground_truth_server.records.data_objects import NewObject, WithoutResponse
from ground_truth_server.records.database import RECORD_ERRORS, Database
from ground_truth_server.records.jobs import JobRecord
from ground_truth_server.records.records import Records
from ground_truth_server.records.tasks import Answer, FormerAnswer, TaskRecord
from tests.ground_truth_server.engine.labeling import wait_until

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/"
AT, LATER, LATEST = "2026-01-01T00:00:00.000000", "2026-01-01T00:00:10.000000", "2026-01-01T01:00:00.000000"


def add_job(records: Records, key: str = "Welds", objects: int = 0) -> None:
    """A labeling job whose objects are open, each to two workers."""
    with records.transaction():
        assert records.jobs.add(JobRecord(key, f"{ARN}{key.lower()}", {"a": "ü"}), "<p>", ["x"], AT)
        records.objects.add(key, [NewObject(number, {"source": str(number)}) for number in range(objects)], AT)
        if objects:
            assert records.objects.start_wave(key, objects) == (1, objects)
        for number in range(objects):
            records.objects.open(key, number, {"text": f"input {number}"}, LATEST, 2)


def take(records: Records, worker: str, task_id: str | None = None, key: str = "Welds") -> int | None:
    """Let a worker take the next object; gives its number."""
    with records.transaction():
        found = records.objects.take(key, worker, AT)
        if found is None:
            return None
        task = TaskRecord(task_id or f"{worker}-{found.number}", key, found.number, worker, "accepted", AT, LATER)
        records.tasks.add(task)
        return found.number


def test_many_rows_are_added_as_they_are(records: Records) -> None:
    """Whatever the driver does for many rows at once: nothing in them is taken for a sign of its own."""
    texts = ["tab\tand\nline", "\\N", 'back\\slash \\. ,;"quoted"', "ü 漢 😀", "", " "]
    add_job(records)
    with records.transaction():
        records.objects.add("Welds", [NewObject(number, {"source": text}) for number, text in enumerate(texts)], AT)
        records.objects.add("Welds", [NewObject(90, None, "not JSON"), NewObject(91, {}, label={"class": 1})], AT)
        records.objects.add("Welds", [], AT)
    found = {one.object_id: one for one in records.objects.page("Welds")}
    assert [found[str(number)].data_object for number in range(len(texts))] == [{"source": text} for text in texts]
    assert (found["90"].data_object, found["90"].state, found["90"].problem) == (None, "failed", "not JSON")
    assert (found["91"].label, found["91"].state) == ({"class": 1}, "labeled")
    with pytest.raises(RECORD_ERRORS), records.transaction():
        records.objects.add("Welds", [NewObject(92, {}), NewObject(0, {})], AT)  # there is one of this number
    assert records.objects.find("Welds", 92) is None


class TestTransactions:
    def test_one_happens_whole_or_not_at_all(self, records: Records) -> None:
        with pytest.raises(RuntimeError, match="in the middle"), records.transaction():  # noqa: PT012
            records.log.write("a", AT, "state", "undone")
            assert [event.message for event in records.log.read()] == ["undone"]  # it sees what it did
            raise RuntimeError("in the middle")
        assert records.log.read() == []

    def test_others_see_it_when_it_has_ended(self, records: Records) -> None:
        seen: list[int] = []
        with records.transaction():
            records.log.write("a", AT, "state", "news")
            thread = threading.Thread(target=lambda: seen.append(len(records.log.read())))
            thread.start()
            thread.join()
        assert seen == [0]
        assert len(records.log.read()) == 1

    def test_what_is_done_is_there_when_it_is_opened_again(
        self, records: Records, open_database: Callable[[], Database]
    ) -> None:
        add_job(records, objects=1)
        records.database.close()
        found = Records(open_database()).objects.find("Welds", 0)
        assert found is not None
        assert (found.state, found.task_input) == ("open", {"text": "input 0"})

    def test_nothing_is_changed_outside_of_one(self, records: Records) -> None:
        with pytest.raises(RuntimeError, match="in transactions only"):
            records.log.write("a", AT, "state", "lost")

    def test_one_that_fails_in_a_statement_leaves_the_next_whole(self, records: Records) -> None:
        add_job(records)
        with pytest.raises(Exception, match=r"(?i)unique"), records.transaction():  # noqa: PT012
            records.log.write("a", AT, "state", "undone")
            records.jobs._database.change(text("INSERT INTO listeners (name, heard) VALUES ('a', 1), ('a', 2)"))
        with records.transaction():
            records.log.write("a", AT, "state", "kept")
        assert [event.message for event in records.log.read()] == ["kept"]


class TestNews:
    def test_one_waits_for_a_change_of_another_thread(self, records: Records) -> None:
        database = records.database
        time.sleep(0.2)  # a listener that has only just begun tells of what it may have missed
        before = database.changes
        assert not database.wait_for_change(before, 0.05)

        def change() -> None:
            with records.transaction():
                records.log.write("a", AT, "state", "news")

        thread = threading.Timer(0.05, change)
        thread.start()
        assert database.wait_for_change(before, 5)
        thread.join()


class TestJobs:
    def test_a_job_is_the_same_in_any_case(self, records: Records) -> None:
        add_job(records)
        for key in ("Welds", "welds", "WELDS"):
            found = records.jobs.find(key)
            assert found == JobRecord("Welds", f"{ARN}welds", {"a": "ü"})
            assert records.jobs.has(key)
            assert (records.jobs.template(key), records.jobs.categories(key)) == ("<p>", ["x"])
        assert [records.jobs.find("Weld"), records.jobs.state("Weld"), records.jobs.template("Weld")] == [None] * 3
        assert records.jobs.key_of(f"{ARN}welds") == "Welds"
        with records.transaction():
            assert not records.jobs.add(JobRecord("WELDS", f"{ARN}welds", {}), "", None, AT)

    def test_its_state_changes(self, records: Records) -> None:
        add_job(records)
        with records.transaction():
            records.jobs.set_status("welds", "Failed", LATER, "x" * 2000)
            records.jobs.set_manifest_read("welds")
            records.jobs.set_in_manifests("welds", 7)
        state = records.jobs.state("Welds")
        assert state is not None
        assert (state.status, state.failure_reason, state.created, state.modified) == ("Failed", "x" * 1024, AT, LATER)
        assert records.jobs.manifest_is_read("Welds")
        assert records.jobs.in_manifests("Welds") == 7
        assert (records.jobs.keys("Failed"), records.jobs.keys("InProgress")) == (["Welds"], [])

    def test_they_are_listed_by_age(self, records: Records) -> None:
        for key, at in (("b", LATER), ("c", AT), ("a", LATER)):
            with records.transaction():
                records.jobs.add(JobRecord(key, key, {}), "", None, at)
        assert records.jobs.keys() == ["c", "a", "b"]


class TestObjects:
    def test_bad_lines_are_failed(self, records: Records) -> None:
        with records.transaction():
            records.objects.add("j", [NewObject(0, {"source": "a"}), NewObject(1, None, "no JSON")], AT)
        assert records.objects.count("j") == {"waiting": 1, "failed": 1}
        failed = records.objects.find("j", 1)
        assert failed is not None
        assert (failed.data_object, failed.problem) == (None, "no JSON")
        with records.transaction():
            records.objects.forget("j")
        assert records.objects.count("j") == {}

    def test_waves_go_out_in_order(self, records: Records) -> None:
        with records.transaction():
            records.objects.add("j", [NewObject(number, {}) for number in range(5)], AT)
        sizes = []
        for _ in range(3):
            with records.transaction():
                sizes.append(records.objects.start_wave("j", 2))
        assert sizes == [(1, 2), (2, 2), (3, 1)]
        assert [one.wave for one in records.objects.page("j", start=1, limit=3)] == [1, 2, 2]
        with records.transaction():
            assert records.objects.start_wave("j", 2) == (4, 0)

    def test_an_object_is_taken_as_often_as_asked_by_many_at_once(self, records: Records) -> None:
        add_job(records, objects=20)
        with ThreadPoolExecutor(10) as pool:
            workers = [f"w{number}" for number in range(10)]
            taken = list(pool.map(lambda worker: [take(records, worker) for _ in range(25)], workers))
        numbers = [number for mine in taken for number in mine if number is not None]
        assert sorted(numbers) == sorted([*range(20)] * 2)
        for mine in taken:
            own = [number for number in mine if number is not None]
            assert len(own) == len(set(own))

    def test_what_is_past_its_availability_is_not_taken(self, records: Records) -> None:
        add_job(records, objects=1)
        assert records.objects.any_to_take("Welds", "ann", LATER)
        assert not records.objects.any_to_take("Welds", "ann", LATEST)
        with records.transaction():
            assert records.objects.take("Welds", "ann", LATEST) is None
        assert not records.objects.any_due("Welds", LATER)
        assert records.objects.any_due("Welds", LATEST)

    def test_closing_parts_the_answered_from_the_rest(self, records: Records) -> None:
        add_job(records, objects=2)
        assert take(records, "ann", "t") == 0
        with records.transaction():
            assert records.tasks.submit("t", "{}", LATER)
            assert records.objects.close_due("Welds", LATEST, "nobody came") == (1, [1])
        assert records.objects.count("Welds") == {"answered": 1, "failed": 1}
        failed = records.objects.find("Welds", 1)
        assert failed is not None
        assert failed.problem == "nobody came"

    def test_all_can_be_taken_back(self, records: Records) -> None:
        add_job(records, objects=2)
        take(records, "ann", "t")
        with records.transaction():
            records.tasks.submit("t", "{}", LATER)
            records.objects.close_all("Welds")
        assert records.objects.count("Welds") == {"answered": 1, "waiting": 1}


class TestTasks:
    def test_one_ends_once(self, records: Records) -> None:
        add_job(records, objects=1)
        take(records, "ann", "t")
        found = records.tasks.in_hand("Welds", "ann")
        assert found == TaskRecord("t", "Welds", 0, "ann", "accepted", AT, LATER)
        assert [one.id for one in records.tasks.in_hands("Welds", LATER)] == ["t"]
        assert records.tasks.in_hands("Welds", AT) == []
        with records.transaction():
            assert records.tasks.end("t", "expired", LATER)
        with records.transaction():
            assert not records.tasks.end("t", "declined", LATEST)
            assert not records.tasks.submit("t", "{}", LATEST)
        ended = records.tasks.find("t")
        assert ended is not None
        assert (ended.state, ended.ended, ended.answer) == ("expired", LATER, None)

    def test_answers_come_in_the_order_of_their_moments(self, records: Records) -> None:
        add_job(records, objects=1)
        for worker, at in (("ben", LATEST), ("ann", LATER)):
            take(records, worker, worker)
            with records.transaction():
                records.tasks.submit(worker, f'{{"by": "{worker} ü"}}', at)
        assert [(one.worker, one.content) for one in records.tasks.answers("Welds", 0)] == [
            ("ann", {"by": "ann ü"}),
            ("ben", {"by": "ben ü"}),
        ]
        assert records.tasks.count_answers("Welds", 0) == (2, 2)
        assert records.tasks.answers_to("Welds", [0, 1]) == {0: [{"by": "ann ü"}, {"by": "ben ü"}], 1: []}
        assert records.tasks.count_submitted("Welds", "ann") == 1
        assert records.tasks.by_worker("Welds") == [("ann", "submitted", 1), ("ben", "submitted", 1)]

    def test_each_version_of_an_answer_is_kept_and_the_newest_counts(self, records: Records) -> None:
        add_job(records, objects=1)
        take(records, "ann", "t")
        with records.transaction():
            records.tasks.submit("t", '{"a":1}', LATER, "it is ü")
        first = records.tasks.find("t")
        assert first is not None
        with records.transaction():
            assert records.tasks.correct(first, '{"a":2}', None, LATEST)
        with records.transaction():
            assert not records.tasks.correct(first, '{"a":3}', None, LATEST), "another version came first"
        newest = records.tasks.find("t")
        assert newest is not None
        assert (newest.answer, newest.version, newest.corrected, newest.ended) == ('{"a":2}', 2, LATEST, LATER)
        with records.transaction():
            assert records.tasks.correct(newest, '{"a":4}', "no", LATEST)
        assert records.tasks.former_answers("Welds", 0) == [
            FormerAnswer("t", 1, LATER, {"a": 1}, "it is ü"),
            FormerAnswer("t", 2, LATEST, {"a": 2}, None),
        ]
        assert records.tasks.answers("Welds", 0) == [Answer("ann", AT, LATER, {"a": 4}, "no", LATEST, "t")]
        assert records.tasks.count_answers("Welds", 0) == (1, 1)

    def test_a_worker_response_is_written_anew_after_a_correction_alone(self, records: Records) -> None:
        add_job(records, objects=2)
        with records.transaction():
            for number in range(2):
                records.objects.set_answered("Welds", number)
        listed = records.objects.without_response("Welds")
        with records.transaction():  # while the files of both are written
            records.objects.note_correction("Welds", 0, differ=True)
        with records.transaction():
            records.objects.set_responses("Welds", dict.fromkeys(listed, "a.json"))
        assert records.objects.without_response("Welds") == [WithoutResponse(0, 1, 1)]
        assert [found.object_id for found in records.objects.page_that_differs("Welds", 0, 9)] == ["0"]
        with records.transaction():
            records.objects.set_responses("Welds", {WithoutResponse(0, 1, 1): "a.json"})
            records.objects.note_correction("Welds", 0, differ=False)
        assert records.objects.without_response("Welds") == [WithoutResponse(0, 1, 2)]
        assert records.objects.page_that_differs("Welds", 0, 9) == []
        assert records.objects.takes_corrections("Welds", 0)
        with records.transaction():
            records.objects.put_in_batch("Welds", 1, 10)
        assert not records.objects.takes_corrections("Welds", 0)

    def test_what_is_put_aside_is_had_but_not_in_hand(self, records: Records) -> None:
        add_job(records, objects=2)
        take(records, "ann", "t")
        with records.transaction():
            assert records.tasks.put_aside("t", LATER)
        assert records.tasks.in_hand("Welds", "ann") is None
        assert take(records, "ann", "u") == 1
        assert records.tasks.count_had("Welds", "ann") == (2, 1)
        assert [(one.id, one.aside) for one in records.tasks.aside("Welds", "ann")] == [("t", LATER)]
        assert [one.id for one in records.tasks.in_hands("Welds", LATER)] == ["t", "u"], "its time goes on"
        with records.transaction():
            assert records.tasks.put_aside("t", None)
            assert records.tasks.end("u", "released", LATER)
        assert records.tasks.aside("Welds", "ann") == []
        with records.transaction():
            assert not records.tasks.put_aside("u", LATEST)

    def test_a_worker_s_answers_are_paged_from_the_newest(self, records: Records) -> None:
        add_job(records, objects=3)
        add_job(records, "Seams", objects=2)
        for task, job, at in (("a", "Welds", AT), ("b", "Welds", LATER), ("c", "Seams", LATER), ("d", "Welds", LATEST)):
            take(records, "ann", task, key=job)
            with records.transaction():
                records.tasks.submit(task, f'{{"by":"{task}"}}', at)
        assert take(records, "ben", "e", key="Seams") == 0
        with records.transaction():
            records.tasks.submit("e", "{}", LATEST)

        def ids(**options: Any) -> list[str]:
            return [one.task.id for one in records.tasks.own_answers("ann", **options)]

        assert ids(limit=9) == ["d", "c", "b", "a"]
        assert ids(limit=2) == ["d", "c"]
        assert ids(limit=2, before=(LATER, "c")) == ["b", "a"]
        assert ids(limit=9, job="Welds") == ["d", "b", "a"]
        assert ids(limit=9, job="Seams", before=(LATEST, "z")) == ["c"]
        assert records.tasks.last_submitted("Welds", "ann", 2) == [(AT, LATEST), (AT, LATER)]
        with records.transaction():
            records.objects.set_labels("Welds", {0: {"class": "ü"}})
        oldest = records.tasks.own_answers("ann", 1, (LATER, "b"))[0]
        assert (oldest.content, oldest.state, oldest.label) == ({"by": "a"}, "labeled", {"class": "ü"})
        assert (oldest.line, oldest.in_batch) == ({"source": "0"}, False)


class TestBatches:
    def test_objects_are_labeled_in_batches(self, records: Records) -> None:
        add_job(records, objects=3)
        with records.transaction():
            for number in range(3):
                records.objects.set_answered("Welds", number)
            assert records.objects.last_answered_wave("Welds") == 1
            records.batches.add("Welds", Batch(1, 1, AT))
            records.objects.put_in_batch("Welds", 1, 2)
        listed = [WithoutResponse(number, 1, 0) for number in range(3)]
        assert records.objects.without_response("Welds") == listed
        with records.transaction():
            records.objects.set_responses("Welds", {listed[0]: "a.json", listed[1]: "b.json"})
        assert records.objects.without_response("Welds") == listed[2:]
        assert records.batches.to_consolidate("Welds") == [Batch(1, 1, AT)] == [records.batches.last("Welds")]
        assert records.objects.lines_of_batch("Welds", 1) == {0: {"source": "0"}, 1: {"source": "1"}}
        with records.transaction():
            records.objects.set_labels("Welds", {0: {"class": "ü"}, 1: {"class": "b"}})
            records.batches.set_consolidated("Welds", 1)
        assert records.batches.to_consolidate("Welds") == []
        rows = list(records.objects.manifest_rows("Welds"))
        assert [(row.number, row.state, row.label, row.labeled_at) for row in rows] == [
            (0, "labeled", {"class": "ü"}, AT),
            (1, "labeled", {"class": "b"}, AT),
            (2, "answered", None, None),
        ]

    def test_a_manifest_of_more_lines_than_are_read_at_once(self, records: Records) -> None:
        with records.transaction():
            records.objects.add("j", [NewObject(number, {"source": str(number)}) for number in range(1203)], AT)
        assert [row.line["source"] for row in records.objects.manifest_rows("j")] == [str(n) for n in range(1203)]


class TestLog:
    def test_events_are_read_after_a_number(self, records: Records) -> None:
        with records.transaction():
            for job, message in (("a", "one"), ("b", "two"), ("a", "three")):
                records.log.write(job, AT, "state", message, number=3, worker="ann", detail={"x": [1]})
        first, second = records.log.read("a")
        assert (first.message, first.object_id, first.worker, first.detail) == ("one", "3", "ann", {"x": [1]})
        assert records.log.read("a", after=first.sequence) == [second]
        assert len(records.log.read(limit=2)) == 2

    def test_what_no_database_holds_is_shown(self, records: Records) -> None:
        with records.transaction():
            records.log.write("a", AT, "log", "nul \0 half \ud83d end", detail={"t": "nul \0 half \ud83d"})
        (event,) = records.log.read()
        assert event.message == r"nul \x00 half \ud83d end"
        assert event.detail == {"t": "nul \0 half \ud83d"}


class TestStateChanges:
    def test_a_new_listener_begins_with_what_waits(self, records: Records) -> None:
        with records.transaction():
            for number in range(3):
                records.state_changes.add({"n": number})
        with records.transaction():
            place = records.state_changes.place_of("file")
        waiting = records.state_changes.after(place)
        assert [event for _, event in waiting] == [{"n": 0}, {"n": 1}, {"n": 2}]
        with records.transaction():
            records.state_changes.set_heard("file", waiting[1][0], ["file"])
        assert records.state_changes.any_waiting()
        with records.transaction():
            assert records.state_changes.place_of("file") == waiting[1][0]
            assert records.state_changes.place_of("another") == waiting[1][0]
            records.state_changes.set_heard("file", waiting[2][0], ["file"])
        assert not records.state_changes.any_waiting()
        with records.transaction():
            assert records.state_changes.place_of("a third") == waiting[2][0]

    def test_a_slow_listener_keeps_what_it_has_not_had(self, records: Records) -> None:
        with records.transaction():
            records.state_changes.add({"n": 0})
            for name in ("fast", "slow"):
                records.state_changes.place_of(name)
        ((sequence, _),) = records.state_changes.after(0)
        with records.transaction():
            records.state_changes.set_heard("fast", sequence, ["fast", "slow"])
        assert records.state_changes.any_waiting()

    def test_none_is_committed_behind_one_that_was_heard(self, records: Records) -> None:
        """Whoever reads on after the last that was seen misses none, however many write."""
        seen: list[int] = []

        def write(worker: int) -> None:
            for number in range(20):
                with records.transaction():
                    records.state_changes.add({"n": 100 * worker + number})
                    time.sleep(0.001)

        with ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(write, worker) for worker in range(4)]
            last = 0
            while len(seen) < 80:
                for sequence, event in records.state_changes.after(last):
                    seen.append(event["n"])
                    last = sequence
                if all(call.done() for call in calls) and not records.state_changes.after(last):
                    break
        assert sorted(seen) == sorted(100 * worker + number for worker in range(4) for number in range(20))


def test_a_lock_is_one_transaction_s_at_a_time(records: Records) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with records.transaction():
            records.database.lock("worker", "ann")
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert max(most) == 1
    wait_until(lambda: not inside)
