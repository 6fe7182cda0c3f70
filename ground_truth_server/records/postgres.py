"""The database on a PostgreSQL server, which several processes of this program may share.

Each transaction has a connection of its own; what two of them would change at once, one of them waits for. Commits are
told to the other processes by NOTIFY, several at once: in a transaction of its own, since PostgreSQL lets only one that
notifies commit at a time.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from select import POLLIN, poll
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    Engine,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from ground_truth_server.records.database import Database, RecordsUnusable
from ground_truth_server.records.hot import Hot
from ground_truth_server.records.migrating import migrate, version_of

_log = logging.getLogger(__name__)
_CHANNEL = "ground_truth_changes"
_CONNECTIONS = 20
_OLDEST, _NEWEST = 15, 18  # versions of PostgreSQL that this is tried with, and all between them
_TELL_SECONDS = 0.2  # between two times that others are told of commits
_LISTEN_SECONDS = 0.5  # between two looks whether to end
_LONGEST_PAUSE = 30.0
_IDLE_SECONDS = 1.0  # after which a connection is tried before it is used


def version_at(url: str) -> str | None:
    """Tell the last migration that a database has had, without changing it; ``None`` before the first.

    Raises:
        RecordsUnusable: If it can't be reached.
    """
    place = _read(url)
    engine = _engine(place)
    try:
        with _naming(place), engine.connect() as connection:
            return version_of(connection)
    finally:
        engine.dispose()


@contextmanager
def _naming(place: URL) -> Iterator[None]:
    """Say of what goes wrong with a database in the block which one it is, without its password."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error) as error:
        found = " ".join(str(getattr(error, "orig", None) or error).split())
        raise RecordsUnusable(
            f"{_name_of(place)}: found: {found}. Expected a PostgreSQL database that this user may make tables in: "
            "check that the server runs and that the address, name and password are right."
        ) from error


def _name_of(place: URL) -> str:
    return place.render_as_string(hide_password=True).replace("+psycopg", "")


class PostgresDatabase(Database):
    """A database on a server.

    Args:
        url: Where, as ``postgresql://USER:PASSWORD@HOST:PORT/NAME``. The database is there and may be empty.

    Raises:
        RecordsUnusable: If it can't be reached or used, or a later version of the program made its tables.
    """

    kind = "postgresql"
    takes_turns = False

    def __init__(self, url: str) -> None:
        super().__init__()
        self._place = _read(url)
        self._name = _name_of(self._place)
        self._leases = _Leases(_for_driver(self._place))
        with self.naming():
            self._engine = _engine(self._place)
            with self._engine.begin() as connection:
                _check_version(connection, self._name)
                _check_encoding(connection, self._name)
                _LOCK.rows(connection, {"number": _number("migrations")})
                migrate(connection, self._name)
        self._closing = threading.Event()
        self._committed = threading.Event()
        self._teller = threading.Thread(target=self._tell_others, name="database-news-told", daemon=True)
        self._teller.start()
        self._listener = threading.Thread(target=self._listen, name="database-news", daemon=True)
        self._listener.start()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Change several things at once or not at all; see :meth:`Database.transaction`."""
        with self._engine.begin() as connection, self._as_current(connection):
            yield
        self._tell_of_change()
        self._committed.set()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """See one moment; see :meth:`Database.snapshot`."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._engine.connect().execution_options(**options) as connection:
            yield connection

    def lock(self, *names: str) -> None:
        """Wait until no other transaction is in hand that locked the same; see :meth:`Database.lock`."""
        connection = self._current()
        assert connection is not None  # noqa: S101  (locks are of transactions)
        _LOCK.rows(connection, {"number": _number(*names)})

    def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add many rows at once, by COPY; see :meth:`Database.add`."""
        connection = self._in_transaction()
        if not rows:
            return
        columns = list(rows[0])
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
        processors = [table.c[name].type.bind_processor(connection.dialect) for name in columns]
        try:
            with connection.connection.cursor() as cursor, cursor.copy(command) as copy:  # type: ignore[attr-defined]
                for row in rows:
                    values = (row[name] for name in columns)
                    copy.write_row(
                        [kept(value) if kept else value for kept, value in zip(processors, values, strict=True)]
                    )
        except psycopg.Error as error:
            raise DBAPIError.instance(f"COPY {table.name}", None, error, psycopg.Error) from error

    def lease(self, name: str) -> bool:
        """Take what one process at a time may work on; see :meth:`Database.lease`."""
        return self._leases.take(name)

    def give_back(self, name: str) -> None:
        """Let other processes take it; see :meth:`Database.give_back`."""
        self._leases.give_back(name)

    def naming(self) -> AbstractContextManager[None]:
        """Name the database, without its password; see :meth:`Database.naming`."""
        return _naming(self._place)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    def close(self) -> None:
        """Close its connections."""
        self._closing.set()
        self._committed.set()
        self._teller.join()
        self._listener.join()
        self._leases.close()
        self._engine.dispose()

    def _tell_others(self) -> None:
        """Tell the other processes of commits, soon after; who doesn't hear of one looks by and by all the same."""
        told = ""
        while not self._closing.is_set():
            self._committed.wait()
            self._committed.clear()
            try:
                with self._reading() as connection:
                    connection.execute(_NOTIFY)
                told = ""
            except SQLAlchemyError as error:
                if str(error) != told:
                    _log.warning("the database's news can't be told now: %s", error)
                told = str(error)
            self._closing.wait(_TELL_SECONDS)

    def _listen(self) -> None:
        """Hear of other processes' commits; where the connection is lost, make another."""
        pause = _LISTEN_SECONDS
        while not self._closing.is_set():
            try:
                with psycopg.connect(_for_driver(self._place), autocommit=True) as connection:
                    connection.execute(f"LISTEN {_CHANNEL}")
                    self._tell_of_change()  # what was committed meanwhile was not heard
                    pause = _LISTEN_SECONDS
                    while not self._closing.is_set():
                        if any(True for _ in connection.notifies(timeout=_LISTEN_SECONDS, stop_after=1)):
                            self._tell_of_change()
            except psycopg.Error as error:
                _log.warning("the database's news can't be heard now, trying again: %s", error)
                self._closing.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)


class _Leases:
    """What this process has a lease of: locks of a session of its own, which the server takes back when that ends.

    Args:
        place: The database, as the driver has it.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._mutex = threading.Lock()
        self._session: psycopg.Connection[Any] | None = None
        self._held: set[str] = set()

    def take(self, name: str) -> bool:
        """Take a lease; those of a session that broke are gone, until they are taken again."""
        with self._mutex:
            try:
                if name in self._held:
                    self._ask("SELECT true")
                    return True
                (taken,) = self._ask("SELECT pg_try_advisory_lock(%s)", _number("lease", name))
            except psycopg.Error:
                self._end()
                raise
            if taken:
                self._held.add(name)
            return bool(taken)

    def give_back(self, name: str) -> None:
        """Give a lease back."""
        with self._mutex:
            if name in self._held:
                self._held.discard(name)
                try:
                    self._ask("SELECT pg_advisory_unlock(%s)", _number("lease", name))
                except psycopg.Error:  # the server has taken all of them back
                    self._end()

    def close(self) -> None:
        """Give all back."""
        with self._mutex:
            self._end()

    def _ask(self, query: LiteralString, *values: int) -> tuple[Any, ...]:
        if self._session is None:
            # A server whose other end is gone without a word takes the leases back after some ten seconds.
            settings = "-c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
            self._session = psycopg.connect(
                self._place,
                autocommit=True,
                application_name="ground-truth leases",
                options=settings,
                tcp_user_timeout=10_000,
            )
        row: tuple[Any, ...] | None = self._session.execute(query, values).fetchone()
        return row or (None,)

    def _end(self) -> None:
        self._held.clear()
        if self._session is not None:
            self._session.close()
            self._session = None


_LOCK = Hot(select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)).label("locked")))
_NOTIFY = text(f"NOTIFY {_CHANNEL}")


def _read(url: str) -> URL:
    try:
        found = make_url(url)
    except ArgumentError:
        raise RecordsUnusable(f"The database is {url[:40]!r}; expected postgresql://USER:PASSWORD@HOST/NAME.") from None
    return found.set(drivername="postgresql+psycopg")


def _for_driver(place: URL) -> str:
    return place.set(drivername="postgresql").render_as_string(hide_password=False)


def _engine(place: URL) -> Engine:
    engine = create_engine(
        place,
        pool_size=_CONNECTIONS,
        max_overflow=_CONNECTIONS,
        connect_args={"connect_timeout": 10, "application_name": "ground-truth", "client_encoding": "utf8"},
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _check_alive)
    return engine


def _note_use(_: object, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _check_alive(driver: psycopg.Connection[Any], record: ConnectionPoolEntry, _: object) -> None:
    """Have the pool make another connection where a server that was started anew has left this one.

    What SQLAlchemy does with ``pool_pre_ping`` costs a question each time, as much as one of a worker's own. One that
    was used just now is only looked at: a server that ended has closed it, or said why.
    """
    used = record.info.get("used")  # nothing of one that was only just made
    try:
        if driver.closed or _has_something_to_say(driver.fileno()):
            raise DisconnectionError("the server has closed it")
        if used is not None and time.monotonic() - used > _IDLE_SECONDS:
            driver.execute("SELECT 1")
            driver.rollback()
    except (psycopg.Error, OSError) as error:
        raise DisconnectionError(str(error)) from error


def _has_something_to_say(number: int) -> bool:
    waiting = poll()
    waiting.register(number, POLLIN)
    return bool(waiting.poll(0))


def _check_version(connection: Connection, name: str) -> None:
    found: Any = connection.dialect.server_version_info
    if not _OLDEST <= found[0] <= _NEWEST:
        message = f"PostgreSQL {found[0]} is there, expected {_OLDEST} to {_NEWEST}"
        if found[0] < _OLDEST:
            raise RecordsUnusable(f"{name}: {message}.")
        _log.warning("%s: %s: it is newer than what was tried", name, message)


def _check_encoding(connection: Connection, name: str) -> None:
    found = connection.scalar(text("SHOW server_encoding"))
    if found != "UTF8":
        raise RecordsUnusable(
            f"{name}: its encoding is {found}, expected UTF8, which can hold every name and remark. Make another: "
            "createdb --encoding=UTF8 --template=template0"
        )


def _number(*names: str) -> int:
    """Name an advisory lock as PostgreSQL does: by 64 bits."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
