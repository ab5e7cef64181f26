"""What a server does to measure."""

import asyncio
import dataclasses
import logging
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from buildatlas import measuring
from buildatlas.settings import Settings
from resolvers.atlas import Atlas
from resolvers.measurements import (
    DATABASE_RUN,
    DATABASE_WAIT,
    LOOP_LAG,
    MEASUREMENTS,
    MEMORY,
    PROCESS,
    QUEUE,
    RESOLVE,
    SUBSCRIBERS,
)
from resolvers.measuring import SILENT, Measurer
from resolvers.metrics import MetricRequest, query
from resolvers.rollups import flush
from storage import metrics
from storage.database import Database
from storage.errors import Trouble, Unavailable
from storage.monitoring_rows import MetricRow
from storage.monitoring_tables import MetricAggregate
from tests.api.processes import wait_until


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url, metric_seconds=1, resource_seconds=1)


@pytest.fixture(autouse=True)
def _timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_LAG_SECONDS", 0.01)
    monkeypatch.setattr(measuring, "_ROLL_UP_SECONDS", 0.05)


def measure(database: Database, measurer: Measurer, settings: Settings, *steps: Callable[[], bool]) -> None:
    """Do it until one thing after the other has come about."""

    async def story() -> None:
        async with measuring.measuring(Atlas(database), measurer, settings, subscribers=lambda: 7):
            for is_so in steps:
                await asyncio.to_thread(wait_until, is_so)

    asyncio.run(story())


def processes(database: Database, name: str) -> set[str | None]:
    """Return of which processes something was measured."""
    found = query(database, MetricRequest(name), now=datetime.now(UTC))
    return {series.labels.get(PROCESS) for series in found}


def value(database: Database, name: str) -> float | None:
    found = query(database, MetricRequest(name, aggregate=MetricAggregate.MAX), now=datetime.now(UTC))
    return max((point.value for series in found for point in series.points), default=None)


def test_a_process_watches_itself_and_writes_what_it_measures(database: Database, settings: Settings) -> None:
    measurer = Measurer()

    measure(
        database,
        measurer,
        settings,
        *(
            lambda name=name: value(database, name) is not None
            for name in (MEMORY, QUEUE, LOOP_LAG, SUBSCRIBERS, DATABASE_RUN, DATABASE_WAIT)
        ),
    )

    assert value(database, SUBSCRIBERS) == 7
    assert processes(database, MEMORY) == processes(database, LOOP_LAG) == {socket.gethostname()}
    assert processes(database, QUEUE) == {None}
    assert MEASUREMENTS.keys() >= {row.name for row in measurer.take()}


def test_what_was_measured_last_is_written_in_the_end(database: Database) -> None:
    measurer = Measurer()
    slow = Settings("", metric_seconds=300, resource_seconds=300)

    def record() -> bool:
        measurer.record(RESOLVE, 4)
        return True

    measure(database, measurer, slow, record)

    assert value(database, RESOLVE) == 4


def test_old_measurements_are_rolled_up_and_let_go(database: Database, settings: Settings) -> None:
    ages = dataclasses.replace(settings, metric_minutes_days=2)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    old = [now - timedelta(days=days) for days in (1, 5)]
    rows = [MetricRow("load", "s", {}, at, 60, 1, 1.0, 1.0, 1.0) for at in old]
    database.write(lambda connection: metrics.roll_up(connection, rows))

    def kept(resolution: int) -> list[datetime]:
        with database.read() as connection:
            found = metrics.samples(connection, "load", since=old[1], until=now, resolution=resolution)
        return [row.at for row in found]

    measure(database, Measurer(), ages, lambda: kept(3_600) == old[::-1] and kept(60) == old[:1])


def test_a_database_that_cannot_be_written_to_is_told_of_and_tried_again(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = flush
    troubles: list[Exception] = [
        Unavailable("atlas.db", Trouble.FULL, "make room"),
        ZeroDivisionError("a mistake"),
    ]

    def fail_twice(measurer: Measurer, given: Database) -> int:
        if troubles:
            raise troubles.pop(0)
        return write(measurer, given)

    monkeypatch.setattr(measuring, "flush", fail_twice)
    measurer = Measurer()
    measurer.record(RESOLVE, 4)

    measure(database, measurer, settings, lambda: value(database, RESOLVE) == 4)

    told = [record for record in caplog.records if "measurements are not written" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.WARNING, logging.ERROR]


def test_who_is_not_to_measure_does_nothing(database: Database, settings: Settings) -> None:
    measure(database, SILENT, settings, lambda: True)

    with database.read() as connection:
        assert metrics.extent(connection, 60) is None
