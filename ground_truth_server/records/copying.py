"""Copies all that a database keeps into another one, of the same kind or the other."""

from sqlalchemy import Connection, Table, func, literal_column, select

from ground_truth_server.records.database import Database
from ground_truth_server.records.schema import metadata

_ROWS = 500  # at a time


def table_with_rows(database: Database) -> str:
    """Name a table that has rows; empty if there is none."""
    for table in metadata.sorted_tables:
        if database.row(select(literal_column("1")).select_from(table).limit(1)) is not None:
            return table.name
    return ""


def copy_all(source: Database, target: Database) -> dict[str, int]:
    """Copy every row of one moment into a database that has none, in the caller's transaction of that.

    Args:
        source: Others may go on changing it.
        target: It has this version's tables, without rows.

    Returns:
        How many rows each table has.
    """
    with source.snapshot() as connection:
        return {table.name: _copy(connection, table, target) for table in metadata.sorted_tables}


def _copy(connection: Connection, table: Table, target: Database) -> int:
    copied = 0
    with connection.execution_options(yield_per=_ROWS).execute(select(table)) as found:
        for rows in found.mappings().partitions():
            target.add(table, [dict(row) for row in rows])
            copied += len(rows)
    if copied:
        _go_on_counting(table, target)
    return copied


def _go_on_counting(table: Table, target: Database) -> None:
    """Have PostgreSQL number the next rows after those that brought their numbers along; SQLite does so by itself."""
    column = table.autoincrement_column
    if target.kind == "postgresql" and column is not None and table.c[column.name].autoincrement is True:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        last = select(func.max(column)).scalar_subquery()
        target.rows(select(func.setval(sequence, last)))
