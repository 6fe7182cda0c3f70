"""Dawid–Skene on arrays, for batches that take plain Python long; loaded only for such, since numpy takes its time."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consolidation.strategy import Answers

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

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


@dataclass(frozen=True, eq=False)
class _Answers:
    """A batch's answers as arrays, sorted by object and worker.

    Attributes:
        objects: Which object each answer is to, shape (n,).
        pairs: Which pair of worker and answer it is, among those that occur, shape (n,).
        workers: Whose each pair is, shape (pairs,).
        categories: What was answered in each pair, shape (pairs,).
        objects_by_pair: The objects of the answers when they are sorted by their pair, shape (n,).
        first_of_object: Where each object's answers begin, shape (objects,).
        first_of_pair: Where each pair's begin among those sorted by pair, shape (pairs,).
        first_of_worker: Where each worker's pairs begin, shape (workers,).
    """

    objects: Indices
    pairs: Indices
    workers: Indices
    categories: Indices
    objects_by_pair: Indices
    first_of_object: Indices
    first_of_pair: Indices
    first_of_worker: Indices


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
    found = _as_arrays([answers[name] for name in names], number)
    probable = _vote_shares(found, len(names), len(categories))
    for _ in range(iterations):
        updated = _posteriors(found, np.log(_priors(probable, prior)), np.log(_confusion(found, probable, prior)))
        moved = float(np.abs(updated - probable).max())
        probable = updated
        if moved < tolerance:
            break
    rows = probable.T.tolist()
    return {name: dict(zip(categories, row, strict=True)) for name, row in zip(names, rows, strict=True)}


def _as_arrays(votes: list[Mapping[str, str]], number: Mapping[str, int]) -> _Answers:
    workers = {worker: index for index, worker in enumerate(sorted({worker for of in votes for worker in of}))}
    flat = [(index, workers[worker], number[of[worker]]) for index, of in enumerate(votes) for worker in sorted(of)]
    objects, by, said = np.array(flat, np.intp).T
    keys, pairs = np.unique(by * len(number) + said, return_inverse=True)
    by_pair = np.argsort(pairs, kind="stable")
    return _Answers(
        objects=objects,
        pairs=pairs,
        workers=keys // len(number),
        categories=keys % len(number),
        objects_by_pair=objects[by_pair],
        first_of_object=_firsts(objects),
        first_of_pair=_firsts(pairs[by_pair]),
        first_of_worker=_firsts(keys // len(number)),
    )


def _firsts(ascending: Indices) -> Indices:
    return np.flatnonzero(np.diff(ascending, prepend=-1))


# Probabilities have a row for each category: what is summed lies together in memory then, in half the time.


def _vote_shares(found: _Answers, objects: int, categories: int) -> Floats:
    """Each object's share of votes for each category, shape (categories, objects)."""
    places = found.categories[found.pairs] * objects + found.objects
    counts = np.bincount(places, minlength=categories * objects).reshape(categories, objects)
    shares: Floats = counts / counts.sum(axis=0)
    return shares


def _priors(probable: Floats, prior: Prior) -> Floats:
    """How common each category is, shape (categories, 1)."""
    categories, objects = probable.shape
    weights = prior.objects + probable.sum(axis=1, keepdims=True)
    common: Floats = np.maximum(weights / (prior.objects * categories + objects), LEAST)
    return common


def _confusion(found: _Answers, probable: Floats, prior: Prior) -> Floats:
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


def _posteriors(found: _Answers, priors: Floats, confusion: Floats) -> Floats:
    """The E step, in logarithms so that many workers don't underflow; shape (categories, objects)."""
    logs = priors + np.add.reduceat(confusion.take(found.pairs, axis=1), found.first_of_object, axis=1)
    weights = np.exp(logs - logs.max(axis=0))
    probable: Floats = weights / weights.sum(axis=0)
    return probable
