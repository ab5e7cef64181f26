"""The dependency graph by name: what is selected, merged, found, and in which order."""

from unittest.mock import patch

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.dependencies import ALL_KINDS, DependencyGraph, GraphEdge, Kind, NotInGraph, Traversal
from tests.graph.worlds import Row, World, graph, graph_of, worlds


def expected_edges(world: World, kinds: Kind, include_optional: bool) -> list[GraphEdge]:
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in world.rows:
        if row.kinds & kinds and (include_optional or not row.optional):
            rows.setdefault((row.dependent, row.dependency), []).append(row)
    edges = []
    for ends, same in sorted(rows.items()):
        union = Kind(0)
        for row in same:
            union |= row.kinds & kinds
        edges.append(GraphEdge(*ends, union, all(row.optional for row in same)))
    return edges


@given(worlds(), st.none() | st.integers(0, 31).map(Kind), st.booleans())
def test_a_selection_merges_only_the_rows_that_it_chose(
    world: World, kinds: Kind | None, include_optional: bool
) -> None:
    selected = world.graph.select(kinds, include_optional)

    wanted = ALL_KINDS if kinds is None else kinds
    assert list(selected.edges_among(world.names)) == expected_edges(world, wanted, include_optional)
    assert list(selected) == sorted(world.names)


def test_a_dependency_is_optional_only_when_each_of_its_rows_is() -> None:
    world = graph("""
        app -> lib (TEST) ?
        app -> lib (BUILD)
    """)

    assert not world.is_multigraph()
    assert world.edges_among(world) == (GraphEdge("app", "lib", Kind.BUILD | Kind.TEST, optional=False),)
    assert world.select(Kind.TEST, True).edges_among(world) == (
        GraphEdge("app", "lib", Kind.TEST, optional=True),
    )
    assert world.select(Kind.TEST, False).edges_among(world) == ()


def test_selecting_everything_costs_nothing() -> None:
    world = graph("app -> lib")

    assert world.select(None, True) is world
    assert world.select(ALL_KINDS, True) is world


@given(worlds(), st.data())
def test_the_answers_do_not_depend_on_the_order_of_the_input(world: World, data: st.DataObject) -> None:
    names = data.draw(st.permutations(world.names))
    rows = data.draw(st.permutations(world.rows))
    start = data.draw(st.sampled_from(names))

    again = graph_of(names, rows)

    assert again.names == world.graph.names
    assert again.edges_among(names) == world.graph.edges_among(names)
    assert again.dependents(start, transitive=True) == world.graph.dependents(start, transitive=True)


def traversal_in(twin: "nx.DiGraph[str]", starts: set[str], depth: int | None) -> Traversal:
    """Find what `starts` lead to, by networkx."""
    far = nx.multi_source_dijkstra_path_length(twin, starts, cutoff=depth)
    nodes = sorted(far.keys() - starts, key=lambda name: (far[name], name))
    via = [min(near for near in twin.predecessors(name) if far.get(near) == far[name] - 1) for name in nodes]
    return Traversal(tuple(nodes), tuple(int(far[name]) for name in nodes), tuple(via), truncated=False)


@given(worlds(), st.data(), st.booleans())
def test_traversals_are_those_of_networkx_nearest_first(
    world: World, data: st.DataObject, transitive: bool
) -> None:
    starts = data.draw(st.sets(st.sampled_from(world.names), min_size=1, max_size=3))
    depth = None if transitive else 1

    assert world.graph.dependencies(*starts, transitive=transitive) == traversal_in(world.twin, starts, depth)
    assert world.graph.dependents(*starts, transitive=transitive) == traversal_in(
        world.twin.reverse(), starts, depth
    )


@given(worlds(), st.data())
def test_a_frontier_walked_by_numpy_finds_what_one_walked_in_python_does(
    world: World, data: st.DataObject
) -> None:
    starts = data.draw(st.sets(st.sampled_from(world.names), min_size=1, max_size=3))
    walked = world.graph.dependencies(*starts, transitive=True)

    with patch("graph.csr._NARROW", -1):
        assert world.graph.dependencies(*starts, transitive=True) == walked


@given(worlds(), st.data(), st.integers(0, 8))
def test_a_budget_keeps_the_nearest_and_says_when_there_are_more(
    world: World, data: st.DataObject, budget: int
) -> None:
    start = data.draw(st.sampled_from(world.names))
    whole = world.graph.dependencies(start, transitive=True)

    found = world.graph.dependencies(start, transitive=True, budget=budget)

    assert (found.nodes, found.distances, found.via) == (
        whole.nodes[:budget],
        whole.distances[:budget],
        whole.via[:budget],
    )
    assert found.truncated == (len(whole.nodes) > budget)


def test_a_traversal_stops_when_it_is_told_to() -> None:
    chain = graph("a -> b\nb -> c\nc -> d")
    asked = iter([False, False, True])

    assert chain.dependencies("a", transitive=True, should_stop=lambda: next(asked)) == Traversal(
        ("b", "c"), (1, 2), ("a", "b"), truncated=True
    )


@pytest.mark.parametrize("leaves", [20, 80, 400])
def test_wide_graphs_are_walked_as_narrow_ones_are(leaves: int) -> None:
    """With 20 leaves those left are fewer than the frontier, with 80 they are more, with 400 far more."""
    libs = "\n".join(f"app -> lib{number:02}" for number in range(40))
    fan = "\n".join(f"lib{number % 40:02} -> leaf{number % leaves:03}" for number in range(max(80, leaves)))

    found = graph(f"{libs}\n{fan}").dependencies("app", transitive=True)

    assert found.nodes == (*(f"lib{n:02}" for n in range(40)), *(f"leaf{n:03}" for n in range(leaves)))
    assert found.via == (*("app" for _ in range(40)), *(f"lib{n % 40:02}" for n in range(leaves)))


def test_the_induced_graph_knows_only_its_own_packages() -> None:
    inner = graph("a -> b\nb -> c\nc -> a (TEST)").induced(["c", "a"])

    assert inner.names == ("a", "c")
    assert inner.edges_among(["a", "c"]) == (GraphEdge("c", "a", Kind.TEST, optional=False),)
    assert "b" not in inner
    assert inner.number("c") == 1
    assert inner.number("b") is None
    assert len(inner) == 2


def test_a_small_part_is_given_as_networkx_has_it() -> None:
    part = graph("a -> b (TEST) ?\nb -> c").subgraph(["a", "b"])

    assert dict(part.nodes) == {"a": {}, "b": {}}
    assert list(part.edges(data=True)) == [("a", "b", {"kinds": Kind.TEST, "optional": True})]


@given(worlds())
def test_edges_are_found_again_by_their_ends(world: World) -> None:
    whole = world.graph

    places = whole.places_of(whole.edges_among(whole))

    assert places.tolist() == list(range(len(whole.csr.flags)))


def test_an_unknown_package_is_named() -> None:
    with pytest.raises(NotInGraph, match="no package 'nowhere'") as refusal:
        graph("a -> b").dependents("nowhere")

    assert refusal.value.name == "nowhere"


@pytest.mark.parametrize(
    ("names", "end", "kinds", "complaint"),
    [
        (["a", "b", "a"], 1, 1, "given twice"),
        (["a", "b"], 2, 1, "outside the 2"),
        (["a", "b"], -1, 1, "outside the 2"),
        (["a", "b"], 1, 0, "no kind"),
        (["a", "b"], 1, 32, "no kind"),
    ],
)
def test_rows_that_make_no_sense_are_refused(names: list[str], end: int, kinds: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        DependencyGraph.build(names, np.array([0]), np.array([end]), np.array([kinds]), np.array([False]))


def test_an_empty_graph_is_a_graph() -> None:
    nothing = graph_of([], [])

    assert len(nothing) == 0
    assert nothing.edges_among([]) == ()
    assert nothing.dependencies() == Traversal((), (), (), truncated=False)
