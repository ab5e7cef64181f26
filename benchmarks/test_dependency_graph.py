"""The dependency graph beside plain networkx: load, components, generations, a hub's dependents, the longest path.

Both hold the same seeded catalogue, in one run, and must agree. `BENCHMARK_PACKAGES` sets its size (20,000; ten dependencies
each): 200000 takes networkx several minutes and 2 GB.
"""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import networkx as nx
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from graph.cycles import components
from graph.dependencies import DependencyGraph, Kind

PACKAGES = int(os.environ.get("BENCHMARK_PACKAGES", "20000"))
DEPENDENCIES = 10
HUB = "package-000000"

# The types of networkx know only its own graphs.
api: Any = nx


@dataclass(frozen=True)
class Catalogue:
    """Packages of which the older ones are needed the more, as in real catalogues."""

    names: list[str]
    dependents: "np.ndarray[Any, np.dtype[np.int64]]"
    dependencies: "np.ndarray[Any, np.dtype[np.int64]]"

    def load(self) -> DependencyGraph:
        size = len(self.dependents)
        runtime = np.full(size, Kind.RUNTIME, dtype=np.uint8)
        graph = DependencyGraph.build(
            self.names, self.dependents, self.dependencies, runtime, np.zeros(size, dtype=np.bool_)
        )
        assert len(graph.csr.flags) > 0  # merged on first use, which is part of loading
        return graph

    def load_networkx(self) -> "nx.DiGraph[str]":
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.names)
        ends = zip(self.dependents.tolist(), self.dependencies.tolist(), strict=True)
        graph.add_edges_from((self.names[tail], self.names[head]) for tail, head in ends)
        return graph


@cache
def catalogue(*, cyclic: bool) -> Catalogue:
    rng = np.random.default_rng(2024)
    dependents = rng.integers(1, PACKAGES, PACKAGES * DEPENDENCIES)
    dependencies = (dependents * rng.random(len(dependents)) ** 3).astype(np.int64)
    if cyclic:
        # One dependency in a hundred the other way round ties much of the catalogue into one knot.
        turned = rng.random(len(dependents)) < 0.01
        dependents, dependencies = (
            np.where(turned, dependencies, dependents),
            np.where(turned, dependents, dependencies),
        )
    return Catalogue([f"package-{number:06}" for number in range(PACKAGES)], dependents, dependencies)


@cache
def loaded(kind: str, *, cyclic: bool = False) -> Any:
    drawn = catalogue(cyclic=cyclic)
    return drawn.load() if kind == "buildatlas" else drawn.load_networkx()


@pytest.fixture(params=["buildatlas", "networkx"])
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.mark.benchmark(group="load", disable_gc=True)
def test_load(benchmark: BenchmarkFixture, kind: str) -> None:
    drawn = catalogue(cyclic=False)
    graph = benchmark(drawn.load if kind == "buildatlas" else drawn.load_networkx)
    assert len(graph) == PACKAGES


@pytest.mark.benchmark(group="strongly connected components", disable_gc=True)
def test_components(benchmark: BenchmarkFixture, kind: str) -> None:
    graph = loaded(kind, cyclic=True)
    if kind == "buildatlas":
        found = benchmark(lambda: components(graph))
    else:
        found = benchmark(
            lambda: [group for group in nx.strongly_connected_components(graph) if len(group) > 1]
        )
    theirs = nx.strongly_connected_components(loaded("networkx", cyclic=True))
    assert max(map(len, found)) == max(map(len, theirs))


@pytest.mark.benchmark(group="topological generations", disable_gc=True)
def test_generations(benchmark: BenchmarkFixture, kind: str) -> None:
    found = benchmark(lambda: list(api.topological_generations(loaded(kind))))
    theirs = nx.topological_generations(loaded("networkx"))
    assert [*map(set, found)] == [*map(set, theirs)]


@pytest.mark.benchmark(group="dependents of a hub", disable_gc=True)
def test_dependents_of_a_hub(benchmark: BenchmarkFixture, kind: str) -> None:
    found = benchmark(lambda: api.ancestors(loaded(kind), HUB))
    assert found == nx.ancestors(loaded("networkx"), HUB)


@pytest.mark.benchmark(group="longest path", disable_gc=True)
def test_longest_path(benchmark: BenchmarkFixture, kind: str) -> None:
    found = benchmark(lambda: api.dag_longest_path(loaded(kind)))
    assert len(found) == len(nx.dag_longest_path(loaded("networkx")))
