"""What came of further questions, in words: whatever kind a question was, its answer tells."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final


def in_words(answer: Mapping[str, Any]) -> str:
    """Say what came of a question.

    Args:
        answer: Its part of the label, as the kinds in `labeling.answers` give it.
    """
    say = next((say for member, say in _SAY.items() if member in answer), None)
    try:
        words = say(answer) if say else json.dumps(answer, ensure_ascii=False)
    except (KeyError, TypeError, ValueError):  # another function's, which has members of the same names
        words = json.dumps(answer, ensure_ascii=False)
    # Workers write what they like, and a terminal takes some of it for orders.
    return "".join(letter if letter.isprintable() else " " for letter in words)


def _regions(answer: Mapping[str, Any]) -> str:
    return _all(f"{_what(one)} {_seconds(one['begin'])} to {_seconds(one['end'])} s" for one in answer["regions"])


def _instants(answer: Mapping[str, Any]) -> str:
    return _all(f"{_what(one)} at {_seconds(one['time'])} s" for one in answer["instants"])


def _number(answer: Mapping[str, Any]) -> str:
    value = answer["value"]
    return "nothing" if value is None else f"{value:.15g} ± {answer['spread']:.6g}"


def _all(parts: Any) -> str:
    return "; ".join(map(str, parts)) or "nothing"


def _what(mark: Mapping[str, Any]) -> str:
    return f"{mark['category']} ({mark['channel']})" if "channel" in mark else str(mark["category"])


def _seconds(time: float) -> str:
    return f"{time:.3f}".rstrip("0").rstrip(".")


# By the member that only its kind has.
_SAY: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "regions": _regions,
    "instants": _instants,
    "categories": lambda answer: _all(answer["categories"]),
    "category": lambda answer: str(answer["category"]),
    "texts": lambda answer: _all(answer["texts"]),
    "value": _number,
}
