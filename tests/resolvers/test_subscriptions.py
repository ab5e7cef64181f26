"""Reading the event log from a place."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text

from resolvers.drafts import PublishRequest
from resolvers.subscriptions import EventSelection, Progress, Told, Trimmed, Wanted, read_events
from resolvers.versions import publish
from storage.database import Database
from storage.events import Change, append
from storage.tables import EventKind, SubjectType

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALL = EventSelection()


@pytest.fixture
def database(database: Database) -> Database:
    for version in ("1", "2", "3"):
        publish(database, PublishRequest("a", version), now=NOW)
    publish(database, PublishRequest("b", "1"), now=NOW)
    return database


def read(
    database: Database, after: int, selection: EventSelection = ALL, limit: int = 10
) -> tuple[list[int], int]:
    progress = read_events(database, after, selection=selection, limit=limit)
    assert isinstance(progress, Progress)
    return [event.seq for event in progress.events], progress.position


def test_a_reader_gets_what_comes_after_its_place_up_to_the_limit(database: Database) -> None:
    assert read(database, 0, limit=4) == ([1, 2, 3, 4], 4)
    assert read(database, 4, limit=4) == ([5, 6], 6)
    assert read(database, 6, limit=4) == ([], 6)


def test_a_reader_need_not_look_again_through_what_did_not_fit(database: Database) -> None:
    assert read(database, 0, EventSelection(packages=frozenset({"b"}))) == ([5, 6], 6)
    assert read(database, 0, EventSelection(kinds=frozenset({EventKind.PACKAGE_DELETED}))) == ([], 6)
    assert read(database, 0, EventSelection(packages=frozenset({"a"})), limit=2) == ([1, 2], 2)


@pytest.mark.parametrize(
    "selection", [EventSelection(kinds=frozenset()), EventSelection(packages=frozenset())]
)
def test_a_selection_of_nothing_is_at_the_end_at_once(database: Database, selection: EventSelection) -> None:
    assert read(database, 0, selection) == ([], 6)


def test_a_reader_whose_next_event_was_trimmed_is_told_where_to_go_on(database: Database) -> None:
    def trim(connection: Connection) -> None:
        connection.execute(text("DELETE FROM events WHERE seq <= 3"))

    database.write(trim)

    assert read_events(database, 2, selection=ALL) == Trimmed(3)
    assert read(database, 3) == ([4, 5, 6], 6)


def test_a_reader_of_one_run_gets_what_is_about_it(database: Database) -> None:
    told = [Change(EventKind.RUN_CHANGED, SubjectType.RUN, run, run_id=run) for run in (7, 8)]
    database.write(lambda connection: append(connection, told, at=NOW))

    assert read(database, 0, EventSelection(run=8)) == ([8], 8)


def test_the_changes_of_state_come_with_the_events_only_when_asked_for(database: Database) -> None:
    with_them = read_events(database, 4, selection=ALL, wanted=Wanted(transitions=True))
    without = read_events(database, 4, selection=ALL)
    none = read_events(database, 6, selection=ALL, wanted=Wanted(transitions=True))

    assert isinstance(with_them, Progress)
    assert isinstance(without, Progress)
    assert [with_them.told.transitions[event.transition_id or 0].target for event in with_them.events] == [
        "ACTIVE",
        "PUBLISHED",
    ]
    assert without == Progress(with_them.events, 6, Told())
    assert none == Progress((), 6, Told())
