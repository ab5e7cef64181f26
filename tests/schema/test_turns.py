"""What takes long is done a few at a time, and only so many wait."""

import asyncio

import pytest

from schema.errors import Busy
from schema.turns import Turns


def test_so_many_work_at_once_and_others_wait_in_the_order_of_coming() -> None:
    async def story() -> None:
        turns, order, most, now = Turns(2, 10), list[int](), 0, 0
        gates = [asyncio.Event() for _ in range(5)]

        async def work(number: int) -> None:
            nonlocal most, now
            async with turns.turn():
                order.append(number)
                now += 1
                most = max(most, now)
                await gates[number].wait()
                now -= 1

        working = [asyncio.create_task(work(number)) for number in range(5)]
        for number, gate in enumerate(gates):
            while number not in order:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            gate.set()
        await asyncio.gather(*working)

        assert (order, most) == ([0, 1, 2, 3, 4], 2)

    asyncio.run(asyncio.wait_for(story(), 20))


def test_where_nobody_may_wait_a_turn_that_is_free_is_had_all_the_same() -> None:
    async def story() -> None:
        turns = Turns(1, 0)
        async with turns.turn():
            with pytest.raises(Busy, match="0 resolutions"):
                async with turns.turn():
                    pytest.fail("there was no turn")
        async with turns.turn():
            pass

    asyncio.run(asyncio.wait_for(story(), 20))


def test_who_comes_when_too_many_wait_is_told_to_come_later() -> None:
    async def story() -> None:
        turns, end = Turns(1, 1), asyncio.Event()

        async def work() -> None:
            async with turns.turn():
                await end.wait()

        working = [asyncio.create_task(work()) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(Busy, match="1 resolutions, plans and the like are waiting"):
            await work()
        end.set()
        await asyncio.gather(*working)
        async with turns.turn():
            pass

    asyncio.run(asyncio.wait_for(story(), 20))
