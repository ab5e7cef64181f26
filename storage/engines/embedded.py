"""The embedded database: one SQLite file, read by many and written by one at a time."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from weakref import WeakSet

from sqlalchemy import Connection
from sqlalchemy.pool import QueuePool

from storage.engines.bell import Bell, Listener
from storage.engines.spans import Spans
from storage.engines.sqlite import engine_of, errors_of, file_of
from storage.engines.watchers import Seen, Watchers
from storage.engines.writer import Writer
from storage.engines.written import Result, newest_position
from storage.errors import Trouble, Unavailable


class EmbeddedStore:
    """One file. Every method may be called from any thread."""

    def __init__(
        self,
        url: str,
        *,
        create: bool,
        wait: timedelta,
        trace: Callable[[str], None] | None,
        spans: Spans | None = None,
    ) -> None:
        self._path = file_of(url)
        if not create and not self._path.exists():
            detail = "import a catalogue into it, or name another one"
            raise Unavailable(str(self._path), Trouble.MISSING, detail)
        _make_folder(self._path)
        self._engine = engine_of(self._path, trace, spans)
        self._writer = Writer(self._path, self._engine, wait)
        self._bell = Bell(self._path)
        self._watchers = Watchers()
        self._listener: Listener | None = None
        self._starting = threading.Lock()
        # Taking a connection from the pool costs more than a point read.
        self._own = threading.local()
        self._glances: WeakSet[Connection] = WeakSet()

    @property
    def location(self) -> str:
        """The path of the file."""
        return str(self._path)

    def describe(self) -> str:
        """Return the engine and its version, such as `SQLite 3.40.1`."""
        return f"SQLite {sqlite3.sqlite_version}"

    def close(self) -> None:
        """Let go of the file."""
        if self._listener is not None:
            self._listener.close()
        self._writer.close()
        for connection in self._glances:
            connection.close()
        self._engine.dispose()
        self._bell.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give one snapshot, taken at the first statement."""
        with errors_of(self._path), self._engine.connect() as connection, connection.begin():
            yield connection

    def glancing(self) -> "_Glance":
        """Give a connection on which each statement sees the newest; the same to a thread each time."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            with errors_of(self._path):
                connection = self._own.connection = self._engine.connect()
            self._glances.add(connection)
        return _Glance(self._path, connection)

    def run(
        self, operation: Callable[[Connection], Result], *, alone: bool, of_catalogue: bool
    ) -> tuple[Result, int | None]:
        """Carry out a write, and return once it is on disk its result and the id of its last event."""
        del of_catalogue  # There is one turn for everything.
        done = self._writer.run_alone(operation) if alone else self._writer.run(operation)
        if done[1] is not None:
            self._bell.ring()
        return done

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give the connection that writes, outside of a transaction, and nobody else the turn meanwhile."""
        with self._writer.turn() as connection:
            yield connection

    def settled(self, event: int | None) -> int:
        """Return the position of an event that is on disk: its id. None: of the newest."""
        return self.position() if event is None else event

    def position(self) -> int:
        """Return the position of the newest event."""
        with self.glancing() as connection:
            return newest_position(connection)

    def size(self) -> int:
        """Return how many bytes the file takes, and what has not been carried over into it yet."""
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def in_use(self) -> int:
        """Return how many connections are out of the pool."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    def watch(self, seen: Seen) -> Callable[[], None]:
        """Tell `seen` of every move of the event log until what is returned is called."""
        with self._starting:
            if self._listener is None:
                self._listener = Listener(self._path, self.position, self._watchers)
        return self._watchers.add(seen)


@dataclass(slots=True)
class _Glance:
    """A connection outside of any transaction. A generator would cost as much as a point read again."""

    path: Path
    connection: Connection

    def __enter__(self) -> Connection:
        return self.connection

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self.connection.in_transaction():
            self.connection.rollback()
        if error is not None:
            with errors_of(self.path):
                raise error


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            str(path), Trouble.CANNOT_OPEN, f"its folder cannot be made: {error.strerror}"
        ) from error
