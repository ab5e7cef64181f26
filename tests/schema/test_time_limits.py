"""An operation takes as long as it may, and then it is stopped and says so."""

import asyncio

import pytest

from schema.limits import Limits
from schema.turns import Turns
from storage.errors import OutOfTime
from storage.time_limits import time_limit
from tests.schema.world import World

_OUT_OF_TIME = {"code": "LIMIT_EXCEEDED", "seconds": 0.0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ('{ package(name: "a") { name } }', "package"),
        ("{ packages { nodes { name } } }", "packages"),
        (
            '{ resolve(input: {requirements: [{package: "a"}]}) { ... on Resolution { pins { package } } } }',
            "resolve",
        ),
        ("{ cycles { totalCount } }", "cycles"),
    ],
)
def test_a_query_without_time_left_says_so(world: World, query: str, field: str) -> None:
    world.publish("a", "1")
    world.limits = Limits(seconds=0)

    result = world.run(query)

    assert result.errors is not None
    (error,) = result.errors
    assert error.path == [field]
    assert error.extensions == _OUT_OF_TIME
    assert error.message.startswith("this was stopped after 0 s, which is as long as an operation may take")


def test_a_mutation_without_time_left_changes_nothing(world: World) -> None:
    world.limits = Limits(seconds=0)

    result = world.run('mutation { publishVersion(input: {package: "a", version: "1"}) { cursor } }')

    assert [error.extensions for error in result.errors or ()] == [_OUT_OF_TIME]
    world.limits = Limits()
    assert world.ask("{ packages { totalCount } }") == {"packages": {"totalCount": 0}}


def test_whoever_waits_for_a_turn_waits_no_longer_than_the_operation_may_take() -> None:
    async def story() -> None:
        turns, end = Turns(1, 10), asyncio.Event()

        async def work() -> None:
            async with turns.turn():
                await end.wait()

        working = asyncio.create_task(work())
        await asyncio.sleep(0)
        with pytest.raises(OutOfTime), time_limit(0.05):
            await work()
        end.set()
        await working
        # Whoever has given up waits no more.
        with time_limit(20):
            await work()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_what_has_its_turn_is_not_disturbed_by_the_limit() -> None:
    async def story() -> str:
        with time_limit(0.05):
            async with Turns(1, 10).turn():
                await asyncio.sleep(0.2)
                return "done"

    assert asyncio.run(story()) == "done"
