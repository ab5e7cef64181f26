"""Backups: one file that holds everything, and a database made from one.

A backup is a Buildatlas database of its own in one SQLite file, whatever it was taken from. It can be opened as it is,
and restored into a database of either kind.
"""

import os
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from sqlalchemy import Connection, Table, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from storage import copying, triggers, upgrade
from storage.copying import Contents
from storage.database import Database
from storage.dialects import is_sqlite
from storage.engines.sqlite import driver_of, engine_of, errors_of
from storage.errors import FileTaken, NotEmpty, Trouble, Unavailable
from storage.images import TABLES

# What is written here is put on disk once, when it is complete; before that it counts for nothing.
_PART_PRAGMAS: Final = ("query_only=OFF", "synchronous=OFF", "cache_size=-65536")

# What SQLite keeps beside a file. One that is left over would be taken for the new file's.
_JOURNALS: Final = ("-wal", "-shm", "-journal")

_REFUSED: Final = (sqlite3.IntegrityError, psycopg.IntegrityError, psycopg.DataError, DBAPIError)


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied."""

    location: str
    """The database's: a path, or a URL without its password."""
    rows: Mapping[str, int]
    """By table."""
    bytes: int
    """The size of the backup."""
    revision: str

    @property
    def total_rows(self) -> int:
        """The rows of all tables."""
        return sum(self.rows.values())


def back_up(database: Database, file: Path, *, force: bool = False) -> Copied:
    """Write one moment of `database` to `file`, which is there only once it is complete, verified and on disk.

    Nobody who reads or writes meanwhile has to wait. Raises FileTaken when there is such a file already, which `force`
    has replaced, and Unavailable with what is in the way.
    """
    file = file.absolute()
    _check_name(file, database, force)
    # Of a name of its own: two that write to one file must not meet before they are complete.
    part = file.with_name(f"{file.name}.{uuid.uuid4().hex[:12]}.part")
    with _os_errors_of(file), _temporary(part):
        with errors_of(file):
            found = _copy(database, part, file)
            _verify(part, file, found)
        _flush(part)
        _check_name(file, database, force)
        part.replace(file)
        _flush(file.parent)
    return Copied(database.location, _rows_of(found), file.stat().st_size, upgrade.HEAD)


def restore(file: Path, url: str) -> Copied:
    """Make the database at `url` what it was when `file` was written: all of it or nothing, in one transaction.

    A file that is not there is made. Raises NotEmpty when it holds anything, and Unavailable for a file that is no
    backup, is damaged, or is of a newer Buildatlas. `file` is never changed: an older one is migrated in a copy.
    """
    file = file.absolute()
    with _backup(file) as source, closing(Database.open(url)) as database:
        last = copying.last_ids(source)

        def operation(connection: Connection) -> dict[str, Contents]:
            occupied = copying.occupied(connection)
            if occupied:
                raise NotEmpty(database.location, occupied)
            with _bare(connection):
                found = _fill(connection, source, str(file))
            highest = copying.highest_ids(connection)
            copying.count_on(connection, {name: max(last[name], highest[name]) for name in last})
            _compare(copying.contents(connection), found, database.location)
            return found

        found = database.write(operation, alone=True).value
    return Copied(database.location, _rows_of(found), file.stat().st_size, upgrade.HEAD)


def _check_name(file: Path, database: Database, force: bool) -> None:
    if file.exists() and Path(database.location).exists() and file.samefile(database.location):
        raise FileTaken(str(file), "this is the database itself; choose another name")
    if file.exists() and not force:
        raise FileTaken(
            str(file), "there is such a file already; choose another name, or replace it by --force"
        )
    for journal in _JOURNALS:
        if Path(f"{file}{journal}").exists():
            detail = f"a database of this name is in use, or was not closed, as {file.name}{journal} shows; choose another name"
            raise FileTaken(str(file), detail)


def _rows_of(found: Mapping[str, Contents]) -> dict[str, int]:
    return {name: contents.rows for name, contents in found.items()}


def _copy(database: Database, part: Path, file: Path) -> dict[str, Contents]:
    """Write what is in `database` now to `part`, and return what that is."""
    with database.read() as source:
        if is_sqlite(source):
            found = copying.contents(source)
            # Within, so that what the file lacks is not taken for the database's fault.
            with errors_of(file):
                _copy_pages(source, part)
                with _part(part) as target, target.begin():
                    triggers.apply(target)
            return found
        with errors_of(file), _part(part) as target:
            upgrade.upgrade(target, str(part))
            # What is missing is told when the file is verified.
            driver_of(target).execute("PRAGMA foreign_keys=OFF").close()
            with target.begin(), _bare(target):
                found = _fill(target, source, database.location)
                _count_on(source, target)
            return found


def _copy_pages(source: Connection, part: Path) -> None:
    """Copy page by page within the one snapshot that is open. In several steps it would begin anew at every write."""
    with closing(sqlite3.connect(part, isolation_level=None)) as target:
        driver_of(source).backup(target, pages=-1)
        # One file, with nothing beside it.
        target.execute("PRAGMA journal_mode=DELETE").close()


def _count_on(source: Connection, target: Connection) -> None:
    """Go on counting where the source is. Sequences know no snapshots, so theirs may be a little later, never earlier."""
    last = copying.last_ids(source)
    highest = copying.highest_ids(target)
    copying.count_on(target, {**last, "events": highest["events"]})


@contextmanager
def _part(part: Path) -> Iterator[Connection]:
    """Give a connection that writes to a file which nobody else knows of."""
    engine = engine_of(part, None)
    try:
        with engine.connect() as connection:
            for pragma in _PART_PRAGMAS:
                # Not by SQLAlchemy, which would begin a transaction.
                driver_of(connection).execute(f"PRAGMA {pragma}").close()
            yield connection
    finally:
        engine.dispose()


def _verify(part: Path, file: Path, found: Mapping[str, Contents]) -> None:
    with _reading(part) as connection:
        _check(connection, file)
        _compare(copying.contents(connection), found, str(file))


@contextmanager
def _backup(file: Path) -> Iterator[Connection]:
    """Give a connection to what `file` holds, of the newest revision, checked."""
    if not file.exists():
        raise Unavailable(str(file), Trouble.MISSING, "name a file that backup has written")
    with errors_of(file), tempfile.TemporaryDirectory(prefix="buildatlas-") as folder:
        current = _up_to_date(file, Path(folder))
        with _reading(current) as connection:
            _check(connection, file)
            yield connection


def _up_to_date(file: Path, folder: Path) -> Path:
    with _reading(file) as connection:
        revision = upgrade.revision_of(connection, str(file))
        if revision is None:
            raise Unavailable(str(file), Trouble.EMPTY, "name a file that backup has written")
        if revision == upgrade.HEAD:
            return file
        copy = folder / "copy.db"
        _copy_pages(connection, copy)
    with _part(copy) as connection:
        upgrade.upgrade(connection, str(file))
    return copy


@contextmanager
def _reading(file: Path) -> Iterator[Connection]:
    """Give a snapshot of a file, of which nothing is changed, not even by recovering it."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, isolation_level=None),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
    finally:
        engine.dispose()


def _check(connection: Connection, file: Path) -> None:
    """Raise Unavailable when the file is damaged, or has not all that it should have."""
    faults = [fault for (fault,) in connection.exec_driver_sql("PRAGMA integrity_check") if fault != "ok"]
    orphans = [table for table, *_ in connection.exec_driver_sql("PRAGMA foreign_key_check")]
    faults += [f"a row of {orphans[0]} refers to one that is gone"] if orphans else []
    faults += [f"{table.name} lacks {', '.join(lacking)}" for table, lacking in _lacking(connection)]
    if faults:
        detail = f"{faults[0]}; doctor has the whole story of a database, and --repair mends much"
        raise Unavailable(str(file), Trouble.DAMAGED, detail)


def _lacking(connection: Connection) -> Iterator[tuple[Table, list[str]]]:
    for table in TABLES:
        there = {name for _, name, *_ in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")}
        lacking = [column.name for column in table.columns if column.name not in there]
        if lacking:
            yield table, lacking


def _fill(connection: Connection, source: Connection, location: str) -> dict[str, Contents]:
    try:
        return copying.copy(source, connection)
    except _REFUSED as error:
        said = str(error).strip().splitlines()[0]
        raise Unavailable(location, Trouble.DAMAGED, f"it holds what may not be stored: {said}") from error


def _compare(found: Mapping[str, Contents], expected: Mapping[str, Contents], location: str) -> None:
    for name, contents in expected.items():
        if found[name] != contents:
            detail = f"{name} has {found[name].rows:,} rows where {contents.rows:,} were written, or others than those"
            raise Unavailable(location, Trouble.DAMAGED, detail)


@contextmanager
def _bare(connection: Connection) -> Iterator[None]:
    """Take triggers away, which would write a second history, and have foreign keys checked only at the end."""
    with _bare_sqlite(connection) if is_sqlite(connection) else _bare_postgresql(connection):
        yield


@contextmanager
def _bare_sqlite(connection: Connection) -> Iterator[None]:
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    names = (
        connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
    )
    for name in names:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    triggers.apply(connection)


_FOREIGN_KEYS: Final = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid = ANY (%s::regclass[])
"""


@contextmanager
def _bare_postgresql(connection: Connection) -> Iterator[None]:
    names = [table.name for table in TABLES]
    keys = connection.exec_driver_sql(_FOREIGN_KEYS, (names,)).all()
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    for table, key, _ in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {key}")
    yield
    # All rows at once, and in any order: a build may be caused by a later one.
    for table, key, definition in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {key} {definition}")
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER USER")
    connection.exec_driver_sql(f"ANALYZE {', '.join(names)}")


@contextmanager
def _temporary(part: Path) -> Iterator[None]:
    """Have nothing of `part` there afterwards, unless it was renamed."""
    try:
        yield
    finally:
        _remove(part)


def _remove(part: Path) -> None:
    for name in ("", *_JOURNALS):
        with suppress(FileNotFoundError):
            Path(f"{part}{name}").unlink()


@contextmanager
def _os_errors_of(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(str(file), Trouble.CANNOT_OPEN, str(error.strerror)) from error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
