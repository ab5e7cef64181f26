"""What storage adds to a solve: from a database on disk with nothing in memory, and from what is kept of it.

The catalogue is the one of `benchmarks.julia`. All that a question costs is in it: reading, solving, explaining.
"""

import random
import time
from collections.abc import Iterator
from functools import partial
from statistics import quantiles
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import julia
from benchmarks.collector import without_the_old
from benchmarks.shelf import forget_texts
from benchmarks.stored import stored_julia
from graph.resolution import Question, Requirement
from resolvers import catalogue
from resolvers.atlas import Atlas
from resolvers.resolutions import resolve
from storage.database import Database

_SEED = 2024
_ROOTS = 1_000
_LARGEST = next(roots for roots in julia.ROOTS if julia.has(roots))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with stored_julia(tmp_path_factory.mktemp("loading")) as database:
        yield database


def forget() -> None:
    """Leave nothing in this process of what it has read."""
    forget_texts()
    catalogue._declaration.cache_clear()


def ask(atlas: Atlas, *roots: str) -> float:
    """Return the seconds of processor time that an answer takes."""
    question = Question(tuple(map(Requirement, roots)))
    started = time.process_time()
    resolve(atlas, question)
    return time.process_time() - started


@pytest.mark.benchmark(group=f"from storage: {' + '.join(_LARGEST)}", timer=time.process_time)
def test_nothing_in_memory(benchmark: BenchmarkFixture, database: Database) -> None:
    timed: Any = benchmark
    timed.pedantic(lambda: ask(Atlas(database), *_LARGEST), setup=forget, rounds=10)


@pytest.mark.benchmark(group=f"from storage: {' + '.join(_LARGEST)}", timer=time.process_time)
def test_all_in_memory(benchmark: BenchmarkFixture, database: Database) -> None:
    atlas = Atlas(database)
    ask(atlas, *_LARGEST)
    benchmark(partial(ask, atlas, *_LARGEST))


@pytest.mark.benchmark(group="from storage: each of many packages alone", timer=time.process_time)
@pytest.mark.parametrize("times_asked", [1, 2], ids=["first time", "second time"])
def test_many_roots(benchmark: BenchmarkFixture, database: Database, times_asked: int) -> None:
    names = sorted(julia.names())
    roots = random.Random(_SEED).sample(names, min(_ROOTS, len(names)))
    forget()
    atlas = Atlas(database)
    for _ in range(times_asked - 1):
        ask_each(atlas, roots)

    timed: Any = benchmark
    with without_the_old():
        seconds: list[float] = timed.pedantic(lambda: ask_each(atlas, roots), rounds=1)

    percentiles = quantiles(seconds, n=100)
    milliseconds = {"p50": percentiles[49] * 1e3, "p99": percentiles[98] * 1e3, "max": max(seconds) * 1e3}
    benchmark.extra_info.update(roots=len(roots), milliseconds=milliseconds)
    print({name: round(value, 2) for name, value in milliseconds.items()})


def ask_each(atlas: Atlas, roots: list[str]) -> list[float]:
    return [ask(atlas, root) for root in roots]
