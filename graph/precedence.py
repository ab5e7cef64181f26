"""An order of all nodes in which no edge leads backwards, kept as edges come and go: it tells where a new edge may close a cycle.

How it works: a path from the head of a new edge to its tail can only run through the window of positions between the two, and
where the head stands behind the tail there is no window. It is searched from both ends at once, the lighter one first, until
they meet or one has no more to go to (the two-way search of Haeupler, Kavitha, Mathew, Sen and Tarjan,
https://doi.org/10.1145/2071379.2071382). To put the order right, what that one has found is then moved out of the window; if they
meet, what lies on a cycle is moved to one position. A window too wide to be searched edge by edge is searched by numpy, and one
with long chains by scipy. An edge that goes leaves the order as it is: nodes that share a position need not be on a cycle any
more. So every answer is found among the edges; the order only says where to look.
"""

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from graph.csr import BoolArray, Csr, IntArray, Neighbours
from graph.reach import reached

Positions = npt.NDArray[np.int64]

# Edges to look at one by one, a tenth of a microsecond each: as long as numpy needs for its first step.
_FEW_EDGES: Final = 4_000

# A repair may move every position. So many take about as long as to work the order out anew.
_FEW_REPAIRS: Final = 64


class Precedence:
    """Positions of nodes: no edge leads from a node to one of a lower position."""

    def __init__(self, position: Positions) -> None:
        self.position = position

    @classmethod
    def of(cls, csr: Csr) -> "Precedence":
        """Work the order out: nodes share a position only if they are on a cycle."""
        return cls(-csr.components().astype(np.int64))

    def window(self, out: Neighbours, into: Neighbours, heads: Iterable[int], tail: int) -> BoolArray | None:
        """Mark nodes among which all paths from `heads` to `tail` run, or return None if there is none for certain."""
        position = self.position.data
        inside = [head for head in heads if position[head] <= position[tail]]
        if not inside:
            return None
        window = _Window(self.position, inside, tail)
        return None if window.search(out, into) in {_Ending.NOT_AHEAD, _Ending.NOT_BEHIND} else window.mask()

    def advanced(self, out: Neighbours, into: Neighbours, tails: Sequence[int]) -> "Precedence | None":
        """Return the order of these edges, which are those that it was of but for what leaves `tails`.

        The same if it still holds. None when so much has changed that it is better worked out anew.
        """
        position = self._with_new(out, tails)
        repairs = 0
        for tail in tails:
            heads = [head for head in out.near(tail) if position[head] < position[tail]]
            if heads and repairs == _FEW_REPAIRS:
                return None
            if heads:
                repairs += 1
                position = position.copy() if position is self.position else position
                _Window(position, heads, tail).close(out, into)
        return self if position is self.position else Precedence(position)

    def _with_new(self, out: Neighbours, tails: Sequence[int]) -> Positions:
        """Return positions for new nodes too: in front for those that need something, else behind all others."""
        known = len(self.position)
        if out.size == known:
            return self.position
        steps = np.arange(1, out.size - known + 1)
        position = np.append(self.position, self.position.max(initial=0) + steps)
        needing = [tail for tail in tails if tail >= known]
        position[needing] = self.position.min(initial=0) - steps[: len(needing)]
        return position


class _Ending(Enum):
    """How the search of a window ended."""

    NOT_AHEAD = auto()
    """All that the heads lead to has been seen, and the tail is not in it."""
    NOT_BEHIND = auto()
    """All that leads to the tail has been seen, and no head is in it."""
    MET = auto()
    TOO_WIDE = auto()


class _Window:
    """The positions from the first of `heads`, none of which stands behind `tail`, to that of `tail`."""

    def __init__(self, position: Positions, heads: Sequence[int], tail: int) -> None:
        self._position = position
        self._heads, self._tail = heads, tail
        self._low, self._high = min(map(position.data.__getitem__, heads)), position.data[tail]
        self._ahead: set[int] = set()
        self._behind: set[int] = set()

    def mask(self) -> BoolArray:
        return (self._position >= self._low) & (self._position <= self._high)

    def search(self, out: Neighbours, into: Neighbours) -> _Ending:
        """Look edge by edge whether a head leads to the tail."""
        bounds = (self._position, self._low, self._high)
        ahead, behind = _Side(out, bounds, self._heads), _Side(into, bounds, [self._tail])
        self._ahead, self._behind = ahead.found, behind.found
        while ahead.waiting and behind.waiting:
            lighter, other = (ahead, behind) if ahead.cost() <= behind.cost() else (behind, ahead)
            if lighter.cost() > _FEW_EDGES:
                return _Ending.TOO_WIDE
            if lighter.step(other.found):
                return _Ending.MET
        return _Ending.NOT_BEHIND if ahead.waiting else _Ending.NOT_AHEAD

    def close(self, out: Neighbours, into: Neighbours) -> None:
        """Move nodes so that no head stands before the tail, and no other edge comes to lead backwards."""
        ending = self.search(out, into)
        if ending is _Ending.NOT_AHEAD:
            self._raise(_array(self._ahead))
        elif ending is _Ending.NOT_BEHIND:
            self._lower(_array(self._behind))
        else:
            self._close_wide(out, into)

    def _close_wide(self, out: Neighbours, into: Neighbours) -> None:
        ahead = reached(out, into, _array(self._heads), self.mask())
        if ahead[self._tail]:
            on_cycle = reached(into, out, _array([self._tail]), ahead)
            self._raise(np.flatnonzero(ahead & ~on_cycle))
            # Whatever leads to the cycle from within the window stands before its end.
            self._position[on_cycle] = self._high
        else:
            self._raise(np.flatnonzero(ahead))

    def _raise(self, nodes: npt.NDArray[Any]) -> None:
        """Move `nodes` in their order behind the window; all that they lead to is among them, or behind it."""
        positions, order = np.unique(self._position[nodes], return_inverse=True)
        self._position[self._position > self._high] += len(positions)
        self._position[nodes] = self._high + 1 + order

    def _lower(self, nodes: npt.NDArray[Any]) -> None:
        """Move `nodes` in their order in front of the window; all that leads to them is among them, or in front of it."""
        positions, order = np.unique(self._position[nodes], return_inverse=True)
        self._position[self._position < self._low] -= len(positions)
        self._position[nodes] = self._low - len(positions) + order


class _Side:
    """What the search has found from one end."""

    def __init__(self, rows: Neighbours, bounds: tuple[Positions, int, int], nodes: Iterable[int]) -> None:
        self._starts, self._ends, self._targets = rows.starts.data, rows.ends.data, rows.targets.data
        position, self._low, self._high = bounds
        self._position = position.data
        self.found = set(nodes)
        self.waiting = list(self.found)
        self._looked = 0

    def cost(self) -> int:
        """Return how many edges will have been looked at after the next step."""
        node = self.waiting[-1]
        return self._looked + self._ends[node] - self._starts[node]

    def step(self, others: set[int]) -> bool:
        """Go on from one node, and tell whether one of `others` was met."""
        node = self.waiting.pop()
        row = self._targets[self._starts[node] : self._ends[node]]
        self._looked += len(row) + 1
        for near in row:
            if self._low <= self._position[near] <= self._high and near not in self.found:
                if near in others:
                    return True
                self.found.add(near)
                self.waiting.append(near)
        return False


def _array(nodes: Iterable[int]) -> IntArray:
    return np.fromiter(nodes, dtype=np.int32)
