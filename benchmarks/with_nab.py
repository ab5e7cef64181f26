"""nab-resolver, PubGrub in Python, over bitmasks: its range type is the host's to choose.

Of the ways to set it up this did best over all, and by much on real packages that conflict. Tried as well: fewest
versions first whatever the conflicts, as in its guide (a third faster on pigeonholes); order of discovery after what
is in trouble (finishes the wide graph with 2 % narrow in 15 s); no widening.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from nab_resolver.errors import ResolutionError, ResolutionTerminatedError
from nab_resolver.resolver import BaseProvider, Resolver
from nab_resolver.types import RangeProtocol, RangeRelation

from benchmarks.limits import OutOfTime, limited
from benchmarks.puzzle import Masks, Pins, Puzzle

# So many that the time is over first.
_ROUNDS = 1_000_000
# As in nab's own provider.
_TROUBLE = 5


class Bits:
    """A set of version numbers as an int of which the bits may go on without end: ~0 is all of them."""

    __slots__ = ("bits",)

    def __init__(self, bits: int) -> None:
        self.bits = bits

    @classmethod
    def empty(cls) -> "Bits":
        return cls(0)

    @classmethod
    def full(cls) -> "Bits":
        return cls(~0)

    @classmethod
    def singleton(cls, version: int) -> "Bits":
        return cls(1 << version)

    @property
    def is_empty(self) -> bool:
        return not self.bits

    def __contains__(self, version: int) -> bool:
        return bool(self.bits >> version & 1)

    def __and__(self, other: object) -> "Bits":
        return Bits(self.bits & cast(Bits, other).bits)

    def __or__(self, other: object) -> "Bits":
        return Bits(self.bits | cast(Bits, other).bits)

    def __sub__(self, other: object) -> "Bits":
        return Bits(self.bits & ~cast(Bits, other).bits)

    def __invert__(self) -> "Bits":
        return Bits(~self.bits)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bits) and self.bits == other.bits

    def __hash__(self) -> int:
        return hash(self.bits)

    def is_subset(self, other: "Bits") -> bool:
        return not self.bits & ~other.bits

    def is_superset(self, other: "Bits") -> bool:
        return not other.bits & ~self.bits

    def is_disjoint(self, other: "Bits") -> bool:
        return not self.bits & other.bits

    def relation(self, other: "Bits") -> RangeRelation:
        if self.bits & other.bits:
            return RangeRelation.OVERLAPPING if self.bits & ~other.bits else RangeRelation.SUBSET
        return RangeRelation.DISJOINT if self.bits else RangeRelation.EMPTY


class _Provider(BaseProvider[str, int]):
    """What is in trouble first, then what has fewest versions left; versions that need the same fall together."""

    def __init__(self, puzzle: Puzzle) -> None:
        self._versions = puzzle.versions
        self._needs = {
            package: [{name: Bits(mask) for name, mask in masks.items()} for masks in versions]
            for package, versions in puzzle.needs.items()
        }
        self._alike = {package: _alike(versions) for package, versions in puzzle.needs.items()}

    def choose_version(self, package: str, version_range: RangeProtocol[int]) -> int | None:
        found = self._within(package, version_range)
        return found.bit_length() - 1 if found else None

    def has_satisfying_version(self, package: str, version_range: RangeProtocol[int]) -> bool:
        return bool(self._within(package, version_range))

    def get_dependencies(self, package: str, version: int) -> Mapping[str, RangeProtocol[int]]:
        return self._needs[package][version - 1]

    def prioritize(
        self,
        package: str,
        version_range: RangeProtocol[int],
        conflict_counts: Mapping[str, int],
        culprit_counts: Mapping[str, int] | None = None,
    ) -> tuple[bool, int]:
        is_calm = conflict_counts.get(package, 0) < _TROUBLE
        return is_calm, self._within(package, version_range).bit_count()

    def widen_decision(self, package: str, version: int) -> RangeProtocol[int] | None:
        return self._alike[package][version - 1]

    def _within(self, package: str, version_range: RangeProtocol[int]) -> int:
        return self._versions.get(package, 0) & cast(Bits, version_range).bits


def _alike(versions: Sequence[Masks]) -> list[Bits]:
    """Return for each version those that need the same as it does."""
    keys = [tuple(sorted(masks.items())) for masks in versions]
    masks: dict[tuple[tuple[str, int], ...], int] = {}
    for number, key in enumerate(keys, start=1):
        masks[key] = masks.get(key, 0) | 1 << number
    return [Bits(masks[key]) for key in keys]


def prepare(puzzle: Puzzle) -> Callable[[float], Pins | None]:
    """Return what solves `puzzle` on each call; None means that nab has proved it impossible."""
    provider = _Provider(puzzle)
    roots = {package: Bits(mask) for package, mask in puzzle.roots.items()}

    def solve(seconds: float) -> Pins | None:
        try:
            with limited(seconds):
                return Resolver(provider, max_iterations=_ROUNDS, range_type=Bits).resolve(roots)
        except ResolutionTerminatedError as error:
            raise OutOfTime from error
        except ResolutionError:
            return None

    return solve
