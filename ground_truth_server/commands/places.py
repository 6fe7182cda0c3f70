"""Where a command finds what a server keeps: its workspace and its database."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ground_truth_server.aws_services import OWN_FOLDER
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.records.opening import open_database
from ground_truth_server.records.records import Records

_WORKSPACE = "GROUND_TRUTH_WORKSPACE"
_DATABASE = "GROUND_TRUTH_DATABASE"
_ACCESS_KEY, _SECRET_KEY = "GROUND_TRUTH_ACCESS_KEY_ID", "GROUND_TRUTH_SECRET_ACCESS_KEY"
_DATABASE_FILE = "ground-truth.sqlite"


def add_places(parser: ArgumentParser) -> None:
    """Take ``--workspace`` and ``--database``."""
    parser.add_argument(
        "--workspace",
        type=Path,
        default=Path(os.environ.get(_WORKSPACE) or "build/local-ground-truth"),
        metavar="FOLDER",
        help=f"where jobs, answers and buckets are kept (default: {_WORKSPACE}, else build/local-ground-truth)",
    )
    parser.add_argument(
        "--database",
        default=os.environ.get(_DATABASE, ""),
        metavar="URL",
        help="keep jobs and answers in a PostgreSQL database, postgresql://USER:PASSWORD@HOST/NAME, which several "
        f"servers may share (default: {_DATABASE}, which hides the password; else a file in the workspace)",
    )


def database_file(workspace: Path) -> Path:
    """Where a workspace's database lies, if it has no other."""
    return workspace / OWN_FOLDER / _DATABASE_FILE


@contextmanager
def records_at(given: Namespace) -> Iterator[Records]:
    """Open the records where a command line says they are, beside a server that runs or without one."""
    database = open_database(given.database, database_file(given.workspace))
    try:
        yield Records(database)
    finally:
        database.close()


def keep_shared_keys(workspace: Path) -> None:
    """Take the key pair that several servers and their S3 share for the workspace's own, if the environment has one.

    Raises:
        ValueError: If there is one half of a pair, or one that can be guessed.
    """
    access, secret = os.environ.get(_ACCESS_KEY, ""), os.environ.get(_SECRET_KEY, "")
    if not access and not secret:
        return
    for name, text, shortest in ((_ACCESS_KEY, access, 16), (_SECRET_KEY, secret, 32)):
        if len(text) < shortest or not (text.isascii() and text.isalnum()):
            raise ValueError(
                f"{name} has {len(text)} characters; expected {shortest} or more letters and digits, as "
                f"{_ACCESS_KEY} and {_SECRET_KEY} go together"
            )
    KeyPair(access, secret).keep(workspace)
