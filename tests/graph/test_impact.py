"""What a change reaches, and by which ways."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.dependencies import GraphEdge, Kind, NotInGraph
from graph.impact import Impact, ImpactedPackage, PathGraph, impact, paths, shortest_path, subgraph
from tests.graph.worlds import World, graph, graph_of, worlds


@given(worlds(), st.data(), st.none() | st.integers(0, 6), st.none() | st.integers(0, 6))
def test_impact_lists_the_nearest_dependents_and_counts_all(
    world: World, data: st.DataObject, first: int | None, budget: int | None
) -> None:
    names = data.draw(st.sets(st.sampled_from(world.names), min_size=1, max_size=3))
    found = world.graph.dependents(*names, transitive=True, budget=budget)

    answer = impact(world.graph, names, first=first, budget=budget)

    rows = zip(found.nodes, found.distances, found.via, strict=True)
    assert answer.dependents == tuple(ImpactedPackage(*row) for row in rows)[:first]
    assert answer.total_count == len(found.nodes)
    assert answer.truncated == (found.truncated or len(answer.dependents) < answer.total_count)


def test_impact_says_through_which_neighbour_a_change_comes() -> None:
    world = graph("""
        lib -> core
        tool -> core
        app -> tool
        app -> lib
    """)

    assert impact(world, ["core"]) == Impact(
        (
            ImpactedPackage("lib", 1, "core"),
            ImpactedPackage("tool", 1, "core"),
            ImpactedPackage("app", 2, "lib"),
        ),
        total_count=3,
        truncated=False,
    )


@given(worlds(), st.data())
def test_a_part_of_a_graph_is_that_of_networkx_and_counts_what_lies_outside(
    world: World, data: st.DataObject
) -> None:
    names = data.draw(st.sets(st.sampled_from(world.names), max_size=4))

    part = subgraph(world.graph, names)

    edges = [(edge.dependent, edge.dependency) for edge in part.edges]
    assert edges == sorted(world.twin.subgraph(names).edges)
    assert [(each.package, each.dependencies, each.dependents) for each in part.nodes] == [
        (name, world.twin.out_degree(name), world.twin.in_degree(name)) for name in sorted(names)
    ]


@given(worlds(), st.data())
def test_a_shortest_path_is_as_short_as_that_of_networkx(world: World, data: st.DataObject) -> None:
    start, end = data.draw(st.sampled_from(world.names)), data.draw(st.sampled_from(world.names))

    path = shortest_path(world.graph, start, end)

    if not nx.has_path(world.twin, start, end):
        assert path is None
    else:
        assert path is not None
        assert (path[0], path[-1]) == (start, end)
        assert nx.is_path(world.twin, list(path))
        assert len(path) - 1 == nx.shortest_path_length(world.twin, start, end)


def test_a_package_has_a_path_to_itself_of_itself() -> None:
    assert shortest_path(graph("a -> b\nb -> a"), "a", "a") == ("a",)


def nodes_on_walks(twin: "nx.DiGraph[str]", start: str, end: str) -> set[str]:
    return {name for name in twin if nx.has_path(twin, start, name) and nx.has_path(twin, name, end)}


@given(worlds(), st.data())
def test_the_graph_of_all_paths_has_each_package_on_any_of_them(world: World, data: st.DataObject) -> None:
    start, end = data.draw(st.sampled_from(world.names)), data.draw(st.sampled_from(world.names))

    found = paths(world.graph, start, end)

    distance = nx.single_source_shortest_path_length(world.twin, start)
    expected = sorted(nodes_on_walks(world.twin, start, end), key=lambda name: (distance[name], name))
    assert found == PathGraph(
        tuple(expected),
        world.graph.edges_among(expected),
        shortest_path(world.graph, start, end),
        truncated=False,
    )


@given(worlds(), st.data(), st.integers(0, 6))
def test_too_many_packages_leave_those_nearest_to_the_shortest_path(
    world: World, data: st.DataObject, max_nodes: int
) -> None:
    start, end = data.draw(st.sampled_from(world.names)), data.draw(st.sampled_from(world.names))
    whole = paths(world.graph, start, end)

    part = paths(world.graph, start, end, max_nodes=max_nodes)

    shortest = whole.shortest or ()
    detour = {
        name: nx.shortest_path_length(world.twin, start, name)
        + nx.shortest_path_length(world.twin, name, end)
        for name in whole.nodes
    }
    others = sorted(set(whole.nodes) - set(shortest), key=lambda name: (detour[name], name))
    room = max(max_nodes - len(shortest), 0)
    assert part.shortest == whole.shortest
    assert set(part.nodes) == {*shortest, *others[:room]}
    assert part.edges == world.graph.edges_among(part.nodes)
    assert part.truncated == (len(others) > room)


def test_paths_that_are_stopped_early_say_so() -> None:
    chain = graph("a -> b\nb -> c")

    assert paths(chain, "a", "c", should_stop=lambda: True) == PathGraph((), (), None, truncated=True)


def test_paths_that_are_stopped_on_the_way_back_keep_a_shortest_one() -> None:
    asked = iter([False, False, False, True])
    diamond = graph("a -> b\nb -> d\na -> c\nc -> d")

    found = paths(diamond, "a", "d", should_stop=lambda: next(asked))

    assert (found.nodes, found.shortest, found.truncated) == (("a", "b", "d"), ("a", "b", "d"), True)
    assert found.edges == (
        GraphEdge("a", "b", Kind.RUNTIME, optional=False),
        GraphEdge("b", "d", Kind.RUNTIME, optional=False),
    )


def test_there_is_no_path_the_other_way() -> None:
    assert shortest_path(graph("a -> b"), "b", "a") is None
    assert paths(graph("a -> b"), "b", "a") == PathGraph((), (), None, truncated=False)


def test_a_path_between_unknown_packages_is_refused() -> None:
    with pytest.raises(NotInGraph):
        shortest_path(graph_of(["a"], []), "a", "b")
