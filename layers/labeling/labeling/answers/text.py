"""``text``: words, all of them kept."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from labeling.answers.question import BrokenAnswerError, Question, is_open
from labeling.consolidation import ConsolidationConfiguration
from labeling.decoding import shown


class TextQuestion(Question, frozen=True, kw_only=True, tag="text"):
    """Something that workers write.

    Attributes:
        most_characters: How long an answer may be.
    """

    most_characters: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 2_000

    def contradictions(self) -> Sequence[tuple[str, str]]:
        """As `Answering.contradictions`."""
        return ()

    def read(self, value: object, channels: Collection[str]) -> str | None:  # noqa: ARG002  (as `Answering.read`)
        """The text, without blanks around it."""
        if is_open(value):
            return None
        if not isinstance(value, str):
            raise BrokenAnswerError(f"found {shown(value)}; expected a text")
        text = value.strip()
        if len(text) > self.most_characters:
            raise BrokenAnswerError(f"found {len(text):,} characters; expected {self.most_characters:,} at most")
        # Half a character, as a script may cut it, can't be written to a file.
        return text.encode(errors="replace").decode()

    def consolidate(
        self,
        answers: Mapping[str, Mapping[str, str]],
        settings: ConsolidationConfiguration,  # noqa: ARG002  (as `Answering.consolidate`)
    ) -> dict[str, dict[str, Any]]:
        """``{"texts": […]}``: all of them, in the order of the workers' ids."""
        return {key: {"texts": [texts[worker] for worker in sorted(texts)]} for key, texts in answers.items()}

    def answer_schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string", "maxLength": self.most_characters}
