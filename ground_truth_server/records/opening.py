"""Opens the database that a URL names, or a file if there is none."""

from pathlib import Path

from ground_truth_server.records.database import Database, RecordsUnusable
from ground_truth_server.records.migrating import NEWEST, version_of_file
from ground_truth_server.records.sqlite import SqliteDatabase


def check_version(url: str, file: Path) -> None:
    """See that a database has this version's tables already: to open it would bring it to them.

    Args:
        url: As :func:`open_database` takes it.
        file: The same.

    Raises:
        RecordsUnusable: If it hasn't, or isn't there.
    """
    if url:
        from ground_truth_server.records.postgres import version_at  # noqa: PLC0415

        found = version_at(url)
    else:
        found = version_of_file(file) if file.exists() else None
    if found != NEWEST:
        place = "the database" if url else file
        raise RecordsUnusable(
            f"{place} has the tables of version {found or 'none'}, expected {NEWEST}, of this version of the program: "
            "use the version that its servers run, or end them and migrate first"
        )


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
