"""Instants of several workers: read from what a page submits, and consolidated."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labeling.answers import BrokenAnswerError, InstantsQuestion
from labeling.answers.instants import Cluster, clusters
from labeling.answers.marks import Track
from labeling.consolidation import ConsolidationConfiguration

HOT = Track("hot")
QUESTION = InstantsQuestion(name="marks", title="Mark", categories=("hot", "cold"), tolerance_seconds=1.0, most=3)


def submitted(*instants: Any, **more: Any) -> str:
    return json.dumps({"instants": list(instants), "duration": 100, **more})


def label_of(*answers: dict[Track, list[float]]) -> dict[str, Any]:
    workers = {f"w{number}": answer for number, answer in enumerate(answers)}
    return QUESTION.consolidate({"0": workers}, ConsolidationConfiguration())["0"]


def test_an_answer_is_read_in_order_and_once() -> None:
    marks = [{"category": "hot", "time": time} for time in (2, 0.5, 2)]
    assert QUESTION.read(submitted(*marks), ()) == {HOT: [0.5, 2.0]}
    assert QUESTION.read("", ()) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (submitted({"category": "hot"}), r"instants\[0\]\.time: found None; expected seconds"),
        (submitted({"category": "hot", "time": -0.1}), r"instants\[0\]\.time: found -0.1"),
        (
            submitted({"category": "hot", "time": 9}, duration=8),
            r"instants\[0\]\.time: found 9 s, after the item's end",
        ),
        (submitted({"time": 1}), r"instants\[0\]: found the category None"),
        (submitted(*[{"category": "hot", "time": time} for time in range(4)]), "found 4 instants; expected 3 at most"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(value: str, message: str) -> None:
    with pytest.raises(BrokenAnswerError, match=message):
        QUESTION.read(value, ())


def test_an_instant_is_the_median_of_its_cluster() -> None:
    label = label_of({HOT: [1.0, 5.0]}, {HOT: [1.2, 9.0]}, {HOT: [1.6]}, {Track("cold"): [1.1]})
    assert label["instants"] == [{"category": "hot", "time": 1.2, "workers": 3, "confidence": 0.75}]
    # Of all marks of a worker and the label, those in common: 1 of 2, 1 of 2, 1 of 1, 0 of 2.
    assert label["confidence"] == pytest.approx((0.5 + 0.5 + 1 + 0) / 4)


def test_a_worker_s_two_marks_are_two_instants() -> None:
    both = {HOT: [1.0, 1.5]}
    assert [one["time"] for one in label_of(both, both, both)["instants"]] == [1.0, 1.5]


def test_marks_beyond_the_tolerance_are_not_of_one_moment() -> None:
    assert label_of({HOT: [1.0]}, {HOT: [2.0]})["instants"] != []
    assert label_of({HOT: [1.0]}, {HOT: [2.001]})["instants"] == []


times = st.lists(
    st.lists(st.integers(0, 40).map(lambda tenth: tenth / 4), unique=True, max_size=4), min_size=1, max_size=5
)


@given(times, st.randoms())
def test_each_cluster_is_of_most_workers_and_the_order_does_not_matter(
    answers: list[list[float]], chance: random.Random
) -> None:
    answers = [sorted(mine) for mine in answers]
    found = clusters(answers, 0.5)
    assert found == sorted(found)
    for cluster in found:
        near = sum(any(abs(time - cluster.time) <= 0.5 for time in mine) for mine in answers)
        assert near >= cluster.workers > len(answers) / 2
    assert sum(cluster.workers for cluster in found) <= sum(map(len, answers))
    assert [one.time for one in clusters(chance.sample(answers, len(answers)), 0.5)] == [one.time for one in found]


@given(st.lists(st.integers(0, 100).map(lambda n: 2.0 * n), unique=True, max_size=20), st.integers(1, 5))
def test_what_all_marked_alike_is_the_label(mine: list[float], workers: int) -> None:
    assert clusters([sorted(mine)] * workers, 1.0) == [Cluster(time, workers) for time in sorted(mine)]
