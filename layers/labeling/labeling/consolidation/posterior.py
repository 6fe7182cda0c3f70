"""How probable each category is for one object, and the verdict that follows."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from labeling.consolidation.strategy import Choices, Verdict, settle

# Equal evidence ends in posteriors that differ by rounding only.
ROUNDED_ALIKE = 1e-4

Posterior = dict[str, float]
"""How probable each category is for one object."""


def vote_shares(votes: Mapping[str, str], categories: Sequence[str]) -> Posterior:
    """Each category's share of an object's votes."""
    counts = Counter(votes.values())
    return {category: counts[category] / len(votes) for category in categories}


def normalised(weights: Mapping[str, float]) -> Posterior:
    """Make weights sum to 1."""
    total = math.fsum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def verdict(posterior: Posterior, choices: Choices, alike: float = ROUNDED_ALIKE) -> Verdict:
    """The most probable category, with its probability as the confidence.

    Args:
        posterior: How probable each category is.
        choices: The categories, and what wins between equals.
        alike: Probabilities that differ by less are equal.
    """
    highest = max(posterior.values())
    best = [category for category, probability in posterior.items() if highest - probability < alike]
    category = settle(best, choices)
    return Verdict(category, round(posterior.get(category, 0.0), 4))
