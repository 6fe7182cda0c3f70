"""Whether an answer is of the category that its object's label came to be."""

from collections.abc import Mapping
from typing import Any

_OF_A_CATEGORY = {"label", "workerComment"}


def agrees(answer: Mapping[str, Any], label: object) -> bool | None:
    """Tell whether a worker's answer and a label are of one category.

    Args:
        answer: The answer, such as ``{"weld": {"label": "Good Weld"}}``.
        label: What the label attribute holds: the category, or an object that has it under the answer's name or
            under ``label``.

    Returns:
        Whether they are; ``None`` where one of them is no plain category.

    Example:
        >>> agrees({"weld": {"label": "Good"}}, {"weld": "Good", "confidence": 0.9})
        True
        >>> agrees({"weld": {"label": "Good"}}, {"boxes": []}) is None
        True
    """
    named = _plain_category(answer)
    if named is None:
        return None
    name, category = named
    found = label
    if len(answer) > 1 and not (isinstance(label, Mapping) and name in label):
        return None  # more was asked, and what the label says needn't be of this question
    if isinstance(found, Mapping):
        found = found.get(name, found.get("label"))
    if isinstance(found, Mapping):
        found = found.get("label")
    return category == found if isinstance(found, str) else None


def _plain_category(answer: Mapping[str, Any]) -> tuple[str, str] | None:
    """The question and the category of an answer in which one plain category was chosen."""
    chosen = [
        (name, given["label"])
        for name, given in answer.items()
        if isinstance(given, Mapping) and given.keys() <= _OF_A_CATEGORY and isinstance(given.get("label"), str)
    ]
    return chosen[0] if len(chosen) == 1 else None
