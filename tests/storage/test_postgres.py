"""PostgreSQL: what it says when it cannot serve, what is tried again, and that it comes back."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from storage import events, packages
from storage.database import Connection, Database
from storage.engines import postgres
from storage.engines.follower import Follower
from storage.errors import Trouble, Unavailable
from storage.events import Change
from storage.tables import EventKind, PackageFields, SubjectType
from tests.postgres import Postgres, migrated_database, new_database
from tests.storage.world import LATER, NOW, add_package

_CHANGE = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 1, "app")


@pytest.fixture
def url() -> Iterator[str]:
    with migrated_database() as made:
        yield made


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(Database.open(url)) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A server that a test may stop."""
    made = Postgres(durable=True)
    yield made
    made.remove()


def test_it_says_what_it_is_without_its_password(url: str) -> None:
    secret = make_url(url).set(password="hunter2").render_as_string(hide_password=False)

    with closing(Database.open(secret)) as database:
        assert database.describe().startswith("PostgreSQL 1")
        assert database.location.startswith("postgresql://postgres:***@/test_")


def test_an_empty_database_gets_its_tables_unless_it_is_only_to_be_found() -> None:
    with new_database() as empty:
        with pytest.raises(Unavailable) as refused:
            Database.open(empty, create=False)
        Database.open(empty).close()
        Database.open(empty, create=False).close()

    assert refused.value.trouble is Trouble.EMPTY


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("postgresql://me:hunter2@host:port/atlas", Trouble.UNSUPPORTED),
        ("postgresql://me:hunter2@/atlas?host=/nowhere", Trouble.UNREACHABLE),
        ("postgres://me:hunter2@127.0.0.1:1/atlas", Trouble.UNREACHABLE),
    ],
)
def test_a_url_that_leads_nowhere_is_refused_without_its_password(url: str, trouble: Trouble) -> None:
    with pytest.raises(Unavailable) as refused:
        Database.open(url)

    assert refused.value.trouble is trouble
    assert "hunter2" not in str(refused.value)


def test_a_database_that_is_not_there_is_named(url: str) -> None:
    with pytest.raises(Unavailable, match="does not exist: create it") as refused:
        Database.open(make_url(url).set(database="nowhere").render_as_string(hide_password=False))

    assert refused.value.trouble is Trouble.MISSING


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ('FATAL:  role "x" does not exist', Trouble.MISSING),
        ('FATAL:  password authentication failed for user "x"', Trouble.DENIED),
        ("FATAL:  sorry, too many clients already", Trouble.CROWDED),
        ("FATAL:  remaining connection slots are reserved", Trouble.CROWDED),
        ("connection refused", Trouble.UNREACHABLE),
    ],
)
def test_what_keeps_a_connection_from_being_made_is_told(said: str, trouble: Trouble) -> None:
    assert postgres._trouble_of_connecting(said)[0] is trouble


def test_a_snapshot_refuses_writes_of_any_form(database: Database) -> None:
    rows = [(number, PackageFields(name=f"p{number}")) for number in range(1, 100)]

    for some in (rows[:1], rows):
        with pytest.raises(Unavailable) as refused, database.read() as connection:
            packages.insert(connection, some, now=NOW)
        assert refused.value.trouble is Trouble.READ_ONLY


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("08006", Trouble.UNREACHABLE),
        ("53100", Trouble.FULL),
        ("53200", Trouble.CROWDED),
        ("57014", Trouble.SLOW),
        ("57P01", Trouble.UNREACHABLE),
        ("42501", Trouble.DENIED),
        ("XX001", Trouble.DAMAGED),
        ("58030", Trouble.DAMAGED),
    ],
)
def test_what_it_says_of_itself_is_told_as_such(database: Database, code: str, trouble: Trouble) -> None:
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$"

    for raw in (False, True):
        with pytest.raises(Unavailable) as refused:
            database.write(partial(_run, statement=statement, raw=raw))
        assert refused.value.trouble is trouble
    assert add_package(database, "next")


def _run(connection: Connection, statement: str, *, raw: bool) -> None:
    if raw:
        connection.connection.cursor().execute(statement)
    else:
        connection.exec_driver_sql(statement)


def test_a_mistake_in_a_statement_is_no_trouble_of_the_database(database: Database) -> None:
    for raw, expected in ((False, DBAPIError), (True, psycopg.Error)):
        with pytest.raises(expected), database.read() as connection:
            _run(connection, "SELECT * FROM nowhere", raw=raw)


def test_a_statement_that_takes_too_long_is_stopped(database: Database) -> None:
    def patient(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 10")
        connection.exec_driver_sql("SELECT pg_sleep(10)")

    with pytest.raises(Unavailable, match="ask for less") as refused:
        database.write(patient)

    assert refused.value.trouble is Trouble.SLOW


def test_one_who_waits_too_long_for_another_that_writes_alone_is_told(url: str) -> None:
    inside, done = threading.Event(), threading.Event()

    def alone(_connection: Connection) -> None:
        inside.set()
        done.wait(30)

    with (
        closing(Database.open(url, wait=timedelta(milliseconds=50))) as database,
        ThreadPoolExecutor(1) as threads,
    ):
        long = threads.submit(database.write, alone, alone=True)
        assert inside.wait(30)
        try:
            with pytest.raises(Unavailable) as refused:
                add_package(database, "app")
        finally:
            done.set()
        long.result()
        assert add_package(database, "app")

    assert refused.value.trouble is Trouble.BUSY


def test_writers_that_meet_are_tried_again_until_each_has_its_way(database: Database) -> None:
    id_ = add_package(database, "app", labels={"count": "0"})

    def increment(connection: Connection) -> None:
        row = packages.by_ids(connection, [id_])[id_]
        count = int(row.labels["count"]) + 1
        fields = PackageFields(name="app", labels={"count": str(count)})
        assert packages.update(connection, id_, fields, now=LATER)

    with ThreadPoolExecutor(4) as threads:
        for each in [threads.submit(database.write, increment) for _ in range(40)]:
            each.result()

    with database.read() as connection:
        assert packages.by_ids(connection, [id_])[id_].labels == {"count": "40"}


def test_writers_that_lock_each_other_out_are_tried_again(database: Database) -> None:
    ids = [add_package(database, name) for name in "ab"]
    both = threading.Barrier(2)
    first_time = {0: True, 1: True}

    def cross(mine: int) -> None:
        def operation(connection: Connection) -> None:
            _touch(connection, ids[mine])
            if first_time[mine]:
                first_time[mine] = False
                both.wait(30)
            _touch(connection, ids[1 - mine])

        database.write(operation)

    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(cross, number) for number in (0, 1)]:
            each.result()


def _touch(connection: Connection, id: int) -> None:
    connection.exec_driver_sql("UPDATE packages SET description = 'x' WHERE id = %s", (id,))


def test_of_two_that_add_the_same_key_the_second_sees_what_the_first_added(database: Database) -> None:
    both = threading.Barrier(2)
    rounds: dict[int, int] = {0: 0, 1: 0}

    def add(mine: int) -> str:
        def operation(connection: Connection) -> str:
            rounds[mine] += 1
            known = packages.by_name(connection, "app")
            if rounds[mine] == 1:
                both.wait(30)
            if known is not None:
                return "known"
            packages.insert(
                connection, [(next(packages.ids(connection)), PackageFields(name="app"))], now=NOW
            )
            return "added"

        return database.write(operation).value

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(add, (0, 1))) == ["added", "known"]


def test_a_key_that_is_there_each_time_is_told_in_the_end(database: Database) -> None:
    id_ = add_package(database, "app")

    with pytest.raises(psycopg.errors.UniqueViolation):
        database.write(
            lambda connection: packages.insert(connection, [(id_, PackageFields(name="other"))], now=NOW)
        )


def test_one_that_meets_another_every_time_is_told_in_the_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_LONGEST_PAUSE", 0.001)
    statement = "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"

    with pytest.raises(Unavailable, match="faster each time") as refused:
        database.write(lambda connection: _run(connection, statement, raw=True))

    assert refused.value.trouble is Trouble.BUSY


def test_when_every_connection_is_in_use_the_next_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_WAIT_FOR_CONNECTION", timedelta(milliseconds=50))

    with (
        closing(Database.open(url, connections=1)) as database,
        database.read(),
        pytest.raises(Unavailable, match="all 1 of this process are in use") as refused,
    ):
        database.cursor()

    assert refused.value.trouble is Trouble.CROWDED


def test_a_standby_is_told_from_a_database_that_takes_writes(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = make_url(url).database
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())

    with closing(Database.open(url)) as database:
        assert database.cursor() == 0
        with pytest.raises(Unavailable, match="a standby, or set to be read only") as refused:
            add_package(database, "app")

    assert refused.value.trouble is Trouble.READ_ONLY


def test_every_statement_can_be_traced(url: str) -> None:
    statements: list[str] = []
    rows = [(number, PackageFields(name=f"p{number}")) for number in range(1, 100)]

    with closing(Database.open(url, trace=statements.append)) as database:
        for some in (rows[:1], rows[1:]):
            database.write(partial(packages.insert, rows=some, now=NOW))
        with database.read() as connection:
            assert len(packages.names(connection)) == 99

    said = [statement.split()[0] for statement in statements]
    assert said[-1] == "SELECT"
    assert {"INSERT", "COPY"} <= set(said)


def test_it_may_go_away_and_come_back(server: Postgres) -> None:
    with closing(Database.open(server.url)) as database:
        add_package(database, "before")
        server.stop(signal.SIGQUIT)
        for attempt in (database.cursor, lambda: add_package(database, "lost"), database.describe):
            with pytest.raises(Unavailable) as refused:
                attempt()
            assert refused.value.trouble is Trouble.UNREACHABLE
        server.start()

        assert _in_time(lambda: add_package(database, "after"))
        written = database.write(lambda connection: events.append(connection, [_CHANGE], at=NOW))
        with database.read() as connection:
            assert packages.names(connection) == ["after", "before"]
        assert written.cursor == 1


def test_connections_that_broke_while_nobody_used_them_are_replaced(server: Postgres) -> None:
    with closing(Database.open(server.url)) as database:
        add_package(database, "before")
        server.stop(signal.SIGQUIT)
        server.start()

        # Within the moment that a connection is trusted for, and on one that was not closed at our end.
        assert add_package(database, "after")

        server.stop(signal.SIGQUIT)
        server.start()
        time.sleep(postgres._TRUSTED_SECONDS)
        assert database.cursor() == 0


def _in_time(attempt: Callable[[], int]) -> int:
    deadline = time.monotonic() + 10
    while True:
        try:
            return attempt()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def test_those_who_wait_to_write_leave_readers_their_connections(url: str) -> None:
    inside, done = threading.Event(), threading.Event()

    def alone(_connection: Connection) -> None:
        inside.set()
        done.wait(30)

    with closing(Database.open(url, connections=4)) as database, ThreadPoolExecutor(9) as threads:
        long = threads.submit(database.write, alone, alone=True)
        assert inside.wait(30)
        waiting = [threads.submit(add_package, database, f"p{number}") for number in range(8)]
        try:
            with database.read() as connection, database.glance():
                assert packages.names(connection) == []
        finally:
            done.set()
        long.result()
        assert len({each.result() for each in waiting}) == 8


def test_one_who_waits_too_long_among_those_who_write_is_told(url: str) -> None:
    inside, done = threading.Event(), threading.Event()

    def long_operation(_connection: Connection) -> None:
        inside.set()
        done.wait(30)

    wait = timedelta(milliseconds=50)
    with (
        closing(Database.open(url, connections=2, wait=wait)) as database,
        ThreadPoolExecutor(1) as threads,
    ):
        long = threads.submit(database.write, long_operation)
        assert inside.wait(30)
        with pytest.raises(Unavailable, match="others of this process wait to write") as refused:
            add_package(database, "app")
        done.set()
        long.result()

    assert refused.value.trouble is Trouble.BUSY


def test_what_is_not_of_the_catalogue_need_not_wait_for_whoever_has_that_alone(url: str) -> None:
    inside, done = threading.Event(), threading.Event()

    def alone(_connection: Connection) -> None:
        inside.set()
        done.wait(30)

    with closing(Database.open(url)) as database, ThreadPoolExecutor(1) as threads:
        long = threads.submit(database.write, alone, alone=True)
        assert inside.wait(30)
        written = database.write(
            lambda connection: events.append(connection, [_CHANGE], at=NOW), of_catalogue=False
        )
        done.set()
        long.result()

    assert written.cursor == 1


def test_a_batch_that_meets_the_same_keys_again_and_again_has_its_way_in_the_end(database: Database) -> None:
    rounds = [0]

    def add_all(connection: Connection) -> int:
        rounds[0] += 1
        known = packages.by_names(connection, [f"p{number}" for number in range(20)])
        if rounds[0] <= 3:
            # Another registers one of them meanwhile, until this one is alone.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(add_package, database, f"p{rounds[0]}").result()
        new = [PackageFields(name=f"p{number}") for number in range(20) if f"p{number}" not in known]
        ids = packages.ids(connection)
        packages.insert(connection, [(next(ids), fields) for fields in new], now=NOW)
        return len(new)

    assert database.write(add_all).value == 17
    assert rounds == [4]


def test_what_is_written_is_said_to_be_so_though_nobody_can_tell_its_place(database: Database) -> None:
    with (
        patch.object(Follower, "position_of", side_effect=psycopg.OperationalError("the connection broke")),
        pytest.raises(Unavailable, match="has written what was asked, but its place") as refused,
    ):
        database.write(lambda connection: events.append(connection, [_CHANGE], at=NOW))

    assert refused.value.trouble is Trouble.UNPLACED
    assert database.write(lambda connection: events.append(connection, [_CHANGE], at=NOW)).cursor == 2
