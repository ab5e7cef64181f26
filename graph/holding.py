"""What holds up how much: for each of many nodes of a graph, how many others wait for it, directly or not.

How it works: each node gets a mask, with a bit for each root that it is or waits for. It hands its mask on to what waits for
it, in topological order, so one pass fills all masks; a root then counts those that have its bit. Nodes that wait for each
other, as damaged data may have it, are taken for one. Roots are taken some at a time, so that the masks stay small.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np

from graph.csr import Csr, IntArray

# The masks of 35,000 nodes then take 10 MB.
_ROOTS: Final = 2_048

# Masks that are spread out to a byte for each bit at a time: 4 MB.
_SPREAD: Final = 2_048


def held_up(size: int, edges: Sequence[tuple[int, int]], roots: Sequence[int]) -> list[int]:
    """Return for each root how many other nodes wait for it.

    An edge leads from a node that waits to one that it waits for, both less than `size`; it may be given twice.
    """
    ends = np.fromiter(chain.from_iterable(edges), dtype=np.int32, count=2 * len(edges)).reshape(-1, 2)
    csr = _csr(size, ends[:, 0], ends[:, 1])
    groups = csr.components()
    sizes = np.bincount(groups).astype(np.int32)
    tails, heads = csr.edges()
    # No edge leads to a group of a higher number, so each comes after all that it waits for.
    waiting = _csr(len(sizes), groups[tails], groups[heads]).into.lists()
    places = groups[np.array(roots, dtype=np.int32)].tolist()
    # A root has its own bit, and is not one of the others.
    return [
        count - 1
        for start in range(0, len(places), _ROOTS)
        for count in _counts(waiting, sizes, places[start : start + _ROOTS])
    ]


def _csr(size: int, tails: IntArray, heads: IntArray) -> Csr:
    return Csr.build(size, tails, heads, np.zeros(len(tails), dtype=np.uint16))


def _counts(waiting: Sequence[Sequence[int]], sizes: IntArray, roots: Sequence[int]) -> list[int]:
    """Return for each of a few roots how many nodes are in it or in the groups that wait for it."""
    masks = _masks(waiting, roots)
    width = -(-len(roots) // 8)
    counts = np.zeros(8 * width, dtype=np.int32)
    for start in range(0, len(masks), _SPREAD):
        some = masks[start : start + _SPREAD]
        packed = np.frombuffer(b"".join(mask.to_bytes(width, "little") for mask in some), dtype=np.uint8)
        bits = np.unpackbits(packed.reshape(-1, width), axis=1, bitorder="little")
        # `sizes @ bits` would first make all bits as wide as the sizes, which takes eight times as long.
        counts += np.einsum("i,ij->j", sizes[start : start + _SPREAD], bits)
    return list(map(int, counts[: len(roots)]))


def _masks(waiting: Sequence[Sequence[int]], roots: Sequence[int]) -> list[int]:
    masks = [0] * len(waiting)
    for bit, root in enumerate(roots):
        masks[root] |= 1 << bit
    for group, mask in enumerate(masks):
        if mask:
            for waiter in waiting[group]:
                masks[waiter] |= mask
    return masks
