"""Where the search has met too many conflicts: the whole problem as clauses, given to a SAT solver.

How it works: the SAT solver is only asked whether there is a solution, never
which one is best, so that the answer is ours and the same whichever solution it
happens to find. Packages are decided in the order in which a search that never
errs would meet them; of each, better versions than that of the solution at hand
are asked for until there is none, and then it is fixed. What comes out is the
solution in which no package could be better without one before it being worse.
"""

from collections.abc import Callable, Iterator, Sequence

from graph.clauses import Clauses
from graph.problem import Problem
from graph.satisfier import NewSatisfier, Satisfier
from graph.terms import NOT_SELECTED, Incompatibility


def decide(
    problem: Problem, new_satisfier: NewSatisfier, should_stop: Callable[[], bool]
) -> dict[int, int] | Incompatibility:
    """Return the bit picked of each package by number, or an incompatibility without terms.

    Its causes are declared facts that cannot hold together: it says which, not how. Raises Stopped when told to.
    """
    clauses = Clauses(problem, should_stop)
    with new_satisfier(should_stop) as satisfier:
        satisfier.add(clauses.of_question())
        for package in clauses.packages:
            satisfier.add(clauses.of_package(package))
        satisfier.prefer([-literal for ladder in clauses.ladders for literal in ladder.literals[1:]])
        solution = satisfier.satisfy(clauses.guards)
        if solution is not None:
            satisfier.add([guard] for guard in clauses.guards)
            return _Improvement(problem, clauses, satisfier).best(solution)
        guards = satisfier.blamed()
    return _blamed(clauses, guards, new_satisfier, should_stop)


class _Improvement:
    """A solution on its way to the best one."""

    def __init__(self, problem: Problem, clauses: Clauses, satisfier: Satisfier) -> None:
        self._problem = problem
        self._clauses = clauses
        self._satisfier = satisfier

    def best(self, solution: Sequence[int]) -> dict[int, int]:
        picked: dict[int, int] = {}
        waiting = [package for requirement in self._clauses.requirements for package, _ in requirement.terms]
        for package in waiting:
            if package in picked:
                continue
            ladder = self._clauses.ladders[package]
            solution = self._improved(package, solution)
            rank = ladder.rank_in(solution)
            self._satisfier.add([literal] for literal in ladder.exactly(rank))
            picked[package] = ladder.bits[rank]
            waiting.extend(
                dependency.package
                for dependency in self._problem.dependencies(package, ladder.bits[rank])
                if not dependency.admitted & NOT_SELECTED
            )
        return picked

    def _improved(self, package: int, solution: Sequence[int]) -> Sequence[int]:
        """Return a solution with the best version of `package` that is left."""
        ladder = self._clauses.ladders[package]
        while rank := ladder.rank_in(solution):
            better = self._satisfier.satisfy([ladder.better_than(rank)])
            if better is None:
                break
            solution = better
        return solution


def _blamed(
    clauses: Clauses, guards: Sequence[int], new_satisfier: NewSatisfier, should_stop: Callable[[], bool]
) -> Incompatibility:
    """Find out whose needs are enough for there to be no solution."""
    first = clauses.guards.stop
    with new_satisfier(should_stop) as satisfier:
        satisfier.add(clauses.of_question())
        for package in clauses.packages:
            satisfier.add(clauses.of_package(package, [-(first + package)]))
        assumed = [*guards, *range(first, first + len(clauses.packages))]
        solution = satisfier.satisfy(assumed)
        assert solution is None, "these guards were enough"
        blamed = set(satisfier.blamed())
    return Incompatibility((), tuple(_facts(clauses, blamed)))


def _facts(clauses: Clauses, blamed: set[int]) -> Iterator[Incompatibility]:
    for guard, requirement in zip(clauses.guards, clauses.requirements, strict=True):
        if guard in blamed:
            yield requirement
    problem = clauses.problem
    for package in clauses.packages:
        yield from problem.restrictions(package)
        if clauses.guards.stop + package in blamed:
            for groups in problem.groups(package).values():
                yield from (problem.together(package, [group]) for group in groups.values())
