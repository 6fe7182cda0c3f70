"""The audit: who changed what, when and from where, each entry with the hash of the one before.

An entry is written in the transaction of the change that it tells of, so that it is there if and only if the change is.
The chain would let writers wait for each other; so entries are linked a moment later, by one process at a time, in the
order in which it finds them. An entry that is linked is sealed: the database refuses to change it, and whoever changes
it all the same breaks the chain. Until then it is in the tail, which a check reports.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from ground_truth_server.acting import who_acts
from ground_truth_server.records.database import Database
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.schema import audit, audit_head
from ground_truth_server.timestamps import now, to_text

_a = audit.c
_SEALED_AT_ONCE = 100  # in a transaction, which workers wait for
_PAGE = 500
_WRITTEN = ("id", "at", "actor", "action", "subject", "detail", "address")
_WRITE = Hot(insert(audit), _WRITTEN[1:])
_UNSEALED = Hot(
    select(*(_a[name] for name in _WRITTEN)).where(_a.number.is_(None)).order_by(_a.id).limit(bindparam("at_most"))
)
_SEAL = (
    update(audit)
    .where(_a.id == bindparam("its_id"))
    .values(number=bindparam("number"), previous=bindparam("previous"), hash=bindparam("hash"))
)


@dataclass(frozen=True)
class Head:
    """The end of the chain.

    Attributes:
        number: The last sealed entry, counted from 1; 0 if there is none.
        hash: Its hash; empty if there is none.
    """

    number: int = 0
    hash: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry of the audit.

    Attributes:
        id: Names it; not every number has one.
        at: When, UTC, as :func:`ground_truth_server.timestamps.to_text` writes it.
        actor: Who: a worker's opaque id, an access key, or ``server``.
        action: What: ``task.submitted``, ``labeling-job.created``, ...
        subject: Of what: an ARN, or the end of one.
        detail: More, as canonical JSON.
        address: Where the request came from; empty for the server itself.
        number: Its place in the chain, from 1; ``None`` while it isn't sealed.
        previous: The hash of the entry before; empty for the first.
        hash: Its own.
    """

    id: int
    at: str
    actor: str
    action: str
    subject: str
    detail: str
    address: str
    number: int | None = None
    previous: str | None = None
    hash: str | None = None

    def sealed_hash(self, number: int, previous: str) -> str:
        """Compute its hash at a place in the chain."""
        return sha256(canonical({**self._said(), "number": number, "previous": previous}).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Give what an export holds: all that is hashed, and the hash."""
        return {**self._said(), "number": self.number, "previous": self.previous, "hash": self.hash}

    def _said(self) -> dict[str, Any]:
        return {**{name: getattr(self, name) for name in _WRITTEN}, "detail": json.loads(self.detail)}


@dataclass(frozen=True)
class Verdict:
    """What a check of the chain found.

    Attributes:
        head: The last entry, by the chain itself.
        problems: What is wrong, and where; nothing if the chain is whole.
        unsealed: How many entries are not sealed yet.
    """

    head: Head
    problems: list[str]
    unsealed: int


class AuditRecords:
    """Writes, seals and checks the audit of a database.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(  # noqa: PLR0913  (an entry has that many parts)
        self,
        actor: str | None,
        action: str,
        subject: str,
        detail: Mapping[str, Any] | None = None,
        address: str | None = None,
        *,
        at: str | None = None,
    ) -> None:
        """Write an entry, as part of the transaction that changes what it tells of.

        Args:
            actor: Who, never by a person's name; who acts by :mod:`ground_truth_server.acting` if not given.
            action: What, in words of the field with a dot: ``task.submitted``.
            subject: Of what, as an ARN or the end of one.
            detail: More: text, whole numbers, lists and objects of them.
            address: Where from; that of who acts if not given.
            at: When, as the store writes it; now if not given.
        """
        acts = who_acts()
        values = {
            "at": at or to_text(now()),
            "actor": acts.name if actor is None else actor,
            "action": action,
            "subject": subject,
            "detail": canonical(detail or {}),
            "address": acts.address if address is None else address,
        }
        self._database.change(_WRITE, values)

    def any_unsealed(self) -> bool:
        """Tell whether an entry waits for its seal."""
        return bool(self._database.rows(_UNSEALED, at_most=1))

    def seal(self) -> int:
        """Link entries that wait, in a transaction; the last one's hash is kept apart as well.

        Returns:
            How many; as many as are done at once, where there may be more.
        """
        self._database.lock("audit")
        rows = self._database.rows(_UNSEALED, at_most=_SEALED_AT_ONCE)
        waiting = [Entry(row.id, *(getattr(row, name) for name in _WRITTEN[1:])) for row in rows]
        if not waiting:
            return 0
        known = self._head_row()
        head = known or Head()
        sealed = []
        for entry in waiting:
            previous, number = head.hash, head.number + 1
            head = Head(number, entry.sealed_hash(number, previous))
            sealed.append({"its_id": entry.id, "number": number, "previous": previous, "hash": head.hash})
        self._database.change(_SEAL, sealed)
        values = {"number": head.number, "hash": head.hash}
        if known is None:
            self._database.change(insert(audit_head).values(one=1, **values))
        else:
            self._database.change(update(audit_head).values(values))
        return len(sealed)

    def head(self) -> Head:
        """Tell the end of the chain, as it is kept apart."""
        return self._head_row() or Head()

    def sealed(self, after: int = 0) -> Iterator[Entry]:
        """Read the sealed entries after a number, in order."""
        while rows := self._database.rows(
            select(audit).where(_a.number > after).order_by(_a.number, _a.id).limit(_PAGE)
        ):
            for row in rows:
                yield _entry(row)
            after = rows[-1].number

    def unsealed(self) -> Iterator[Entry]:
        """Read the entries that wait for their seal."""
        after = 0
        query = select(audit).where(_a.number.is_(None)).order_by(_a.id).limit(_PAGE)
        while rows := self._database.rows(query.where(_a.id > after)):
            for row in rows:
                yield _entry(row)
            after = rows[-1].id

    def verify(self, expected: Head | None = None, most: int = 100) -> Verdict:
        """Check every sealed entry, and the chain.

        Args:
            expected: An entry's number and hash as they were told before; whoever could write the whole chain anew
                could not write that.
            most: How many problems are told at most.
        """
        kept, last = self.head(), Head()
        problems: list[str] = []
        for entry in self.sealed():
            problems += _problems(entry, last, expected)
            last = Head(entry.number or 0, entry.hash or "")
            if len(problems) >= most:
                break
        else:
            problems += self._problems_of_end(kept, last, expected)
        unsealed = int(self._database.rows(select(func.count()).where(_a.number.is_(None)))[0][0])
        return Verdict(last, problems[:most], unsealed)

    def _problems_of_end(self, kept: Head, last: Head, expected: Head | None) -> Iterator[str]:
        """Tell what is wrong with the end; entries may have been sealed since the head was read."""
        if last.number < kept.number:
            yield f"entries {last.number + 1} to {kept.number} at the end are missing"
        if last.number > kept.number and last.number > self.head().number:
            yield f"entries {self.head().number + 1} to {last.number} at the end were put in: no seal is known of them"
        if kept.number and not list(self._at(kept)):
            yield f"entry {kept.number} isn't the one that was sealed: its hash was {kept.hash}"
        if expected is not None and expected.number > last.number:
            yield f"entry {expected.number}, whose hash was {expected.hash}, isn't there"

    def _at(self, head: Head) -> Iterator[Row[Any]]:
        yield from self._database.rows(select(_a.id).where(_a.number == head.number, _a.hash == head.hash))

    def _head_row(self) -> Head | None:
        row = self._database.row(select(audit_head.c.number, audit_head.c.hash))
        return None if row is None else Head(row.number, row.hash)


def canonical(value: Mapping[str, Any]) -> str:
    """Write JSON in the one form that is hashed: keys sorted, no spaces, only ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _problems(entry: Entry, last: Head, expected: Head | None) -> Iterator[str]:
    number = entry.number or 0
    place = f"entry {number} ({entry.at}, {entry.action}, {entry.subject})"
    if number > last.number + 1:
        first = last.number + 1
        yield f"entry {first} is missing" if number == first + 1 else f"entries {first} to {number - 1} are missing"
    elif entry.previous != last.hash:
        yield f"{place} doesn't follow the one before: it, or that one, was changed or put in"
    try:
        whole = canonical(json.loads(entry.detail)) == entry.detail
        found = entry.sealed_hash(number, entry.previous or "")
    except (ValueError, RecursionError):
        whole, found = False, ""
    if not whole or found != entry.hash:
        yield f"{place} was changed: it doesn't fit its hash {entry.hash}"
    if expected is not None and expected.number == number and expected.hash != entry.hash:
        yield f"{place}: its hash is {entry.hash}, expected {expected.hash}: the chain was written anew"


def _entry(row: Row[Any]) -> Entry:
    return Entry(*(getattr(row, name) for name in (*_WRITTEN, "number", "previous", "hash")))
