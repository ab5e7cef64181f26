"""Which package to decide next.

First the one that the search was told to begin with, then those that keep getting into conflicts, then those with one version left,
then in the order in which the search met them, what is required directly being
met first. "Fewest versions first" was tried and rejected: it picks absurdly old
releases of whatever comes last.
"""

import heapq

from graph.partial_solution import PartialSolution

# Below this many, taking a package out of turn costs quality of the answer and gains nothing.
_TROUBLE = 5

_FIRST, _IN_TROUBLE, _FORCED, _IN_TURN = range(4)


class Agenda:
    """The required packages that are not decided, most urgent first.

    A package is entered again whenever its urgency may have changed. Entries
    that have gone stale by that are passed over when they come up.
    """

    def __init__(self, solution: PartialSolution, first: int | None = None) -> None:
        self._solution = solution
        self._first = first
        self._entries: list[tuple[int, int]] = []
        self._entered: set[int] = set()
        self._conflicts: dict[int, int] = {}

    def enter(self, package: int) -> None:
        """Put a package in its place, if it is required and not decided."""
        if self._solution.is_open(package):
            heapq.heappush(self._entries, (self._urgency(package), package))
            self._entered.add(package)

    def blame(self, package: int) -> None:
        """Count a conflict that the package took part in."""
        self._conflicts[package] = self._conflicts.get(package, 0) + 1
        if self._conflicts[package] == _TROUBLE:
            self.enter(package)

    def is_blamed(self, package: int) -> bool:
        """Whether the package has taken part in a conflict."""
        return package in self._conflicts

    def next(self) -> int | None:
        """Take out the most urgent package; None when all that is required is decided."""
        while self._entries:
            urgency, package = heapq.heappop(self._entries)
            if self._solution.is_open(package) and self._urgency(package) == urgency:
                return package
        return None

    def take_entered(self) -> list[int]:
        """Return the packages entered since the last call that are still to be decided."""
        entered = [package for package in self._entered if self._solution.is_open(package)]
        self._entered.clear()
        return entered

    def _urgency(self, package: int) -> int:
        if package == self._first:
            return _FIRST
        if self._conflicts.get(package, 0) >= _TROUBLE:
            return _IN_TROUBLE
        domain = self._solution.domains[package]
        return _IN_TURN if domain & (domain - 1) else _FORCED
