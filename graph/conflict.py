"""Conflict resolution: from a violated incompatibility to one that says what must not be tried again.

As PubGrub and CDCL SAT solvers do: resolve with the cause of whatever made the
violated terms hold last, until only one term depends on the newest decision
level involved. What is learned then forbids that term as soon as the search has
gone back to where the other terms hold. On level 0, where nothing was decided,
resolution goes on until no term is left: the proof that no solution exists.
"""

from dataclasses import dataclass

from graph.partial_solution import PartialSolution
from graph.problem import Dependency, Problem
from graph.terms import Incompatibility


@dataclass(frozen=True, slots=True)
class Learned:
    """What follows from a conflict, and the level at which it can be acted upon."""

    incompatibility: Incompatibility
    level: int


def resolve_conflict(solution: PartialSolution, problem: Problem, violated: Incompatibility) -> Learned:
    """Return what `violated`, all of whose terms hold, teaches; with no terms when there is no solution.

    It teaches nothing new, and is returned itself, when one of its own terms is all that depends on its newest level.
    """
    terms = dict(violated.terms)
    places = {package: solution.satisfier(package, mask) for package, mask in terms.items()}
    causes = [violated]
    while terms:
        latest = max(places, key=places.__getitem__)
        satisfier = solution.trail[places[latest]]
        level = max((solution.trail[place].level for p, place in places.items() if p != latest), default=0)
        if satisfier.level > level:
            learned = violated if len(causes) == 1 else _learned(terms, places, causes)
            return Learned(learned, level)
        cause = satisfier.cause
        assert cause is not None, "a decision is the first of its level"
        if isinstance(cause, Dependency):
            cause = problem.alone(cause)
        causes.append(cause)
        _resolve(terms, latest, cause, problem.universe)
        places = _updated(places, terms, cause, solution)
    return Learned(Incompatibility((), tuple(causes)), 0)


def _resolve(terms: dict[int, int], pivot: int, cause: Incompatibility, universe: list[int]) -> None:
    """Replace `terms` by their resolvent with `cause` on the package `pivot`."""
    own = terms.pop(pivot)
    for package, mask in cause.terms:
        if package != pivot:
            terms[package] = terms.get(package, -1) & mask
        elif universe[pivot] & ~(own | mask):
            terms[pivot] = own | mask


def _updated(
    places: dict[int, int], terms: dict[int, int], cause: Incompatibility, solution: PartialSolution
) -> dict[int, int]:
    for package, _ in cause.terms:
        if package in terms:
            places[package] = solution.satisfier(package, terms[package])
        else:
            del places[package]
    return places


def _learned(terms: dict[int, int], places: dict[int, int], causes: list[Incompatibility]) -> Incompatibility:
    """The terms that came to hold last stand first: those are the two to watch."""
    ordered = sorted(terms, key=places.__getitem__, reverse=True)
    return Incompatibility(tuple((package, terms[package]) for package in ordered), tuple(causes))
