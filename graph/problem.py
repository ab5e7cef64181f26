"""The question against the catalogue: packages numbered, constraints as masks, read only where the search goes.

Numbers are given in the order in which the search meets packages, never in the
order in which something happened to be loaded, so that the search does the same
whatever a catalogue has cached.
"""

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import and_

from graph.admission import NOTHING_ADMITTED, Admission, Policy, is_followed
from graph.catalogue import Candidate, Candidates, Catalogue, Declaration, Mention
from graph.constraints import Constraint, both, parse_constraint
from graph.dependencies import Kind
from graph.resolution import Question, Requirement
from graph.terms import NOT_SELECTED, Incompatibility, Needs, Required, Restricted, bits


@dataclass(frozen=True, slots=True)
class Dependency:
    """What one version requires of another package, over all its declarations on it."""

    package: int
    admitted: int
    """Includes NOT_SELECTED when it only restricts (PEER)."""
    matching: int
    """What the constraint alone allows, without regard to admission."""
    declared: tuple[str, ...]
    """The constraints as the version declares them, also where the question overrides them."""
    kinds: Kind
    optional: bool


class Problem:
    """One question while it is being solved."""

    def __init__(self, catalogue: Catalogue, question: Question) -> None:
        self._catalogue = catalogue
        self._question = question
        self._policy = Policy(question)
        self._overrides = _by_package(question.overrides)
        self._restricted = _by_package(question.constraints)
        self._loaded: dict[str, tuple[Candidates | None, Admission]] = {}
        self._numbers: dict[str, int] = {}
        self._declared: dict[int, Sequence[Declaration]] = {}
        self._dependencies: dict[tuple[int, int], tuple[Dependency, ...]] = {}
        self._close_names: dict[int, Sequence[str]] = {}
        self._admitted_bits: dict[int, list[int]] = {}
        self._by_dependency: dict[int, dict[int, list[tuple[int, Dependency]]]] = {}
        self.names: list[str] = []
        self.candidates: list[Candidates | None] = []
        """None for a package that is not registered."""
        self.admissions: list[Admission] = []
        self.universe: list[int] = []
        """All that can be selected of each package, NOT_SELECTED included."""

    # Reading

    def number(self, package: str) -> int:
        """Return the number of a package, which is given on the first call."""
        number = self._numbers.get(package)
        if number is None:
            if package not in self._loaded:
                self._load([package])
            number = self._numbers[package] = len(self.names)
            candidates, admission = self._loaded[package]
            self.names.append(package)
            self.candidates.append(candidates)
            self.admissions.append(admission)
            self.universe.append(admission.admitted | NOT_SELECTED)
        return number

    def version(self, package: int, bit: int) -> Candidate:
        """Return the candidate that `bit` stands for."""
        candidates = self.candidates[package]
        assert candidates is not None, "a package without candidates has no bit but NOT_SELECTED"
        return candidates.versions[bit - 1]

    def admitted_bits(self, package: int) -> list[int]:
        """Return the versions that may be picked, ascending, as bits."""
        known = self._admitted_bits.get(package)
        if known is None:
            known = self._admitted_bits[package] = bits(self.admissions[package].admitted)
        return known

    def override(self, package: int) -> str | None:
        """Return what the question puts in place of every constraint on a package, or None."""
        constraints = self._overrides.get(self.names[package])
        return None if constraints is None else _text(constraints)

    def close_names(self, package: int) -> Sequence[str]:
        """Return what is registered under names like this one."""
        known = self._close_names.get(package)
        if known is None:
            known = self._close_names[package] = self._catalogue.close_names(self.names[package])
        return known

    def dependencies(self, package: int, bit: int) -> tuple[Dependency, ...]:
        """Return what a version that has been read requires, by name, whatever the order of declaration."""
        known = self._dependencies.get((package, bit))
        if known is None:
            declared = self._declared[self.version(package, bit).id]
            known = self._dependencies[package, bit] = tuple(self._compiled(declared))
        return known

    def needs_by_dependency(self, package: int) -> Mapping[int, Sequence[tuple[int, Dependency]]]:
        """Return, for each dependency of any version of `package`, which versions (as bits) need what of it."""
        known = self._by_dependency.get(package)
        if known is None:
            admitted = self.admissions[package].admitted
            self.read([(package, admitted)])
            known = self._by_dependency[package] = {}
            for bit in self.admitted_bits(package):
                for dependency in self.dependencies(package, bit):
                    known.setdefault(dependency.package, []).append((bit, dependency))
        return known

    def is_read(self, package: int, bit: int) -> bool:
        """Whether `dependencies` can answer for this version."""
        return self.version(package, bit).id in self._declared

    def read(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Ask the catalogue in one go for the dependencies of many versions, given as package and mask,
        and for the candidates of what they require.
        """
        versions = [self.version(package, bit) for package, mask in wanted for bit in bits(mask)]
        missing = [version for version in versions if version.id not in self._declared]
        for version, declarations in zip(missing, self._catalogue.dependencies(missing), strict=True):
            self._declared[version.id] = [
                d for d in declarations if is_followed(d.kinds, d.optional, self._question)
            ]
        met = {declaration.package for version in missing for declaration in self._declared[version.id]}
        self._load(sorted(met - self._loaded.keys()))

    def _load(self, packages: Collection[str]) -> None:
        if not packages:
            return
        found = self._catalogue.candidates(packages)
        delicate = [name for name, candidates in found.items() if candidates.is_delicate]
        mentions = self._catalogue.mentions(delicate) if delicate else {}
        for package in packages:
            candidates = found.get(package)
            self._loaded[package] = candidates, self._admission(candidates, mentions.get(package, ()))

    def _admission(self, candidates: Candidates | None, mentions: Sequence[Mention]) -> Admission:
        return NOTHING_ADMITTED if candidates is None else self._policy.admission(candidates, mentions)

    # Compiling

    def _compiled(self, declarations: Sequence[Declaration]) -> Iterator[Dependency]:
        merged: dict[str, Dependency] = {}
        for declaration in sorted(declarations, key=lambda d: (d.package, d.constraint.text)):
            found = self._dependency(declaration)
            earlier = merged.get(declaration.package)
            merged[declaration.package] = found if earlier is None else _both(earlier, found)
        yield from merged.values()

    def _dependency(self, declaration: Declaration) -> Dependency:
        package = self.number(declaration.package)
        constraints = self._overrides.get(declaration.package, (declaration.constraint,))
        only_restricts = self._question.kinds.value & declaration.kinds.value == Kind.PEER.value
        matching = self._matching(package, constraints)
        admitted = matching & self.admissions[package].admitted | (NOT_SELECTED if only_restricts else 0)
        declared = (declaration.constraint.text,)
        return Dependency(package, admitted, matching, declared, declaration.kinds, declaration.optional)

    def _matching(self, package: int, constraints: Iterable[Constraint]) -> int:
        candidates = self.candidates[package]
        if candidates is None:
            return 0
        return functools.reduce(and_, map(candidates.mask, constraints), candidates.everything)

    # Facts

    def requirements(self) -> Iterator[Incompatibility]:
        """What the question requires, by name."""
        self._load(sorted({requirement.package for requirement in self._question.requirements}))
        for requirement in sorted(self._question.requirements, key=lambda r: (r.package, r.constraint)):
            package = self.number(requirement.package)
            override = self._overrides.get(requirement.package)
            constraints = override or (parse_constraint(requirement.constraint),)
            matching = self._matching(package, constraints)
            admitted = matching & self.universe[package]
            said = Requirement(requirement.package, _text(constraints))
            fact = Required(said, package, admitted, matching, is_override=override is not None)
            yield self._forbid((package, self.universe[package] & ~admitted), fact)

    def restrictions(self, package: int) -> Iterator[Incompatibility]:
        """What the question says of a package without requiring it."""
        constraints = self._restricted.get(self.names[package])
        if constraints is not None:
            admitted = self._matching(package, constraints) & self.universe[package]
            forbidden = self.universe[package] & ~(admitted | NOT_SELECTED)
            said = Requirement(self.names[package], _text(constraints))
            yield self._forbid((package, forbidden), Restricted(said, package, admitted))

    def needs(self, fact: Needs) -> Incompatibility:
        """Return what a dependency rules out: some versions of the dependent beside the others of the dependency."""
        forbidden = self.universe[fact.dependency] & ~fact.admitted
        if fact.dependent == fact.dependency:
            return self._forbid((fact.dependent, fact.versions & forbidden), fact)
        return self._forbid((fact.dependent, fact.versions), fact, (fact.dependency, forbidden))

    def _forbid(
        self, term: tuple[int, int], fact: Required | Restricted | Needs, *more: tuple[int, int]
    ) -> Incompatibility:
        """A term that nothing can contradict is left out: it holds anyway."""
        terms = (term, *more)
        return Incompatibility(tuple((p, mask) for p, mask in terms if self.universe[p] & ~mask), fact)


def _by_package(requirements: Sequence[Requirement]) -> dict[str, tuple[Constraint, ...]]:
    """All that is said of each package, in an order that does not depend on that of `requirements`."""
    said: dict[str, set[str]] = {}
    for requirement in requirements:
        said.setdefault(requirement.package, set()).add(requirement.constraint)
    return {package: tuple(map(parse_constraint, sorted(texts))) for package, texts in said.items()}


def _text(constraints: Iterable[Constraint]) -> str:
    return both(constraint.text for constraint in constraints)


def _both(one: Dependency, other: Dependency) -> Dependency:
    return Dependency(
        one.package,
        one.admitted & other.admitted,
        one.matching & other.matching,
        (*one.declared, *other.declared),
        one.kinds | other.kinds,
        one.optional and other.optional,
    )
