"""What a server process does to measure: watch itself, and write, roll up and let go what was measured."""

import logging
import multiprocessing
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final

import anyio

from buildatlas.settings import Settings
from resolvers.atlas import Atlas
from resolvers.measurements import LOOP_LAG, MEASUREMENTS, PROCESS, SUBSCRIBERS
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
    own = {PROCESS: _process()}
    ages = Ages(
        timedelta(days=settings.metric_minutes_days),
        timedelta(days=settings.metric_hours_days),
        timedelta(days=settings.metric_days_days),
    )

    def sample() -> None:
        for name, value in chain([(SUBSCRIBERS, subscribers())], resources.samples(now=datetime.now(UTC))):
            measurer.record(name, value, **(own if PROCESS in MEASUREMENTS[name].labels else {}))

    def tidy() -> None:
        roll_up(database, now=datetime.now(UTC), most=_MOST_ROLLED_UP)
        trim(database, ages, now=datetime.now(UTC))

    def write() -> None:
        flush(measurer, database)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch_loop, measurer, own)
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


def _process() -> str:
    """Return what tells this process from all others at its database, and is the next one's when it is replaced."""
    host = socket.gethostname()
    is_worker = multiprocessing.parent_process() is not None
    return f"{host}/{multiprocessing.current_process().name}" if is_worker else host


async def _watch_loop(measurer: Measurer, own: Mapping[str, str]) -> None:
    while True:
        due = time.monotonic() + _LAG_SECONDS
        await anyio.sleep(_LAG_SECONDS)
        measurer.record(LOOP_LAG, max(time.monotonic() - due, 0.0), **own)
