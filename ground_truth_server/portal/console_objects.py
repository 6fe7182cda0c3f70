"""The data objects of a labeling job as the console's table shows them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ground_truth_server.engine.engine import Engine
from ground_truth_server.portal.short_text import in_short, source_name
from ground_truth_server.records.data_objects import DataObject
from ground_truth_server.records.tasks import Answer

FILTERS: Mapping[str, str] = {
    "all": "All",
    "open": "Open",
    "labeled": "Labeled",
    "failed": "Failed",
    "disagreement": "Disagreement",
}
"""The filters of the table, with what people read."""

_OPEN = frozenset({"waiting", "preparing", "open", "answered"})
_AT_ONCE = 500


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
        The rows, and the number of the object after the last, if there is one that fits the filter.
    """
    attribute = engine.job(job).label_attribute
    rows: list[ObjectRow] = []
    for found in _objects_from(engine, job, start):
        if not _may_fit(found, chosen):
            continue
        row = _row(found, engine.data_object(job, found.object_id).answers, attribute)
        if chosen == "disagreement" and not row.disagreement:
            continue
        if len(rows) == limit:
            return rows, int(found.object_id)
        rows.append(row)
    return rows, None


def _objects_from(engine: Engine, job: str, start: int) -> Iterator[DataObject]:
    while found := engine.data_objects(job, start, _AT_ONCE):
        yield from found
        start = int(found[-1].object_id) + 1


def _may_fit(found: DataObject, chosen: str) -> bool:
    if chosen in ("labeled", "failed"):
        return found.state == chosen
    return found.state in _OPEN if chosen == "open" else True


def _row(found: DataObject, answers: Sequence[Answer], attribute: str) -> ObjectRow:
    return ObjectRow(
        object_id=found.object_id,
        source=source_name(found.data_object),
        state=found.state,
        answers=Counter(in_short(answer.content) for answer in answers).most_common(),
        label="" if found.label is None else in_short(found.label.get(attribute)),
        problem=found.problem,
    )
