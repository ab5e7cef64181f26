"""The names of a graph that follows changes, and the number of each, which is its place in name order.

How it works: a name gets a slot once and keeps it, also when it is taken out; new names get the slots after all others. The edges
are kept by slot, so they stay as they are when a name comes in before others and the numbers of those move up. Two arrays lead
from slots to numbers and back. As long as no name has come or gone both are the same, and there are none.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from graph.csr import BoolArray, IntArray


@dataclass(frozen=True, eq=False)
class Roster:
    """Names in name order. A changed one shares with the one before what has not changed."""

    _first: tuple[str, ...]
    _first_slots: Mapping[str, int]
    registered: BoolArray
    """By slot: whether the name is there for its own sake, needed by others or not."""
    _later: tuple[str, ...] = ()
    _later_slots: Mapping[str, int] = field(default_factory=dict)
    order: IntArray | None = None
    """The slot of each number; None when they are the same."""
    numbers: IntArray | None = None
    """The number of each slot, -1 for a name that is not there; None when they are the same."""

    @classmethod
    def of(cls, names: tuple[str, ...], registered: BoolArray) -> "Roster":
        """Return the roster of `names`, which ascend."""
        return cls(names, {name: slot for slot, name in enumerate(names)}, registered)

    def __len__(self) -> int:
        return len(self._first) if self.order is None else len(self.order)

    @property
    def size(self) -> int:
        """How many slots there are."""
        return len(self.registered)

    @property
    def patched(self) -> int:
        """How many names came later or are gone."""
        return len(self._later) + self.size - len(self)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return self._first if self.order is None else tuple(map(self.name, self.order.tolist()))

    def name(self, slot: int) -> str:
        first = len(self._first)
        return self._first[slot] if slot < first else self._later[slot - first]

    def slot(self, name: str) -> int | None:
        """Return the slot of `name`, also when it is not there any more; None when it never was."""
        slot = self._first_slots.get(name)
        return self._later_slots.get(name) if slot is None else slot

    def number(self, name: str) -> int | None:
        """Return the place of `name` in `names`, or None when it is not there."""
        slot = self.slot(name)
        if slot is None or self.numbers is None:
            return slot
        number = int(self.numbers[slot])
        return number if number >= 0 else None

    def names_of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        if self.order is None:
            return tuple(map(self._first.__getitem__, numbers))
        return tuple(map(self.name, map(self.order.data.__getitem__, numbers)))

    def with_slots(self, names: Iterable[str]) -> "Roster":
        """Return the roster that has a slot for each of `names`; those that are new are not there yet."""
        new = [name for name in dict.fromkeys(names) if self.slot(name) is None]
        if not new:
            return self
        return replace(
            self,
            _later=(*self._later, *new),
            _later_slots={**self._later_slots, **{name: self.size + at for at, name in enumerate(new)}},
            registered=np.append(self.registered, np.zeros(len(new), dtype=np.bool_)),
            order=self._orders(),
            numbers=np.append(self._all_numbers(), np.full(len(new), -1, dtype=np.int32)),
        )

    def with_registered(self, registered: Mapping[int, bool]) -> "Roster":
        """Return the roster in which the names in these slots are registered, or are not."""
        wrong = {slot: is_so for slot, is_so in registered.items() if bool(self.registered[slot]) != is_so}
        if not wrong:
            return self
        changed = self.registered.copy()
        changed[list(wrong)] = list(wrong.values())
        return replace(self, registered=changed)

    def with_present(self, present: Mapping[int, bool]) -> "Roster":
        """Return the roster in which the names in these slots are there, or are not."""
        wrong = {slot for slot, is_there in present.items() if self._has(slot) != is_there}
        if not wrong:
            return self
        come = sorted((slot for slot in wrong if present[slot]), key=self.name)
        order = self._orders()
        order = order[~np.isin(order, [slot for slot in wrong if not present[slot]])]
        places = [bisect_left(order, self.name(slot), key=self.name) for slot in come]
        order = np.insert(order, places, come)
        numbers = np.full(self.size, -1, dtype=np.int32)
        numbers[order] = np.arange(len(order), dtype=np.int32)
        return replace(self, order=order, numbers=numbers)

    def compacted(self) -> "Roster":
        """Return the same names with no slots but their own."""
        return self if self.order is None else Roster.of(self.names, self.registered[self.order])

    def _has(self, slot: int) -> bool:
        return self.numbers is None or bool(self.numbers[slot] >= 0)

    def _orders(self) -> IntArray:
        return np.arange(self.size, dtype=np.int32) if self.order is None else self.order

    def _all_numbers(self) -> IntArray:
        return np.arange(self.size, dtype=np.int32) if self.numbers is None else self.numbers


def name_order(names: Sequence[str]) -> tuple[list[int], IntArray]:
    """Return the places of `names` in their order, and where in that each is. Raises ValueError for one given twice."""
    if len(set(names)) != len(names):
        raise ValueError("a package name is given twice")
    order = sorted(range(len(names)), key=names.__getitem__)
    number = np.empty(len(names), dtype=np.int32)
    number[order] = np.arange(len(names), dtype=np.int32)
    return order, number
