"""What holds of every database: snapshots, and writes that are done whole or not at all."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest

from storage import events, packages, upgrade
from storage.database import Connection, Database
from storage.errors import Trouble, Unavailable
from storage.events import Change
from storage.tables import EventKind, PackageFields, SubjectType
from tests.storage.world import NOW, add_package


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
    assert add_package(database, "next") >= 1


def test_a_write_inside_a_write_is_a_mistake_that_is_told(database: Database) -> None:
    with pytest.raises(RuntimeError, match="may not be started inside another"):
        database.write(lambda _: database.write(lambda _: None))

    assert add_package(database, "next") == 1


def test_the_cursor_is_the_position_of_the_newest_event(database: Database) -> None:
    change = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 1, "app")
    assert database.cursor() == 0

    written = database.write(lambda connection: events.append(connection, [change, change], at=NOW))

    assert written.cursor == 2
    assert database.cursor() == 2
    assert database.write(lambda _: "nothing").cursor == 2


def test_threads_take_turns_at_writing_and_all_get_theirs(database: Database) -> None:
    names = [f"p{number:03}" for number in range(100)]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: add_package(database, name), names))

    with database.read() as connection:
        assert packages.names(connection) == names
        assert len({row.id for row in packages.by_names(connection, names).values()}) == 100


def test_it_says_how_new_its_tables_are(database: Database) -> None:
    assert database.revision == upgrade.HEAD


def test_a_glance_sees_what_has_been_written_meanwhile(database: Database) -> None:
    with database.glance() as connection:
        assert packages.names(connection) == []
        add_package(database, "app")

        assert packages.names(connection) == ["app"]


@pytest.mark.parametrize("alone", [False, True])
def test_a_write_of_either_kind_returns_its_value_and_its_place(database: Database, alone: bool) -> None:
    change = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 1, "app")

    def operation(connection: Connection) -> str:
        events.append(connection, [change], at=NOW)
        return "done"

    first, second = (database.write(operation, alone=alone) for _ in range(2))

    assert (first.value, first.cursor, second.cursor) == ("done", 1, 2)


def test_threads_that_write_events_each_get_the_place_of_their_own(database: Database) -> None:
    def write(number: int) -> int:
        change = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, number, f"p{number}")
        return database.write(lambda connection: events.append(connection, [change], at=NOW)).cursor

    with ThreadPoolExecutor(8) as threads:
        places = list(threads.map(write, range(200)))

    with database.read() as connection:
        log = events.after(connection, 0, limit=1000)
    assert [row.seq for row in log] == list(range(1, 201))
    assert {row.seq: row.subject_id for row in log} == {place: number for number, place in enumerate(places)}


def test_of_writes_that_gather_one_that_fails_fails_alone(database: Database) -> None:
    def write(number: int) -> int:
        def operation(connection: Connection) -> int:
            packages.insert(connection, [(number, PackageFields(name=f"p{number}"))], now=NOW)
            if number % 3 == 0:
                raise KeyError(number)
            return number

        try:
            return database.write(operation).value
        except KeyError as error:
            return -int(error.args[0])

    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(write, range(1, 101)))

    assert results == [-number if number % 3 == 0 else number for number in range(1, 101)]
    with database.read() as connection:
        assert {row.id for row in packages.by_ids(connection, range(200)).values()} == {
            number for number in range(1, 101) if number % 3
        }


def test_one_alone_waits_for_those_before_it_and_those_after_wait_for_it(database: Database) -> None:
    order: list[str] = []
    inside, done = threading.Event(), threading.Event()

    def alone(connection: Connection) -> None:
        packages.insert(connection, [(1, PackageFields(name="alone"))], now=NOW)
        inside.set()
        done.wait(30)
        order.append("alone")

    def after(connection: Connection) -> None:
        # It sees what was written alone, however long it has waited for it.
        order.extend(packages.names(connection))

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(database.write, alone, alone=True)
        assert inside.wait(30)
        second = threads.submit(database.write, after)
        assert not second.done()
        done.set()
        first.result()
        second.result()

    assert order == ["alone", "alone"]


def test_those_who_watch_are_told_of_every_move_until_they_stop(database: Database) -> None:
    change = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 1, "app")
    told: list[int] = []
    moved = threading.Condition()

    def seen(position: int) -> None:
        with moved:
            told.append(position)
            moved.notify_all()

    stop = database.watch(seen)
    for place in (1, 2):
        database.write(lambda connection: events.append(connection, [change], at=NOW))
        with moved:
            assert moved.wait_for(partial(_is_last, told, place), timeout=10)
    stop()
    database.write(lambda connection: events.append(connection, [change], at=NOW))

    assert told[-1] == 2
    assert told == sorted(told)


def _is_last(told: list[int], place: int) -> bool:
    return told[-1] == place


def test_one_who_watches_is_told_of_what_another_process_wrote(database_url: str) -> None:
    change = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 1, "app")
    told = threading.Event()
    with closing(Database.open(database_url)) as watched, closing(Database.open(database_url)) as other:
        watched.watch(lambda position: told.set() if position else None)
        other.write(lambda connection: events.append(connection, [change], at=NOW))

        assert told.wait(10)


def test_a_watcher_that_fails_keeps_no_other_from_being_told(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    change = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 1, "app")
    told = threading.Event()

    def failing(position: int) -> None:
        if position:
            raise KeyError(position)

    database.watch(failing)
    database.watch(lambda position: told.set() if position else None)
    database.write(lambda connection: events.append(connection, [change], at=NOW))

    assert told.wait(10)
    assert "a watcher of the event log failed" in caplog.text
