"""What all kinds of questions have in common."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Protocol

import msgspec

from labeling.consolidation import ConsolidationConfiguration
from labeling.decoding import shown

# Nobody's answer nests deeper or names more.
MOST_SHOWN = 20

AnswerName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}\Z",
        description="letters, digits and hyphens, 127 at most, beginning and ending with a letter or digit",
    ),
]
CategoryName = Annotated[
    str, msgspec.Meta(pattern=r"^\S(.{0,98}\S)?\Z", description="1 to 100 characters without blanks around them")
]
CategoryNames = Annotated[tuple[CategoryName, ...], msgspec.Meta(min_length=1, max_length=30)]


class BrokenAnswerError(ValueError):
    """An answer is none to its question; the message says what was found and what was expected."""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """Something that each worker answers of each item.

    Attributes:
        name: The answer's name in the worker page's form and in the label.
        title: The question itself, for people.
        help: What to know before answering, for people.
        required: Whether a worker must answer.
    """

    name: AnswerName
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    help: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    required: bool = True

    @property
    def kind(self) -> str:
        """What kind of question it is, as the job configuration names it."""
        return str(self.__struct_config__.tag)


class Answering(Protocol):
    """What each kind of question does, in a file of its own."""

    @property
    def name(self) -> str:
        """The answer's name."""

    @property
    def required(self) -> bool:
        """Whether a worker must answer."""

    def contradictions(self) -> Sequence[tuple[str, str]]:
        """What doesn't go together in its configuration: the key, and what was found and is allowed."""

    def read(self, value: object, channels: Collection[str]) -> Any:
        """Read one worker's answer.

        Args:
            value: What the page submitted under the question's name.
            channels: The keys of the plots of an item, on which something may be marked.

        Returns:
            The answer; ``None`` if the worker left the question open.

        Raises:
            BrokenAnswerError: If it is none.
        """

    def consolidate(
        self, answers: Mapping[str, Mapping[str, Any]], settings: ConsolidationConfiguration
    ) -> dict[str, dict[str, Any]]:
        """Make one label of several workers' answers.

        Args:
            answers: For each object, each worker's answer, as `read` gives it; some objects may have none.
            settings: How categories are decided.

        Returns:
            Each object's label, ready to be written as JSON.
        """

    def answer_schema(self) -> dict[str, Any]:
        """The JSON Schema of what a page submits under the question's name."""


def structured(value: object, member: str) -> Any:
    """A member of what a page's hidden field holds: JSON, as text or as it is.

    Raises:
        BrokenAnswerError: If it is no JSON object with that member.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise BrokenAnswerError(f"found {shown(value)}; expected JSON such as {{{member!r}: …}}") from None
    if not isinstance(value, dict) or member not in value:
        raise BrokenAnswerError(f"found {shown(value)}; expected a JSON object with {member!r}")
    return value[member]


def is_open(value: object) -> bool:
    """Whether a worker left a question open."""
    return value is None or (isinstance(value, str) and not value.strip())


def names_in_words(names: Sequence[str]) -> str:
    """Names that are allowed, for messages."""
    return ", ".join(map(repr, names[:MOST_SHOWN])) + (" …" if len(names) > MOST_SHOWN else "")
