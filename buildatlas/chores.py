"""What a server does by itself while it serves: keep the event log within bounds, and recover builds."""

import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import anyio

from buildatlas.settings import Settings
from resolvers.atlas import Atlas
from resolvers.recovery import Recovery
from resolvers.trimming import Retention, trim_events
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

_TRIM_SECONDS: Final = 60


@asynccontextmanager
async def chores(atlas: Atlas, settings: Settings) -> AsyncIterator[None]:
    """Do them for as long as the context is open."""
    retention = Retention(settings.events_kept, timedelta(days=settings.events_days))
    recovery = Recovery(atlas)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_repeat, lambda: _trim_events(atlas.database, retention), _TRIM_SECONDS)
        tasks.start_soon(_recover, recovery, settings.recovery_seconds)
        yield
        tasks.cancel_scope.cancel()


async def _recover(recovery: Recovery, seconds: float) -> None:
    # At once too: what has been let fall while no server ran has waited long enough.
    await anyio.to_thread.run_sync(_recover_builds, recovery)
    await _repeat(lambda: _recover_builds(recovery), seconds)


async def _repeat(chore: Callable[[], None], seconds: float) -> None:
    while True:
        # Each process at a time of its own, so that hardly ever two find the same to do.
        await anyio.sleep(random.uniform(0.5, 1.5) * seconds)  # noqa: S311 - nobody gains by guessing it
        await anyio.to_thread.run_sync(chore)


def _trim_events(database: Database, retention: Retention) -> None:
    try:
        trimmed = trim_events(database, retention, now=datetime.now(UTC))
    except StorageError as error:
        log.warning("old events are not trimmed: %s", error)
    except Exception:
        # A log that grows is no reason to stop serving.
        log.exception("trimming has failed")
    else:
        if trimmed:
            log.info("old events are trimmed", extra={"events": trimmed})


def _recover_builds(recovery: Recovery) -> None:
    try:
        recovered = recovery.run(now=datetime.now(UTC))
    except StorageError as error:
        log.warning("builds are not recovered: %s", error)
    except Exception:
        # Whatever is wrong with one build must not leave all others without recovery.
        log.exception("recovery has failed")
    else:
        if recovered:
            log.info("builds are recovered", extra={"builds": recovered})
