"""The solver: picks one version of everything needed, or proves that none can be picked.

How it works. PubGrub (https://github.com/dart-lang/pub/blob/master/doc/solver.md)
over bitmasks, in the phases of the published algorithm, one module each:
`propagation` draws consequences, `conflict` learns from contradictions,
`decisions` chooses what comes next, `partial_solution` is the trail between
them. Two things keep the work small:

* It is lazy until the first conflict. The dependencies of the versions that are
  picked are read and applied; nothing is indexed. From then on each dependency
  is widened to all versions of the package that share it and kept.
* Before a version is picked, its dependencies are held against what is already
  selected. At a miss the dependencies of all versions of that package are read,
  and one incompatibility excludes every version that misses in the same place.
"""

from collections.abc import Callable
from dataclasses import dataclass

from graph.answer import answer
from graph.catalogue import Catalogue
from graph.conflict import Learned, resolve_conflict
from graph.decisions import Agenda
from graph.errors import GaveUp
from graph.partial_solution import PartialSolution
from graph.problem import Dependency, Problem
from graph.propagation import Propagation
from graph.report import explain
from graph.resolution import Conflict, Question, Resolution, Statistics
from graph.terms import Incompatibility, Needs

# How many decisions pass between two looks at whether to go on: often enough for a time limit of seconds.
_LOOK_EVERY = 64


def solve(
    catalogue: Catalogue, question: Question, *, should_stop: Callable[[], bool] = lambda: False
) -> Resolution | Conflict:
    """Answer `question` from `catalogue`.

    Equal questions to equal catalogues have equal answers, in whatever order
    either was written down. Raises GaveUp when `should_stop` returns True before
    the end, InvalidConstraint or InvalidVersion when the question does not parse.
    Costs no more than the packages it has to look at; the catalogue is asked in batches.
    """
    return Search(Problem(catalogue, question), question, should_stop).run()


@dataclass(slots=True)
class _Counters:
    decisions: int = 0
    conflicts: int = 0


class Search:
    """One run of the algorithm."""

    def __init__(self, problem: Problem, question: Question, should_stop: Callable[[], bool]) -> None:
        self._problem = problem
        self._question = question
        self._should_stop = should_stop
        self._solution = PartialSolution()
        self._propagation = Propagation(self._solution)
        self._agenda = Agenda(self._solution)
        self._counters = _Counters()
        self._units: dict[int, list[Incompatibility]] = {}
        self._known: set[tuple[int, int, int]] = set()
        self._is_lazy = True

    def run(self) -> Resolution | Conflict:
        """Decide and propagate until everything required is decided or no solution is left."""
        violated = self._require()
        while True:
            while violated is not None:
                learned = self._learn(violated)
                if not learned.incompatibility.terms:
                    return explain(self._problem, learned.incompatibility, self._statistics())
                violated = (
                    self._act_on(learned, is_new=learned.incompatibility is not violated) or self._propagate()
                )
            package = self._agenda.next()
            if package is None:
                return answer(self._problem, self._question, self._solution, self._statistics())
            violated = self._decide(package) or self._propagate()

    def _statistics(self) -> Statistics:
        return Statistics(self._counters.decisions, self._counters.conflicts, len(self._problem.names))

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
        version = self._problem.admissions[package].best(self._solution.domains[package])
        bit = version.bit_length() - 1
        if not self._problem.is_read(package, bit):
            self._read_ahead(package)
        dependencies = self._problem.dependencies(package, bit)
        self._meet()
        for dependency in dependencies:
            if dependency.package == package:
                if not dependency.admitted & version:
                    needs = self._needs(package, version, dependency)
                    return self._exclude(package, needs)
            elif not self._domain_of(dependency) & dependency.admitted:
                return self._exclude(package, self._missing(package, dependency.package))
        self._count_decision()
        self._propagation.decide(package, version)
        for dependency in dependencies:
            self._apply(package, version, dependency)
        return None

    def _count_decision(self) -> None:
        self._counters.decisions += 1
        if self._counters.decisions % _LOOK_EVERY == 0:
            self._look()

    def _look(self) -> None:
        if self._should_stop():
            raise GaveUp(self._counters.conflicts, self._counters.decisions)

    def _domain_of(self, dependency: Dependency) -> int:
        return self._solution.domains[dependency.package]

    def _read_ahead(self, package: int) -> None:
        """Read at once what the next decisions will ask for as well."""
        upcoming = {package, *self._agenda.take_entered()}
        self._problem.read((other, self._wanted_of(other)) for other in sorted(upcoming))

    def _wanted_of(self, package: int) -> int:
        """Only the preferred version while there was no conflict; after it, widening looks at all."""
        admission = self._problem.admissions[package]
        return admission.best(self._solution.domains[package]) if self._is_lazy else admission.admitted

    def _apply(self, package: int, version: int, dependency: Dependency) -> None:
        """Hold the dependency to what the version just decided needs of it."""
        domain = self._domain_of(dependency)
        if self._is_lazy:
            if domain & ~dependency.admitted:
                needs = self._needs(package, version, dependency)
                self._propagation.narrow(dependency.package, domain & dependency.admitted, needs)
            return
        key = (package, dependency.package, dependency.admitted)
        if key not in self._known:
            self._known.add(key)
            self._add(self._widened(package, dependency))

    def _needs(self, package: int, version: int, dependency: Dependency) -> Incompatibility:
        return self._shared(package, version, dependency, (dependency.declared,))

    def _shared(
        self, package: int, versions: int, dependency: Dependency, declared: tuple[tuple[str, ...], ...]
    ) -> Incompatibility:
        fact = Needs(
            package, versions, dependency.package, dependency.admitted, dependency.matching, declared
        )
        return self._problem.needs(fact)

    def _widened(self, package: int, wanted: Dependency) -> Incompatibility:
        """Return what rules out all versions of the package that need the same of the same dependency."""
        needs = self._problem.needs_by_dependency(package)[wanted.package]
        self._meet()
        versions = 0
        declared: dict[tuple[str, ...], None] = {}
        for bit, needed in needs:
            if needed.admitted == wanted.admitted:
                versions |= 1 << bit
                declared[needed.declared] = None
        return self._shared(package, versions, wanted, tuple(declared))

    def _missing(self, package: int, dependency: int) -> Incompatibility:
        """Return what rules out every version whose need of `dependency` misses all that is left of it."""
        domain = self._solution.domains[dependency]
        needs = self._problem.needs_by_dependency(package)[dependency]
        self._meet()
        versions = admitted = matching = 0
        declared: dict[tuple[str, ...], None] = {}
        for bit, needed in needs:
            if not needed.admitted & domain:
                versions |= 1 << bit
                admitted |= needed.admitted
                matching |= needed.matching
                declared[needed.declared] = None
        return self._problem.needs(Needs(package, versions, dependency, admitted, matching, tuple(declared)))

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
        self._is_lazy = False
        self._counters.conflicts += 1
        self._look()
        return resolve_conflict(self._solution, self._problem.universe, violated)

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
