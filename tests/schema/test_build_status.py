"""The status of builds: as they are, then each change of one that matches."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, TypeVar

import pytest
from sqlalchemy import Connection, text
from strawberry.types import ExecutionResult

from resolvers import watching
from schema.context import Context
from schema.identifiers import global_id
from schema.root import schema
from tests.schema.building import build_next, claim, ids, report, start
from tests.schema.world import World

STATUS: Final = """subscription Status($filter: BuildFilter, $after: String) {
    buildStatus(filter: $filter, after: $after) { __typename
        ... on BuildSnapshot { cursor complete builds { status packageVersion { package { name } } } }
        ... on Event { cursor kind subject package version transition { from to }
            build { id status conclusion worker dependents { totalCount } } run { id status } }
        ... on EventGap { requested resumeFrom } } }"""
EVENTS: Final = """subscription Events($after: String) { events(after: $after) { ... on Event {
    kind package build { id status packageVersion { version } run { status } } run { id status total } } } }"""
DELETE: Final = 'mutation { deletePackage(input: { name: "a" }) { cursor } }'

Answer = TypeVar("Answer")
Item = Mapping[str, Any]


def within_seconds(story: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a story that would otherwise wait for ever when it fails."""
    return asyncio.run(asyncio.wait_for(story, 20))


@asynccontextmanager
async def subscribed(
    context: Context, *, document: str = STATUS, **variables: object
) -> AsyncIterator[AsyncIterator[ExecutionResult]]:
    results = await schema.subscribe(document, variable_values=variables, context_value=context)
    async with aclosing(results):
        yield results


async def item(results: AsyncIterator[ExecutionResult]) -> Item:
    result = await anext(results)
    assert result.errors is None, result.errors
    assert result.data is not None
    (found,) = result.data.values()
    assert isinstance(found, Mapping)
    return found


async def take(results: AsyncIterator[ExecutionResult], number: int) -> list[Item]:
    return [await item(results) for _ in range(number)]


def names(snapshot: Item) -> Sequence[str]:
    return [build["packageVersion"]["package"]["name"] for build in snapshot["builds"]]


def states(events: Sequence[Item]) -> list[tuple[str, str]]:
    return [(each["package"], each["build"]["status"]) for each in events]


def test_it_begins_with_the_builds_that_there_are_and_goes_on_with_their_changes(world: World) -> None:
    world.publish("a", "1")
    world.publish("b", "1", "a")
    run = start(world, "a", "b")

    async def story() -> tuple[Item, list[Item]]:
        async with world.live() as context, subscribed(context) as results:
            snapshot = await item(results)
            (claimed,) = await asyncio.to_thread(claim, world)
            events = [await item(results)]
            await asyncio.to_thread(report, world, claimed, "COMPLETED", conclusion="SUCCESS")
            return snapshot, [*events, *await take(results, 2)]

    snapshot, events = within_seconds(story())

    assert (snapshot["__typename"], snapshot["complete"]) == ("BuildSnapshot", True)
    assert [
        (name, build["status"]) for name, build in zip(names(snapshot), snapshot["builds"], strict=True)
    ] == [
        ("b", "BLOCKED"),
        ("a", "QUEUED"),
    ]
    assert states(events) == [("a", "ASSIGNED"), ("a", "COMPLETED"), ("b", "QUEUED")]
    claimed = dict(events[0])
    assert int(claimed.pop("cursor")) > int(snapshot["cursor"])
    assert claimed == {
        "__typename": "Event",
        "kind": "BUILD_CHANGED",
        "subject": ids(world)["a"],
        "package": "a",
        "version": "1",
        "transition": {"from": "QUEUED", "to": "ASSIGNED"},
        "build": {
            "id": ids(world)["a"],
            "status": "ASSIGNED",
            "conclusion": None,
            "worker": "w",
            "dependents": {"totalCount": 1},
        },
        "run": {"id": run["id"], "status": "RUNNING"},
    }


def test_many_builds_come_in_several_messages_of_which_the_last_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SNAPSHOT", 2)
    for name in "abcde":
        world.publish(name, "1")
    start(world, *"abcde")

    async def story() -> list[Item]:
        async with world.live() as context, subscribed(context) as results:
            return await take(results, 3)

    parts = within_seconds(story())

    assert [names(part) for part in parts] == [["e", "d"], ["c", "b"], ["a"]]
    assert [part["complete"] for part in parts] == [False, False, True]
    assert len({part["cursor"] for part in parts}) == 1


def test_without_builds_the_first_message_is_empty_and_complete(world: World) -> None:
    async def story() -> Item:
        async with world.live() as context, subscribed(context) as results:
            return await item(results)

    assert within_seconds(story()) == {
        "__typename": "BuildSnapshot",
        "cursor": "0",
        "complete": True,
        "builds": [],
    }


def two_runs(world: World) -> Mapping[str, Item]:
    """Have a worker each hold `a` and `b`, which two runs build; return their claims."""
    world.publish("a", "1")
    world.publish("b", "1")
    start(world, "a")
    (first,) = claim(world, worker="w1")
    start(world, "b")
    (second,) = claim(world, worker="w2")
    return {"a": first, "b": second}


FILTERS: Final = [
    ({"run": global_id("BuildRun", 2)}, ["b"]),
    ({"package": "b"}, ["b"]),
    ({"status": ["COMPLETED", "FINALIZING"]}, ["a", "b"]),
    # What stops matching is delivered once more.
    ({"status": ["ASSIGNED"]}, ["a", "b"]),
    ({"conclusion": ["FAILURE"]}, ["b"]),
    ({"worker": "w2"}, ["b"]),
    ({"worker": "w2", "status": ["COMPLETED"]}, ["b"]),
    ({}, ["a", "b"]),
]


@pytest.mark.parametrize(("chosen", "expected"), FILTERS)
def test_only_changes_of_builds_that_match_follow(
    world: World, chosen: Mapping[str, object], expected: Sequence[str]
) -> None:
    claims = two_runs(world)

    async def story() -> list[Item]:
        async with world.live() as context, subscribed(context, filter=chosen) as results:
            await item(results)
            for package, conclusion in (("a", "SUCCESS"), ("b", "FAILURE")):
                await asyncio.to_thread(report, world, claims[package], conclusion=conclusion)
            return await take(results, len(expected))

    events = within_seconds(story())

    assert states(events) == [(package, "COMPLETED") for package in expected]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"run": global_id("BuildRun", 2)}, ["b"]),
        ({"package": "a"}, ["a"]),
        ({"status": ["COMPLETED"]}, ["b"]),
        ({"status": ["QUEUED", "ASSIGNED"]}, ["a"]),
        ({"conclusion": ["FAILURE"]}, ["b"]),
        ({"worker": "w1"}, ["a"]),
        ({"worker": "w1", "status": ["COMPLETED"]}, []),
        ({"status": []}, []),
    ],
)
def test_only_builds_that_match_are_there_at_the_beginning(
    world: World, chosen: Mapping[str, object], expected: Sequence[str]
) -> None:
    report(world, two_runs(world)["b"], conclusion="FAILURE")

    async def story() -> Item:
        async with world.live() as context, subscribed(context, filter=chosen) as results:
            return await item(results)

    assert names(within_seconds(story())) == expected


def test_who_resumes_gets_what_came_since_and_no_beginning(world: World) -> None:
    world.publish("a", "1")
    start(world, "a")

    async def first() -> tuple[Item, Item]:
        async with world.live() as context, subscribed(context) as results:
            await item(results)
            (claimed,) = await asyncio.to_thread(claim, world)
            return claimed, await item(results)

    async def second(after: str) -> list[Item]:
        async with world.live() as context, subscribed(context, after=after) as results:
            return await take(results, 2)

    claimed, seen = within_seconds(first())
    report(world, claimed, "RUNNING")
    report(world, claimed, conclusion="SUCCESS")

    events = within_seconds(second(seen["cursor"]))

    assert [each["transition"] for each in events] == [
        {"from": "ASSIGNED", "to": "RUNNING"},
        {"from": "RUNNING", "to": "COMPLETED"},
    ]


def test_who_resumes_after_a_beginning_that_broke_off_misses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SNAPSHOT", 1)
    world.publish("a", "1")
    world.publish("b", "1")
    start(world, "a", "b")
    queued = {"status": ["QUEUED"]}

    async def first() -> Item:
        async with world.live() as context, subscribed(context, filter=queued) as results:
            return await item(results)

    async def second(after: str) -> list[Item]:
        async with world.live() as context, subscribed(context, filter=queued, after=after) as results:
            return await take(results, 2)

    broken = within_seconds(first())
    claim(world, limit=2)

    assert not broken["complete"]
    assert states(within_seconds(second(broken["cursor"]))) == [("a", "ASSIGNED"), ("b", "ASSIGNED")]


def test_a_history_that_was_trimmed_is_a_gap_and_the_end(world: World) -> None:
    world.publish("a", "1")
    start(world, "a")
    claim(world)
    newest = world.database.cursor()

    def trim(connection: Connection) -> None:
        connection.execute(text(f"DELETE FROM events WHERE seq < {newest}"))

    world.database.write(trim)

    async def story() -> tuple[list[Item], list[Item]]:
        async with world.live() as context:
            async with subscribed(context, after="1") as results:
                gap = [result.data["buildStatus"] async for result in results if result.data]
            async with subscribed(context, after=gap[0]["resumeFrom"]) as results:
                return gap, await take(results, 1)

    gap, resumed = within_seconds(story())

    assert gap == [{"__typename": "EventGap", "requested": "1", "resumeFrom": str(newest - 1)}]
    assert states(resumed) == [("a", "ASSIGNED")]


@pytest.mark.parametrize(
    ("variables", "message", "extensions"),
    [
        (
            {"after": "soon"},
            "`after` is not a cursor of the event log: pass on what a field `cursor` gave",
            {"code": "BAD_USER_INPUT", "argument": "after"},
        ),
        (
            {"after": "7"},
            "`after` is past the newest event, which is 0: is it from another database?",
            {"code": "BAD_USER_INPUT", "argument": "after"},
        ),
        (
            {"filter": {"run": global_id("Build", 1)}},
            "`filter.run` is the id of a Build, and has to be that of a BuildRun",
            {
                "code": "BAD_USER_INPUT",
                "argument": "filter.run",
                "found": "Build",
                "expected": ["BuildRun"],
            },
        ),
        (
            {"filter": {"run": "7"}},
            "'7' is not an id of this server: ids are opaque, pass on what a field `id` gave",
            {"code": "BAD_USER_INPUT"},
        ),
    ],
)
def test_what_cannot_be_watched_ends_the_subscription_with_an_error(
    world: World, variables: Mapping[str, Any], message: str, extensions: Mapping[str, object]
) -> None:
    async def story() -> list[ExecutionResult]:
        async with world.live() as context, subscribed(context, **variables) as results:
            return [result async for result in results]

    (result,) = within_seconds(story())

    assert result.errors is not None
    assert [(each.message, each.extensions) for each in result.errors] == [(message, extensions)]


def test_events_bring_the_build_and_the_run_that_they_are_about(world: World) -> None:
    world.publish("a", "1")
    after = str(world.database.cursor())
    run = start(world, "a")
    build_next(world)

    async def story() -> list[Item]:
        async with world.live() as context, subscribed(context, document=EVENTS, after=after) as results:
            return await take(results, 6)

    events = within_seconds(story())

    build = {
        "id": ids(world)["a"],
        "status": "COMPLETED",
        "packageVersion": {"version": "1"},
        "run": {"status": "COMPLETED"},
    }
    shown = {"id": run["id"], "status": "COMPLETED", "total": 1}
    of_build = {"kind": "BUILD_CHANGED", "package": "a", "build": build, "run": shown}
    of_run = {"kind": "RUN_CHANGED", "package": None, "build": None, "run": shown}
    # The run begins with the build queued; that is assigned, runs and completes, and with it the run.
    assert events == [of_run, of_build, of_build, of_build, of_build, of_run]


def test_an_event_about_a_package_has_no_build_and_no_run(world: World) -> None:
    world.publish("a", "1")

    async def story() -> Item:
        async with world.live() as context, subscribed(context, document=EVENTS, after="0") as results:
            return await item(results)

    assert within_seconds(story()) == {
        "kind": "PACKAGE_CHANGED",
        "package": "a",
        "build": None,
        "run": None,
    }


def test_a_build_that_is_gone_is_told_by_its_id_alone(world: World) -> None:
    world.publish("a", "1")
    run = start(world, "a")
    (claimed,) = claim(world)
    after = str(world.database.cursor())
    report(world, claimed, conclusion="SUCCESS")
    world.ask(DELETE)

    async def story() -> Item:
        async with world.live() as context, subscribed(context, after=after) as results:
            return await item(results)

    event = within_seconds(story())

    assert (event["subject"], event["build"]) == (claimed["build"]["id"], None)
    assert event["run"] == {"id": run["id"], "status": "COMPLETED"}
