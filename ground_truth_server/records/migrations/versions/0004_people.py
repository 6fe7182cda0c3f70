"""Who may sign in, their sessions, keys of machines, workforces, and whose each labeling job is."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables, and a job's column for its owner."""
    op.add_column("jobs", sa.Column("owner", sa.Text))
    op.create_table(
        "people",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("password", sa.Text),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
    )
    op.create_index("people_by_subject", "people", ["issuer", "subject"], unique=True)
    op.create_table(
        "invitations",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("ends", sa.Text, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("seen", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("id_token", sa.Text),
    )
    op.create_index("sessions_by_person", "sessions", ["person", "seen"])
    op.create_table(
        "sign_ins",
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("goal", sa.Text, nullable=False),
        sa.Column("ends", sa.Text, nullable=False),
    )
    op.create_table(
        "failed_tries",
        sa.Column("of", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
    )
    op.create_table(
        "access_keys",
        sa.Column("access_key", sa.Text, primary_key=True),
        sa.Column("secret_key", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("ends", sa.Text),
    )
    for kind in ("workforces", "human_task_uis"):
        op.create_table(
            kind,
            sa.Column("name", sa.Text, primary_key=True),
            sa.Column("details", sa.Text, nullable=False),
            sa.Column("created", sa.Text, nullable=False),
            sa.Column("updated", sa.Text, nullable=False),
        )
