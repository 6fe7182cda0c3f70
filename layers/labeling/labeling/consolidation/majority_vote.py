"""Majority vote: the category that most workers chose."""

from collections import Counter
from collections.abc import Mapping

from labeling.consolidation.strategy import Answers, Verdict, settle
from labeling.job import JobConfiguration


def decide(answers: Answers, job: JobConfiguration) -> dict[str, Verdict]:
    """Gives each object the category with most votes.

    The confidence is the share of the object's votes that went to its label: 1.0 where all agree (so also where
    only one worker was asked), 0.0 where a tie makes it a not-sure that nobody chose.

    Example:
        Two workers say "Good Weld", one says "Burn Through": "Good Weld" with confidence 0.6667.
    """
    return {object_id: _decide(votes, job) for object_id, votes in answers.items()}


def _decide(votes: Mapping[str, str], job: JobConfiguration) -> Verdict:
    counts = Counter(votes.values())
    most = max(counts.values())
    category = settle([name for name, count in counts.items() if count == most], job)
    return Verdict(category, round(counts[category] / len(votes), 4))
