"""Bayesian consolidation: weighs every skill that workers may have by how well it fits, in place of guessing one."""

import math
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from labeling.consolidation.posterior import Posterior, normalised, verdict
from labeling.consolidation.strategy import Answers, Choices, Verdict

# What the pool may be like, each alike probable before anything was answered. How good its workers are on average, from
# guessing (0) to knowing (1); how alike they are, in imagined answers; and how far their mistakes are the same ones, in
# imagined mistakes of each kind, from one order of magnitude to the next: with few, the mistake that was made before is
# made again.
SKILLS = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.96)
LIKENESSES = (4.0, 10.0, 30.0, 100.0)
VARIETIES = (0.1, 0.4, 1.6, 6.4, 25.6, 102.4)

# Where answers can be explained in several ways, one row of draws may stay with the one that it met first: so there are
# several, from different beginnings (A. Gelman and D. B. Rubin, "Inference from Iterative Simulation Using Multiple
# Sequences", Statistical Science 7(4), 1992).
CHAINS = 6
SWEEPS = 120
UNUSED_SWEEPS = 40
# Equal evidence ends in probabilities that differ by as much as draws do.
DRAWN_ALIKE = 0.02

# So many answers take arrays a fraction of the time, numpy's import included.
LARGE = 400


class Pool(NamedTuple):
    """What is supposed of all workers.

    Attributes:
        accuracy: The mean of their accuracies.
        likeness: How many imagined answers bind each worker to it.
        variety: How many mistakes of each kind are imagined.
    """

    accuracy: float
    likeness: float
    variety: float


class Counts(NamedTuple):
    """What was answered, if the labels are those of the present draw.

    Attributes:
        objects: How many objects each category has.
        right: How many right answers each worker gave.
        given: How many answers each worker gave.
        mistaken: How often each category was taken for each other one.
    """

    objects: list[int]
    right: list[int]
    given: list[int]
    mistaken: list[list[int]]


def decide(answers: Answers, choices: Choices) -> dict[str, Verdict]:
    """Gives each object the category that is most probable over all that may be true of workers.

    Each worker is right with a probability of their own, and whoever is wrong chooses among the other categories as
    all of them do: some categories are easily taken for some others. How good workers are, how alike, and how far
    their mistakes are the same ones is not known before either: it is drawn along with the labels, many times, and the
    confidence is the mean of the probabilities. So it stays low where few answers leave open which workers are good, or
    whether those who agree only make the same mistake.

    Source:
        H.-C. Kim and Z. Ghahramani, "Bayesian Classifier Combination", AISTATS 2012, by Gibbs sampling; with one
        accuracy a worker and confusions shared by all, as the hierarchical and pooled models in S. Paun et al.,
        "Comparing Bayesian Models of Annotation", Transactions of the ACL 6, 2018, 571-585.
    """
    return {
        key: verdict(posterior, choices, DRAWN_ALIKE) for key, posterior in posteriors(answers, choices.names).items()
    }


def posteriors(answers: Answers, categories: tuple[str, ...]) -> Mapping[str, Posterior]:
    """Estimate how probable each category is for each object; the same whatever the order of the answers.

    Args:
        answers: For each object, each worker's category; at least one answer each.
        categories: All categories.
    """
    if sum(map(len, answers.values())) >= LARGE:
        with suppress(ImportError):  # a function without the plotting layer takes its time
            from labeling.consolidation import bayesian_matrices as matrices  # noqa: PLC0415

            return matrices.posteriors(answers, categories)
    return sampled(answers, categories)


def sampled(answers: Answers, categories: Sequence[str]) -> dict[str, Posterior]:
    """Estimate it in plain Python, by collapsed draws: one object's category after the other, given all others'."""
    names = sorted(answers)
    votes = [answers[name] for name in names]
    sums = [[0.0] * len(categories) for _ in names]
    for seed in range(CHAINS):
        chain = _Chain(votes, categories, random.Random(seed))  # noqa: S311 (the same answers get the same draws)
        for sweep in range(SWEEPS):
            chain.sweep(sums if sweep >= UNUSED_SWEEPS else None)
    return {name: normalised(dict(zip(categories, row, strict=True))) for name, row in zip(names, sums, strict=True)}


def draw_pool(counts: Counts, pool: Pool, chance: random.Random) -> Pool:
    """Draw what the pool may be like, given the labels: each of its three numbers, given the other two."""
    categories = len(counts.objects)
    workers = list(zip(counts.right, counts.given, strict=True))
    accuracies = [accuracy_of(skill, categories) for skill in SKILLS]
    accuracy = _drawn(accuracies, [_fit_of_skill(one, pool.likeness, workers) for one in accuracies], chance)
    likeness = _drawn(LIKENESSES, [_fit_of_skill(accuracy, one, workers) for one in LIKENESSES], chance)
    variety = _drawn(VARIETIES, [_fit_of_variety(one, counts.mistaken) for one in VARIETIES], chance)
    return Pool(accuracy, likeness, variety)


def accuracy_of(skill: float, categories: int) -> float:
    """How often somebody is right who knows so much, and guesses the rest."""
    return skill + (1 - skill) / categories


def first_pool(categories: int) -> Pool:
    """Where the draws begin: what it is matters no more when the first are left out."""
    return Pool(accuracy_of(SKILLS[3], categories), LIKENESSES[1], VARIETIES[2])


def _drawn(values: Sequence[float], logs: Sequence[float], chance: random.Random) -> float:
    highest = max(logs)
    return chance.choices(values, [math.exp(log - highest) for log in logs])[0]


def _fit_of_skill(accuracy: float, likeness: float, workers: Sequence[tuple[int, int]]) -> float:
    """How probable the workers' right and wrong answers are, over all accuracies that they may have, as a logarithm."""
    right, wrong = likeness * accuracy, likeness * (1 - accuracy)
    none = math.lgamma(right) + math.lgamma(wrong) - math.lgamma(likeness)
    return math.fsum(
        math.lgamma(right + hits) + math.lgamma(wrong + given - hits) - math.lgamma(likeness + given) - none
        for hits, given in workers
    )


def _fit_of_variety(variety: float, mistaken: Sequence[Sequence[int]]) -> float:
    """How probable the mistakes are, over all ways of taking categories for others, as a logarithm."""
    total = variety * (len(mistaken) - 1)
    one = math.lgamma(variety)
    return math.fsum(
        math.lgamma(total)
        - math.lgamma(total + sum(row))
        + math.fsum(math.lgamma(variety + times) - one for times in row if times)
        for row in mistaken
    )


class _Chain:
    """Draws of all labels, each from how probable it is given the last ones; the first from the votes."""

    def __init__(self, votes: Sequence[Mapping[str, str]], categories: Sequence[str], chance: random.Random) -> None:
        workers = {worker: place for place, worker in enumerate(sorted({worker for of in votes for worker in of}))}
        number = {category: place for place, category in enumerate(categories)}
        size = len(categories)
        self._chance = chance
        self._votes = [[(workers[worker], number[of[worker]]) for worker in sorted(of)] for of in votes]
        self._counts = Counts([0] * size, [0] * len(workers), [0] * len(workers), [[0] * size for _ in range(size)])
        self._mistakes = [0] * size
        self._pool = first_pool(size)
        self._labels = [chance.choice([answer for _, answer in of]) for of in self._votes]
        for place, label in enumerate(self._labels):
            self._count(place, label, 1)

    def sweep(self, sums: list[list[float]] | None) -> None:
        """Draw the pool and each label once.

        Args:
            sums: For each object, where each category's probability is added.
        """
        self._pool = draw_pool(self._counts, self._pool, self._chance)
        for place, label in enumerate(self._labels):
            self._count(place, label, -1)
            weights = self._weights(place)
            if sums is not None:
                total = sum(weights)
                sums[place] = [before + weight / total for before, weight in zip(sums[place], weights, strict=True)]
            self._labels[place] = self._chance.choices(range(len(weights)), weights)[0]
            self._count(place, self._labels[place], 1)

    def _count(self, place: int, label: int, times: int) -> None:
        counts = self._counts
        counts.objects[label] += times
        for worker, answer in self._votes[place]:
            counts.given[worker] += times
            if answer == label:
                counts.right[worker] += times
            else:
                counts.mistaken[label][answer] += times
                self._mistakes[label] += times

    def _weights(self, place: int) -> list[float]:
        """How probable each label of an object is, up to a factor, given the labels of all others."""
        counts, (accuracy, likeness, variety) = self._counts, self._pool
        answers = [
            (answer, (likeness * accuracy + counts.right[worker]) / (likeness + counts.given[worker]))
            for worker, answer in self._votes[place]
        ]
        total = variety * (len(counts.objects) - 1)
        weights = []
        for label, objects in enumerate(counts.objects):
            weight = objects + 1.0
            row, made = counts.mistaken[label], float(self._mistakes[label])
            again: dict[int, int] = {}
            for answer, right in answers:
                if answer == label:
                    weight *= right
                    continue
                # Mistakes of this very object make one another more probable, too.
                before = again.get(answer, 0)
                weight *= (1 - right) * (row[answer] + before + variety) / (made + total)
                again[answer] = before + 1
                made += 1
            weights.append(weight)
        return weights
