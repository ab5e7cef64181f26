"""Builds as they are asked for."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest

from resolvers.reasons import BlockReasonKind
from schema import enums
from schema.identifiers import global_id
from schema.pagination import cursor
from storage import transitions, versions
from storage.build_tables import BuildTrigger
from tests.schema.building import build_next, claim, ids, report, start
from tests.schema.world import World

BUILD = """query Build($id: ID!) { build(id: $id) {
    status conclusion reason trigger attempt maxAttempts priority worker workerLabels { key value } timeoutSeconds
    expectedSeconds outputDigest notBefore leaseExpiresAt queuedAt startedAt completedAt durationSeconds message
    run { id } packageVersion { version package { name } } attempts { number worker conclusion message }
    artifacts { name uri digest sizeBytes } log { nodes { text } } blockedBy { kind } } }"""
LIST = """query List($filter: BuildFilter, $first: Int, $after: String, $last: Int, $before: String) {
    builds(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { packageVersion { package { name } } } edges { cursor node { id } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
AROUND = """query Around($id: ID!, $first: Int, $after: String) { build(id: $id) {
    dependencies(first: $first, after: $after) { ...Names } dependents(first: $first, after: $after) { ...Names } } }
    fragment Names on BuildConnection { totalCount edges { cursor }
        nodes { packageVersion { package { name } } } pageInfo { hasNextPage endCursor } }"""
HISTORY = """query History($id: ID!, $first: Int, $after: String) { build(id: $id) {
    transitions(first: $first, after: $after) { nodes { from to conclusion attempt actor }
        pageInfo { hasNextPage endCursor } } } }"""


def names(connection: Mapping[str, Any]) -> list[str]:
    return [each["packageVersion"]["package"]["name"] for each in connection["nodes"]]


def chain(world: World) -> None:
    """Publish `c`, which needs `b`, which needs `a`."""
    world.publish("a", "1")
    world.publish("b", "1", "a")
    world.publish("c", "1", "b")


def test_a_build_that_nobody_has_claimed_shows_how_it_was_asked_for(world: World) -> None:
    world.publish("a", "1.0")
    run = start(
        world,
        "a",
        trigger="NEW",
        priority=7,
        maxAttempts=2,
        timeoutSeconds=60,
        workerLabels=[{"key": "os", "value": "linux"}],
    )

    shown = dict(world.ask(BUILD, id=ids(world)["a"])["build"])

    assert shown.pop("queuedAt") is not None
    assert shown == {
        "status": "QUEUED",
        "conclusion": None,
        "reason": None,
        "trigger": "NEW",
        "attempt": 0,
        "maxAttempts": 2,
        "priority": 7,
        "worker": None,
        "workerLabels": [{"key": "os", "value": "linux"}],
        "timeoutSeconds": 60,
        "expectedSeconds": None,
        "outputDigest": None,
        "notBefore": None,
        "leaseExpiresAt": None,
        "startedAt": None,
        "completedAt": None,
        "durationSeconds": None,
        "message": None,
        "run": {"id": run["id"]},
        "packageVersion": {"version": "1.0", "package": {"name": "a"}},
        "attempts": [],
        "artifacts": [],
        "log": {"nodes": []},
        "blockedBy": [{"kind": "NO_WORKER"}],
    }


def test_a_build_that_has_ended_shows_what_came_of_it(world: World) -> None:
    world.publish("a", "1.0")
    start(world, "a")
    artifacts = [
        {"name": "wheel", "uri": "file:///a.whl", "digest": "d", "sizeBytes": 5e9},
        {"name": "notes", "uri": "file:///notes"},
    ]
    build_next(world, message="built", artifacts=artifacts, outputDigest="sha256:1")

    shown = world.ask(BUILD, id=ids(world)["a"])["build"]

    assert (shown["status"], shown["conclusion"], shown["worker"]) == ("COMPLETED", "SUCCESS", "w")
    assert (shown["message"], shown["outputDigest"]) == ("built", "sha256:1")
    assert shown["attempts"] == [{"number": 1, "worker": "w", "conclusion": "SUCCESS", "message": "built"}]
    assert shown["artifacts"] == [
        {"name": "wheel", "uri": "file:///a.whl", "digest": "d", "sizeBytes": 5e9},
        {"name": "notes", "uri": "file:///notes", "digest": None, "sizeBytes": None},
    ]
    assert shown["startedAt"] < shown["completedAt"]
    assert 0 < shown["durationSeconds"] < 60
    assert (shown["leaseExpiresAt"], shown["blockedBy"]) == (None, [])


def test_builds_and_runs_are_found_again_by_their_ids(world: World) -> None:
    world.publish("a", "1")
    run = start(world, "a")["id"]
    build = ids(world)["a"]

    found = world.ask(
        """query($build: ID!, $run: ID!) { nodes(ids: [$build, $run]) { __typename id }
            build(id: $build) { id } run(id: $run) { id } }""",
        build=build,
        run=run,
    )

    assert found == {
        "nodes": [{"__typename": "Build", "id": build}, {"__typename": "BuildRun", "id": run}],
        "build": {"id": build},
        "run": {"id": run},
    }


@pytest.mark.parametrize(("field", "kind"), [("build", "Build"), ("run", "BuildRun")])
def test_an_id_of_nothing_is_null(world: World, field: str, kind: str) -> None:
    query = f"query($id: ID!) {{ {field}(id: $id) {{ id }} node(id: $id) {{ id }} }}"

    assert world.ask(query, id=global_id(kind, 99)) == {field: None, "node": None}


@pytest.mark.parametrize(("field", "other"), [("build", "BuildRun"), ("run", "Build"), ("run", "Package")])
def test_an_id_of_something_else_is_refused(world: World, field: str, other: str) -> None:
    message, extensions = world.refusal(
        f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=global_id(other, 1)
    )

    assert message.startswith(f"`id` is the id of a {other}, and has to be that of a ")
    assert extensions["code"] == "BAD_USER_INPUT"


def test_builds_are_listed_newest_first_and_paged_both_ways(world: World) -> None:
    for name in "abcde":
        world.publish(name, "1")
        start(world, name)

    first = world.ask(LIST, first=2)["builds"]
    second = world.ask(LIST, first=2, after=first["pageInfo"]["endCursor"])["builds"]
    last = world.ask(LIST, last=2)["builds"]
    before = world.ask(LIST, last=2, before=last["pageInfo"]["startCursor"])["builds"]

    assert [names(each) for each in (first, second, last, before)] == [
        ["e", "d"],
        ["c", "b"],
        ["b", "a"],
        ["d", "c"],
    ]
    assert [each["totalCount"] for each in (first, last)] == [5, 5]
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][1]["cursor"],
    }
    assert (last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert [edge["node"]["id"] for edge in first["edges"]] == [ids(world)["e"], ids(world)["d"]]


def test_builds_can_be_narrowed_to_some(world: World) -> None:
    for name in "abc":
        world.publish(name, "1")
    first = start(world, "a", "b", "c")["id"]
    build_next(world)
    build_next(world, "FAILURE")
    second = start(world, "a")["id"]

    def some(**filter: object) -> list[str]:
        return names(world.ask(LIST, filter=filter)["builds"])

    assert some() == ["a", "c", "b", "a"]
    assert some(run=first) == ["c", "b", "a"]
    assert some(run=second) == ["a"]
    assert some(package="a") == ["a", "a"]
    assert some(package="nothing") == some(package="a\0") == some(status=[]) == []
    assert some(status=["QUEUED"]) == ["a", "c"]
    assert some(status=["COMPLETED", "QUEUED"], run=first) == ["c", "b", "a"]
    assert some(conclusion=["FAILURE"]) == ["b"]
    assert some(worker="w", conclusion=["SUCCESS", "FAILURE"]) == ["b", "a"]
    assert some(worker="nobody") == []
    assert world.ask(LIST, filter={"conclusion": ["FAILURE"]})["builds"]["totalCount"] == 1


@pytest.mark.parametrize("run", ["nonsense", global_id("Build", 1)])
def test_a_filter_by_what_is_no_run_is_refused(world: World, run: str) -> None:
    assert world.code(LIST, filter={"run": run}) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "page",
    [
        {"after": "nonsense"},
        {"before": cursor([-1])},
        {"after": cursor([2**63])},
        {"first": 0},
        {"last": 1001},
        {"first": 1, "last": 1},
    ],
)
def test_what_is_no_page_of_builds_is_refused(world: World, page: Mapping[str, object]) -> None:
    assert world.code(LIST, **page) == "BAD_USER_INPUT"


def test_a_build_knows_what_it_waits_for_and_what_waits_for_it(world: World) -> None:
    chain(world)
    world.publish("d", "1", "b", "c")
    start(world, "a", "b", "c", "d")

    around = world.ask(AROUND, id=ids(world)["b"])["build"]
    page = world.ask(AROUND, id=ids(world)["b"], first=1)["build"]["dependents"]
    rest = world.ask(AROUND, id=ids(world)["b"], after=page["pageInfo"]["endCursor"])["build"]["dependents"]

    assert (names(around["dependencies"]), around["dependencies"]["totalCount"]) == (["a"], 1)
    assert (names(around["dependents"]), around["dependents"]["totalCount"]) == (["c", "d"], 2)
    assert (names(page), page["pageInfo"]["hasNextPage"], page["totalCount"]) == (["c"], True, 2)
    assert (names(rest), rest["pageInfo"]["hasNextPage"]) == (["d"], False)


def test_what_keeps_a_build_is_told_with_the_way_to_it(world: World) -> None:
    chain(world)
    start(world, "a", "b", "c")
    build_next(world, "FAILURE")
    query = "query($id: ID!) { build(id: $id) { blockedBy { kind package path transient message } } }"

    assert world.ask(query, id=ids(world)["c"])["build"]["blockedBy"] == [
        {
            "kind": "DEP_FAILED",
            "package": "a",
            "path": ["c", "b", "a"],
            "transient": False,
            "message": "a 1 ended as FAILURE",
        }
    ]


def test_a_build_tells_its_history_in_pages(world: World) -> None:
    world.publish("a", "1")
    start(world, "a")
    build_next(world)
    id_ = ids(world)["a"]

    first = world.ask(HISTORY, id=id_, first=3)["build"]["transitions"]
    rest = world.ask(HISTORY, id=id_, after=first["pageInfo"]["endCursor"])["build"]["transitions"]

    assert [(each["from"], each["to"], each["actor"]) for each in first["nodes"]] == [
        (None, "QUEUED", None),
        ("QUEUED", "ASSIGNED", "w"),
        ("ASSIGNED", "RUNNING", "w"),
    ]
    assert rest == {
        "nodes": [
            {"from": "RUNNING", "to": "COMPLETED", "conclusion": "SUCCESS", "attempt": 1, "actor": "w"}
        ],
        "pageInfo": {"hasNextPage": False, "endCursor": rest["pageInfo"]["endCursor"]},
    }


def test_the_history_of_a_build_is_paged_by_the_cursors_of_all_histories(world: World) -> None:
    world.publish("a", "1")
    start(world, "a")
    build_next(world)
    id_ = ids(world)["a"]
    listed = world.ask(
        "query($id: ID!) { stateTransitions(subject: $id, first: 3) { pageInfo { endCursor } } }", id=id_
    )

    after = listed["stateTransitions"]["pageInfo"]["endCursor"]

    assert [
        each["to"] for each in world.ask(HISTORY, id=id_, after=after)["build"]["transitions"]["nodes"]
    ] == ["COMPLETED"]


def test_a_package_knows_its_builds_and_a_version_its_latest(world: World) -> None:
    world.publish("a", "1")
    start(world, "a")
    build_next(world)
    world.publish("a", "2")
    world.publish("b", "1")
    start(world, "a")

    data = world.ask(
        """{ packages { nodes { name builds(first: 1) { totalCount nodes { id packageVersion { version } }
                pageInfo { hasNextPage } }
            versions { nodes { version latestBuild { status } } } } } }"""
    )

    assert data["packages"]["nodes"] == [
        {
            "name": "a",
            "builds": {
                "totalCount": 2,
                "nodes": [{"id": ids(world)["a"], "packageVersion": {"version": "2"}}],
                "pageInfo": {"hasNextPage": True},
            },
            "versions": {
                "nodes": [
                    {"version": "2", "latestBuild": {"status": "QUEUED"}},
                    {"version": "1", "latestBuild": {"status": "COMPLETED"}},
                ]
            },
        },
        {
            "name": "b",
            "builds": {"totalCount": 0, "nodes": [], "pageInfo": {"hasNextPage": False}},
            "versions": {"nodes": [{"version": "1", "latestBuild": None}]},
        },
    ]


NESTED = """{ runs { totalCount nodes { total counts { count } builds(first: 100) { totalCount nodes {
    id run { id } packageVersion { version latestBuild { id } package { name builds(first: 2) { totalCount nodes { id } } } }
    attempts { number } artifacts { name } log(first: 2) { nodes { text } }
    dependencies(first: 3) { totalCount nodes { id } } dependents(first: 3) { totalCount nodes { id status } }
    blockedBy { package } transitions(first: 2) { nodes { to } } } } } } }"""


def test_the_number_of_statements_does_not_grow_with_the_builds(world: World) -> None:
    world.publish("hub", "1")
    world.publish("p0", "1", "hub")
    start(world, "hub", "p0")
    claim(world)
    few = world.statements_of(NESTED)
    for number in range(1, 30):
        world.publish(f"p{number}", "1", "hub")
    start(world, "hub", *(f"p{number}" for number in range(30)))

    many = world.statements_of(NESTED)

    # Which reads fall into one batch depends a little on which thread answers first.
    assert len(many) <= len(few) + 3


def test_builds_are_counted_only_when_asked_for(world: World) -> None:
    world.publish("a", "1")
    start(world, "a")

    statements = world.statements_of(
        "{ builds { nodes { dependencies { nodes { id } } run { builds { nodes { id } } } } } runs { nodes { id } } }"
    )

    assert not [text for text in statements if "count(" in text.lower()]


def test_a_build_is_as_its_worker_left_it_in_the_same_operation(world: World) -> None:
    world.publish("a", "1")
    start(world, "a")
    (claimed,) = claim(world)

    assert claimed["build"] == {
        "id": ids(world)["a"],
        "status": "ASSIGNED",
        "attempt": 1,
        "worker": "w",
        "packageVersion": {"package": {"name": "a"}},
    }
    assert report(world, claimed, "PREPARING")["status"] == "PREPARING"


def test_what_was_deleted_while_it_was_read_around_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish("a", "1")
    start(world, "a")
    monkeypatch.setattr(versions, "by_ids", lambda _connection, _ids: {})

    message, extensions = world.refusal("{ builds { nodes { packageVersion { id } } } }")

    assert "was deleted just now" in message
    assert extensions["code"] == "NOT_FOUND"


def test_states_have_the_names_that_they_have_below() -> None:
    pairs: list[tuple[type[Enum], type[Enum]]] = [
        (enums.BuildStatus, transitions.BuildStatus),
        (enums.BuildConclusion, transitions.BuildConclusion),
        (enums.BuildTrigger, BuildTrigger),
        (enums.RunStatus, transitions.RunStatus),
        (enums.RunConclusion, transitions.RunConclusion),
        (enums.BlockReasonKind, BlockReasonKind),
    ]

    for ours, theirs in pairs:
        assert [each.name for each in ours] == [each.name for each in theirs]
    assert {each.name for each in enums.ReportedStatus} <= {each.name for each in enums.BuildStatus}
