"""The owner's ledger: what there is to know of labeling jobs; it changes nothing, and gives what is long in parts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ground_truth_server.engine.counting import JobCounts
from ground_truth_server.engine.labeling_job import JobTable, LabelingJob
from ground_truth_server.records.data_objects import DataObject
from ground_truth_server.records.event_log import Event
from ground_truth_server.records.records import Records
from ground_truth_server.records.tasks import Answer, FormerAnswer, TaskRecord


@dataclass(frozen=True)
class ObjectView:
    """A data object with all that happened to it, for the job's owner.

    Attributes:
        data_object: The object: its line, task input, label, problem.
        answers: What workers submitted.
        tasks: Every task of it: worker, state, when accepted and ended.
        former: The versions of answers that were corrected.
    """

    data_object: DataObject
    answers: Sequence[Answer]
    tasks: Sequence[TaskRecord]
    former: Sequence[FormerAnswer] = ()


class Ledger:
    """Reads labeling jobs, their data objects, workers and logs. Where a method takes a job's ``name``, it is its key.

    Args:
        records: Where all is kept.
        jobs: The labeling jobs.
        counts: Their counts.
    """

    def __init__(self, records: Records, jobs: JobTable, counts: JobCounts) -> None:
        self._records = records
        self._jobs = jobs
        self._counts = counts

    def job(self, name: str) -> LabelingJob:
        """Find a job as its request describes it.

        Raises:
            LabelingJobNotFound: If there is no such job.
        """
        return self._jobs.get(name)

    def template(self, name: str) -> str:
        """Give the text of a job's worker page template."""
        return self._jobs.template(name)

    def progress(self, name: str) -> dict[str, int]:
        """Count a job's data objects by state; of large jobs, as it was up to two seconds ago."""
        return self._counts.objects(self._jobs.get(name).key)

    def workers(self, name: str) -> Sequence[dict[str, Any]]:
        """Tell for each worker of a job how many tasks are in each state; see :meth:`progress`."""
        found: dict[str, dict[str, Any]] = {}
        for worker, state, count in self._counts.by_worker(self._jobs.get(name).key):
            found.setdefault(worker, {"worker": worker})[state] = count
        return list(found.values())

    def data_objects(
        self, name: str, start: int = 0, limit: int = 100, states: Collection[str] = ()
    ) -> Sequence[DataObject]:
        """Read a job's data objects in the manifest's order, beginning at a number; only those in some states."""
        key = self._jobs.get(name).key
        if states:
            return self._records.objects.page_in(key, states, start, limit)
        return self._records.objects.page(key, start, limit)

    def data_objects_that_differ(self, name: str, start: int = 0, limit: int = 100) -> Sequence[DataObject]:
        """Read a job's data objects whose answers aren't all the same, in the manifest's order."""
        return self._records.objects.page_that_differs(self._jobs.get(name).key, start, limit)

    def answers_to(self, name: str, objects: Sequence[DataObject]) -> Mapping[str, Sequence[dict[str, Any]]]:
        """Read what workers answered for some data objects, by the objects' ids."""
        found = self._records.tasks.answers_to(self._jobs.get(name).key, [int(one.object_id) for one in objects])
        return {str(number): answers for number, answers in found.items()}

    def data_object(self, name: str, object_id: str) -> ObjectView:
        """Tell all that happened to a data object.

        Raises:
            LookupError: If there is no such object.
        """
        # Digits of other scripts, and more of them than a database counts, name no object.
        named = object_id.isascii() and object_id.isdigit() and len(object_id) <= 18
        key = self._jobs.get(name).key
        found = self._records.objects.find(key, int(object_id)) if named else None
        if found is None:
            raise LookupError(f"The labeling job {name} has no data object {object_id[:40]}.")
        number = int(object_id)
        tasks = self._records.tasks
        return ObjectView(
            found, tasks.answers(key, number), tasks.of_object(key, number), tasks.former_answers(key, number)
        )

    def events(self, name: str | None = None, after: int = 0, limit: int = 1000) -> Sequence[Event]:
        """Read the event log after a sequence number."""
        return self._records.log.read(name and self._jobs.get(name).key, after, limit)

    def last_events(self, name: str, limit: int) -> Sequence[Event]:
        """Read a job's last events, the newest first."""
        return self._records.log.last(self._jobs.get(name).key, limit)

    def last_failure(self, name: str) -> Event | None:
        """Read of the last call of one of a job's functions that failed."""
        found = self._records.log.last_failures(self._jobs.get(name).key, 1)
        return found[0] if found else None

    def events_of(self, name: str, found: DataObject, limit: int = 1000) -> Sequence[Event]:
        """Read what happened to a data object, the newest first.

        A failed call of the pre-annotation function names its object by the line; of those the last thousand are
        looked at.
        """
        key, log = self._jobs.get(name).key, self._records.log
        calls = [event for event in log.last_failures(key, limit) if _was_called_with(event, found)]
        events = [*log.of_object(key, int(found.object_id), limit), *calls]
        return sorted(events, key=lambda event: event.sequence, reverse=True)


def _was_called_with(event: Event, found: DataObject) -> bool:
    """Tell whether an event is of a call of the pre-annotation function for a data object."""
    called_with = (event.detail or {}).get("event")
    return (
        event.object_id is None
        and isinstance(called_with, dict)
        and called_with.get("dataObject") == found.data_object is not None
    )
