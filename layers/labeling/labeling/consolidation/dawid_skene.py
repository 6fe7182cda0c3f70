"""Dawid–Skene: expectation maximisation that learns from the whole batch whom to trust in what."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

from labeling.consolidation.posterior import Posterior, normalised, verdict, vote_shares
from labeling.consolidation.strategy import Answers, Choices, Verdict

MAX_ITERATIONS = 100
TOLERANCE = 1e-6
# Four imagined answers a worker and true category, most of them right: a worker seen seldom is taken for a fairly good
# one, and no confusion is ever impossible.
IMAGINED_ANSWERS = 4.0
IMAGINED_ACCURACY = 0.8

# So many answers take arrays a fraction of the time, numpy's import included.
LARGE = 2_000

Confusion = dict[str, dict[str, Posterior]]
"""For each worker and true category: how probable each answer is."""


def decide(answers: Answers, choices: Choices) -> dict[str, Verdict]:
    """Gives each object its most probable category under the Dawid–Skene model.

    Each worker has a confusion matrix: how often they give each answer for each true category. Starting from the
    share of votes, the matrices are estimated from what the labels seem to be, and the labels from the matrices,
    until both stand still. The confidence is the category's posterior probability.

    It takes tens of objects that share their workers to learn from: with few, it can overrule a majority on thin
    evidence, and a majority vote is the better choice.

    Source:
        A. P. Dawid and A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM
        Algorithm", Journal of the Royal Statistical Society C 28(1), 1979, 20–28; with the smoothing of a
        Dirichlet prior.
    """
    categories = choices.names
    estimated = _estimate(answers, categories)
    return {object_id: verdict(posterior, choices) for object_id, posterior in estimated.items()}


def _estimate(answers: Answers, categories: tuple[str, ...]) -> Mapping[str, Posterior]:
    """How probable each category is for each object, by arrays where the batch is large and numpy is there."""
    if sum(map(len, answers.values())) >= LARGE:
        with suppress(ImportError):  # a function without the plotting layer takes its time
            from labeling.consolidation import dawid_skene_matrices as matrices  # noqa: PLC0415

            prior = matrices.Prior(IMAGINED_ANSWERS, IMAGINED_ACCURACY, objects=1.0)
            return matrices.posteriors(answers, categories, prior, iterations=MAX_ITERATIONS, tolerance=TOLERANCE)
    return _posteriors(answers, categories)


def _posteriors(answers: Answers, categories: Sequence[str]) -> Mapping[str, Posterior]:
    objects = sorted(answers)
    posteriors = {object_id: vote_shares(answers[object_id], categories) for object_id in objects}
    for _ in range(MAX_ITERATIONS):
        priors = _priors(posteriors, categories)
        confusion = _confusion(answers, posteriors, categories)
        updated = {object_id: _posterior(answers[object_id], priors, confusion, categories) for object_id in objects}
        moved = max(
            abs(updated[object_id][category] - posteriors[object_id][category])
            for object_id in objects
            for category in categories
        )
        posteriors = updated
        if moved < TOLERANCE:
            break
    return posteriors


def _priors(posteriors: Mapping[str, Posterior], categories: Sequence[str]) -> Posterior:
    """How common each category is; one imagined object a category keeps all possible."""
    total = len(posteriors) + len(categories)
    return {
        category: (1 + math.fsum(posterior[category] for posterior in posteriors.values())) / total
        for category in categories
    }


def _confusion(answers: Answers, posteriors: Mapping[str, Posterior], categories: Sequence[str]) -> Confusion:
    """The M step: each worker's answers, weighted by how probable each category is for their objects."""
    counts: dict[str, dict[str, dict[str, float]]] = defaultdict(
        lambda: {true: _imagined(true, categories) for true in categories}
    )
    for object_id in posteriors:
        for worker, answer in answers[object_id].items():
            for true in categories:
                counts[worker][true][answer] += posteriors[object_id][true]
    return {worker: {true: normalised(row) for true, row in matrix.items()} for worker, matrix in counts.items()}


def _imagined(true: str, categories: Sequence[str]) -> dict[str, float]:
    wrong = IMAGINED_ANSWERS * (1 - IMAGINED_ACCURACY) / (len(categories) - 1)
    return {answer: IMAGINED_ANSWERS * IMAGINED_ACCURACY if answer == true else wrong for answer in categories}


def _posterior(
    votes: Mapping[str, str], priors: Posterior, confusion: Confusion, categories: Sequence[str]
) -> Posterior:
    """The E step for one object, in logarithms so that many workers don't underflow."""
    logs = {
        true: math.log(priors[true])
        + math.fsum(math.log(confusion[worker][true][answer]) for worker, answer in votes.items())
        for true in categories
    }
    highest = max(logs.values())
    return normalised({true: math.exp(value - highest) for true, value in logs.items()})
