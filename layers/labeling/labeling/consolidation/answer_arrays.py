"""A batch's answers as numpy's arrays, for the strategies that take large batches by arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class AnswerArrays:
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


def as_arrays(votes: list[Mapping[str, str]], number: Mapping[str, int]) -> AnswerArrays:
    """Put answers into arrays.

    Args:
        votes: Of each object, each worker's category; at least one answer each.
        number: The number of each category.
    """
    workers = {worker: index for index, worker in enumerate(sorted({worker for of in votes for worker in of}))}
    flat = [(index, workers[worker], number[of[worker]]) for index, of in enumerate(votes) for worker in sorted(of)]
    objects, by, said = np.array(flat, np.intp).T
    keys, pairs = np.unique(by * len(number) + said, return_inverse=True)
    by_pair = np.argsort(pairs, kind="stable")
    return AnswerArrays(
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


def vote_shares(found: AnswerArrays, objects: int, categories: int) -> Floats:
    """Each object's share of votes for each category, shape (categories, objects)."""
    places = found.categories[found.pairs] * objects + found.objects
    counts = np.bincount(places, minlength=categories * objects).reshape(categories, objects)
    shares: Floats = counts / counts.sum(axis=0)
    return shares
