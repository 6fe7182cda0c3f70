"""One-coin Dawid–Skene: expectation maximisation that learns one number of each worker, how often they are right."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from labeling.consolidation.posterior import Posterior, normalised, verdict, vote_shares
from labeling.consolidation.strategy import Answers, Choices, Verdict

MAX_ITERATIONS = 100
TOLERANCE = 1e-6
# Ten imagined answers a worker, most of them right: one who is seen seldom is taken for a fairly good one.
IMAGINED_ANSWERS = 10.0
IMAGINED_ACCURACY = 0.8


def decide(answers: Answers, choices: Choices) -> dict[str, Verdict]:
    """Gives each object its most probable category, where each worker is right with one probability of their own.

    Whoever is wrong is taken to choose any other category alike. That is less than Dawid–Skene's confusion matrices
    know, and needs far fewer answers to be learned: it is for batches of some tens of objects.

    Source:
        Y. Zhang, X. Chen, D. Zhou and M. I. Jordan, "Spectral Methods Meet EM: A Provably Optimal Algorithm for
        Crowdsourcing", Journal of Machine Learning Research 17, 2016; the one-coin model, with the smoothing of a
        beta prior.
    """
    categories = choices.names
    found = posteriors(answers, categories)
    return {object_id: verdict(posterior, choices) for object_id, posterior in found.items()}


def posteriors(
    answers: Answers,
    categories: Sequence[str],
    imagined: float = IMAGINED_ANSWERS,
    iterations: int = MAX_ITERATIONS,
    tolerance: float = TOLERANCE,
) -> dict[str, Posterior]:
    """Estimate how probable each category is for each object.

    Args:
        answers: For each object, each worker's category; at least one answer each.
        categories: All categories.
        imagined: How many answers of each worker are imagined; none gives the plain model.
        iterations: The most steps.
        tolerance: It stands still where no probability moves as much.
    """
    objects = sorted(answers)
    found = {object_id: vote_shares(answers[object_id], categories) for object_id in objects}
    for _ in range(iterations):
        accuracy = _accuracies(answers, found, imagined)
        priors = _priors(found, categories, imagined)
        updated = {key: _posterior(answers[key], priors, accuracy, categories) for key in objects}
        moved = max(abs(updated[key][name] - found[key][name]) for key in objects for name in categories)
        found = updated
        if moved < tolerance:
            break
    return found


def _priors(found: Mapping[str, Posterior], categories: Sequence[str], imagined: float) -> Posterior:
    one = 1.0 if imagined else 0.0
    total = len(found) + one * len(categories)
    return {name: (one + math.fsum(posterior[name] for posterior in found.values())) / total for name in categories}


def _accuracies(answers: Answers, found: Mapping[str, Posterior], imagined: float) -> dict[str, float]:
    """The M step: how probable it is of each worker that an answer is right."""
    right: dict[str, list[float]] = {}
    for object_id, posterior in found.items():
        for worker, answer in answers[object_id].items():
            right.setdefault(worker, []).append(posterior[answer])
    return {
        worker: (imagined * IMAGINED_ACCURACY + math.fsum(shares)) / (imagined + len(shares))
        for worker, shares in right.items()
    }


def _posterior(
    votes: Mapping[str, str], priors: Posterior, accuracy: Mapping[str, float], categories: Sequence[str]
) -> Posterior:
    """The E step for one object, in logarithms so that many workers don't underflow."""
    others = max(1, len(categories) - 1)
    least = 1e-10
    wrong = math.fsum(math.log(max(least, (1 - accuracy[worker]) / others)) for worker in votes)
    gains: Counter[str] = Counter()
    for worker, answer in sorted(votes.items()):
        share = accuracy[worker]
        gains[answer] += math.log(max(least, share)) - math.log(max(least, (1 - share) / others))  # type: ignore[assignment]
    logs = {name: math.log(max(least, priors[name])) + wrong + gains[name] for name in categories}
    highest = max(logs.values())
    return normalised({name: math.exp(value - highest) for name, value in logs.items()})
