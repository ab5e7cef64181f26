"""Compressed sparse rows hold each edge once, in order, both ways."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.csr import Csr, IntArray, Rows, distinct

Edges = list[tuple[int, int, int]]


def ints(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int32)


def csr_of(size: int, edges: Edges) -> Csr:
    tails, heads, flags = ([edge[column] for edge in edges] for column in range(3))
    return Csr.build(size, ints(tails), ints(heads), np.array(flags, dtype=np.uint8))


def edges_of(csr: Csr) -> Edges:
    tails, heads = csr.edges()
    return list(zip(tails.tolist(), heads.tolist(), csr.flags.tolist(), strict=True))


def edge_lists(size: int = 8) -> st.SearchStrategy[Edges]:
    node = st.integers(0, size - 1)
    return st.lists(st.tuples(node, node, st.integers(0, 255)), max_size=30)


def merged(edges: Edges) -> Edges:
    flags: dict[tuple[int, int], int] = {}
    for tail, head, flag in edges:
        flags[tail, head] = flags.get((tail, head), 0) | flag
    return sorted((*ends, flag) for ends, flag in flags.items())


@given(edge_lists())
def test_equal_edges_become_one_with_the_flags_of_all(edges: Edges) -> None:
    assert edges_of(csr_of(8, edges)) == merged(edges)


@given(edge_lists())
def test_the_rows_the_other_way_hold_the_same_edges_in_order(edges: Edges) -> None:
    csr = csr_of(8, edges)

    turned = list(zip(csr.into.owners().tolist(), csr.into.targets.tolist(), strict=True))

    assert turned == sorted((head, tail) for tail, head, _ in merged(edges))


@given(edge_lists(), st.sets(st.integers(0, 7)))
def test_an_induced_graph_has_the_edges_among_its_nodes(edges: Edges, chosen: set[int]) -> None:
    nodes = sorted(chosen)

    induced = csr_of(8, edges).induced(ints(nodes))

    assert [(nodes[tail], nodes[head], flags) for tail, head, flags in edges_of(induced)] == [
        edge for edge in merged(edges) if {edge[0], edge[1]} <= chosen
    ]


@given(edge_lists(), st.data())
def test_edges_are_found_again_and_kept(edges: Edges, data: st.DataObject) -> None:
    csr = csr_of(8, edges)
    everything = merged(edges)
    chosen = data.draw(st.lists(st.sampled_from(everything), unique=True)) if everything else []

    places = csr.places(ints([edge[0] for edge in chosen]), ints([edge[1] for edge in chosen]))

    assert [everything[place] for place in places.tolist()] == chosen
    assert edges_of(csr.keep(np.sort(places))) == sorted(chosen)


def test_rows_can_be_grouped_with_repeats_in_the_order_given() -> None:
    rows, order = Rows.group(ints([2, 0, 2, 2]), ints([5, 6, 4, 5]), 3)

    assert rows.lists() == [[6], [], [5, 4, 5]]
    assert order.tolist() == [1, 0, 2, 3]


@given(st.lists(st.integers(0, 99)), st.sampled_from([100, 10_000]))
def test_distinct_nodes_ascend_however_many_they_are(nodes: list[int], size: int) -> None:
    assert distinct(ints(nodes), size).tolist() == sorted(set(nodes))


def test_an_empty_graph_has_no_components() -> None:
    assert csr_of(0, []).components().tolist() == []
