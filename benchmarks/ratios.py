"""`python -m benchmarks.ratios FILE`: the results of the solver, and those of the graph, as tables in Markdown.

FILE is what `pytest --benchmark-json FILE` wrote. A peer's cell is its median and how many times ours that is; the last
row is the geometric mean of these over the questions that the peer answered.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_OURS: Final = "ours, loaded"
_OUR_GRAPH: Final = "buildatlas"
_OUTCOMES_WITHOUT_TIME: Final = frozenset({"out of time", "wrong"})


@dataclass(frozen=True, slots=True)
class Result:
    """One solver on one question."""

    case: str
    solver: str
    version: str
    outcome: str
    budget: float
    amount: float
    unit: str = "ms"

    @property
    def is_answered(self) -> bool:
        return self.outcome not in _OUTCOMES_WITHOUT_TIME


def results_of(report: Mapping[str, Any]) -> Iterator[Result]:
    """Yield what is in a report of pytest-benchmark that came from `test_solver`."""
    for entry in report["benchmarks"]:
        said = entry["extra_info"]
        if "outcome" in said:
            yield Result(
                said["case"],
                said["solver"],
                said["version"],
                said["outcome"],
                said["budget"],
                entry["stats"]["median"] * 1e3,
            )


def graph_results_of(report: Mapping[str, Any]) -> Iterator[Result]:
    """Yield what `beside.note` has put down, a result for each figure."""
    for entry in report["benchmarks"]:
        said = entry["extra_info"]
        if "beside" in said:
            figures = said["figures"] or {"": entry["stats"]["median"] * 1e3}
            for name, amount in figures.items():
                case = f"{said['case']}, {name}" if name else said["case"]
                yield Result(case, said["beside"], said["version"], "found", 0, amount, said["unit"])


def table(results: Sequence[Result], *, ours_is: str, title: str, with_mean: bool) -> Iterator[str]:
    """Yield the lines of the table, cases and solvers in order of appearance."""
    by_place = {(result.case, result.solver): result for result in results}
    versions = {result.solver: result.version for result in results}
    others = [solver for solver in versions if solver != ours_is]
    yield _row(title, *(f"{solver} ({versions[solver]})" for solver in (ours_is, *others)))
    yield _row("---", *("---:" for _ in versions))
    for case in dict.fromkeys(result.case for result in results):
        ours = by_place.get((case, ours_is))
        cells = (_cell(by_place.get((case, solver)), ours) for solver in others)
        yield _row(case, _cell(ours, None), *cells)
    if with_mean:
        yield _row("geometric mean", "", *(_mean(_ratios(by_place, solver, ours_is)) for solver in others))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(result: Result | None, ours: Result | None) -> str:
    if result is None:
        return ""
    if result.outcome == "out of time":
        return f"> {result.budget:g} s"
    if not result.is_answered:
        return result.outcome
    time = f"{_short(result.amount)} {result.unit}"
    return time if ours is None or not ours.is_answered else f"{time} (x {_short(_ratio(result, ours))})"


def _ratio(result: Result, ours: Result) -> float:
    return result.amount / ours.amount


def _ratios(by_place: Mapping[tuple[str, str], Result], solver: str, ours_is: str) -> list[float]:
    return [
        _ratio(result, by_place[case, ours_is])
        for (case, other), result in by_place.items()
        if other == solver and result.is_answered and by_place[case, ours_is].is_answered
    ]


def _mean(ratios: Sequence[float]) -> str:
    if not ratios:
        return ""
    return f"x {_short(math.exp(math.fsum(map(math.log, ratios)) / len(ratios)))} of {len(ratios)}"


def _short(number: float) -> str:
    """Two digits that mean something: all else is noise."""
    digits = max(0, 1 - math.floor(math.log10(number)))
    return f"{round(number, digits):,.{min(digits, 2)}f}"


def main() -> None:
    (path,) = sys.argv[1:]
    report = json.loads(Path(path).read_bytes())
    if results := [*results_of(report)]:
        print(*table(results, ours_is=_OURS, title="CPU time, median", with_mean=True), "", sep="\n")
    if results := [*graph_results_of(report)]:
        print(*table(results, ours_is=_OUR_GRAPH, title="The graph", with_mean=False), sep="\n")


if __name__ == "__main__":
    main()
