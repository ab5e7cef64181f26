"""Kinds of dependencies: a list of names in the API, one bit each below it."""

from collections.abc import Sequence
from typing import Final

from graph.dependencies import Kind
from schema.enums import DependencyKind

_EVERY: Final = tuple(DependencyKind)

# All 32 answers, since every dependency that is shown needs one.
_LISTS: Final = tuple([kind for kind in _EVERY if mask & Kind[kind.name]] for mask in range(1 << len(_EVERY)))


def kind_mask(kinds: Sequence[DependencyKind]) -> Kind:
    """Return the bits that stand for `kinds`."""
    mask = Kind(0)
    for kind in kinds:
        mask |= Kind[kind.name]
    return mask


def kind_list(mask: int) -> list[DependencyKind]:
    """Return the kinds whose bits are set, in the order of the enumeration."""
    return _LISTS[mask]
