"""Dawid–Skene on arrays, for batches that take plain Python long; loaded only for such, since numpy takes its time."""

from dataclasses import dataclass

import numpy as np

from labeling.consolidation.answer_arrays import AnswerArrays, Floats, as_arrays, vote_shares
from labeling.consolidation.strategy import Answers

# Nothing is more improbable than this; of any use only where nothing is imagined.
LEAST = 1e-10


@dataclass(frozen=True)
class Prior:
    """What is imagined to have been answered before anything was.

    Attributes:
        answers: So many answers, for each worker and true category.
        accuracy: The share of them that is right.
        objects: So many objects of each category.
    """

    answers: float
    accuracy: float
    objects: float


def posteriors(
    answers: Answers,
    categories: tuple[str, ...],
    prior: Prior,
    *,
    iterations: int,
    tolerance: float,
) -> dict[str, dict[str, float]]:
    """Estimate how probable each category is for each object.

    Args:
        answers: For each object, each worker's category; at least one answer each.
        categories: All categories.
        prior: What is imagined; nothing of it gives the plain model.
        iterations: The most steps.
        tolerance: It stands still where no probability moves as much.

    Returns:
        For each object, in order of their ids, each category's probability.
    """
    names = sorted(answers)
    number = {category: index for index, category in enumerate(categories)}
    found = as_arrays([answers[name] for name in names], number)
    probable = vote_shares(found, len(names), len(categories))
    for _ in range(iterations):
        updated = _posteriors(found, np.log(_priors(probable, prior)), np.log(_confusion(found, probable, prior)))
        moved = float(np.abs(updated - probable).max())
        probable = updated
        if moved < tolerance:
            break
    rows = probable.T.tolist()
    return {name: dict(zip(categories, row, strict=True)) for name, row in zip(names, rows, strict=True)}


# Probabilities have a row for each category: what is summed lies together in memory then, in half the time.


def _priors(probable: Floats, prior: Prior) -> Floats:
    """How common each category is, shape (categories, 1)."""
    categories, objects = probable.shape
    weights = prior.objects + probable.sum(axis=1, keepdims=True)
    common: Floats = np.maximum(weights / (prior.objects * categories + objects), LEAST)
    return common


def _confusion(found: AnswerArrays, probable: Floats, prior: Prior) -> Floats:
    """The M step: how probable each pair's answer is for each true category, shape (categories, pairs)."""
    categories = len(probable)
    counts = np.add.reduceat(probable.take(found.objects_by_pair, axis=1), found.first_of_pair, axis=1)
    imagined = np.full((categories, categories), prior.answers * (1 - prior.accuracy) / max(1, categories - 1))
    np.fill_diagonal(imagined, prior.answers * prior.accuracy)
    weights = np.maximum(counts + imagined[:, found.categories], LEAST)
    # What a worker never answered has no pair, but its share of what is imagined.
    sums = counts if prior.answers else weights
    totals = prior.answers + np.add.reduceat(sums, found.first_of_worker, axis=1)
    confusion: Floats = weights / totals[:, found.workers]
    return confusion


def _posteriors(found: AnswerArrays, priors: Floats, confusion: Floats) -> Floats:
    """The E step, in logarithms so that many workers don't underflow; shape (categories, objects)."""
    logs = priors + np.add.reduceat(confusion.take(found.pairs, axis=1), found.first_of_object, axis=1)
    weights = np.exp(logs - logs.max(axis=0))
    probable: Floats = weights / weights.sum(axis=0)
    return probable
