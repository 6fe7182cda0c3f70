"""A worker's answer, from what the page submitted to one of the job's categories."""

import json
from typing import Any, NamedTuple

from labeling.contract import AnnotatedObject, Annotation, AnnotationData
from labeling.decoding import DecodingError, convert, shown
from labeling.errors import ItemError
from labeling.job import Label
from labeling.storage import S3Uri, Storage

MAX_ANSWER_BYTES = 5_000_000


class Dropped(NamedTuple):
    """An answer that can't be counted.

    Attributes:
        object_id: The object it is about.
        worker: Who gave it, as far as that can be told.
        reason: What is wrong with it.
    """

    object_id: str
    worker: str
    reason: str


class BrokenAnswerError(ValueError):
    """An answer holds no category of the job."""


def usable(annotated: AnnotatedObject, label: Label, storage: Storage) -> tuple[dict[str, str], list[Dropped]]:
    """The answers of one object that count, and those that don't.

    A worker's later answer takes the place of an earlier one.

    Args:
        annotated: The object with its annotations.
        label: The answer's name and its categories.
        storage: Where answers lie that the payload names by ``s3Uri``.

    Returns:
        The category of each worker, by worker id, and the dropped answers.

    Raises:
        LabelingError: If S3 refuses or fails; a missing answer is a dropped one.
    """
    votes: dict[str, str] = {}
    dropped: list[Dropped] = []
    for raw in annotated.annotations if isinstance(annotated.annotations, list) else ():
        worker = _worker(raw)
        try:
            votes[worker] = _category(convert(raw, Annotation).annotationData, label, storage)
        except (BrokenAnswerError, DecodingError, ItemError) as error:
            dropped.append(Dropped(annotated.datasetObjectId, worker, str(error)))
    return votes, dropped


def _worker(raw: object) -> str:
    worker = raw.get("workerId", "unknown") if isinstance(raw, dict) else "unknown"
    return worker if isinstance(worker, str) and worker.isprintable() else shown(worker)


def _category(data: AnnotationData, label: Label, storage: Storage) -> str:
    answer = _answer(_submitted(data, storage))
    if label.name not in answer:
        found = ", ".join(shown(name) for name in list(answer)[:20]) or "nothing"
        raise BrokenAnswerError(f"found {found}; expected an answer named {label.name!r}")
    category = answer[label.name]
    if isinstance(category, dict):  # crowd-classifier's {"label": …}; other elements submit the bare text
        category = category.get("label")
    if category not in label.category_names:
        raise BrokenAnswerError(
            f"found {shown(category)}; expected one of {', '.join(map(repr, label.category_names))}"
        )
    return str(category)


def _submitted(data: AnnotationData, storage: Storage) -> str | bytes:
    if data.content is not None:
        return data.content
    if data.s3Uri is None:
        raise BrokenAnswerError("found neither content nor s3Uri; expected one of them in annotationData")
    return storage.read(S3Uri.parse(data.s3Uri), MAX_ANSWER_BYTES)


def _answer(text: str | bytes) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:  # nested too deeply to be anybody's answer
        raise BrokenAnswerError(f"found no JSON: {error}") from None
    if isinstance(answer, list) and len(answer) == 1:  # some portals wrap a form's answers in a list
        answer = answer[0]
    if not isinstance(answer, dict):
        raise BrokenAnswerError(f"found {shown(answer)}; expected a JSON object")
    return answer
