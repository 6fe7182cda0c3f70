"""The audit: entries in a chain of hashes, which the database lets nobody change or remove."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WRITTEN = ("id", "at", "actor", "action", "subject", "detail", "address")


def upgrade() -> None:
    """Make the tables, and the triggers that guard them."""
    op.create_table(
        "audit",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("number", _NUMBER),
        sa.Column("previous", sa.Text),
        sa.Column("hash", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_number", "audit", ["number"], unique=True)
    op.create_table(
        "audit_head",
        sa.Column("one", sa.Integer, primary_key=True),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _WRITTEN)
    guards = {
        "audit_unchanged BEFORE UPDATE ON audit": f"WHEN OLD.hash IS NOT NULL OR {changed}",
        "audit_kept BEFORE DELETE ON audit": "",
        "audit_head_grows BEFORE UPDATE ON audit_head": "WHEN NEW.number <= OLD.number",
        "audit_head_kept BEFORE DELETE ON audit_head": "",
    }
    for guard, condition in guards.items():
        op.execute(
            f"CREATE TRIGGER {guard} FOR EACH ROW {condition} "
            "BEGIN SELECT RAISE(ABORT, 'entries of the audit are never changed or removed'); END"
        )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'entries of the audit are never changed or removed'; END $$"
    )
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in _WRITTEN)
    refuse = "EXECUTE FUNCTION refuse_change_of_audit()"
    for guard in (
        f"audit_unchanged BEFORE UPDATE ON audit FOR EACH ROW WHEN (OLD.hash IS NOT NULL OR {changed})",
        "audit_kept BEFORE DELETE ON audit FOR EACH ROW",
        "audit_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT",
        "audit_head_grows BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.number <= OLD.number)",
        "audit_head_kept BEFORE DELETE ON audit_head FOR EACH ROW",
        "audit_head_whole BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT",
    ):
        op.execute(f"CREATE TRIGGER {guard} {refuse}")
