"""What a benchmark of the graph leaves behind for `ratios`: whose time it is, and of what."""

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

import networkx as nx
from pytest_benchmark.fixture import BenchmarkFixture

from buildatlas.release import version

OURS = "buildatlas"
NETWORKX = "networkx"
ANEW = "loaded anew"

_VERSIONS = {OURS: version(), NETWORKX: nx.__version__, ANEW: version()}


def note(
    benchmark: BenchmarkFixture,
    case: str,
    whose: str,
    figures: Mapping[str, float] | None = None,
    unit: str = "ms",
) -> None:
    """Put down whose the time is; `figures` are shown in place of it, each in a row of its own."""
    benchmark.group = case
    benchmark.extra_info.update(case=case, beside=whose, version=_VERSIONS[whose], unit=unit, figures=figures)
    if figures is not None:
        print(f"{case}, {whose}:", {name: round(value, 4) for name, value in figures.items()}, unit)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the most of these, in microseconds."""
    hundredths = quantiles(seconds, n=100)
    return {"p50": hundredths[49] * 1e6, "p99": hundredths[98] * 1e6, "most": max(seconds) * 1e6}


def once(benchmark: BenchmarkFixture, measured: Any) -> Any:
    """Run what measures itself."""
    timed: Any = benchmark  # half of its methods have no types
    return timed.pedantic(measured, rounds=1)
