"""Errors: counted by fingerprint, listed by when they were last seen."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from storage import error_groups
from storage.database import Connection, Database
from storage.error_groups import Sighting
from storage.monitoring_rows import ErrorGroupRow
from storage.monitoring_tables import ErrorFields
from tests.storage.world import LATER, NOW

HOUR = timedelta(hours=1)


def error(fingerprint: str, component: str = "solver", message: str = "") -> ErrorFields:
    return ErrorFields(
        fingerprint=fingerprint, code="GAVE_UP", component=component, message=message, sample=f"at {message}"
    )


def test_errors_of_one_fingerprint_are_one_group_with_the_last_of_them_as_sample(database: Database) -> None:
    def operation(connection: Connection) -> None:
        error_groups.record(connection, [error("f", message="1"), error("f", message="2")], now=NOW)
        error_groups.record(connection, [error("f", message="3")], now=LATER)
        error_groups.record(connection, [], now=LATER)

    database.write(operation)

    with database.read() as connection:
        (group,) = error_groups.page(connection, limit=9)
        assert error_groups.by_ids(connection, [group.id, group.id + 1]) == {group.id: group}
    assert group == ErrorGroupRow(group.id, "f", "GAVE_UP", "solver", "3", "at 3", 3, NOW, LATER)


def test_what_was_seen_before_is_counted_for_when_it_was_seen(database: Database) -> None:
    def operation(connection: Connection) -> None:
        error_groups.record(connection, [error("f", message="1")], now=NOW + HOUR)
        error_groups.record_all(
            connection,
            [Sighting(error("f", message="2"), 5, NOW, NOW + HOUR / 2), Sighting(error("g"), 2, NOW, NOW)],
        )

    database.write(operation)

    with database.read() as connection:
        of_f, of_g = error_groups.page(connection, limit=9)
    assert (of_f.count, of_f.first_seen_at, of_f.last_seen_at) == (6, NOW, NOW + HOUR)
    assert (of_g.count, of_g.first_seen_at, of_g.last_seen_at) == (2, NOW, NOW)


def test_errors_seen_by_many_at_once_are_all_counted(database: Database) -> None:
    def see(_number: int) -> None:
        database.write(lambda connection: error_groups.record(connection, [error("f"), error("g")], now=NOW))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(see, range(40)))

    with database.read() as connection:
        assert [row.count for row in error_groups.page(connection, limit=9)] == [40, 40]


@pytest.fixture
def populated(database: Database) -> Database:
    """Four groups: one and two of the solver, seen at the same moment, three of the scheduler, and four, seen last."""

    def operation(connection: Connection) -> None:
        error_groups.record(connection, [error("1"), error("2")], now=NOW)
        error_groups.record(connection, [error("3", "scheduler")], now=NOW - timedelta(hours=1))
        error_groups.record(connection, [error("4")], now=LATER)

    database.write(operation)
    return database


def test_what_was_seen_last_comes_first(populated: Database) -> None:
    with populated.read() as connection:
        everything = error_groups.page(connection, limit=9)
        first = error_groups.page(connection, limit=2)
        rest = error_groups.page(connection, limit=9, after=error_groups.place_of(first[-1]))
        of_solver = error_groups.page(connection, component="solver", limit=9)
        more = error_groups.page(
            connection, component="solver", limit=1, after=error_groups.place_of(of_solver[0])
        )
        counts = [error_groups.count(connection, component=name) for name in (None, "solver", "sol", "\0")]
        nothing = error_groups.page(connection, component="\0", limit=9)

    assert [row.fingerprint for row in everything] == ["4", "2", "1", "3"]
    assert first + rest == everything
    assert [row.fingerprint for row in of_solver] == ["4", "2", "1"]
    assert more == of_solver[1:2]
    assert counts == [4, 3, 0, 0]
    assert nothing == []


def test_what_was_not_seen_for_long_goes(populated: Database) -> None:
    with populated.read() as connection:
        older = [error_groups.is_any_older(connection, before=each) for each in (LATER, NOW - HOUR)]
    trimmed = [
        populated.write(lambda connection: error_groups.trim(connection, before=LATER, limit=2)).value
        for _ in range(2)
    ]

    with populated.read() as connection:
        assert [row.fingerprint for row in error_groups.page(connection, limit=9)] == ["4"]
    assert older == [True, False]
    assert trimmed == [2, 1]
