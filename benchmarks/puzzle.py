"""What the peers are given: the part of a catalogue that a question can reach, with every constraint a mask.

Bit `v` of a mask is version `v`: they are numbered from 1, ascending, as in `graph.catalogue.Candidates`. What our
solver would not pick for other reasons, such as pre-releases, is in no mask. All this is made before anything is
timed, so that peers are compared by how they search and not by how they parse.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graph.admission import Policy, is_followed
from graph.catalogue import Candidates, Catalogue, Declaration
from graph.constraints import Constraint, parse_constraint
from graph.resolution import Question

Pins = Mapping[str, int]
Masks = Mapping[str, int]
"""Some versions of each of some packages."""


@dataclass(frozen=True, slots=True)
class Puzzle:
    """A question together with its registry."""

    versions: Masks
    """What can be picked of each package."""
    needs: Mapping[str, Sequence[Masks]]
    """For each package, what its versions need, version 1 first."""
    roots: Masks


@dataclass(slots=True)
class World:
    """A question with everything in the catalogue that it leads to, through whichever versions."""

    question: Question
    candidates: dict[str, Candidates] = field(default_factory=dict)
    admitted: dict[str, int] = field(default_factory=dict)
    declared: dict[str, list[list[Declaration]]] = field(default_factory=dict)

    @property
    def numbers(self) -> Mapping[tuple[str, str], int]:
        """The number of each version, by package and text."""
        return {
            (package, candidate.text): number
            for package, candidates in self.candidates.items()
            for number, candidate in enumerate(candidates.versions, start=1)
        }

    def puzzle(self) -> Puzzle:
        """Return the same with masks in the place of constraints."""
        needs = {name: [self._masks(needs) for needs in versions] for name, versions in self.declared.items()}
        roots = {each.package: parse_constraint(each.constraint) for each in self.question.requirements}
        return Puzzle(self.admitted, needs, {name: self._mask(name, each) for name, each in roots.items()})

    def _masks(self, declared: Sequence[Declaration]) -> Masks:
        masks: dict[str, int] = {}
        for each in declared:
            mask = self._mask(each.package, each.constraint)
            masks[each.package] = masks.get(each.package, mask) & mask
        return masks

    def _mask(self, package: str, constraint: Constraint) -> int:
        candidates = self.candidates.get(package)
        return candidates.mask(constraint) & self.admitted[package] if candidates else 0

    def faults(self, pins: Pins) -> Iterator[str]:
        """Yield what `pins` leave unsatisfied, by comparing versions one by one: masks could be wrong as well."""
        for requirement in self.question.requirements:
            if not self._holds(pins, requirement.package, parse_constraint(requirement.constraint)):
                yield f"{requirement} is required"
        for name, number in pins.items():
            for each in self.declared[name][number - 1]:
                if not self._holds(pins, each.package, each.constraint):
                    yield f"{name} {number} needs {each.package} {each.constraint.text}"

    def _holds(self, pins: Pins, package: str, constraint: Constraint) -> bool:
        if package not in pins:
            return False
        version = self.candidates[package].versions[pins[package] - 1]
        return constraint.admits(version.key, version.text)


def explore(catalogue: Catalogue, question: Question) -> World:
    """Read everything that `question` leads to."""
    world = World(question)
    policy = Policy(question)
    wanted = {requirement.package for requirement in question.requirements}
    while wanted:
        found = catalogue.candidates(sorted(wanted))
        mentions = catalogue.mentions([name for name, each in found.items() if each.is_delicate])
        for name, each in found.items():
            world.candidates[name] = each
            world.admitted[name] = policy.admission(each, mentions.get(name, ())).admitted
            world.declared[name] = [
                [need for need in needs if is_followed(need.kinds, need.optional, question)]
                for needs in catalogue.dependencies(each.versions)
            ]
        met = {need.package for name in found for needs in world.declared[name] for need in needs}
        wanted = met - world.candidates.keys() - wanted
    return world
