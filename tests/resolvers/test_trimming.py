"""Keeping the event log within bounds."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from resolvers import trimming
from resolvers.drafts import PublishRequest
from resolvers.subscriptions import EventSelection, Progress, Trimmed, read_events
from resolvers.trimming import Retention, trim_events
from resolvers.versions import publish
from storage.database import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = EventSelection()


@pytest.fixture
def database(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A log of six events, one a day, which is trimmed two at a time."""
    monkeypatch.setattr(trimming, "_CHUNK", 2)
    for day in range(5):
        publish(database, PublishRequest("a", str(day)), now=NOW + day * DAY)
    return database


def kept(database: Database, after: int) -> Sequence[int]:
    found = read_events(database, after, selection=ALL)
    assert isinstance(found, Progress)
    return [event.seq for event in found.events]


@pytest.mark.parametrize(
    ("retention", "left"),
    [
        (Retention(events=100, age=100 * DAY), [1, 2, 3, 4, 5, 6]),
        (Retention(events=4, age=100 * DAY), [3, 4, 5, 6]),
        (Retention(events=100, age=2 * DAY), [4, 5, 6]),
        (Retention(events=1, age=100 * DAY), [6]),
        (Retention(events=100, age=timedelta()), [6]),
    ],
)
def test_what_is_too_old_or_too_much_is_trimmed_but_the_newest_stays(
    database: Database, retention: Retention, left: Sequence[int]
) -> None:
    trimmed = trim_events(database, retention, now=NOW + 4 * DAY)

    assert trimmed == 6 - len(left)
    assert kept(database, left[0] - 1) == left
    assert trim_events(database, retention, now=NOW + 4 * DAY) == 0


def test_a_log_without_events_is_left_alone(database_url: str) -> None:
    opened = Database.open(database_url)

    assert trim_events(opened, Retention(1, timedelta()), now=NOW) == 0
    opened.close()


def test_a_reader_who_has_fallen_behind_is_told_and_goes_on_from_there(database: Database) -> None:
    trim_events(database, Retention(events=2, age=100 * DAY), now=NOW)

    assert read_events(database, 3, selection=ALL) == Trimmed(resume_from=4)
    assert read_events(database, 3, selection=EventSelection(kinds=frozenset())) == Trimmed(resume_from=4)
    assert kept(database, 4) == [5, 6]


def test_positions_go_on_after_all_but_the_newest_event_is_gone(database: Database) -> None:
    trim_events(database, Retention(events=1, age=100 * DAY), now=NOW)

    assert publish(database, PublishRequest("a", "9"), now=NOW).cursor == 7


def test_several_that_trim_at_once_trim_no_more_than_one_would(database: Database, database_url: str) -> None:
    for number in range(40):
        publish(database, PublishRequest("b", str(number)), now=NOW)
    counts: list[int] = []

    def trim() -> None:
        another = Database.open(database_url)
        counts.append(trim_events(another, Retention(events=7, age=100 * DAY), now=NOW))
        another.close()

    threads = [threading.Thread(target=trim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sum(counts) == 40
    assert kept(database, 40) == list(range(41, 48))
