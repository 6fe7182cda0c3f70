"""Who is signed in: sessions that the server keeps, and can end."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ground_truth_server.people.person import of_person
from ground_truth_server.people.tokens import hash_of, new_token
from ground_truth_server.records.people import PersonRecord
from ground_truth_server.records.records import Records
from ground_truth_server.records.sessions import SessionRecord
from ground_truth_server.timestamps import from_text, now, to_text

IDLE = timedelta(hours=1)
"""A session ends when its person has done nothing for so long,"""
LONGEST = timedelta(hours=24)
"""and in any case after so long."""
_SEEN_EVERY = timedelta(minutes=1)


class Sessions:
    """The sessions. Safe to use from several threads, and by several servers.

    Args:
        records: Where they are kept.
        clock: Tells the time, with its zone.
    """

    def __init__(self, records: Records, clock: Callable[[], datetime] = now) -> None:
        self._records = records
        self._clock = clock

    def begin(self, person_id: str, address: str, id_token: str | None = None) -> str:
        """Begin a session; what is over of others is forgotten.

        Args:
            person_id: Whose.
            address: From where they signed in.
            id_token: What a provider gave, which is told of when the session ends.

        Returns:
            The token that the browser shows from now on.
        """
        token, at = new_token(), self._clock()
        with self._records.transaction():
            self._records.sessions.forget(to_text(at - IDLE), to_text(at - LONGEST))
            session = SessionRecord(hash_of(token), person_id, to_text(at), to_text(at), address, id_token)
            self._records.sessions.add(session)
            whose = of_person(person_id)
            self._records.audit.write(whose, "session.begun", whose, address=address, at=to_text(at))
        return token

    def find(self, token: str, *, at_work: bool = True) -> PersonRecord | None:
        """Tell whose session a token opens, if it hasn't ended and they may still sign in.

        Args:
            token: What the browser showed.
            at_work: Whether its person did something; pages that look for news by themselves keep no session open.
        """
        found = self._alive(token)
        if found is None:
            return None
        person = self._records.people.find(found.person)
        if person is None or not person.active:
            return None
        if at_work and self._clock() - from_text(found.seen) > _SEEN_EVERY:
            with self._records.transaction():
                self._records.sessions.set_seen(found.token, to_text(self._clock()))
        return person

    def end(self, token: str) -> SessionRecord | None:
        """End a session; gives it if there was one."""
        found = self._records.sessions.find(hash_of(token))
        if found is not None:
            with self._records.transaction():
                self._records.sessions.end(found.token)
                self._records.audit.write(of_person(found.person), "session.ended", of_person(found.person))
        return found

    def has_any(self, person_id: str) -> bool:
        """Tell whether a person is signed in anywhere."""
        return any(self._is_alive(session) for session in self._records.sessions.of(person_id))

    def _alive(self, token: str) -> SessionRecord | None:
        found = self._records.sessions.find(hash_of(token)) if token else None
        return found if found is not None and self._is_alive(found) else None

    def _is_alive(self, session: SessionRecord) -> bool:
        at = self._clock()
        return at - from_text(session.seen) < IDLE and at - from_text(session.created) < LONGEST
