"""Accounts on this server: people come by invitation and sign in with a password."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from ground_truth_server.people.passwords import hash_password, is_password, problem_of
from ground_truth_server.people.person import ACCOUNTS, Role, of_person
from ground_truth_server.people.tokens import hash_of, new_token
from ground_truth_server.people.tries import Tries
from ground_truth_server.records.people import PersonRecord
from ground_truth_server.records.records import Records
from ground_truth_server.timestamps import now, to_text

LONGEST_NAME = 64
_INVITATION = timedelta(days=7)


class AccountRefused(ValueError):
    """Something can't be done with an account. The text says what and why."""


def name_of(text: str) -> str | None:
    """A person's name as it is written, or nothing if it is none."""
    name = " ".join(text.split())
    return name if 0 < len(name) <= LONGEST_NAME and name.isprintable() else None


class Accounts:
    """The accounts. Safe to use from several threads, and by several servers.

    Args:
        records: Where they are kept.
        clock: Tells the time, with its zone.
    """

    def __init__(self, records: Records, clock: Callable[[], datetime] = now) -> None:
        self._records = records
        self._clock = clock
        self._tries = Tries(records, clock)

    def invite(self, name: str, role: Role | None = None, groups: Collection[str] | None = None) -> str:
        """Make an account and an invitation to it; for one that is there another invitation, to a new password.

        Args:
            name: As people call them; case doesn't tell names apart.
            role: What they may do; of a new account ``worker`` if not given, else what it was.
            groups: The groups that they are in; of a new account none if not given, else those that it had.

        Returns:
            The invitation's token, which opens it for seven days, once.

        Raises:
            AccountRefused: If the name is none, or a group has it.
        """
        written = name_of(name)
        if written is None:
            raise AccountRefused(f"{name[:80]!r} is no name; expected 1 to {LONGEST_NAME} printable characters")
        token, at = new_token(), self._clock()
        with self._records.transaction():
            self._records.people.hold()
            known = self._records.people.find_subject(ACCOUNTS, written.casefold())
            if any(written in person.groups for person in self._records.people.all()):
                raise AccountRefused(f"{written!r} is the name of a group; each account's name is a group of its own")
            if known is None:
                known = new_person(
                    ACCOUNTS, written.casefold(), written, role=role or "worker", groups=groups or (), at=to_text(at)
                )
                self._records.people.add(known)
            else:
                groups = known.groups if groups is None else groups
                self._records.people.change(replace(known, role=role or known.role, groups=groups, active=True))
            self._records.people.invite(hash_of(token), known.id, to_text(at + _INVITATION))
            told = {"role": role or known.role, "groups": sorted(groups or ())}
            self._records.audit.write(None, "person.invited", of_person(known.id), told, at=to_text(at))
        return token

    def invited(self, token: str) -> PersonRecord | None:
        """Tell whom a token invites."""
        return self._records.people.invited(hash_of(token), to_text(self._clock()))

    def accept(self, token: str, password: str) -> PersonRecord:
        """Set the password of who was invited; all that was open under the one before is ended.

        Raises:
            AccountRefused: If the invitation was used or is over, or the password can't be taken.
        """
        person = self.invited(token)
        if person is None:
            raise AccountRefused("This invitation was used already, or is over. Ask for another one.")
        problem = problem_of(password, person.name)
        if problem:
            raise AccountRefused(problem)
        hashed = hash_password(password)
        with self._records.transaction():
            self._records.people.hold()
            person = self.invited(token)
            if person is None:
                raise AccountRefused("This invitation was used already. Ask for another one.")
            person = replace(person, password=hashed)
            self._records.people.change(person)
            self._records.people.use_invitation(hash_of(token))
            self._records.sessions.end_all_of(person.id)
            self._records.audit.write(of_person(person.id), "invitation.accepted", of_person(person.id))
        return person

    def begin_try(self, name: str, address: str) -> None:
        """Count a try to sign in; see :meth:`Tries.begin`."""
        self._tries.begin(_subject(name), address)

    def sign_in(self, name: str, password: str, address: str) -> PersonRecord | None:
        """Tell who has a name and password, after :meth:`begin_try`; it takes as long for a name that nobody has."""
        person = self._records.people.find_subject(ACCOUNTS, _subject(name))
        if not is_password(password, person.password if person and person.active else None):
            return None
        self._tries.succeed(_subject(name), address)
        return person


def new_person(  # noqa: PLR0913  (a record's values)
    issuer: str, subject: str, name: str, *, role: Role, groups: Collection[str], at: str
) -> PersonRecord:
    """Make a person with an id of their own, which tells nothing of them."""
    return PersonRecord(f"person-{secrets.token_hex(12)}", issuer, subject, name, role, frozenset(groups), at)


def _subject(name: str) -> str:
    return " ".join(name.split()).casefold()[: 4 * LONGEST_NAME]
