"""What a job's worker page submits, as JSON Schema."""

from collections.abc import Sequence
from typing import Any

from labeling.answers import AnyQuestion

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def answer_schema(questions: Sequence[AnyQuestion]) -> dict[str, Any]:
    """Describe a worker's answer to a job's questions.

    An answer to a question stands under its name; where its kind is structured, it may also be the JSON's text, as a
    form's hidden field submits it. Members with other names are left aside.

    Args:
        questions: All that is asked, the label's category among them.

    Returns:
        A JSON Schema.
    """
    return {
        "$schema": DRAFT,
        "title": "A worker's answer",
        "type": "object",
        "properties": {question.name: _described(question) for question in questions},
        "required": [question.name for question in questions if question.required],
    }


def _described(question: AnyQuestion) -> dict[str, Any]:
    schema = question.answer_schema()
    if schema.get("type") == "object":
        text = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
        schema = {"anyOf": [schema, text]}
    return {"title": question.title, "description": question.help or question.kind, **schema}
