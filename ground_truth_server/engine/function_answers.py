"""What the two functions of a custom labeling job must answer, checked as strictly as Ground Truth does."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ground_truth_server.json_text import check_levels


class WrongAnswer(Exception):
    """A function's answer is not of the shape that Ground Truth takes; the text says what was found."""


@dataclass(frozen=True)
class PreAnnotation:
    """What a pre-annotation function answered.

    Attributes:
        task_input: What the worker page reads as ``task.input``.
        is_human_annotation_required: Whether workers see the data object.
    """

    task_input: dict[str, Any]
    is_human_annotation_required: bool


def check_pre_annotation(answer: object) -> PreAnnotation:
    """Read a pre-annotation function's answer.

    ``isHumanAnnotationRequired`` is documented as a boolean and deployed functions return text; both are
    taken, and if it is left out it means true.

    Raises:
        WrongAnswer: If it is not ``{"taskInput": {...}, "isHumanAnnotationRequired": ...}``.
    """
    expected = 'expected {"taskInput": {...}, "isHumanAnnotationRequired": "true" or "false"}'
    if not isinstance(answer, dict):
        raise WrongAnswer(f"found {_excerpt(answer)}, {expected}")
    if "taskInput" not in answer:
        raise WrongAnswer(f"found no 'taskInput' among the keys {sorted(map(str, answer))}, {expected}")
    if not isinstance(answer["taskInput"], dict):
        raise WrongAnswer(f"taskInput: found {_excerpt(answer['taskInput'])}, expected a JSON object")
    _check_is_json(answer["taskInput"], "taskInput")
    required = answer.get("isHumanAnnotationRequired", True)
    if not isinstance(required, bool) and required not in ("true", "false"):
        raise WrongAnswer(
            f"isHumanAnnotationRequired: found {_excerpt(required)}, "
            'expected true, false, "true" or "false", or nothing, which means true'
        )
    return PreAnnotation(answer["taskInput"], required in (True, "true"))


def check_consolidation(answer: object, object_ids: Collection[str], label_attribute: str) -> dict[str, dict[str, Any]]:
    """Read a post-annotation function's answer: one entry for each data object of the request.

    Args:
        answer: What the function answered.
        object_ids: The ``datasetObjectId`` of each object in the request.
        label_attribute: The key that each ``content`` must have.

    Returns:
        Each object's ``content``, by ``datasetObjectId``.

    Raises:
        WrongAnswer: If an entry is wrong, missing, there twice, or for an object that was not asked about.
    """
    if not isinstance(answer, list):
        raise WrongAnswer(
            f"found {_excerpt(answer)}, expected a JSON array with one entry for each data object and nothing around it"
        )
    contents: dict[str, dict[str, Any]] = {}
    for index, entry in enumerate(answer):
        object_id, content = _check_entry(entry, f"entry {index}", label_attribute)
        if object_id in contents:
            raise WrongAnswer(f"entry {index}: datasetObjectId {object_id!r} is there twice, expected once")
        if object_id not in object_ids:
            raise WrongAnswer(
                f"entry {index}: found datasetObjectId {object_id!r}, expected one of the request: {_some(object_ids)}"
            )
        contents[object_id] = content
    missing = [i for i in object_ids if i not in contents]
    if missing:
        raise WrongAnswer(f"found no entry for datasetObjectId {_some(missing)}, expected one for each data object")
    return contents


def _check_entry(entry: object, where: str, label_attribute: str) -> tuple[str, dict[str, Any]]:
    if not isinstance(entry, dict):
        raise WrongAnswer(f"{where}: found {_excerpt(entry)}, expected a JSON object")
    object_id = entry.get("datasetObjectId")
    if not isinstance(object_id, str):
        raise WrongAnswer(f"{where}: datasetObjectId: found {_excerpt(object_id)}, expected text as in the request")
    where = f"{where} (datasetObjectId {object_id!r})"
    consolidated = _check_object(entry, "consolidatedAnnotation", where)
    content = _check_object(consolidated, "content", f"{where}: consolidatedAnnotation")
    where = f"{where}: consolidatedAnnotation.content"
    if label_attribute not in content:
        raise WrongAnswer(
            f"{where}: found the keys {sorted(map(str, content))}, expected the label attribute {label_attribute!r}"
        )
    if f"{label_attribute}-metadata" in content:
        _check_object(content, f"{label_attribute}-metadata", where)
    _check_is_json(content, where)
    return object_id, content


def _check_object(holder: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = holder.get(key)
    if not isinstance(value, dict):
        found = _excerpt(value) if key in holder else f"no {key!r} among the keys {sorted(map(str, holder))}"
        raise WrongAnswer(f"{where}: {key}: found {found}, expected a JSON object")
    return value


def _check_is_json(value: object, where: str) -> None:
    try:
        check_levels(value)
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise WrongAnswer(f"{where}: not JSON: {error}") from None


def _excerpt(value: object) -> str:
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= 120 else f"{text[:117]}..."


def _some(ids: Collection[str]) -> str:
    first = ", ".join(list(ids)[:10])
    return first if len(ids) <= 10 else f"{first} and {len(ids) - 10} more"
