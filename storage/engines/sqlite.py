"""The embedded file: where it is, how its connections are tuned, and what its errors mean."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.engines.spans import Spans, spanning_connection
from storage.engines.urls import parsed
from storage.errors import Trouble, Unavailable
from storage.time_limits import check_time, is_out_of_time

# A reader's pages come from the memory map, so its own cache holds little; the writer's holds an import's indices.
_READER_PRAGMAS: Final = (
    "foreign_keys=ON",
    "busy_timeout=5000",
    "mmap_size=268435456",
    "temp_store=MEMORY",
    "cache_size=-8192",
    "query_only=ON",
)
_WRITER_PRAGMAS: Final = (
    "query_only=OFF",
    "cache_size=-65536",
    "synchronous=FULL",
    # Without a limit the journal keeps the size that the largest import once gave it.
    "journal_size_limit=67108864",
)

# Connections that are kept open, and how many more there may be: one for each thread that has ever glanced, and one for
# each snapshot under way. A server has some sixty threads.
_KEPT_READERS: Final = 8
_MORE_READERS: Final = 192
_WAIT_FOR_CONNECTION: Final = timedelta(seconds=15)


# Of SQLite's virtual machine: a millisecond or so.
_STEPS_BETWEEN_LOOKS: Final = 100_000


def file_of(url: str) -> Path:
    """Return the file that `url` (`sqlite:///file`, or a plain path) stands for. Raises Unavailable for anything else."""
    if "://" not in url:
        return _named(url, url)
    parts = parsed(url, "sqlite:///file or postgresql://…")
    if parts.drivername not in {"sqlite", "sqlite+pysqlite"} or parts.query:
        detail = "use a file's path, sqlite:///file without options, or postgresql://…"
        raise Unavailable(parts.render_as_string(hide_password=True), Trouble.UNSUPPORTED, detail)
    return _named(parts.database or "", url)


def _named(path: str, url: str) -> Path:
    if path in {"", ":memory:"} or "\0" in path:
        raise Unavailable(
            url, Trouble.UNSUPPORTED, "it has to be a file, so that what is acknowledged is on disk"
        )
    return Path(path).expanduser().absolute()


def engine_of(path: Path, trace: Callable[[str], None] | None, spans: Spans | None = None) -> Engine:
    """Return an engine over the file, which connects for reading; `become_writer` makes a connection the one that writes."""
    arguments: dict[str, Any] = {"check_same_thread": False}
    if spans is not None:
        arguments["factory"] = spanning_connection(spans)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args=arguments,
        pool_size=_KEPT_READERS,
        max_overflow=_MORE_READERS,
        pool_timeout=_WAIT_FOR_CONNECTION.total_seconds(),
        # Every transaction is ended by whoever began it.
        pool_reset_on_return=None,
    )

    @event.listens_for(engine, "connect")
    def tune(connection: sqlite3.Connection, _record: object) -> None:
        # Left to itself the driver would begin transactions late, and commit before each DDL statement.
        connection.isolation_level = None
        connection.set_trace_callback(trace)
        connection.set_progress_handler(is_out_of_time, _STEPS_BETWEEN_LOOKS)
        _set(connection, _READER_PRAGMAS)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Not by exec_driver_sql, which costs more than most reads.
        driver_of(connection).execute(
            "BEGIN IMMEDIATE" if connection.info.get("writes") else "BEGIN DEFERRED"
        )

    return engine


def become_writer(connection: Connection) -> None:
    """Tune a connection for writing. The journal is switched to WAL for good, for which nobody else may be at work."""
    connection.info["writes"] = True
    # What is written is written to its end, and may be for several who wait for it.
    driver_of(connection).set_progress_handler(None, 0)
    _set(driver_of(connection), (*_WRITER_PRAGMAS, "journal_mode=WAL"))


def is_in_transaction(connection: Connection) -> bool:
    """Whether the driver has a transaction open, which SQLAlchemy may take for ended."""
    return driver_of(connection).in_transaction


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Undo what the block has written when it raises, and nothing else of the transaction."""
    driver = driver_of(connection)
    driver.execute("SAVEPOINT operation")
    try:
        yield
    except BaseException:
        if driver.in_transaction:
            driver.execute("ROLLBACK TO operation")
            driver.execute("RELEASE operation")
        raise
    driver.execute("RELEASE operation")


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _set(connection: sqlite3.Connection, pragmas: tuple[str, ...]) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").close()


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Turn what the driver says of the file itself into Unavailable. What it says of statements passes through."""
    try:
        yield
    except PoolTimeout as error:
        detail = f"all {_KEPT_READERS + _MORE_READERS} of this process are in use; try again"
        raise Unavailable(str(path), Trouble.CROWDED, detail) from error
    except sqlite3.Error as error:
        _translate(error, path)
        raise
    except DBAPIError as error:
        _translate(error.orig, path)
        raise


def _translate(error: BaseException | None, path: Path) -> None:
    name: Any = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_INTERRUPT":
        check_time()
    for beginning, (trouble, advice) in _TROUBLES.items():
        if name.startswith(beginning):
            raise Unavailable(str(path), trouble, advice or str(error)) from error


_TROUBLES: Final = {
    "SQLITE_NOTADB": (Trouble.NOT_A_DATABASE, "choose another file, or move this one away"),
    "SQLITE_CORRUPT": (Trouble.DAMAGED, "restore a backup"),
    "SQLITE_READONLY": (Trouble.READ_ONLY, "make the file and its folder writable"),
    "SQLITE_PERM": (Trouble.READ_ONLY, "make the file and its folder writable"),
    "SQLITE_CANTOPEN": (Trouble.CANNOT_OPEN, "see that it is a file, in a folder that can be written"),
    "SQLITE_BUSY": (Trouble.BUSY, "another program holds it; try again, or end that program"),
    "SQLITE_PROTOCOL": (Trouble.BUSY, "too many began at the same time; try again"),
    "SQLITE_LOCKED": (Trouble.BUSY, "another program holds it; try again, or end that program"),
    "SQLITE_FULL": (Trouble.FULL, "free some space; nothing of this change was written"),
    "SQLITE_IOERR": (Trouble.FAILING, "see to the disk; nothing of this change was written"),
}
