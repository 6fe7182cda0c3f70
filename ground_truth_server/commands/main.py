"""The command ``ground-truth``: which command it is of, and what keeps any from its work said in a line."""

import importlib
import sqlite3
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy.exc import SQLAlchemyError

from ground_truth_server.acting import SERVER, acting
from ground_truth_server.commands.saying import print_line, say_in_a_line
from ground_truth_server.shutdown import leave

COMMANDS = {
    "serve": "run a Ground Truth: SageMaker's API, portal, console, functions, S3",
    "s3": "serve the workspace's buckets alone, for servers that share them",
    "keys": "make, list and end the access keys that machines sign with",
    "people": "invite people, change what they may do, sign them out, erase them",
    "backup": "put the workspace and its database into one file",
    "restore": "put a backup where nothing is, on this machine or another",
    "migrate": "bring the database to this version's tables, before its servers start",
    "audit": "check who did what and when, or take it along",
    "move-in": "let a labeling job of Ground Truth go on here, with its labels so far",
}
"""The commands, each a module of this room, and what they are for."""

_SERVERS = ("serve", "s3")

ERRORS = (RuntimeError, ValueError, OSError, BotoCoreError, ClientError, SQLAlchemyError, sqlite3.Error)
"""What can keep a command from its work; each says in its text what was found."""


class Command(Protocol):
    """A module of a command."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what it takes."""

    def run(self, given: Namespace) -> int:
        """Do it, and give the status with which the process ends."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; what keeps it from its work is said in a line, and the status is 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    name = _chooser().parse_args(arguments[:1]).command
    command: Command = importlib.import_module(f"ground_truth_server.commands.{name.replace('-', '_')}")
    parser = ArgumentParser(f"ground-truth {name}", formatter_class=RawDescriptionHelpFormatter)
    command.add_arguments(parser)
    given = parser.parse_args(arguments[1:])
    try:
        with acting(SERVER if name in _SERVERS else "command line"):
            return command.run(given)
    except ERRORS as error:
        print_line(f"ground-truth {name}: {say_in_a_line(error)}", error=True)
        return 1


def run() -> None:
    """Run the command of the process's arguments, and end the process."""
    leave(main())


def _chooser() -> ArgumentParser:
    lines = "\n".join(f"  {name:10} {purpose}" for name, purpose in COMMANDS.items())
    made = ArgumentParser(
        "ground-truth",
        description="A Ground Truth of your own, for SageMaker's custom labeling jobs.",
        epilog=f"commands:\n{lines}\n\nground-truth COMMAND --help says what each takes.",
        formatter_class=RawDescriptionHelpFormatter,
        usage="ground-truth COMMAND ...",
    )
    made.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="what to do")
    return made
