"""Edges to leave out so that no cycle is left: soft ones before hard ones, and few.

How it works: the hardest edges are looked at alone, then each softer kind is added to what was kept, so that an edge is cut
only for a cycle that has no softer edge. Each time the strongly connected remainder is put in order (see `sequence`) and the
edges that point backwards are cut. Then each cut edge that closes no cycle of kept ones is put back.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from graph.csr import BoolArray, Csr, FlagArray, IntArray
from graph.longest import longest_to
from graph.sequence import sequence

# Cut edges that one pass over the graph checks, one bit each at every node: 200,000 nodes then take some 70 MB.
_BATCH: Final = 2048

# A pass over 2,000,000 edges takes a second. What is cut beyond these passes stays cut, though not all of it need be.
_PASSES: Final = 8


def feedback_edges(csr: Csr, softness: FlagArray) -> BoolArray:
    """Mark edges of `csr` without which it has no cycle; an edge of higher `softness` goes before one of lower."""
    tails, heads = csr.edges()
    loops = tails == heads
    kept = np.zeros(len(tails), dtype=np.bool_)
    for level in sorted(set(softness.tolist())):
        added = (softness == level) & ~loops
        kept |= added
        labels = csr.keep(kept).components()
        tangled = kept.copy()
        tangled[kept] = labels[tails[kept]] == labels[heads[kept]]
        if tangled.any():
            kept[tangled] = ~_cut(csr.keep(tangled), added[tangled])
    return ~kept


def _cut(csr: Csr, loose: BoolArray) -> BoolArray:
    """Mark edges to cut, all of them `loose`; the others have no cycle among themselves."""
    tails, heads = csr.edges()
    place = sequence(csr, loose)
    cut = place[tails] > place[heads]
    doubtful = np.flatnonzero(cut).astype(np.int32)
    for start in range(0, min(len(doubtful), _BATCH * _PASSES), _BATCH):
        batch = doubtful[start : start + _BATCH]
        needless = _needless(csr.keep(~cut), tails[batch].tolist(), heads[batch].tolist())
        cut[batch[list(needless)]] = False
    return cut


def _needless(kept: Csr, tails: Sequence[int], heads: Sequence[int]) -> Iterator[int]:
    """Yield places of edges that can be put back one after the other without closing a cycle."""
    reaching = _reaching(kept, heads)
    # Bit i of the k-th mask: the head of edge i reaches the tail of edge k.
    masks = [reaching[tail] for tail in tails]
    for place, mask in enumerate(masks):
        if not mask >> place & 1:
            yield place
            # Whatever reaches this tail now reaches whatever this head reaches.
            for other, reached in enumerate(masks):
                if reached >> place & 1:
                    masks[other] = reached | mask


def _reaching(kept: Csr, heads: Sequence[int]) -> list[int]:
    """Return for each node a mask of the `heads` that reach it; the graph has no cycle."""
    reaching = [0] * kept.size
    for place, head in enumerate(heads):
        reaching[head] |= 1 << place
    rows = kept.out.lists()
    for node in _in_order(kept).tolist():
        if mask := reaching[node]:
            for target in rows[node]:
                reaching[target] |= mask
    return reaching


def _in_order(kept: Csr) -> IntArray:
    return np.argsort(longest_to(kept.out, kept.into.degrees())).astype(np.int32)
