"""An order of nodes in which few edges point backwards, and firm ones never.

How it works: the greedy sequence of Eades, Lin and Smyth (https://doi.org/10.1016/0020-0190(93)90079-O): a node that no edge
leaves goes to the end, one that no edge enters to the front, and when there is neither, the one with the most edges out over
edges in, of those that no firm edge enters. Then single nodes are moved to where fewer edges point backwards.
"""

import math
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final

import numpy as np

from graph.csr import BoolArray, Csr, IntArray

# On real graphs a fifth round moves hardly a node.
_ROUNDS: Final = 4

# A round over a million edges takes five seconds, and the first gains most.
_EDGES_IN_ALL: Final = 2_000_000


def sequence(csr: Csr, loose: BoolArray) -> IntArray:
    """Return the place of each node. Edges that are not `loose` are firm, and have no cycle."""
    place = np.empty(csr.size, dtype=np.int32)
    place[_greedy(csr.keep(loose), csr.keep(~loose))] = np.arange(csr.size, dtype=np.int32)
    sifting = _Sifting(csr, loose, place)
    for _ in range(min(_ROUNDS, _EDGES_IN_ALL // len(loose))):
        if not sifting.round():
            break
    return sifting.place()


def _greedy(loose: Csr, firm: Csr) -> list[int]:
    placing = _Placing(loose, firm)
    front: list[int] = []
    back: list[int] = []
    while len(front) + len(back) < loose.size:
        if (node := placing.take_last()) is not None:
            back.append(node)
        else:
            front.append(placing.take_first())
    return front + back[::-1]


class _Placing:
    """Which nodes have no place yet, and the edges among those."""

    def __init__(self, loose: Csr, firm: Csr) -> None:
        self._out, self._into = loose.out.lists(), loose.into.lists()
        self._firm_out, self._firm_into = firm.out.lists(), firm.into.lists()
        self._outs, self._ins = loose.out.degrees().tolist(), loose.into.degrees().tolist()
        self._firm_outs, self._firm_ins = firm.out.degrees().tolist(), firm.into.degrees().tolist()
        self._placed = [False] * loose.size
        self._last: list[int] = []
        self._first: list[int] = []
        self._others: list[tuple[int, int]] = []
        for node in range(loose.size):
            self._offer(node)

    def take_last(self) -> int | None:
        """Place a node that no edge leaves, if there is one."""
        return self._take(self._last)

    def take_first(self) -> int:
        """Place a node that no firm edge enters and no other edge if possible."""
        node = self._take(self._first)
        while node is None:
            excess, other = heappop(self._others)
            # A node is offered again whenever its count changes; older offers lie about it.
            if not self._placed[other] and excess == self._ins[other] - self._outs[other]:
                node = other
                self._place(node)
        return node

    def _take(self, offers: list[int]) -> int | None:
        while offers:
            node = offers.pop()
            if not self._placed[node]:
                self._place(node)
                return node
        return None

    def _place(self, node: int) -> None:
        self._placed[node] = True
        for rows, counts in (
            (self._out, self._ins),
            (self._into, self._outs),
            (self._firm_out, self._firm_ins),
            (self._firm_into, self._firm_outs),
        ):
            for neighbour in rows[node]:
                counts[neighbour] -= 1
                if not self._placed[neighbour]:
                    self._offer(neighbour)

    def _offer(self, node: int) -> None:
        if self._outs[node] == self._firm_outs[node] == 0:
            self._last.append(node)
        elif self._ins[node] == self._firm_ins[node] == 0:
            self._first.append(node)
        elif self._firm_ins[node] == 0:
            heappush(self._others, (self._ins[node] - self._outs[node], node))


class _Sifting:
    """Places as numbers with room between them; neighbours never share one."""

    def __init__(self, csr: Csr, loose: BoolArray, place: IntArray) -> None:
        self._place = place.astype(np.float64).tolist()
        # One firm edge outweighs all loose ones, so no move that helps turns it backwards.
        weights = np.where(loose, 1, loose.sum() + 1).tolist()
        self._out: list[list[tuple[int, int]]] = [[] for _ in range(csr.size)]
        self._into: list[list[tuple[int, int]]] = [[] for _ in range(csr.size)]
        tails, heads = csr.edges()
        for tail, head, weight in zip(tails.tolist(), heads.tolist(), weights, strict=True):
            self._out[tail].append((head, weight))
            self._into[head].append((tail, weight))

    def place(self) -> IntArray:
        return np.array(self._place, dtype=np.int32)

    def round(self) -> bool:
        """Move each node to its best place, and tell whether any moved."""
        moved = False
        for node in sorted(range(len(self._place)), key=self._place.__getitem__):
            better = self._better(node)
            if better is not None:
                self._place[node] = better
                moved = True
        self._renumber()
        return moved

    def _better(self, node: int) -> float | None:
        """Return a place where fewer edges of `node` point backwards than now, and the fewest; None when there is none."""
        place, here = self._place, self._place[node]
        passed = [(place[head], weight) for head, weight in self._out[node]]
        passed += [(place[tail], -weight) for tail, weight in self._into[node]]
        passed.sort()
        borders = [-math.inf, *(where for where, _ in passed), math.inf]
        # In front of all its neighbours, each edge into it points backwards; each neighbour that it passes changes that.
        cost = sum(weight for _, weight in self._into[node])
        least = cost + sum(weight for where, weight in passed if where < here)
        best = None
        for (left, right), (_, weight) in zip(pairwise(borders), [(0, 0), *passed], strict=True):
            cost += weight
            if cost < least and (middle := _between(left, right)) is not None:
                least, best = cost, middle
        return best

    def _renumber(self) -> None:
        order = sorted(range(len(self._place)), key=self._place.__getitem__)
        for number, node in enumerate(order):
            self._place[node] = float(number)


def _between(left: float, right: float) -> float | None:
    """Return a number between the two, or None when there is none."""
    if math.isinf(left):
        return right - 1
    middle = left + 1 if math.isinf(right) else (left + right) / 2
    return middle if left < middle < right else None
