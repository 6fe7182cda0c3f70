"""What came of further questions, in words: whatever kind a question was, its answer tells."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final


def in_words(answer: Mapping[str, Any]) -> str:
    """Say what came of a question.

    Args:
        answer: Its part of the label, as the kinds in `labeling.answers` give it.
    """
    return next((say(answer) for member, say in _SAY.items() if member in answer), None) or json.dumps(
        answer, ensure_ascii=False
    )


def _regions(answer: Mapping[str, Any]) -> str:
    return _all(f"{_what(one)} {_seconds(one['begin'])} to {_seconds(one['end'])} s" for one in answer["regions"])


def _instants(answer: Mapping[str, Any]) -> str:
    return _all(f"{_what(one)} at {_seconds(one['time'])} s" for one in answer["instants"])


def _number(answer: Mapping[str, Any]) -> str:
    value = answer["value"]
    return "nothing" if value is None else f"{value:g} ± {answer['spread']:g}"


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
