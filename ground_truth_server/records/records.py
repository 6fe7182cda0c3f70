"""All records of a database, by what they are of."""

from contextlib import AbstractContextManager

from ground_truth_server.records.batches import BatchRecords
from ground_truth_server.records.data_objects import ObjectRecords
from ground_truth_server.records.database import Database
from ground_truth_server.records.event_log import EventLog
from ground_truth_server.records.jobs import JobRecords
from ground_truth_server.records.state_changes import StateChangeRecords
from ground_truth_server.records.tasks import TaskRecords
from ground_truth_server.records.workteams import WorkteamRecords


class Records:
    """What must survive.

    Args:
        database: Where it is kept.

    Attributes:
        database: Where it is kept.
        jobs: The labeling jobs.
        objects: Their data objects.
        tasks: What workers took of them.
        batches: What goes to consolidation together.
        log: What happened.
        state_changes: What listeners are told.
        workteams: Work teams and tags.

    Example:
        >>> with records.transaction():  # doctest: +SKIP
        ...     records.jobs.set_status("welds", "Stopping", at)
        ...     records.log.write("welds", at, "state", "Stopping: by request")
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = JobRecords(database)
        self.objects = ObjectRecords(database)
        self.tasks = TaskRecords(database)
        self.batches = BatchRecords(database)
        self.log = EventLog(database)
        self.state_changes = StateChangeRecords(database)
        self.workteams = WorkteamRecords(database)

    def transaction(self) -> AbstractContextManager[None]:
        """Change several things at once or not at all; see :meth:`Database.transaction`."""
        return self.database.transaction()
