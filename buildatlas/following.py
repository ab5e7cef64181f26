"""Following builds through whatever interrupts it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final, Protocol

from buildatlas.board import Item
from buildatlas.build_documents import WATCH
from buildatlas.client import Answer, Refused, Unreachable

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 8.0

# So many times in a row a connection may fail before following is given up: about five minutes, in which a server is
# started again.
_MOST_FAILURES: Final = 40


class Feed(Protocol):
    """Whatever takes subscriptions."""

    def __call__(
        self, document: str, variables: Mapping[str, Any], *, acknowledged: Callable[[], object]
    ) -> AsyncGenerator[Answer, None]:
        """Yield the data of each message. Calls `acknowledged` when connected. Raises Refused and Unreachable."""
        ...


class Ended(Exception):
    """The server has ended a subscription without being asked to."""

    def __str__(self) -> str:
        return "the server has ended the subscription"


async def follow(
    feed: Feed,
    filter: Mapping[str, Any],
    *,
    say: Callable[[str], object],
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[Item, None]:
    """Yield what `buildStatus` delivers, without an end.

    After a lost connection it goes on from the last cursor, and after a gap with a new beginning. `say` is told of losses
    and of their end. Raises Refused, and Unreachable when the first connection fails, or too many in a row.
    """
    link = _Link(say)
    cursor: str | None = None
    while True:
        problem: Exception | None = Ended()
        variables = {"filter": filter, "after": cursor}
        try:
            async with aclosing(feed(WATCH, variables, acknowledged=link.stands)) as answers:
                async for answer in answers:
                    item = answer["buildStatus"]
                    cursor = _cursor(item, cursor)
                    if item["__typename"] == "EventGap":
                        problem = None
                    yield item
        except (Refused, Unreachable) as error:
            problem = error
        if problem is not None:
            await pause(link.breaks(problem))


def is_passing(error: Exception) -> bool:
    """Whether the same may succeed a little later."""
    return not isinstance(error, Refused) or error.code == "UNAVAILABLE"


def _cursor(item: Item, before: str | None) -> str | None:
    """Return where to go on after `item`. None: with a new beginning."""
    match item:
        case {"__typename": "Event", "cursor": str() as cursor}:
            return cursor
        case {"__typename": "BuildSnapshot", "cursor": str() as cursor, "complete": True}:
            return cursor
        case {"__typename": "BuildSnapshot"}:
            return before
    return None


class _Link:
    """How the connection has fared."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._was_there = False
        self._failures = 0

    def stands(self) -> None:
        if self._failures:
            self._say("connected again")
        self._was_there, self._failures = True, 0

    def breaks(self, error: Exception) -> float:
        """Return how long to wait, or raise `error` when waiting will not help."""
        if not self._was_there or not is_passing(error) or self._failures == _MOST_FAILURES:
            raise error
        if not self._failures:
            self._say(f"{error}; trying again")
        self._failures += 1
        pause: float = _FIRST_PAUSE * 2 ** (self._failures - 1)
        return min(pause, _LONGEST_PAUSE)
