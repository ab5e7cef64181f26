"""The question against the catalogue: packages numbered, constraints as masks, read only where the search goes.

Numbers are given in the order in which the search meets packages, never in the
order in which something happened to be loaded, so that the search does the same
whatever a catalogue has cached.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from graph.admission import Policy
from graph.admitted import NOTHING_ADMITTED, Admission
from graph.catalogue import Candidate, Candidates, Catalogue, Declaration, Mention
from graph.constraints import Constraint, both, parse_constraint
from graph.dependencies import Kind
from graph.resolution import Question, Requirement
from graph.terms import NOT_SELECTED, Fact, Incompatibility, Needs, Required, Restricted, Term, bits


class Dependency(msgspec.Struct, gc=False):
    """What one version requires of another package, over all its declarations on it.

    While nothing has gone wrong it stands for the incompatibility that follows from it: most are never asked for more.
    """

    dependent: int
    bit: int
    """Which version of the dependent."""
    package: int
    admitted: int
    """Includes NOT_SELECTED when it only restricts (PEER)."""
    matching: int
    """What the constraint alone allows, without regard to admission."""
    declared: tuple[str, ...]
    """The constraints as the version declares them, also where the question overrides them."""
    kinds: Kind
    optional: bool


_PEER = int(Kind.PEER)


class Group(msgspec.Struct):
    """Versions of one package that need the same of the same dependency, to be told as one fact."""

    package: int
    admitted: int
    versions: int = 0
    matching: int = 0
    declared: dict[tuple[str, ...], None] = msgspec.field(default_factory=dict)
    """In the order of the versions, each once."""

    def include(self, dependency: Dependency, versions: int) -> None:
        """Add versions that declare the same."""
        self.versions |= versions
        self.matching |= dependency.matching
        self.declared[dependency.declared] = None


class Problem:
    """One question while it is being solved."""

    def __init__(self, catalogue: Catalogue, question: Question, *, whole: Question | None = None) -> None:
        """Where `question` is a part of a `whole` one, what may be picked is what may be for the whole."""
        self._catalogue = catalogue
        self._question = question
        self._policy = Policy(whole or question)
        self._overrides = _by_package(question.overrides)
        self._restricted = _by_package(question.constraints)
        self._loaded: dict[str, tuple[Candidates | None, Admission]] = {}
        self._numbers: dict[str, int] = {}
        self._declared: dict[int, Sequence[Declaration]] = {}
        self._dependencies: dict[tuple[int, int], tuple[Dependency, ...]] = {}
        self._close_names: dict[int, Sequence[str]] = {}
        self._admitted_bits: dict[int, list[int]] = {}
        self._groups: dict[int, dict[int, dict[int, Group]]] = {}
        self._followed = int(question.kinds)
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

    def override(self, package: int) -> tuple[str, ...] | None:
        """Return the constraints, all of which count, that the question puts in place of every one on a package."""
        constraints = self._overrides.get(self.names[package])
        return None if constraints is None else tuple(constraint.text for constraint in constraints)

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
            known = self._dependencies[package, bit] = tuple(self._compiled(package, bit, declared))
        return known

    def groups(self, package: int) -> Mapping[int, Mapping[int, Group]]:
        """Return what the versions of `package` need, by dependency and then by what is admitted of it."""
        known = self._groups.get(package)
        if known is None:
            self.read([(package, self.admissions[package].admitted)])
            known = self._groups[package] = {}
            for dependency, versions in self._alike(package):
                groups = known.setdefault(dependency.package, {})
                group = groups.get(dependency.admitted)
                if group is None:
                    group = groups[dependency.admitted] = Group(dependency.package, dependency.admitted)
                group.include(dependency, versions)
        return known

    def _alike(self, package: int) -> Iterator[tuple[Dependency, int]]:
        """Yield each dependency of any version once, with the versions that declare it.

        Neighbouring versions declare the same over and over, mostly as one object, so that is looked for first.
        """
        seen: dict[int, list[Any]] = {}
        for bit in self.admitted_bits(package):
            declared = self._declared[self.version(package, bit).id]
            if len(declared) > 1 and len({declaration.package for declaration in declared}) < len(declared):
                yield from ((dependency, 1 << bit) for dependency in self.dependencies(package, bit))
                continue
            for declaration in declared:
                alike = seen.get(id(declaration))
                if alike is None:
                    seen[id(declaration)] = [declaration, bit, 1 << bit]
                else:
                    alike[2] |= 1 << bit
        for declaration, bit, versions in seen.values():
            yield self._dependency(package, bit, declaration), versions

    def is_read(self, package: int, bit: int) -> bool:
        """Whether `dependencies` can answer for this version."""
        return self.version(package, bit).id in self._declared

    def read(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Ask the catalogue in one go for the dependencies of many versions, given as package and mask,
        and for the candidates of what they require.
        """
        versions = (self.version(package, bit) for package, mask in wanted for bit in bits(mask))
        missing = [version for version in versions if version.id not in self._declared]
        kinds, with_optional = self._followed, self._question.include_optional
        met: set[str] = set()
        for version, declarations in zip(missing, self._catalogue.dependencies(missing), strict=True):
            # As `is_followed`, without a call a declaration: this is asked of every one that is read.
            followed = [
                each
                for each in declarations
                if int.__and__(each.kinds, kinds) and (with_optional or not each.optional)
            ]
            self._declared[version.id] = followed
            met.update(d.package for d in followed if d.package not in self._loaded)
        self._load(sorted(met))

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

    def _compiled(
        self, dependent: int, bit: int, declarations: Sequence[Declaration]
    ) -> Collection[Dependency]:
        merged: dict[str, Dependency] = {}
        for declaration in declarations:
            name = declaration.package
            found = self._dependency(dependent, bit, declaration)
            merged[name] = _both(merged[name], found) if name in merged else found
        return merged.values()

    def _dependency(self, dependent: int, bit: int, declaration: Declaration) -> Dependency:
        name, constraint, kinds = declaration.package, declaration.constraint, declaration.kinds
        package = self._numbers.get(name)
        if package is None:
            package = self.number(name)
        candidates = self.candidates[package]
        if candidates is None:
            matching = 0
        elif name in self._overrides:
            matching = _intersection(candidates, self._overrides[name])
        else:
            matching = candidates.mask(constraint)
        admitted = matching & self.universe[package]
        if int.__and__(kinds, self._followed) == _PEER:
            admitted |= NOT_SELECTED
        return Dependency(
            dependent, bit, package, admitted, matching, (constraint.text,), kinds, declaration.optional
        )

    def _matching(self, package: int, constraints: Iterable[Constraint]) -> int:
        candidates = self.candidates[package]
        return 0 if candidates is None else _intersection(candidates, constraints)

    # Facts

    def direct(self) -> set[int]:
        """Return the packages that the question requires."""
        return {self.number(requirement.package) for requirement in self._question.requirements}

    def requirements(self) -> Iterator[Incompatibility]:
        """What the question requires, by name."""
        self._load(sorted({requirement.package for requirement in self._question.requirements}))
        for requirement in sorted(self._question.requirements, key=lambda r: (r.package, r.constraint)):
            package = self.number(requirement.package)
            override = self._overrides.get(requirement.package)
            constraints = override or (parse_constraint(requirement.constraint),)
            matching = self._matching(package, constraints)
            admitted = matching & self.universe[package]
            said = requirement
            if override is not None:
                said = Requirement(requirement.package, both(constraint.text for constraint in override))
            fact = Required(said, package, admitted, matching, is_override=override is not None)
            yield self._forbid((package, self.universe[package] & ~admitted), fact)

    def restrictions(self, package: int) -> Iterator[Incompatibility]:
        """What the question says of a package without requiring it."""
        for constraint in self._restricted.get(self.names[package], ()):
            admitted = self._matching(package, [constraint]) & self.universe[package]
            forbidden = self.universe[package] & ~(admitted | NOT_SELECTED)
            said = Requirement(self.names[package], constraint.text)
            yield self._forbid((package, forbidden), Restricted(said, package, admitted))

    def alone(self, dependency: Dependency) -> Incompatibility:
        """Return what one version's dependency rules out, by itself."""
        versions, declared = 1 << dependency.bit, (dependency.declared,)
        fact = Needs(
            dependency.dependent,
            versions,
            dependency.package,
            dependency.admitted,
            dependency.matching,
            declared,
        )
        return self.needs(fact)

    def together(self, dependent: int, groups: Sequence[Group]) -> Incompatibility:
        """Return what is ruled out for all versions in `groups`, whose needs are of one dependency, as one fact."""
        versions = admitted = matching = 0
        declared: dict[tuple[str, ...], None] = {}
        for group in groups:
            versions |= group.versions
            admitted |= group.admitted
            matching |= group.matching
            declared |= group.declared
        package = groups[0].package
        return self.needs(Needs(dependent, versions, package, admitted, matching, tuple(declared)))

    def needs(self, fact: Needs) -> Incompatibility:
        """Return what a dependency rules out: some versions of the dependent beside the others of the dependency."""
        forbidden = self.universe[fact.dependency] & ~fact.admitted
        if fact.dependent == fact.dependency:
            return self._forbid((fact.dependent, fact.versions & forbidden), fact)
        if not fact.admitted:
            return self._forbid((fact.dependent, fact.versions), fact)
        return Incompatibility(((fact.dependent, fact.versions), (fact.dependency, forbidden)), fact)

    def _forbid(self, term: Term, fact: Fact) -> Incompatibility:
        """A term that nothing can contradict is left out: it holds anyway."""
        package, mask = term
        return Incompatibility((term,) if self.universe[package] & ~mask else (), fact)


def _by_package(requirements: Sequence[Requirement]) -> dict[str, tuple[Constraint, ...]]:
    """All that is said of each package, in an order that does not depend on that of `requirements`."""
    said: dict[str, set[str]] = {}
    for requirement in requirements:
        said.setdefault(requirement.package, set()).add(requirement.constraint)
    return {package: tuple(map(parse_constraint, sorted(texts))) for package, texts in said.items()}


def _intersection(candidates: Candidates, constraints: Iterable[Constraint]) -> int:
    mask = candidates.everything
    for constraint in constraints:
        mask &= candidates.mask(constraint)
    return mask


def _both(one: Dependency, other: Dependency) -> Dependency:
    return Dependency(
        one.dependent,
        one.bit,
        one.package,
        one.admitted & other.admitted,
        one.matching & other.matching,
        (*one.declared, *other.declared),
        one.kinds | other.kinds,
        one.optional and other.optional,
    )
