"""The longest paths of a graph without cycles, which say when each node can come at the earliest.

How it works: Kahn's algorithm, a generation at a time: a node is settled once all edges into it are, and its settled length is
then handed on along its own edges. A wide generation is handled by numpy, a narrow one in Python.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from graph.csr import IntArray, Rows, distinct

LengthArray = npt.NDArray[Any]


def longest_to(rows: Rows, arriving: IntArray, lengths: LengthArray | None = None) -> LengthArray:
    """Return the length of the longest path to each node, 0 at least, and -1 for what lies on or behind a cycle.

    `arriving` counts the edges into each node; `lengths` has one length for each edge of `rows`, which may be negative.
    Without them each edge has the length 1, which takes half as long.
    """
    ready = np.flatnonzero(arriving == 0).astype(np.int32)
    sweep = _Generations(rows, arriving) if lengths is None else _Sweep(rows, arriving, lengths)
    while len(ready):
        ready = sweep.narrow(ready) if rows.is_narrow(ready) else sweep.wide(ready)
    sweep.longest[sweep.waiting > 0] = -1
    return sweep.longest


def longest_chain(arrivals: Rows, longest: LengthArray, weights: LengthArray) -> list[int]:
    """Return the nodes of the heaviest path of a graph without cycles, first to last, ties to the smallest numbers.

    `arrivals` are the rows against the edges, `longest` what `longest_to` gave for lengths that come from `weights`. The
    first node is one that no edge leads to, also where what comes first weighs nothing.
    """
    if len(longest) == 0:
        return []
    ends = longest + weights
    chain = [int(np.argmax(ends))]
    while len(before := arrivals.of(chain[-1])):
        chain.append(int(before[np.argmax(ends[before])]))
    return chain[::-1]


class _Sweep:
    """The longest path known so far to each node, and how many edges into it are not settled."""

    def __init__(self, rows: Rows, arriving: IntArray, lengths: LengthArray) -> None:
        self._rows = rows
        self._lengths = lengths
        self.longest = np.zeros(rows.size, dtype=lengths.dtype)
        self.waiting = arriving.astype(np.int32)

    def wide(self, ready: IntArray) -> IntArray:
        places, counts = self._rows.places(ready)
        targets = self._rows.targets[places]
        np.maximum.at(self.longest, targets, np.repeat(self.longest[ready], counts) + self._lengths[places])
        # A scalar of another type takes numpy's slow way, forty times slower.
        np.subtract.at(self.waiting, targets, np.int32(1))
        return distinct(targets[self.waiting[targets] == 0], self._rows.size)

    def narrow(self, ready: IntArray) -> IntArray:
        offsets, targets = self._rows.offsets.data, self._rows.targets.data
        longest, waiting, lengths = (
            self.longest.data,
            self.waiting.data,
            self._lengths.data,
        )
        following = []
        for node in ready.tolist():
            for place in range(offsets[node], offsets[node + 1]):
                target = targets[place]
                longest[target] = max(longest[target], longest[node] + lengths[place])
                waiting[target] -= 1
                if waiting[target] == 0:
                    following.append(target)
        return np.array(following, dtype=np.int32)


class _Generations:
    """The same where every edge has the length 1: a node is then as far as the generation that it is settled in."""

    def __init__(self, rows: Rows, arriving: IntArray) -> None:
        self._rows = rows
        self._generation = 0
        self.longest: LengthArray = np.zeros(rows.size, dtype=np.int32)
        self.waiting = arriving.astype(np.int32)

    def wide(self, ready: IntArray) -> IntArray:
        targets = self._rows.targets[self._rows.places(ready)[0]]
        np.subtract.at(self.waiting, targets, np.int32(1))
        return self._settled(distinct(targets[self.waiting[targets] == 0], self._rows.size))

    def narrow(self, ready: IntArray) -> IntArray:
        near, waiting = self._rows.reader(), self.waiting.data
        following = []
        for node in ready.tolist():
            for target in near(node):
                waiting[target] -= 1
                if waiting[target] == 0:
                    following.append(target)
        return self._settled(np.array(following, dtype=np.int32))

    def _settled(self, nodes: IntArray) -> IntArray:
        self._generation += 1
        self.longest[nodes] = self._generation
        return nodes
