"""The event log: in order, without gaps, and from any place on."""

from datetime import datetime

import pytest

from storage import events
from storage.database import Database
from storage.events import Change
from storage.rows import EventRow
from storage.tables import EventKind, SubjectType
from tests.storage.world import LATER, NOW

_APP = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 7, "app")
_APP_1 = Change(EventKind.VERSION_PUBLISHED, SubjectType.VERSION, 8, "app", "1.0")
_LIB = Change(EventKind.PACKAGE_DELETED, SubjectType.PACKAGE, 9, "lib")


def _append(database: Database, *changes: Change) -> int:
    return database.write(lambda connection: events.append(connection, changes, at=NOW)).cursor


def test_events_are_numbered_without_a_gap_in_the_order_they_happened(database: Database) -> None:
    assert _append(database) == 0
    assert _append(database, _APP, _APP_1) == 2
    assert _append(database, _LIB) == 3

    with database.read() as connection:
        log = events.after(connection, 0, limit=10)
        assert (events.oldest(connection), events.newest(connection)) == (1, 3)
    assert log == [
        EventRow(1, NOW, EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 7, "app", None),
        EventRow(2, NOW, EventKind.VERSION_PUBLISHED, SubjectType.VERSION, 8, "app", "1.0"),
        EventRow(3, NOW, EventKind.PACKAGE_DELETED, SubjectType.PACKAGE, 9, "lib", None),
    ]


def test_an_empty_log_has_neither_an_oldest_nor_a_newest_event(database: Database) -> None:
    with database.read() as connection:
        assert (events.oldest(connection), events.newest(connection)) == (None, 0)


@pytest.mark.parametrize(
    ("cursor", "limit", "kinds", "packages", "expected"),
    [
        (0, 2, None, None, [1, 2]),
        (2, 2, None, None, [3]),
        (3, 2, None, None, []),
        (0, 9, [EventKind.PACKAGE_CHANGED, EventKind.PACKAGE_DELETED], None, [1, 3]),
        (0, 9, None, ["app"], [1, 2]),
        (1, 9, [EventKind.VERSION_PUBLISHED], ["app", "lib"], [2]),
        (0, 9, [], None, []),
        (0, 9, None, ["App", "app\ud800"], []),
    ],
)
def test_a_reader_gets_what_comes_after_its_cursor_and_matches(
    database: Database,
    cursor: int,
    limit: int,
    kinds: list[EventKind] | None,
    packages: list[str] | None,
    expected: list[int],
) -> None:
    _append(database, _APP, _APP_1, _LIB)

    with database.read() as connection:
        found = events.after(connection, cursor, limit=limit, kinds=kinds, packages=packages)

    assert [row.seq for row in found] == expected


def test_old_events_and_those_past_a_number_are_trimmed_and_the_newest_stays(database: Database) -> None:
    def trim(before: datetime, keep: int, limit: int = 100) -> int:
        return database.write(
            lambda connection: events.trim(connection, before=before, keep=keep, limit=limit)
        ).value

    def kept() -> list[int]:
        with database.read() as connection:
            return [row.seq for row in events.after(connection, 0, limit=100)]

    assert trim(LATER, keep=0) == 0
    _append(database, *[_APP] * 6)

    assert trim(NOW, keep=6) == 0
    assert trim(NOW, keep=4) == 2
    assert kept() == [3, 4, 5, 6]
    assert trim(LATER, keep=4, limit=1) == 1
    assert kept() == [4, 5, 6]
    assert trim(LATER, keep=4) == 2
    assert kept() == [6]
    assert trim(LATER, keep=0) == 0
    assert _append(database, _LIB) == 7
