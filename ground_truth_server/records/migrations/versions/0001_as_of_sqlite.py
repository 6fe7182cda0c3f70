"""The tables as the versions made them that knew SQLite only; files of theirs are taken to be at this one."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KEY = sa.Text().with_variant(sa.String(collation="NOCASE"), "sqlite")
_NO = sa.false()


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "jobs",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("arn", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("categories", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("failure_reason", sa.Text),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("modified", sa.Text, nullable=False),
        sa.Column("manifest_read", sa.Boolean, nullable=False, server_default=_NO),
        sa.Column("in_manifests", sa.Integer, nullable=False, server_default=sa.text("-1")),
    )
    op.create_index("jobs_by_arn", "jobs", ["arn"], unique=True)
    op.create_table(
        "data_objects",
        sa.Column("job", _KEY, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("line", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("wave", sa.Integer),
        sa.Column("task_input", sa.Text),
        sa.Column("closes", sa.Text),
        sa.Column("free", sa.Integer),
        sa.Column("response", sa.Text),
        sa.Column("batch", sa.Integer),
        sa.Column("label", sa.Text),
        sa.Column("problem", sa.Text),
        sa.Column("ended", sa.Text),
        sa.PrimaryKeyConstraint("job", "number"),
    )
    op.create_index("objects_by_state", "data_objects", ["job", "state", "number"])
    _partial("objects_to_take", "data_objects", ["job", "number"], "state = 'open' AND free > 0")
    _partial("objects_to_close", "data_objects", ["job", "closes"], "state = 'open'")
    _partial("objects_by_batch", "data_objects", ["job", "batch", "number"], "batch IS NOT NULL")
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("job", _KEY, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("accepted", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("ended", sa.Text),
        sa.Column("answer", sa.Text),
    )
    op.create_index("tasks_by_object", "tasks", ["job", "number", "worker", "state"])
    op.create_index("tasks_by_worker", "tasks", ["job", "worker", "state"])
    _partial("tasks_in_hand", "tasks", ["job", "expires"], "state = 'accepted'")
    op.create_table(
        "batches",
        sa.Column("job", _KEY, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("wave", sa.Integer, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("consolidated", sa.Boolean, nullable=False, server_default=_NO),
        sa.PrimaryKeyConstraint("job", "number"),
    )
    op.create_table(
        "events",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("job", _KEY, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("worker", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_job", "events", ["job", "sequence"])
    op.create_table(
        "state_changes",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False, server_default=_NO),
        sqlite_autoincrement=True,
    )
    _partial("state_changes_to_deliver", "state_changes", ["sequence"], "NOT delivered")
    op.create_table(
        "listeners",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("heard", sa.Integer, nullable=False),
    )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
