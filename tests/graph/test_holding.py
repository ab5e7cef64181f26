"""How many wait for a node is counted exactly, also where what waits for one waits for others."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graph.holding
from graph.holding import held_up
from tests.graph.worlds import World, worlds


def by_search(world: World, roots: list[int]) -> list[int]:
    names, twin = sorted(world.names), world.twin
    return [len(nx.ancestors(twin, names[root])) for root in roots]


def edges_of(world: World) -> list[tuple[int, int]]:
    place = {name: number for number, name in enumerate(sorted(world.names))}
    return [(place[row.dependent], place[row.dependency]) for row in world.rows]


@given(worlds(largest=14, acyclic=True), st.data())
def test_the_counts_are_those_of_a_search_from_each_root(world: World, data: st.DataObject) -> None:
    roots = data.draw(st.lists(st.integers(0, len(world.names) - 1), max_size=20))

    assert held_up(len(world.names), edges_of(world), roots) == by_search(world, roots)


@given(worlds(), st.data())
def test_nodes_that_wait_for_each_other_are_counted_all_the_same(world: World, data: st.DataObject) -> None:
    roots = data.draw(st.lists(st.integers(0, len(world.names) - 1), max_size=20))

    assert held_up(len(world.names), edges_of(world), roots) == by_search(world, roots)


def test_what_waits_for_two_is_counted_for_each_and_for_what_they_wait_for_once() -> None:
    app, lib, tool, base, alone = range(5)
    edges = [(app, lib), (app, tool), (lib, base), (tool, base)]

    assert held_up(5, edges, [base, lib, tool, app, alone]) == [3, 1, 1, 0, 0]


@given(worlds(largest=14), st.integers(1, 5))
def test_roots_and_masks_taken_a_few_at_a_time_are_counted_as_all_at_once(world: World, few: int) -> None:
    roots = list(range(len(world.names)))
    expected = by_search(world, roots)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph.holding, "_ROOTS", few)
        patch.setattr(graph.holding, "_SPREAD", few)

        assert held_up(len(roots), edges_of(world), roots) == expected


def test_a_chain_of_thousands_is_counted_for_thousands_of_roots() -> None:
    size = 5_000
    edges = [(waiter, waiter - 1) for waiter in range(1, size)]

    assert held_up(size, edges, range(size)) == [size - 1 - place for place in range(size)]


def test_nothing_holds_up_nothing() -> None:
    assert held_up(0, [], []) == []
    assert held_up(3, [], [2, 0]) == [0, 0]
    assert held_up(3, [(1, 0)], []) == []
