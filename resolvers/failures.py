"""Errors as they are kept: what is said of one, and a log that gathers them until they are written.

How it works: errors of one fingerprint are one entry with a count, so that a storm of them takes no more memory than the first
and is written in one row. Whoever meets an error only notes it; a chore writes what was noted.
"""

import logging
import threading
import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Final

from resolvers.fingerprints import LONGEST_MESSAGE, fingerprint, normalised
from resolvers.scrubbing import scrubbed
from storage import error_groups
from storage.columns import MAX_TITLE
from storage.database import Database
from storage.error_groups import Sighting
from storage.monitoring_tables import ErrorFields

log = logging.getLogger(__name__)

LONGEST_SAMPLE: Final = 6_000
"""Characters of what is kept of one error; of a longer text it is the end, where a traceback says what was raised."""

# Looked at, before secrets are taken out.
_LONGEST_READ: Final = 5 * LONGEST_SAMPLE

_LONGEST_FACT: Final = 300

# Kinds of errors that may wait to be written. A server meets a few; a thousand at once are not going to be read.
_MOST_WAITING: Final = 1_000

_OURS: Final = ("buildatlas", "graph", "resolvers", "schema", "storage")


def failure(
    code: str, component: str, message: str, *, text: str, place: str | None = None, **facts: object
) -> ErrorFields:
    """Return an error as it is kept: by its message but for the particulars, with `facts` and `text` as its sample.

    `place` is where in the program it was raised, which tells apart what is said in the same words.
    """
    said = normalised(message)
    if place is not None:
        said = f"{said[: LONGEST_MESSAGE - len(place) - 4]} in {place}"
    return ErrorFields(
        fingerprint=fingerprint(code=code, component=component, message=said),
        code=_storable(code)[:MAX_TITLE],
        component=_storable(component)[:MAX_TITLE],
        message=_storable(said),
        sample=_storable(_sample(text, facts)),
    )


def message_of(error: BaseException) -> str:
    """Return an exception as the last line of its traceback has it, without what was noted of this one time."""
    return f"{type(error).__name__}: {error}"


def place_of(trace: TracebackType | None) -> str | None:
    """Return the innermost function of ours that an exception came from; None when it came from none."""
    found = None
    for frame, _ in traceback.walk_tb(trace):
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in _OURS:
            found = f"{module}.{frame.f_code.co_qualname}"
    return found


class FailureLog:
    """The errors of one process that wait to be written. Every method may be called from any thread."""

    def __init__(self, *, most: int = _MOST_WAITING) -> None:
        """`most` fingerprints may wait; errors of further ones are only counted."""
        self._most = most
        self._lock = threading.Lock()
        self._waiting: dict[str, Sighting] = {}
        self._dropped = 0

    def note(self, error: ErrorFields, *, now: datetime) -> None:
        """Take in an error that was met just now."""
        with self._lock:
            self._add(Sighting(error, 1, now, now))

    def write(self, database: Database) -> int:
        """Write what has been noted since the last time, and return how many errors that were.

        Raises StorageError; what could not be written waits on.
        """
        with self._lock:
            taken, self._waiting = self._waiting, {}
            dropped, self._dropped = self._dropped, 0
        if dropped:
            log.warning("too many kinds of errors at once: not all are kept", extra={"dropped": dropped})
        if not taken:
            return 0
        try:
            database.write(
                lambda connection: error_groups.record_all(connection, taken.values()), of_catalogue=False
            )
        except BaseException:
            self._put_back(taken)
            raise
        return sum(each.count for each in taken.values())

    def _put_back(self, taken: Mapping[str, Sighting]) -> None:
        with self._lock:
            newer, self._waiting = self._waiting, dict(taken)
            for each in newer.values():
                self._add(each)

    def _add(self, new: Sighting) -> None:
        key = new.error.fingerprint
        known = self._waiting.get(key)
        if known is not None:
            self._waiting[key] = replace(
                new, count=known.count + new.count, first_seen_at=known.first_seen_at
            )
        elif len(self._waiting) < self._most:
            self._waiting[key] = new
        else:
            self._dropped += new.count


def trim(database: Database, *, age: timedelta, now: datetime) -> int:
    """Delete the groups that were not seen for as long as `age`, a chunk at a time, and return how many."""
    before = now - age
    trimmed = 0
    # Looked at first, since a write may have to wait.
    while _is_any_older(database, before):
        chunk = partial(error_groups.trim, before=before, limit=_CHUNK)
        trimmed += database.write(chunk, of_catalogue=False).value
    return trimmed


# Deleted in one transaction.
_CHUNK: Final = 1_000


def _is_any_older(database: Database, before: datetime) -> bool:
    with database.glance() as connection:
        return error_groups.is_any_older(connection, before=before)


def _sample(text: str, facts: Mapping[str, object]) -> str:
    given = [
        f"{name.replace('_', ' ')}: {scrubbed(str(fact)[:_LONGEST_FACT])}"
        for name, fact in facts.items()
        if fact
    ]
    kept = scrubbed(_end(text))
    room = LONGEST_SAMPLE - sum(len(each) + 1 for each in given)
    return "\n".join([*given, kept if len(kept) <= room else f"…{kept[1 - room :]}"])


def _end(text: str) -> str:
    """Return as much as is read; a line that would be cut might begin with half a secret, and is left out."""
    return text if len(text) <= _LONGEST_READ else text[-_LONGEST_READ:].partition("\n")[2]


def _storable(text: str) -> str:
    """Return a text without what no database can hold."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
