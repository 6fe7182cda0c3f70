"""Where a command finds what a server keeps: its workspace and its database."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ground_truth_server.aws_services import OWN_FOLDER
from ground_truth_server.records.opening import open_database
from ground_truth_server.records.records import Records

_DATABASE = "GROUND_TRUTH_DATABASE"
_DATABASE_FILE = "ground-truth.sqlite"


def add_places(parser: ArgumentParser) -> None:
    """Take ``--workspace`` and ``--database``."""
    parser.add_argument(
        "--workspace",
        type=Path,
        default=Path("build/local-ground-truth"),
        metavar="FOLDER",
        help="where jobs, answers and buckets are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--database",
        default=os.environ.get(_DATABASE, ""),
        metavar="URL",
        help="keep jobs and answers in a PostgreSQL database, postgresql://USER:PASSWORD@HOST/NAME, which several "
        f"servers may share (default: {_DATABASE}, which hides the password; else a file in the workspace)",
    )


@contextmanager
def records_at(given: Namespace) -> Iterator[Records]:
    """Open the records where a command line says they are, beside a server that runs or without one."""
    database = open_database(given.database, given.workspace / OWN_FOLDER / _DATABASE_FILE)
    try:
        yield Records(database)
    finally:
        database.close()
