"""How subscribers learn that the event log has grown.

How it works: the database tells this process whenever the log's position has moved, whoever has moved it. Waiting
costs a subscriber a future, and a wake-up carries no data: each reads the log from its own place.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import anyio

Seen: TypeAlias = Callable[[int], None]
Watch: TypeAlias = Callable[[Seen], Callable[[], None]]
"""`storage.database.Database.watch`."""


class Pulse:
    """The position of the newest event, as far as this process knows, and those who wait for it to move."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._position = -1
        self._changed = asyncio.Event()
        """Set, and replaced by a new one, when the position moves."""
        self._waiting = 0
        self._someone = asyncio.Event()
        """Set while anyone waits."""

    @property
    def position(self) -> int:
        """The newest position that is known; -1 before any is."""
        return self._position

    async def beyond(self, cursor: int) -> None:
        """Return once an event after `cursor` is known of."""
        self._waiting += 1
        self._someone.set()
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
        loop = asyncio.get_running_loop()

        def seen(position: int) -> None:
            # The loop may be closed between the last move and the end of watching.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._move, position)

        stop = await anyio.to_thread.run_sync(self._watch, seen)
        try:
            yield
        finally:
            stop()

    def _move(self, position: int) -> None:
        if position > self._position:
            self._position = position
            self._changed.set()
            self._changed = asyncio.Event()
