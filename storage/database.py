"""A database: opened, brought up to date, read from by many and written by one at a time."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import sqlalchemy

from storage import upgrade
from storage.errors import Trouble, Unavailable
from storage.lock import WriterLock
from storage.sqlite import become_writer, engine_of, errors_of, file_of

Connection: TypeAlias = sqlalchemy.Connection
"""One transaction, which the query functions of this room take."""

Result = TypeVar("Result")

# What a write waits behind other writers: longer than an import of a large catalogue takes.
_WAIT: Final = timedelta(seconds=30)

_NEWEST: Final = "SELECT max(seq) FROM events"


class Database:
    """The one embedded file of this process. Every method may be called from any thread."""

    def __init__(self, path: Path, engine: sqlalchemy.Engine, lock: WriterLock) -> None:
        self._path = path
        self._engine = engine
        self._lock = lock
        self._writer: Connection | None = None

    @classmethod
    def open(
        cls, url: str, *, wait: timedelta = _WAIT, trace: Callable[[str], None] | None = None
    ) -> "Database":
        """Open the database at `url` (`sqlite:///file` or just a path), making and migrating it as needed.

        `wait` is how long a write queues behind other writers. `trace` is told every statement that is run. Raises
        Unavailable with what is in the way.
        """
        path = file_of(url)
        _make_folder(path)
        database = cls(path, engine_of(path, trace), WriterLock(path, wait))
        try:
            if not database._is_current():
                database.migrate()
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Let go of the file. Nothing may be under way."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._engine.dispose()
        self._lock.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give one consistent snapshot, taken at the first statement. Nothing can be written through it."""
        with errors_of(self._path), self._engine.connect() as connection, connection.begin():
            yield connection

    def write(self, operation: Callable[[Connection], Result]) -> Result:
        """Run `operation` in a transaction of its own, and return its result once that is on disk: all or nothing.

        Writers take turns. `operation` must not write through the database again, and may be one of several that are
        committed together, so it must have no effect but through its connection.
        """
        with self._lock.held(), errors_of(self._path):
            connection = self._writing()
            with connection.begin():
                return operation(connection)

    def cursor(self) -> int:
        """Return the position of the newest event: whether anything has changed, in microseconds."""
        with errors_of(self._path), closing(self._engine.raw_connection()) as connection:
            # Outside a transaction: a statement by itself is one.
            return connection.execute(_NEWEST).fetchone()[0] or 0

    @property
    def revision(self) -> str:
        """The revision that the file's tables are at."""
        with self.read() as connection:
            return upgrade.revision_of(connection, self.location) or ""

    @property
    def location(self) -> str:
        """Where the data is, as a path."""
        return str(self._path)

    def describe(self) -> str:
        """Return the engine and its version, such as `SQLite 3.40.1`."""
        return f"SQLite {sqlite3.sqlite_version}"

    def migrate(self) -> None:
        """Bring the tables to the newest revision. `open` has done so; doing it again changes nothing."""
        with self._lock.held(), errors_of(self._path):
            upgrade.upgrade(self._writing(), self.location)

    def _writing(self) -> Connection:
        if self._writer is None:
            self._writer = self._engine.connect()
            become_writer(self._writer)
        return self._writer

    def _is_current(self) -> bool:
        return self.revision == upgrade.HEAD


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            str(path), Trouble.CANNOT_OPEN, f"its folder cannot be made: {error.strerror}"
        ) from error
