"""Turns at what takes long, so that a storm of it leaves the rest quick."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from schema.errors import Busy


class Turns:
    """Lets `at_once` work at a time, and no more than `waiting` others wait."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = anyio.Semaphore(at_once)
        self._most = waiting

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, in the order of coming, and have it while the block runs. Raises Busy."""
        waiting = self._free.statistics().tasks_waiting
        if waiting >= self._most:
            raise Busy(waiting)
        async with self._free:
            yield
