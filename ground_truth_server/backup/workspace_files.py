"""What of a workspace belongs into a backup: all files but the database, and what only a running server has."""

import os
from collections.abc import Iterator
from pathlib import Path

from ground_truth_server.s3.object_files import TEMPORARY

OWN_TEMPORARY = ".backup-"
"""How the names of folders begin that backups and restores work in; they are in the workspace, on its disk."""
_DATABASE_ENDINGS = (".sqlite", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal")


def files_of(workspace: Path) -> Iterator[tuple[str, Path]]:
    """List the files, with their names in the backup, in an order that is always the same.

    Links aren't followed, nor are they kept: the embedded S3 takes none, either.
    """
    for folder, folders, names in os.walk(workspace):
        folders[:] = sorted(name for name in folders if not name.startswith(OWN_TEMPORARY))
        for name in sorted(names):
            path = Path(folder, name)
            if _belongs(path, workspace):
                yield path.relative_to(workspace).as_posix(), path


def empty_folders_of(workspace: Path) -> list[str]:
    """Name the folders without anything in them: buckets may be empty."""
    return sorted(
        Path(folder).relative_to(workspace).as_posix()
        for folder, folders, names in os.walk(workspace)
        if not folders and not names and folder != str(workspace) and OWN_TEMPORARY not in folder
    )


def is_empty(workspace: Path) -> bool:
    """Tell whether there is no file in a workspace that a backup would hold."""
    return next(files_of(workspace), None) is None


def _belongs(path: Path, workspace: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.name.startswith(TEMPORARY):
        return False
    # Objects may have any name; what the server keeps beside them is in folders that no bucket can have.
    own = path.relative_to(workspace).parts[0].startswith(".")
    return not own or not (path.name == "lock" or path.name.endswith(_DATABASE_ENDINGS))
