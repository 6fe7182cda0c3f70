"""JSON as Ground Truth's files hold it: compact, UTF-8; and the limits within which it is taken."""

import json
from typing import Any

MOST_LEVELS = 100
"""How deep JSON may be nested. What writes it anew, within other JSON, meets Python's limit at some 900."""
LONGEST_ANSWER = 10 * 1024 * 1024
"""Bytes of a worker's answer, masks of pixels included."""


class UnfitJson(ValueError):
    """JSON that is nested too deeply, or holds what UTF-8 or JSON can't. The text says what was found."""


def write_json(value: object) -> str:
    """Write a value as compact JSON.

    Text that UTF-8 can't hold (half of a surrogate pair, which JSON allows as an escape) stays escaped.

    Raises:
        ValueError: If the value holds a number that JSON can't.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


def write_answer(answer: object) -> str:
    """Write a worker's answer, if it is fit to be kept, shown and put into other JSON.

    Raises:
        UnfitJson: If it is nested too deeply, too long, or holds what UTF-8 or JSON can't.
    """
    check_levels(answer)
    try:
        text = json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except UnicodeEncodeError as error:
        half = f"U+{ord(error.object[error.start]):04X}"
        raise UnfitJson(f"it holds {half}, half of a character (a lone surrogate), which UTF-8 can't") from None
    except ValueError as error:
        raise UnfitJson(str(error)) from None
    if size > LONGEST_ANSWER:
        raise UnfitJson(f"it has {size:,} bytes, at most {LONGEST_ANSWER:,} are taken")
    return text


def check_levels(value: object) -> None:
    """See that a value is not nested too deeply.

    Raises:
        UnfitJson: If it has more than :data:`MOST_LEVELS` levels.
    """
    level: list[Any] = [value]
    for _ in range(MOST_LEVELS + 1):
        level = [member for holder in level if isinstance(holder, dict | list) for member in _members(holder)]
        if not level:
            return
    raise UnfitJson(f"it is nested more than {MOST_LEVELS} levels deep, which is the most that is taken")


def _members(holder: dict[Any, Any] | list[Any]) -> list[Any]:
    found = holder.values() if isinstance(holder, dict) else holder
    return [member for member in found if isinstance(member, dict | list)]


def read_kept(text: str) -> Any:
    """Read JSON that the store keeps; what is unfit to be shown or written anew comes as a note of what it is."""
    try:
        value = json.loads(text)
        check_levels(value)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return {"unreadable": f"What is kept here can't be used: {why}. It has {len(text):,} characters."}
    return value
