"""A person who signed in, and what their role lets them do."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from ground_truth_server.arns import REGION
from ground_truth_server.records.people import PersonRecord
from ground_truth_server.worker_ids import worker_id

ACCOUNTS = "accounts"
"""The issuer of accounts on this server."""

Role = Literal["worker", "owner", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""A worker labels; an owner has labeling jobs too, and sees theirs; an admin sees and may do all."""


@dataclass(frozen=True)
class Person:
    """Somebody who signed in.

    Attributes:
        id: Stands for them in tasks, log and output.
        name: As people call them.
        role: What they may do.
        groups: The groups that they are in; work teams are made of such.
        trusted: Whether they may see and do all, as everybody may who only says a name, on the machine itself.
    """

    id: str
    name: str
    role: Role
    groups: Collection[str] = ()
    trusted: bool = False

    @property
    def has_console(self) -> bool:
        """Whether they may have labeling jobs of their own."""
        return self.role != "worker"

    @property
    def is_admin(self) -> bool:
        """Whether they may see and do all."""
        return self.role == "admin"


def role_of(text: str) -> Role:
    """Read a role.

    Raises:
        ValueError: If it is none.
    """
    for role in ROLES:
        if text == role:
            return role
    raise ValueError(f"{text[:40]!r} is no role; expected {', '.join(ROLES)}")


def of_person(person_id: str) -> str:
    """Give the id by which the audit and jobs' output name a person; nothing but the records tells whose it is."""
    return worker_id(person_id, REGION)


def person_of(record: PersonRecord) -> Person:
    """Give the person of a record. An account's name, which nobody else has, is a group of its own."""
    groups = {*record.groups, record.name} if record.issuer == ACCOUNTS else record.groups
    return Person(record.id, record.name, role_of(record.role), frozenset(groups))
