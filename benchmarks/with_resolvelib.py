"""resolvelib, the solver of pip, over bitmasks, with what its examples prefer: fewest candidates first.

Of the ways to set it up this did best over all, and by much on boto. Tried as well: order of discovery, and what
backtracking blames first, as pip does (a quarter faster where all is independent).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from resolvelib import AbstractProvider, BaseReporter, Resolver
from resolvelib.resolvers import RequirementInformation, ResolutionImpossible, ResolutionTooDeep

from benchmarks.limits import OutOfTime, limited
from benchmarks.puzzle import Pins, Puzzle

# So many that the time is over first.
_ROUNDS = 1_000_000

_Masked: TypeAlias = tuple[str, int]
"""A requirement: a package, and the mask of what would do."""
_Numbered: TypeAlias = tuple[str, int]
"""A candidate: a package, and the number of a version."""


class _Provider(AbstractProvider[_Masked, _Numbered, str]):
    def __init__(self, puzzle: Puzzle, needs: Mapping[_Numbered, Sequence[_Masked]]) -> None:
        self._versions = puzzle.versions
        self._needs = needs

    def identify(self, requirement_or_candidate: _Masked | _Numbered) -> str:
        return requirement_or_candidate[0]

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, _Numbered],
        candidates: Mapping[str, Iterator[_Numbered]],
        information: Mapping[str, Iterator["RequirementInformation[_Masked, _Numbered]"]],
        backtrack_causes: Sequence["RequirementInformation[_Masked, _Numbered]"],
    ) -> int:
        return sum(1 for _ in candidates[identifier])

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[_Masked]],
        incompatibilities: Mapping[str, Iterator[_Numbered]],
    ) -> Callable[[], Iterator[_Numbered]]:
        mask = self._versions.get(identifier, 0)
        for _, admitted in requirements[identifier]:
            mask &= admitted
        for _, version in incompatibilities[identifier]:
            mask &= ~(1 << version)
        return lambda: _newest_first(identifier, mask)

    def is_satisfied_by(self, requirement: _Masked, candidate: _Numbered) -> bool:
        return bool(requirement[1] >> candidate[1] & 1)

    def get_dependencies(self, candidate: _Numbered) -> Sequence[_Masked]:
        return self._needs[candidate]


def _newest_first(package: str, mask: int) -> Iterator[_Numbered]:
    while mask:
        version = mask.bit_length() - 1
        mask ^= 1 << version
        yield package, version


def prepare(puzzle: Puzzle) -> Callable[[float], Pins | None]:
    """Return what solves `puzzle` on each call; None means that resolvelib calls it impossible."""
    needs = {
        (package, number): tuple(masks.items())
        for package, versions in puzzle.needs.items()
        for number, masks in enumerate(versions, start=1)
    }

    def solve(seconds: float) -> Pins | None:
        resolver = Resolver(_Provider(puzzle, needs), BaseReporter())
        try:
            with limited(seconds):
                result = resolver.resolve(puzzle.roots.items(), max_rounds=_ROUNDS)
        except ResolutionImpossible:
            return None
        except ResolutionTooDeep as error:
            raise OutOfTime from error
        return dict(result.mapping.values())

    return solve
