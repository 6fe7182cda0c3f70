"""``ground-truth restore``: puts a backup where nothing is."""

import sys
from argparse import ArgumentParser, Namespace
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from ground_truth_server.backup.backup import check, restore
from ground_truth_server.commands.places import add_places, database_file
from ground_truth_server.commands.saying import Counting, print_line
from ground_truth_server.records.opening import open_database

_DESCRIPTION = """\
Put what ground-truth backup made into a workspace and a database that are empty, before a server starts there. Each
file is checked against its digest first; what fails leaves both empty. The database may be of the other kind than it
was: so jobs move from a file to PostgreSQL. Backups of versions before are taken, too.
"""
_EXAMPLES = """\
examples:
  ground-truth restore backup.tar --workspace /srv/ground-truth
  gunzip < backup.tar.gz | ground-truth restore -
  ground-truth restore --check backup.tar          only see whether it is whole
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what it takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EXAMPLES
    parser.add_argument("file", metavar="FILE", help="the backup; - for the standard input")
    parser.add_argument("--check", action="store_true", help="only check the digests; nothing is written")
    add_places(parser)


def run(given: Namespace) -> int:
    """Restore, or check."""
    with _opened(given.file) as source, Counting("files") as counting:
        if given.check:
            check(source, counting)
            print_line(f"The backup is whole: {counting.done:,} files are as they were written.")
            return 0
        file = database_file(given.workspace)
        about = restore(source, given.workspace, lambda: open_database(given.database, file), counting)
    rows = about["rows"]
    print_line(f"Restored what was there at {about['made'][:19]}Z: {rows['jobs']:,} jobs, {rows['tasks']:,} tasks.")
    return 0


def _opened(file: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")
