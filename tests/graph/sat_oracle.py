"""The meaning of a question as a formula for a SAT solver: for registries too large to try everything.

What may be picked, in which order it is preferred, and what everything demands
is read off the design here a second time, with nothing shared with the solver
but the parser of constraints. A variable says that one version is picked.
"""

import functools
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pysat.solvers import Solver

from graph.catalogue import Candidate, Declaration, Status
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.resolution import PrereleasePolicy, Question, Strategy
from graph.versions import parse_version, sort_key
from tests.graph.universe import Universe

Selection = Mapping[str, Candidate]
Picked = tuple[str, str]
"""The variable of one version: its package and its text."""


class Formula:
    """Clauses over variables of any kind."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._clauses: list[list[int]] = []

    def add(self, *, some: Iterable[Hashable] = (), none: Iterable[Hashable] = ()) -> None:
        """Demand that one of `some` is true or one of `none` is false."""
        self._clauses.append([*map(self._number, some), *(-self._number(key) for key in none)])

    def at_most_one(self, keys: Sequence[Hashable]) -> None:
        """Demand that no two of `keys` are true."""
        for place, one in enumerate(keys):
            for other in keys[:place]:
                self.add(none=(one, other))

    def model(self) -> frozenset[Hashable] | None:
        """Return the variables that are true in some solution, or None when there is none."""
        # An empty clause is nothing that every SAT solver takes.
        if not all(self._clauses):
            return None
        with Solver(name="cadical195", bootstrap_with=self._clauses) as solver:
            if not solver.solve():
                return None
            literals: Any = solver.get_model()
        true = {literal for literal in literals if literal > 0}
        return frozenset(key for key, number in self._numbers.items() if number in true)

    def _number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers) + 1)


@dataclass(frozen=True, slots=True)
class Demand:
    """What something requires of a package: all of the constraints, or nothing selected where it only restricts."""

    package: str
    constraints: tuple[str, ...]
    only_restricts: bool


class Meaning:
    """One question to one registry, spelled out."""

    def __init__(self, index: Universe, question: Question, *, whole: "Meaning | None" = None) -> None:
        """Of a part of a `whole` question, what may be picked is what may be for the whole."""
        self._whole = whole
        self._index = index
        self._question = question
        self._choices: dict[str, tuple[Candidate, ...]] = {}
        self._locked = {name: sort_key(parse_version(text)) for name, text in question.locked}
        self._overrides = by_package((r.package, r.constraint) for r in question.overrides)
        self._named = by_package(self._said())

    # What may be picked

    def choices(self, package: str) -> tuple[Candidate, ...]:
        """Return the versions that may be picked, the most preferred first."""
        if self._whole is not None:
            return self._whole.choices(package)
        known = self._choices.get(package)
        if known is None:
            kept = [v for v in self._visible(package) if not self._is_withdrawn(package, v)]
            finals = [version for version in kept if not version.is_prerelease]
            if not self._lets_prereleases_in(package, has_final=bool(finals)):
                kept = finals
            known = self._choices[package] = self._by_preference(package, kept)
        return known

    def _visible(self, package: str) -> list[Candidate]:
        """Drafts, what is quarantined and what is too late are as if they were not there."""
        as_of = self._question.as_of
        if self._index.status_of(package) is Status.QUARANTINED:
            return []
        return [
            version
            for version in self._index.versions_of(package)
            if version.status not in {Status.DRAFT, Status.QUARANTINED}
            and (as_of is None or version.released_at is None or version.released_at <= as_of)
        ]

    def _said(self) -> Iterator[tuple[str, str]]:
        """All constraints that anyone places on any package; nothing but the override on what is overridden."""
        for requirement in (*self._question.constraints, *self._question.overrides):
            yield requirement.package, requirement.constraint
        for requirement in self._question.requirements:
            if requirement.package not in self._overrides:
                yield requirement.package, requirement.constraint
        for name in self._index.names():
            for version in self._visible(name):
                for declared in self.followed(version):
                    if declared.package not in self._overrides:
                        yield declared.package, declared.constraint.text

    def _is_withdrawn(self, package: str, version: Candidate) -> bool:
        """A yanked version is there only for a lock and for those who pin it."""
        if version.status is not Status.YANKED or self._is_locked(package, version):
            return False
        return not any(_pins(constraint, version) for constraint in self._named.get(package, ()))

    def _is_locked(self, package: str, version: Candidate) -> bool:
        return self._locked.get(package) == version.key

    def _lets_prereleases_in(self, package: str, *, has_final: bool) -> bool:
        if self._question.prereleases is not PrereleasePolicy.IF_NECESSARY:
            return self._question.prereleases is PrereleasePolicy.ALLOW
        locked = [v for v in self._index.versions_of(package) if self._is_locked(package, v)]
        return (
            not has_final
            or any(version.is_prerelease for version in locked)
            or any(parse_constraint(text).names_prerelease for text in self._named.get(package, ()))
        )

    def _by_preference(self, package: str, versions: Iterable[Candidate]) -> tuple[Candidate, ...]:
        strategy = self._question.strategy
        direct = any(requirement.package == package for requirement in self._question.requirements)
        oldest_first = strategy is Strategy.LOWEST or (strategy is Strategy.LOWEST_DIRECT and direct)
        in_order = sorted(versions, key=lambda version: version.key, reverse=not oldest_first)
        return tuple(sorted(in_order, key=functools.partial(self._tier, package)))

    def _tier(self, package: str, version: Candidate) -> tuple[bool, ...]:
        is_yanked = version.status is Status.YANKED
        is_late = version.is_prerelease and self._question.prereleases is not PrereleasePolicy.ALLOW
        return (
            not self._is_locked(package, version),
            is_yanked,
            not is_yanked and version.status is Status.DEPRECATED,
            not is_yanked and is_late,
        )

    # What is demanded

    def demands(self) -> Iterator[Demand]:
        """Yield what the question itself demands."""
        for requirement in self._question.requirements:
            yield self._demand(requirement.package, requirement.constraint, only_restricts=False)
        for requirement in self._question.constraints:
            yield Demand(requirement.package, (requirement.constraint,), only_restricts=True)

    def demands_of(self, version: Candidate) -> Iterator[Demand]:
        """Yield what a version demands once it is picked."""
        for declared in self.followed(version):
            only_restricts = declared.kinds & self._question.kinds == Kind.PEER
            yield self._demand(declared.package, declared.constraint.text, only_restricts=only_restricts)

    def followed(self, version: Candidate) -> list[Declaration]:
        """Return what a version declares, of the kinds that the question follows."""
        return [
            declared
            for declared in self._index.declared_by(version)
            if declared.kinds & self._question.kinds
            and (self._question.include_optional or not declared.optional)
        ]

    def effective(self, package: str, constraint: str) -> tuple[str, ...]:
        """Return what holds in place of a constraint that is declared or required."""
        return self._overrides.get(package, (constraint,))

    def _demand(self, package: str, constraint: str, *, only_restricts: bool) -> Demand:
        return Demand(package, self.effective(package, constraint), only_restricts=only_restricts)

    # As a formula

    def is_solvable(self) -> bool:
        """Whether any selection satisfies the question."""
        return self._formula().model() is not None

    def better_than(self, selection: Selection) -> frozenset[Hashable] | None:
        """Return a solution with the same packages in which no pin is worse and one is better, or None."""
        formula = self._formula()
        better: list[Picked] = []
        for package in self.reachable():
            if package not in selection:
                for version in self.choices(package):
                    formula.add(none=[picked(package, version)])
                continue
            place = self.choices(package).index(selection[package])
            best = [picked(package, version) for version in self.choices(package)[: place + 1]]
            formula.add(some=best)
            better.extend(best[:-1])
        formula.add(some=better)
        return formula.model()

    def is_satisfied_by(self, selection: Selection) -> bool:
        """Whether everything picked may be, and every demand is met."""
        may_be = all(version in self.choices(package) for package, version in selection.items())
        demands = [*self.demands(), *(d for version in selection.values() for d in self.demands_of(version))]
        return may_be and all(_is_met(demand, selection) for demand in demands)

    def reachable(self) -> list[str]:
        """Return the packages that any solution without idle pins could hold."""
        found: dict[str, None] = {}
        waiting = [demand.package for demand in self.demands() if not demand.only_restricts]
        while waiting:
            package = waiting.pop()
            if package not in found:
                found[package] = None
                for version in self.choices(package):
                    waiting.extend(d.package for d in self.demands_of(version) if not d.only_restricts)
        return list(found)

    def _formula(self) -> Formula:
        formula = Formula()
        reachable = self.reachable()
        for demand in self.demands():
            self._add(formula, demand, unless=[])
        for package in reachable:
            formula.at_most_one([picked(package, version) for version in self.choices(package)])
            for version in self.choices(package):
                for demand in self.demands_of(version):
                    self._add(formula, demand, unless=[picked(package, version)])
        return formula

    def _add(self, formula: Formula, demand: Demand, *, unless: Sequence[Picked]) -> None:
        """Add a demand that falls away when `unless` is not picked."""
        good = [v for v in self.choices(demand.package) if admits(demand.constraints, v)]
        if not demand.only_restricts:
            formula.add(some=[picked(demand.package, version) for version in good], none=unless)
            return
        for version in self.choices(demand.package):
            if version not in good:
                formula.add(none=[*unless, picked(demand.package, version)])


def picked(package: str, version: Candidate) -> Picked:
    """Return the variable that says that this version is picked."""
    return package, version.text


def admits(constraints: Iterable[str], version: Candidate) -> bool:
    """Whether a version satisfies all of `constraints`."""
    return all(_admits(constraint, version.key, version.text) for constraint in constraints)


def by_package(said: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Group constraints by what they are placed on, each once."""
    grouped: dict[str, dict[str, None]] = {}
    for package, constraint in said:
        grouped.setdefault(package, {})[constraint] = None
    return {package: tuple(constraints) for package, constraints in grouped.items()}


@functools.cache
def _admits(constraint: str, key: bytes, text: str) -> bool:
    return parse_constraint(constraint).admits(key, text)


def _pins(constraint: str, version: Candidate) -> bool:
    """Whether one of the alternatives names this very version by `==` or `===`, without a wildcard."""
    return any(
        any(
            part.strip().startswith("==") and not part.strip().endswith(".*")
            for part in alternative.split(",")
        )
        and admits([alternative], version)
        for alternative in constraint.split("||")
    )


def _is_met(demand: Demand, selection: Selection) -> bool:
    version = selection.get(demand.package)
    return demand.only_restricts if version is None else admits(demand.constraints, version)
