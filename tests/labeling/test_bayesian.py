"""Bayesian consolidation beside a sum over all that may be true, by arrays beside plain Python; and ``auto``."""

import itertools
import math
import random
import subprocess
import sys
from collections.abc import Mapping

import pytest
from labeling.consolidation import Choices, Verdict, bayesian, bayesian_matrices, decide
from labeling.consolidation.posterior import vote_shares
from labeling.consolidation.strategy import Answers
from labeling.job import load_configured

from benchmarks import strategies

CATEGORIES = ("a", "b", "c")
FEW = {
    "1": {"x": "a", "y": "a", "z": "b"},
    "2": {"x": "b", "y": "b"},
    "3": {"x": "c", "y": "a", "z": "c"},
    "4": {"z": "a", "x": "b"},
}
NAMES = load_configured({}).label.category_names


def summed_up(answers: Answers) -> dict[str, dict[str, float]]:
    """The model as its papers write it: the sum over every way to label all objects and every pool."""
    objects = sorted(answers)
    totals = {key: dict.fromkeys(CATEGORIES, 0.0) for key in objects}
    for labels in itertools.product(CATEGORIES, repeat=len(objects)):
        true = dict(zip(objects, labels, strict=True))
        weight = math.fsum(probability(answers, true, *pool) for pool in POOLS)
        for key in objects:
            totals[key][true[key]] += weight
    return {key: {name: of[name] / sum(of.values()) for name in of} for key, of in totals.items()}


POOLS = tuple(
    itertools.product(
        [bayesian.accuracy_of(skill, len(CATEGORIES)) for skill in bayesian.SKILLS],
        bayesian.LIKENESSES,
        bayesian.VARIETIES,
    )
)


def probability(answers: Answers, true: Mapping[str, str], mean: float, likeness: float, variety: float) -> float:
    """Of labels and answers together, each unknown number integrated away: Dirichlets' and betas' normalisers."""
    said = [(worker, true[key], answer) for key, votes in answers.items() for worker, answer in votes.items()]
    found = dirichlet([1.0] * 3, [list(true.values()).count(name) for name in CATEGORIES])
    for worker in {worker for worker, _, _ in said}:
        own = [answer == label for one, label, answer in said if one == worker]
        found += dirichlet([likeness * mean, likeness * (1 - mean)], [own.count(True), own.count(False)])
    for label in CATEGORIES:
        others = [name for name in CATEGORIES if name != label]
        times = [sum(one == label and answer == name for _, one, answer in said) for name in others]
        found += dirichlet([variety] * len(others), times)
    return math.exp(found)


def dirichlet(imagined: list[float], counted: list[int]) -> float:
    together = [one + times for one, times in zip(imagined, counted, strict=True)]
    return (
        math.lgamma(sum(imagined))
        - math.lgamma(sum(together))
        + sum(map(math.lgamma, together))
        - sum(map(math.lgamma, imagined))
    )


def furthest(found: Mapping[str, Mapping[str, float]], other: Mapping[str, Mapping[str, float]]) -> float:
    return max(abs(found[key][name] - other[key][name]) for key in other for name in other[key])


def test_many_draws_come_to_the_sum_over_all_that_may_be_true(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = summed_up(FEW)
    # Votes would give other numbers: this is no vote.
    assert furthest({key: vote_shares(votes, CATEGORIES) for key, votes in FEW.items()}, exact) > 0.08
    assert furthest(bayesian.sampled(FEW, CATEGORIES), exact) < 0.04
    monkeypatch.setattr(bayesian, "CHAINS", 20)
    monkeypatch.setattr(bayesian, "SWEEPS", 300)
    assert furthest(bayesian.sampled(FEW, CATEGORIES), exact) < 0.01
    monkeypatch.setattr(bayesian, "SWEEPS", 600)
    monkeypatch.setattr(bayesian_matrices, "SWEEPS_A_POOL", 1)
    assert furthest(bayesian_matrices.posteriors(FEW, CATEGORIES), exact) < 0.025


def simulated(objects: int, seed: int) -> dict[str, dict[str, str]]:
    chance = random.Random(seed)
    skills = {f"worker-{number}": chance.uniform(0.5, 0.95) for number in range(8)}
    return {
        str(number): strategies.votes(chance.choice(NAMES), skills, 3, "the same", chance) for number in range(objects)
    }


def test_arrays_give_what_plain_python_gives() -> None:
    answers = simulated(120, seed=3)
    plain, arrays = bayesian.sampled(answers, NAMES), bayesian_matrices.posteriors(answers, NAMES)
    assert list(arrays) == list(plain)
    away = [abs(plain[key][name] - arrays[key][name]) for key in plain for name in NAMES]
    assert sum(away) / len(away) < 0.01
    assert max(away) < 0.15


def test_the_same_answers_get_the_same_verdicts_by_arrays_in_any_order() -> None:
    answers = simulated(200, seed=4)
    turned = {key: dict(reversed(votes.items())) for key, votes in reversed(answers.items())}
    choices = Choices(NAMES, "Not sure")
    assert bayesian.decide(turned, choices) == bayesian.decide(answers, choices)


def test_it_finds_out_who_makes_the_same_mistakes() -> None:
    """Where careless workers take one category for the next, a vote is right in two of three; this in nine of ten."""
    batch = (200, 3, 10, 3)
    right, error = strategies.measure("bayesian", "mixed", "the same", batch)
    votes_right, _ = strategies.measure("majority-vote", "mixed", "the same", batch)
    assert right > votes_right + 0.08
    assert error < 0.03


@pytest.mark.parametrize("mistakes", ["any", "the same"])
def test_it_means_its_confidence_in_small_batches(mistakes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayesian, "LARGE", 1)  # in a fraction of the time
    batch = (50, 3, 8, 16)
    _, error = strategies.measure("bayesian", "mixed", mistakes, batch)
    _, others = strategies.measure("dawid-skene", "mixed", mistakes, batch)
    assert error < 0.045 < others


def test_numpy_is_loaded_for_large_batches_only() -> None:
    """A post-labeling function starts as fast as without it."""
    script = """
import sys
from labeling.consolidation import Choices, bayesian
import labeling.post_labeling
choices = Choices(("Good Weld", "Not sure"), "Not sure")
bayesian.decide({str(n): {"w": "Good Weld"} for n in range(399)}, choices)
assert "numpy" not in sys.modules
bayesian.decide({str(n): {"w": "Good Weld"} for n in range(400)}, choices)
assert "numpy" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_plain_python_decides_where_there_are_no_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayesian, "LARGE", 1)
    monkeypatch.setitem(sys.modules, "labeling.consolidation.bayesian_matrices", None)
    monkeypatch.delattr("labeling.consolidation.bayesian_matrices")
    assert bayesian.posteriors(FEW, CATEGORIES) == bayesian.sampled(FEW, CATEGORIES)


# ---------------------------------------------------------------- all of a job's evidence


def test_earlier_answers_tell_whom_to_trust() -> None:
    """Alone, two against one win; where the two were wrong before, the one does."""
    chance = random.Random(5)
    earlier = {}
    for number in range(60):
        true = NAMES[number % 6]
        guess = chance.choice(NAMES)
        earlier[str(number)] = {"good": true, "fine": true, "bad": guess, "worse": chance.choice(NAMES)}
    batch = {"0": {"good": "Good Weld", "bad": "Burn Through", "worse": "Burn Through"}}
    choices = Choices(NAMES, "Not sure")
    alone = decide(batch, choices, "bayesian")
    assert (alone.verdicts["0"].category, alone.evidence) == ("Burn Through", 3)
    assert alone.verdicts["0"].confidence < 0.8
    for strategy in ("bayesian", "one-coin", "dawid-skene"):
        found = decide(batch, choices, strategy, earlier)
        assert list(found.verdicts) == ["0"]
        assert found.verdicts["0"].category == "Good Weld"
        assert (found.strategy, found.evidence) == (strategy, 243)
    vote = decide(batch, choices, "majority-vote", earlier)
    assert (vote.verdicts["0"], vote.evidence) == (Verdict("Burn Through", 0.6667), 0)


def test_an_object_of_the_batch_may_have_an_earlier_one_s_id() -> None:
    earlier = {"0": {"w1": "Good Weld", "w2": "Good Weld"}}
    found = decide({"0": {"w1": "Burn Through", "w2": "Burn Through"}}, Choices(NAMES, "Not sure"), "bayesian", earlier)
    assert found.verdicts["0"].category == "Burn Through"
    assert found.evidence == 4


@pytest.mark.parametrize(
    ("objects", "each", "workers", "taken"),
    [
        (4, 3, 3, "majority-vote"),  # few
        (5, 3, 3, "bayesian"),
        (200, 1, 4, "majority-vote"),  # nobody's answer is beside another's
        (349, 3, 3, "bayesian"),
        (350, 3, 3, "dawid-skene"),  # fifty answers for each of three workers and seven categories
        (350, 3, 4, "bayesian"),
        (0, 0, 1, "majority-vote"),
    ],
)
def test_auto_takes_what_the_evidence_allows(objects: int, each: int, workers: int, taken: str) -> None:
    answers = {
        str(number): {f"w{(number + one) % workers}": NAMES[number % 7] for one in range(each)}
        for number in range(objects)
    }
    choices = Choices(NAMES, "Not sure")
    assert decide(answers, choices, "auto").strategy == taken
    if objects:
        found = decide({"new": {"w0": "Good Weld"}}, choices, "auto", answers)
        assert found.strategy == taken or objects in (4, 349)
