"""Turns at what takes long, so that a storm of it leaves the rest quick."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from schema.errors import Busy
from storage.time_limits import check_time, time_left


class Turns:
    """Lets `at_once` work at a time, and no more than `waiting` others wait."""

    def __init__(self, at_once: int = 2, waiting: int = 64) -> None:
        self._free = anyio.Semaphore(at_once)
        self._most = waiting

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, in the order of coming, and have it while the block runs. Raises Busy, and OutOfTime."""
        waiting = self._free.statistics().tasks_waiting
        if waiting >= self._most and not self._free.value:
            raise Busy(waiting)
        with anyio.move_on_after(time_left()) as scope:
            await self._free.acquire()
        if scope.cancelled_caught:
            check_time()
        try:
            yield
        finally:
            self._free.release()
