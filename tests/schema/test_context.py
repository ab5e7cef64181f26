"""What lives as long as a process or an operation."""

import asyncio

import pytest

from schema.errors import Behind
from tests.schema.world import World


def test_what_the_database_has_is_there_although_nobody_has_told_of_it(world: World) -> None:
    world.publish("a", "1")

    asyncio.run(world.context().application.catch_up(2, patience=5))


def test_what_nobody_has_is_told_after_a_while(world: World) -> None:
    world.publish("a", "1")

    with pytest.raises(Behind) as behind:
        asyncio.run(world.context().application.catch_up(3, patience=0.01))

    assert (behind.value.position, behind.value.newest) == (3, 2)


def test_what_comes_meanwhile_is_waited_for(world: World) -> None:
    async def story() -> None:
        async with world.live() as context:
            catching_up = asyncio.ensure_future(context.application.catch_up(2, patience=10))
            await context.application.pulse.waiting()
            await asyncio.to_thread(world.publish, "a", "1")
            await catching_up
            assert context.application.pulse.position == 2

    asyncio.run(story())


def test_every_operation_of_a_request_is_asked_by_the_same_actor(world: World) -> None:
    context = world.context()
    context.actor = "ann"

    assert context.for_operation().actor == "ann"
