"""Operations that are delivered: each reader gets its own, and what is equal is executed once."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import anyio
import pytest
from strawberry.types.graphql import OperationType

from resolvers import watching
from schema.context import Context
from schema.errors import SlowConsumer
from schema.operations import Operation, kind_of, position_variable
from schema.root import schema
from schema.streams import Kind, Message, Stream, Streams
from tests.schema.building import build_next, start
from tests.schema.world import World

EVENTS = """subscription($after: String, $filter: EventFilter) { events(after: $after, filter: $filter) {
    ... on Event { cursor version } ... on EventGap { resumeFrom } } }"""
BUILDS = """subscription($after: String) { buildStatus(after: $after) { __typename
    ... on BuildSnapshot { complete builds { status } } ... on Event { build { status } } } }"""
VERSION = "{ server { version } }"

Answer = TypeVar("Answer")


def within_seconds(story: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a story that would otherwise wait for ever when it fails."""
    return asyncio.run(asyncio.wait_for(story, 30))


async def until(is_so: Callable[[], bool]) -> None:
    # What it waits for tells nobody.
    while not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


def events_after(cursor: int | None = None, **filter: object) -> Operation:
    return Operation(EVENTS, {"after": None if cursor is None else str(cursor), "filter": filter})


async def cursors(stream: Stream, number: int) -> list[int]:
    return [(await anext(stream)).cursor or -1 for _ in range(number)]


class Crowd:
    """Readers of one process."""

    def __init__(self, context: Context, stack: AsyncExitStack, queue: int) -> None:
        self.streams = Streams(schema, queue=queue)
        self._context = context
        self._stack = stack

    async def open(self, operation: Operation, **given: Any) -> Stream:
        """Give a stream that is open until the end of the test."""
        delivery = self.streams.deliver(operation, self._context, **given)
        return await self._stack.enter_async_context(delivery)

    async def join(self, operation: Operation) -> Stream:
        """Give a stream that has come to the end of the log."""
        stream = await self.open(operation)
        await until(lambda: self.streams.executions == 1 and stream in self.served())
        return stream

    def served(self) -> set[Stream]:
        """Return who is served by an execution that is shared."""
        return {reader for source in self.streams._shared.values() for reader in source.readers}


@asynccontextmanager
async def crowd(world: World, queue: int = 256) -> AsyncIterator[Crowd]:
    async with world.live() as context, AsyncExitStack() as stack:
        yield Crowd(context, stack, queue)


async def publish(world: World, *versions: str) -> None:
    for each in versions:
        await anyio.to_thread.run_sync(world.publish, "a", each)


def test_those_who_want_the_same_share_an_execution_wherever_they_began(world: World) -> None:
    async def story() -> None:
        await publish(world, "1", "2")  # Positions 1, the package, to 3.
        async with crowd(world) as readers:
            early, late, now = [
                await readers.open(events_after(0)),
                await readers.open(events_after(2)),
                await readers.join(events_after()),
            ]
            assert await cursors(early, 3) == [1, 2, 3]
            assert await cursors(late, 1) == [3]
            await until(lambda: readers.served() == {early, late, now})

            await publish(world, "3", "4")

            assert readers.streams.executions == 1
            first, second, third = [[await anext(each) for _ in range(2)] for each in (early, late, now)]
            assert [message.cursor for message in first] == [4, 5]
            assert json.loads(first[0].payload) == {"data": {"events": {"cursor": "4", "version": "3"}}}
            # Not equal, but one and the same: encoded once.
            assert all(a is b is c for a, b, c in zip(first, second, third, strict=True))

    within_seconds(story())


def test_nothing_is_left_out_or_repeated_whenever_readers_come(world: World) -> None:
    most = 120

    async def read(readers: Crowd, chance: random.Random) -> None:
        await asyncio.sleep(chance.random() * 0.5)
        begin = chance.randrange(20)
        stream = await readers.open(events_after(begin))
        for expected in range(begin + 1, most + 2):
            assert await cursors(stream, 1) == [expected]
            if chance.random() < 0.1:
                await asyncio.sleep(chance.random() * 0.02)

    async def story() -> None:
        await publish(world, *map(str, range(20)))
        async with crowd(world) as readers:
            reading = [asyncio.create_task(read(readers, random.Random(seed))) for seed in range(25)]
            await publish(world, *map(str, range(20, most)))
            await asyncio.gather(*reading)
            assert readers.streams.executions == 1

    within_seconds(story())


def test_a_reader_that_is_ahead_gets_nothing_twice(world: World) -> None:
    """Whoever comes later may have read further than those who share, who are told of an event a little later."""

    async def story() -> None:
        async with crowd(world) as readers:
            first = await readers.join(events_after())
            (source,) = readers.streams._shared.values()
            ahead = Stream(8)
            source._take(ahead, 2)

            await publish(world, "1", "2")

            assert await cursors(first, 3) == [1, 2, 3]
            assert await cursors(ahead, 1) == [3]
            ahead.leave()

    within_seconds(story())


def test_what_differs_is_executed_for_itself(world: World) -> None:
    async def story() -> None:
        async with crowd(world) as readers:
            of_a, of_b = [await readers.open(events_after(packages=[name])) for name in "ab"]
            await until(lambda: readers.served() == {of_a, of_b})

            await publish(world, "1")

            assert await cursors(of_a, 2) == [1, 2]
            assert readers.streams.executions == 2

    within_seconds(story())


def test_an_execution_goes_on_without_the_one_it_was_begun_for_and_ends_with_the_last(world: World) -> None:
    async def story() -> None:
        async with crowd(world) as readers:
            first, second = await readers.join(events_after()), await readers.join(events_after())
            first.leave()

            await publish(world, "1")
            assert await cursors(second, 2) == [1, 2]

            (source,) = readers.streams._shared.values()
            second.leave()
            assert readers.streams.executions == 0
            assert source.task is not None
            await asyncio.wait([source.task])

    within_seconds(story())


def test_nothing_is_still_being_read_for_a_reader_that_has_gone(world: World) -> None:
    async def story() -> None:
        async with world.live() as context:
            streams = Streams(schema, queue=4)
            async with streams.deliver(events_after(), context) as stream:
                await until(lambda: streams.executions == 1)
                source = stream._source
            assert source is not None
            assert source.task is not None
            assert source.task.done()

    within_seconds(story())


def test_a_reader_that_does_not_read_is_cut_off_and_holds_up_nobody(world: World) -> None:
    async def story() -> None:
        async with crowd(world, queue=4) as readers:
            slow, fast = await readers.join(events_after()), await readers.join(events_after())
            reading = asyncio.create_task(cursors(fast, 9))

            await publish(world, *"12345678")

            assert await reading == list(range(1, 10))
            with pytest.raises(SlowConsumer, match="more than 4 messages"):
                await anext(slow)
            assert readers.served() == {fast}

    within_seconds(story())


def test_the_last_reader_may_be_too_slow(world: World) -> None:
    async def story() -> None:
        async with crowd(world, queue=1) as readers:
            slow = await readers.join(events_after())
            await publish(world, *"123")
            await until(lambda: readers.streams.executions == 0)
            with pytest.raises(SlowConsumer):
                await anext(slow)

    within_seconds(story())


def test_history_is_read_no_faster_than_it_is_taken(world: World) -> None:
    async def story() -> None:
        await publish(world, *map(str, range(20)))
        async with crowd(world, queue=4) as readers:
            stream = await readers.open(events_after(0))
            await asyncio.sleep(0.2)
            assert readers.streams.executions == 0
            assert await cursors(stream, 21) == list(range(1, 22))

    within_seconds(story())


def test_builds_as_they_are_come_to_each_and_changes_to_all(world: World) -> None:
    async def story() -> None:
        await publish(world, "1")
        await anyio.to_thread.run_sync(start, world, "a")
        async with crowd(world) as readers:
            operation = Operation(BUILDS)
            first, second = await readers.open(operation), await readers.open(operation)
            for stream in (first, second):
                snapshot = json.loads((await anext(stream)).payload)["data"]["buildStatus"]
                assert snapshot == {
                    "__typename": "BuildSnapshot",
                    "complete": True,
                    "builds": [{"status": "QUEUED"}],
                }
            await until(lambda: readers.served() == {first, second})
            await anyio.to_thread.run_sync(build_next, world)

            told = [[await anext(each) for _ in range(3)] for each in (first, second)]
            assert readers.streams.executions == 1
            assert all(a is b for a, b in zip(*told, strict=True))

    within_seconds(story())


def test_a_part_of_a_beginning_is_no_place_to_resume_from(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SNAPSHOT", 1)

    async def story() -> list[int | None]:
        world.publish("b", "1", "a >=1")
        await publish(world, "1")
        await anyio.to_thread.run_sync(start, world, "a", "b")
        async with crowd(world) as readers:
            stream = await readers.open(Operation(BUILDS))
            return [(await anext(stream)).cursor for _ in range(2)]

    assert within_seconds(story()) == [None, world.database.cursor()]


def test_where_to_resume_may_be_given_beside_the_operation(world: World) -> None:
    async def story() -> None:
        await publish(world, "1", "2")
        async with crowd(world) as readers:
            stream = await readers.open(events_after(0), after="2")
            assert await cursors(stream, 1) == [3]

    within_seconds(story())


@pytest.mark.parametrize(
    ("operation", "kinds", "payload"),
    [
        (Operation(VERSION), [Kind.NEXT, Kind.COMPLETE], {"data": {"server": {"version": "0.0"}}}),
        (Operation("{"), [Kind.ERROR], None),
        (Operation("{ nothing }"), [Kind.ERROR], None),
        (Operation(VERSION, None, "Other"), [Kind.ERROR], None),
        (Operation("query($id: ID!) { node(id: $id) { id } }"), [Kind.ERROR], None),
        (Operation('subscription { events(after: "x") { __typename } }'), [Kind.ERROR], None),
    ],
)
def test_every_operation_has_an_end_but_what_goes_on(
    world: World, operation: Operation, kinds: list[Kind], payload: object
) -> None:
    async def story() -> list[Message]:
        async with crowd(world) as readers:
            return [message async for message in await readers.open(operation)]

    messages = within_seconds(story())

    assert [message.kind for message in messages] == kinds
    if payload is not None:
        assert json.loads(messages[0].payload) == payload
    else:
        (error,) = json.loads(messages[0].payload)
        assert error["extensions"]["code"] in {
            "GRAPHQL_PARSE_FAILED",
            "GRAPHQL_VALIDATION_FAILED",
            "BAD_USER_INPUT",
        }


def test_a_fault_is_told_without_its_internals(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(schema, "stream", fail)

    async def story() -> list[Message]:
        async with crowd(world) as readers:
            return [message async for message in await readers.open(Operation(VERSION))]

    (message,) = within_seconds(story())

    assert message.kind is Kind.ERROR
    assert "secret" not in message.payload
    assert json.loads(message.payload)[0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


def test_a_process_that_ends_cuts_its_readers_off_without_a_word(world: World) -> None:
    async def story() -> list[Message]:
        async with crowd(world) as readers:
            stream = await readers.join(events_after())
            readers.streams.cut()
            return [message async for message in stream]

    assert within_seconds(story()) == []


@pytest.mark.parametrize(
    ("document", "variable"),
    [
        ("subscription($a: String) { events(after: $a) { __typename } }", "a"),
        ("subscription($a: String) { events { __typename } }", None),
        ('subscription { events(after: "1") { __typename } }', None),
        (
            "subscription($a: String) { events(after: $a) { ... on Event { build { log(after: $a) { __typename } } } } }",
            None,
        ),
        ("{", None),
    ],
)
def test_the_variable_that_only_says_where_to_begin_is_known(document: str, variable: str | None) -> None:
    assert position_variable(Operation(document)) == variable


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (Operation("{ a }"), OperationType.QUERY),
        (Operation("mutation { a }"), OperationType.MUTATION),
        (Operation("query A { a } mutation B { b }", None, "B"), OperationType.MUTATION),
        (Operation("query A { a } mutation B { b }"), None),
        (Operation("}"), None),
    ],
)
def test_what_an_operation_is_can_be_told_before_it_is_executed(
    operation: Operation, kind: OperationType | None
) -> None:
    assert kind_of(operation) is kind
