"""The newest part of the event log, which is read once for all who have come that far.

How it works: whoever follows the log at its end is woken at the same time, and the first of them reads what is new while the
others wait. Each takes from memory what concerns it. Whoever is further behind than memory reaches reads the log itself.
"""

import asyncio
from bisect import bisect_right
from functools import partial
from operator import attrgetter
from typing import Final

import anyio

from resolvers.subscriptions import BATCH, EventSelection, Stretch, Trimmed, read_events
from storage.database import Database
from storage.rows import EventRow

# A kilobyte each, or less.
_KEPT: Final = 4_096


class Tail:
    """Every event between two positions."""

    def __init__(self, database: Database) -> None:
        self._read = partial(read_events, database, selection=EventSelection())
        self._rows: list[EventRow] = []
        self._start = 0
        """Nothing up to here is kept."""
        self._end = 0
        self._reading = asyncio.Lock()

    async def after(self, position: int, *, newest: int) -> Stretch | None:
        """Return the next events after `position`, up to `newest` or some of them; None when they are not in memory.

        Raises Unavailable.
        """
        if self._start <= position and self._end < newest:
            async with self._reading:
                # Meanwhile another may have done it.
                if self._end < newest:
                    await self._go_on(position, newest)
        if not self._start <= position <= self._end:
            return None
        first = bisect_right(self._rows, position, key=_POSITION)
        rows = tuple(self._rows[first : first + BATCH])
        return Stretch(rows, rows[-1].seq if len(rows) == BATCH else self._end)

    async def _go_on(self, position: int, newest: int) -> None:
        """Read the next events; those from `position` on, when there are too many that nobody has waited for."""
        if position > self._end and newest - self._end > BATCH:
            self._begin(position)
        found = await anyio.to_thread.run_sync(self._read, self._end)
        if isinstance(found, Trimmed):
            self._begin(newest)
            return
        self._rows += found.events
        self._end = found.position
        excess = len(self._rows) - _KEPT
        if excess > 0:
            self._start = self._rows[excess - 1].seq
            del self._rows[:excess]

    def _begin(self, position: int) -> None:
        self._rows, self._start, self._end = [], position, position


_POSITION: Final = attrgetter("seq")
