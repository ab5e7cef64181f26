"""Whether one new dependency would close a cycle, and what it takes to add it: real ones, and the worst that can be thought of.

`BENCHMARK_PACKAGES` is the number of packages (20,000; ten dependencies each). networkx searches from both ends as well, but
knows no order that says where to look.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import networkx as nx
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.beside import NETWORKX, OURS, note, once, percentiles
from benchmarks.collector import without_the_old
from benchmarks.test_dependency_graph import PACKAGES, Catalogue, catalogue, loaded
from graph.changes import Change, Need
from graph.dependencies import DependencyGraph, Kind

CHECKS = 5_000
# networkx takes up to seconds for one.
CHECKS_OF_NETWORKX = 100

Ends = tuple[str, str]
"""A package and what it is to need."""


def real() -> Iterator[Ends]:
    """Yield dependencies drawn as those of the catalogue are."""
    rng = np.random.default_rng(7)
    dependents = rng.integers(1, PACKAGES, CHECKS)
    dependencies = (dependents * rng.random(CHECKS) ** 3).astype(np.int64)
    return named(dependents, dependencies)


def any_two() -> Iterator[Ends]:
    """Yield pairs drawn from all: half lead against the grain, and some close a cycle."""
    rng = np.random.default_rng(7)
    return named(rng.integers(0, PACKAGES, CHECKS), rng.integers(0, PACKAGES, CHECKS))


def named(dependents: Iterable[int], dependencies: Iterable[int]) -> Iterator[Ends]:
    names = catalogue(cyclic=False).names
    for dependent, dependency in zip(dependents, dependencies, strict=True):
        if dependent != dependency:
            yield names[dependent], names[dependency]


@cache
def two_chains() -> DependencyGraph:
    """Return two chains as long as they can be, between which nothing leads."""
    names = catalogue(cyclic=False).names
    dependents = np.arange(PACKAGES - 2)
    return Catalogue(names, dependents, dependents + 2).load()


def across() -> Iterator[Ends]:
    """Yield dependencies of the last packages of either chain on the first ones of the other, which a search must walk."""
    rng = np.random.default_rng(7)
    late, early = (rng.integers(0, PACKAGES // 20, CHECKS // 10) for _ in range(2))
    return named(PACKAGES - 1 - late, early + (PACKAGES - late + early) % 2)


@cache
def thin() -> Catalogue:
    """Return a catalogue of one dependency a package, in an order of its own that nobody is told."""
    rng = np.random.default_rng(11)
    place = rng.permutation(PACKAGES)
    dependents = rng.integers(1, PACKAGES, PACKAGES)
    return Catalogue(
        catalogue(cyclic=False).names,
        place[dependents],
        place[(dependents * rng.random(PACKAGES)).astype(int)],
    )


def upsetting() -> Iterator[Ends]:
    """Yield dependencies in that order, for many of which packages have to change places."""
    rng = np.random.default_rng(11)
    place = rng.permutation(PACKAGES)
    dependents = np.random.default_rng(7).integers(1, PACKAGES, CHECKS // 5)
    return named(place[dependents], place[(dependents * rng.random(len(dependents))).astype(int)])


CASES: dict[str, tuple[Callable[[], DependencyGraph], Callable[[], Iterator[Ends]]]] = {
    "a real dependency": (lambda: loaded(OURS), real),
    "any two packages": (lambda: loaded(OURS), any_two),
    "across two chains": (two_chains, across),
}


@pytest.mark.parametrize("case", CASES)
def test_check(benchmark: BenchmarkFixture, case: str) -> None:
    graph, ends = CASES[case]
    asked = graph()
    work_out_the_order(asked)

    def check() -> list[float]:
        return [timed(asked.cycle_through, tail, [head]) for tail, head in ends()]

    with without_the_old():
        note(benchmark, f"would it close a cycle: {case}", OURS, percentiles(once(benchmark, check)), "µs")


@pytest.mark.parametrize("case", CASES)
def test_check_by_networkx(benchmark: BenchmarkFixture, case: str) -> None:
    graph, ends = CASES[case]
    twin = twin_of(graph())
    some = [pair for pair, _ in zip(ends(), range(CHECKS_OF_NETWORKX), strict=False)]

    def check() -> list[float]:
        return [timed(nx.has_path, twin, head, tail) for tail, head in some]

    figures = percentiles(once(benchmark, check))
    note(benchmark, f"would it close a cycle: {case}", NETWORKX, figures, "µs")
    for tail, head in some:
        assert nx.has_path(twin, head, tail) == (graph().cycle_through(tail, [head]) is not None)


ADDED: dict[str, tuple[Callable[[], DependencyGraph], Callable[[], Iterator[Ends]]]] = {
    "a real dependency": (lambda: loaded(OURS), real),
    "against the order": (lambda: thin().load(), upsetting),
}


@pytest.mark.parametrize("case", ADDED)
def test_add(benchmark: BenchmarkFixture, case: str) -> None:
    """Each is checked and added, one after the other."""
    made, ends = ADDED[case]
    graph = made()
    work_out_the_order(graph)
    some = [pair for pair, _ in zip(ends(), range(CHECKS // 5), strict=False)]

    def add() -> list[float]:
        nonlocal graph
        seconds = []
        for tail, head in some:
            needed = (*graph.dependencies(tail).nodes, head)
            change = Change(tail, True, tuple(Need(name, Kind.RUNTIME) for name in needed))
            started = time.process_time()
            assert graph.cycle_through(tail, [head]) is None
            graph = graph.applied([change])
            seconds.append(time.process_time() - started)
        return seconds

    with without_the_old():
        note(benchmark, f"check and add: {case}", OURS, percentiles(once(benchmark, add)), "µs")


def work_out_the_order(graph: DependencyGraph) -> None:
    graph.cycle_through(graph.names[0], graph.names[1:2])


def timed(call: Callable[..., object], *arguments: object) -> float:
    started = time.process_time()
    call(*arguments)
    return time.process_time() - started


@cache
def twin_of(graph: DependencyGraph) -> "nx.DiGraph[str]":
    twin: nx.DiGraph[str] = nx.DiGraph()
    twin.add_nodes_from(graph)
    tails, heads = graph.csr.edges()
    twin.add_edges_from(zip(graph.names_of(tails.tolist()), graph.names_of(heads.tolist()), strict=True))
    return twin
