"""The dependency graph beside plain networkx: load, memory, components, generations, a hub's dependents, the longest path.

Both hold the same seeded catalogue, in one run, and must agree. Times are CPU time. `BENCHMARK_PACKAGES` sets its size (20,000;
ten dependencies each): 200000 takes networkx several minutes and 2 GB.
"""

import gc
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.beside import NETWORKX, OURS, note, once
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
        return DependencyGraph.build(
            self.names, self.dependents, self.dependencies, runtime, np.zeros(size, dtype=np.bool_)
        )

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
    return drawn.load() if kind == OURS else drawn.load_networkx()


@pytest.fixture(params=[OURS, NETWORKX])
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.mark.benchmark(disable_gc=True, timer=time.process_time)
def test_load(benchmark: BenchmarkFixture, kind: str) -> None:
    note(benchmark, "load", kind)
    drawn = catalogue(cyclic=False)
    graph = benchmark(drawn.load if kind == OURS else drawn.load_networkx)
    assert len(graph) == PACKAGES


def test_memory(benchmark: BenchmarkFixture, kind: str) -> None:
    """A process that does nothing else tells by how much it has grown."""
    command = [sys.executable, "-m", "benchmarks.test_dependency_graph", kind]
    told = once(benchmark, lambda: subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    note(benchmark, "memory", kind, {"held": float(told)}, unit="MB")


@pytest.mark.benchmark(disable_gc=True, timer=time.process_time)
def test_components(benchmark: BenchmarkFixture, kind: str) -> None:
    note(benchmark, "strongly connected components", kind)
    graph = loaded(kind, cyclic=True)
    if kind == OURS:
        found = benchmark(lambda: components(graph))
    else:
        found = benchmark(
            lambda: [group for group in nx.strongly_connected_components(graph) if len(group) > 1]
        )
    theirs = nx.strongly_connected_components(loaded(NETWORKX, cyclic=True))
    assert max(map(len, found)) == max(map(len, theirs))


@pytest.mark.benchmark(disable_gc=True, timer=time.process_time)
def test_generations(benchmark: BenchmarkFixture, kind: str) -> None:
    note(benchmark, "topological generations", kind)
    found = benchmark(lambda: list(api.topological_generations(loaded(kind))))
    theirs = nx.topological_generations(loaded(NETWORKX))
    assert [*map(set, found)] == [*map(set, theirs)]


@pytest.mark.benchmark(disable_gc=True, timer=time.process_time)
def test_dependents_of_a_hub(benchmark: BenchmarkFixture, kind: str) -> None:
    note(benchmark, "dependents of a hub", kind)
    found = benchmark(lambda: api.ancestors(loaded(kind), HUB))
    assert found == nx.ancestors(loaded(NETWORKX), HUB)


@pytest.mark.benchmark(disable_gc=True, timer=time.process_time)
def test_longest_path(benchmark: BenchmarkFixture, kind: str) -> None:
    note(benchmark, "longest path", kind)
    found = benchmark(lambda: api.dag_longest_path(loaded(kind)))
    assert len(found) == len(nx.dag_longest_path(loaded(NETWORKX)))


def resident() -> float:
    """Return the megabytes that this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    (kind,) = sys.argv[1:]
    drawn = catalogue(cyclic=False)
    before = resident()
    graph = drawn.load() if kind == OURS else drawn.load_networkx()
    gc.collect()
    print(resident() - before)
    del graph


if __name__ == "__main__":
    main()
