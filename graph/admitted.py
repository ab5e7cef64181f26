"""Which versions of a package may be picked: what `graph.admission` decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a registered version may not be picked, as it is said of it."""

    DRAFT = "a draft"
    QUARANTINED = "quarantined"
    YANKED = "yanked"
    TOO_LATE = "released after the moment asked about"
    PRERELEASE = "a pre-release"

    @property
    def plural(self) -> str:
        """The same of several versions."""
        return f"{self.removeprefix('a ')}s" if self.startswith("a ") else str(self)


@dataclass(frozen=True, slots=True)
class Admission:
    """What may be picked of one package, as masks over its candidates."""

    admitted: int
    tiers: tuple[int, ...]
    """Disjoint parts of `admitted`, the most preferred first."""
    oldest_first: bool
    """The order of preference within a tier."""
    excluded: Mapping[Reason, int]

    def best(self, domain: int) -> int:
        """Return the mask of the preferred version within `domain`, which must hold an admitted one."""
        for tier in self.tiers:
            choices = domain & tier
            if choices:
                return choices & -choices if self.oldest_first else 1 << choices.bit_length() - 1
        raise ValueError("none of these versions is admitted")

    def better(self, version: int) -> int:
        """Return the versions that are preferred over one of those admitted, which is given as its mask."""
        found = 0
        for tier in self.tiers:
            if tier & version:
                preferred = version - 1 if self.oldest_first else ~(2 * version - 1)
                return found | tier & preferred
            found |= tier
        raise ValueError("the version is not admitted")


NOTHING_ADMITTED = Admission(admitted=0, tiers=(), oldest_first=False, excluded={})
