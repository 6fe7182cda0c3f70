"""Several workers' answers become one label: the strategies, one file each, behind one interface."""

from labeling.consolidation import dawid_skene, majority_vote, one_coin
from labeling.consolidation.strategy import Answers, Strategy, Verdict
from labeling.job import JobConfiguration

STRATEGIES: dict[str, Strategy] = {
    "majority-vote": majority_vote.decide,
    "one-coin": one_coin.decide,
    "dawid-skene": dawid_skene.decide,
}

__all__ = ["STRATEGIES", "Answers", "Strategy", "Verdict", "consolidate"]


def consolidate(answers: Answers, job: JobConfiguration) -> dict[str, Verdict]:
    """Decides each object of a batch by the job's strategy.

    Args:
        answers: For each object, each worker's category. Objects without answers may be among them.
        job: Names the strategy, the categories, and what wins between equals.

    Returns:
        A verdict for each object; of one that nobody answered, the not-sure category with confidence 0.
    """
    answered = {object_id: votes for object_id, votes in answers.items() if votes}
    verdicts = STRATEGIES[job.consolidation.strategy](answered, job) if answered else {}
    nobody = Verdict(job.label.not_sure, 0.0)
    return {object_id: verdicts.get(object_id, nobody) for object_id in answers}
