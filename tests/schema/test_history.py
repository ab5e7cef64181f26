"""The history of states, and events that tell of changes in it."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from resolvers.drafts import PublishRequest, UpdateRequest
from resolvers.packages import delete, update
from resolvers.versions import StatusRequest, publish, set_status
from schema.history import StateTransition
from schema.identifiers import global_id
from schema.root import schema
from storage.rows import TransitionRow
from storage.tables import SubjectType
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus, VersionStatus
from tests.schema.world import NOW, World

PARTS = "sequence subject from to conclusion attempt reason actor at"
HISTORY = f"""query History($subject: ID, $first: Int, $after: String) {{
    stateTransitions(subject: $subject, first: $first, after: $after) {{
        nodes {{ {PARTS} }} edges {{ cursor node {{ to }} }}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
FIND = '{ package(name: "a") { id version(version: "1") { id } } }'
MOVES = (VersionStatus.DEPRECATED, VersionStatus.YANKED, VersionStatus.PUBLISHED)


def moved(world: World) -> tuple[str, str]:
    """Publish a version, move it, and return the ids of its package and of itself."""
    publish(world.database, PublishRequest("a", "1"), now=NOW, actor="ann")
    for number, status in enumerate(MOVES):
        request = StatusRequest("a", "1", status, f"r{number}")
        set_status(world.database, request, now=NOW + timedelta(hours=1 + number), actor="ben")
    found = world.ask(FIND)["package"]
    return found["id"], found["version"]["id"]


def history(world: World, **variables: object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = world.ask(HISTORY, **variables)["stateTransitions"]
    return found


def test_the_history_of_a_version_is_told_from_its_first_state_on(world: World) -> None:
    _, version = moved(world)

    nodes = history(world, subject=version)["nodes"]

    assert [(each["from"], each["to"], each["reason"], each["actor"]) for each in nodes] == [
        (None, "PUBLISHED", None, "ann"),
        ("PUBLISHED", "DEPRECATED", "r0", "ben"),
        ("DEPRECATED", "YANKED", "r1", "ben"),
        ("YANKED", "PUBLISHED", "r2", "ben"),
    ]
    assert {each["subject"] for each in nodes} == {version}
    assert [each["at"] for each in nodes] == [f"2026-01-01T{hour:02}:00:00Z" for hour in range(4)]
    assert [each["conclusion"] or each["attempt"] for each in nodes] == [None] * 4
    numbers = [int(each["sequence"]) for each in nodes]
    assert numbers == sorted(numbers)


def test_a_history_is_paged_by_cursor(world: World) -> None:
    _, version = moved(world)

    first = history(world, subject=version, first=3)
    rest = history(world, subject=version, first=3, after=first["pageInfo"]["endCursor"])
    none = history(world, subject=version, after=rest["pageInfo"]["endCursor"])

    assert [edge["node"]["to"] for edge in first["edges"]] == ["PUBLISHED", "DEPRECATED", "YANKED"]
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][2]["cursor"],
    }
    assert [edge["node"]["to"] for edge in rest["edges"]] == ["PUBLISHED"]
    assert none["nodes"] == []
    assert none["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": None,
        "endCursor": None,
    }


def test_without_a_subject_the_history_of_everything_is_told(world: World) -> None:
    package, version = moved(world)

    nodes = history(world)["nodes"]

    assert [each["subject"] for each in nodes] == [package] + [version] * 4


def test_what_is_deleted_keeps_its_history(world: World) -> None:
    package, version = moved(world)

    delete(world.database, "a", force=True, now=NOW)

    assert [each["to"] for each in history(world, subject=package)["nodes"]] == ["ACTIVE"]
    assert len(history(world, subject=version)["nodes"]) == 4


def test_a_move_by_someone_unknown_is_not_laid_to_whoever_moved_it_before(world: World) -> None:
    moved(world)
    later = NOW + timedelta(hours=1)
    update(world.database, UpdateRequest("a", status=PackageStatus.DEPRECATED), now=later, actor="ann")

    world.ask('mutation { updatePackage(input: { name: "a", status: ACTIVE }) { cursor } }')
    package = world.ask(FIND)["package"]["id"]

    nodes = history(world, subject=package)["nodes"]
    assert [(each["to"], each["actor"]) for each in nodes] == [
        ("ACTIVE", "ann"),
        ("DEPRECATED", "ann"),
        ("ACTIVE", None),
    ]


@pytest.mark.parametrize("kind", ["Package", "PackageVersion", "Build", "BuildRun", "Alert"])
def test_what_never_was_has_no_history(world: World, kind: str) -> None:
    assert history(world, subject=global_id(kind, 99))["nodes"] == []


def test_what_has_no_states_is_refused(world: World) -> None:
    message, extensions = world.refusal(HISTORY, subject=global_id("Dependency", 1))

    assert message.startswith("`subject` is the id of a Dependency, and has to be that of a Package or ")
    assert (extensions["code"], extensions["found"]) == ("BAD_USER_INPUT", "Dependency")


@pytest.mark.parametrize("after", ["nonsense", "Wy0xXQ", "WzkyMjMzNzIwMzY4NTQ3NzU4MDhd"])
def test_what_is_no_cursor_of_a_history_is_refused(world: World, after: str) -> None:
    assert world.code(HISTORY, after=after) == "BAD_USER_INPUT"


def test_a_transition_of_a_build_tells_how_it_ended() -> None:
    row = TransitionRow(
        7,
        SubjectType.BUILD,
        3,
        BuildStatus.RUNNING,
        BuildStatus.COMPLETED,
        BuildConclusion.FAILURE,
        2,
        "exit code 1",
        "worker-1",
        NOW,
    )

    shown = StateTransition.of(row)

    assert (shown.subject, shown.from_, shown.to) == (global_id("Build", 3), "RUNNING", "COMPLETED")
    assert shown.conclusion is not None
    assert (shown.conclusion.name, shown.attempt) == ("FAILURE", 2)


EVENTS = (
    """subscription { events(after: "0") { ... on Event { kind version transition { from to reason } } } }"""
)
PLAIN = """subscription { events(after: "0") { ...Told } } fragment Told on Event { kind version }"""


async def _told(world: World, document: str, number: int) -> list[Mapping[str, Any]]:
    async with (
        world.live() as context,
        aclosing(await schema.subscribe(document, context_value=context)) as results,
    ):
        told = [(await anext(results)).data for _ in range(number)]
    return [data["events"] for data in told if data is not None]


def test_events_that_are_changes_of_state_come_with_what_changed(world: World) -> None:
    moved(world)
    update(world.database, UpdateRequest("a", description="x"), now=NOW)
    update(world.database, UpdateRequest("a", status=PackageStatus.ARCHIVED), now=NOW)
    set_status(world.database, StatusRequest("a", "1", VersionStatus.PUBLISHED, "reworded"), now=NOW)

    events = asyncio.run(asyncio.wait_for(_told(world, EVENTS, 8), 10))

    assert [(each["kind"], each["transition"]) for each in events] == [
        ("PACKAGE_CHANGED", {"from": None, "to": "ACTIVE", "reason": None}),
        ("VERSION_PUBLISHED", {"from": None, "to": "PUBLISHED", "reason": None}),
        ("VERSION_CHANGED", {"from": "PUBLISHED", "to": "DEPRECATED", "reason": "r0"}),
        ("VERSION_CHANGED", {"from": "DEPRECATED", "to": "YANKED", "reason": "r1"}),
        ("VERSION_CHANGED", {"from": "YANKED", "to": "PUBLISHED", "reason": "r2"}),
        ("PACKAGE_CHANGED", None),
        ("PACKAGE_CHANGED", {"from": "ACTIVE", "to": "ARCHIVED", "reason": None}),
        ("VERSION_CHANGED", None),
    ]


@pytest.mark.parametrize(("document", "reads"), [(EVENTS, 1), (PLAIN, 0)])
def test_transitions_are_read_once_for_a_batch_of_events_and_only_when_asked_for(
    world: World, document: str, reads: int
) -> None:
    moved(world)
    world.statements.clear()

    asyncio.run(asyncio.wait_for(_told(world, document, 5), 10))

    assert len([text for text in world.statements if "FROM state_tracking" in text]) == reads
