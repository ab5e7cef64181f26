"""Our solver beside others, on the same questions: every answer is checked, and the times are those of the processor.

`BENCHMARK_SECONDS` (20) is the most that a solver is given for a question. For a table: `--benchmark-json FILE`, then
`python -m benchmarks.ratios FILE`.
"""

import time
from enum import StrEnum
from functools import lru_cache
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.cases import CASES, Asked
from benchmarks.collector import without_the_old
from benchmarks.limits import BUDGET, OutOfTime
from benchmarks.peers import SOLVERS, VERSIONS, Solve
from benchmarks.puzzle import Pins

# What is over in less is measured until it has taken twice as long.
_SHORT = 1.0
_MOST_ROUNDS = 50


class Outcome(StrEnum):
    """What became of a question."""

    SOLVED = "solved"
    IMPOSSIBLE = "impossible"
    OUT_OF_TIME = "out of time"
    WRONG = "wrong"
    """Called impossible, and is not. Happens to peers."""


# The questions that a solver has found a solution of.
_solvable: set[str] = set()


# One, so that a case is made once for all solvers and let go before the next.
@lru_cache(maxsize=1)
def asked_of(case: str) -> Asked:
    return CASES[case]()


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("case", CASES)
def test_solver(benchmark: BenchmarkFixture, case: str, solver: str) -> None:
    asked = asked_of(case)
    solve = SOLVERS[solver](asked)
    benchmark.group = asked.name

    found = measured(benchmark, solve)

    outcome = judged(asked, found)
    benchmark.extra_info.update(
        case=asked.name, solver=solver, version=VERSIONS[solver], outcome=outcome, budget=BUDGET
    )
    assert outcome is not Outcome.WRONG or not solver.startswith("ours")


def measured(benchmark: BenchmarkFixture, solve: Solve) -> Pins | OutOfTime | None:
    """Time as many rounds as fit, and return the last answer."""
    rounds = rounds_of(solve)
    timed: Any = benchmark  # half of its methods have no types
    with without_the_old():
        found: Pins | OutOfTime | None = timed.pedantic(lambda: within(BUDGET, solve), rounds=rounds)
    return found


def rounds_of(solve: Solve) -> int:
    """Return how often to measure, after a try that is not measured; what takes long is stopped short in it."""
    started = time.process_time()
    found = within(_SHORT, solve)
    took = time.process_time() - started
    return 1 if isinstance(found, OutOfTime) else max(2, min(_MOST_ROUNDS, int(2 * _SHORT / took)))


def within(seconds: float, solve: Solve) -> Pins | OutOfTime | None:
    try:
        return solve(seconds)
    except OutOfTime as error:
        return error


def judged(asked: Asked, found: Pins | OutOfTime | None) -> Outcome:
    """Check the pins one by one; what has none is wrong if anyone has found some."""
    if isinstance(found, OutOfTime):
        return Outcome.OUT_OF_TIME
    if found is None:
        is_solvable = asked.is_solvable or asked.name in _solvable
        return Outcome.WRONG if is_solvable else Outcome.IMPOSSIBLE
    assert not [*asked.world.faults(found)]
    assert asked.is_solvable is not False
    _solvable.add(asked.name)
    return Outcome.SOLVED
