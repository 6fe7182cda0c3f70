"""An index of labeling jobs' names in small letters: not every database compares without case by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index."""
    op.create_index("jobs_by_name", "jobs", [sa.text("lower(key)")], unique=True)
