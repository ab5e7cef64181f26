"""networkx takes the dependency graph as it is, and refuses what it cannot do with it."""

from collections.abc import Callable
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graph.worlds import World, graph, graph_of, worlds

# The types of networkx know only its own graphs.
api: Any = nx


@given(worlds(), st.data())
def test_ancestors_and_descendants_are_those_of_networkx(world: World, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(world.names))

    assert api.ancestors(world.graph, name) == nx.ancestors(world.twin, name)
    assert api.descendants(world.graph, name) == nx.descendants(world.twin, name)


@given(worlds())
def test_components_are_those_of_networkx(world: World) -> None:
    ours = api.strongly_connected_components(world.graph)

    assert sorted(map(sorted, ours)) == sorted(map(sorted, nx.strongly_connected_components(world.twin)))


def generations_of(graph: object) -> list[list[str]] | None:
    try:
        return [sorted(generation) for generation in api.topological_generations(graph)]
    except nx.NetworkXUnfeasible:
        return None


@given(worlds() | worlds(acyclic=True))
def test_generations_and_the_longest_path_are_those_of_networkx(world: World) -> None:
    assert generations_of(world.graph) == generations_of(world.twin)
    if nx.is_directed_acyclic_graph(world.twin):
        path = api.dag_longest_path(world.graph)
        assert nx.is_path(world.twin, path)
        assert len(path) == len(nx.dag_longest_path(world.twin))
    else:
        with pytest.raises(nx.NetworkXUnfeasible):
            api.dag_longest_path(world.graph)


def test_a_shortest_path_is_given_between_two_packages() -> None:
    world = graph("a -> b\nb -> c\na -> c")

    assert api.shortest_path(world, "a", "c") == ["a", "c"]
    assert api.shortest_path(world, source="a", target="b", weight=None) == ["a", "b"]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda world: api.shortest_path(world, "b", "a"), nx.NetworkXNoPath),
        (lambda world: api.shortest_path(world, "a", "nowhere"), nx.NodeNotFound),
        (lambda world: api.ancestors(world, "nowhere"), nx.NetworkXError),
        (api.pagerank, NotImplementedError),
        (lambda world: api.shortest_path(world, "a"), NotImplementedError),
        (lambda world: api.shortest_path(world, "a", None), NotImplementedError),
        (lambda world: api.shortest_path(world, "a", "b", weight="cost"), NotImplementedError),
        (lambda world: api.dag_longest_path(world, default_weight=2), NotImplementedError),
        (lambda world: api.dag_longest_path(world, topo_order=["a", "b"]), NotImplementedError),
    ],
)
def test_what_cannot_be_answered_is_refused_as_networkx_would(
    call: Callable[[object], object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        call(graph("a -> b"))


def test_an_empty_graph_has_nothing_to_give() -> None:
    nothing = graph_of([], [])

    assert list(api.strongly_connected_components(nothing)) == []
    assert list(api.topological_generations(nothing)) == []
    assert api.dag_longest_path(nothing) == []
