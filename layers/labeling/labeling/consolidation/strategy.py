"""What a consolidation strategy takes and gives."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from labeling.job import JobConfiguration

Answers = Mapping[str, Mapping[str, str]]
"""For each object, by its id: the category that each worker chose, by worker id."""


class Verdict(NamedTuple):
    """What a strategy says of one object.

    Attributes:
        category: The label.
        confidence: From 0 to 1.
    """

    category: str
    confidence: float


class Strategy(Protocol):
    """A way to decide; the same answers always get the same verdicts, in whatever order they come."""

    def __call__(self, answers: Answers, job: JobConfiguration) -> Mapping[str, Verdict]:
        """Decides each object.

        Args:
            answers: At least one object; at least one answer each, all of them categories of the job.
            job: Its categories, and what wins between equals.

        Returns:
            A verdict for each object.
        """


def settle(best: Collection[str], job: JobConfiguration) -> str:
    """The category that wins among equals, as the job configuration says."""
    if len(best) > 1 and job.consolidation.tie == "not-sure":
        return job.label.not_sure
    return min(best, key=job.label.category_names.index)
