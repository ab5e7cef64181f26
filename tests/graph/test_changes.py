"""A graph that follows changes is the graph that would be built from what is true after them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from unittest.mock import patch

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule

from graph.changes import Change, Need
from graph.cycles import cycles
from graph.dependencies import DependencyGraph, Kind, Traversal
from graph.impact import impact, paths
from graph.order import plan
from tests.graph.test_dependencies import traversal_in
from tests.graph.worlds import QUALITIES, Row, graph

# In an order by name in which each can come before, between and after others.
NAMES = [f"p{number}" for number in range(10)]
SELECTIONS = [(None, True), (None, False), (Kind.RUNTIME, False), (Kind.TEST | Kind.PEER, True)]


@dataclass
class Truth:
    """What is declared, by plain means."""

    needs: dict[str, Sequence[Need]] = field(default_factory=dict)
    """Of the packages that are registered."""

    def copy(self) -> "Truth":
        return Truth(dict(self.needs))

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.is_registered:
                self.needs[change.package] = change.needs
            else:
                self.needs.pop(change.package, None)

    @property
    def names(self) -> list[str]:
        needed = {need.package for needs in self.needs.values() for need in needs}
        return sorted(needed | self.needs.keys())

    @property
    def rows(self) -> list[Row]:
        return [
            Row(name, need.package, Kind(need.kinds), need.optional)
            for name, needs in self.needs.items()
            for need in needs
        ]

    def build(self) -> DependencyGraph:
        names = self.names
        place = {name: number for number, name in enumerate(names)}
        return DependencyGraph.build(
            names,
            np.array([place[row.dependent] for row in self.rows], dtype=np.int64),
            np.array([place[row.dependency] for row in self.rows], dtype=np.int64),
            np.array([row.kinds for row in self.rows], dtype=np.int64),
            np.array([row.optional for row in self.rows], dtype=np.bool_),
            np.array([name in self.needs for name in names], dtype=np.bool_),
        )


def needs() -> st.SearchStrategy[tuple[Need, ...]]:
    of_one = st.builds(
        lambda name, quality: Need(name, *quality), st.sampled_from(NAMES), st.sampled_from(QUALITIES)
    )
    return st.lists(of_one, max_size=4).map(tuple)


def changes() -> st.SearchStrategy[list[Change]]:
    name = st.sampled_from(NAMES)
    one = st.builds(Change, name, st.just(True), needs()) | st.builds(Change, name, st.just(False))
    return st.lists(one, min_size=1, max_size=3)


def assert_same(ours: DependencyGraph, fresh: DependencyGraph) -> None:
    """Every answer is the same, also in how it is ordered and which of several ways it names."""
    names = fresh.names
    assert ours.names == names == tuple(ours)
    assert len(ours) == len(names)
    assert [name for name in NAMES if name in ours] == list(names)
    assert ours.numbers(names).tolist() == list(range(len(names)))
    assert ours.edges_among(names) == fresh.edges_among(names)
    for name in names:
        for transitive in (False, True):
            assert ours.dependencies(name, transitive=transitive) == fresh.dependencies(
                name, transitive=transitive
            )
            assert ours.dependents(name, transitive=transitive) == fresh.dependents(
                name, transitive=transitive
            )
        assert impact(ours, [name], budget=2) == impact(fresh, [name], budget=2)
        assert paths(ours, name, names[0]) == paths(fresh, name, names[0])
    assert ours.dependents(*names[:2], transitive=True) == fresh.dependents(*names[:2], transitive=True)
    assert cycles(ours) == cycles(fresh)
    assert plan(ours, names[1:]) == plan(fresh, names[1:])


def assert_like_networkx(ours: DependencyGraph, truth: Truth) -> None:
    twin: nx.DiGraph[str] = nx.DiGraph()
    twin.add_nodes_from(truth.names)
    twin.add_edges_from((row.dependent, row.dependency) for row in truth.rows)
    for name in truth.names:
        assert ours.dependencies(name, transitive=True) == traversal_in(twin, {name}, None)
        assert ours.dependents(name, transitive=True) == traversal_in(twin.reverse(), {name}, None)


def assert_cycles_are_right(ours: DependencyGraph, fresh: DependencyGraph) -> None:
    """A way back from each package to each other is found if there is one, and a shortest."""
    for need in [*fresh.names, "unknown"]:
        found = fresh.dependencies(need, transitive=True) if need in fresh else Traversal((), (), (), False)
        length = dict(zip(found.nodes, found.distances, strict=True))
        for name in [*fresh.names, "unknown"]:
            assert_cycle_is_right(ours, fresh, name, [need], 0 if name == need else length.get(name))


def assert_cycle_is_right(
    ours: DependencyGraph, fresh: DependencyGraph, name: str, needed: list[str], way_back: int | None
) -> None:
    cycle = ours.cycle_through(name, needed)
    assert (None if cycle is None else len(cycle) - 2) == way_back
    if cycle is not None:
        assert cycle[0] == cycle[-1] == name
        assert cycle[1] in needed
        for dependent, dependency in pairwise(cycle[1:]):
            assert dependency in fresh.dependencies(dependent).nodes


def assert_in_order(ours: DependencyGraph) -> None:
    """No edge leads backwards in the order that is kept."""
    order = ours._precedence
    if order is not None:
        out = ours._edges.out
        for node in range(out.size):
            assert all(order.position[node] <= order.position[head] for head in out.near(node))


@dataclass(frozen=True)
class Version:
    """A graph with its selections, and what is true of it."""

    truth: Truth
    whole: DependencyGraph
    selected: tuple[DependencyGraph, ...]

    def after(self, made: list[Change]) -> "Version":
        truth = self.truth.copy()
        truth.apply(made)
        whole = self.whole.applied(made)
        names = {change.package for change in made}
        selected = tuple(
            ours.following(whole, names, *selection)
            for ours, selection in zip(self.selected, SELECTIONS, strict=True)
        )
        return Version(truth, whole, selected)

    def compacted(self) -> "Version":
        whole = self.whole.compacted()
        return Version(self.truth, whole, tuple(ours.compacted(whole) for ours in self.selected))

    def pairs(self, fresh: DependencyGraph) -> Iterator[tuple[DependencyGraph, DependencyGraph]]:
        yield self.whole, fresh
        for ours, selection in zip(self.selected, SELECTIONS, strict=True):
            yield ours, fresh.select(*selection)

    def check(self) -> None:
        fresh = self.truth.build()
        for ours, same in self.pairs(fresh):
            assert_same(ours, same)
            assert_in_order(ours)
            assert_cycles_are_right(ours, same)


class Following(RuleBasedStateMachine):
    """A line of changes that forks: whatever is made from a graph, that graph stays as it is."""

    versions = Bundle[Version]("versions")

    @initialize(target=versions, made=st.lists(changes(), min_size=1, max_size=5))
    def begin(self, made: list[list[Change]]) -> Version:
        truth = Truth()
        for some in made:
            truth.apply(some)
        whole = truth.build()
        begun = Version(truth, whole, tuple(whole.select(*selection) for selection in SELECTIONS))
        begun.check()
        return begun

    @rule(
        target=versions, version=versions, made=st.lists(changes(), min_size=1, max_size=3), other=changes()
    )
    def change(
        self, version: Version, made: list[list[Change]], other: list[Change]
    ) -> MultipleResults[Version]:
        after = version
        for some in made:
            after = after.after(some)
        fork = version.after(other)
        for each in (after, fork, version):
            each.check()
        assert_like_networkx(after.whole, after.truth)
        return multiple(after, fork)

    @rule(target=versions, version=versions)
    def compact(self, version: Version) -> Version:
        after = version.compacted()
        after.check()
        return after

    @rule(target=versions, version=versions)
    def select_anew(self, version: Version) -> Version:
        whole = version.whole
        return Version(version.truth, whole, tuple(whole.select(*selection) for selection in SELECTIONS))

    @rule(version=versions, name=st.sampled_from(NAMES), needed=st.lists(st.sampled_from(NAMES), max_size=3))
    def ask_for_the_cycle_of_several_needs(self, version: Version, name: str, needed: list[str]) -> None:
        for ours, fresh in version.pairs(version.truth.build()):
            assert ours.cycle_through(name, needed) == fresh.cycle_through(name, needed)


class FollowingByArrays(Following):
    """The same with every search left to numpy and scipy."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._stack.enter_context(patch("graph.precedence._FEW_EDGES", -1))
        self._stack.enter_context(patch("graph.reach._FEW_STEPS", 1))
        self._stack.enter_context(patch("graph.csr._NARROW", -1))

    def teardown(self) -> None:
        self._stack.close()


TestFollowing = Following.TestCase
TestFollowingByArrays = FollowingByArrays.TestCase
TestFollowing.settings = TestFollowingByArrays.settings = settings(
    max_examples=25, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)


def runtime(*names: str) -> tuple[Need, ...]:
    return tuple(Need(name, Kind.RUNTIME) for name in names)


def test_what_changes_nothing_gives_the_same_graph() -> None:
    same = graph("a -> b\nb -> c")

    assert same.applied([]) is same
    assert same.applied([Change("a", True, runtime("b"))]) is same
    assert same.applied([Change("unknown", False)]) is same
    assert same.compacted() is same
    assert not same.is_worn
    changed = same.applied([Change("a", True, runtime("c"))])
    assert changed.applied([Change("a", True, runtime("c"))]) is changed


def test_the_last_change_of_a_package_counts() -> None:
    changed = graph("a -> b").applied([Change("a", True, runtime("x")), Change("a", True, runtime("c"))])

    assert changed.names == ("a", "b", "c")
    assert changed.dependencies("a").nodes == ("c",)


def test_a_package_stays_until_nothing_needs_it_and_it_is_not_registered() -> None:
    needed = DependencyGraph.build(
        ["a", "b"], np.array([0]), np.array([1]), np.array([1]), np.array([False]), np.array([True, False])
    )

    assert needed.applied([Change("a", True)]).names == ("a",)
    assert needed.applied([Change("b", True), Change("a", True)]).names == ("a", "b")
    assert needed.applied([Change("a", False)]).names == ()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (Change("a", False, runtime("b")), "a is not registered and needs something"),
        (Change("a", True, (Need("b", Kind(0)),)), "no kind"),
    ],
)
def test_changes_that_make_no_sense_are_refused(change: Change, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        graph("a -> b").applied([change])


def test_a_graph_is_worn_when_a_part_of_it_has_changed() -> None:
    changed = graph("\n".join(f"a{number} -> hub" for number in range(200)))
    with patch("graph.dependencies.LEAST_WORN", 4):
        made = 0
        while not changed.is_worn:
            changed = changed.applied([Change(f"a{made}", True, runtime("hub", "other"))])
            made += 1

        assert 5 < made < 20
        assert not changed.compacted().is_worn
        assert changed.compacted().edges_among(changed) == changed.edges_among(changed)


def test_a_graph_is_worn_when_it_has_much_unused_space() -> None:
    """Each time a package stops to need a hub, all the others that need it are written anew."""
    changed = graph("\n".join(f"a{number} -> hub{number % 2}" for number in range(200)))
    with patch("graph.dependencies.LEAST_WORN", 4):
        changed = changed.applied([Change("a0", True)])
        assert not changed.is_worn
        assert changed.applied([Change("a2", True)]).is_worn


def test_an_order_that_is_upset_altogether_is_worked_out_anew() -> None:
    chain = graph("\n".join(f"p{number} -> p{number + 1}" for number in range(6)))
    assert chain.cycle_through("p3", ["p0"]) == ("p3", "p0", "p1", "p2", "p3")

    with patch("graph.precedence._FEW_REPAIRS", 2):
        turned = chain.applied(
            [
                Change(f"p{number}", True, runtime(f"p{number - 1}" if number else "new"))
                for number in range(7)
            ]
        )

    assert turned.cycle_through("p3", ["p6"]) == ("p3", "p6", "p5", "p4", "p3")
    assert turned.cycle_through("p6", ["p3", "new"]) is None


def test_two_graphs_made_from_one_know_nothing_of_each_other() -> None:
    first = graph("a -> b\nc -> d").applied([Change("a", True, runtime("b", "d"))])
    second = first.applied([Change("e", True, runtime("d"))])
    third = first.applied([Change("f", True, runtime("d"))])

    assert [made.dependents("d").nodes for made in (first, second, third)] == [
        ("a", "c"),
        ("a", "c", "e"),
        ("a", "c", "f"),
    ]


def test_rows_go_by_the_numbers_of_the_graph_after_names_have_come_in_between() -> None:
    changed = graph("a -> c\na -> d").applied([Change("b", True, runtime("d"))])

    assert changed.out.of(0).tolist() == [2, 3]
    assert changed.into.of(3).tolist() == [0, 1]


def test_a_long_way_back_is_found_as_a_short_one_is() -> None:
    size = 6_000
    names = [f"p{number:04}" for number in range(size)]
    dependents = np.arange(size - 2)
    one_each = np.ones(size - 2, dtype=np.uint8)
    chains = DependencyGraph.build(
        names, dependents, dependents + 2, one_each, np.zeros(size - 2, dtype=np.bool_)
    )

    cycle = chains.cycle_through(names[-1], [names[1]])
    assert cycle == (names[-1], *names[1::2])
    assert (
        chains.cycle_through(names[-1], [names[0]]) is None
        or chains.cycle_through(names[-2], [names[1]]) is None
    )
    joined = chains.applied([Change(names[-1], True, runtime(names[0]))])
    assert joined.cycle_through(names[-2], [names[1]]) == (names[-2], *names[1::2], *names[0::2])
    tied = joined.applied([Change(names[-2], True, runtime(names[1]))])
    assert tied.cycle_through(names[2], [names[3]]) == (names[2], *names[3::2], *names[0:3:2])
    assert_in_order(tied)
