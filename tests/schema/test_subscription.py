"""Events: replay, then live; no gap, no repeat."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, text
from strawberry.types import ExecutionResult

from schema.context import Context
from schema.identifiers import global_id
from schema.root import schema
from storage.events import Change, append
from storage.tables import EventKind, SubjectType
from tests.schema.world import NOW, World

EVENTS = """subscription Events($filter: EventFilter, $after: String) { events(filter: $filter, after: $after) {
    __typename ... on Event { cursor at kind subject package version } ... on EventGap { requested resumeFrom } } }"""

Answer = TypeVar("Answer")


def within_seconds(story: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a story that would otherwise wait for ever when it fails."""
    return asyncio.run(asyncio.wait_for(story, 10))


@asynccontextmanager
async def subscribed(context: Context, **variables: object) -> AsyncIterator[AsyncIterator[ExecutionResult]]:
    results = await schema.subscribe(EVENTS, variable_values=variables, context_value=context)
    async with aclosing(results):
        yield results


async def event(results: AsyncIterator[ExecutionResult]) -> Mapping[str, Any]:
    result = await anext(results)
    assert result.errors is None, result.errors
    assert result.data is not None
    found: Mapping[str, Any] = result.data["events"]
    return found


async def take(results: AsyncIterator[ExecutionResult], number: int) -> list[Mapping[str, Any]]:
    return [await event(results) for _ in range(number)]


def test_events_after_a_cursor_are_replayed_in_order(world: World) -> None:
    world.publish("a", "1")
    world.publish("a", "2")

    async def story() -> list[Mapping[str, Any]]:
        async with world.live() as context, subscribed(context, after="0") as results:
            return await take(results, 3)

    events = within_seconds(story())

    assert [each["kind"] for each in events] == ["PACKAGE_CHANGED", "VERSION_PUBLISHED", "VERSION_PUBLISHED"]
    assert [(each["package"], each["version"]) for each in events] == [("a", None), ("a", "1"), ("a", "2")]
    assert [int(each["cursor"]) for each in events] == [1, 2, 3]
    assert events[0]["at"] == "2026-01-01T00:00:00Z"
    subjects = world.ask(
        "query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", ids=[each["subject"] for each in events]
    )
    assert [node["__typename"] for node in subjects["nodes"]] == [
        "Package",
        "PackageVersion",
        "PackageVersion",
    ]


def test_after_the_replay_come_changes_as_they_are_made_through_the_api(world: World) -> None:
    world.publish("a", "1")
    publish = 'mutation { publishVersion(input: { package: "a", version: "2" }) { cursor } }'

    async def story() -> list[Mapping[str, Any]]:
        async with world.live() as context, subscribed(context, after="0") as results:
            seen = await take(results, 2)
            waiting = asyncio.ensure_future(event(results))
            await schema.execute(publish, context_value=context)
            return [*seen, await waiting]

    assert [each["version"] for each in within_seconds(story())] == [None, "1", "2"]


def test_changes_of_another_process_are_seen_too(world: World) -> None:
    async def story() -> Mapping[str, Any]:
        async with world.live() as context, subscribed(context, after="0") as results:
            waiting = asyncio.ensure_future(event(results))
            await asyncio.to_thread(world.publish, "a", "1")
            return await waiting

    assert within_seconds(story())["package"] == "a"


def test_without_a_cursor_only_what_comes_is_delivered(world: World) -> None:
    world.publish("a", "1")
    publish = 'mutation { publishVersion(input: { package: "b", version: "2" }) { cursor } }'

    async def story() -> Mapping[str, Any]:
        async with world.live() as context, subscribed(context) as results:
            # The first step of the subscription reads the position: what is written after it is delivered.
            waiting = asyncio.ensure_future(event(results))
            await context.application.pulse.waiting()
            await schema.execute(publish, context_value=context)
            return await waiting

    assert within_seconds(story())["package"] == "b"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"packages": ["b"]}, [("PACKAGE_CHANGED", "b"), ("VERSION_PUBLISHED", "b")]),
        ({"kinds": ["VERSION_PUBLISHED"]}, [("VERSION_PUBLISHED", "a"), ("VERSION_PUBLISHED", "b")]),
        ({"kinds": ["VERSION_PUBLISHED"], "packages": ["b", "c"]}, [("VERSION_PUBLISHED", "b")]),
    ],
)
def test_a_filter_delivers_only_what_fits(
    world: World, wanted: Mapping[str, object], expected: list[tuple[str, str]]
) -> None:
    world.publish("a", "1")
    world.publish("b", "1")

    async def story() -> list[Mapping[str, Any]]:
        async with world.live() as context, subscribed(context, filter=wanted, after="0") as results:
            return await take(results, len(expected))

    assert [(each["kind"], each["package"]) for each in within_seconds(story())] == expected


def test_a_filter_that_nothing_fits_waits_without_reading_the_log_again(world: World) -> None:
    for number in range(300):
        world.publish("a", str(number))

    async def story() -> bool:
        async with world.live() as context, subscribed(context, filter={"kinds": []}, after="0") as results:
            waiting = asyncio.ensure_future(event(results))
            await context.application.pulse.waiting()
            waiting.cancel()
            await asyncio.wait([waiting])
            return waiting.cancelled()

    assert within_seconds(story())


def test_a_history_longer_than_a_batch_is_replayed_whole(world: World) -> None:
    for number in range(600):
        world.publish("a", str(number))

    async def story() -> list[Mapping[str, Any]]:
        async with world.live() as context, subscribed(context, after="0") as results:
            return await take(results, 601)

    assert [int(each["cursor"]) for each in within_seconds(story())] == list(range(1, 602))


def trim(connection: Connection) -> None:
    connection.execute(text("DELETE FROM events WHERE seq <= 2"))


def test_a_history_that_was_trimmed_is_a_gap_and_the_end(world: World) -> None:
    world.publish("a", "1")
    world.publish("a", "2")
    world.database.write(trim)

    async def story() -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        async with world.live() as context:
            async with subscribed(context, after="1") as results:
                gap = [result.data["events"] async for result in results if result.data]
            async with subscribed(context, after="2") as results:
                exact = await take(results, 1)
            async with subscribed(context, after=gap[0]["resumeFrom"]) as results:
                return gap, exact, await take(results, 1)

    gap, exact, resumed = within_seconds(story())

    assert gap == [{"__typename": "EventGap", "requested": "1", "resumeFrom": "2"}]
    assert [each["version"] for each in exact] == ["2"]
    assert resumed == exact


def test_a_filter_by_run_delivers_what_is_about_it(world: World) -> None:
    run = SubjectType.RUN
    told = [
        Change(EventKind.RUN_CHANGED, run, 7, run_id=7),
        Change(EventKind.RUN_CHANGED, run, 8, run_id=8),
        Change(EventKind.BUILD_CHANGED, SubjectType.BUILD, 3, "a", "1", run_id=8),
        Change(EventKind.ALERT_CHANGED, SubjectType.ALERT, 1),
    ]
    world.database.write(lambda connection: append(connection, told, at=NOW))
    wanted = {"run": global_id("BuildRun", 8)}

    async def story() -> list[Mapping[str, Any]]:
        async with world.live() as context, subscribed(context, filter=wanted, after="0") as results:
            return await take(results, 2)

    events = within_seconds(story())

    assert [(each["kind"], each["package"]) for each in events] == [
        ("RUN_CHANGED", None),
        ("BUILD_CHANGED", "a"),
    ]
    assert [each["subject"] for each in events] == [global_id("BuildRun", 8), global_id("Build", 3)]


def test_a_filter_by_what_is_no_run_ends_the_subscription_with_an_error(world: World) -> None:
    wanted = {"run": global_id("Package", 1)}

    async def story() -> list[ExecutionResult]:
        async with world.live() as context, subscribed(context, filter=wanted) as results:
            return [result async for result in results]

    (result,) = within_seconds(story())

    assert result.errors is not None
    assert result.errors[0].message == "`filter.run` is the id of a Package, and has to be that of a BuildRun"


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ("soon", "`after` is not a cursor of the event log"),
        ("", "`after` is not a cursor of the event log"),
        ("-1", "`after` is not a cursor of the event log"),
        ("1" * 30, "`after` is not a cursor of the event log"),
        ("٣", "`after` is not a cursor of the event log"),
        ("7", "`after` is past the newest event, which is 0"),
    ],
)
def test_a_cursor_that_is_none_ends_the_subscription_with_an_error(
    world: World, after: str, message: str
) -> None:
    async def story() -> list[ExecutionResult]:
        async with world.live() as context, subscribed(context, after=after) as results:
            return [result async for result in results]

    (result,) = within_seconds(story())

    assert result.errors is not None
    (error,) = result.errors
    assert message in error.message
    assert error.extensions == {"code": "BAD_USER_INPUT", "argument": "after"}
