"""``categories``: any of several, each by majority."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from labeling.answers.category import most_first
from labeling.answers.question import (
    BrokenAnswerError,
    CategoryNames,
    Question,
    is_open,
    names_in_words,
    structured,
)
from labeling.consolidation import ConsolidationConfiguration
from labeling.decoding import shown


class CategoriesQuestion(Question, frozen=True, kw_only=True, tag="categories"):
    """A choice of any number of categories; none is an answer, too.

    Attributes:
        categories: What can be chosen, in the order in which it is shown.
    """

    categories: CategoryNames

    def contradictions(self) -> Sequence[tuple[str, str]]:
        """As `Answering.contradictions`."""
        return ()

    def read(self, value: object, channels: Collection[str]) -> tuple[str, ...] | None:  # noqa: ARG002
        """The chosen categories, in the order of the configuration."""
        if is_open(value):
            return None
        chosen = structured(value, "categories")
        if not isinstance(chosen, list):
            raise BrokenAnswerError(f"categories: found {shown(chosen)}; expected a list")
        if len(chosen) > len(self.categories):
            raise BrokenAnswerError(f"found {len(chosen):,} categories; expected {len(self.categories)} at most")
        for category in chosen:
            if category not in self.categories:
                raise BrokenAnswerError(f"found {shown(category)}; expected some of {names_in_words(self.categories)}")
        if len(chosen) != len(set(chosen)):
            raise BrokenAnswerError("found a category twice; expected each once")
        return tuple(category for category in self.categories if category in chosen)

    def consolidate(
        self,
        answers: Mapping[str, Mapping[str, tuple[str, ...]]],
        settings: ConsolidationConfiguration,  # noqa: ARG002  (as `Answering.consolidate`)
    ) -> dict[str, dict[str, Any]]:
        """``{"categories": [those that more than half of the workers chose], "confidence", "votes"}``.

        The confidence is that of the most doubtful category: the share of workers who decided it as the label does.
        """
        return {key: self._label(list(chosen.values())) for key, chosen in answers.items()}

    def _label(self, answers: Sequence[tuple[str, ...]]) -> dict[str, Any]:
        votes = Counter(category for chosen in answers for category in chosen)
        label = [category for category in self.categories if 2 * votes[category] > len(answers)]
        agreeing = [max(votes[category], len(answers) - votes[category]) for category in self.categories]
        confidence = round(min(agreeing) / len(answers), 4) if answers else 0.0
        return {"categories": label, "confidence": confidence, "votes": most_first(votes)}

    def answer_schema(self) -> dict[str, Any]:
        """``{"categories": […]}``."""
        chosen = {"type": "array", "items": {"enum": list(self.categories)}, "uniqueItems": True}
        return {"type": "object", "properties": {"categories": chosen}, "required": ["categories"]}
