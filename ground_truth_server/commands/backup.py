"""``ground-truth backup``: a workspace and its database in one file."""

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import IO

from ground_truth_server.backup.backup import back_up
from ground_truth_server.commands.places import add_places, database_file, records_at
from ground_truth_server.commands.saying import Counting, print_line
from ground_truth_server.records.opening import check_version

_DESCRIPTION = """\
Jobs, answers, people, keys, audit, and the files of the embedded S3, in one file with a digest of each. Servers may go
on working meanwhile. The file holds secrets: nobody but its owner may read it. An S3 of yours is not in it, nor is the
environment of the servers (GROUND_TRUTH_SECRET and the like).
"""
_EXAMPLES = """\
examples:
  ground-truth backup backup.tar
  ground-truth backup - | gzip > backup.tar.gz
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what it takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EXAMPLES
    parser.add_argument("file", metavar="FILE", help="a new file; - for the standard output")
    add_places(parser)


def run(given: Namespace) -> int:
    """Make a backup."""
    check_version(given.database, database_file(given.workspace))
    if given.file == "-":
        _write(given, sys.stdout.buffer)
        return 0
    file = Path(given.file)
    if file.exists():
        raise ValueError(f"{file} is there already: name a new file")
    half_written = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            _write(given, target)
            target.flush()
            os.fsync(target.fileno())
        half_written.rename(file)
    finally:
        half_written.unlink(missing_ok=True)
    return 0


def _write(given: Namespace, target: IO[bytes]) -> None:
    with records_at(given) as records, Counting("files") as counting:
        counts = back_up(given.workspace, records.database, target, counting)
    told = ", ".join(f"{counts[table]:,} {name}" for table, name in (("jobs", "jobs"), ("tasks", "tasks")))
    print_line(f"The backup holds {told} and {counting.done:,} files.", error=True)
