"""What is selected so far, as one mask a package, and the trail by which it came about.

The trail is a list of narrowings in the order they were made, each with its
cause (none for a decision) and its decision level. Each package knows its own
places on the trail, so looking up when a term came to hold costs in proportion
to that package's history, not to the trail.
"""

import msgspec

from graph.problem import Dependency
from graph.terms import NOT_SELECTED, Incompatibility

Cause = Incompatibility | Dependency | None
"""Why a domain was narrowed: None when it was decided."""


class Narrowing(msgspec.Struct, gc=False):
    """One step of the trail."""

    package: int
    before: int
    cause: Cause
    level: int


class PartialSolution:
    """The domains of all packages met, and how to go back."""

    def __init__(self) -> None:
        self.domains: list[int] = []
        self.trail: list[Narrowing] = []
        self.decided: list[bool] = []
        self.level = 0
        self._places: list[list[int]] = []

    def add(self, universe: int) -> None:
        """Begin to track the next package, of which anything in `universe` may be selected."""
        self.domains.append(universe)
        self.decided.append(False)
        self._places.append([])

    def narrow(self, package: int, domain: int, cause: Cause) -> None:
        """Replace a package's domain by a part of it that is not empty."""
        self._places[package].append(len(self.trail))
        self.trail.append(Narrowing(package, self.domains[package], cause, self.level))
        self.domains[package] = domain

    def decide(self, package: int, domain: int) -> None:
        """Select one version on a decision level of its own."""
        self.level += 1
        self.narrow(package, domain, None)
        self.decided[package] = True

    def is_open(self, package: int) -> bool:
        """Whether the package is required and no version of it is decided."""
        return not (self.domains[package] & NOT_SELECTED or self.decided[package])

    def satisfier(self, package: int, mask: int) -> int:
        """Return the place on the trail that first brought the package within `mask`.

        It must be within it now, and must not have been so from the start.
        """
        places = self._places[package]
        index = len(places) - 1
        while index > 0 and not self.trail[places[index]].before & ~mask:
            index -= 1
        return places[index]

    def backjump(self, level: int) -> set[int]:
        """Undo everything above `level` and return the packages touched."""
        touched = set()
        trail = self.trail
        while trail and trail[-1].level > level:
            last = trail.pop()
            self.domains[last.package] = last.before
            self._places[last.package].pop()
            if last.cause is None:
                self.decided[last.package] = False
            touched.add(last.package)
        self.level = level
        return touched
