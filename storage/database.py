"""A database: opened, brought up to date, read from by many and written to as its kind allows."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Final, Protocol, TypeAlias

import sqlalchemy

from storage import upgrade
from storage.engines.embedded import EmbeddedStore
from storage.engines.spans import Spans
from storage.engines.urls import is_postgres
from storage.engines.watchers import Seen
from storage.engines.written import Result, Written
from storage.errors import Trouble, Unavailable
from storage.probes import Probe, StatementClass, unobserved
from storage.time_limits import check_time

Connection: TypeAlias = sqlalchemy.Connection
"""One transaction, which the query functions of this room take."""

# What a write waits behind other writers. An import has the turn from its first line to its last, parsing included:
# 22 s for 100,000 versions, a minute where the machine is slow. Whoever comes then should wait, not fail.
_WAIT: Final = timedelta(minutes=2)


# More than one process keeps busy, and few enough for half a dozen processes at a server as it comes.
_CONNECTIONS: Final = 16


class Store(Protocol):
    """What the kinds of databases do each in their own way."""

    @property
    def location(self) -> str: ...
    def describe(self) -> str: ...
    def close(self) -> None: ...
    def reading(self) -> AbstractContextManager[Connection]: ...
    def glancing(self) -> AbstractContextManager[Connection]: ...
    def run(
        self, operation: Callable[[Connection], Result], *, alone: bool, of_catalogue: bool
    ) -> tuple[Result, int | None]: ...
    def migrating(self) -> AbstractContextManager[Connection]: ...
    def settled(self, event: int | None) -> int: ...
    def position(self) -> int: ...
    def watch(self, seen: Seen) -> Callable[[], None]: ...
    def size(self) -> int: ...
    def in_use(self) -> int: ...


class Database:
    """The one database of this process. Every method may be called from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writing = threading.local()
        self._probe: Probe = unobserved

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        wait: timedelta = _WAIT,
        connections: int = _CONNECTIONS,
        trace: Callable[[str], None] | None = None,
        spans: Spans | None = None,
    ) -> "Database":
        """Open the database at `url` and migrate it as needed.

        That is `postgresql://…`, whose database has to exist, or `sqlite:///file` or just a path. A file that is not
        there is made, or with `create` false refused, as is an empty database. `wait` is how long a write queues
        behind other writers. `connections` bounds those to PostgreSQL, besides one for the event log; who finds all in
        use waits for a moment. `trace` is told every statement that is run, and `spans` gives
        what surrounds each. Raises Unavailable with what is in the way.
        """
        store: Store
        if is_postgres(url):
            # Its driver takes a while to load, and most have no use for it.
            from storage.engines.postgres import PostgresStore  # noqa: PLC0415

            store = PostgresStore(url, wait=wait, connections=connections, trace=trace, spans=spans)
        else:
            store = EmbeddedStore(url, create=create, wait=wait, trace=trace, spans=spans)
        database = cls(store)
        try:
            database._bring_up_to_date(create=create)
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Let go of the database. Nothing may be under way."""
        self._store.close()

    def observe(self, probe: Probe) -> None:
        """Have `probe` told of every use from here on, in place of another one."""
        self._probe = probe

    def read(self) -> AbstractContextManager[Connection]:
        """Give one consistent snapshot, taken at the first statement. Nothing can be written through it.

        Raises OutOfTime, here or from a statement, when the operation that this is for has taken as long as it may.
        """
        check_time()
        return self._observed(StatementClass.READ, self._store.reading())

    def glance(self) -> AbstractContextManager[Connection]:
        """Give a connection for one statement: `read` without the price of a transaction around it.

        Of several statements each sees the newest. Raises OutOfTime as `read` does.
        """
        check_time()
        return self._observed(StatementClass.GLANCE, self._store.glancing())

    def write(
        self,
        operation: Callable[[Connection], Result],
        *,
        alone: bool = False,
        of_catalogue: bool = True,
    ) -> Written[Result]:
        """Run `operation` in a transaction, and return once that is on disk: all or nothing.

        `operation` may be run again when it met another writer, and may be one of several that are committed together,
        so it must have no effect but through its connection, and must not write through the database again. With
        `alone` it is run once, in this thread, while nobody else writes to the catalogue: for what reads much to decide
        what to write, and for what can be read only once. What is not `of_catalogue` changes no package, version or
        dependency, and need not wait for whoever writes to these alone, where the database can tell them apart.

        Raises OutOfTime when there is no time left to begin; what has begun is ended, as whoever asked has to know what
        came of it.
        """
        check_time()
        if getattr(self._writing, "is_so", False):
            raise RuntimeError("a write may not be started inside another")
        self._writing.is_so = True
        asked = began = time.perf_counter()

        def timed(connection: Connection) -> Result:
            nonlocal began
            began = time.perf_counter()
            return operation(connection)

        try:
            value, event = self._store.run(timed, alone=alone, of_catalogue=of_catalogue)
        finally:
            self._writing.is_so = False
            self._probe(StatementClass.WRITE, waited=began - asked, ran=time.perf_counter() - began)
        return Written(value, self._store.settled(event))

    def cursor(self) -> int:
        """Return the position of the newest event: whether anything has changed, for the price of a point read."""
        return self._store.position()

    def watch(self, seen: Seen) -> Callable[[], None]:
        """Tell `seen` the position of the newest event, now or soon and whenever it has moved, by whatever process.

        It is called in another thread and must not block. Returns what ends it.
        """
        return self._store.watch(seen)

    def size(self) -> int:
        """Return how many bytes it takes on disk."""
        return self._store.size()

    def in_use(self) -> int:
        """Return how many connections of this process are being used, that which writes to a file not counted."""
        return self._store.in_use()

    @property
    def revision(self) -> str:
        """The revision that the tables are at."""
        return self._revision() or ""

    @property
    def location(self) -> str:
        """Where the data is: a path, or a URL without its password."""
        return self._store.location

    def describe(self) -> str:
        """Return the engine and its version, such as `SQLite 3.40.1`."""
        return self._store.describe()

    def migrate(self) -> None:
        """Bring the tables to the newest revision. `open` has done so; doing it again changes nothing."""
        with self._store.migrating() as connection:
            upgrade.upgrade(connection, self.location)

    def _observed(
        self, used_for: StatementClass, used: AbstractContextManager[Connection]
    ) -> AbstractContextManager[Connection]:
        return used if self._probe is unobserved else _Observed(used_for, used, self._probe)

    def _bring_up_to_date(self, *, create: bool) -> None:
        revision = self._revision()
        if revision is None and not create:
            raise Unavailable(self.location, Trouble.EMPTY, "import a catalogue into it, or name another one")
        if revision != upgrade.HEAD:
            self.migrate()

    def _revision(self) -> str | None:
        with self.read() as connection:
            return upgrade.revision_of(connection, self.location)


@dataclass(slots=True)
class _Observed(AbstractContextManager[Connection]):
    """A use that a probe is told of. A generator would cost half as much as a point read."""

    used_for: StatementClass
    used: AbstractContextManager[Connection]
    probe: Probe
    asked: float = 0.0
    began: float = 0.0

    def __enter__(self) -> Connection:
        self.asked = time.perf_counter()
        connection = self.used.__enter__()
        self.began = time.perf_counter()
        return connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        try:
            return self.used.__exit__(kind, error, trace)
        finally:
            self.probe(self.used_for, waited=self.began - self.asked, ran=time.perf_counter() - self.began)
