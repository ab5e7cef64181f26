"""What may change in a dependency graph, and how it is written in the flags of edges.

The flags of an edge are the kinds of its rows that are not optional and, some bits higher, those of the rows that are. To merge
rows is to or their flags, and what was merged can still be selected from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from graph.overlay import Row
from graph.roster import Roster

OPTIONAL_BITS: Final = 8

ALL_BITS: Final = 31
"""Of `graph.dependencies.Kind`."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a package declares that it needs; `kinds` are bits of `graph.dependencies.Kind`."""

    package: str
    kinds: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What is true of a package from now on. One that is not registered needs nothing."""

    package: str
    is_registered: bool
    needs: Sequence[Need] = ()
    """All that it needs; a package may be needed more than once."""


def row(roster: Roster, change: Change) -> Row:
    """Return what `change` says, each package once and in name order; all have slots.

    Raises ValueError for a package that needs something and is not registered, and for a kind that does not exist.
    """
    if change.needs and not change.is_registered:
        raise ValueError(f"{change.package} is not registered and needs something")
    flags: dict[str, int] = {}
    for need in change.needs:
        check_kinds(need.kinds, need.kinds)
        bits = need.kinds << OPTIONAL_BITS if need.optional else need.kinds
        flags[need.package] = flags.get(need.package, 0) | bits
    names = sorted(flags)
    slot = roster.slot(change.package)
    assert slot is not None
    heads = np.array(list(map(roster.slot, names)), dtype=np.int32)
    return Row(slot, heads, np.array(list(map(flags.__getitem__, names)), dtype=np.uint16))


def check_kinds(least: int, most: int) -> None:
    """Raise ValueError if kinds between these two are none, or some that do not exist."""
    if least < 1 or most > ALL_BITS:
        raise ValueError("a row has no kind, or one that does not exist")


def mask(kinds: int | None, include_optional: bool) -> int:
    """Return the flags of which an edge must have one to be selected."""
    wanted = ALL_BITS if kinds is None else int(kinds)
    return wanted | wanted << OPTIONAL_BITS if include_optional else wanted


EVERYTHING: Final = mask(None, include_optional=True)


def masked(row: Row, mask: int) -> Row:
    """Return what `mask` selects of a row."""
    flags = row.flags & np.uint16(mask)
    chosen = flags != 0
    return Row(row.node, row.heads[chosen], flags[chosen])
