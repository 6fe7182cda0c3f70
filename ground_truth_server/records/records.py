"""All records of a database, by what they are of."""

from contextlib import AbstractContextManager

from ground_truth_server.records.access_keys import AccessKeyRecords
from ground_truth_server.records.audit import AuditRecords
from ground_truth_server.records.batches import BatchRecords
from ground_truth_server.records.data_objects import ObjectRecords
from ground_truth_server.records.database import Database
from ground_truth_server.records.event_log import EventLog
from ground_truth_server.records.jobs import JobRecords
from ground_truth_server.records.named import NamedRecords, TagRecords
from ground_truth_server.records.people import PeopleRecords
from ground_truth_server.records.schema import human_task_uis, workforces, workteams
from ground_truth_server.records.sessions import SessionRecords
from ground_truth_server.records.state_changes import StateChangeRecords
from ground_truth_server.records.tasks import TaskRecords


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
        workteams: The work teams.
        workforces: The workforces.
        human_task_uis: Worker pages that have a name of their own.
        tags: The tags of jobs and work teams.
        people: Who may sign in.
        sessions: Who is signed in.
        access_keys: With what machines sign.
        audit: Who did what, when and from where.

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
        self.workteams = NamedRecords(database, workteams)
        self.workforces = NamedRecords(database, workforces)
        self.human_task_uis = NamedRecords(database, human_task_uis)
        self.tags = TagRecords(database)
        self.people = PeopleRecords(database)
        self.sessions = SessionRecords(database)
        self.access_keys = AccessKeyRecords(database)
        self.audit = AuditRecords(database)

    def transaction(self) -> AbstractContextManager[None]:
        """Change several things at once or not at all; see :meth:`Database.transaction`."""
        return self.database.transaction()
