"""One program at a time works in a folder."""

import fcntl
from pathlib import Path
from typing import TextIO


def lock_folder(folder: Path) -> TextIO:
    """Lock a folder until the file that this gives is closed, or the process ends, however it ends.

    Raises:
        RuntimeError: If another program holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        message = f"another local Ground Truth works in {folder}: end it, or choose another workspace"
        raise RuntimeError(message) from None
    return file
