"""Opens the database that a URL names, or a file if there is none."""

from pathlib import Path

from ground_truth_server.records.database import Database
from ground_truth_server.records.sqlite import SqliteDatabase


def open_database(url: str, file: Path) -> Database:
    """Open a database and bring it up to date.

    Args:
        url: Where it is, as ``postgresql://USER:PASSWORD@HOST/NAME``; empty for the file.
        file: The file of SQLite that is used without a URL; made, with its folder, if it is missing.

    Raises:
        RecordsUnusable: If it can't be opened.
        OSError: If the file's folder can't be made.
    """
    if url:
        from ground_truth_server.records.postgres import PostgresDatabase  # noqa: PLC0415  (half a second for its driver)

        return PostgresDatabase(url)
    file.parent.mkdir(parents=True, exist_ok=True)
    return SqliteDatabase(file)
