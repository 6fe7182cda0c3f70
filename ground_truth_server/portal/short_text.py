"""Answers, labels and manifest lines in a few words, for lists."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_LONGEST_TEXT = 80


def in_short(value: object) -> str:
    """Say an answer or a label in a few words: its texts and what is ticked, one after the other.

    Numbers speak where there is nothing else; beside a text they are its confidence, votes and the like.
    """
    try:
        words = list(_words(value))
    except RecursionError:  # nested too deep to be anybody's words
        words = []
    told = [word for word in words if isinstance(word, str)] or [str(number) for number in words]
    text = ", ".join(told) or json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def source_name(data_object: Mapping[str, Any] | None) -> str:
    """Say what a manifest line is about: the file that it names, or its text."""
    if data_object is None:
        return "not a JSON object"
    source = str(data_object.get("source-ref") or data_object.get("source") or "")
    return source.rpartition("/")[2] if source.startswith("s3://") else source[:_LONGEST_TEXT]


def _words(value: object) -> Iterator[str | float]:
    """The texts and numbers of a value, and the names of what is true; comments are no part of an answer."""
    if isinstance(value, dict):
        for name, member in value.items():
            if member is True:
                yield str(name)
            elif name != "workerComment":
                yield from _words(member)
    elif isinstance(value, list):
        for member in value:
            yield from _words(member)
    elif isinstance(value, str) and (within := _structured(value)) is not None:
        yield from _words(within)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield value


def _structured(text: str) -> object:
    """What a form's hidden field holds: an object or a list as JSON's text; ``None`` if it is anything else."""
    if not text.startswith(("{", "[")):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None
