"""What the console asks of large jobs: the events of an object, functions that failed, objects whose answers differ."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_FAILED = sa.text("kind = 'function failed'")
_OF_OBJECTS = sa.text("number IS NOT NULL")


def upgrade() -> None:
    """Make the indexes, and mark the objects whose answers differ."""
    op.create_index(
        "events_by_object",
        "events",
        ["job", "number", "sequence"],
        sqlite_where=_OF_OBJECTS,
        postgresql_where=_OF_OBJECTS,
    )
    op.create_index("events_failed", "events", ["job", "sequence"], sqlite_where=_FAILED, postgresql_where=_FAILED)
    op.add_column("data_objects", sa.Column("differ", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE data_objects SET differ = true WHERE (SELECT count(DISTINCT answer) FROM tasks "
        "WHERE tasks.job = data_objects.job AND tasks.number = data_objects.number AND state = 'submitted') > 1"
    )
    differ = sa.text("differ")
    op.create_index(
        "objects_that_differ", "data_objects", ["job", "number"], sqlite_where=differ, postgresql_where=differ
    )
