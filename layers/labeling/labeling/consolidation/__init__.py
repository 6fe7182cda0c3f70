"""Several workers' answers become one label: the strategies, one file each, behind one interface."""

from labeling.consolidation import dawid_skene, majority_vote, one_coin
from labeling.consolidation.strategy import Answers, Choices, ConsolidationConfiguration, Strategy, Verdict

STRATEGIES: dict[str, Strategy] = {
    "majority-vote": majority_vote.decide,
    "one-coin": one_coin.decide,
    "dawid-skene": dawid_skene.decide,
}

__all__ = [
    "STRATEGIES",
    "Answers",
    "Choices",
    "ConsolidationConfiguration",
    "Strategy",
    "Verdict",
    "consolidate",
]


def consolidate(answers: Answers, choices: Choices, strategy: str) -> dict[str, Verdict]:
    """Decides each object of a batch.

    Args:
        answers: For each object, each worker's category. Objects without answers may be among them.
        choices: The categories, and what wins between equals.
        strategy: One of `STRATEGIES`.

    Returns:
        A verdict for each object; of one that nobody answered, the not-sure category with confidence 0.
    """
    answered = {object_id: votes for object_id, votes in answers.items() if votes}
    verdicts = STRATEGIES[strategy](answered, choices) if answered else {}
    nobody = Verdict(choices.not_sure, 0.0)
    return {object_id: verdicts.get(object_id, nobody) for object_id in answers}
