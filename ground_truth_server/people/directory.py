"""The people that there are: found by name, changed, ended, erased."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ground_truth_server.people.accounts import AccountRefused
from ground_truth_server.people.person import Role, of_person
from ground_truth_server.records.people import PersonRecord
from ground_truth_server.records.records import Records


@dataclass(frozen=True)
class Listed:
    """A person as an admin sees them.

    Attributes:
        person: Who.
        sessions: How often they are signed in now.
    """

    person: PersonRecord
    sessions: int


class Directory:
    """The people of the records.

    Args:
        records: The records.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    def names(self, ids: Any) -> dict[str, str]:
        """Tell people's names by id; who isn't known goes by the id."""
        wanted = set(ids)
        return {**{one: one for one in wanted}, **self._records.people.names(wanted)}

    def all(self) -> list[Listed]:
        """List all people by name."""
        open_sessions = [session.person for session in self._records.sessions.all()]
        return [Listed(person, open_sessions.count(person.id)) for person in self._records.people.all()]

    def find(self, name: str) -> PersonRecord:
        """Find a person by name, or by id where several have it.

        Raises:
            AccountRefused: If there is none, or more than one.
        """
        found = self._of_name(name)
        if len(found) == 1:
            return found[0]
        if not found:
            raise AccountRefused(f"There is nobody named {name[:80]!r}; see: ground-truth people list")
        ids = ", ".join(person.id for person in found)
        raise AccountRefused(f"There are {len(found)} people named {name[:80]!r}: name one by id, of {ids}")

    def knows(self, name: str) -> bool:
        """Tell whether somebody of this name or id signs in other than by a name alone."""
        return bool(self._of_name(name))

    def _of_name(self, name: str) -> list[PersonRecord]:
        wanted = " ".join(name.split()).casefold()
        return [person for person in self._records.people.all() if wanted in (person.name.casefold(), person.id)]

    def change(self, person: PersonRecord, role: Role | None, groups: frozenset[str] | None) -> PersonRecord:
        """Give a person another role, or other groups."""
        with self._records.transaction():
            self._records.people.hold()
            changed = replace(person, role=role or person.role, groups=person.groups if groups is None else groups)
            self._records.people.change(changed)
            self._audit(person, "changed", {"role": changed.role, "groups": sorted(changed.groups)})
        return changed

    def set_active(self, person: PersonRecord, *, active: bool) -> None:
        """Let a person sign in again, or no more; then their sessions and keys end at once."""
        with self._records.transaction():
            self._records.people.hold()
            self._records.people.change(replace(person, active=active))
            self._audit(person, "enabled" if active else "disabled")
            if not active:
                self._records.sessions.end_all_of(person.id)
                self._records.access_keys.remove_all_of(person.id)

    def end_sessions(self, person: PersonRecord) -> int:
        """Sign a person out everywhere; gives from how many places."""
        with self._records.transaction():
            self._audit(person, "signed-out")
            return self._records.sessions.end_all_of(person.id)

    def erase_name(self, name: str) -> str:
        """Forget a worker who signed in by a name alone; gives the id under which what they did stays.

        Raises:
            AccountRefused: If nobody worked under this name.
        """
        if not self._records.tasks.has_worker(name):
            raise AccountRefused(f"Nobody named {name[:80]!r} signed in or labeled here; see: ground-truth people list")
        erased = f"erased-{secrets.token_hex(8)}"
        with self._records.transaction():
            self._records.tasks.rename_worker(name, erased)
            self._records.log.rename_worker(name, erased)
            self._records.audit.write(None, "person.erased", of_person(name), {"now": of_person(erased)})
        return erased

    def erase(self, person: PersonRecord) -> None:
        """Forget who a person is: what they did stays under an id that nothing tells of any more."""
        with self._records.transaction():
            self._records.people.hold()
            self._records.sessions.end_all_of(person.id)
            self._records.access_keys.remove_all_of(person.id)
            self._records.people.remove(person.id)
            self._audit(person, "erased")

    def _audit(self, person: PersonRecord, what: str, detail: Mapping[str, Any] | None = None) -> None:
        self._records.audit.write(None, f"person.{what}", of_person(person.id), detail)
