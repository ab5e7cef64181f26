"""Cycles are found as components, each with a shortest example and breaks that are enough."""

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from graph.cycles import DependencyCycle, components, cycles, describe
from graph.dependencies import GraphEdge, Kind
from tests.graph.worlds import World, digraph_of, graph, graph_of, worlds

SOFT = Kind.TEST | Kind.DEV


def cyclic_components(twin: "nx.DiGraph[str]") -> list[tuple[str, ...]]:
    found = [
        tuple(sorted(component))
        for component in nx.strongly_connected_components(twin)
        if len(component) > 1 or any(twin.has_edge(name, name) for name in component)
    ]
    return sorted(found, key=lambda packages: (-len(packages), packages))


@given(worlds())
def test_components_are_those_of_networkx_largest_first(world: World) -> None:
    assert components(world.graph) == cyclic_components(world.twin)
    assert [cycle.packages for cycle in cycles(world.graph)] == cyclic_components(world.twin)


@given(worlds())
def test_each_example_is_a_shortest_cycle_of_its_component(world: World) -> None:
    for cycle in cycles(world.graph):
        inside = world.twin.subgraph(cycle.packages)
        steps = list(zip(cycle.example, cycle.example[1:], strict=False))
        assert cycle.example[0] == cycle.example[-1] == min(cycle.example)
        assert all(inside.has_edge(*step) for step in steps)
        assert len(steps) == min(map(len, nx.simple_cycles(inside)))


@given(worlds())
def test_without_the_breaks_nothing_is_cyclic_and_none_is_needless(world: World) -> None:
    found = cycles(world.graph)
    breaks = [edge for cycle in found for edge in cycle.suggested_breaks]
    edges = [edge for edge in world.graph.edges_among(world.names) if edge not in breaks]

    assert nx.is_directed_acyclic_graph(digraph_of(edges, world.names))
    for edge in breaks:
        assert not nx.is_directed_acyclic_graph(digraph_of([*edges, edge], world.names))
    for cycle in found:
        assert all({edge.dependent, edge.dependency} <= {*cycle.packages} for edge in cycle.suggested_breaks)


def softness(edge: GraphEdge) -> int:
    return 2 if not edge.kinds & ~SOFT else int(edge.optional)


@given(worlds())
def test_a_break_is_no_harder_than_each_cycle_it_is_for(world: World) -> None:
    """The harder edges that are kept, with a break, are on a cycle: no softer edge could have broken it."""
    edges = world.graph.edges_among(world.names)
    for cycle in cycles(world.graph):
        ranks = [softness(edge) for edge in cycle.suggested_breaks]
        assert ranks == sorted(ranks, reverse=True)
        for edge in cycle.suggested_breaks:
            harder = [
                other
                for other in edges
                if softness(other) <= softness(edge) and other not in cycle.suggested_breaks
            ]
            assert not nx.is_directed_acyclic_graph(digraph_of([*harder, edge], world.names))


@given(worlds(), st.data())
def test_cycles_do_not_depend_on_the_order_of_the_input(world: World, data: st.DataObject) -> None:
    shuffled = graph_of(data.draw(st.permutations(world.names)), data.draw(st.permutations(world.rows)))

    assert cycles(shuffled) == cycles(world.graph)


@given(worlds(), st.integers(0, 3))
def test_cycles_described_alone_are_as_among_all(world: World, first: int) -> None:
    assert describe(world.graph, components(world.graph)[:first]) == cycles(world.graph)[:first]


def test_a_package_that_needs_itself_is_a_cycle() -> None:
    loop = GraphEdge("app", "app", Kind.RUNTIME, optional=False)

    assert cycles(graph("app -> app\napp -> lib")) == [DependencyCycle(("app",), ("app", "app"), (loop,))]


def test_a_test_dependency_is_broken_before_an_optional_one_and_that_before_a_hard_one() -> None:
    found = cycles(
        graph("""
            a -> b
            b -> c
            c -> a (TEST|DEV)
            c -> d ?
            d -> e
            e -> c
        """)
    )

    assert [cycle.suggested_breaks for cycle in found] == [
        (
            GraphEdge("c", "a", Kind.TEST | Kind.DEV, optional=False),
            GraphEdge("c", "d", Kind.RUNTIME, optional=True),
        )
    ]


def test_a_hub_that_everything_needs_costs_one_break_a_cycle() -> None:
    spokes = "\n".join(f"lib{number:02} -> hub" for number in range(30))

    [found] = cycles(graph(f"{spokes}\nhub -> lib07"))

    assert found.packages == ("hub", "lib07")
    assert [(edge.dependent, edge.dependency) for edge in found.suggested_breaks] in (
        [("hub", "lib07")],
        [("lib07", "hub")],
    )


def test_the_shortest_of_long_cycles_is_found() -> None:
    ring = "\n".join(f"p{number:03} -> p{(number + 1) % 300:03}" for number in range(300))

    [found] = cycles(graph(f"{ring}\np120 -> p110\np250 -> p230"))

    assert found.example == tuple(f"p{number:03}" for number in [*range(110, 121), 110])


def test_a_graph_without_cycles_has_none() -> None:
    assert cycles(graph("a -> b\nb -> c")) == []
    assert cycles(graph_of([], [])) == []
