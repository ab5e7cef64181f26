"""Runs: started, shown, previewed, canceled."""

from collections.abc import Mapping
from typing import Any

import pytest

from schema.identifiers import global_id
from tests.schema.building import START, build_next, claim, ids, start, states
from tests.schema.world import World

RUN = """query Run($id: ID!) { run(id: $id) {
    status conclusion reason trigger priority maxAttempts timeoutSeconds labels { key value } workerLabels { key value }
    number createdAt completedAt total counts { status conclusion count } cutEdges { dependent dependency kinds optional } } }"""
BUILDS = """query Builds($id: ID!, $status: [BuildStatus!], $conclusion: [BuildConclusion!], $first: Int, $after: String) {
    run(id: $id) { builds(status: $status, conclusion: $conclusion, first: $first, after: $after) {
        totalCount nodes { packageVersion { package { name } } } pageInfo { hasNextPage endCursor } } } }"""
CANCEL = """mutation Cancel($input: CancelRunInput!) { cancelRun(input: $input) {
    created cursor conflict { message } run { status conclusion reason } } }"""
PREVIEW = """query Preview($input: StartRunInput!, $first: Int! = 1000) { previewRun(input: $input) { __typename
    ... on RunPreview { total counts { status conclusion count } supersedes criticalPath criticalPathSeconds
        cutEdges { dependent dependency }
        builds(first: $first) { package version wave status conclusion trigger expectedSeconds reason } }
    ... on ResolutionConflict { message } } }"""
BLOCKERS = """query Blockers($run: ID, $first: Int! = 20) { blockers(run: $run, first: $first) {
    kind package build { id } blockedBuilds remainingSeconds message } }"""


def chain(world: World) -> None:
    """Publish `c`, which needs `b`, which needs `a`."""
    world.publish("a", "1")
    world.publish("b", "1", "a")
    world.publish("c", "1", "b")


def unsolvable() -> Mapping[str, Any]:
    return {"plan": {"resolve": {"requirements": [{"package": "a", "constraint": ">1"}]}}}


def test_a_run_shows_how_it_was_asked_for_and_how_it_stands(world: World) -> None:
    chain(world)
    run = start(
        world,
        "a",
        "b",
        "c",
        trigger="SOURCE_CHANGE",
        priority=-2,
        maxAttempts=1,
        timeoutSeconds=5,
        labels=[{"key": "team", "value": "x"}],
        workerLabels=[{"key": "os", "value": "linux"}],
    )

    shown = dict(world.ask(RUN, id=run["id"])["run"])

    assert shown.pop("createdAt") is not None
    assert shown == {
        "number": 1,
        "status": "RUNNING",
        "conclusion": None,
        "reason": None,
        "trigger": "SOURCE_CHANGE",
        "priority": -2,
        "maxAttempts": 1,
        "timeoutSeconds": 5,
        "labels": [{"key": "team", "value": "x"}],
        "workerLabels": [{"key": "os", "value": "linux"}],
        "completedAt": None,
        "total": 3,
        "counts": [
            {"status": "BLOCKED", "conclusion": None, "count": 2},
            {"status": "QUEUED", "conclusion": None, "count": 1},
        ],
        "cutEdges": [],
    }


def test_a_run_is_over_when_its_builds_are(world: World) -> None:
    chain(world)
    run = start(world, "a", "b", "c")["id"]
    build_next(world)
    build_next(world, "FAILURE")

    shown = world.ask(RUN, id=run)["run"]

    assert (shown["status"], shown["conclusion"]) == ("COMPLETED", "FAILURE")
    assert shown["completedAt"] is not None
    assert shown["counts"] == [
        {"status": "COMPLETED", "conclusion": "SUCCESS", "count": 1},
        {"status": "COMPLETED", "conclusion": "FAILURE", "count": 1},
        {"status": "COMPLETED", "conclusion": "DEP_FAILED", "count": 1},
    ]


def test_a_run_of_a_cycle_tells_what_it_left_out(world: World) -> None:
    world.publish("a", "1", "b")
    world.publish("b", "1", "a")
    run = start(world, "a", "b")["id"]

    (edge,) = world.ask(RUN, id=run)["run"]["cutEdges"]

    assert {edge["dependent"], edge["dependency"]} == {"a", "b"}
    assert (edge["kinds"], edge["optional"]) == (["RUNTIME"], False)


def test_the_builds_of_a_run_are_paged_and_can_be_narrowed(world: World) -> None:
    chain(world)
    run = start(world, "a", "b", "c")["id"]
    start(world, "a")
    build_next(world)

    def some(**wanted: object) -> Mapping[str, Any]:
        found: Mapping[str, Any] = world.ask(BUILDS, id=run, **wanted)["run"]["builds"]
        return found

    def names(connection: Mapping[str, Any]) -> list[str]:
        return [each["packageVersion"]["package"]["name"] for each in connection["nodes"]]

    first = some(first=2)
    assert (names(first), first["totalCount"], first["pageInfo"]["hasNextPage"]) == (["c", "b"], 3, True)
    assert names(some(after=first["pageInfo"]["endCursor"])) == ["a"]
    assert (names(some(status=["BLOCKED"])), some(status=["BLOCKED"])["totalCount"]) == (["c"], 1)
    assert names(some(conclusion=["SUPERSEDED"])) == ["a"]
    assert names(some(status=["BLOCKED"], conclusion=["SUPERSEDED"])) == []


def test_runs_are_listed_newest_first_and_paged(world: World) -> None:
    world.publish("a", "1")
    runs = [start(world, "a")["id"] for _ in range(3)]
    query = """query($first: Int, $after: String) { runs(first: $first, after: $after) { totalCount nodes { id }
        edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    first = world.ask(query, first=2)["runs"]
    rest = world.ask(query, after=first["pageInfo"]["endCursor"])["runs"]
    none = world.ask(query, after=rest["pageInfo"]["endCursor"])["runs"]

    assert [each["id"] for each in first["nodes"]] == [runs[2], runs[1]]
    assert [edge["node"]["id"] for edge in first["edges"]] == [runs[2], runs[1]]
    assert first["totalCount"] == 3
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][1]["cursor"],
    }
    assert [each["id"] for each in rest["nodes"]] == [runs[0]]
    assert (none["nodes"], none["pageInfo"]["endCursor"]) == ([], None)
    assert world.code(query, after="nonsense") == "BAD_USER_INPUT"


def test_a_run_is_started_once_for_one_key(world: World) -> None:
    world.publish("a", "1")
    content = {"plan": {"packages": ["a"]}, "idempotencyKey": "k"}

    first = world.ask(START, input=content)["startRun"]
    again = world.ask(START, input=content | {"priority": 5})["startRun"]

    assert (first["created"], again["created"]) == (True, False)
    assert again["run"]["id"] == first["run"]["id"]
    assert first["cursor"] == again["cursor"] == str(world.database.cursor())


def test_a_run_whose_pins_cannot_be_solved_is_not_started(world: World) -> None:
    world.publish("a", "1")

    answer = world.ask(START, input=unsolvable())["startRun"]

    assert (answer["run"], answer["created"]) == (None, False)
    assert answer["conflict"]["message"].startswith("No versions satisfy your requirement a >1.")
    assert answer["cursor"] == str(world.database.cursor())
    assert world.ask("{ runs { totalCount } }") == {"runs": {"totalCount": 0}}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"plan": {"packages": ["nothing"]}}, "NOT_FOUND"),
        ({"maxAttempts": 0}, "BAD_USER_INPUT"),
        ({"timeoutSeconds": 0}, "BAD_USER_INPUT"),
        ({"priority": 2_000_000}, "BAD_USER_INPUT"),
        ({"idempotencyKey": ""}, "BAD_USER_INPUT"),
        ({"labels": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}, "BAD_USER_INPUT"),
        ({"workerLabels": [{"key": "", "value": "1"}]}, "BAD_USER_INPUT"),
    ],
)
def test_a_run_that_cannot_be_is_refused(world: World, fields: Mapping[str, object], code: str) -> None:
    world.publish("a", "1")

    assert world.code(START, input={"plan": {"packages": ["a"]}, **fields}) == code
    assert world.ask("{ runs { totalCount } }") == {"runs": {"totalCount": 0}}


def test_whoever_starts_or_cancels_a_run_is_in_its_history(world: World) -> None:
    world.publish("a", "1")
    run = start(world, "a")["id"]

    canceled = world.ask(CANCEL, input={"id": run, "reason": "wrong branch"})["cancelRun"]

    assert canceled == {
        "created": False,
        "cursor": str(world.database.cursor()),
        "conflict": None,
        "run": {"status": "COMPLETED", "conclusion": "CANCELED", "reason": "wrong branch"},
    }
    history = world.ask("query($id: ID!) { stateTransitions(subject: $id) { nodes { to reason } } }", id=run)[
        "stateTransitions"
    ]["nodes"]
    assert history[0] == {"to": "RUNNING", "reason": None}
    assert history[-1] == {"to": "COMPLETED", "reason": "wrong branch"}


def test_what_a_worker_holds_of_a_canceled_run_is_waited_for(world: World) -> None:
    world.publish("a", "1")
    world.publish("b", "1")
    run = start(world, "a", "b")["id"]
    claim(world)

    canceled = world.ask(CANCEL, input={"id": run})["cancelRun"]["run"]

    assert canceled["status"] == "CANCELING"
    assert sorted(states(world).values()) == ["CANCELED", "CANCELING"]


@pytest.mark.parametrize(
    ("id_", "code"),
    [
        (global_id("BuildRun", 99), "NOT_FOUND"),
        (global_id("Build", 1), "BAD_USER_INPUT"),
        ("nonsense", "BAD_USER_INPUT"),
    ],
)
def test_what_is_no_run_cannot_be_canceled(world: World, id_: str, code: str) -> None:
    assert world.code(CANCEL, input={"id": id_}) == code


def test_a_run_that_has_ended_cannot_be_canceled(world: World) -> None:
    world.publish("a", "1")
    run = start(world, "a")["id"]
    build_next(world)

    assert world.code(CANCEL, input={"id": run}) == "ILLEGAL_TRANSITION"


def test_a_preview_tells_what_would_be_started_and_starts_nothing(world: World) -> None:
    chain(world)
    world.publish("d", "1", "ghost")
    start(world, "a")
    cursor = world.database.cursor()
    content = {"plan": {"packages": ["a", "d"], "includeDependents": True}, "trigger": "NEW"}

    preview = dict(world.ask(PREVIEW, input=content)["previewRun"])

    builds = preview.pop("builds")
    assert preview == {
        "__typename": "RunPreview",
        "total": 4,
        "counts": [
            {"status": "BLOCKED", "conclusion": None, "count": 2},
            {"status": "QUEUED", "conclusion": None, "count": 1},
            {"status": "COMPLETED", "conclusion": "UNRESOLVABLE", "count": 1},
        ],
        "supersedes": 1,
        "criticalPath": preview["criticalPath"],
        "criticalPathSeconds": None,
        "cutEdges": [],
    }
    assert {"a", "b", "c"} == set(preview["criticalPath"])
    assert {each["package"]: (each["wave"], each["status"], each["trigger"]) for each in builds} == {
        "a": (0, "QUEUED", "NEW"),
        "b": (1, "BLOCKED", "DEPENDENCY_CHANGE"),
        "c": (2, "BLOCKED", "DEPENDENCY_CHANGE"),
        "d": (0, "COMPLETED", "NEW"),
    }
    (lacking,) = (each for each in builds if each["package"] == "d")
    assert (lacking["version"], lacking["conclusion"], lacking["expectedSeconds"]) == (
        "1",
        "UNRESOLVABLE",
        None,
    )
    assert "ghost" in lacking["reason"]
    assert world.database.cursor() == cursor


def test_a_preview_expects_what_builds_took(world: World) -> None:
    world.publish("a", "1")
    start(world, "a")
    build_next(world)
    took = world.ask("query($id: ID!) { build(id: $id) { durationSeconds } }", id=ids(world)["a"])["build"]

    preview = world.ask(PREVIEW, input={"plan": {"packages": ["a"]}})["previewRun"]

    assert preview["builds"][0]["expectedSeconds"] == pytest.approx(took["durationSeconds"], abs=0.001)
    assert preview["criticalPathSeconds"] == pytest.approx(took["durationSeconds"], abs=0.001)


def test_a_preview_shows_as_many_builds_as_are_asked_for(world: World) -> None:
    chain(world)
    content: Mapping[str, object] = {"plan": {}}

    preview = world.ask(PREVIEW, input=content, first=2)["previewRun"]

    assert ([each["package"] for each in preview["builds"]], preview["total"]) == (["a", "b"], 3)
    assert world.code(PREVIEW, input=content, first=0) == "BAD_USER_INPUT"
    assert world.code(PREVIEW, input=content, first=100_001) == "BAD_USER_INPUT"


def test_a_preview_of_what_cannot_be_solved_tells_why(world: World) -> None:
    world.publish("a", "1")

    preview = world.ask(PREVIEW, input=unsolvable())["previewRun"]

    assert preview["__typename"] == "ResolutionConflict"
    assert preview["message"].startswith("No versions satisfy your requirement a >1.")


def test_what_to_mend_first_is_what_holds_up_most(world: World) -> None:
    chain(world)
    world.publish("x", "1")
    world.publish("y", "1", "x")
    run = start(world, "a", "b", "c", "x", "y")["id"]
    build_next(world, "FAILURE")
    build_next(world, "FAILURE")

    found = world.ask(BLOCKERS)["blockers"]

    assert [(each["kind"], each["package"], each["blockedBuilds"]) for each in found] == [
        ("DEP_FAILED", "a", 2),
        ("DEP_FAILED", "x", 1),
    ]
    assert found[0]["build"] == {"id": ids(world)["a"]}
    assert found[0]["remainingSeconds"] > 0
    assert world.ask(BLOCKERS, run=run, first=1)["blockers"] == found[:1]
    assert world.ask(BLOCKERS, run=global_id("BuildRun", 99))["blockers"] == []
    assert world.code(BLOCKERS, run=global_id("Build", 1)) == "BAD_USER_INPUT"
    assert world.code(BLOCKERS, first=0) == "BAD_USER_INPUT"
