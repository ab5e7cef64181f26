"""Waking subscribers."""

import asyncio
import logging

import pytest

from schema.pulse import Pulse


def test_a_nudge_wakes_those_who_wait_for_what_was_written() -> None:
    position = 1

    async def story() -> None:
        nonlocal position
        pulse = Pulse(lambda: position)
        async with pulse.beating():
            waiting = asyncio.ensure_future(pulse.beyond(1))
            await pulse.waiting()
            position = 2
            pulse.nudge()
            await asyncio.wait_for(waiting, 5)

    asyncio.run(story())


def test_one_who_stops_waiting_leaves_the_others_waiting() -> None:
    position = 1

    async def story() -> None:
        nonlocal position
        pulse = Pulse(lambda: position)
        async with pulse.beating():
            first, second = (asyncio.ensure_future(pulse.beyond(1)) for _ in range(2))
            await pulse.waiting()
            first.cancel()
            await asyncio.wait([first])
            position = 2
            await asyncio.wait_for(second, 5)

    asyncio.run(story())


def test_a_change_that_nobody_tells_of_is_found_by_looking() -> None:
    position = 1

    async def story() -> None:
        nonlocal position
        pulse = Pulse(lambda: position)
        async with pulse.beating():
            waiting = asyncio.ensure_future(pulse.beyond(1))
            await pulse.waiting()
            position = 2
            await asyncio.wait_for(waiting, 5)

    asyncio.run(story())


def test_while_nobody_waits_nobody_looks() -> None:
    looks = 0

    def look() -> int:
        nonlocal looks
        looks += 1
        return 1

    async def story() -> None:
        pulse = Pulse(look)
        async with pulse.beating():
            await pulse.beyond(0)
        async with pulse.beating():
            await asyncio.sleep(0)

    asyncio.run(story())

    assert looks == 1


def test_a_position_that_cannot_be_read_is_logged_and_read_again(caplog: pytest.LogCaptureFixture) -> None:
    looks = 0

    def look() -> int:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise OSError("the disk is away")
        return 1

    async def story() -> None:
        pulse = Pulse(look)
        async with pulse.beating():
            await asyncio.wait_for(pulse.beyond(0), 5)

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())

    assert [record.message for record in caplog.records] == ["the event log's position cannot be read"]
