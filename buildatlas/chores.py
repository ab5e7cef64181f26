"""What a server does by itself while it serves: keep the event log within bounds, recover builds, and watch over alerts."""

import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import anyio

from buildatlas.courier import Courier
from buildatlas.error_recording import flush, recording_errors
from buildatlas.settings import Settings
from resolvers import alerts, failures
from resolvers.alerting import evaluate, take_turn
from resolvers.atlas import Atlas
from resolvers.build_measures import BuildMeasures, PackageNames
from resolvers.failures import FailureLog
from resolvers.measuring import SILENT, Measurer
from resolvers.recovery import Recovery
from resolvers.trimming import Retention, trim_events
from resolvers.webhooks import WebhookPolicy
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

_TRIM_SECONDS: Final = 60

# How old an error may be before `errors` tells of it.
_FLUSH_SECONDS: Final = 2


@asynccontextmanager
async def chores(atlas: Atlas, settings: Settings, measurer: Measurer = SILENT) -> AsyncIterator[None]:
    """Do them for as long as the context is open."""
    recovery = Recovery(atlas, BuildMeasures(measurer, PackageNames(atlas.database)))
    database, seen = atlas.database, FailureLog()
    with recording_errors(seen, database, measurer):
        async with anyio.create_task_group() as tasks:
            for what, trim in _trims(database, settings).items():
                tasks.start_soon(_repeat, partial(_trim, what, trim), _TRIM_SECONDS)
            tasks.start_soon(_recover, recovery, settings.recovery_seconds)
            tasks.start_soon(_repeat, lambda: flush(seen, database), _FLUSH_SECONDS)
            tasks.start_soon(_repeat, partial(_evaluate_alerts, database, settings), settings.alert_seconds)
            tasks.start_soon(Courier(database, _webhook_policy(settings)).run)
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


def _trims(database: Database, settings: Settings) -> Mapping[str, Callable[[datetime], int]]:
    """Return what lets go what is old, by what that is of."""
    retention = Retention(settings.events_kept, timedelta(days=settings.events_days))
    errors_age, alerts_age = timedelta(days=settings.errors_days), timedelta(days=settings.alerts_days)
    return {
        "events": lambda now: trim_events(database, retention, now=now),
        "errors": lambda now: failures.trim(database, age=errors_age, now=now),
        "alerts": lambda now: alerts.trim(database, age=alerts_age, now=now),
    }


def _trim(what: str, trim: Callable[[datetime], int]) -> None:
    try:
        trimmed = trim(datetime.now(UTC))
    except StorageError as error:
        log.warning("old %s are not trimmed: %s", what, error)
    except Exception:
        # That something grows is no reason to stop serving.
        log.exception("trimming has failed")
    else:
        if trimmed:
            log.info("old %s are trimmed", what, extra={what: trimmed})


def _webhook_policy(settings: Settings) -> WebhookPolicy:
    return WebhookPolicy(
        attempts=settings.webhook_attempts,
        first_backoff=timedelta(seconds=settings.webhook_backoff_seconds),
        longest_backoff=timedelta(seconds=settings.webhook_longest_backoff_seconds),
        timeout=timedelta(seconds=settings.webhook_seconds),
        allows_private=settings.webhook_private,
        external_url=settings.external_url,
    )


def _evaluate_alerts(database: Database, settings: Settings) -> None:
    # Each process asks at a time of its own, and none more often than this.
    every = timedelta(seconds=settings.alert_seconds / 2)
    try:
        # The turn is a measurement, which nobody lets go where none are made.
        if settings.measuring and not take_turn(database, every=every, now=datetime.now(UTC)):
            return
        changed = evaluate(database, now=datetime.now(UTC))
    except StorageError as error:
        log.warning("alerts are not evaluated: %s", error)
    except Exception:
        # A rule that cannot be evaluated must not keep the others from it.
        log.exception("evaluating alerts has failed")
    else:
        if changed:
            log.info("alerts have changed", extra={"alerts": changed})


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
