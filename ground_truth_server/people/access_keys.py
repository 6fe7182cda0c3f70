"""Access keys that machines sign with, each with a role: the workspace's own pair, and those that were issued."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.people.person import Role, of_person, role_of
from ground_truth_server.records.access_keys import AccessKeyRecord
from ground_truth_server.records.people import PersonRecord
from ground_truth_server.records.records import Records
from ground_truth_server.timestamps import now, to_text


@dataclass(frozen=True)
class Principal:
    """In whose name a machine asks.

    Attributes:
        id: The person's id, or the access key where it is nobody's.
        role: What may be done.
    """

    id: str
    role: Role

    @property
    def is_admin(self) -> bool:
        """Whether it may see and do all."""
        return self.role == "admin"


class AccessKeys:
    """The keys. Safe to use from several threads, and by several servers.

    Args:
        workspace: The workspace's own pair, an admin's.
        records: Where issued keys are kept; until there are some, only the workspace's pair is known.
        clock: Tells the time, with its zone.
    """

    def __init__(self, workspace: KeyPair, records: Records | None = None, clock: Callable[[], datetime] = now) -> None:
        self._workspace = workspace
        self._clock = clock
        self.records = records

    def find(self, access_key: str) -> KeyPair | None:
        """Find a pair that is taken now, by its access key."""
        if access_key == self._workspace.access_key:
            return self._workspace
        found = self._issued(access_key)
        return None if found is None else KeyPair(found.access_key, found.secret_key)

    def principal(self, access_key: str) -> Principal:
        """Tell in whose name a pair signs."""
        found = None if access_key == self._workspace.access_key else self._issued(access_key)
        if found is None:
            return Principal(access_key, "admin" if access_key == self._workspace.access_key else "worker")
        return Principal(found.person or found.access_key, role_of(found.role))

    def _issued(self, access_key: str) -> AccessKeyRecord | None:
        found = self.records.access_keys.find(access_key) if self.records is not None else None
        if found is None or (found.ends is not None and found.ends <= to_text(self._clock())):
            return None
        return found


def issue(  # noqa: PLR0913  (what a key is made of)
    records: Records,
    role: Role,
    *,
    person: PersonRecord | None = None,
    description: str = "",
    days: int | None = None,
    clock: Callable[[], datetime] = now,
) -> AccessKeyRecord:
    """Make a key and keep it.

    Args:
        records: Where.
        role: What may be done with it, ``owner`` or ``admin``.
        person: In whose name; its own, if not given.
        description: What it is for.
        days: After how many days it ends; never, if not given.
        clock: Tells the time.

    Returns:
        The key with its secret, which is shown this once.

    Raises:
        ValueError: If the role is a worker's, who needs no key.
    """
    if role == "worker":
        raise ValueError("a key is for an owner or an admin: workers label in a browser")
    pair, at = KeyPair.new(), clock()
    ends = None if days is None else to_text(at + timedelta(days=days))
    key = AccessKeyRecord(
        pair.access_key, pair.secret_key, role, person.id if person else None, description, to_text(at), ends
    )
    with records.transaction():
        records.access_keys.add(key)
        told = {"role": role, "person": of_person(person.id)} if person else {"role": role}
        records.audit.write(None, "access-key.added", key.access_key, told, at=key.created)
    return key


def end_key(records: Records, access_key: str) -> bool:
    """End a key at once; tells whether there was one."""
    with records.transaction():
        found = records.access_keys.remove(access_key)
        if found:
            records.audit.write(None, "access-key.removed", access_key)
    return found
