"""``ground-truth people``: who may sign in."""

import os
from argparse import ArgumentParser, Namespace

from ground_truth_server.commands.places import add_places, records_at
from ground_truth_server.commands.saying import print_line
from ground_truth_server.people.accounts import Accounts
from ground_truth_server.people.directory import Directory
from ground_truth_server.people.person import ROLES, role_of
from ground_truth_server.records.records import Records

_OF_ONE = {
    "change": "give somebody another role, or other groups",
    "sign-out": "end all sessions of somebody",
    "disable": "let somebody sign in no more, and end their sessions and keys",
    "enable": "let somebody sign in again",
    "erase": "forget who somebody is; what they did stays, under an id that tells nothing",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Say what it takes."""
    parser.description = "The people who sign in to this server, and their accounts where it has such."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    invite = commands.add_parser("invite", help="print an invitation link, to an account or to a new password")
    listing = commands.add_parser("list", help="list the people")
    made = {name: commands.add_parser(name, help=purpose) for name, purpose in _OF_ONE.items()}
    at = os.environ.get("GROUND_TRUTH_URL", "")
    invite.add_argument(
        "--url", default=at, metavar="URL", help="the portal's origin, for the link (default: GROUND_TRUTH_URL)"
    )
    for command in (invite, *made.values()):
        command.add_argument("name", metavar="NAME")
    for command in (invite, made["change"]):
        command.add_argument("--role", choices=ROLES, help="label; have labeling jobs too; see and do all")
        command.add_argument(
            "--group", action="append", metavar="GROUP", help="a group they are in; work teams are made of such"
        )
    for command in (invite, listing, *made.values()):
        add_places(command)


def run(given: Namespace) -> int:
    """Invite, list, change or erase."""
    with records_at(given) as records:
        {"invite": _invite, "list": _list}.get(given.action, _change)(records, given)
    return 0


def _invite(records: Records, given: Namespace) -> None:
    token = Accounts(records).invite(given.name, role_of(given.role) if given.role else None, given.group)
    print_line(f"{given.url.rstrip('/')}/invitation/{token}")
    print_line("It is good for seven days and opens once. Who has it chooses the password: send it to nobody else.")


def _list(records: Records, _: Namespace) -> None:
    people = Directory(records).all()
    for found in people:
        person = found.person
        groups = ", ".join(sorted(person.groups)) or "-"
        state = "" if person.active else "disabled"
        print_line(f"{person.name:24} {person.role:7} {groups:24} {found.sessions} sessions  {person.id}  {state}")
    if not people:
        print_line("Nobody has signed in or was invited yet.")


def _change(records: Records, given: Namespace) -> None:
    directory = Directory(records)
    if given.action == "erase" and not directory.knows(given.name):
        print_line(f"{given.name} is forgotten; what they did is under {directory.erase_name(given.name)}.")
        return
    person = directory.find(given.name)
    match given.action:
        case "change":
            groups = None if given.group is None else frozenset(given.group)
            changed = directory.change(person, role_of(given.role) if given.role else None, groups)
            said = f"is {changed.role}, in {', '.join(sorted(changed.groups)) or 'no group'}"
        case "sign-out":
            said = f"is signed out of {directory.end_sessions(person)} places"
        case "disable" | "enable":
            directory.set_active(person, active=given.action == "enable")
            said = "may sign in" if given.action == "enable" else "may not sign in any more"
        case _:
            directory.erase(person)
            said = f"is forgotten; what they did is under {person.id}"
    print_line(f"{person.name} {said}.")
