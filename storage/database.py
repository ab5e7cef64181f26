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
from storage.sqlite import become_writer, engine_of, errors_of, file_of, is_in_transaction

Connection: TypeAlias = sqlalchemy.Connection
"""One transaction, which the query functions of this room take."""

Result = TypeVar("Result")

# What a write waits behind other writers. An import has the turn from its first line to its last, parsing included:
# 22 s for 100,000 versions, a minute where the machine is slow. Whoever comes then should wait, not fail.
_WAIT: Final = timedelta(minutes=2)

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
        cls,
        url: str,
        *,
        create: bool = True,
        wait: timedelta = _WAIT,
        trace: Callable[[str], None] | None = None,
    ) -> "Database":
        """Open the database at `url` (`sqlite:///file` or just a path), migrating it as needed.

        One that is not there is made, or with `create` false refused. `wait` is how long a write queues behind other
        writers. `trace` is told every statement that is run. Raises Unavailable with what is in the way.
        """
        path = file_of(url)
        if not create and not path.exists():
            detail = "import a catalogue into it, or name another one"
            raise Unavailable(str(path), Trouble.MISSING, detail)
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
        self._discard_writer()
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
        with self._writing() as connection, connection.begin():
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
        with self._writing() as connection:
            upgrade.upgrade(connection, self.location)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Give the connection that writes, for one turn."""
        with self._lock.held(), errors_of(self._path):
            connection = self._writer = self._writer or self._new_writer()
            try:
                yield connection
            finally:
                # A COMMIT that failed may leave its transaction open, in which no other could begin.
                if is_in_transaction(connection):
                    self._discard_writer()

    def _new_writer(self) -> Connection:
        connection = self._engine.connect()
        try:
            become_writer(connection)
        except BaseException:
            _discard(connection)
            raise
        return connection

    def _discard_writer(self) -> None:
        if self._writer is not None:
            _discard(self._writer)
            self._writer = None

    def _is_current(self) -> bool:
        return self.revision == upgrade.HEAD


def _discard(connection: Connection) -> None:
    # Closing alone would give it back to the pool, and to readers the right to write.
    connection.invalidate()
    connection.close()


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            str(path), Trouble.CANNOT_OPEN, f"its folder cannot be made: {error.strerror}"
        ) from error
