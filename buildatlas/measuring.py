"""What a server process does to measure: watch itself, and write, roll up and let go what was measured."""

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import anyio

from buildatlas.settings import Settings
from resolvers.atlas import Atlas
from resolvers.measurements import LOOP_LAG, SUBSCRIBERS
from resolvers.measuring import SILENT, DatabaseProbe, Measurer
from resolvers.resources import Resources
from resolvers.rollups import Ages, flush, roll_up, trim
from storage.errors import StorageError

log = logging.getLogger(__name__)

_ROLL_UP_SECONDS: Final = 60

# Each time. A month that has no five minutes yet takes 18 times: neither a stop nor other writers wait for all of it.
_MOST_ROLLED_UP: Final = 500

# Between two looks at how late the event loop is.
_LAG_SECONDS: Final = 1.0


@asynccontextmanager
async def measuring(
    atlas: Atlas, measurer: Measurer, settings: Settings, *, subscribers: Callable[[], int]
) -> AsyncIterator[None]:
    """Do it for as long as the context is open, and write in the end what has not been written yet."""
    if measurer is SILENT:
        yield
        return
    database, resources = atlas.database, Resources(atlas)
    database.observe(DatabaseProbe(measurer))
    ages = Ages(
        timedelta(days=settings.metric_minutes_days),
        timedelta(days=settings.metric_hours_days),
        timedelta(days=settings.metric_days_days),
    )

    def sample() -> None:
        measurer.record(SUBSCRIBERS, subscribers())
        for name, value in resources.samples(now=datetime.now(UTC)):
            measurer.record(name, value)

    def tidy() -> None:
        roll_up(database, now=datetime.now(UTC), most=_MOST_ROLLED_UP)
        trim(database, ages, now=datetime.now(UTC))

    def write() -> None:
        flush(measurer, database)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch_loop, measurer)
        tasks.start_soon(_every, settings.resource_seconds, sample, "resources are not sampled")
        tasks.start_soon(_every, settings.metric_seconds, write, "measurements are not written")
        tasks.start_soon(_every, _ROLL_UP_SECONDS, tidy, "measurements are not rolled up")
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(_attempt, write, "the last measurements are lost")


async def _every(seconds: float, chore: Callable[[], None], complaint: str) -> None:
    while True:
        await anyio.to_thread.run_sync(_attempt, chore, complaint)
        await anyio.sleep(seconds)


def _attempt(chore: Callable[[], None], complaint: str) -> None:
    try:
        chore()
    except StorageError as error:
        log.warning("%s: %s", complaint, error)
    except Exception:
        # To go without figures is better than to go down.
        log.exception("%s", complaint)


async def _watch_loop(measurer: Measurer) -> None:
    while True:
        due = time.monotonic() + _LAG_SECONDS
        await anyio.sleep(_LAG_SECONDS)
        measurer.record(LOOP_LAG, max(time.monotonic() - due, 0.0))
