"""Edges that follow changes: rows laid over those of a graph of compressed sparse rows, which itself stays as it was.

How it works: a row that changes is written anew behind all others, and where each row starts and ends is copied, which is small.
So a change costs what it changes and a copy of five numbers a node, and whoever holds the graph from before sees nothing of it:
what a graph reads is never written again. Rows of dependents, of which a hub has very many, get room to grow in place.
The space behind is shared by a line of graphs, each made from the one before; a second graph made from the same one starts a
line of its own, on a copy.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from graph.csr import Csr, FlagArray, IntArray, Neighbours

# One part in so many is kept free: behind all rows, before they move to where there is more, and behind a row that moves.
_SHARE_FREE: Final = 8
_LEAST_FREE: Final = 4


class Row(NamedTuple):
    """All that one node points to, in the order to keep it in, and the flags of each."""

    node: int
    heads: IntArray
    flags: FlagArray


@dataclass(frozen=True, slots=True)
class Renumbered(Neighbours):
    """Rows of nodes that go by other numbers than in `targets`; `numbers` has the new one of each."""

    numbers: IntArray

    @classmethod
    def over(cls, rows: Neighbours, order: IntArray, numbers: IntArray) -> "Renumbered":
        """Return `rows` of the nodes in `order`, which are numbered by their place there."""
        return cls(rows.starts[order], rows.ends[order], rows.targets, numbers)

    def of(self, node: int) -> IntArray:
        return self.numbers[Neighbours.of(self, node)]

    def reader(self) -> Callable[[int], Iterable[int]]:
        row, number = Neighbours.reader(self), self.numbers.data.__getitem__
        return lambda node: map(number, row(node))

    def at(self, places: IntArray) -> IntArray:
        return self.numbers[self.targets[places]]


class _Column:
    """Numbers with space behind them for more."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._used = len(values)
        self._space = np.empty(_with_room(len(values)), dtype=values.dtype)
        self._space[: self._used] = values

    @property
    def filled(self) -> npt.NDArray[Any]:
        return self._space[: self._used]

    def put(self, start: int, values: npt.NDArray[Any]) -> None:
        self._space[start : start + len(values)] = values

    def extend(self, values: npt.NDArray[Any], room: int) -> int:
        """Write `values` behind all others, keep `room` for them in all, and return where they start."""
        start = self._used
        if start + room > len(self._space):
            # Whoever holds the old space goes on reading there.
            more = np.empty(_with_room(start + room), dtype=self._space.dtype)
            more[:start] = self.filled
            self._space = more
        self._used += room
        self.put(start, values)
        return start


def _with_room(size: int) -> int:
    return size + max(size // _SHARE_FREE, _LEAST_FREE)


class _Space:
    """What a line of graphs has written its rows into. Only the last of the line may go on writing."""

    def __init__(self, heads: IntArray, flags: FlagArray, tails: IntArray) -> None:
        self.heads, self.flags, self.tails = _Column(heads), _Column(flags), _Column(tails)
        self.turn = 0
        self._lock = threading.Lock()

    def take_turn(self, turn: int) -> bool:
        """Go on from the graph of `turn`, or return False if another one has."""
        with self._lock:
            if turn != self.turn:
                return False
            self.turn += 1
            return True


@dataclass(frozen=True, slots=True)
class Overlay:
    """Edges from tails to heads, as `Csr` has them, in rows that may lie anywhere."""

    out: Neighbours
    into: Neighbours
    flags: FlagArray
    """By place in `out.targets`."""
    patched: int
    """How many edges were written for rows that changed."""
    limits: IntArray
    """Up to where each row of `into` may grow."""
    _space: _Space
    _turn: int

    @classmethod
    def over(cls, csr: Csr) -> "Overlay":
        """Return the edges of `csr`, which are copied, ready to change."""
        space = _Space(csr.out.targets, csr.flags, csr.into.targets)
        out = Neighbours(csr.out.starts, csr.out.ends, space.heads.filled)
        into = Neighbours(csr.into.starts, csr.into.ends, space.tails.filled)
        return cls(out, into, space.flags.filled, 0, csr.into.ends, space, space.turn)

    @property
    def edge_count(self) -> int:
        return int(self.out.degrees().sum())

    @property
    def wasted(self) -> int:
        """How much of `into.targets` holds no edge."""
        return len(self.into.targets) - self.edge_count

    def after(self, rows: Sequence[Row], size: int) -> "Overlay":
        """Return the edges in which `rows`, one for a node, stand in place of what was there."""
        space = self._space
        if not space.take_turn(self._turn):
            space = _Space(self.out.targets, self.flags, self.into.targets)
        return _Writing(self, space, size).overlay(rows)


def replaced(edges: Csr | Overlay, rows: Iterable[Row], size: int) -> Csr | Overlay:
    """Return `edges` over `size` nodes with `rows`, at most one for a node, in place of what was there.

    The same when nothing is different.
    """
    changed = [row for row in rows if _differs(row, row_of(edges, row.node))]
    if not changed and size == edges.out.size:
        return edges
    overlay = Overlay.over(edges) if isinstance(edges, Csr) else edges
    return overlay.after(changed, size)


def row_of(edges: Csr | Overlay, node: int) -> Row:
    """Return what `node` points to: nothing if it is not there yet."""
    out = edges.out
    here = slice(int(out.starts[node]), int(out.ends[node])) if node < out.size else slice(0)
    return Row(node, out.targets[here], edges.flags[here])


def _differs(row: Row, other: Row) -> bool:
    return not (np.array_equal(row.heads, other.heads) and np.array_equal(row.flags, other.flags))


class _Writing:
    """The graph that comes after one, while it is written."""

    def __init__(self, before: Overlay, space: _Space, size: int) -> None:
        self._before = before
        self._space = space
        self._patched = before.patched
        self._starts, self._ends = _longer(before.out.starts, size), _longer(before.out.ends, size)
        self._into_starts, self._into_ends = (
            _longer(before.into.starts, size),
            _longer(before.into.ends, size),
        )
        self._limits = _longer(before.limits, size)

    def overlay(self, rows: Sequence[Row]) -> Overlay:
        gone: dict[int, list[int]] = {}
        come: dict[int, list[int]] = {}
        for row in rows:
            old, new = set(row_of(self._before, row.node).heads.tolist()), set(row.heads.tolist())
            for head in old - new:
                gone.setdefault(head, []).append(row.node)
            for head in new - old:
                come.setdefault(head, []).append(row.node)
            self._write_out(row)
        for head in gone.keys() | come.keys():
            self._write_into(head, gone.get(head, ()), come.get(head, ()))
        space = self._space
        return Overlay(
            Neighbours(self._starts, self._ends, space.heads.filled),
            Neighbours(self._into_starts, self._into_ends, space.tails.filled),
            space.flags.filled,
            self._patched,
            self._limits,
            space,
            space.turn,
        )

    def _write_out(self, row: Row) -> None:
        start = self._space.heads.extend(row.heads, len(row.heads))
        self._space.flags.extend(row.flags, len(row.flags))
        self._starts[row.node], self._ends[row.node] = start, start + len(row.heads)
        self._patched += len(row.heads)

    def _write_into(self, head: int, gone: Sequence[int], come: Sequence[int]) -> None:
        start, end = int(self._into_starts[head]), int(self._into_ends[head])
        more = np.array(come, dtype=np.int32)
        if not gone and end + len(more) <= self._limits[head]:
            self._space.tails.put(end, more)
            self._into_ends[head] = end + len(more)
            return
        row = self._space.tails.filled[start:end]
        for tail in gone:
            row = row[row != tail]
        row = np.concatenate([row, more])
        room = _with_room(len(row))
        start = self._space.tails.extend(row, room)
        self._into_starts[head], self._into_ends[head], self._limits[head] = (
            start,
            start + len(row),
            start + room,
        )


def _longer(values: IntArray, size: int) -> IntArray:
    """Return a copy of `values` that ends in zeros."""
    longer = np.zeros(size, dtype=values.dtype)
    longer[: len(values)] = values
    return longer
