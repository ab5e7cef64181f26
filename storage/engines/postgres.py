"""PostgreSQL: connections that are tuned and checked, transactions by what they are for, and what its errors mean."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import psycopg
import sqlalchemy
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from storage.engines.follower import Follower
from storage.engines.spans import Spans
from storage.engines.urls import parsed
from storage.engines.watchers import Seen
from storage.engines.written import Result, carry_out, newest_position
from storage.errors import Trouble, Unavailable
from storage.time_limits import check_time, longest, time_left

# Of the connections that a process may have, those that it keeps open.
_KEPT: Final = 4
_WAIT_FOR_CONNECTION: Final = timedelta(seconds=15)

# A connection that was used a moment ago is taken to be alive, which saves a round trip; any other is asked.
_TRUSTED_SECONDS: Final = 1.0

_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

# What is written beside the catalogue meets others at the same few rows all the time. Each waits there for the other, and
# goes on from what that has written, where with a snapshot it would have to begin anew.
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"

# Whoever changes the catalogue holds its lock together with others, or alone; readers take none. LOCK TABLE takes no
# snapshot, so what follows sees all that was written by those it has waited for. The wait is bounded by its own limit.
_WRITE: Final = """
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {wait};
LOCK TABLE packages IN {mode} MODE;
SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = 0
"""
# An import may wait for its input for as long as that takes.
_PATIENT: Final = "; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0"

_STATEMENT_TIMEOUT: Final = timedelta(seconds=60)
_IDLE_TIMEOUT: Final = timedelta(minutes=10)

# Another writer was faster; the whole operation is run again on what that one has left. A key or a row that is there
# or gone against what was read is the same thing, unless it comes again and again.
_MET_ANOTHER: Final = frozenset({"40001", "40P01"})
_MAY_HAVE_MET_ANOTHER: Final = frozenset({"23505", "23503"})
_ATTEMPTS: Final = 12
_ATTEMPTS_AT_KEYS: Final = 3
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.25

_LAST_COMMITTED: Final = (
    "SELECT (SELECT max(id) FROM events WHERE seq IS NULL), (SELECT max(seq) FROM events)"
)


class PostgresStore:
    """One database of a PostgreSQL server. Every method may be called from any thread."""

    def __init__(
        self,
        url: str,
        *,
        wait: timedelta,
        connections: int,
        trace: Callable[[str], None] | None,
        spans: Spans | None = None,
    ) -> None:
        self._url = parsed(url, "postgresql://user@host/database").set(drivername="postgresql+psycopg")
        self._wait = wait
        self._connections = connections
        self._engine = _engine_of(self._url, connections, trace, spans)
        # Whoever writes may wait for minutes behind an import, with a connection; readers are to have theirs.
        self._writers = threading.BoundedSemaphore(max(1, connections // 2))
        self._follower = Follower(self._connect_apart)

    @property
    def location(self) -> str:
        """The URL, without its password."""
        return self._url.set(drivername="postgresql").render_as_string(hide_password=True)

    def describe(self) -> str:
        """Return the engine and its version, such as `PostgreSQL 18.6`."""
        with self.glancing() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar()
        return f"PostgreSQL {str(version).split()[0]}"

    def close(self) -> None:
        """Let go of all connections."""
        self._follower.close()
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give one snapshot, taken at the first statement."""
        left = time_left()
        limited = "" if left is None else f"; SET LOCAL statement_timeout = {_ms_of(left)}"
        with self._transaction(_READ + limited) as connection:
            yield connection

    @contextmanager
    def glancing(self) -> Iterator[Connection]:
        """Give a connection on which each statement sees the newest."""
        with self._errors(), self._engine.connect() as connection:
            _limit_statements(connection)
            yield connection

    def run(
        self, operation: Callable[[Connection], Result], *, alone: bool, of_catalogue: bool
    ) -> tuple[Result, int | None]:
        """Carry out a write, and return once it is on disk its result and the id of its last event.

        One that shares the catalogue with others is run again when it has met another.
        """
        with self._errors(), self._among_writers():
            if alone:
                return self._attempt(operation, _begin_alone(self._wait) + _PATIENT)
            beginning = _begin_together(self._wait) if of_catalogue else _BEGIN
            attempt = 1
            while True:
                try:
                    return self._attempt(operation, beginning)
                except (DBAPIError, psycopg.Error) as error:
                    if not _is_worth_another(error, attempt):
                        raise
                    if attempt >= _ATTEMPTS_AT_KEYS and _sqlstate_of(error) in _MAY_HAVE_MET_ANOTHER:
                        # What is in the way still when nobody else is there is no other writer.
                        return self._attempt(operation, _begin_alone(self._wait))
                _pause(attempt)
                attempt += 1

    @contextmanager
    def _among_writers(self) -> Iterator[None]:
        if not self._writers.acquire(timeout=self._wait.total_seconds()):
            detail = "others of this process wait to write as well; try again once an import or migration has ended"
            raise Unavailable(self.location, Trouble.BUSY, detail)
        try:
            yield
        finally:
            self._writers.release()

    def _attempt(
        self, operation: Callable[[Connection], Result], beginning: str
    ) -> tuple[Result, int | None]:
        with self._begun(beginning) as connection:
            return carry_out(operation, connection)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give a connection for the migrations, outside of a transaction; they lock whatever they need."""
        with self._errors(), self._engine.connect() as connection:
            _driver_of(connection).execute("SET statement_timeout = 0")
            try:
                yield connection.execution_options(isolation_level="READ COMMITTED")
            finally:
                connection.invalidate()  # It is not as the others any more.

    def settled(self, event: int | None) -> int:
        """Return the position of an event that is committed, once it has one. None: one that covers all that is.

        Raises Unavailable when it is not known in time; what was asked is written all the same.
        """
        try:
            with self._errors():
                if event is None:
                    with self._engine.connect() as connection:
                        event, position = connection.exec_driver_sql(_LAST_COMMITTED).one()
                    if event is None:
                        return position or 0
                found = self._follower.position_of(event, self._seq_of)
        except Unavailable as error:
            raise self._unplaced(str(error)) from error
        if found is None:
            raise self._unplaced("nobody gives events their positions")
        return found

    def _unplaced(self, why: str) -> Unavailable:
        return Unavailable(self.location, Trouble.UNPLACED, why)

    def position(self) -> int:
        """Return the position of the newest event."""
        with self.glancing() as connection:
            return newest_position(connection)

    def size(self) -> int:
        """Return how many bytes the database takes on the server."""
        with self.glancing() as connection:
            return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())

    def in_use(self) -> int:
        """Return how many connections are out of the pool."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    def watch(self, seen: Seen) -> Callable[[], None]:
        """Tell `seen` of every move of the event log until what is returned is called."""
        return self._follower.watch(seen)

    def _seq_of(self, event: int) -> int | None:
        with self._engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT seq FROM events WHERE id = %s", (event,)).scalar()
        return None if found is None else int(found)

    @contextmanager
    def _transaction(self, beginning: str) -> Iterator[Connection]:
        with self._errors(), self._begun(beginning) as connection:
            yield connection

    @contextmanager
    def _begun(self, beginning: str) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            try:
                _driver_of(connection).execute(beginning)
            except psycopg.Error:
                if not _driver_of(connection).closed:
                    _driver_of(connection).rollback()
                    raise
                # It broke since it was used last. Nothing has been asked of it yet, so any other will do.
                connection.invalidate()
                _driver_of(connection).execute(beginning)
            with connection.begin():
                yield connection

    def _connect_apart(self) -> "psycopg.Connection[Any]":
        """Return a connection of its own, not from the pool."""
        arguments, options = self._engine.dialect.create_connect_args(self._url)
        settings: dict[str, Any] = {**options, **_CONNECT_ARGUMENTS, "autocommit": True}
        return psycopg.connect(*arguments, **settings)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the driver says of the server into Unavailable. What it says of statements passes through."""
        try:
            yield
        except PoolTimeout as error:
            detail = f"all {self._connections} of this process are in use; try again"
            raise Unavailable(self.location, Trouble.CROWDED, detail) from error
        except DBAPIError as error:
            self._translate(error.orig)
            raise
        except psycopg.Error as error:
            self._translate(error)
            raise

    def _translate(self, error: BaseException | None) -> None:
        assert isinstance(error, psycopg.Error)
        if isinstance(error, psycopg.errors.QueryCanceled):
            check_time()
        found = _trouble_of(error)
        if found is not None:
            trouble, advice = found
            said = str(error).strip().splitlines() or ["the connection was lost"]
            raise Unavailable(self.location, trouble, advice or said[0]) from error


def _limit_statements(connection: Connection) -> None:
    """Have each statement that is run by itself stopped after as long as the whole operation may take.

    To set what is left each time would be a round trip more for each. The limit is nearly always that of the last one.
    """
    seconds = longest()
    wanted = _ms(_STATEMENT_TIMEOUT) if seconds is None else _ms_of(seconds)
    if connection.info.setdefault("statement_timeout", _ms(_STATEMENT_TIMEOUT)) != wanted:
        _driver_of(connection).execute(f"SET statement_timeout = {wanted}")
        connection.info["statement_timeout"] = wanted


def _ms_of(left: float) -> int:
    """Return a limit that lets no statement run longer than is left, nor than any may. Zero would be no limit."""
    return max(1, min(int(left * 1000), _ms(_STATEMENT_TIMEOUT)))


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


def _begin_together(wait: timedelta) -> str:
    return _WRITE.format(wait=_ms(wait), mode="ROW EXCLUSIVE", statement=_ms(_STATEMENT_TIMEOUT))


def _begin_alone(wait: timedelta) -> str:
    return _WRITE.format(wait=_ms(wait), mode="SHARE ROW EXCLUSIVE", statement=_ms(_STATEMENT_TIMEOUT))


# A peer that vanished without a word is noticed within a minute, not in two hours.
_CONNECT_ARGUMENTS: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "application_name": "buildatlas",
    "options": f"-c timezone=UTC -c statement_timeout={_ms(_STATEMENT_TIMEOUT)} "
    f"-c idle_in_transaction_session_timeout={_ms(_IDLE_TIMEOUT)}",
}


def _engine_of(
    url: URL, connections: int, trace: Callable[[str], None] | None, spans: Spans | None
) -> Engine:
    arguments: dict[str, Any] = dict(_CONNECT_ARGUMENTS)
    if trace is not None:
        arguments["cursor_factory"] = _tracing(trace)
    if spans is not None:
        arguments["cursor_factory"] = _spanning(spans)
    engine = create_engine(
        url,
        connect_args=arguments,
        # A statement by itself is a transaction; any other is begun below and ended by whoever began it.
        isolation_level="AUTOCOMMIT",
        pool_size=min(_KEPT, connections),
        max_overflow=max(0, connections - _KEPT),
        pool_timeout=_WAIT_FOR_CONNECTION.total_seconds(),
        pool_reset_on_return=None,
    )
    event.listen(engine, "checkout", _check)
    event.listen(engine, "checkin", _note_time)
    return engine


def _check(
    driver: "psycopg.Connection[Any]", record: sqlalchemy.pool.ConnectionPoolEntry, _proxy: object
) -> None:
    """Have a connection replaced that does not answer any more."""
    idle = time.monotonic() - record.info.get("returned", 0.0)
    if driver.closed or driver.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
        raise DisconnectionError
    if idle > _TRUSTED_SECONDS and "returned" in record.info:
        try:
            driver.execute("SELECT 1")
        except psycopg.Error as error:
            raise DisconnectionError from error


def _note_time(_driver: object, record: sqlalchemy.pool.ConnectionPoolEntry) -> None:
    record.info["returned"] = time.monotonic()


def _driver_of(connection: Connection) -> "psycopg.Connection[Any]":
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _spanning(spans: Spans) -> type["psycopg.Cursor[Any]"]:
    class Spanning(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> "Spanning":
            with spans(str(query).strip()):
                super().execute(query, params, **options)
            return self

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            with spans(str(query)):
                super().executemany(query, params_seq, **options)

        @contextmanager
        def copy(self, statement: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
            with spans(str(statement)), super().copy(statement, *arguments, **options) as copy:
                yield copy

    return Spanning


def _tracing(trace: Callable[[str], None]) -> type["psycopg.Cursor[Any]"]:
    class Traced(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> "Traced":
            trace(str(query).strip())
            super().execute(query, params, **options)
            return self

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            trace(str(query))
            super().executemany(query, params_seq, **options)

        @contextmanager
        def copy(self, statement: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
            trace(str(statement))
            with super().copy(statement, *arguments, **options) as copy:
                yield copy

    return Traced


def _sqlstate_of(error: DBAPIError | psycopg.Error) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None)


def _is_worth_another(error: DBAPIError | psycopg.Error, attempt: int) -> bool:
    state = _sqlstate_of(error)
    return state in _MAY_HAVE_MET_ANOTHER or (state in _MET_ANOTHER and attempt < _ATTEMPTS)


def _pause(attempt: int) -> None:
    """Wait longer from time to time, and not as long as whoever it was met."""
    longest = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - nobody gains by guessing it


def _trouble_of(error: "psycopg.Error") -> tuple[Trouble, str] | None:
    state = error.sqlstate
    if state is None:
        return _trouble_of_connecting(str(error)) if isinstance(error, psycopg.OperationalError) else None
    return next((said for beginning, said in _TROUBLES if state.startswith(beginning)), None)


def _trouble_of_connecting(said: str) -> tuple[Trouble, str]:
    """Return what is meant by an error that has no code: the driver passes on none of those met while connecting."""
    return next(
        (told for part, told in _SAID_WHILE_CONNECTING.items() if part in said), (Trouble.UNREACHABLE, "")
    )


_SAID_WHILE_CONNECTING: Final = {
    "does not exist": (Trouble.MISSING, "create it, or name another one"),
    "authentication failed": (Trouble.DENIED, ""),
    "no pg_hba.conf entry": (Trouble.DENIED, ""),
    "too many clients": (Trouble.CROWDED, "raise its max_connections, or run fewer processes"),
    "connection slots": (Trouble.CROWDED, "raise its max_connections, or run fewer processes"),
}

_TROUBLES: Final[Sequence[tuple[str, tuple[Trouble, str]]]] = (
    ("08", (Trouble.UNREACHABLE, "")),
    ("42501", (Trouble.DENIED, "")),
    ("25006", (Trouble.READ_ONLY, "it is a standby, or set to be read only; name the one that takes writes")),
    ("40", (Trouble.BUSY, "others were faster each time; try again")),
    ("53100", (Trouble.FULL, "free some space; nothing of this change was written")),
    ("53", (Trouble.CROWDED, "")),
    ("55P03", (Trouble.BUSY, "it was not free in time; try again once an import or migration has ended")),
    ("57014", (Trouble.SLOW, "a statement was stopped; ask for less, or try again")),
    ("57", (Trouble.UNREACHABLE, "it is being stopped or started; try again")),
    ("58", (Trouble.DAMAGED, "")),
    ("XX001", (Trouble.DAMAGED, "restore a backup")),
    ("XX002", (Trouble.DAMAGED, "restore a backup")),
)
