"""How subscribers learn that the event log has grown.

How it works: one task asks for the log's position, every so often while anyone waits
and at once after a write of this process. Waiting costs a subscriber a future, and a
wake-up carries no data: each reads the log from its own place.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio

log = logging.getLogger(__name__)

# How long a change of another process may go unseen. A look costs microseconds.
_INTERVAL_SECONDS: Final = 0.25


class Pulse:
    """The position of the newest event, as far as this process knows, and those who wait for it to move."""

    def __init__(self, position: Callable[[], int]) -> None:
        self._read = position
        self._position = -1
        self._changed = asyncio.Event()
        """Set, and replaced by a new one, when the position moves."""
        self._waiting = 0
        self._someone = asyncio.Event()
        """Set while anyone waits."""
        self._look = asyncio.Event()

    def nudge(self) -> None:
        """Have the position read now, since this process has written."""
        self._look.set()

    async def beyond(self, cursor: int) -> None:
        """Return once an event after `cursor` is known of."""
        self._waiting += 1
        self._someone.set()
        self._look.set()
        try:
            while self._position <= cursor:
                await self._changed.wait()
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._someone.clear()

    async def waiting(self) -> None:
        """Return once someone waits."""
        await self._someone.wait()

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Keep the position up to date for as long as the context is open."""
        task = asyncio.create_task(self._beat(), name="pulse")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _beat(self) -> None:
        while True:
            # Without anyone waiting there is nothing to look for until someone comes.
            with anyio.move_on_after(_INTERVAL_SECONDS if self._waiting else None):
                await self._look.wait()
            self._look.clear()
            await self._update()

    async def _update(self) -> None:
        try:
            position = await anyio.to_thread.run_sync(self._read)
        except Exception:
            # The database may come back; subscribers keep their place meanwhile.
            log.exception("the event log's position cannot be read")
            return
        if position != self._position:
            self._position = position
            self._changed.set()
            self._changed = asyncio.Event()
