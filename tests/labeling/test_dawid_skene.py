"""Dawid–Skene beside crowd-kit's, beside a calculation by hand, and by arrays beside plain Python."""

import random
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene, OneCoinDawidSkene
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.consolidation import Choices, dawid_skene, one_coin
from labeling.consolidation.dawid_skene_matrices import Prior, posteriors
from labeling.consolidation.strategy import Answers
from labeling.job import load_configured

from benchmarks import strategies

# crowd-kit asks pandas for what that will take away one day.
pytestmark = pytest.mark.filterwarnings("ignore:.*(keyword|Copy-on-Write).*:Warning")

NOTHING = Prior(0.0, 0.0, 0.0)
OURS = Prior(dawid_skene.IMAGINED_ANSWERS, dawid_skene.IMAGINED_ACCURACY, 1.0)


def simulated(objects: int, workers: int, categories: int, each: int, seed: int) -> dict[str, dict[str, str]]:
    """Workers of mixed skill, some of whom take one category for the next."""
    chance = random.Random(seed)
    names = [f"c{number}" for number in range(categories)]
    skill = {f"w{number}": chance.uniform(0.3, 0.98) for number in range(workers)}
    found: dict[str, dict[str, str]] = {}
    for number in range(objects):
        true = chance.randrange(categories)
        for worker in chance.sample(sorted(skill), each):
            wrong = (true + 1) % categories if int(worker[1:]) % 3 == 0 else chance.randrange(categories)
            said = true if chance.random() < skill[worker] else wrong
            found.setdefault(str(number), {})[worker] = names[said]
    return found


def of_crowd_kit(answers: Answers, steps: int) -> dict[str, dict[str, float]]:
    """So many steps of the plain model, which stops no earlier."""
    rows = [(object_id, worker, label) for object_id, votes in answers.items() for worker, label in votes.items()]
    fitted: Any = DawidSkene(n_iter=steps, tol=float("-inf"))
    fitted.fit(pd.DataFrame(rows, columns=["task", "worker", "label"]))
    return {str(key): dict(row) for key, row in fitted.probas_.to_dict("index").items()}


@pytest.mark.parametrize(
    ("objects", "workers", "categories", "each"),
    [(5, 3, 2, 3), (60, 6, 3, 3), (400, 10, 7, 5), (10_000, 50, 20, 5)],
)
@pytest.mark.parametrize("steps", [1, 2, 30])
def test_without_anything_imagined_it_is_the_plain_model(
    objects: int, workers: int, categories: int, each: int, steps: int
) -> None:
    answers = simulated(objects, workers, categories, each, seed=objects + steps)
    names = tuple(sorted({label for votes in answers.values() for label in votes.values()}))
    ours = posteriors(answers, names, NOTHING, iterations=steps, tolerance=0.0)
    theirs = of_crowd_kit(answers, steps)
    assert set(theirs) == set(ours)
    away = max(abs(ours[key][name] - theirs[key][name]) for key in ours for name in names)
    assert away < 1e-6


def test_one_step_is_what_a_calculation_by_hand_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers and categories; of four imagined answers 3.2 are right. Each true category has its own mistakes."""
    answers = {"1": {"x": "a", "y": "a"}, "2": {"x": "a", "y": "b"}}
    # Votes say of object 1 that it is a, of object 2 either. How common: one imagined of each, of four.
    a, b = (1 + 1.5) / 4, (1 + 0.5) / 4
    x_says_a = {"a": (3.2 + 1.5) / 5.5, "b": (0.8 + 0.5) / 4.5}
    y_says_a = {"a": (3.2 + 1.0) / 5.5, "b": 0.8 / 4.5}
    y_says_b = {"a": (0.8 + 0.5) / 5.5, "b": (3.2 + 0.5) / 4.5}
    first = (a * x_says_a["a"] * y_says_a["a"], b * x_says_a["b"] * y_says_a["b"])
    second = (a * x_says_a["a"] * y_says_b["a"], b * x_says_a["b"] * y_says_b["b"])
    monkeypatch.setattr(dawid_skene, "MAX_ITERATIONS", 1)
    for found in (
        dawid_skene._posteriors(answers, ("a", "b")),
        posteriors(answers, ("a", "b"), OURS, iterations=1, tolerance=0.0),
    ):
        assert found["1"]["a"] == pytest.approx(first[0] / sum(first), rel=1e-12)
        assert found["2"]["a"] == pytest.approx(second[0] / sum(second), rel=1e-12)
        assert found["2"]["b"] == pytest.approx(second[1] / sum(second), rel=1e-12)


answered = st.dictionaries(
    st.integers(0, 30).map(str),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["p", "q", "r"]), min_size=1),
    min_size=1,
    max_size=15,
)


@settings(deadline=None)
@given(answered)
def test_arrays_give_what_plain_python_gives(answers: dict[str, dict[str, str]]) -> None:
    """For some steps: where two categories have the very same evidence, rounding decides in the end which one grows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dawid_skene, "MAX_ITERATIONS", 4)
        plain = dawid_skene._posteriors(answers, ("p", "q", "r", "s"))
    arrays = posteriors(answers, ("p", "q", "r", "s"), OURS, iterations=4, tolerance=dawid_skene.TOLERANCE)
    assert list(arrays) == list(plain)
    for object_id, posterior in plain.items():
        assert arrays[object_id] == pytest.approx(posterior, abs=1e-9)


def test_a_large_batch_takes_arrays_and_plain_python_where_they_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_configured({}).label.category_names
    choices = Choices(names, "Not sure")
    chance = random.Random(3)
    answers = {str(number): {f"w{one}": chance.choice(names) for one in range(4)} for number in range(600)}
    taken: list[int] = []

    def taking(found: Answers, *rest: Any, **options: Any) -> Any:
        taken.append(len(found))
        return posteriors(found, *rest, **options)

    monkeypatch.setattr("labeling.consolidation.dawid_skene_matrices.posteriors", taking)
    by_arrays = dawid_skene.decide(answers, choices)
    assert taken == [600]
    few = {key: answers[key] for key in list(answers)[:400]}
    dawid_skene.decide(few, choices)
    assert taken == [600]
    monkeypatch.setitem(sys.modules, "labeling.consolidation.dawid_skene_matrices", None)  # as where numpy is not
    assert dawid_skene.decide(answers, choices) == by_arrays


def test_numpy_is_loaded_for_large_batches_only() -> None:
    """A post-labeling function starts as fast as without it."""
    script = """
import sys
from labeling.consolidation import Choices, consolidate, dawid_skene
import labeling.post_labeling
choices = Choices(("Good Weld", "Not sure"), "Not sure")
dawid_skene.decide({"1": {"w": "Good Weld"}}, choices)
assert "numpy" not in sys.modules
dawid_skene.decide({str(n): {"w": "Good Weld"} for n in range(2000)}, choices)
assert "numpy" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(("objects", "workers", "categories", "each"), [(5, 3, 2, 3), (60, 6, 3, 3), (400, 10, 7, 5)])
@pytest.mark.parametrize("steps", [1, 2, 30])
def test_one_coin_without_anything_imagined_is_crowd_kit_s(
    objects: int, workers: int, categories: int, each: int, steps: int
) -> None:
    answers = simulated(objects, workers, categories, each, seed=objects + steps)
    names = sorted({label for votes in answers.values() for label in votes.values()})
    ours = one_coin.posteriors(answers, names, imagined=0.0, iterations=steps, tolerance=0.0)
    rows = [(object_id, worker, label) for object_id, votes in answers.items() for worker, label in votes.items()]
    fitted: Any = OneCoinDawidSkene(n_iter=steps, tol=float("-inf"))
    fitted.fit(pd.DataFrame(rows, columns=["task", "worker", "label"]))
    theirs = {str(key): dict(row) for key, row in fitted.probas_.to_dict("index").items()}
    away = max(abs(ours[key][name] - theirs[key][name]) for key in ours for name in names)
    assert away < 1e-6


def test_one_step_of_one_coin_is_what_a_calculation_by_hand_gives() -> None:
    """Three categories; of ten imagined answers eight are right."""
    answers = {"1": {"x": "a", "y": "a"}, "2": {"x": "a", "y": "b"}}
    a, b, c = (1 + 1.5) / 5, (1 + 0.5) / 5, 1 / 5
    x, y = (8 + 1 + 0.5) / 12, (8 + 1 + 0.5) / 12
    wrong_x, wrong_y = (1 - x) / 2, (1 - y) / 2
    first = (a * x * y, b * wrong_x * wrong_y, c * wrong_x * wrong_y)
    second = (a * x * wrong_y, b * wrong_x * y, c * wrong_x * wrong_y)
    found = one_coin.posteriors(answers, ("a", "b", "c"), iterations=1)
    assert list(found["1"].values()) == pytest.approx([value / sum(first) for value in first], rel=1e-12)
    assert list(found["2"].values()) == pytest.approx([value / sum(second) for value in second], rel=1e-12)


def test_one_coin_means_its_confidence_in_small_batches() -> None:
    """Workers of mixed skill: an expected calibration error under a twentieth, where votes and matrices are far off."""
    batch = (50, 3, 8, 20)
    right, error = strategies.measure("one-coin", "mixed", "any", batch)
    votes_right, votes_error = strategies.measure("majority-vote", "mixed", "any", batch)
    matrices_right, matrices_error = strategies.measure("dawid-skene", "mixed", "any", batch)
    assert error < 0.05 < min(votes_error, matrices_error)
    assert right > max(votes_right, matrices_right)


def test_a_calibration_error_is_the_mean_distance_by_tenths() -> None:
    told = [(0.95, True), (0.91, False), (0.55, True), (0.51, True), (1.0, True)]
    # 0.9 to 1: confidences 0.95, 0.91 and 1.0, two of three right; 0.5 to 0.6: 0.55 and 0.51, both right.
    assert strategies.calibration_error(told) == pytest.approx((abs(2.86 - 2) + abs(1.06 - 2)) / 5)
