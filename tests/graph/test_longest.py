"""Longest paths, wide and narrow, weighted and not."""

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.csr import Rows
from graph.longest import longest_chain, longest_to
from tests.graph.worlds import World, graph, worlds


@given(worlds(largest=12, acyclic=True), st.data())
def test_the_heaviest_chain_is_that_of_networkx(world: World, data: st.DataObject) -> None:
    csr = world.graph.csr
    drawn = data.draw(st.lists(st.integers(1, 9), min_size=csr.size, max_size=csr.size))
    weights = np.array(drawn, dtype=np.float64)

    longest = longest_to(csr.out, csr.into.degrees(), np.repeat(weights, csr.out.degrees()))
    chain = longest_chain(csr.into, longest, weights)

    twin = world.twin
    for tail, head in twin.edges:
        twin[tail][head]["weight"] = drawn[world.graph.names.index(tail)]
    lasting = [
        nx.dag_longest_path_length(twin.subgraph({*nx.ancestors(twin, name), name})) for name in world.graph
    ]
    assert longest.tolist() == lasting
    assert weights[chain].sum() == max(np.array(lasting) + weights)
    assert nx.is_path(twin, list(world.graph.names_of(chain)))


@given(worlds())
def test_what_lies_on_or_behind_a_cycle_has_no_longest_path(world: World) -> None:
    csr = world.graph.csr
    twin = world.twin
    cyclic = {name for group in nx.strongly_connected_components(twin) if len(group) > 1 for name in group}
    cyclic |= set(nx.nodes_with_selfloops(twin))

    longest = longest_to(csr.out, csr.into.degrees())

    blocked = {name for name in twin if name in cyclic or nx.ancestors(twin, name) & cyclic}
    assert {name for name, length in zip(world.graph, longest, strict=True) if length < 0} == blocked


def test_wide_generations_are_as_narrow_ones() -> None:
    fan = "\n".join(f"app -> lib{number:02}\nlib{number:02} -> core" for number in range(40))
    csr = graph(fan).csr

    longest = longest_to(csr.out, csr.into.degrees())

    assert longest.tolist() == [0, 2, *(1 for _ in range(40))]


def test_a_negative_length_never_brings_a_node_before_the_start() -> None:
    rows, _ = Rows.group(np.array([0, 0], dtype=np.int32), np.array([1, 1], dtype=np.int32), 2)

    longest = longest_to(rows, np.array([0, 2], dtype=np.int32), np.array([-5, -2], dtype=np.int32))

    assert longest.tolist() == [0, 0]
