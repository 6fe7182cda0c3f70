"""``ground-truth migrate``: bring a database to this version's tables."""

from argparse import ArgumentParser, Namespace

from ground_truth_server.commands.places import add_places, records_at
from ground_truth_server.commands.saying import print_line
from ground_truth_server.records.migrating import NEWEST


def add_arguments(parser: ArgumentParser) -> None:
    """Say what it takes."""
    parser.description = (
        "Bring the database to this version's tables. A server does so by itself when it starts; this does it before, "
        "while none runs. What fails leaves the database as it was."
    )
    add_places(parser)


def run(given: Namespace) -> int:
    """Migrate."""
    with records_at(given):
        print_line(f"The database has this version's tables ({NEWEST}).")
    return 0
