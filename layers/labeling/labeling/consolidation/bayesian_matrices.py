"""The draws of Bayesian consolidation by arrays: for many answers, in a fraction of the time."""

import random
from typing import NamedTuple

import numpy as np

from labeling.consolidation import bayesian
from labeling.consolidation.answer_arrays import AnswerArrays, Floats, Indices, as_arrays, vote_shares
from labeling.consolidation.bayesian import Counts, Pool
from labeling.consolidation.strategy import Answers

# What the pool is like changes little from one draw to the next, and takes as long as a draw with many workers.
SWEEPS_A_POOL = 4
LEAST = 1e-300


class _Drawn(NamedTuple):
    """One draw of all that isn't known but the labels.

    Attributes:
        common: How common each category is, shape (categories, 1), as logarithms.
        answers: How probable each pair's answer is for each true category, shape (categories, pairs), as logarithms.
    """

    common: Floats
    answers: Floats


def posteriors(answers: Answers, categories: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Estimate how probable each category is for each object; see `bayesian.posteriors`.

    Labels are drawn all at once, given workers' accuracies, the mistakes that are made and how common categories are;
    and those given the labels.
    """
    names = sorted(answers)
    found = as_arrays([answers[name] for name in names], {name: place for place, name in enumerate(categories)})
    shares = vote_shares(found, len(names), len(categories))
    sums = sum(_chain(found, shares, seed) for seed in range(bayesian.CHAINS))
    rows = (sums / np.sum(sums, axis=0)).T.tolist()
    return {name: dict(zip(categories, row, strict=True)) for name, row in zip(names, rows, strict=True)}


def _chain(found: AnswerArrays, shares: Floats, seed: int) -> Floats:
    """One row of draws: the sum of each category's probability for each object, shape (categories, objects)."""
    chance, draws = random.Random(seed), np.random.default_rng(seed)  # noqa: S311 (the same answers get the same draws)
    labels, pool, sums = _draw_labels(shares, draws), bayesian.first_pool(len(shares)), np.zeros_like(shares)
    for sweep in range(bayesian.SWEEPS):
        counts = _counts(found, labels, len(shares))
        if sweep % SWEEPS_A_POOL == 0:
            pool = bayesian.draw_pool(counts, pool, chance)
        probable = _probable(found, _draw(found, counts, pool, draws))
        if sweep >= bayesian.UNUSED_SWEEPS:
            sums += probable
        labels = _draw_labels(probable, draws)
    return sums


def _counts(found: AnswerArrays, labels: Indices, categories: int) -> Counts:
    workers = int(found.workers[-1]) + 1
    true, said, by = labels[found.objects], found.categories[found.pairs], found.workers[found.pairs]
    mistaken = np.bincount(true * categories + said, minlength=categories**2).reshape(categories, categories)
    np.fill_diagonal(mistaken, 0)
    return Counts(
        np.bincount(labels, minlength=categories).tolist(),
        np.bincount(by[true == said], minlength=workers).tolist(),
        np.bincount(by, minlength=workers).tolist(),
        mistaken.tolist(),
    )


def _draw(found: AnswerArrays, counts: Counts, pool: Pool, draws: np.random.Generator) -> _Drawn:
    categories = len(counts.objects)
    right, given = np.array(counts.right), np.array(counts.given)
    accuracy = draws.beta(pool.likeness * pool.accuracy + right, pool.likeness * (1 - pool.accuracy) + given - right)
    weights = draws.standard_gamma(np.array(counts.mistaken) + pool.variety)
    np.fill_diagonal(weights, 0.0)
    mistakes = weights / np.maximum(weights.sum(axis=1, keepdims=True), LEAST)
    wrong = np.log(np.maximum(1 - accuracy, LEAST))[found.workers]
    answers = np.log(np.maximum(mistakes, LEAST))[:, found.categories] + wrong
    answers[found.categories, np.arange(len(found.workers))] = np.log(np.maximum(accuracy, LEAST))[found.workers]
    common = np.log(np.maximum(draws.dirichlet(np.array(counts.objects) + 1.0), LEAST))
    return _Drawn(common.reshape(categories, 1), answers)


def _probable(found: AnswerArrays, drawn: _Drawn) -> Floats:
    logs = drawn.common + np.add.reduceat(drawn.answers.take(found.pairs, axis=1), found.first_of_object, axis=1)
    weights = np.exp(logs - logs.max(axis=0))
    probable: Floats = weights / weights.sum(axis=0)
    return probable


def _draw_labels(probable: Floats, draws: np.random.Generator) -> Indices:
    passed = probable.cumsum(axis=0) < draws.random(probable.shape[1])
    labels: Indices = np.minimum(passed.sum(axis=0), len(probable) - 1)
    return labels
