"""The event log of PostgreSQL as one process follows it, and gives positions to events when it is its turn.

How it works: writers commit events without a position, since numbers taken before a commit become visible in another
order than they were taken, and a reader that went by them would step over some. One process at a time is the
sequencer, which holds an advisory lock for as long as its connection lives: it gives the events that are committed the
next positions, without a gap, and notifies all processes once for each batch. Every process has one thread and one
connection for this. A process that is not the sequencer tells it of what it has written by a notification of its own,
outside of the transactions that wrote: NOTIFY inside of them would have them commit one after the other. Should all
notifications be lost, a look every half second finds what there is.
"""

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import psycopg

from storage.engines.watchers import Seen, Watchers

log = logging.getLogger(__name__)

_INTERVAL_SECONDS: Final = 0.5
_MOST_AT_ONCE: Final = 2_000

# A sequencer that holds its lock but does nothing for so long is taken for frozen, and its connection is ended.
_FROZEN_SECONDS: Final = 5.0
# How long a writer waits for its event to get a position; long enough for a frozen sequencer to be replaced.
_PATIENCE_SECONDS: Final = 20.0

# Any number will do that no other program at the same database takes.
_LOCK: Final = 5_208_517_361

_WRITTEN: Final = "buildatlas_written"
_EVENTS: Final = "buildatlas_events"

# The numbers and names in these are our own.
_STAMP: Final = f"""
WITH next AS (SELECT coalesce(max(seq), 0) AS last FROM events),
     waiting AS (SELECT id, row_number() OVER (ORDER BY id) AS place
                 FROM (SELECT id FROM events WHERE seq IS NULL ORDER BY id LIMIT {_MOST_AT_ONCE}) AS first),
     stamped AS (UPDATE events SET seq = next.last + waiting.place FROM waiting, next
                 WHERE events.id = waiting.id AND events.seq IS NULL RETURNING seq)
SELECT max(seq), count(*), CASE WHEN count(*) > 0 THEN pg_notify('{_EVENTS}', max(seq)::text)::text END FROM stamped
"""  # noqa: S608
_LOOK: Final = "SELECT (SELECT max(seq) FROM events), EXISTS (SELECT FROM events WHERE seq IS NULL)"
_END_HOLDER: Final = f"""
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32 | objid::bigint) = {_LOCK} AND granted AND pid <> pg_backend_pid()
"""  # noqa: S608

Connect = Callable[[], "psycopg.Connection[Any]"]


class Follower:
    """The thread of this process at the event log, begun when it is first needed. Every method is for any thread."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._watchers = Watchers()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._written = threading.Event()
        self._wake_end, self._wake = os.pipe()
        os.set_blocking(self._wake, False)

    def watch(self, seen: Seen) -> Callable[[], None]:
        """Tell `seen` of every move of the event log until what is returned is called."""
        self._begin()
        return self._watchers.add(seen)

    def position_of(self, event: int, look_up: Callable[[int], int | None]) -> int | None:
        """Return the position of a committed event once it has one, or None when that takes too long."""
        self._begin()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            seen = self._watchers.position
            self._nudge()
            found = look_up(event)
            if found is not None or time.monotonic() > deadline:
                return found
            self._watchers.wait_beyond(seen, _INTERVAL_SECONDS)

    def close(self) -> None:
        """End the thread; another process becomes the sequencer if this one was."""
        self._closing.set()
        self._nudge()
        if self._thread is not None:
            self._thread.join()
        os.close(self._wake)
        os.close(self._wake_end)

    def _begin(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._follow, name="buildatlas-follower", daemon=True)
                self._thread.start()

    def _nudge(self) -> None:
        self._written.set()
        with suppress(BlockingIOError):
            os.write(self._wake, b"\0")

    def _follow(self) -> None:
        while not self._closing.is_set():
            try:
                with self._connect() as connection:
                    _Turn(connection, self).go_on()
            except psycopg.Error as error:
                log.warning("the event log cannot be followed: %s", str(error).strip())
                self._closing.wait(_INTERVAL_SECONDS)
            except Exception:
                log.exception("following the event log failed")
                self._closing.wait(_INTERVAL_SECONDS)


class _Turn:
    """One connection at the event log, for as long as it lives."""

    def __init__(self, connection: "psycopg.Connection[Any]", follower: Follower) -> None:
        self._connection = connection
        self._follower = follower
        self._is_sequencer = False
        self._tried = -_INTERVAL_SECONDS
        self._behind_since: float | None = None
        self._behind_at = 0
        """Since when events wait though none has got a position, and where the log stood then."""
        connection.add_notify_handler(self._notice)

    def go_on(self) -> None:
        """Follow the log until the follower closes. Raises psycopg.Error when the connection breaks."""
        self._connection.execute(f"LISTEN {_WRITTEN}")
        self._connection.execute(f"LISTEN {_EVENTS}")
        self._look()
        while not self._follower._closing.is_set():
            self._become_sequencer()
            if self._is_sequencer:
                self._stamp()
            elif self._follower._written.is_set():
                self._tell_sequencer()
            self._sleep()

    def _become_sequencer(self) -> None:
        now = time.monotonic()
        if self._is_sequencer or now - self._tried < _INTERVAL_SECONDS:
            return
        self._tried = now
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        self._is_sequencer = bool(row and row[0])
        if not self._is_sequencer:
            self._look()
            self._end_frozen_sequencer(now)

    def _look(self) -> None:
        """See for oneself where the log stands, as a notification may have been lost."""
        row = self._connection.execute(_LOOK).fetchone()
        assert row is not None
        position, is_behind = row[0] or 0, row[1]
        self._follower._watchers.tell(position)
        if not is_behind:
            self._behind_since = None
        elif self._behind_since is None or position > self._behind_at:
            self._behind_since, self._behind_at = time.monotonic(), position

    def _end_frozen_sequencer(self, now: float) -> None:
        if self._behind_since is not None and now - self._behind_since > _FROZEN_SECONDS:
            log.warning("the sequencer of the event log does nothing; its connection is ended")
            self._connection.execute(_END_HOLDER)
            self._behind_since = None

    def _stamp(self) -> None:
        """Give every committed event that has none a position."""
        self._follower._written.clear()
        count = _MOST_AT_ONCE
        while count == _MOST_AT_ONCE:
            row = self._connection.execute(_STAMP).fetchone()
            assert row is not None
            last, count, _ = row
            if count:
                self._follower._watchers.tell(last)

    def _tell_sequencer(self) -> None:
        self._follower._written.clear()
        self._connection.execute(f"NOTIFY {_WRITTEN}")

    def _notice(self, notification: psycopg.Notify) -> None:
        if notification.channel == _EVENTS:
            self._follower._watchers.tell(int(notification.payload))
        elif self._is_sequencer:
            self._follower._nudge()

    def _sleep(self) -> None:
        """Wait until something was written or told of, or it is time for a look."""
        # Not select.select, which knows no descriptor past 1,023.
        poll = select.poll()
        for each in (self._connection.fileno(), self._follower._wake_end):
            poll.register(each, select.POLLIN)
        woken = {descriptor for descriptor, _ in poll.poll(_INTERVAL_SECONDS * 1000)}
        if self._follower._wake_end in woken:
            os.read(self._follower._wake_end, 4096)
        if self._connection.fileno() in woken:
            # Runs the handler for each notification that has come.
            self._connection.execute("SELECT 1")
