"""A directed graph over the numbers 0 to size - 1, held as compressed sparse rows both ways.

How it works: an edge is sorted as one 64-bit key of tail, head and flags, which costs a tenth of sorting by columns; equal
edges then lie side by side and are merged by or-ing their flags. The rows of the other direction are the same matrix turned
by scipy. Everything is int32, so that 2,000,000 edges take some 20 MB.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
FlagArray = npt.NDArray[np.uint16]

_FLAG_BITS: Final = 16

# Below these many nodes and edges a loop over Python integers beats the fixed cost of a dozen numpy calls: a chain of 100,000
# nodes, one to a step, is otherwise walked eight times slower.
_NARROW: Final = 12
_FEW: Final = 200


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The neighbours of each node: those of i are `targets[starts[i]:ends[i]]`, wherever that lies."""

    starts: IntArray
    ends: IntArray
    targets: IntArray

    @property
    def size(self) -> int:
        return len(self.starts)

    def of(self, node: int) -> IntArray:
        return self.targets[self.starts[node] : self.ends[node]]

    def near(self, node: int) -> Iterable[int]:
        """Return what `of` does, for a loop over Python integers."""
        return self.reader()(node)

    def reader(self) -> Callable[[int], Iterable[int]]:
        """Return what gives the row of a node to a loop over Python integers, for many nodes."""
        starts, ends, targets = self.starts.data, self.ends.data, self.targets.data
        return lambda node: targets[starts[node] : ends[node]]

    def degrees(self) -> IntArray:
        return self.ends - self.starts

    def places(self, nodes: IntArray) -> tuple[IntArray, IntArray]:
        """Return the places in `targets` that hold the rows of `nodes`, row after row, and the length of each row."""
        starts = self.starts[nodes]
        lengths = self.ends[nodes] - starts
        shifts = starts - (np.cumsum(lengths, dtype=np.int32) - lengths)
        return np.repeat(shifts, lengths) + np.arange(lengths.sum(), dtype=np.int32), lengths

    def at(self, places: IntArray) -> IntArray:
        """Return the nodes that stand at these places."""
        return self.targets[places]

    def is_narrow(self, nodes: IntArray) -> bool:
        """Tell whether the rows of `nodes` are better walked in Python than by numpy."""
        return len(nodes) <= _NARROW and self.is_few(nodes.tolist())

    def is_few(self, nodes: list[int]) -> bool:
        """Return what `is_narrow` does, of a list."""
        if len(nodes) > _NARROW:
            return False
        starts, ends = self.starts.data, self.ends.data
        edges: int = sum([ends[node] - starts[node] for node in nodes])
        return edges < _FEW


@dataclass(frozen=True, slots=True)
class Rows(Neighbours):
    """Rows that lie one after the other: that of i is `targets[offsets[i]:offsets[i + 1]]`."""

    offsets: IntArray

    @classmethod
    def joined(cls, offsets: IntArray, targets: IntArray) -> "Rows":
        return cls(offsets[:-1], offsets[1:], targets, offsets)

    @classmethod
    def group(cls, owners: IntArray, targets: IntArray, size: int) -> tuple["Rows", IntArray]:
        """Return rows of `targets` in the order given, also where they repeat, and from where in `targets` each came."""
        order = np.argsort(owners, kind="stable").astype(np.int32)
        return cls.joined(_offsets(owners, size), targets[order]), order

    def owners(self) -> IntArray:
        """Return, for each place in `targets`, the node whose row it belongs to."""
        return np.repeat(np.arange(self.size, dtype=np.int32), self.degrees())

    def lists(self) -> list[list[int]]:
        """Return the rows as lists, for algorithms that touch one edge at a time."""
        targets, offsets = self.targets.tolist(), self.offsets.tolist()
        return [targets[start:end] for start, end in pairwise(offsets)]


@dataclass(frozen=True, slots=True)
class Csr:
    """Edges from tails to heads, each once, with two bytes of flags; `flags[k]` belongs to `out.targets[k]`."""

    out: Rows
    into: Rows
    flags: FlagArray

    @classmethod
    def build(cls, size: int, tails: IntArray, heads: IntArray, flags: FlagArray) -> "Csr":
        """Return the graph of these edges, which may repeat: the flags of equal edges are or-ed."""
        keys = (tails.astype(np.int64) * size + heads) << _FLAG_BITS | flags
        keys.sort()
        edges = keys >> _FLAG_BITS
        firsts = np.flatnonzero(_differs_from_previous(edges))
        merged = keys.astype(np.uint16)
        merged = np.bitwise_or.reduceat(merged, firsts) if len(firsts) else merged
        edges = edges[firsts]
        tails = (edges // max(size, 1)).astype(np.int32)
        heads = (edges - tails.astype(np.int64) * size).astype(np.int32)
        return cls._from_sorted(size, tails, heads, merged)

    @classmethod
    def gathered(cls, out: Neighbours, flags: FlagArray) -> "Csr":
        """Return the graph of rows that may lie anywhere, each of which keeps its order; `flags` has theirs by place."""
        places, lengths = out.places(np.arange(out.size, dtype=np.int32))
        tails = np.repeat(np.arange(out.size, dtype=np.int32), lengths)
        return cls._from_sorted(out.size, tails, out.at(places), flags[places])

    @classmethod
    def _from_sorted(cls, size: int, tails: IntArray, heads: IntArray, flags: FlagArray) -> "Csr":
        out = Rows.joined(_offsets(tails, size), heads)
        turned = _matrix(out).tocsc()
        into = Rows.joined(
            turned.indptr.astype(np.int32, copy=False), turned.indices.astype(np.int32, copy=False)
        )
        return cls(out, into, flags)

    @property
    def size(self) -> int:
        return self.out.size

    def edges(self) -> tuple[IntArray, IntArray]:
        """Return tails and heads, in the order of `flags`: by tail, then by head."""
        return self.out.owners(), self.out.targets

    def keep(self, chosen: BoolArray | IntArray) -> "Csr":
        """Return the graph of the edges that `chosen` marks or, in ascending order, lists; over the same nodes."""
        tails, heads = self.edges()
        return self._from_sorted(self.size, tails[chosen], heads[chosen], self.flags[chosen])

    def masked(self, mask: int) -> "Csr":
        """Return the graph of the edges that have a flag of `mask`, with no other flags than those."""
        flags = self.flags & np.uint16(mask)
        chosen = flags != 0
        tails, heads = self.edges()
        return self._from_sorted(self.size, tails[chosen], heads[chosen], flags[chosen])

    def induced(self, nodes: IntArray) -> "Csr":
        """Return the graph among `nodes`, which ascend: node k of the answer is `nodes[k]`."""
        number = np.full(self.size, -1, dtype=np.int32)
        number[nodes] = np.arange(len(nodes), dtype=np.int32)
        places, lengths = self.out.places(nodes)
        heads = number[self.out.targets[places]]
        tails = np.repeat(np.arange(len(nodes), dtype=np.int32), lengths)
        inside = heads >= 0
        return self._from_sorted(len(nodes), tails[inside], heads[inside], self.flags[places][inside])

    def places(self, tails: IntArray, heads: IntArray) -> IntArray:
        """Return where these edges, all of which are in the graph, stand in `flags`."""
        owners, targets = self.edges()
        wanted = tails.astype(np.int64) * self.size + heads
        return np.searchsorted(owners.astype(np.int64) * self.size + targets, wanted).astype(np.int32)

    def components(self) -> IntArray:
        """Return the number of each node's strongly connected component.

        No edge leads from a component to one of a higher number: Pearce's algorithm, which scipy follows, finds what is
        reached before what reaches it.
        """
        if self.size == 0:
            return np.empty(0, dtype=np.int32)
        _, labels = csgraph.connected_components(_matrix(self.out), directed=True, connection="strong")
        return labels.astype(np.int32, copy=False)


def distinct(nodes: IntArray, size: int) -> IntArray:
    """Return `nodes` ascending and each once; `size` is that of the graph they are from."""
    # Marking costs the whole graph and sorting costs the nodes given, by about this factor more for each.
    if len(nodes) * 8 > size:
        marks = np.zeros(size, dtype=np.bool_)
        marks[nodes] = True
        return np.flatnonzero(marks).astype(np.int32)
    ascending = np.sort(nodes)
    return ascending[_differs_from_previous(ascending)]


def _differs_from_previous(values: npt.NDArray[Any]) -> BoolArray:
    different = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=different[1:])
    return different


def _offsets(tails: IntArray, size: int) -> IntArray:
    offsets = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.bincount(tails, minlength=size), out=offsets[1:])
    return offsets


def _matrix(rows: Rows) -> sparse.csr_array[Any]:
    ones = np.ones(len(rows.targets), dtype=np.uint8)
    return sparse.csr_array((ones, rows.targets, rows.offsets), shape=(rows.size, rows.size))
