"""The tables of the database, as the newest migration leaves them.

Moments are text in UTC that sorts as time does (:mod:`ground_truth_server.timestamps`); JSON is text, since nothing
asks the database for a part of it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.sql.expression import false

metadata = MetaData()

# States are written into statements as they are: a database can't tell which partial index serves a parameter.
OPEN: ColumnElement[str] = literal_column("'open'")
ACCEPTED: ColumnElement[str] = literal_column("'accepted'")
SUBMITTED: ColumnElement[str] = literal_column("'submitted'")
FUNCTION_FAILED: ColumnElement[str] = literal_column("'function failed'")
NONE: ColumnElement[int] = literal_column("0")

# Names of labeling jobs are the same in upper and lower case; SQLite compares them so by itself.
_JobKey = Text().with_variant(String(collation="NOCASE"), "sqlite")

jobs = Table(
    "jobs",
    metadata,
    Column("key", _JobKey, primary_key=True),  # its name, and where another account or region has it too, its place
    Column("arn", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("categories", Text),  # a JSON array, where the request names a label category file
    Column("status", Text, nullable=False),
    Column("failure_reason", Text),
    Column("created", Text, nullable=False),
    Column("modified", Text, nullable=False),
    Column("manifest_read", Boolean, nullable=False, server_default=false()),
    Column("in_manifests", Integer, nullable=False, server_default=text("-1")),  # objects done in the last manifests
    Column("owner", Text),  # the person who created it, or the access key; NULL before there was sign-in
)
Index("jobs_by_arn", jobs.c.arn, unique=True)
Index("jobs_by_name", func.lower(jobs.c.key), unique=True)

data_objects = Table(
    "data_objects",
    metadata,
    Column("job", _JobKey, nullable=False),
    Column("number", Integer, nullable=False),  # from 0, the line's place in the manifest
    Column("line", Text),  # the manifest line; NULL where it holds no JSON object
    Column("state", Text, nullable=False),
    Column("wave", Integer),
    Column("task_input", Text),
    Column("closes", Text),  # when it stops being available to workers
    Column("free", Integer),  # how many more workers may take it now
    Column("response", Text),  # the key of its worker response, once written
    Column("batch", Integer),
    Column("label", Text),  # the content of its consolidated annotation
    Column("problem", Text),  # why it failed
    Column("ended", Text),  # when it failed
    Column("differ", Boolean, nullable=False, server_default=false()),  # whether its answers aren't all the same
    Column("corrections", Integer, nullable=False, server_default=text("0")),  # how often one of them was corrected
    PrimaryKeyConstraint("job", "number"),
)
_open = data_objects.c.state == OPEN
_to_take = _open & (data_objects.c.free > NONE)
_in_batch = data_objects.c.batch.is_not(None)
_differ: ColumnElement[bool] = literal_column("differ")
Index("objects_that_differ", data_objects.c.job, data_objects.c.number, sqlite_where=_differ, postgresql_where=_differ)
Index("objects_by_state", data_objects.c.job, data_objects.c.state, data_objects.c.number)
Index("objects_to_take", data_objects.c.job, data_objects.c.number, sqlite_where=_to_take, postgresql_where=_to_take)
Index("objects_to_close", data_objects.c.job, data_objects.c.closes, sqlite_where=_open, postgresql_where=_open)
Index(
    "objects_by_batch",
    data_objects.c.job,
    data_objects.c.batch,
    data_objects.c.number,
    sqlite_where=_in_batch,
    postgresql_where=_in_batch,
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job", _JobKey, nullable=False),
    Column("number", Integer, nullable=False),
    Column("worker", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("accepted", Text, nullable=False),
    Column("expires", Text, nullable=False),
    Column("ended", Text),
    Column("answer", Text),  # the newest version
    Column("aside", Text),  # since when its worker has put it aside
    Column("remark", Text),  # why, in the worker's words; of the newest version
    Column("version", Integer, nullable=False, server_default=text("1")),  # of the answer
    Column("corrected", Text),  # when the newest version came, if it isn't the first
)
_accepted = tasks.c.state == ACCEPTED
_submitted = tasks.c.state == SUBMITTED
Index("tasks_by_object", tasks.c.job, tasks.c.number, tasks.c.worker, tasks.c.state)
Index("tasks_by_worker", tasks.c.job, tasks.c.worker, tasks.c.state)
Index("tasks_in_hand", tasks.c.job, tasks.c.expires, sqlite_where=_accepted, postgresql_where=_accepted)
Index("tasks_submitted", tasks.c.worker, tasks.c.ended, sqlite_where=_submitted, postgresql_where=_submitted)

# The versions of answers that were corrected, each until the one that stands in its task.
former_answers = Table(
    "former_answers",
    metadata,
    Column("task", Text, nullable=False),
    Column("version", Integer, nullable=False),  # from 1
    Column("at", Text, nullable=False),  # when it came
    Column("answer", Text, nullable=False),
    Column("remark", Text),
    PrimaryKeyConstraint("task", "version"),
)

batches = Table(
    "batches",
    metadata,
    Column("job", _JobKey, nullable=False),
    Column("number", Integer, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("created", Text, nullable=False),
    Column("consolidated", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("job", "number"),
)

events = Table(
    "events",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("job", _JobKey, nullable=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Integer),
    Column("worker", Text),
    Column("message", Text, nullable=False),
    Column("detail", Text),
    sqlite_autoincrement=True,
)
_failed = events.c.kind == FUNCTION_FAILED
_of_object = events.c.number.is_not(None)
Index("events_by_job", events.c.job, events.c.sequence)
Index("events_failed", events.c.job, events.c.sequence, sqlite_where=_failed, postgresql_where=_failed)
Index(
    "events_by_object",
    events.c.job,
    events.c.number,
    events.c.sequence,
    sqlite_where=_of_object,
    postgresql_where=_of_object,
)

state_changes = Table(
    "state_changes",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("event", Text, nullable=False),
    Column("delivered", Boolean, nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)
_waiting = state_changes.c.delivered == false()
Index("state_changes_to_deliver", state_changes.c.sequence, sqlite_where=_waiting, postgresql_where=_waiting)

listeners = Table(
    "listeners",
    metadata,
    Column("name", Text, primary_key=True),
    Column("heard", Integer, nullable=False),  # the sequence of the last state change that it took
)

workteams = Table(
    "workteams",
    metadata,
    Column("name", Text, primary_key=True),
    Column("details", Text, nullable=False),  # JSON, as CreateWorkteam has it
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
)

tags = Table(
    "tags",
    metadata,
    Column("resource", Text, nullable=False),  # what stands at the end of its ARN
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("resource", "key"),
)

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),  # random: it stands for them in tasks, log and output
    Column("issuer", Text, nullable=False),  # who says who they are: this server, or an OpenID Connect provider
    Column("subject", Text, nullable=False),  # what the issuer knows them by
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("groups", Text, nullable=False),  # a JSON array
    Column("password", Text),  # its hash, by argon2id
    Column("active", Boolean, nullable=False),
    Column("created", Text, nullable=False),
)
Index("people_by_subject", people.c.issuer, people.c.subject, unique=True)

# Of what opens something, only hashes are kept: who reads the database can't use them.
invitations = Table(
    "invitations",
    metadata,
    Column("token", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("ends", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("id_token", Text),  # with which the provider is told that it ends
)
Index("sessions_by_person", sessions.c.person, sessions.c.seen)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("state", Text, primary_key=True),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("goal", Text, nullable=False),
    Column("ends", Text, nullable=False),
)

failed_tries = Table(
    "failed_tries",
    metadata,
    Column("of", Text, primary_key=True),  # a hash of the name or address that was tried
    Column("failures", Integer, nullable=False),
    Column("until", Text, nullable=False),  # before then no other try counts
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("access_key", Text, primary_key=True),
    Column("secret_key", Text, nullable=False),  # as it is: signatures can't be checked with less
    Column("role", Text, nullable=False),
    Column("person", Text),
    Column("description", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("ends", Text),
)

workforces = Table(
    "workforces",
    metadata,
    Column("name", Text, primary_key=True),
    Column("details", Text, nullable=False),  # JSON, as CreateWorkforce has it
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
)

human_task_uis = Table(
    "human_task_uis",
    metadata,
    Column("name", Text, primary_key=True),
    Column("details", Text, nullable=False),  # JSON: the template
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
)

_Number = BigInteger().with_variant(Integer(), "sqlite")

# The database's triggers let nobody change or remove a sealed entry; see the migration.
audit = Table(
    "audit",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),  # canonical JSON
    Column("address", Text, nullable=False),
    Column("number", _Number),  # its place in the chain, from 1; NULL until it is sealed
    Column("previous", Text),  # the hash of the entry before; empty for the first
    Column("hash", Text),
    sqlite_autoincrement=True,
)
Index("audit_by_number", audit.c.number, unique=True)

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, primary_key=True),  # there is one row
    Column("number", _Number, nullable=False),  # of the last sealed entry
    Column("hash", Text, nullable=False),
)
