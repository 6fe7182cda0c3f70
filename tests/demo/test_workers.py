"""Simulated workers: the same answers every time, right as often as they should be."""

import pytest

from demo.workers import WORKERS, SimulatedWorker

CATEGORIES = ("Good", "Bad", "Ugly", "Not sure")
TRUTH = {f"dataset-{number}.json": CATEGORIES[number % 3] for number in range(3_000)}


@pytest.mark.parametrize("worker", WORKERS, ids=lambda worker: worker.name)
def test_a_worker_is_right_as_often_as_configured(worker: SimulatedWorker) -> None:
    right = sum(worker.answer(item, CATEGORIES, TRUTH) == truth for item, truth in TRUTH.items())
    expected = worker.accuracy + (1 - worker.accuracy) / len(CATEGORIES)  # a guess is right by chance
    assert right / len(TRUTH) == pytest.approx(expected, abs=0.03)


def test_a_worker_gives_the_same_answer_again_and_guesses_without_truth() -> None:
    ada = WORKERS[0]
    guesses = [ada.answer(item, CATEGORIES, {}) for item in TRUTH]
    assert guesses == [ada.answer(item, CATEGORIES, {}) for item in TRUTH]
    assert set(guesses) == set(CATEGORIES)
