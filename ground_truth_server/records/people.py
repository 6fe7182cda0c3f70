"""Who may sign in, how they came to, and how often somebody tried in vain."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from ground_truth_server.json_text import read_kept, write_json
from ground_truth_server.records.database import Database
from ground_truth_server.records.schema import failed_tries, invitations, people, sign_ins

_p = people.c


@dataclass(frozen=True)
class PersonRecord:
    """A person.

    Attributes:
        id: Stands for them in tasks, log and output.
        issuer: Who says who they are.
        subject: What the issuer knows them by.
        name: As people call them.
        role: ``worker``, ``owner`` or ``admin``.
        groups: The groups that they are in.
        created: When they came.
        password: The hash of their password, if they have one here.
        active: Whether they may sign in.
    """

    id: str
    issuer: str
    subject: str
    name: str
    role: str
    groups: Collection[str]
    created: str
    password: str | None = field(default=None, repr=False)
    active: bool = True


@dataclass(frozen=True)
class SignInRecord:
    """A sign-in that has begun at an OpenID Connect provider.

    Attributes:
        nonce: What the provider's token must repeat.
        verifier: What the code is exchanged with.
        goal: Where the person wanted to go.
        ends: Until when it may come back.
    """

    nonce: str
    verifier: str = field(repr=False)
    goal: str
    ends: str


class PeopleRecords:
    """The people of a database.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self) -> None:
        """Keep other transactions from changing people until the end of this one."""
        self._database.lock("people")

    def find(self, person_id: str) -> PersonRecord | None:
        """Find a person by id."""
        return _one(self._database.row(select(people).where(_p.id == person_id)))

    def find_subject(self, issuer: str, subject: str) -> PersonRecord | None:
        """Find the person whom an issuer knows by a subject."""
        return _one(self._database.row(select(people).where(_p.issuer == issuer, _p.subject == subject)))

    def all(self) -> Sequence[PersonRecord]:
        """List all people by name."""
        return [_person(row) for row in self._database.rows(select(people).order_by(_p.name, _p.id))]

    def names(self, ids: Collection[str]) -> dict[str, str]:
        """Tell the names of those with these ids; who isn't known is left out."""
        rows = self._database.rows(select(_p.id, _p.name).where(_p.id.in_(list(ids)))) if ids else ()
        return {row.id: row.name for row in rows}

    def add(self, person: PersonRecord) -> None:
        """Add a person."""
        self._database.change(insert(people).values(**_values(person)))

    def change(self, person: PersonRecord) -> None:
        """Give the person with an id all other values."""
        self._database.change(update(people).where(_p.id == person.id).values(**_values(person)))

    def remove(self, person_id: str) -> None:
        """Remove a person and their invitations; what they did stays under their id."""
        self._database.change(delete(people).where(_p.id == person_id))
        self._database.change(delete(invitations).where(invitations.c.person == person_id))

    # -- invitations

    def invite(self, token: str, person_id: str, ends: str) -> None:
        """Keep an invitation, in place of any other of this person."""
        self._database.change(delete(invitations).where(invitations.c.person == person_id))
        self._database.change(insert(invitations).values(token=token, person=person_id, ends=ends))

    def invited(self, token: str, now: str) -> PersonRecord | None:
        """Find who has an invitation that hasn't ended."""
        invitation = invitations.c
        query = select(people).join(invitations, invitation.person == _p.id)
        return _one(self._database.row(query.where(invitation.token == token, invitation.ends > now)))

    def use_invitation(self, token: str) -> None:
        """Remove an invitation."""
        self._database.change(delete(invitations).where(invitations.c.token == token))

    # -- sign-ins at a provider

    def begin_sign_in(self, state: str, begun: SignInRecord, now: str) -> None:
        """Keep a sign-in until it comes back; those that never did are forgotten."""
        self._database.change(delete(sign_ins).where(sign_ins.c.ends < now))
        values = {"nonce": begun.nonce, "verifier": begun.verifier, "goal": begun.goal, "ends": begun.ends}
        self._database.change(insert(sign_ins).values(state=state, **values))

    def end_sign_in(self, state: str) -> SignInRecord | None:
        """Find a sign-in that came back, once."""
        row = self._database.row(select(sign_ins).where(sign_ins.c.state == state))
        if row is None or self._database.change(delete(sign_ins).where(sign_ins.c.state == state)) != 1:
            return None
        return SignInRecord(row.nonce, row.verifier, row.goal, row.ends)

    # -- tries

    def tries(self, of: str) -> tuple[int, str]:
        """Tell how often somebody failed, and until when no other try counts."""
        row = self._database.row(select(failed_tries).where(failed_tries.c.of == of))
        return (0, "") if row is None else (row.failures, row.until)

    def hold_tries(self, of: str) -> None:
        """Keep other transactions from counting the same tries until the end of this one."""
        self._database.lock("tries", of)

    def set_tries(self, of: str, count: int, until: str) -> None:
        """Keep how often somebody failed."""
        self.forget_tries(of)
        self._database.change(insert(failed_tries).values(of=of, failures=count, until=until))

    def forget_tries(self, of: str) -> None:
        """Forget how often somebody failed."""
        self._database.change(delete(failed_tries).where(failed_tries.c.of == of))

    def forget_old_tries(self, before: str) -> None:
        """Forget failures that no longer count."""
        self._database.change(delete(failed_tries).where(failed_tries.c.until < before))


def _one(row: Row[Any] | None) -> PersonRecord | None:
    return None if row is None else _person(row)


def _person(row: Row[Any]) -> PersonRecord:
    groups = frozenset(read_kept(row.groups))
    values = (row.id, row.issuer, row.subject, row.name, row.role, groups, row.created, row.password, bool(row.active))
    return PersonRecord(*values)


def _values(person: PersonRecord) -> dict[str, Any]:
    return {
        "id": person.id,
        "issuer": person.issuer,
        "subject": person.subject,
        "name": person.name,
        "role": person.role,
        "groups": write_json(sorted(person.groups)),
        "password": person.password,
        "active": person.active,
        "created": person.created,
    }
