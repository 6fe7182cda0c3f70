"""``ground-truth keys``: the access keys that machines sign with."""

from argparse import ArgumentParser, Namespace

from ground_truth_server.commands.places import add_places, records_at
from ground_truth_server.commands.saying import print_line
from ground_truth_server.people.access_keys import end_key, issue
from ground_truth_server.people.directory import Directory
from ground_truth_server.people.person import role_of
from ground_truth_server.records.records import Records


def add_arguments(parser: ArgumentParser) -> None:
    """Say what it takes."""
    parser.description = (
        "The access keys with which AWS's clients and scripts sign what they ask of SageMaker, S3 and Lambda here."
    )
    commands = parser.add_subparsers(dest="action", required=True, metavar="add|list|remove")
    add = commands.add_parser("add", help="make a key; its secret is shown this once")
    add.add_argument(
        "--role", choices=("owner", "admin"), default="owner", help="what may be done with it (default: %(default)s)"
    )
    add.add_argument("--person", metavar="NAME", help="in whose name: their console shows the jobs that it creates")
    add.add_argument("--description", default="", metavar="TEXT", help="what it is for")
    add.add_argument("--days", type=int, metavar="NUMBER", help="after how many days it ends (default: never)")
    listing = commands.add_parser("list", help="list the keys")
    remove = commands.add_parser("remove", help="end a key, at once")
    remove.add_argument("access_key", metavar="ACCESS_KEY")
    for command in (add, listing, remove):
        add_places(command)


def run(given: Namespace) -> int:
    """Make, list or end keys."""
    with records_at(given) as records:
        {"add": _add, "list": _list, "remove": _remove}[given.action](records, given)
    return 0


def _add(records: Records, given: Namespace) -> None:
    if given.days is not None and given.days < 1:
        raise ValueError(f"--days {given.days}: expected 1 or more")
    person = Directory(records).find(given.person) if given.person else None
    key = issue(records, role_of(given.role), person=person, description=given.description, days=given.days)
    print_line(f"export AWS_ACCESS_KEY_ID={key.access_key}")
    print_line(f"export AWS_SECRET_ACCESS_KEY={key.secret_key}")


def _list(records: Records, _: Namespace) -> None:
    keys = records.access_keys.all()
    names = Directory(records).names(key.person for key in keys if key.person)
    for key in keys:
        whose, ends = names.get(key.person or "", "-"), key.ends or "-"
        print_line(f"{key.access_key}  {key.role:6} {whose:20} made {key.created}  ends {ends}  {key.description}")
    if not keys:
        print_line("There are no keys but the workspace's own.")


def _remove(records: Records, given: Namespace) -> None:
    if not end_key(records, given.access_key):
        raise ValueError(f"there is no key {given.access_key}; see: ground-truth keys list")
    print_line(f"{given.access_key} is taken no more.")
