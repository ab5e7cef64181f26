"""Waking subscribers."""

import asyncio
from collections.abc import Callable

from schema.pulse import Pulse, Seen


class Log:
    """An event log that tells of its moves from wherever `move` is called."""

    def __init__(self) -> None:
        self.told: list[Seen] = []

    def watch(self, seen: Seen) -> Callable[[], None]:
        self.told.append(seen)
        return lambda: self.told.remove(seen)

    async def move(self, position: int) -> None:
        """Move in another thread, as databases do."""
        for seen in self.told:
            await asyncio.to_thread(seen, position)


def test_a_move_wakes_those_who_wait_for_it() -> None:
    async def story() -> None:
        log = Log()
        pulse = Pulse(log.watch)
        async with pulse.beating():
            await log.move(1)
            waiting = asyncio.ensure_future(pulse.beyond(1))
            await pulse.waiting()
            await log.move(2)
            await asyncio.wait_for(waiting, 5)

    asyncio.run(story())


def test_nobody_is_woken_by_what_they_have_seen() -> None:
    async def story() -> None:
        log = Log()
        pulse = Pulse(log.watch)
        async with pulse.beating():
            waiting = asyncio.ensure_future(pulse.beyond(2))
            await pulse.waiting()
            await log.move(2)
            await log.move(1)
            await asyncio.sleep(0.01)
            assert not waiting.done()
            await log.move(3)
            await asyncio.wait_for(waiting, 5)

    asyncio.run(story())


def test_one_who_stops_waiting_leaves_the_others_waiting() -> None:
    async def story() -> None:
        log = Log()
        pulse = Pulse(log.watch)
        async with pulse.beating():
            first, second = (asyncio.ensure_future(pulse.beyond(1)) for _ in range(2))
            await pulse.waiting()
            first.cancel()
            await asyncio.wait([first])
            await log.move(2)
            await asyncio.wait_for(second, 5)

    asyncio.run(story())


def test_a_move_after_the_end_is_nobodys_business() -> None:
    log = Log()

    async def story() -> Seen:
        async with Pulse(log.watch).beating():
            return log.told[0]

    late = asyncio.run(story())

    assert log.told == []
    late(1)
