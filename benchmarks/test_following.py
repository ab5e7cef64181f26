"""What a publish costs the next question to the graph: to follow it, and to load the graph anew.

The catalogue is the one of `benchmarks.julia`, in a database on disk. Each publish is the latest version of a package drawn
at random once more, with one more dependency.
"""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.beside import ANEW, OURS, note
from benchmarks.collector import without_the_old
from benchmarks.stored import stored_julia
from graph.dependencies import DependencyGraph, Kind
from resolvers.drafts import DependencyRequest, PublishRequest
from resolvers.loaded_graphs import Graphs, Selection
from resolvers.versions import publish
from storage.database import Database

EVERYTHING = Selection(include_optional=True)
ASKED = [Selection(), Selection(Kind.RUNTIME), EVERYTHING]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with stored_julia(tmp_path_factory.mktemp("following")) as database:
        yield database


# No package has versions as high.
_NUMBERS = count(1_000_000)


class Publisher:
    """Publishes one version after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._graphs = Graphs(database)
        self._rng = random.Random(2024)

    def publish_one(self) -> None:
        graph = self._graphs.select(EVERYTHING)
        name = self._rng.choice([name for name in graph.names if graph.dependencies(name).nodes])
        needs = [
            DependencyRequest(edge.dependency, kinds=int(edge.kinds), optional=edge.optional)
            for edge in graph.edges_among([name, *graph.dependencies(name).nodes])
            if edge.dependent == name
        ]
        known = {need.package for need in needs}
        new = next(other for other in self._rng.sample(graph.names, 1_000) if other not in known)
        request = PublishRequest(name, f"{next(_NUMBERS)}.0", (*needs, DependencyRequest(new)))
        publish(self._database, request, now=datetime.now(UTC))


def measure(
    benchmark: BenchmarkFixture,
    database: Database,
    selections: list[Selection],
    graphs: Callable[[], Graphs],
    rounds: int,
) -> None:
    publisher = Publisher(database)

    def ask() -> list[DependencyGraph]:
        asked = graphs()
        return [asked.select(selection) for selection in selections]

    ask()
    timed: Any = benchmark
    with without_the_old():
        found = timed.pedantic(ask, setup=publisher.publish_one, rounds=rounds)
    anew = Graphs(database)
    for selection, graph in zip(selections, found, strict=True):
        assert graph.edges_among(graph) == anew.select(selection).edges_among(graph)


CASES = {
    "the graph after a publish": [EVERYTHING],
    "the graph and two selections after a publish": ASKED,
}


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("whose", [OURS, ANEW])
def test_publish(benchmark: BenchmarkFixture, database: Database, case: str, whose: str) -> None:
    note(benchmark, case, whose)
    kept = Graphs(database)
    graphs = (lambda: kept) if whose == OURS else (lambda: Graphs(database))
    measure(benchmark, database, CASES[case], graphs, rounds=50 if whose == OURS else 5)
