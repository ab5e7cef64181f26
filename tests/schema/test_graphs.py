"""What is asked of the dependency graph."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from schema.graphs import DependencyCycle, Impact, PathGraph, Subgraph
from schema.pagination import cursor
from schema.plans import BuildPlan
from schema.solving import Resolution
from tests.schema.world import World

AROUND = """query Around($name: String!, $first: Int, $after: String, $transitive: Boolean! = false, $kinds: [DependencyKind!]) {
    package(name: $name) {
        dependencies(first: $first, after: $after, transitive: $transitive, kinds: $kinds) { ...Page }
        dependents(first: $first, after: $after, transitive: $transitive, kinds: $kinds) { ...Page }
    } }
    fragment Page on PackageConnection { totalCount truncated nodes { name } edges { cursor node { name } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"""


def names(connection: Mapping[str, Any]) -> list[str]:
    return [node["name"] for node in connection["nodes"]]


@pytest.fixture
def chain(world: World) -> World:
    """A needs b and c, b needs d, c needs d and something unregistered, d needs e."""
    world.publish("e", "1")
    world.publish("d", "1", "e")
    world.publish("c", "1", "d", "ghost")
    world.publish("b", "1", "d")
    world.publish("a", "1", "b", "c")
    return world


def test_direct_neighbours_are_those_one_step_away(chain: World) -> None:
    package = chain.ask(AROUND, name="d")["package"]

    assert names(package["dependencies"]) == ["e"]
    assert names(package["dependents"]) == ["b", "c"]


def test_transitive_neighbours_come_nearest_first_and_only_registered_ones(chain: World) -> None:
    dependencies = chain.ask(AROUND, name="a", transitive=True)["package"]["dependencies"]

    assert names(dependencies) == ["b", "c", "d", "e"]
    assert (dependencies["totalCount"], dependencies["truncated"]) == (4, False)


def test_a_traversal_is_paged_in_its_own_order(chain: World) -> None:
    first = chain.ask(AROUND, name="a", transitive=True, first=3)["package"]["dependencies"]
    second = chain.ask(AROUND, name="a", transitive=True, first=3, after=first["pageInfo"]["endCursor"])

    assert names(first) == ["b", "c", "d"]
    assert first["pageInfo"]["hasNextPage"] is True
    assert names(second["package"]["dependencies"]) == ["e"]
    assert second["package"]["dependencies"]["pageInfo"]["hasNextPage"] is False


def test_a_traversal_goes_on_after_the_package_at_its_cursor_wherever_that_stands_now(chain: World) -> None:
    end = chain.ask(AROUND, name="a", transitive=True, first=3)["package"]["dependencies"]["pageInfo"][
        "endCursor"
    ]
    chain.publish("aa", "1")
    chain.publish("a", "2", "aa", "b", "c")

    after = chain.ask(AROUND, name="a", transitive=True, first=3, after=end)["package"]["dependencies"]

    assert names(after) == ["e"]


def test_a_traversal_goes_on_at_the_place_of_a_package_that_has_gone(chain: World) -> None:
    end = chain.ask(AROUND, name="a", transitive=True, first=1)["package"]["dependencies"]["pageInfo"][
        "endCursor"
    ]
    chain.publish("a", "2", "c")

    after = chain.ask(AROUND, name="a", transitive=True, after=end)["package"]["dependencies"]

    assert names(after) == ["c", "d", "e"]


@pytest.mark.parametrize("index", [-1, -5])
def test_a_cursor_before_the_start_of_a_traversal_is_refused(chain: World, index: int) -> None:
    query = 'query($after: String) { package(name: "d") { dependents(after: $after) { totalCount } } }'

    message, extensions = chain.refusal(query, after=cursor([index, "x"]))

    assert message == "`after` is not a cursor of this list: pass on what a field `cursor` gave"
    assert extensions == {"code": "BAD_USER_INPUT", "argument": "after"}


def test_a_place_past_the_end_of_a_traversal_is_followed_by_nothing(chain: World) -> None:
    found = chain.ask(AROUND, name="d", after=cursor([2**63 - 1, "x"]))["package"]

    assert (names(found["dependencies"]), names(found["dependents"])) == ([], [])


def test_kinds_that_no_dependency_has_lead_nowhere(chain: World) -> None:
    assert names(chain.ask(AROUND, name="a", kinds=["TEST"])["package"]["dependencies"]) == []


def test_a_cycle_is_named_with_an_example_and_what_would_break_it(world: World) -> None:
    world.publish("a", "1", "b")
    world.publish("b", "1", "a")
    world.publish("c", "1", "c")

    data = world.ask(
        """{ cycles { totalCount truncated nodes { packages example
            suggestedBreaks { dependent dependency kinds optional } } } one: cycles(first: 1) { truncated nodes { packages } } }"""
    )

    assert data["cycles"]["totalCount"] == 2
    assert data["cycles"]["truncated"] is False
    first, second = data["cycles"]["nodes"]
    assert first["packages"] == ["a", "b"]
    assert first["example"][0] == first["example"][-1]
    assert len(first["suggestedBreaks"]) == 1
    assert second == {
        "packages": ["c"],
        "example": ["c", "c"],
        "suggestedBreaks": [{"dependent": "c", "dependency": "c", "kinds": ["RUNTIME"], "optional": False}],
    }
    assert data["one"] == {"truncated": True, "nodes": [{"packages": ["a", "b"]}]}


def test_a_path_is_a_shortest_chain_or_null(chain: World) -> None:
    data = chain.ask(
        '{ there: path(from: "a", to: "e") { packages length } back: path(from: "e", to: "a") { length } }'
    )

    assert data["there"]["length"] == 3
    assert data["there"]["packages"] in (["a", "b", "d", "e"], ["a", "c", "d", "e"])
    assert data["back"] is None


def test_a_path_from_an_unknown_package_suggests_a_close_name(world: World) -> None:
    world.publish("Flux", "1", "Zygote")
    world.publish("Zygote", "1")

    message, extensions = world.refusal('{ path(from: "Flx", to: "Zygote") { length } }')

    assert "Flux" in message
    assert extensions["code"] == "NOT_FOUND"
    assert extensions["suggestions"] == ["Flux"]


def test_paths_are_the_sub_graph_between_two_packages(chain: World) -> None:
    data = chain.ask(
        """{ paths(from: "a", to: "d") { nodes edges { dependent dependency } shortest { length } truncated } }"""
    )

    assert sorted(data["paths"]["nodes"]) == ["a", "b", "c", "d"]
    assert sorted((each["dependent"], each["dependency"]) for each in data["paths"]["edges"]) == [
        ("a", "b"),
        ("a", "c"),
        ("b", "d"),
        ("c", "d"),
    ]
    assert data["paths"]["shortest"] == {"length": 2}
    assert data["paths"]["truncated"] is False


def test_two_packages_without_a_path_have_an_empty_one(chain: World) -> None:
    paths = chain.ask('{ paths(from: "e", to: "a") { shortest { length } truncated } }')["paths"]

    assert paths == {"shortest": None, "truncated": False}


def test_a_part_of_the_graph_has_the_dependencies_in_it_and_tells_how_many_lead_out(chain: World) -> None:
    part = chain.ask(
        """{ subgraph(packages: ["d", "a", "b"]) { nodes { package dependencies dependents }
            edges { dependent dependency kinds optional } } }"""
    )["subgraph"]

    assert part["nodes"] == [
        {"package": "a", "dependencies": 2, "dependents": 0},
        {"package": "b", "dependencies": 1, "dependents": 1},
        {"package": "d", "dependencies": 1, "dependents": 2},
    ]
    assert part["edges"] == [
        {"dependent": "a", "dependency": "b", "kinds": ["RUNTIME"], "optional": False},
        {"dependent": "b", "dependency": "d", "kinds": ["RUNTIME"], "optional": False},
    ]


def test_a_part_of_the_graph_holds_only_what_is_known_and_not_too_much(chain: World) -> None:
    assert chain.code('{ subgraph(packages: ["a", "nowhere"]) { nodes { package } } }') == "NOT_FOUND"
    many = "query($names: [String!]!) { subgraph(packages: $names) { nodes { package } } }"
    assert chain.code(many, names=["a"] * 1001) == "LIMIT_EXCEEDED"


def test_impact_is_who_depends_with_the_way_it_comes(chain: World) -> None:
    data = chain.ask(
        '{ impact(packages: ["d"]) { totalCount truncated dependents { package distance via } } }'
    )

    assert data["impact"] == {
        "totalCount": 3,
        "truncated": False,
        "dependents": [
            {"package": "b", "distance": 1, "via": "d"},
            {"package": "c", "distance": 1, "via": "d"},
            {"package": "a", "distance": 2, "via": "b"},
        ],
    }


def test_a_build_plan_has_dependencies_in_earlier_waves(chain: World) -> None:
    data = chain.ask(
        """{ buildPlan(input: {}) { ... on BuildPlan { totalBuilds criticalPath cycles { packages }
            cutEdges { dependent } waves { package version wave component } } } }"""
    )

    plan = data["buildPlan"]
    assert [[build["package"] for build in wave] for wave in plan["waves"]] == [
        ["e"],
        ["d"],
        ["b", "c"],
        ["a"],
    ]
    assert plan["waves"][0] == [{"package": "e", "version": "1", "wave": 0, "component": None}]
    assert (plan["totalBuilds"], plan["cycles"], plan["cutEdges"]) == (5, [], [])
    assert plan["criticalPath"][0] == "e"
    assert plan["criticalPath"][-1] == "a"


def test_a_build_plan_can_be_over_the_pins_of_a_question(chain: World) -> None:
    data = chain.ask(
        """{ buildPlan(input: { resolve: { requirements: [{ package: "b" }] } }) {
            ... on BuildPlan { waves { package version } } } }"""
    )

    assert data["buildPlan"]["waves"] == [
        [{"package": "e", "version": "1"}],
        [{"package": "d", "version": "1"}],
        [{"package": "b", "version": "1"}],
    ]


def test_a_build_plan_over_an_unsolvable_question_is_the_explanation(chain: World) -> None:
    data = chain.ask(
        """{ buildPlan(input: { resolve: { requirements: [{ package: "b", constraint: ">5" }] } }) {
            __typename ... on ResolutionConflict { message } } }"""
    )

    assert data["buildPlan"]["__typename"] == "ResolutionConflict"
    assert "b" in data["buildPlan"]["message"]


def test_a_cycle_in_a_build_plan_is_named_by_its_builds(world: World) -> None:
    world.publish("a", "1", "b")
    world.publish("b", "1", "a")

    plan = world.ask(
        """{ buildPlan(input: {}) { ... on BuildPlan { cycles { packages } cutEdges { dependent dependency kinds }
            waves { package wave component } } } }"""
    )["buildPlan"]

    assert plan["cycles"] == [{"packages": ["a", "b"]}]
    assert [build["component"] for wave in plan["waves"] for build in wave] == [0, 0]
    assert len(plan["cutEdges"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "{ cycles(first: 0) { totalCount } }",
        '{ impact(packages: ["a"], first: 10001) { totalCount } }',
        '{ paths(from: "a", to: "b", maxNodes: 0) { nodes } }',
    ],
)
def test_a_number_out_of_range_is_refused(chain: World, query: str) -> None:
    assert chain.code(query) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("shown", "query"),
    [
        (BuildPlan, "{ buildPlan(input: {}) { ... on BuildPlan { totalBuilds } } }"),
        (Resolution, '{ resolve(input: { requirements: [{ package: "a" }] }) { __typename } }'),
        (DependencyCycle, "{ cycles { totalCount } }"),
        (PathGraph, '{ paths(from: "a", to: "b") { nodes } }'),
        (Subgraph, '{ subgraph(packages: ["a"]) { nodes { package } } }'),
        (Impact, '{ impact(packages: ["a"]) { totalCount } }'),
    ],
)
def test_an_answer_of_any_size_is_made_outside_of_the_event_loop(
    world: World, monkeypatch: pytest.MonkeyPatch, shown: type[Any], query: str
) -> None:
    world.publish("a", "1", "b")
    world.publish("b", "1", "a")
    made, threads = shown.of, []

    def of(found: object) -> object:
        threads.append(threading.current_thread())
        return made(found)

    monkeypatch.setattr(shown, "of", of)
    world.ask(query)

    assert threads
    assert threading.main_thread() not in threads
