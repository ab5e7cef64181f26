"""Terms, incompatibilities and the declared facts that they come from.

A term says of one package that what is selected of it lies within a mask (bit 0
means that nothing is). An incompatibility is a set of terms that cannot all
hold. It is either a fact, or derived from others, which are its causes.
"""

import msgspec

from graph.resolution import Requirement

NOT_SELECTED = 1

Term = tuple[int, int]
"""The number of a package, and a mask over its candidates."""


class Required(msgspec.Struct, frozen=True, gc=False):
    """The question requires this."""

    requirement: Requirement
    package: int
    admitted: int
    matching: int
    """Before admission: what the constraint alone allows."""
    is_override: bool


class Restricted(msgspec.Struct, frozen=True, gc=False):
    """The question restricts this package without requiring it."""

    requirement: Requirement
    package: int
    admitted: int


class Needs(msgspec.Struct, frozen=True, gc=False):
    """These versions of `dependent` need `dependency` to be within `admitted`.

    Several declarations stand for versions that were found to fail for the same reason.
    """

    dependent: int
    versions: int
    dependency: int
    admitted: int
    matching: int
    declared: tuple[tuple[str, ...], ...]
    """For each of them the constraints that one version declares, all of which must hold."""


Fact = Required | Restricted | Needs


class Incompatibility:
    """Terms that cannot all hold, by number of package, and why."""

    __slots__ = ("cause", "terms")

    def __init__(self, terms: tuple[Term, ...], cause: "Fact | tuple[Incompatibility, ...]") -> None:
        self.terms = terms
        self.cause = cause


def bits(mask: int) -> list[int]:
    """Return the positions of the set bits, ascending."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found
