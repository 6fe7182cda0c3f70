"""What a consolidation strategy takes and gives."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, Protocol

import msgspec

Tie = Literal["not-sure", "category-order"]

Answers = Mapping[str, Mapping[str, str]]
"""For each object, by its id: the category that each worker chose, by worker id."""


class ConsolidationConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How several workers' answers become one label.

    Attributes:
        strategy: ``majority-vote``; ``one-coin``, which also learns whom to trust; ``bayesian``, which learns what all
            take for what, too, and how much of it can't be known; ``dawid-skene``, which learns of many answers what
            each worker takes for what; or ``auto``, the one of them that the number of answers allows.
        tie: What wins between equals: the not-sure category, or the category that stands first in the
            configuration.
    """

    strategy: Literal["majority-vote", "one-coin", "bayesian", "dawid-skene", "auto"] = "majority-vote"
    tie: Tie = "not-sure"


class Choices(NamedTuple):
    """What workers choose among.

    Attributes:
        names: The categories, in the order of the job configuration.
        not_sure: The one that stands for "can't be told".
        tie: What wins between equals, see `ConsolidationConfiguration`.
    """

    names: tuple[str, ...]
    not_sure: str
    tie: Tie = "not-sure"


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

    def __call__(self, answers: Answers, choices: Choices) -> Mapping[str, Verdict]:
        """Decides each object.

        Args:
            answers: At least one object; at least one answer each, all of them among the choices.
            choices: The categories, and what wins between equals.

        Returns:
            A verdict for each object.
        """


def settle(best: Collection[str], choices: Choices) -> str:
    """The category that wins among equals, as the job configuration says."""
    if len(best) > 1 and choices.tie == "not-sure":
        return choices.not_sure
    return min(best, key=choices.names.index)
