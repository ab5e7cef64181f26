"""A build order keeps every dependency that it does not say it cut."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.cycles import cycles
from graph.dependencies import DependencyGraph, GraphEdge, Kind, NotInGraph
from graph.order import BuildOrder, plan
from tests.graph.worlds import World, digraph_of, graph, graph_of, worlds


def wave_of(order: BuildOrder) -> dict[str, int]:
    return {name: number for number, wave in enumerate(order.waves) for name in wave}


@given(worlds(), st.data())
def test_each_dependency_that_is_not_cut_is_built_in_an_earlier_wave(
    world: World, data: st.DataObject
) -> None:
    names = data.draw(st.sets(st.sampled_from(world.names)))

    order = plan(world.graph, names)

    wave = wave_of(order)
    assert sorted(name for names in order.waves for name in names) == sorted(names)
    assert all(names and list(names) == sorted(names) for names in order.waves)
    for edge in world.graph.edges_among(names):
        if edge in order.cut_edges:
            assert order.component_of[edge.dependent] == order.component_of[edge.dependency]
        else:
            assert wave[edge.dependency] < wave[edge.dependent]


@given(worlds(), st.data())
def test_a_cycle_spans_consecutive_waves(world: World, data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(world.names)))

    order = plan(world.graph, names)

    assert list(order.cycles) == cycles(world.graph.induced(names))
    assert order.component_of == {
        name: number for number, cycle in enumerate(order.cycles) for name in cycle.packages
    }
    for cycle in order.cycles:
        used = sorted({wave_of(order)[name] for name in cycle.packages})
        assert used == list(range(used[0], used[-1] + 1))


@given(worlds(acyclic=True))
def test_without_cycles_the_waves_are_the_topological_generations(world: World) -> None:
    order = plan(world.graph, world.names)

    generations = nx.topological_generations(world.twin.reverse())
    assert order.waves == tuple(tuple(sorted(generation)) for generation in generations)


@given(worlds())
def test_the_critical_path_is_a_longest_chain_in_build_order(world: World) -> None:
    order = plan(world.graph, world.names)

    kept = [edge for edge in world.graph.edges_among(world.names) if edge not in order.cut_edges]
    chains = digraph_of(kept, world.names)
    assert all(chains.has_edge(later, earlier) for earlier, later in pairwise(order.critical_path))
    assert len(order.critical_path) == len(nx.dag_longest_path(chains))


@given(worlds(), st.data())
def test_a_package_needs_all_that_it_depends_on_but_for_what_is_cut(
    world: World, data: st.DataObject
) -> None:
    names = data.draw(st.sets(st.sampled_from(world.names)))

    order = plan(world.graph, names)

    kept = [edge for edge in world.graph.edges_among(names) if edge not in order.cut_edges]
    assert order.needs == {
        name: tuple(edge.dependency for edge in kept if edge.dependent == name) for name in sorted(names)
    }


@st.composite
def seconds_of(draw: st.DrawFn, names: list[str]) -> dict[str, float]:
    """Draw how long some packages take, and one that is nowhere."""
    drawn = draw(st.dictionaries(st.sampled_from([*names, "nowhere"]), st.integers(0, 9)))
    return {name: float(seconds) for name, seconds in drawn.items()}


def behind(order: BuildOrder, weights: dict[str, float], name: str) -> float:
    """Try all chains that begin with `name`."""
    waiting = [other for other, needed in order.needs.items() if name in needed]
    return weights[name] + max((behind(order, weights, other) for other in waiting), default=0.0)


@given(worlds(largest=8), st.data())
def test_what_remains_is_the_longest_chain_of_what_waits(world: World, data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(world.names)))
    seconds = data.draw(seconds_of(world.names))

    order = plan(world.graph, names, seconds)

    known = [seconds[name] for name in names if name in seconds]
    mean = sum(known) / len(known) if known else 1.0
    weights = {name: seconds.get(name, mean) for name in sorted(names)}
    remaining = {name: behind(order, weights, name) for name in weights}
    assert dict(order.remaining) == pytest.approx(remaining)
    assert sum(weights[name] for name in order.critical_path) == pytest.approx(
        max(remaining.values(), default=0.0)
    )
    assert order.critical_path_seconds == (max(order.remaining.values()) if known else None)


@given(worlds(), st.data())
def test_each_on_the_critical_path_waits_for_the_one_before(world: World, data: st.DataObject) -> None:
    order = plan(world.graph, world.names, data.draw(seconds_of(world.names)))

    path = order.critical_path
    assert all(earlier in order.needs[later] for earlier, later in pairwise(path))
    assert order.needs[path[0]] == ()


@given(worlds(), st.data())
def test_how_long_packages_take_changes_no_wave(world: World, data: st.DataObject) -> None:
    untimed = plan(world.graph, world.names)
    timed = plan(world.graph, world.names, data.draw(seconds_of(world.names)))

    assert (timed.waves, timed.cut_edges, timed.needs) == (untimed.waves, untimed.cut_edges, untimed.needs)


@given(worlds(), st.data())
def test_the_plan_does_not_depend_on_the_order_of_the_input(world: World, data: st.DataObject) -> None:
    shuffled = graph_of(data.draw(st.permutations(world.names)), data.draw(st.permutations(world.rows)))

    seconds = data.draw(seconds_of(world.names))
    names = data.draw(st.permutations(world.names))
    assert plan(shuffled, names, seconds) == plan(world.graph, world.names, seconds)


def test_a_cycle_does_not_wait_longer_than_its_packages_must() -> None:
    order = plan(
        graph("""
            compiler -> runtime
            runtime -> compiler (TEST)
            compiler -> parser
            app -> compiler
        """),
        ["app", "compiler", "parser", "runtime"],
    )

    assert order.waves == (("parser", "runtime"), ("compiler",), ("app",))
    assert order.cut_edges == (GraphEdge("runtime", "compiler", Kind.TEST, optional=False),)
    assert order.component_of == {"compiler": 0, "runtime": 0}
    assert order.critical_path == ("parser", "compiler", "app")


def test_dependencies_outside_the_plan_count_as_built() -> None:
    order = plan(graph("app -> lib\nlib -> core"), ["app", "core"])

    assert order.waves == (("app", "core"),)
    assert order.critical_path == ("app",)
    assert order.needs == {"app": (), "core": ()}
    assert order.remaining == {"app": 1.0, "core": 1.0}


def test_few_slow_packages_are_a_longer_chain_than_many_fast_ones() -> None:
    order = plan(
        graph("app -> compiler\napp -> c\nc -> b\nb -> a\ndocs -> compiler"),
        ["a", "app", "b", "c", "compiler", "docs"],
        {"a": 1.0, "b": 1.0, "c": 1.0, "compiler": 30.0, "app": 2.0, "elsewhere": 900.0},
    )

    assert order.critical_path == ("compiler", "docs")
    assert order.critical_path_seconds == 37.0
    # Of the documentation nothing is known: it counts as the mean of the others, 7 seconds.
    assert order.remaining == {"a": 5.0, "app": 2.0, "b": 4.0, "c": 3.0, "compiler": 37.0, "docs": 7.0}


def test_a_critical_path_begins_with_what_takes_no_time_where_the_next_one_waits_for_it() -> None:
    order = plan(graph("app -> lib\nlib -> config"), ["app", "config", "lib"], {"config": 0.0, "lib": 4.0})

    assert order.critical_path == ("config", "lib", "app")
    assert order.critical_path_seconds == 6.0


def test_nothing_to_build_is_a_plan_without_waves() -> None:
    assert plan(graph("app -> lib"), []) == BuildOrder((), (), (), {}, (), None, {}, {})


def test_a_package_that_is_not_there_cannot_be_planned() -> None:
    with pytest.raises(NotInGraph):
        plan(graph("app -> lib"), ["app", "nowhere"])


def test_many_packages_in_a_cycle_are_ordered_as_few_are() -> None:
    names = [f"p{number:03}" for number in range(200)]
    ring = "\n".join(f"{later} -> {earlier}" for earlier, later in pairwise(names))
    fans = "\n".join(f"{name} -> base" for name in names)

    order = plan(graph(f"{ring}\n{fans}\nbase -> p199 (DEV)"), [*names, "base"])

    assert order.waves == (("base",), *((name,) for name in names))
    assert [(edge.dependent, edge.dependency) for edge in order.cut_edges] == [("base", "p199")]


def test_a_tangle_of_a_thousand_packages_keeps_the_laws() -> None:
    rng = np.random.default_rng(11)
    names = [f"p{number:04}" for number in range(1500)]
    ends = rng.integers(0, len(names), (2, 4000))
    kinds = rng.choice([Kind.RUNTIME, Kind.TEST], 4000)
    world = DependencyGraph.build(names, ends[0], ends[1], kinds, np.zeros(4000, dtype=np.bool_))

    order = plan(world, names)

    wave = wave_of(order)
    cut = set(order.cut_edges)
    assert len(order.cycles[0].packages) > 1000
    assert len(cut) < 4000 / 8
    assert all(
        wave[edge.dependency] < wave[edge.dependent] for edge in world.edges_among(names) if edge not in cut
    )
