"""The labeling jobs: what was asked for, and how far each is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from ground_truth_server.json_text import read_kept, write_json
from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import jobs

_LONGEST_REASON = 1024


@dataclass(frozen=True)
class JobRecord:
    """A labeling job as it was created.

    Attributes:
        key: What the database knows it by.
        arn: Its ARN.
        request: The CreateLabelingJob request.
        owner: The person who created it, or the access key; ``None`` if nobody had to say.
    """

    key: str
    arn: str
    request: Mapping[str, Any]
    owner: str | None = None


@dataclass(frozen=True)
class JobState:
    """What changes in a labeling job.

    Attributes:
        status: ``Initializing``, ``InProgress``, ``Completed``, ``Failed``, ``Stopping`` or ``Stopped``.
        failure_reason: Why it failed, as DescribeLabelingJob tells it.
        created: When it was created.
        modified: When its status last changed.
    """

    status: str
    failure_reason: str | None
    created: str
    modified: str


class JobRecords:
    """The labeling jobs of a database; upper and lower case of their keys are the same.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: JobRecord, template: str, categories: list[str] | None, at: str) -> bool:
        """Add a job that begins.

        Args:
            job: The job.
            template: The text of its worker page's template.
            categories: The names in its label category file, if it has one.
            at: When.

        Returns:
            Whether it was added; not if there is one of its ARN.
        """
        self._database.lock("jobs", job.arn)
        if self._database.row(select(1).where(jobs.c.arn == job.arn)) is not None:
            return False
        self._database.change(
            insert(jobs).values(
                key=job.key,
                arn=job.arn,
                request=write_json(job.request),
                template=template,
                categories=None if categories is None else write_json(categories),
                status="Initializing",
                created=at,
                modified=at,
                owner=job.owner,
            )
        )
        return True

    def find(self, key: str) -> JobRecord | None:
        """Find a job by its key."""
        row = self._database.row(select(jobs.c.key, jobs.c.arn, jobs.c.request, jobs.c.owner).where(_is(key)))
        return None if row is None else JobRecord(row.key, row.arn, read_kept(row.request), row.owner)

    def has(self, key: str) -> bool:
        """Tell whether there is a job of this key."""
        return self._database.row(select(1).where(_is(key))) is not None

    def key_of(self, arn: str) -> str | None:
        """Find a job's key by its ARN."""
        row = self._database.row(select(jobs.c.key).where(jobs.c.arn == arn))
        return None if row is None else str(row.key)

    def keys(self, status: str | None = None) -> list[str]:
        """Give the keys of the jobs of one status or of all, the oldest first."""
        rows = self._database.rows(_KEYS) if status is None else self._database.rows(_KEYS_OF, its_status=status)
        return [row.key for row in rows]

    def count_by_status(self) -> dict[str, int]:
        """Count the jobs by their status."""
        query = select(jobs.c.status, func.count().label("jobs")).group_by(jobs.c.status).order_by(jobs.c.status)
        return {row.status: row.jobs for row in self._database.rows(query)}

    def state(self, key: str) -> JobState | None:
        """Tell a job's state, if there is such a job."""
        row = self._database.row(_STATE_OF, its_key=key.lower())
        return None if row is None else JobState(row.status, row.failure_reason, row.created, row.modified)

    def status_until_the_end(self, key: str) -> str | None:
        """Tell a job's status, which then stays until this transaction ends."""
        row = self._database.row(_STATUS_KEPT, its_key=key.lower())
        return None if row is None else str(row.status)

    def status_to_change(self, key: str) -> str | None:
        """Tell a job's status, which only this transaction may change from now on, to its end."""
        row = self._database.row(select(jobs.c.status).where(_is(key)).with_for_update())
        return None if row is None else str(row.status)

    def template(self, key: str) -> str | None:
        """Give the text of a job's template, as it was when the job was created."""
        row = self._database.row(select(jobs.c.template).where(_is(key)))
        return None if row is None else str(row.template)

    def categories(self, key: str) -> list[str] | None:
        """Give the names in a job's label category file, if it has one."""
        row = self._database.row(select(jobs.c.categories).where(_is(key)))
        found: list[str] | None = read_kept(row.categories) if row is not None and row.categories else None
        return found

    def set_status(self, key: str, status: str, at: str, reason: str | None = None) -> None:
        """Change a job's status."""
        values = {"status": status, "modified": at, "failure_reason": reason and reason[:_LONGEST_REASON]}
        self._database.change(update(jobs).where(_is(key)).values(values))

    def manifest_is_read(self, key: str) -> bool:
        """Tell whether all lines of a job's manifest are among the data objects."""
        row = self._database.row(select(jobs.c.manifest_read).where(_is(key)))
        return row is not None and bool(row.manifest_read)

    def set_manifest_read(self, key: str) -> None:
        """Note that all lines of a job's manifest are among the data objects."""
        self._database.change(update(jobs).where(_is(key)).values(manifest_read=True))

    def in_manifests(self, key: str) -> int:
        """Tell how many objects were done when intermediate manifests were last written; -1 if never."""
        row = self._database.row(select(jobs.c.in_manifests).where(_is(key)))
        return -1 if row is None else int(row.in_manifests)

    def set_in_manifests(self, key: str, objects: int) -> None:
        """Note how many objects were done when intermediate manifests were written."""
        self._database.change(update(jobs).where(_is(key)).values(in_manifests=objects))


_its = func.lower(jobs.c.key) == bindparam("its_key")
_STATE_OF = Hot(select(jobs.c.status, jobs.c.failure_reason, jobs.c.created, jobs.c.modified).where(_its))
_keys = select(jobs.c.key).order_by(jobs.c.created, jobs.c.key)
_KEYS, _KEYS_OF = Hot(_keys), Hot(_keys.where(jobs.c.status == bindparam("its_status")))
_STATUS_KEPT = Hot(select(jobs.c.status).where(_its).with_for_update(read=True))


def _is(key: str) -> Any:
    return func.lower(jobs.c.key) == key.lower()
