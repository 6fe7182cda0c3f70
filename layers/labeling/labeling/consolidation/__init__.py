"""Several workers' answers become one label: the strategies, one file each, behind one interface."""

from typing import Final, NamedTuple

from labeling.consolidation import auto, bayesian, dawid_skene, majority_vote, one_coin
from labeling.consolidation.strategy import Answers, Choices, ConsolidationConfiguration, Strategy, Verdict

STRATEGIES: dict[str, Strategy] = {
    "majority-vote": majority_vote.decide,
    "one-coin": one_coin.decide,
    "bayesian": bayesian.decide,
    "dawid-skene": dawid_skene.decide,
}
AUTO: Final = "auto"
# What learns nothing of workers has no use for earlier batches.
UNLEARNED: Final = "majority-vote"

__all__ = [
    "AUTO",
    "STRATEGIES",
    "UNLEARNED",
    "Answers",
    "Choices",
    "ConsolidationConfiguration",
    "Decision",
    "Strategy",
    "Verdict",
    "consolidate",
    "decide",
]


class Decision(NamedTuple):
    """What came of a batch.

    Attributes:
        verdicts: Of each object; of one that nobody answered, the not-sure category with confidence 0.
        strategy: Which of `STRATEGIES` decided.
        evidence: How many answers workers were learned from, those of the batch among them; 0 of a majority vote.
    """

    verdicts: dict[str, Verdict]
    strategy: str
    evidence: int


def decide(answers: Answers, choices: Choices, strategy: str, earlier: Answers | None = None) -> Decision:
    """Decides each object of a batch.

    Args:
        answers: For each object, each worker's category. Objects without answers may be among them.
        choices: The categories, and what wins between equals.
        strategy: One of `STRATEGIES`, or ``auto``.
        earlier: The answers to other objects of the same job, which tell of its workers, too.
    """
    # What comes first doesn't matter, but no id of one kind may be one of the other.
    batch = {f"batch/{key}": votes for key, votes in answers.items() if votes}
    evidence = batch | {f"earlier/{key}": votes for key, votes in (earlier or {}).items() if votes}
    taken = auto.choose(evidence, choices) if strategy == AUTO else strategy
    learned = evidence if taken != UNLEARNED else batch
    found = STRATEGIES[taken](learned, choices) if batch else {}
    nobody = Verdict(choices.not_sure, 0.0)
    verdicts = {key: found.get(f"batch/{key}", nobody) for key in answers}
    return Decision(verdicts, taken, sum(map(len, evidence.values())) if taken != UNLEARNED else 0)


def consolidate(answers: Answers, choices: Choices, strategy: str) -> dict[str, Verdict]:
    """Decides each object of a batch by itself; see `decide`."""
    return decide(answers, choices, strategy).verdicts
