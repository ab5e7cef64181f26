"""Opening, reading, writing in turns, and what is said when the file cannot serve."""

import fcntl
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from storage import dependencies, events, packages
from storage.database import Connection, Database
from storage.errors import Trouble, Unavailable
from storage.events import Change
from storage.tables import EventKind, PackageFields, SubjectType
from tests.storage.world import NOW, add_package, needs

_SOON = timedelta(milliseconds=50)


@contextmanager
def opened(path: Path, *, wait: timedelta = _SOON) -> Iterator[Database]:
    database = Database.open(str(path), wait=wait)
    try:
        yield database
    finally:
        database.close()


def test_a_database_is_made_with_its_folder_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "atlas.db"

    with opened(path) as database:
        add_package(database, "app")
    with opened(path) as database, database.read() as connection:
        assert packages.names(connection) == ["app"]


def test_a_database_that_is_only_to_be_found_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "atlas.db"

    with pytest.raises(Unavailable, match="does not exist") as refused:
        Database.open(str(path), create=False)

    assert refused.value.trouble is Trouble.MISSING
    assert not path.parent.exists()
    with opened(path):
        Database.open(str(path), create=False).close()


def test_a_url_and_a_path_name_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"

    database = Database.open(f"sqlite:///{path}")

    assert database.location == str(path)
    database.close()


def test_it_says_what_it_is(database: Database) -> None:
    assert database.describe() == f"SQLite {sqlite3.sqlite_version}"
    assert database.revision == "0001"


def test_acknowledged_means_on_disk(database: Database) -> None:
    def pragma(connection: Connection, name: str) -> object:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    assert database.write(lambda connection: pragma(connection, "synchronous")) == 2
    assert database.write(lambda connection: pragma(connection, "journal_mode")) == "wal"
    assert database.write(lambda connection: pragma(connection, "foreign_keys")) == 1


def test_every_statement_can_be_traced(tmp_path: Path) -> None:
    statements: list[str] = []
    database = Database.open(str(tmp_path / "atlas.db"), trace=statements.append)

    with database.read() as connection:
        packages.names(connection)

    assert [text.split()[0] for text in statements[-3:]] == ["BEGIN", "SELECT", "COMMIT"]
    database.close()


def test_a_snapshot_does_not_see_what_is_written_meanwhile(database: Database) -> None:
    with database.read() as before:
        assert packages.names(before) == []
        add_package(database, "app")

        assert packages.names(before) == []
        with database.read() as after:
            assert packages.names(after) == ["app"]


def test_nothing_can_be_written_through_a_snapshot(database: Database) -> None:
    def write() -> None:
        with database.read() as connection:
            packages.insert(connection, [(1, PackageFields(name="app"))], now=NOW)

    with pytest.raises(Unavailable) as refused:
        write()

    assert refused.value.trouble is Trouble.READ_ONLY


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    class Oops(Exception):
        pass

    def operation(connection: Connection) -> None:
        packages.insert(connection, [(1, PackageFields(name="app"))], now=NOW)
        raise Oops

    with pytest.raises(Oops):
        database.write(operation)

    with database.read() as connection:
        assert packages.names(connection) == []
    assert add_package(database, "next") == 1


def test_a_write_inside_a_write_is_a_mistake_that_is_told(database: Database) -> None:
    with pytest.raises(RuntimeError, match="may not be started inside another"):
        database.write(lambda _: database.write(lambda _: None))

    assert add_package(database, "next") == 1


def test_a_mistake_in_a_statement_is_no_trouble_of_the_file(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"), database.read() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    with pytest.raises(sqlite3.OperationalError, match="no such table"), database.read() as connection:
        connection.connection.cursor().execute("SELECT * FROM nowhere")


def test_the_cursor_is_the_position_of_the_newest_event(database: Database) -> None:
    change = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 1, "app")
    assert database.cursor() == 0

    position = database.write(lambda connection: events.append(connection, [change, change], at=NOW))

    assert position == 2
    assert database.cursor() == 2


def test_threads_take_turns_at_writing_and_all_get_theirs(database: Database) -> None:
    names = [f"p{number:03}" for number in range(100)]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: add_package(database, name), names))

    with database.read() as connection:
        assert packages.names(connection) == names
        assert {row.id for row in packages.by_names(connection, names).values()} == set(range(1, 101))


def _write_many(path: str, prefix: str, count: int) -> None:
    with opened(Path(path), wait=timedelta(seconds=60)) as database:
        for number in range(count):
            add_package(database, f"{prefix}{number}")


def test_processes_take_turns_at_writing_and_all_get_theirs(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_many, args=(str(path), prefix, 40)) for prefix in "ab"]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0]
    with opened(path) as database, database.read() as connection:
        assert len(packages.names(connection)) == 80


def test_a_thread_that_waits_too_long_for_its_turn_is_told(tmp_path: Path) -> None:
    writing, done = threading.Event(), threading.Event()

    def long_operation(_connection: Connection) -> None:
        writing.set()
        done.wait(30)

    with opened(tmp_path / "atlas.db") as database, ThreadPoolExecutor(1) as threads:
        long = threads.submit(database.write, long_operation)
        writing.wait(30)
        try:
            with pytest.raises(Unavailable, match=r"not free within 0\.05 s") as refused:
                add_package(database, "app")
        finally:
            done.set()
        long.result()
        assert add_package(database, "app") == 1
    assert refused.value.trouble is Trouble.BUSY


def test_a_process_that_waits_too_long_for_its_turn_is_told(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"

    with opened(path) as database, Path(f"{path}.lock").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Unavailable) as refused:
            add_package(database, "app")
        fcntl.flock(other, fcntl.LOCK_UN)

        assert refused.value.trouble is Trouble.BUSY
        assert add_package(database, "app") == 1


def test_another_program_that_holds_the_file_is_named_as_the_trouble(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"

    with opened(path) as database:
        database.write(lambda connection: connection.exec_driver_sql("SELECT 1"))
        database.write(_impatient)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable) as refused:
                add_package(database, "app")
            other.execute("ROLLBACK")

        assert refused.value.trouble is Trouble.BUSY
        assert add_package(database, "app") == 1


def _impatient(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA busy_timeout = 10")


def _with_an_old_journal(path: Path) -> None:
    with opened(path):
        pass
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = DELETE")


def test_a_writer_that_could_not_be_made_is_made_anew_and_lends_its_rights_to_no_reader(
    tmp_path: Path,
) -> None:
    path = tmp_path / "atlas.db"
    _with_an_old_journal(path)

    with opened(path) as database:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(Unavailable) as refused:
                add_package(database, "app")
            other.execute("ROLLBACK")

        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
        assert add_package(database, "app") == 1
        journal = database.write(
            lambda connection: connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        )
    assert refused.value.trouble is Trouble.BUSY
    assert journal == "wal"


def test_a_commit_that_fails_leaves_the_next_write_a_clean_start(database: Database) -> None:
    def orphan(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        dependencies.insert(connection, [(1, 99, 0, needs("lib"))])

    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        database.write(orphan)

    assert add_package(database, "next") == 1
    with database.read() as connection:
        assert dependencies.by_ids(connection, [1]) == {}


def test_a_full_disk_loses_only_the_change_that_did_not_fit(database: Database) -> None:
    add_package(database, "small")

    def limit(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    database.write(limit)
    with pytest.raises(Unavailable) as refused:
        database.write(
            lambda connection: packages.insert(
                connection,
                [
                    (number, PackageFields(name=f"p{number}", description="x" * 9_000))
                    for number in range(10, 99)
                ],
                now=NOW,
            )
        )

    assert refused.value.trouble is Trouble.FULL
    with database.read() as connection:
        assert packages.names(connection) == ["small"]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"dear diary, " * 1000)

    with pytest.raises(Unavailable, match="is not a Buildatlas database: choose another file") as refused:
        Database.open(str(path))

    assert refused.value.trouble is Trouble.NOT_A_DATABASE
    assert path.read_bytes() == b"dear diary, " * 1000


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        Database.open(str(tmp_path))

    assert refused.value.trouble is Trouble.CANNOT_OPEN


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="its folder cannot be made: File exists"):
        Database.open(str(tmp_path / "file" / "atlas.db"))


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    Path(f"{path}.lock").mkdir()

    with pytest.raises(Unavailable, match=r"atlas\.db\.lock cannot be opened: Is a directory") as refused:
        Database.open(str(path))

    assert refused.value.trouble is Trouble.READ_ONLY


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "has to be a file"),
        ("sqlite:///:memory:", "has to be a file"),
        (":memory:", "has to be a file"),
        ("", "has to be a file"),
        ("bad\0path", "has to be a file"),
        ("sqlite:///file?mode=ro", "without options"),
        ("mysql://root:hunter2@db/atlas", "use a file's path"),
        ("mysql://root:hunter2@db:port/atlas", "no database URL"),
    ],
)
def test_a_url_that_cannot_be_served_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(Unavailable, match=message) as refused:
        Database.open(url)

    assert refused.value.trouble is Trouble.UNSUPPORTED
    assert "hunter2" not in str(refused.value)


def test_a_killed_writer_leaves_neither_a_lock_nor_half_a_change(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    with opened(path) as database:
        add_package(database, "kept")
    script = (
        "import os, sys\n"
        "from storage import packages\n"
        "from storage.database import Database\n"
        "from storage.tables import PackageFields\n"
        "from tests.storage.world import NOW\n"
        "def operation(connection):\n"
        "    packages.insert(connection, [(7, PackageFields(name='lost'))], now=NOW)\n"
        "    os.kill(os.getpid(), 9)\n"
        "Database.open(sys.argv[1]).write(operation)\n"
    )

    killed = subprocess.run([sys.executable, "-c", script, path], check=False, cwd=os.getcwd())

    assert killed.returncode == -9
    with opened(path) as database:
        assert add_package(database, "next") == 2
        with database.read() as connection:
            assert packages.names(connection) == ["kept", "next"]
