"""The file in which versions before kept work teams and tags."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ground_truth_server.json_text import read_kept
from ground_truth_server.records.named import NamedRecord
from ground_truth_server.timestamps import to_text


def read_account_file(file: Path) -> tuple[list[NamedRecord], dict[str, dict[str, str]]]:
    """Read the file in which versions before kept work teams and tags.

    Args:
        file: The file.

    Returns:
        The work teams, and the tags by resource.

    Raises:
        sqlite3.Error: If it can't be read.
    """
    with closing(sqlite3.connect(file)) as database:
        teams = database.execute("SELECT name, details, created, updated FROM workteams").fetchall()
        kept = database.execute("SELECT resource, key, value FROM tags").fetchall()
    found: dict[str, dict[str, str]] = {}
    for resource, key, value in kept:
        found.setdefault(resource, {})[key] = value
    return [_of_before(*team) for team in teams], found


def _of_before(name: str, details: str | bytes, created: float, updated: float) -> NamedRecord:
    text = details.decode() if isinstance(details, bytes) else details
    return NamedRecord(name, read_kept(text), _moment(created), _moment(updated))


def _moment(seconds: float) -> str:
    return to_text(datetime.fromtimestamp(seconds, UTC))
