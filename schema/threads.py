"""What a field has done in a thread, so that the event loop goes on."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import anyio

from schema.context import Context
from storage.database import Database

Found = TypeVar("Found")
Shown = TypeVar("Shown")
Result = TypeVar("Result")


async def show(context: Context, find: Callable[[], Found], shown: Callable[[Found], Shown]) -> Shown:
    """Return what takes long to find as it is shown, in its turn. Raises Busy.

    Both in a thread: an answer can have as many parts as the catalogue.
    """
    async with context.application.turns.turn():
        return await anyio.to_thread.run_sync(lambda: shown(find()))


async def write(context: Context, change: Callable[[Database], Result]) -> Result:
    """Run `change` in a thread, and have what is read next show it."""
    return await changed(context, partial(change, context.atlas.database))


async def changed(context: Context, change: Callable[[], Result]) -> Result:
    """Run `change` in a thread, and have what is read next show it."""
    try:
        return await anyio.to_thread.run_sync(change, limiter=context.application.writers)
    finally:
        # Also after a failure: a request that timed out may have been committed all the same.
        context.forget()


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)
