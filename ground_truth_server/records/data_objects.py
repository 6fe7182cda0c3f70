"""The data objects of labeling jobs and the states they pass through.

``waiting`` → ``preparing`` (in a wave, the pre-annotation function is called) → ``open`` (workers take it) →
``answered`` → ``labeled``; or ``failed``; or ``not required`` where no person need look at it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, exists, func, literal, literal_column, select, update

from ground_truth_server.json_text import read_kept, write_json
from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import ACCEPTED, NONE, OPEN, batches, data_objects, tasks

_PAGE = 500
_o = data_objects.c


@dataclass(frozen=True)
class NewObject:
    """A line of a manifest, to be a data object.

    Attributes:
        number: The line's place in the manifest, from 0.
        line: What it holds; ``None`` if it holds no JSON object.
        problem: Why it can't be labeled, if so.
        text: The line as it stands in the file, to be kept so.
        label: The label that it brings along, with its metadata; ``None`` if it is to be labeled.
    """

    number: int
    line: Mapping[str, Any] | None
    problem: str | None = None
    text: str | None = None
    label: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class DataObject:
    """A data object and how far it is.

    Attributes:
        object_id: ``datasetObjectId``: the place of its line in the manifest, from 0, as text.
        state: One of this module's states.
        data_object: The manifest line; ``None`` if it holds no JSON object.
        task_input: What the worker page reads; ``None`` before it is prepared.
        wave: The wave it went out in, from 1.
        label: The content of its consolidated annotation.
        problem: Why it failed.
        response: The key of its worker response in the output bucket.
    """

    object_id: str
    state: str
    data_object: dict[str, Any] | None
    task_input: dict[str, Any] | None
    wave: int | None
    label: dict[str, Any] | None
    problem: str | None
    response: str | None


@dataclass(frozen=True)
class TakenObject:
    """A data object that a worker just took.

    Attributes:
        number: Its number.
        closes: When it stops being available.
        task_input: What the worker page reads.
    """

    number: int
    closes: str
    task_input: dict[str, Any]


@dataclass(frozen=True)
class WithoutResponse:
    """An object whose worker response is to be written.

    Attributes:
        number: Its number.
        wave: The wave it went out in, from 1.
        corrections: How often one of its answers was corrected until now.
    """

    number: int
    wave: int
    corrections: int


@dataclass(frozen=True)
class ManifestRow:
    """What a line of an output manifest is made of.

    Attributes:
        number: The line's place, from 0.
        line: The input's line; empty if it holds no JSON object.
        state: The object's state.
        label: The content of its consolidated annotation.
        problem: Why it failed.
        ended: When it failed.
        labeled_at: When its batch was made; ``None`` for a label that its line brought along.
        text: The input's line as it came; an empty object if it holds none.
    """

    number: int
    line: dict[str, Any]
    state: str
    label: dict[str, Any] | None
    problem: str | None
    ended: str | None
    labeled_at: str | None
    text: str = "{}"


class ObjectRecords:
    """The data objects of a database. A ``job`` is a labeling job's key.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- from the manifest

    def add(self, job: str, objects: Iterable[NewObject], at: str) -> None:
        """Add data objects, good ones to wait, bad ones failed, those that bring their label along labeled."""
        values = [
            {
                "job": job,
                "number": one.number,
                "line": None if one.line is None else one.text or write_json(one.line),
                "state": "failed" if one.problem else "waiting" if one.label is None else "labeled",
                "label": None if one.label is None else write_json(one.label),
                "problem": one.problem,
                "ended": at if one.problem else None,
            }
            for one in objects
        ]
        self._database.add(data_objects, values)

    def forget(self, job: str) -> None:
        """Remove a job's objects, to read its manifest again from the start."""
        self._database.change(delete(data_objects).where(_o.job == job))

    # -- counts

    def count(self, job: str) -> dict[str, int]:
        """Count a job's objects by state."""
        return {row.state: row.objects for row in self._database.rows(_COUNT, its_job=job)}

    def any_in(self, job: str, *states: str) -> bool:
        """Tell whether any object is in one of these states."""
        return any(self._database.row(_ANY_IN, its_job=job, its_state=state) is not None for state in states)

    def numbers_in(self, job: str, state: str) -> list[int]:
        """Number the objects that are in a state."""
        query = select(_o.number).where(_o.job == job, _o.state == state).order_by(_o.number)
        return [row.number for row in self._database.rows(query)]

    def progress(self, job: str) -> tuple[int, ...]:
        """Count what the run of a job has done, and nothing that its workers did."""
        counted = (func.count(column) for column in (_o.label, _o.problem, _o.response, _o.task_input))
        query = select(func.count(), func.coalesce(func.max(_o.wave), 0), *counted).where(_o.job == job)
        return tuple(self._database.rows(query)[0])

    def last_wave(self, job: str) -> int | None:
        """Tell a job's last wave; ``None`` before the first."""
        found: int | None = self._database.rows(select(func.max(_o.wave)).where(_o.job == job))[0][0]
        return found

    # -- waves

    def start_wave(self, job: str, size: int) -> tuple[int, int]:
        """Let the next waiting objects go out.

        Returns:
            The wave's number, from 1, and how many objects it has.
        """
        wave = (self.last_wave(job) or 0) + 1
        next_ones = select(_o.number).where(_o.job == job, _o.state == "waiting").order_by(_o.number).limit(size)
        chosen = and_(_o.job == job, _o.number.in_(next_ones.scalar_subquery()))
        return wave, self._database.change(update(data_objects).where(chosen).values(state="preparing", wave=wave))

    def open(self, job: str, number: int, task_input: Mapping[str, Any], closes: str, workers: int) -> None:
        """Make a prepared object available to workers.

        Args:
            job: The labeling job.
            number: The object.
            task_input: What the worker page reads.
            closes: Until when.
            workers: How many may take it.
        """
        values = {"task_input": write_json(task_input), "closes": closes, "free": workers}
        self._database.change(_OPEN_IT, {"its_job": job, "its_number": number, **values})

    def leave_out(self, job: str, number: int, task_input: Mapping[str, Any]) -> None:
        """Keep a prepared object from the workers: no person need look at it."""
        values = {"state": "not required", "task_input": write_json(task_input)}
        self._database.change(update(data_objects).where(_this(job, number), _o.state == "preparing").values(values))

    # -- with workers

    def take(self, job: str, worker: str, at: str) -> TakenObject | None:
        """Take the next object that a worker may take and has not had; others look past it until the end."""
        found = self._database.row(_TAKE, its_job=job, its_worker=worker, at=at)
        return None if found is None else TakenObject(found.number, found.closes, _json(found.task_input) or {})

    def any_to_take(self, job: str, worker: str, at: str) -> bool:
        """Tell whether there is an object that a worker may take and has not had."""
        return self._database.row(_ANY_TO_TAKE, its_job=job, its_worker=worker, at=at) is not None

    def count_to_take(self, job: str, worker: str, at: str) -> int:
        """Count the objects that a worker may take and has not had."""
        return int(self._database.rows(_COUNT_TO_TAKE, its_job=job, its_worker=worker, at=at)[0][0])

    def give_back(self, job: str, number: int) -> None:
        """Let another worker take an object."""
        self._database.change(_ONE_MORE, {"its_job": job, "its_number": number})

    def hold(self, job: str, number: int) -> None:
        """Keep an object from changing elsewhere until the end of the transaction."""
        if not self._database.takes_turns:
            self._database.row(_HOLD, its_job=job, its_number=number)

    def set_answered(self, job: str, number: int) -> None:
        """Note that an object has all its answers."""
        self._database.change(_ANSWERED, {"its_job": job, "its_number": number})

    def set_differ(self, job: str, number: int) -> None:
        """Note that an object's answers aren't all the same."""
        self._database.change(update(data_objects).where(_this(job, number)).values(differ=True))

    def takes_corrections(self, job: str, number: int) -> bool:
        """Tell whether an object's answers can still be corrected: no label is being made of them."""
        query = select(literal(1)).where(_this(job, number), _o.state.in_(("open", "answered")), _o.batch.is_(None))
        return self._database.row(query) is not None

    def note_correction(self, job: str, number: int, *, differ: bool) -> None:
        """Note that one of an object's answers was corrected: its worker response, if written, is to be written anew.

        Args:
            job: The labeling job.
            number: The object.
            differ: Whether its answers aren't all the same now.
        """
        values = {"corrections": _o.corrections + 1, "response": None, "differ": differ}
        self._database.change(update(data_objects).where(_this(job, number)).values(values))

    def any_due(self, job: str, at: str) -> bool:
        """Tell whether the time of any task or the availability of any object has run out."""
        return any(self._database.row(query, its_job=job, at=at) is not None for query in (_ANY_LATE, _ANY_TO_CLOSE))

    def close_due(self, job: str, at: str, problem: str) -> tuple[int, list[int]]:
        """Close the objects whose availability ran out.

        Args:
            job: The labeling job.
            at: The moment.
            problem: Why those fail that have no answer.

        Returns:
            How many go on to consolidation with the answers they have, and which had none and failed.
        """
        query = (
            select(_o.number)
            .where(_o.job == job, _o.state == OPEN, _o.closes <= at)
            .order_by(_o.number)
            .with_for_update()
        )
        due = [row.number for row in self._database.rows(query)]
        failed = [number for number in due if not self._close(job, number)]
        for number in failed:
            values = {"state": "failed", "problem": problem, "ended": at}
            self._database.change(update(data_objects).where(_this(job, number)).values(values))
        return len(due) - len(failed), failed

    def close_all(self, job: str) -> None:
        """Take every object back from the workers; those without an answer stay without a label."""
        query = select(_o.number).where(_o.job == job, _o.state == OPEN).order_by(_o.number).with_for_update()
        for row in self._database.rows(query):
            if not self._close(job, row.number):
                self._database.change(update(data_objects).where(_this(job, row.number)).values(state="waiting"))
        unprepared = update(data_objects).where(_o.job == job, _o.state == "preparing").values(state="waiting")
        self._database.change(unprepared)

    def _close(self, job: str, number: int) -> bool:
        answered = exists().where(tasks.c.job == _o.job, tasks.c.number == _o.number, tasks.c.state == "submitted")
        query = update(data_objects).where(_this(job, number), answered).values(state="answered", free=0)
        return self._database.change(query) > 0

    # -- answers and labels

    def without_response(self, job: str, limit: int = 200) -> list[WithoutResponse]:
        """List objects whose worker response is not written yet, or not since an answer was corrected."""
        rows = self._database.rows(_WITHOUT_RESPONSE, its_job=job, at_most=limit)
        return [WithoutResponse(row.number, row.wave, row.corrections) for row in rows]

    def set_responses(self, job: str, keys: Mapping[WithoutResponse, str]) -> None:
        """Note the keys of worker responses; not where an answer was corrected since the object was listed."""
        values = [
            {"its_job": job, "its_number": one.number, "its_corrections": one.corrections, "response": key}
            for one, key in keys.items()
        ]
        self._database.change(_SET_RESPONSES, values)

    def last_answered_wave(self, job: str) -> int | None:
        """Tell the last wave that has an answered object in no batch yet."""
        query = select(func.max(_o.wave)).where(_o.job == job, _o.state == "answered", _o.batch.is_(None))
        found: int | None = self._database.rows(query)[0][0]
        return found

    def put_in_batch(self, job: str, batch: int, size: int) -> None:
        """Put answered objects into a batch."""
        chosen = select(_o.number).where(_o.job == job, _o.state == "answered", _o.batch.is_(None))
        numbers = chosen.order_by(_o.number).limit(size).scalar_subquery()
        self._database.change(update(data_objects).where(_o.job == job, _o.number.in_(numbers)).values(batch=batch))

    def lines_of_batch(self, job: str, batch: int) -> dict[int, dict[str, Any]]:
        """Read the manifest lines of a batch's objects, by their numbers."""
        query = select(_o.number, _o.line).where(_o.job == job, _o.batch == batch).order_by(_o.number)
        return {row.number: read_kept(row.line) for row in self._database.rows(query)}

    def set_labels(self, job: str, contents: Mapping[int, Mapping[str, Any]]) -> None:
        """Keep the contents of consolidated annotations, by the objects' numbers."""
        values = [
            {"its_job": job, "its_number": number, "label": write_json(content)} for number, content in contents.items()
        ]
        self._database.change(_SET_LABELS, values)

    # -- to read

    def line(self, job: str, number: int) -> dict[str, Any] | None:
        """Give an object's manifest line; ``None`` if it is not there, or holds no JSON object."""
        row = self._database.row(_LINE, its_job=job, its_number=number)
        return None if row is None else _json(row.line)

    def find(self, job: str, number: int) -> DataObject | None:
        """Find an object."""
        row = self._database.row(select(data_objects).where(_this(job, number)))
        return None if row is None else _data_object(row)

    def task_input(self, job: str, number: int) -> dict[str, Any] | None:
        """Give what the worker page reads of an object, if it is there."""
        row = self._database.row(_TASK_INPUT, its_job=job, its_number=number)
        found: dict[str, Any] | None = None if row is None or row.task_input is None else read_kept(row.task_input)
        return found

    def page(self, job: str, start: int = 0, limit: int = _PAGE) -> Sequence[DataObject]:
        """Read a job's objects in the manifest's order, beginning at a number."""
        query = select(data_objects).where(_o.job == job, _o.number >= start).order_by(_o.number).limit(limit)
        return [_data_object(row) for row in self._database.rows(query)]

    def page_in(self, job: str, states: Collection[str], start: int, limit: int) -> Sequence[DataObject]:
        """Read a job's objects that are in one of some states, in the manifest's order, beginning at a number."""
        # Each state by its index: of several at once a database would sort all that there are.
        found = [
            row
            for state in states
            for row in self._database.rows(
                select(data_objects)
                .where(_o.job == job, _o.state == state, _o.number >= start)
                .order_by(_o.number)
                .limit(limit)
            )
        ]
        return [_data_object(row) for row in sorted(found, key=lambda row: row.number)[:limit]]

    def page_that_differs(self, job: str, start: int, limit: int) -> Sequence[DataObject]:
        """Read a job's objects whose answers aren't all the same, in the manifest's order, beginning at a number."""
        query = select(data_objects).where(_o.job == job, literal_column("differ"), _o.number >= start)
        return [_data_object(row) for row in self._database.rows(query.order_by(_o.number).limit(limit))]

    def manifest_rows(self, job: str) -> Iterator[ManifestRow]:
        """Read what the lines of an output manifest are made of, in order, some at a time."""
        batch = and_(batches.c.job == _o.job, batches.c.number == _o.batch)
        columns = (_o.number, _o.line, _o.state, _o.label, _o.problem, _o.ended, batches.c.created)
        query = select(*columns).select_from(data_objects.outerjoin(batches, batch)).where(_o.job == job)
        start = 0
        while rows := self._database.rows(query.where(_o.number >= start).order_by(_o.number).limit(_PAGE)):
            for row in rows:
                line, label, text = _json(row.line) or {}, _json(row.label), row.line or "{}"
                yield ManifestRow(row.number, line, row.state, label, row.problem, row.ended, row.created, text)
            start = rows[-1].number + 1


_EACH = and_(_o.job == bindparam("its_job"), _o.number == bindparam("its_number"))
_of_job = _o.job == bindparam("its_job")
_had = (
    select(literal(1))
    .select_from(tasks)
    .where(
        tasks.c.job == _o.job,
        tasks.c.number == _o.number,
        # Not by the index of workers' tasks, nor as a join: before it has statistics of new tables, PostgreSQL would go
        # through all that a worker had for each object, 30 ms a task. So it looks up the few tasks of each object.
        tasks.c.worker + literal_column("''") == bindparam("its_worker"),
        (tasks.c.state + literal_column("''")).in_(
            [literal_column(f"'{state}'") for state in ("accepted", "submitted", "declined")]
        ),
    )
    .suffix_with("OFFSET 0", dialect="postgresql")
    .exists()
)
# Not by the index of when objects close: that would sort all open ones to find the first.
_still_open = func.coalesce(_o.closes, literal_column("''")) > bindparam("at")
_to_take = and_(_of_job, _o.state == OPEN, _o.free > NONE, _still_open, ~_had)
_late = and_(tasks.c.job == bindparam("its_job"), tasks.c.state == ACCEPTED, tasks.c.expires <= bindparam("at"))
# What workers wait for, and what is asked for after each of their answers.
_COUNT = Hot(select(_o.state, func.count().label("objects")).where(_of_job).group_by(_o.state))
_ANY_IN = Hot(select(literal(1)).select_from(data_objects).where(_of_job, _o.state == bindparam("its_state")).limit(1))
_WITHOUT_RESPONSE = Hot(
    select(_o.number, _o.wave, _o.corrections)
    .where(_of_job, _o.state == "answered", _o.response.is_(None))
    .order_by(_o.number)
    .limit(bindparam("at_most"))
)
_next = select(_o.number).where(_to_take).order_by(_o.number).limit(1).with_for_update(skip_locked=True).correlate(None)
_TAKE = Hot(
    update(data_objects)
    .where(_of_job, _o.number == _next.scalar_subquery())
    .values(free=_o.free - 1)
    .returning(_o.number, _o.closes, _o.task_input)
)
_ANY_TO_TAKE = Hot(select(literal(1)).select_from(data_objects).where(_to_take).limit(1))
_COUNT_TO_TAKE = Hot(select(func.count()).select_from(data_objects).where(_to_take))
_ONE_MORE = Hot(update(data_objects).where(_EACH, _o.state == OPEN).values(free=_o.free + 1))
_ANSWERED = Hot(update(data_objects).where(_EACH).values(state=literal("answered")))
_HOLD = Hot(select(_o.number).where(_EACH).with_for_update())
_ANY_LATE = Hot(select(literal(1)).select_from(tasks).where(_late).limit(1))
_ANY_TO_CLOSE = Hot(
    select(literal(1)).select_from(data_objects).where(_of_job, _o.state == OPEN, _o.closes <= bindparam("at")).limit(1)
)
_LINE = Hot(select(_o.line).where(_EACH))
_TASK_INPUT = Hot(select(_o.task_input).where(_EACH))
_OPEN_IT = Hot(
    update(data_objects)
    .where(_EACH, _o.state == "preparing")
    .values(state="open", task_input=bindparam("task_input"), closes=bindparam("closes"), free=bindparam("free"))
)
_SET_RESPONSES = (
    update(data_objects)
    .where(_EACH, _o.corrections == bindparam("its_corrections"))
    .values(response=bindparam("response"))
)
_SET_LABELS = update(data_objects).where(_EACH).values(state="labeled", label=bindparam("label"))


def _this(job: str, number: int) -> Any:
    return and_(_o.job == job, _o.number == number)


def _json(text: str | None) -> dict[str, Any] | None:
    found: dict[str, Any] | None = None if text is None else read_kept(text)
    return found


def _data_object(row: Row[Any]) -> DataObject:
    return DataObject(
        object_id=str(row.number),
        state=row.state,
        data_object=_json(row.line),
        task_input=_json(row.task_input),
        wave=row.wave,
        label=_json(row.label),
        problem=row.problem,
        response=row.response,
    )
