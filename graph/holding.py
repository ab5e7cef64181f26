"""Who holds up how much: for each of many nodes of a graph without cycles, how many others wait for it, directly or not.

How it works: every node gets a row of bits, one for each root, with the roots that it waits for. A node's row is the union of
the rows of what it waits for, so one pass in topological order, a generation at a time, fills them all; a column then counts
what waits for its root. Roots are taken some at a time, so that the rows stay small.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from graph.csr import IntArray, Rows

# Of 35,000 nodes, these take 9 MB.
_ROOTS_AT_A_TIME: Final = 2_048

_Bits = npt.NDArray[np.uint8]


def held_up(size: int, edges: Sequence[tuple[int, int]], roots: Sequence[int]) -> list[int]:
    """Return for each root how many other nodes wait for it; an edge leads from who waits to what is waited for.

    What lies on or behind a cycle is counted as far as it was reached before it.
    """
    if not roots:
        return []
    pairs = np.array(edges, dtype=np.int32).reshape(-1, 2)
    sweep = list(_generations(size, pairs[:, 0], pairs[:, 1]))
    counts: list[int] = []
    for start in range(0, len(roots), _ROOTS_AT_A_TIME):
        some = np.array(roots[start : start + _ROOTS_AT_A_TIME], dtype=np.int32)
        counts += _counts(size, sweep, some)
    return counts


def _generations(size: int, waiters: IntArray, waited_for: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the edges to each generation of nodes, of which all that it waits for is in generations before."""
    behind, order = Rows.group(waited_for, waiters, size)
    del order
    left = np.bincount(waiters, minlength=size).astype(np.int32)
    ready = np.flatnonzero(left == 0).astype(np.int32)
    while len(ready):
        places, lengths = behind.places(ready)
        heads = behind.targets[places]
        yield heads, np.repeat(ready, lengths)
        np.subtract.at(left, heads, np.int32(1))
        candidates = np.unique(heads)
        ready = candidates[left[candidates] == 0].astype(np.int32)


def _counts(size: int, sweep: Sequence[tuple[IntArray, IntArray]], roots: IntArray) -> list[int]:
    columns = np.arange(len(roots))
    rows: _Bits = np.zeros((size, (len(roots) + 7) // 8), dtype=np.uint8)
    own = rows.copy()
    np.bitwise_or.at(own, (roots, columns // 8), (0x80 >> (columns % 8)).astype(np.uint8))
    for waiters, waited_for in sweep:
        # A root is in the way itself, besides all that is in its own.
        np.bitwise_or.at(rows, waiters, rows[waited_for] | own[waited_for])
    totals = np.zeros(len(roots), dtype=np.int64)
    for part in np.array_split(rows, max(1, size // 1_024)):
        totals += np.unpackbits(part, axis=1, count=len(roots)).sum(axis=0, dtype=np.int64)
    return [int(total) for total in totals]
