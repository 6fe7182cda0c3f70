"""What is marked on the time axis of an item's plots: what regions and instants have in common."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from labeling.answers.question import (
    BrokenAnswerError,
    CategoryNames,
    Question,
    is_open,
    names_in_words,
    structured,
)
from labeling.decoding import shown

# A mark's name in messages, such as "regions[3]".
Place = str


class Track(NamedTuple):
    """Where marks of a kind lie.

    Attributes:
        category: What was marked.
        channel: The key of the plot that it is in; empty for all.
    """

    category: str
    channel: str = ""

    def members(self) -> dict[str, Any]:
        """What a mark on it begins with in a label."""
        return {"category": self.category} | ({"channel": self.channel} if self.channel else {})


class MarkingQuestion(Question, frozen=True, kw_only=True):
    """Something that is marked on the plots of an item.

    Attributes:
        categories: What can be marked.
        channels: Whether a mark is of ``all`` channels, as time is, or of ``one``.
        most: How many marks an answer may have.
    """

    categories: CategoryNames
    channels: Literal["all", "one"] = "all"
    most: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100

    def _marks(self, value: object, member: str) -> list[Any] | None:
        """The marks of an answer, none of them checked; ``None`` if the worker left it open."""
        if is_open(value):
            return None
        marks = structured(value, member)
        if not isinstance(marks, list):
            raise BrokenAnswerError(f"{member}: found {shown(marks)}; expected a list")
        if len(marks) > self.most:
            raise BrokenAnswerError(f"found {len(marks):,} {member}; expected {self.most:,} at most")
        return marks

    def _track(self, mark: object, place: Place, channels: Collection[str]) -> tuple[Mapping[str, Any], Track]:
        """A mark's members, and where it lies."""
        if not isinstance(mark, dict):
            raise BrokenAnswerError(f"{place}: found {shown(mark)}; expected a JSON object")
        category, channel = mark.get("category"), mark.get("channel")
        if category not in self.categories:
            raise BrokenAnswerError(
                f"{place}: found the category {shown(category)}; expected one of {names_in_words(self.categories)}"
            )
        if self.channels == "all":
            return mark, Track(str(category))
        if channel not in channels:
            raise BrokenAnswerError(
                f"{place}: found the channel {shown(channel)}; expected one of {names_in_words(sorted(channels))}"
            )
        return mark, Track(str(category), str(channel))

    def _mark_schema(self, times: tuple[str, ...]) -> dict[str, Any]:
        """Of one mark."""
        properties: dict[str, Any] = {"category": {"enum": list(self.categories)}}
        properties |= {time: {"type": "number", "minimum": 0} for time in times}
        if self.channels == "one":
            properties["channel"] = {"type": "string"}
        return {"type": "object", "properties": properties, "required": list(properties)}

    def _schema(self, member: str, times: tuple[str, ...]) -> dict[str, Any]:
        """Of an answer: JSON, or its text, as a form's hidden field holds it."""
        marks = {"type": "array", "items": self._mark_schema(times), "maxItems": self.most}
        properties = {member: marks, "duration": {"type": "number", "exclusiveMinimum": 0}}
        none = {"properties": {member: {"maxItems": 0}}}
        schema = {"type": "object", "properties": properties, "required": [member]}
        return schema | {"if": none, "else": {"required": ["duration"]}}


def duration_of(value: object) -> float:
    """How long the item is, in seconds, as the page tells of it.

    Raises:
        BrokenAnswerError: If it doesn't.
    """
    return time_of(structured(value, "duration"), "duration")


def time_of(value: object, place: Place) -> float:
    """A time in seconds.

    Raises:
        BrokenAnswerError: If it is no number that can be one.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:  # 30,000 years
        raise BrokenAnswerError(f"{place}: found {shown(value)}; expected seconds from the item's beginning")
    return float(value)


def check_within(time: float, duration: float, place: Place) -> None:
    """Make sure that a time lies in the item.

    Raises:
        BrokenAnswerError: If it doesn't.
    """
    # A browser's doubles and ours are the same; what a page rounds for people differs in the last digits.
    if time > duration * (1 + 1e-9):
        raise BrokenAnswerError(f"{place}: found {time:g} s, after the item's end; expected {duration:g} s at most")
