"""A problem as clauses for a SAT solver.

How it works: the versions of a package that may be picked are put in order of
preference, and one literal a version says "selected, and no better than this
one". So one literal compares with any version; being a certain version takes
two; at most one version needs no clause at all; and a constraint, which is a few
runs of that order, takes about one clause a run. This is the order encoding of
finite domains (Tamura et al., "Compiling finite linear CSP into SAT", 2009).
"""

from collections.abc import Callable, Iterator, Sequence

from graph.admitted import Admission
from graph.problem import Problem
from graph.satisfier import Clause, Stopped
from graph.terms import NOT_SELECTED, bits

_Run = tuple[int, int]
"""The first rank in it, and the first no more in it."""


class Ladder:
    """The literals of one package. Ranks count from 0, the most preferred version."""

    def __init__(self, admission: Admission, first: int) -> None:
        self.bits = list(_ranked(admission))
        self._admitted = admission.admitted
        self._first = first

    @property
    def literals(self) -> range:
        """One a version: selected, and of that rank or worse."""
        return range(self._first, self._first + len(self.bits))

    def worse_than(self, rank: int) -> list[int]:
        """Return the literal for a rank above `rank`, in a list, which is empty when there is none."""
        return [self._first + rank + 1] if rank + 1 < len(self.bits) else []

    def exactly(self, rank: int) -> list[int]:
        """Return the literals that pick the version of this rank."""
        return [self._first + rank, *(-literal for literal in self.worse_than(rank))]

    def better_than(self, rank: int) -> int:
        """Return the literal for a rank below `rank`, given that the package is selected."""
        return -(self._first + rank)

    def rank_in(self, solution: Sequence[int]) -> int:
        """Return the rank of the version that is selected in `solution`."""
        return sum(solution[literal - 1] > 0 for literal in self.literals) - 1

    def order(self) -> Iterator[Clause]:
        """Yield what the literals mean to each other."""
        for literal in self.literals[1:]:
            yield -literal, literal - 1

    def outside(self, mask: int) -> Iterator[list[int]]:
        """Yield, for each run of `mask`, the literals of which one holds unless a version in that run is selected."""
        for start, end in self._runs(mask):
            yield [-(self._first + start), *self.worse_than(end - 1)]

    def within(self, mask: int) -> Iterator[list[int]]:
        """Yield clauses that together say that what is selected is in `mask`, and that something is unless bit 0 is set."""
        if not mask & NOT_SELECTED:
            yield list(self.literals[:1])
        yield from self.outside(self._admitted & ~mask)

    def _runs(self, mask: int) -> Iterator[_Run]:
        start = None
        for rank, bit in enumerate(self.bits):
            if mask >> bit & 1:
                start = rank if start is None else start
            elif start is not None:
                yield start, rank
                start = None
        if start is not None:
            yield start, len(self.bits)


def _ranked(admission: Admission) -> Iterator[int]:
    for tier in admission.tiers:
        ascending = bits(tier)
        yield from ascending if admission.oldest_first else reversed(ascending)


class Clauses:
    """Everything that a problem may lead to, read and numbered."""

    def __init__(self, problem: Problem, should_stop: Callable[[], bool]) -> None:
        """Raises Stopped when told to stop reading."""
        self.problem = problem
        self.requirements = list(problem.requirements())
        self.ladders: list[Ladder] = []
        self._next = 1
        self._close(should_stop)
        self.guards = range(self._next, self._next + len(self.requirements))
        """A literal for each requirement, to be assumed."""

    def _close(self, should_stop: Callable[[], bool]) -> None:
        """Number whatever can be reached, asking the catalogue level by level."""
        names, admissions = self.problem.names, self.problem.admissions
        while len(self.ladders) < len(names):
            level = range(len(self.ladders), len(names))
            self.problem.read((package, admissions[package].admitted) for package in level)
            for package in level:
                if should_stop():
                    raise Stopped
                self.problem.groups(package)
                ladder = Ladder(admissions[package], self._next)
                self.ladders.append(ladder)
                self._next += len(ladder.bits)

    @property
    def packages(self) -> range:
        """The numbers of all packages."""
        return range(len(self.ladders))

    def of_question(self) -> Iterator[Clause]:
        """Yield what the question requires, each part under its guard, and what it restricts."""
        for guard, requirement in zip(self.guards, self.requirements, strict=True):
            for package, mask in requirement.terms:
                for clause in self._leaving(package, mask):
                    yield [-guard, *clause]
            if not requirement.terms:
                yield [-guard]
        for package in self.packages:
            for restriction in self.problem.restrictions(package):
                for other, mask in restriction.terms:
                    yield from self._leaving(other, mask)

    def _leaving(self, package: int, mask: int) -> Iterator[list[int]]:
        return self.ladders[package].within(self.problem.universe[package] & ~mask)

    def of_package(self, package: int, guard: Sequence[int] = ()) -> Iterator[Clause]:
        """Yield what the versions of a package need, unless one of the literals in `guard` holds."""
        ladder = self.ladders[package]
        yield from ladder.order()
        for groups in self.problem.groups(package).values():
            for group in groups.values():
                needed = list(self.ladders[group.package].within(group.admitted))
                for start in ladder.outside(group.versions):
                    for clause in needed:
                        yield [*guard, *start, *clause]
