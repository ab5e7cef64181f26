"""An explanation held against the facts: is each true, and do they prove what they are said to prove?"""

import re
from collections.abc import Iterator, Sequence

from graph.catalogue import Candidate
from graph.dependencies import Kind
from graph.resolution import Conflict, DerivationKind, DerivationStep, Question
from tests.graph.sat_oracle import Formula, Meaning, admits, picked
from tests.graph.universe import Universe

_CUT_SHORT = re.compile(r"[\d,]+ more")


def check_structure(told: Conflict) -> None:
    """Fail unless the steps are a derivation of the last one, with causes before what follows from them."""
    reasons = [line for line in told.message.splitlines()[1:] if not line.startswith("Would work")]
    assert reasons, told.message
    assert [step.index for step in told.steps] == list(range(len(told.steps)))
    assert told.steps[-1].kind is DerivationKind.DERIVED
    for step in told.steps:
        assert (step.kind is DerivationKind.DERIVED) == bool(step.causes), step
        assert all(0 <= cause < step.index for cause in step.causes), step
        assert step.text
    cited = {cause for step in told.steps for cause in step.causes}
    assert cited == set(range(len(told.steps) - 1)), "every step serves the last one"


class Facts:
    """The leaves of one explanation: each is checked as it is read, and stated as clauses."""

    def __init__(self, index: Universe, question: Question) -> None:
        self._index = index
        self._question = question
        self._meaning = Meaning(index, question)
        self._formula = Formula()
        self._spoken_of: set[str] = set()

    def prove_the_conflict(self, told: Conflict) -> bool:
        """Whether nothing satisfies what the leaves state; fails when one of them is not so."""
        for step in told.steps:
            self._state(step)
        for package in sorted(self._spoken_of):
            versions = [picked(package, version) for version in self._meaning.choices(package)]
            self._formula.at_most_one([package, *versions])
        return self._formula.model() is None

    def _state(self, step: DerivationStep) -> None:
        match step.kind:
            case DerivationKind.ROOT_REQUIREMENT:
                self._require(*_about(step))
            case DerivationKind.CONSTRAINT:
                self._restrict(*_about(step))
            case DerivationKind.DEPENDENCY:
                self._depend(step)
            case DerivationKind.UNKNOWN_PACKAGE:
                package, _ = _about(step)
                assert package not in self._index.names(), step
                self._formula.add(none=[package])
            case DerivationKind.NO_VERSIONS:
                package, constraint = _about(step)
                assert package in self._index.names(), step
                assert not self._good(package, [constraint]), step
                self._formula.add(none=[package])
            case DerivationKind.DERIVED:
                pass

    def _require(self, package: str, constraint: str) -> None:
        asked = [r.constraint for r in self._question.requirements if r.package == package]
        assert asked, f"{package} is not required"
        overrides = [r.constraint for r in self._question.overrides if r.package == package]
        if overrides:
            assert self._matching(package, [constraint]) == self._matching(package, overrides)
        else:
            assert constraint in asked
        self._need([], package, [constraint])

    def _restrict(self, package: str, constraint: str) -> None:
        said = [r.constraint for r in self._question.constraints if r.package == package]
        assert said, f"nothing restricts {package}"
        assert self._matching(package, [constraint]) >= self._matching(package, said)
        self._forbid_others([], package, [constraint])

    def _depend(self, step: DerivationStep) -> None:
        dependency, constraint = _about(step)
        assert step.package is not None
        assert step.versions is not None
        declared: set[str] = set()
        for version in self._dependents(step.package, step.versions, dependency, constraint):
            own = self._declared(version, dependency)
            assert own, f"{step.package} {version.text} does not declare {dependency}"
            assert self._matching(dependency, own) <= self._matching(dependency, [constraint]), step
            declared |= self._matching(dependency, own)
            self._apply(step.package, version, dependency, constraint)
        assert declared == self._matching(dependency, [constraint]), step

    def _dependents(
        self, package: str, described: str, dependency: str, constraint: str
    ) -> Sequence[Candidate]:
        """Return the versions that a step is about; where they are not all told, those that declare what it says."""
        admitted = sorted(self._meaning.choices(package), key=lambda version: version.key)
        told = list(versions_told(admitted, described))
        assert told, f"{package} {described} is about nothing"
        if not is_cut_short(described):
            return told
        meant = self._matching(dependency, [constraint])
        return [
            version
            for version in admitted
            if (own := self._declared(version, dependency)) and self._matching(dependency, own) <= meant
        ]

    def _apply(self, package: str, version: Candidate, dependency: str, constraint: str) -> None:
        holds = self._meaning.effective(dependency, constraint)
        self._spoken_of.add(package)
        followed = [d for d in self._meaning.followed(version) if d.package == dependency]
        if all(d.kinds & self._question.kinds == Kind.PEER for d in followed):
            self._forbid_others([picked(package, version)], dependency, holds)
        else:
            self._need([picked(package, version)], dependency, holds)

    def _need(self, unless: Sequence[tuple[str, str]], package: str, constraints: Sequence[str]) -> None:
        """Where nothing will do, the name of the package stands for a version that might: a leaf must deny it."""
        self._spoken_of.add(package)
        good = [picked(package, version) for version in self._good(package, constraints)]
        self._formula.add(some=good or [package], none=unless)

    def _forbid_others(
        self, unless: Sequence[tuple[str, str]], package: str, constraints: Sequence[str]
    ) -> None:
        self._spoken_of.add(package)
        for version in self._meaning.choices(package):
            if not admits(constraints, version):
                self._formula.add(none=[*unless, picked(package, version)])

    def _good(self, package: str, constraints: Sequence[str]) -> list[Candidate]:
        return [version for version in self._meaning.choices(package) if admits(constraints, version)]

    def _matching(self, package: str, constraints: Sequence[str]) -> set[str]:
        """Return the registered versions within `constraints`, whether or not they may be picked."""
        return {version.text for version in self._index.versions_of(package) if admits(constraints, version)}

    def _declared(self, version: Candidate, dependency: str) -> list[str]:
        return [d.constraint.text for d in self._meaning.followed(version) if d.package == dependency]


def _about(step: DerivationStep) -> tuple[str, str]:
    assert step.dependency is not None, step
    assert step.constraint is not None, step
    return step.dependency, step.constraint


def is_cut_short(described: str) -> bool:
    """Whether the end of a description only counts versions: "1, 2 or 3 more"."""
    return any(_CUT_SHORT.fullmatch(part) for part in _parts(described))


def versions_told(admitted: Sequence[Candidate], described: str) -> Iterator[Candidate]:
    """Yield the versions that a description such as "1, 3 to 5 or 7 and newer" names, out of `admitted`, ascending."""
    places = {version.text: place for place, version in enumerate(admitted)}
    for part in _parts(described):
        if not _CUT_SHORT.fullmatch(part):
            first, last = _ends(part, places, len(admitted) - 1)
            yield from admitted[first : last + 1]


def _parts(described: str) -> list[str]:
    return re.split(r", | or ", described)


def _ends(part: str, places: dict[str, int], newest: int) -> tuple[int, int]:
    if part == "any":
        return 0, newest
    if part.endswith(" and newer"):
        return places[part.removesuffix(" and newer")], newest
    if part.endswith(" and older"):
        return 0, places[part.removesuffix(" and older")]
    first, _, last = part.replace(" and ", " to ").partition(" to ")
    return places[first], places[last or first]
