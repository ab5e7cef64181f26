"""A shortest cycle is found whatever hangs on to it."""

import networkx as nx
from hypothesis import given

from graph.girth import shortest_cycle
from tests.graph.worlds import World, graph, worlds


@given(worlds())
def test_no_cycle_is_shorter(world: World) -> None:
    found = shortest_cycle(world.graph.csr)

    cycle = list(world.graph.names_of(found))
    lengths = [len(cycle) for cycle in nx.simple_cycles(world.twin)]
    assert len(cycle) == min(lengths, default=0)
    assert not cycle or nx.is_path(world.twin, [*cycle, cycle[0]])
    assert found[:1] == ([min(found)] if found else [])


def test_dead_ends_on_both_sides_are_left_out() -> None:
    world = graph("""
        in1 -> in2
        in2 -> a
        a -> b
        b -> c
        c -> a
        c -> out1
        in1 -> out1
        out1 -> out2
        alone
    """)

    assert world.names_of(shortest_cycle(world.csr, floor=3)) == ("a", "b", "c")
