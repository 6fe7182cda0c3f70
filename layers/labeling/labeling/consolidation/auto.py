"""``auto``: the strategy that the amount of evidence allows."""

from labeling.consolidation.strategy import Answers, Choices

# So few answers tell nothing of workers, nor do objects that only one of them saw.
FEW_ANSWERS = 15
# What Dawid-Skene learns for each worker and true category takes so many answers.
ANSWERS_A_ROW = 50


def choose(answers: Answers, choices: Choices) -> str:
    """The name of a strategy.

    Args:
        answers: All that workers are learned from.
        choices: The categories.

    Returns:
        ``majority-vote`` where the answers are few, or no object has two of them; ``dawid-skene`` where workers gave
        fifty or more to each category on average, so that each one's confusions can be told; ``bayesian`` in between.
    """
    total = sum(map(len, answers.values()))
    if total < FEW_ANSWERS or not any(len(votes) > 1 for votes in answers.values()):
        return "majority-vote"
    workers = {worker for votes in answers.values() for worker in votes}
    return "dawid-skene" if total >= ANSWERS_A_ROW * len(workers) * len(choices.names) else "bayesian"
