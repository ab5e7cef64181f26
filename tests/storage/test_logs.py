"""Logs: lines from a place on, however they were sent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import logs
from storage.build_rows import LogLine
from storage.build_tables import LogFields
from storage.database import Connection, Database
from storage.logs import LogPlace
from tests.storage.build_world import add_build, add_run, add_versions
from tests.storage.world import LATER, NOW


@pytest.fixture(scope="module")
def world(kept_database: Database) -> tuple[Database, int, int, int]:
    """A build with two attempts of five and two lines, sent by turns, another with one line, and one with none."""
    versions, run = add_versions(kept_database, "app", "lib", "zip"), add_run(kept_database)
    app, lib, zip_ = (add_build(kept_database, run, version) for version in versions.values())

    def operation(connection: Connection) -> None:
        logs.append(connection, app, 1, [batch(0, "a", "b"), batch(2, "")], now=NOW)
        logs.append(connection, app, 2, [batch(0, "x", "y")], now=LATER)
        logs.append(connection, app, 1, [batch(3, "c", "d")], now=NOW)
        logs.append(connection, lib, 1, [batch(0, "one")], now=NOW)

    kept_database.write(operation)
    return kept_database, app, lib, zip_


def batch(first_line: int, *lines: str) -> LogFields:
    return LogFields(first_line=first_line, line_count=len(lines), text="\n".join(lines))


_ALL = [
    *(LogLine(1, number, NOW, text) for number, text in enumerate(["a", "b", "", "c", "d"])),
    *(LogLine(2, number, LATER, text) for number, text in enumerate("xy")),
]


def test_all_lines_come_in_order(world: tuple[Database, int, int, int]) -> None:
    database, app, lib, zip_ = world

    with database.read() as connection:
        pages = logs.pages_of(connection, [app, lib, zip_], limit=99)

    assert pages == {app: _ALL, lib: [LogLine(1, 0, NOW, "one")], zip_: []}


@settings(deadline=None)  # a busy machine takes its time
@given(st.integers(1, 8), st.integers(0, len(_ALL)))
def test_a_page_is_the_lines_that_follow_a_place(
    world: tuple[Database, int, int, int], limit: int, read: int
) -> None:
    database, app, _, _ = world
    place = LogPlace(_ALL[read - 1].attempt, _ALL[read - 1].number) if read else None

    with database.read() as connection:
        pages = logs.pages_of(connection, [app], limit=limit, after=place)

    assert pages[app] == _ALL[read : read + limit]


def test_the_next_line_has_the_number_of_those_that_are_there(world: tuple[Database, int, int, int]) -> None:
    database, app, lib, zip_ = world

    with database.read() as connection:
        lengths = [logs.length(connection, *which) for which in ((app, 1), (app, 2), (lib, 1), (zip_, 1))]

    assert lengths == [5, 2, 1, 0]
