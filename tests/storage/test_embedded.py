"""The embedded file: made, found, written to in turns, and what is said when it cannot serve."""

import fcntl
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from storage import dependencies, packages
from storage.database import Connection, Database
from storage.engines import sqlite
from storage.errors import Trouble, Unavailable
from storage.tables import PackageFields
from tests.storage.world import NOW, add_package, needs

_SOON = timedelta(milliseconds=50)


@contextmanager
def opened(path: Path, *, wait: timedelta = _SOON) -> Iterator[Database]:
    database = Database.open(str(path), wait=wait)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A file without rows."""
    with opened(tmp_path / "atlas.db") as made:
        yield made


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


def test_acknowledged_means_on_disk(database: Database) -> None:
    def pragma(connection: Connection, name: str) -> object:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    assert database.write(lambda connection: pragma(connection, "synchronous")).value == 2
    assert database.write(lambda connection: pragma(connection, "journal_mode")).value == "wal"
    assert database.write(lambda connection: pragma(connection, "foreign_keys")).value == 1


def test_every_statement_can_be_traced(tmp_path: Path) -> None:
    statements: list[str] = []
    database = Database.open(str(tmp_path / "atlas.db"), trace=statements.append)

    with database.read() as connection:
        packages.names(connection)

    assert [text.split()[0] for text in statements[-3:]] == ["BEGIN", "SELECT", "COMMIT"]
    database.close()


def test_a_glance_leaves_nothing_open_and_says_what_is_wrong(database: Database) -> None:
    with database.glance() as connection:
        # SQLAlchemy begins a transaction for this, in which the next glance would see nothing new.
        assert connection.exec_driver_sql("SELECT count(*) FROM packages").scalar() == 0
    add_package(database, "app")
    with database.glance() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM packages").scalar() == 1
    with pytest.raises(Unavailable) as refused, database.glance() as connection:
        connection.exec_driver_sql("DELETE FROM packages")

    assert refused.value.trouble is Trouble.READ_ONLY


def test_a_mistake_in_a_statement_is_no_trouble_of_the_file(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"), database.read() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    with pytest.raises(sqlite3.OperationalError, match="no such table"), database.read() as connection:
        connection.connection.cursor().execute("SELECT * FROM nowhere")


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
        ).value
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


def test_an_empty_file_is_no_database_that_could_be_found(tmp_path: Path) -> None:
    (tmp_path / "atlas.db").touch()

    with pytest.raises(Unavailable, match="is empty: import a catalogue into it") as refused:
        Database.open(str(tmp_path / "atlas.db"), create=False)

    assert refused.value.trouble is Trouble.EMPTY


def test_those_who_wait_longer_than_they_may_are_told_and_hold_up_nobody(tmp_path: Path) -> None:
    writing, done = threading.Event(), threading.Event()

    def long_operation(_connection: Connection) -> None:
        writing.set()
        done.wait(30)

    with opened(tmp_path / "atlas.db") as database, ThreadPoolExecutor(5) as threads:
        long = threads.submit(database.write, long_operation, alone=True)
        assert writing.wait(30)
        waiting = [threads.submit(add_package, database, f"p{number}") for number in range(4)]
        for each in waiting:
            assert isinstance(each.exception(), Unavailable)
        done.set()
        long.result()
        assert add_package(database, "app") == 1


def together(database: Database, *operations: Callable[[Connection], object]) -> list[BaseException | None]:
    """Have these share one transaction, in this order, and return what each raised."""
    writing, gathered = threading.Event(), threading.Event()
    queue = database._store._writer._queue  # type: ignore[attr-defined]

    def hold(_connection: Connection) -> None:
        writing.set()
        gathered.wait(30)

    def attempt(operation: Callable[[Connection], object]) -> BaseException | None:
        try:
            database.write(operation)
        except BaseException as error:
            return error
        return None

    with ThreadPoolExecutor(len(operations) + 1) as threads:
        first = threads.submit(database.write, hold)
        assert writing.wait(30)
        shared = []
        for operation in operations:
            shared.append(threads.submit(attempt, operation))
            while len(queue.waiting) < len(shared):
                time.sleep(0.001)
        gathered.set()
        first.result()
        return [each.result() for each in shared]


def adding(id: int) -> Callable[[Connection], None]:
    return partial(packages.insert, rows=[(id, PackageFields(name=f"p{id}"))], now=NOW)


def test_an_error_that_undoes_the_whole_transaction_fails_nobody_else(database: Database) -> None:
    def spoil(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")
        raise KeyError("spoilt")

    assert [type(error) for error in together(database, adding(1), spoil, adding(2))] == [
        type(None),
        KeyError,
        type(None),
    ]
    with database.read() as connection:
        assert packages.names(connection) == ["p1", "p2"]


def test_a_commit_that_one_of_a_group_spoils_fails_that_one(database: Database) -> None:
    def orphan(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        dependencies.insert(connection, [(1, 99, 0, needs("lib"))])

    assert [type(error) for error in together(database, adding(1), orphan, adding(2))] == [
        type(None),
        IntegrityError,
        type(None),
    ]
    with database.read() as connection:
        assert packages.names(connection) == ["p1", "p2"]


def test_an_interruption_reaches_one_thread_and_the_others_are_told_to_try_again(database: Database) -> None:
    def interrupted(_connection: Connection) -> None:
        raise KeyboardInterrupt

    errors = together(database, interrupted, adding(1))

    assert isinstance(errors[0], KeyboardInterrupt | Unavailable)
    assert isinstance(errors[1], KeyboardInterrupt | Unavailable)
    assert add_package(database, "next") == 1


def test_one_who_is_interrupted_while_waiting_holds_up_nobody(database: Database) -> None:
    writing, done = threading.Event(), threading.Event()

    def long_operation(_connection: Connection) -> None:
        writing.set()
        done.wait(30)

    writer = database._store._writer  # type: ignore[attr-defined]
    with ThreadPoolExecutor(1) as threads:
        long = threads.submit(database.write, long_operation)
        assert writing.wait(30)
        with (
            patch.object(writer._queue.changed, "wait", side_effect=KeyboardInterrupt),
            pytest.raises(KeyboardInterrupt),
        ):
            database.write(lambda _: None)
        done.set()
        long.result()

    assert add_package(database, "next") == 1


def test_a_timeout_of_ones_own_is_not_taken_for_that_of_the_turn(database: Database) -> None:
    def operation(_connection: Connection) -> None:
        raise TimeoutError("the network share does not answer")

    for alone in (False, True):
        with pytest.raises(TimeoutError, match="network share"):
            database.write(operation, alone=alone)


def test_when_every_connection_is_in_use_the_next_reader_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_KEPT_READERS", 1)
    monkeypatch.setattr(sqlite, "_MORE_READERS", 1)
    monkeypatch.setattr(sqlite, "_WAIT_FOR_CONNECTION", timedelta(milliseconds=50))

    with (
        opened(tmp_path / "atlas.db") as database,
        database.read(),
        pytest.raises(Unavailable, match="all 2 of this process are in use") as refused,
        database.read(),
    ):
        pass

    assert refused.value.trouble is Trouble.CROWDED


def test_what_interrupts_a_write_reaches_its_caller_and_leaves_nothing(database: Database) -> None:
    def operation(connection: Connection) -> None:
        packages.insert(connection, [(1, PackageFields(name="app"))], now=NOW)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.write(operation)

    with database.read() as connection:
        assert packages.names(connection) == []
    assert add_package(database, "next") == 1


def _as_nobody(script: str, path: Path) -> str:
    """Run a script on a database with no more rights than anyone has, and return what it prints."""
    program = (
        "import os, sys\n"
        "from storage import packages\n"
        "from storage.database import Database\n"
        "from storage.errors import Unavailable\n"
        "from tests.storage.world import add_package\n"
        "if os.geteuid() == 0:\n"
        "    os.seteuid(65534)\n"
        "try:\n"
        f"{textwrap.indent(script, '    ')}\n"
        "except Unavailable as error:\n"
        "    print(error.trouble.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True, cwd=os.getcwd()
    )
    return done.stdout.strip()


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everyone may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_file_that_may_not_be_written_is_read_and_says_why_it_is_not_written(public: Path) -> None:
    path = public / "atlas.db"
    with opened(path) as database:
        add_package(database, "app")
        # Held open, so that what readers need beside the file is there.
        told = _as_nobody(
            "database = Database.open(sys.argv[1])\n"
            "with database.read() as connection:\n"
            "    print(packages.names(connection))\n"
            "add_package(database, 'lost')",
            path,
        )
        assert add_package(database, "next") == 2

    assert told.splitlines() == ["['app']", "READ_ONLY"]


def test_a_folder_that_may_not_be_written_is_named_as_the_trouble(public: Path) -> None:
    with opened(public / "atlas.db"):
        pass
    public.chmod(0o555)

    assert _as_nobody("Database.open(sys.argv[1])", public / "atlas.db") == "READ_ONLY"
    assert _as_nobody("Database.open(sys.argv[1])", public / "new.db") == "CANNOT_OPEN"


def test_a_disk_that_is_full_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    script = (
        "import resource, signal, sys\n"
        "from storage.database import Database\n"
        "from storage.errors import Unavailable\n"
        "from tests.storage.world import add_package\n"
        "database = Database.open(sys.argv[1])\n"
        # No file may grow past this: to the program that writes, a full disk.
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "done = 0\n"
        "try:\n"
        "    for done in range(100_000):\n"
        "        add_package(database, f'p{done}', description='x' * 9_000)\n"
        "except Unavailable as error:\n"
        "    print(done, error.trouble.name)\n"
    )

    told = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True, cwd=os.getcwd()
    ).stdout.split()

    with opened(path) as database, database.read() as connection:
        assert len(packages.names(connection)) == int(told[0]) > 0
    assert told[1] in {"FULL", "FAILING"}
