"""``category``: one of several, by the job's strategy of consolidation."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from labeling.answers.question import BrokenAnswerError, CategoryName, Question, is_open, names_in_words
from labeling.consolidation import AUTO, UNLEARNED, Answers, Choices, ConsolidationConfiguration, decide
from labeling.decoding import shown


class CategoryQuestion(Question, frozen=True, kw_only=True, tag="category"):
    """A choice of one category.

    Attributes:
        categories: What can be chosen, in the order in which it is shown.
        not_sure: The category that stands for "can't be told".
    """

    categories: Annotated[tuple[CategoryName, ...], msgspec.Meta(min_length=2, max_length=30)]
    not_sure: str

    def contradictions(self) -> Sequence[tuple[str, str]]:
        """As `Answering.contradictions`."""
        if self.not_sure in self.categories:
            return ()
        return (("not_sure", f"found {self.not_sure!r}; allowed: {names_in_words(self.categories)}"),)

    def read(self, value: object, channels: Collection[str]) -> str | None:  # noqa: ARG002  (as `Answering.read`)
        """The chosen category."""
        if isinstance(value, dict):  # crowd-classifier's {"label": …}; other elements submit the bare text
            value = value.get("label")
        if is_open(value) and not self.required:
            return None
        if value not in self.categories:
            raise BrokenAnswerError(f"found {shown(value)}; expected one of {names_in_words(self.categories)}")
        return str(value)

    def consolidate(
        self,
        answers: Mapping[str, Mapping[str, str]],
        settings: ConsolidationConfiguration,
        earlier: Answers | None = None,
    ) -> dict[str, dict[str, Any]]:
        """``{"category", "confidence": 0 to 1, "votes": {category: count}}``.

        With ``evidence`` if workers were learned: from how many answers. With ``strategy`` if the configuration leaves
        it open: the one that was taken.

        Args:
            answers: As `Answering.consolidate`.
            settings: As `Answering.consolidate`.
            earlier: Answers to other objects of the job, to learn its workers from.
        """
        choices = Choices(self.categories, self.not_sure, settings.tie)
        decision = decide(answers, choices, settings.strategy, earlier)
        learned: dict[str, Any] = {"evidence": decision.evidence} if decision.strategy != UNLEARNED else {}
        taken = {"strategy": decision.strategy} if settings.strategy == AUTO else {}
        return {
            key: {
                "category": verdict.category,
                "confidence": verdict.confidence,
                "votes": most_first(Counter(answers[key].values())),
                **learned,
                **taken,
            }
            for key, verdict in decision.verdicts.items()
        }

    def answer_schema(self) -> dict[str, Any]:
        """The category, or what crowd-classifier makes of it."""
        name = {"enum": [*self.categories, *(() if self.required else ("",))]}
        label = {"type": "object", "properties": {"label": name}, "required": ["label"]}
        return {"anyOf": [name, label]}


def most_first(votes: Mapping[str, int]) -> dict[str, int]:
    """Votes with the most first."""
    return dict(sorted(votes.items(), key=lambda vote: (-vote[1], vote[0])))
