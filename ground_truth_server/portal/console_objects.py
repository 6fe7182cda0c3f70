"""The data objects of a labeling job as the console's table shows them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ground_truth_server.engine.engine import Engine
from ground_truth_server.portal.short_text import in_short, source_name
from ground_truth_server.records.data_objects import DataObject

FILTERS: Mapping[str, str] = {
    "all": "All",
    "open": "Open",
    "labeled": "Labeled",
    "failed": "Failed",
    "disagreement": "Disagreement",
}
"""The filters of the table, with what people read."""

_STATES = {"open": ("waiting", "preparing", "open", "answered"), "labeled": ("labeled",), "failed": ("failed",)}
_LOOKS = 20  # for a page of rows; what is left is for the next one


@dataclass(frozen=True)
class ObjectRow:
    """A row of the table.

    Attributes:
        object_id: The data object.
        source: What its manifest line names, in short.
        state: The object's state.
        answers: What workers answered, in short, with how many did; the most frequent first.
        label: Its label, in short; empty while it has none.
        problem: Why it failed.
    """

    object_id: str
    source: str
    state: str
    answers: Sequence[tuple[str, int]]
    label: str
    problem: str | None

    @property
    def disagreement(self) -> bool:
        """Whether its workers answered differently."""
        return len(self.answers) > 1


def select_objects(engine: Engine, job: str, chosen: str, start: int, limit: int) -> tuple[list[ObjectRow], int | None]:
    """Read rows of a job's objects, in the manifest's order.

    Args:
        engine: The engine.
        job: The labeling job.
        chosen: One of :data:`FILTERS`.
        start: The first object's number.
        limit: How many rows at most.

    Returns:
        The rows, and the number of the object at which the next ones begin, if there may be more that fit the filter.
    """
    attribute = engine.ledger.job(job).label_attribute
    rows: list[ObjectRow] = []
    for _ in range(_LOOKS):
        objects = _objects(engine, job, chosen, start, limit + 1)
        answers = engine.ledger.answers_to(job, objects)
        for found in objects:
            row = _row(found, answers[found.object_id], attribute)
            if len(rows) == limit:
                return rows, int(found.object_id)
            if chosen != "disagreement" or row.disagreement:
                rows.append(row)
        if len(objects) <= limit:
            return rows, None
        start = int(objects[-1].object_id) + 1
    return rows, start


def _objects(engine: Engine, job: str, chosen: str, start: int, limit: int) -> Sequence[DataObject]:
    if chosen == "disagreement":  # of those whose answers differ in anything, some differ in a remark only
        return engine.ledger.data_objects_that_differ(job, start, limit)
    return engine.ledger.data_objects(job, start, limit, _STATES.get(chosen, ()))


def _row(found: DataObject, answers: Sequence[Mapping[str, Any]], attribute: str) -> ObjectRow:
    return ObjectRow(
        object_id=found.object_id,
        source=source_name(found.data_object),
        state=found.state,
        answers=Counter(in_short(answer) for answer in answers).most_common(),
        label="" if found.label is None else in_short(found.label.get(attribute)),
        problem=found.problem,
    )
