"""Keeping the event log within bounds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from storage import events
from storage.database import Database

# Deleted in one transaction: a few hundredths of a second, for which other writers wait.
_CHUNK: Final = 10_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Which events are kept: the newest of them, and of those only the young."""

    events: int
    age: timedelta


def trim_events(database: Database, retention: Retention, *, now: datetime) -> int:
    """Delete the events that are not to be kept, a chunk at a time, and return how many.

    Any number of processes may do so at once. Positions stay as they are; a reader who has fallen behind is told.
    """
    before, keep = now - retention.age, retention.events
    trimmed = 0
    # Looked at first, since a write may have to wait behind an import.
    while _is_excessive(database, before, keep):
        chunk = partial(events.trim, before=before, keep=keep, limit=_CHUNK)
        trimmed += database.write(chunk, of_catalogue=False).value
    return trimmed


def _is_excessive(database: Database, before: datetime, keep: int) -> bool:
    with database.read() as connection:
        return events.is_excessive(connection, before=before, keep=keep)
