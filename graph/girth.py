"""A shortest cycle of a graph.

How it works: search breadth first from one node for the shortest way back to it, take the node out with all that is then on no
cycle, and go on until nothing is left. Each search may only go as far as would beat the best so far. Nodes with many edges come
first: cycles that run through one another fall with the few nodes that they share, so few searches are made.
"""

import numpy as np

from graph.csr import BoolArray, Csr, IntArray
from graph.reach import breadth_first


def shortest_cycle(csr: Csr, floor: int = 1) -> list[int]:
    """Return a shortest cycle, starting at its smallest node and not repeating it; empty when there is none.

    `floor` is a length that no cycle is known to fall below: the first of that length ends the search.
    """
    best: list[int] = []
    left = _Remainder(csr)
    importance = csr.out.degrees().astype(np.int64) * csr.into.degrees()
    for node in np.argsort(-importance, kind="stable").tolist():
        if left.alive[node]:
            best = _cycle_through(csr, node, left.alive, below=len(best)) or best
            if len(best) == floor:
                break
            left.remove(node)
    start = best.index(min(best)) if best else 0
    return best[start:] + best[:start]


def _cycle_through(csr: Csr, node: int, alive: BoolArray, *, below: int) -> list[int]:
    """Return a shortest cycle through `node`, if it has fewer nodes than `below` (0: however many)."""
    goal = np.zeros(csr.size, dtype=np.bool_)
    goal[csr.into.of(node)] = True
    goal &= alive
    depth = below - 2 if below else None
    reach = breadth_first(csr.out, csr.into, _only(node), within=alive, goal=goal, depth=depth)
    closing = [node] if goal[node] else reach.order[goal[reach.order]].tolist()
    return reach.trace(closing[0]) if closing else []


def _only(node: int) -> IntArray:
    return np.array([node], dtype=np.int32)


class _Remainder:
    """The nodes that may still be on a cycle."""

    def __init__(self, csr: Csr) -> None:
        self.alive = np.ones(csr.size, dtype=np.bool_)
        outs, ins = csr.out.degrees().tolist(), csr.into.degrees().tolist()
        self._ways = ((csr.out.lists(), ins), (csr.into.lists(), outs))
        for node in range(csr.size):
            if outs[node] == 0 or ins[node] == 0:
                self.remove(node)

    def remove(self, node: int) -> None:
        """Take `node` out, and each that then has no edge in or no edge out."""
        doomed = [node]
        while doomed:
            gone = doomed.pop()
            if self.alive[gone]:
                self.alive[gone] = False
                for rows, degrees in self._ways:
                    for neighbour in rows[gone]:
                        degrees[neighbour] -= 1
                        if degrees[neighbour] == 0:
                            doomed.append(neighbour)
