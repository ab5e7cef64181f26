"""How far an answer leaves direct requirements behind, and whether another order of decisions leaves them less.

What is met first is decided first, so that it may cost a later requirement years
of releases where a small step back would do. Of two answers, neither of which
could be better in one package without being worse in another, the one is kept
that leaves less behind of what was asked for.
"""

from collections.abc import Callable, Mapping

from graph.problem import Problem

Picked = Mapping[int, int]
"""The bit picked of each package, by number."""

# As many versions back is more than a package that had to give way a little.
_FAR = 5


def closer(problem: Problem, found: Picked, decide_first: Callable[[int], Picked | None]) -> Picked:
    """Return `found`, or what comes of deciding the requirement first that lags most, if that lags less over all.

    `decide_first` searches anew, and returns None when there is no answer to be had in time.
    """
    if not any(_behind(problem, package, found).bit_count() >= _FAR for package in problem.direct()):
        return found
    wanted = _wanted(problem)
    if sum(versions.bit_count() > 1 for versions in wanted.values()) < 2:
        # Nothing that was asked for could give way to anything else that was.
        return found
    lags = _lags(problem, wanted, found)
    farthest = max(lags, key=lambda package: (lags[package], -package))
    if lags[farthest] < _FAR:
        return found
    other = decide_first(farthest)
    if other is None or sum(_lags(problem, wanted, other).values()) >= sum(lags.values()):
        return found
    return other


def _wanted(problem: Problem) -> dict[int, int]:
    """Return the versions of each direct requirement that the question lets in."""
    wanted: dict[int, int] = {}
    for requirement in problem.requirements():
        for package, forbidden in requirement.terms:
            wanted[package] = wanted.get(package, problem.universe[package]) & ~forbidden
    return wanted


def _lags(problem: Problem, wanted: Mapping[int, int], picked: Picked) -> dict[int, int]:
    """Return how many versions of each direct requirement are preferred over the one picked."""
    return {
        package: (_behind(problem, package, picked) & versions).bit_count()
        for package, versions in sorted(wanted.items())
    }


def _behind(problem: Problem, package: int, picked: Picked) -> int:
    """Return the versions that are preferred over the one picked, whether or not the question lets them in."""
    return problem.admissions[package].better(1 << picked[package])
