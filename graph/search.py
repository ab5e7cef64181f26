"""The search: decides and propagates until everything required is decided or no solution is left.

How it works. PubGrub (https://github.com/dart-lang/pub/blob/master/doc/solver.md)
over bitmasks, in the phases of the published algorithm, one module each:
`propagation` draws consequences, `conflict` learns from contradictions,
`decisions` chooses what comes next, `partial_solution` is the trail between
them. Two things keep the work small:

* It is lazy until the first conflict. The dependencies of the versions that are
  picked are read and applied; nothing is indexed. From then on each dependency
  is kept, and once its package has taken part in a conflict it is widened to all
  versions of it that share it, which takes reading them all.
* Before a version is picked, its dependencies are held against what is already
  selected. At a miss the dependencies of all versions of that package are read,
  and one incompatibility excludes every version that misses in the same place.
"""

from collections.abc import Callable

from graph.conflict import Learned, resolve_conflict
from graph.decisions import Agenda
from graph.errors import GaveUp
from graph.partial_solution import PartialSolution
from graph.problem import Dependency, Problem
from graph.propagation import Propagation
from graph.resolution import Statistics
from graph.terms import NOT_SELECTED, Incompatibility

# How many decisions pass between two looks at whether to go on: often enough for a time limit of seconds.
_LOOK_EVERY = 64


# A conflict that is far from what it goes back to costs as many decisions again as lie between the two.
_DECISIONS_A_CONFLICT = 500


class OutOfBudget(Exception):
    """The search has met as many conflicts as it was given, or decided as much as so many should take."""


class Search:
    """One run of the algorithm."""

    def __init__(
        self,
        problem: Problem,
        should_stop: Callable[[], bool],
        *,
        most_conflicts: int,
        first: int | None = None,
    ) -> None:
        """`first` is the package to decide before all others once it is required, by number."""
        self._problem = problem
        self._should_stop = should_stop
        self._most_conflicts = most_conflicts
        self._solution = PartialSolution()
        self._propagation = Propagation(self._solution)
        self._agenda = Agenda(self._solution, first)
        self._decisions = 0
        self._conflicts = 0
        self._unimpeded = 0
        """Decisions before the first conflict."""
        self._units: dict[int, list[Incompatibility]] = {}
        self._known: set[tuple[int, int, int]] = set()
        self._is_lazy = True

    def run(self) -> dict[int, int] | Incompatibility:
        """Return the bit picked of each package by number, or the incompatibility without terms that forbids all.

        Raises GaveUp when told to stop, and OutOfBudget past `most_conflicts`.
        """
        violated = self._require()
        while True:
            while violated is not None:
                learned = self._learn(violated)
                if not learned.incompatibility.terms:
                    return learned.incompatibility
                violated = (
                    self._act_on(learned, is_new=learned.incompatibility is not violated) or self._propagate()
                )
            package = self._agenda.next()
            if package is None:
                return self._picked()
            violated = self._decide(package) or self._propagate()

    @property
    def statistics(self) -> Statistics:
        """How much was done so far."""
        return Statistics(self._decisions, self._conflicts, len(self._problem.names))

    def _picked(self) -> dict[int, int]:
        return {
            package: domain.bit_length() - 1
            for package, domain in enumerate(self._solution.domains)
            if not domain & NOT_SELECTED
        }

    def _require(self) -> Incompatibility | None:
        for requirement in self._problem.requirements():
            self._meet()
            violated = self._add(requirement)
            if violated is not None:
                return violated
        return self._propagate()

    def _meet(self) -> None:
        """Begin to track every package that has been numbered since the last time."""
        for package in range(len(self._solution.domains), len(self._problem.names)):
            self._solution.add(self._problem.universe[package])
            self._propagation.add_package()
            for restriction in self._problem.restrictions(package):
                self._add(restriction)

    def _propagate(self) -> Incompatibility | None:
        violated = self._propagation.run()
        for package in self._propagation.narrowed:
            self._agenda.enter(package)
        self._propagation.narrowed.clear()
        return violated

    # Deciding

    def _decide(self, package: int) -> Incompatibility | None:
        """Pick the preferred version, unless its dependencies rule it out at once."""
        domains = self._solution.domains
        version = self._problem.admissions[package].best(domains[package])
        bit = version.bit_length() - 1
        if not self._problem.is_read(package, bit):
            self._read_ahead(package)
        dependencies = self._problem.dependencies(package, bit)
        if len(domains) < len(self._problem.names):
            self._meet()
        for dependency in dependencies:
            if dependency.package == package:
                if not dependency.admitted & version:
                    return self._exclude(package, self._problem.alone(dependency))
            elif not domains[dependency.package] & dependency.admitted:
                return self._exclude(package, self._missing(package, dependency.package))
        self._count_decision()
        self._propagation.decide(package, version)
        for dependency in dependencies:
            self._apply(dependency)
        return None

    def _count_decision(self) -> None:
        self._decisions += 1
        if self._decisions % _LOOK_EVERY == 0:
            self._look()

    def _look(self) -> None:
        if self._should_stop():
            raise GaveUp(self._conflicts, self._decisions)

    def _read_ahead(self, package: int) -> None:
        """Read at once what the next decisions will ask for as well."""
        upcoming = {package, *self._agenda.take_entered()}
        self._problem.read((other, self._wanted_of(other)) for other in sorted(upcoming))

    def _wanted_of(self, package: int) -> int:
        """Only the preferred version, until the package takes part in a conflict: then widening looks at all."""
        admission = self._problem.admissions[package]
        if self._agenda.is_blamed(package):
            return admission.admitted
        return admission.best(self._solution.domains[package])

    def _apply(self, dependency: Dependency) -> None:
        """Hold the dependency to what the version just decided needs of it."""
        package, admitted = dependency.package, dependency.admitted
        if self._is_lazy:
            domain = self._solution.domains[package]
            if domain & ~admitted:
                self._propagation.narrow(package, domain & admitted, dependency)
            return
        dependent = dependency.dependent
        is_wide = self._agenda.is_blamed(dependent)
        key = (dependent, package, admitted if is_wide else ~dependency.bit)
        if key not in self._known:
            self._known.add(key)
            self._add(self._widened(dependency) if is_wide else self._problem.alone(dependency))

    def _widened(self, wanted: Dependency) -> Incompatibility:
        """Return what rules out all versions of the package that need the same of the same dependency."""
        groups = self._problem.groups(wanted.dependent)[wanted.package]
        self._meet()
        return self._problem.together(wanted.dependent, [groups[wanted.admitted]])

    def _missing(self, package: int, dependency: int) -> Incompatibility:
        """Return what rules out every version whose need of `dependency` misses all that is left of it."""
        domain = self._solution.domains[dependency]
        groups = self._problem.groups(package)[dependency]
        self._meet()
        return self._problem.together(package, [g for mask, g in groups.items() if not mask & domain])

    def _exclude(self, package: int, incompatibility: Incompatibility) -> Incompatibility | None:
        self._look()
        violated = self._add(incompatibility)
        self._agenda.enter(package)
        return violated

    def _add(self, incompatibility: Incompatibility) -> Incompatibility | None:
        """Keep an incompatibility and draw its immediate consequence; return it when it is violated."""
        if len(incompatibility.terms) > 1:
            self._propagation.add(incompatibility)
        else:
            for package, _ in incompatibility.terms:
                self._units.setdefault(package, []).append(incompatibility)
        return self._propagation.assert_unit(incompatibility)

    # Learning

    def _learn(self, violated: Incompatibility) -> Learned:
        if self._is_lazy:
            self._is_lazy = False
            self._unimpeded = self._decisions
        self._conflicts += 1
        self._look()
        learned = resolve_conflict(self._solution, self._problem, violated)
        if learned.incompatibility.terms and self._is_spent():
            raise OutOfBudget
        return learned

    def _is_spent(self) -> bool:
        repeated = self._decisions - self._unimpeded
        most = self._most_conflicts
        return self._conflicts == most or repeated > most * _DECISIONS_A_CONFLICT

    def _act_on(self, learned: Learned, *, is_new: bool) -> Incompatibility | None:
        for package, _ in learned.incompatibility.terms:
            self._agenda.blame(package)
        self._propagation.forget_pending()
        touched = self._solution.backjump(learned.level)
        for package in sorted(touched):
            self._agenda.enter(package)
        keep = self._add if is_new else self._propagation.assert_unit
        return self._assert_units(touched) or keep(learned.incompatibility)

    def _assert_units(self, packages: set[int]) -> Incompatibility | None:
        """What is ruled out for good was undone as well, unless it was drawn before any decision."""
        for package in sorted(packages & self._units.keys()):
            for unit in self._units[package]:
                violated = self._propagation.assert_unit(unit)
                if violated is not None:
                    return violated
        return None
