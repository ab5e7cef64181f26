"""Unit propagation: when all terms of an incompatibility hold but one, that one must not.

Incompatibilities of two terms stand with both packages and are scanned; longer
ones are watched at two terms that do not hold, as SAT solvers do, and looked at
only when one of those comes to hold.
"""

from graph.partial_solution import Cause, PartialSolution
from graph.terms import Incompatibility

_Entry = tuple[int, int, int, Incompatibility]
"""When the package is within this mask, that package must leave that mask."""


class Propagation:
    """The incompatibilities known so far, indexed, and their consequences for a partial solution."""

    def __init__(self, solution: PartialSolution) -> None:
        self._solution = solution
        self._pairs: list[list[_Entry]] = []
        self._watching: list[list[Incompatibility]] = []
        self._pending: list[int] = []
        self.narrowed: list[int] = []
        """Packages narrowed since the reader last cleared the list."""

    def add_package(self) -> None:
        """Begin to track the next package."""
        self._pairs.append([])
        self._watching.append([])

    def add(self, incompatibility: Incompatibility) -> None:
        """Index an incompatibility of two or more terms; for longer ones the two terms to watch come first."""
        (one, its_mask), (other, other_mask) = incompatibility.terms[:2]
        if len(incompatibility.terms) == 2:
            self._pairs[one].append((its_mask, other, other_mask, incompatibility))
            self._pairs[other].append((other_mask, one, its_mask, incompatibility))
        else:
            self._watching[one].append(incompatibility)
            self._watching[other].append(incompatibility)

    def narrow(self, package: int, domain: int, cause: Cause) -> None:
        """Narrow a domain and remember to follow its consequences."""
        self._solution.narrow(package, domain, cause)
        self._note(package)

    def decide(self, package: int, domain: int) -> None:
        """Decide a version and remember to follow its consequences."""
        self._solution.decide(package, domain)
        self._note(package)

    def _note(self, package: int) -> None:
        self._pending.append(package)
        self.narrowed.append(package)

    def assert_unit(self, incompatibility: Incompatibility) -> Incompatibility | None:
        """Exclude the one term of `incompatibility` that does not hold; return it when none is left."""
        domains = self._solution.domains
        for package, mask in incompatibility.terms:
            domain = domains[package]
            if domain & ~mask:
                if domain & mask:
                    self.narrow(package, domain & ~mask, incompatibility)
                return None
        return incompatibility

    def forget_pending(self) -> None:
        """After a backjump, nothing that was pending stands any more."""
        self._pending.clear()

    def run(self) -> Incompatibility | None:
        """Follow all consequences; return the first incompatibility found to be violated, or None."""
        domains = self._solution.domains
        while self._pending:
            package = self._pending.pop()
            domain = domains[package]
            for mask, other, forbidden, incompatibility in self._pairs[package]:
                if domain & ~mask:
                    continue
                rest = domains[other]
                if rest & forbidden:
                    rest &= ~forbidden
                    if not rest:
                        return incompatibility
                    self.narrow(other, rest, incompatibility)
            if self._watching[package]:
                violated = self._visit_watched(package)
                if violated is not None:
                    return violated
        return None

    def _visit_watched(self, package: int) -> Incompatibility | None:
        domain = self._solution.domains[package]
        watched = self._watching[package]
        kept: list[Incompatibility] = []
        violated = None
        for position, incompatibility in enumerate(watched):
            terms = incompatibility.terms
            mine, other = (0, 1) if terms[0][0] == package else (1, 0)
            if domain & ~terms[mine][1]:
                kept.append(incompatibility)
                continue
            if self._watch_another(incompatibility, mine):
                continue
            kept.append(incompatibility)
            if not self._exclude(*terms[other], incompatibility):
                violated = incompatibility
                kept.extend(watched[position + 1 :])
                break
        self._watching[package] = kept
        return violated

    def _watch_another(self, incompatibility: Incompatibility, mine: int) -> bool:
        """Move the watch from a term that holds to one that does not, if there is one beyond the two watched."""
        domains = self._solution.domains
        terms = incompatibility.terms
        for index in range(2, len(terms)):
            package, mask = terms[index]
            if domains[package] & ~mask:
                swapped = list(terms)
                swapped[mine], swapped[index] = swapped[index], swapped[mine]
                incompatibility.terms = tuple(swapped)
                self._watching[package].append(incompatibility)
                return True
        return False

    def _exclude(self, package: int, mask: int, cause: Incompatibility) -> bool:
        domain = self._solution.domains[package]
        if not domain & ~mask:
            return False
        if domain & mask:
            self.narrow(package, domain & ~mask, cause)
        return True
