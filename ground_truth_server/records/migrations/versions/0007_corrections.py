"""Corrections with the versions before, remarks beside answers, tasks put aside, and a worker's own history."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_SUBMITTED = sa.text("state = 'submitted'")


def upgrade() -> None:
    """Add the columns, the table of earlier versions, and the index of what a worker submitted."""
    op.add_column("tasks", sa.Column("aside", sa.Text))
    op.add_column("tasks", sa.Column("remark", sa.Text))
    op.add_column("tasks", sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")))
    op.add_column("tasks", sa.Column("corrected", sa.Text))
    op.create_table(
        "former_answers",
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("remark", sa.Text),
        sa.PrimaryKeyConstraint("task", "version"),
    )
    op.create_index(
        "tasks_submitted", "tasks", ["worker", "ended"], sqlite_where=_SUBMITTED, postgresql_where=_SUBMITTED
    )
    op.add_column("data_objects", sa.Column("corrections", sa.Integer, nullable=False, server_default=sa.text("0")))
