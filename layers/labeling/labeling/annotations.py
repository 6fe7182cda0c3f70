"""Workers' answers, from what the page submitted to what each question asks for."""

import json
from typing import Any, NamedTuple

from labeling.answers import Answering, BrokenAnswerError
from labeling.contract import AnnotatedObject, Annotation, AnnotationData
from labeling.decoding import DecodingError, convert, shown
from labeling.errors import ItemError
from labeling.job import JobConfiguration
from labeling.storage import S3Uri, Storage

MAX_ANSWER_BYTES = 5_000_000

Answers = dict[str, dict[str, Any]]
"""For each question, by its name: each worker's answer, by worker id."""


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


def usable(annotated: AnnotatedObject, job: JobConfiguration, storage: Storage) -> tuple[Answers, list[Dropped]]:
    """The answers of one object that count, and those that don't.

    A worker's later answer takes the place of an earlier one. What is wrong with the answer to one question leaves
    those to the others.

    Args:
        annotated: The object with its annotations.
        job: What was asked.
        storage: Where answers lie that the payload names by ``s3Uri``.

    Returns:
        For each question that was asked, each worker's answer, by worker id; and the dropped answers.

    Raises:
        LabelingError: If S3 refuses or fails; a missing answer is a dropped one.
    """
    answers: Answers = {question.name: {} for question in job.asked}
    dropped: list[Dropped] = []
    for raw in annotated.annotations if isinstance(annotated.annotations, list) else ():
        worker = _worker(raw)
        try:
            form = _answer(_submitted(convert(raw, Annotation).annotationData, storage))
        except (BrokenAnswerError, DecodingError, ItemError) as error:
            dropped.append(Dropped(annotated.datasetObjectId, worker, str(error)))
            continue
        for question in job.asked:
            try:
                _take(answers[question.name], worker, _read(question, form, job))
            except BrokenAnswerError as error:
                reason = f"{question.name}: {error}" if len(job.asked) > 1 else str(error)
                dropped.append(Dropped(annotated.datasetObjectId, worker, reason))
    return answers, dropped


def repeated(annotated: AnnotatedObject) -> int:
    """How many of an object's annotations have a later one of the same worker."""
    given = annotated.annotations if isinstance(annotated.annotations, list) else []
    workers = [raw["workerId"] for raw in given if isinstance(raw, dict) and isinstance(raw.get("workerId"), str)]
    return len(workers) - len(set(workers))


def _take(answers: dict[str, Any], worker: str, answer: Any) -> None:
    answers.pop(worker, None)
    if answer is not None:
        answers[worker] = answer


def _read(question: Answering, form: dict[str, Any], job: JobConfiguration) -> Any:
    """A worker's answer to a question; nothing if they left it open, as they might."""
    answer = question.read(form.get(question.name), job.channel_keys) if question.name in form else None
    if answer is None and question.required:
        found = ", ".join(shown(name) for name in list(form)[:20]) or "nothing"
        raise BrokenAnswerError(f"found {found}; expected an answer named {question.name!r}")
    return answer


def _worker(raw: object) -> str:
    worker = raw.get("workerId", "unknown") if isinstance(raw, dict) else "unknown"
    return worker if isinstance(worker, str) and worker.isprintable() else shown(worker)


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
