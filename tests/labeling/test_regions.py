"""Regions of several workers: read from what a page submits, and consolidated."""

import itertools
import json
import random
from fractions import Fraction
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labeling.answers import BrokenAnswerError, RegionsQuestion
from labeling.answers.marks import Track
from labeling.answers.regions import Stretch, agreed
from labeling.consolidation import ConsolidationConfiguration

from benchmarks import marks

HOT, COLD = Track("hot"), Track("cold")
QUESTION = RegionsQuestion(name="marks", title="Mark", categories=("hot", "cold"))
APART = RegionsQuestion(name="marks", title="Mark", categories=("hot", "cold"), overlaps="none")
ON_ONE = RegionsQuestion(name="marks", title="Mark", categories=("hot", "cold"), channels="one")


def region(begin: Any, end: Any, category: Any = "hot", **more: Any) -> dict[str, Any]:
    return {"category": category, "begin": begin, "end": end, **more}


def submitted(*regions: Any, **more: Any) -> str:
    return json.dumps({"regions": list(regions), "duration": 20_000, **more})


def label_of(*answers: dict[Track, list[Stretch]], question: RegionsQuestion = QUESTION) -> dict[str, Any]:
    workers = {f"w{number}": answer for number, answer in enumerate(answers)}
    return question.consolidate({"0": workers}, ConsolidationConfiguration())["0"]


def test_an_answer_is_read_in_order_and_by_category() -> None:
    answer = submitted(region(3, 4), region(0.5, 2.25), region(1, 2, "cold"), duration=10)
    assert QUESTION.read(answer, ()) == {HOT: [(0.5, 2.25), (3.0, 4.0)], COLD: [(1.0, 2.0)]}
    assert QUESTION.read(json.loads(answer), ()) == QUESTION.read(answer, ())
    assert QUESTION.read(submitted(), ()) == {}
    assert QUESTION.read(" ", ()) is None
    on_one = submitted(region(1, 2, channel="current"), region(1, 2, channel="voltage"))
    assert ON_ONE.read(on_one, ("current", "voltage")) == {
        Track("hot", "current"): [(1.0, 2.0)],
        Track("hot", "voltage"): [(1.0, 2.0)],
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", r"found '\{'; expected JSON such as"),
        ("[1]", r"found '\[1\]'|found \[1\]; expected a JSON object with 'regions'"),
        ("[" * 100_000, "expected JSON such as"),
        (submitted(region(2, 1)), r"regions\[0\]: found 2 to 1 s; expected to end after it begins"),
        (submitted(region(1, 1)), r"regions\[0\]: found 1 to 1 s"),
        (submitted(region(0, 1), region(-1, 0)), r"regions\[1\]\.begin: found -1; expected seconds"),
        (submitted(region(0, True)), r"regions\[0\]\.end: found True"),
        (submitted(region(0, "2")), r"regions\[0\]\.end: found '2'"),
        ('{"regions": [{"category": "hot", "begin": 0, "end": NaN}], "duration": 1}', r"regions\[0\]\.end: found nan"),
        (
            '{"regions": [{"category": "hot", "begin": 0, "end": 1e999}], "duration": 1}',
            r"regions\[0\]\.end: found inf",
        ),
        (submitted(region(1, 11), duration=10), r"regions\[0\]\.end: found 11 s, after the item's end; expected 10 s"),
        (submitted(region(0, 1, "warm")), r"regions\[0\]: found the category 'warm'; expected one of 'hot', 'cold'"),
        (submitted(region(0, 1, ["hot"])), r"regions\[0\]: found the category \['hot'\]"),
        (submitted([0, 1]), r"regions\[0\]: found \[0, 1\]; expected a JSON object"),
        (submitted(*[region(n, n + 0.5) for n in range(10_000)]), "found 10,000 regions; expected 100 at most"),
        (submitted(region(0, 2), region(1, 3)), r"found 'hot' from 1 s on over 'hot' until 2 s; .* in one category"),
        ('{"regions": [{}]}', "expected a JSON object with 'duration'"),
        ('{"regions": {}}', r"regions: found \{\}; expected a list"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(value: str, message: str) -> None:
    with pytest.raises(BrokenAnswerError, match=message):
        QUESTION.read(value, ())


def test_overlaps_are_allowed_as_configured() -> None:
    over = submitted(region(0, 2), region(1, 3, "cold"))
    assert QUESTION.read(over, ()) == {HOT: [(0.0, 2.0)], COLD: [(1.0, 3.0)]}
    with pytest.raises(
        BrokenAnswerError, match=r"found 'cold' from 1 s on over 'hot' until 2 s; expected regions that"
    ):
        APART.read(over, ())
    assert APART.read(submitted(region(0, 1), region(1, 3, "cold")), ()) == {HOT: [(0.0, 1.0)], COLD: [(1.0, 3.0)]}


def test_a_channel_must_be_the_job_s() -> None:
    with pytest.raises(BrokenAnswerError, match=r"found the channel 'sound'; expected one of 'current', 'voltage'"):
        ON_ONE.read(submitted(region(0, 1, channel="sound")), ("voltage", "current"))


def test_the_edges_are_the_medians_of_those_who_marked_it() -> None:
    label = label_of({HOT: [(1, 5)]}, {HOT: [(2, 6)]}, {HOT: [(3, 10)]}, {})
    (found,) = label["regions"]
    assert (found["begin"], found["end"], found["workers"]) == (2, 6, 3)
    # By hand: 3/5, 4/4, 3/8 and 0, over four workers.
    assert found["confidence"] == pytest.approx((3 / 5 + 1 + 3 / 8 + 0) / 4, abs=1e-4)
    assert label["confidence"] == found["confidence"]
    assert label["answers"] == 4


def test_what_half_of_them_marked_is_left_out() -> None:
    assert label_of({HOT: [(1, 5)]}, {})["regions"] == []
    assert label_of({HOT: [(1, 5)]}, {COLD: [(1, 5)]})["regions"] == []
    assert label_of({HOT: [(1, 2)]}, {HOT: [(2, 3)]})["regions"] == []


def test_nothing_marked_by_all_is_a_sure_label_and_nobody_s_answer_none() -> None:
    assert label_of({}, {}) == {"regions": [], "confidence": 1.0, "answers": 2}
    assert label_of() == {"regions": [], "confidence": 0.0, "answers": 0}
    assert label_of({HOT: [(0, 1)]}, {}, {})["confidence"] == pytest.approx(2 / 3, abs=1e-4)


def test_an_edge_of_the_region_behind_is_not_counted() -> None:
    """One worker joined what the others parted: the edges in between are the others'."""
    label = label_of({HOT: [(0, 10)]}, {HOT: [(0, 2), (7, 10)]}, {HOT: [(0, 3), (8, 10)]})
    assert [(one["begin"], one["end"]) for one in label["regions"]] == [(0, 2.5), (7.5, 10)]


def test_a_worker_s_many_pieces_are_one_voice() -> None:
    crumbs = [(11 + number / 10, 11.05 + number / 10) for number in range(50)]
    label = label_of({HOT: [(10, 20)]}, {HOT: [(10, 20)]}, {HOT: crumbs})
    assert [(one["begin"], one["end"]) for one in label["regions"]] == [(10, 20)]


def test_regions_of_one_channel_are_consolidated_by_channel() -> None:
    on = {Track("hot", "current"): [(1.0, 2.0)]}
    label = label_of(on, on, {Track("hot", "voltage"): [(1.0, 2.0)]}, question=ON_ONE)
    assert [(one["channel"], one["begin"], one["end"]) for one in label["regions"]] == [("current", 1.0, 2.0)]


def test_medians_do_not_lead_one_category_into_the_other_where_none_may() -> None:
    answers = [{HOT: [(0, 4)], COLD: [(4, 8)]}, {HOT: [(0, 5)], COLD: [(5, 8)]}, {HOT: [(0, 6)]}]
    label = label_of(*answers, question=APART)  # type: ignore[arg-type]
    assert [(one["category"], one["begin"], one["end"]) for one in label["regions"]] == [
        ("hot", 0, 4.75),  # halfway between the medians, 5 and 4.5
        ("cold", 4.75, 8),
    ]


@st.composite
def workers(draw: st.DrawFn) -> list[list[Stretch]]:
    """Some workers' regions, apart from each other, on a grid of whole seconds."""
    answers = []
    for _ in range(draw(st.integers(1, 5))):
        edges = sorted(draw(st.sets(st.integers(0, 30), max_size=8)))
        answers.append([(float(begin), float(end)) for begin, end in zip(edges[::2], edges[1::2], strict=False)])
    return answers


@given(workers())
def test_regions_lie_where_most_workers_marked(answers: list[list[Stretch]]) -> None:
    """Against a count of each second: every stretch that most marked is in the label, which holds no other core."""
    seconds = np.arange(30) + 0.5
    counts = sum(
        (np.array([any(begin < time < end for begin, end in regions) for time in seconds], int) for regions in answers),
        np.zeros(30, int),
    )
    most = 2 * counts > len(answers)
    found = agreed(answers)
    assert found == sorted(found)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))
    for begin, end in found:
        assert begin < end
        assert most[(seconds > begin) & (seconds < end)].any() or end - begin < 1
    assert bool(found) == bool(most.any())


@given(workers(), st.randoms())
def test_the_order_of_workers_does_not_matter(answers: list[list[Stretch]], chance: random.Random) -> None:
    shuffled = chance.sample(answers, len(answers))
    assert agreed(shuffled) == agreed(answers)


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(11, 20)), min_size=1, max_size=7))
def test_one_region_each_gives_the_medians(regions: list[tuple[int, int]]) -> None:
    (found,) = agreed([[(float(begin), float(end))] for begin, end in regions])
    assert found == (median(begin for begin, _ in regions), median(end for _, end in regions))


@given(workers())
def test_the_whole_confidence_is_the_mean_intersection_over_union(answers: list[list[Stretch]]) -> None:
    """Against exact fractions of seconds, counted on a grid of quarters, on which medians of whole seconds lie."""
    label = label_of(*({HOT: regions} if regions else {} for regions in answers))
    grid = [Fraction(number, 4) + Fraction(1, 8) for number in range(124)]
    mine = {time for time in grid if any(one["begin"] < time < one["end"] for one in label["regions"])}
    shares = []
    for regions in answers:
        theirs = {time for time in grid if any(begin < time < end for begin, end in regions)}
        shares.append(len(mine & theirs) / len(mine | theirs) if mine | theirs else 1.0)
    assert label["confidence"] == pytest.approx(sum(shares) / len(shares), abs=1e-4)


@pytest.mark.parametrize("pool", marks.POOLS)
@pytest.mark.parametrize("team", [3, 5])
@pytest.mark.parametrize("kind", ["regions", "instants"])
def test_the_label_beats_the_best_worker(kind: str, team: int, pool: str) -> None:
    found = marks.measure(kind, pool, team, seed=7)
    assert found.label > found.best + 0.01
    assert found.best >= found.mean
