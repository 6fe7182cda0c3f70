"""Makes a backup of a workspace and its database, and restores one."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from ground_truth_server.backup.archive import ArchiveWriter, BackupUnusable, path_in, unpack
from ground_truth_server.backup.workspace_files import OWN_TEMPORARY, empty_folders_of, files_of, is_empty
from ground_truth_server.json_text import read_kept, write_json
from ground_truth_server.records.copying import copy_all, table_with_rows
from ground_truth_server.records.database import Database
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from ground_truth_server.timestamps import to_text

_ABOUT, _RECORDS, _WORKSPACE = "about.json", "records.sqlite", "workspace/"
_FORMAT = 1

Progress = Callable[[int], None]
"""Is told how many files are done."""


def back_up(workspace: Path, database: Database, target: IO[bytes], progress: Progress) -> dict[str, int]:
    """Write a backup. Servers may go on working meanwhile.

    The records are those of one moment; the files are read after it, so that each that the records tell of is there.
    What was added since then does no harm: a step that is done again writes the same objects.

    Args:
        workspace: Its folder.
        database: Its database.
        target: Where to.
        progress: Is told how far it is.

    Returns:
        How many rows each table has.

    Raises:
        BackupUnusable: If a file becomes shorter while it is read.
        OSError: If a file can't be read or written.
    """
    archive = ArchiveWriter(target)
    with tempfile.TemporaryDirectory(prefix=OWN_TEMPORARY, dir=workspace) as folder:
        copy = Path(folder) / _RECORDS
        counts = _copied(database, copy)
        about = {"format": _FORMAT, "made": to_text(datetime.now(UTC)), "rows": counts}
        archive.add_bytes(_ABOUT, write_json({**about, "folders": empty_folders_of(workspace)}).encode())
        archive.add_file(_RECORDS, copy)
    for done, (name, path) in enumerate(files_of(workspace), start=1):
        try:
            archive.add_file(_WORKSPACE + name, path)
        except FileNotFoundError:
            continue  # it was deleted meanwhile
        progress(done)
    archive.close()
    return counts


def _copied(database: Database, file: Path) -> dict[str, int]:
    with closing(SqliteDatabase(file)) as copy, copy.transaction():
        return copy_all(database, copy)


def check(source: IO[bytes], progress: Progress) -> None:
    """Read a backup to its end and check each of its files against its digest.

    Raises:
        BackupUnusable: If it is none, or isn't as it was written.
    """
    for done, _ in enumerate(unpack(source, None), start=1):
        progress(done)


def restore(
    source: IO[bytes], workspace: Path, open_database: Callable[[], Database], progress: Progress
) -> dict[str, Any]:
    """Put a backup's files and records where nothing is, all of it or nothing.

    Args:
        source: The backup.
        workspace: The folder; made if it is missing.
        open_database: Opens the database, with this version's tables; of either kind.
        progress: Is told how far it is.

    Returns:
        What the backup says about itself: when it was ``made``, and how many ``rows`` each table has.

    Raises:
        BackupUnusable: If it is no backup, isn't as it was written, or something is there already.
        RecordsUnusable: If a later version of the program made it.
        OSError: If a file can't be written.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    if not is_empty(workspace):
        raise BackupUnusable(
            f"{workspace} holds files already: name an empty folder with --workspace, or move away what is there"
        )
    with tempfile.TemporaryDirectory(prefix=OWN_TEMPORARY, dir=workspace) as folder:
        for done, _ in enumerate(unpack(source, Path(folder)), start=1):
            progress(done)
        about = _about(Path(folder))
        with closing(open_database()) as database, closing(SqliteDatabase(Path(folder) / _RECORDS)) as kept:
            _put_in_place(Path(folder), kept, workspace, database)
    for name in about["folders"]:
        (workspace / path_in(name)).mkdir(parents=True, exist_ok=True)
    return about


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = read_kept((folder / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupUnusable(f"{_ABOUT} is missing in it: expected a file that ground-truth backup made") from error
    if about.get("format") != _FORMAT or not (folder / _RECORDS).is_file():
        raise BackupUnusable(f"the backup has format {about.get('format')}, expected {_FORMAT}: use a later version")
    return dict(about)


def _put_in_place(folder: Path, kept: Database, workspace: Path, database: Database) -> None:
    """Move the files and commit the rows; what fails leaves neither."""
    moved: list[Path] = []
    try:
        with database.transaction():
            database.lock("restore")
            if table := table_with_rows(database):
                raise BackupUnusable(f"the database has rows in {table} already: name an empty one with --database")
            copy_all(kept, database)
            Records(database).audit.write(None, "backup.restored", "server")
            for path in sorted((folder / _WORKSPACE).iterdir() if (folder / _WORKSPACE).is_dir() else []):
                _move(path, workspace / path.name, moved)
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _move(path: Path, goal: Path, moved: list[Path]) -> None:
    if goal.is_dir():  # the server's own folder may be there, with the database in it
        for inner in path.iterdir():
            _move(inner, goal / inner.name, moved)
        return
    path.rename(goal)
    moved.append(goal)
