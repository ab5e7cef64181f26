"""What a server does by itself."""

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from buildatlas import chores
from buildatlas.settings import Settings
from resolvers.recovery import Recovery
from resolvers.subscriptions import EventSelection, Trimmed, read_events
from resolvers.trimming import trim_events
from storage.database import Database
from storage.errors import Trouble, Unavailable
from tests.api.processes import wait_until
from tests.resolvers.build_world import World

FULL: Final = Unavailable("atlas.db", Trouble.FULL, "make room")
MINUTE: Final = timedelta(minutes=1)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url)


@pytest.fixture(autouse=True)
def _timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the timers go off a hundred times as often."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.01)
    monkeypatch.setattr(chores, "_TRIM_SECONDS", 1)


def let_fall(database: Database) -> World:
    """Have a worker take a build long ago, of which it was never heard again."""
    world = World.of(database, "lib 1")
    world.now = datetime.now(UTC) - timedelta(hours=1)
    world.start("lib")
    world.claim(lease=MINUTE)
    return world


def do_chores(world: World, settings: Settings, *steps: Callable[[], bool]) -> None:
    """Do them until one thing after the other has come about."""

    async def story() -> None:
        async with chores.chores(world.atlas, settings):
            for is_so in steps:
                await asyncio.to_thread(wait_until, is_so)

    asyncio.run(story())


def is_queued(world: World) -> Callable[[], bool]:
    return lambda: world.states(1) == {"lib": "QUEUED"}


class FailsAtFirst:
    """A chore that does what it should from the third time on."""

    def __init__(self, chore: Callable[..., int], error: Exception) -> None:
        self.chore = chore
        self.error = error
        self.times = 0

    def __call__(self, *given: Any, **more: Any) -> int:
        self.times += 1
        if self.times < 3:
            raise self.error
        return self.chore(*given, **more)


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelno) == ("buildatlas.chores", level)
    ]


def test_what_has_been_let_fall_is_recovered_at_once(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("random.uniform", lambda *_: 1_000.0)
    world = let_fall(database)

    do_chores(world, settings, is_queued(world))

    assert [(record.getMessage(), vars(record)["builds"]) for record in caplog.records] == [
        ("builds are recovered", 1)
    ]


def test_what_is_let_fall_later_is_recovered_by_the_timer(database: Database, settings: Settings) -> None:
    world = let_fall(database)

    def is_taken_again() -> bool:
        return world.claim(lease=MINUTE) == ["lib"]

    do_chores(world, settings, is_queued(world), is_taken_again, is_queued(world))

    assert world.build("lib").attempt == 2


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (FULL, logging.WARNING, f"builds are not recovered: {FULL}"),
        (KeyError("odd"), logging.ERROR, "recovery has failed"),
    ],
)
def test_a_recovery_that_fails_is_told_and_tried_again(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    level: int,
    said: str,
) -> None:
    world = let_fall(database)
    run = FailsAtFirst(Recovery(world.atlas).run, error)
    monkeypatch.setattr(Recovery, "run", lambda _, **given: run(**given))

    do_chores(world, settings, is_queued(world))

    assert messages(caplog, level) == [said, said]


def is_trimmed(database: Database) -> Callable[[], bool]:
    """Return whether nothing but the newest event is there."""
    last = database.cursor()
    return lambda: read_events(database, 0, selection=EventSelection()) == Trimmed(last - 1)


def test_old_events_are_trimmed_by_the_timer(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = World.of(database, "lib 1\ntool 1")

    do_chores(world, dataclasses.replace(settings, events_kept=1), is_trimmed(database))

    told = [record for record in caplog.records if record.getMessage() == "old events are trimmed"]
    assert [vars(record)["events"] for record in told] == [database.cursor() - 1]


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (FULL, logging.WARNING, f"old events are not trimmed: {FULL}"),
        (KeyError("odd"), logging.ERROR, "trimming has failed"),
    ],
)
def test_a_log_that_cannot_be_trimmed_is_told_and_tried_again(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    level: int,
    said: str,
) -> None:
    world = World.of(database, "lib 1\ntool 1")
    monkeypatch.setattr(chores, "trim_events", FailsAtFirst(trim_events, error))

    do_chores(world, dataclasses.replace(settings, events_kept=1), is_trimmed(database))

    assert messages(caplog, level) == [said, said]


def test_where_there_is_nothing_to_do_nothing_is_said_or_written(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    times = {"recovery": 0, "trimming": 0}
    run = Recovery.run

    def recover(recovery: Recovery, *, now: datetime) -> int:
        times["recovery"] += 1
        return run(recovery, now=now)

    def trim(*given: Any, **more: Any) -> int:
        times["trimming"] += 1
        return trim_events(*given, **more)

    monkeypatch.setattr(Recovery, "run", recover)
    monkeypatch.setattr(chores, "trim_events", trim)
    statements: list[str] = []
    with closing(Database.open(settings.database_url, trace=statements.append)) as database:
        world = World.of(database, "lib 1")
        world.now = datetime.now(UTC)
        world.start("lib")
        world.claim()
        statements.clear()
        # The catalogue is from some time ago; and that alerts are being evaluated is a measurement, which is written.
        idle = dataclasses.replace(settings, events_days=36_500, measuring=False)
        do_chores(world, idle, lambda: min(times.values()) > 2)

    assert messages(caplog, logging.INFO) == []
    assert [text for text in statements if text.startswith(("INSERT", "UPDATE", "DELETE"))] == []
