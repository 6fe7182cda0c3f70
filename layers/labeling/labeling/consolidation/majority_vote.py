"""Majority vote: the category that most workers chose."""

from collections import Counter
from collections.abc import Mapping

from labeling.consolidation.strategy import Answers, Choices, Verdict, settle


def decide(answers: Answers, choices: Choices) -> dict[str, Verdict]:
    """Gives each object the category with most votes.

    The confidence is the share of the object's votes that went to its label: 1.0 where all agree (so also where
    only one worker was asked), 0.0 where a tie makes it a not-sure that nobody chose.

    Example:
        Two workers say "Good Weld", one says "Burn Through": "Good Weld" with confidence 0.6667.
    """
    return {object_id: _decide(votes, choices) for object_id, votes in answers.items()}


def _decide(votes: Mapping[str, str], choices: Choices) -> Verdict:
    counts = Counter(votes.values())
    most = max(counts.values())
    category = settle([name for name, count in counts.items() if count == most], choices)
    return Verdict(category, round(counts[category] / len(votes), 4))
