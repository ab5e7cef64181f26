"""What can be reached from where, nearest first.

How it works: breadth first, a whole distance at a time. A wide frontier is expanded by numpy, a narrow one in Python; when
fewer nodes are left than are in the frontier, they are asked instead whether it reaches them, which saves most of a search that
ends up everywhere (Beamer, Asanović and Patterson, https://doi.org/10.1109/SC.2012.50). Of the ways to reach a node, the one
through the smallest number one step nearer is kept, so an answer never depends on the order in which the edges came.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graph.csr import BoolArray, IntArray, Rows, distinct

_FAR = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Reach:
    """What a search found. The nodes it started from are at distance 0 and not in `order`."""

    order: IntArray
    """Nearest first, ascending where equally near."""
    distance: IntArray
    """For every node of the graph; -1 where it was not found."""
    via: IntArray
    """For every node of `order`, the neighbour one step nearer by which it was reached."""
    truncated: bool
    """There may be more: the budget or the caller stopped the search."""

    def trace(self, node: int) -> list[int]:
        """Return a shortest path to `node`, which was found, from where the search started."""
        path = [node]
        for _ in range(int(self.distance[node])):
            path.append(int(self.via[path[-1]]))
        return path[::-1]


def never() -> bool:
    """Let a search run to its end."""
    return False


def breadth_first(
    rows: Rows,
    back: Rows,
    seeds: IntArray,
    *,
    within: BoolArray | None = None,
    goal: BoolArray | None = None,
    depth: int | None = None,
    budget: int | None = None,
    should_stop: Callable[[], bool] = never,
) -> Reach:
    """Search along `rows`, of which `back` are those the other way, from `seeds`, only through nodes that `within` marks.

    Stops by itself after the distance `depth`, and after the first distance at which a node of `goal` is found. Stops as
    truncated once `budget` nodes are found and there are more, or when `should_stop`, asked once a distance, says so.
    """
    search = _Search(rows, back, seeds, within)
    found: list[IntArray] = []
    count, level, truncated = 0, 0, False
    while len(search.frontier) and level != depth and not (goal is not None and goal[search.frontier].any()):
        if should_stop():
            truncated = True
            break
        level += 1
        search.advance(level)
        if budget is not None and count + len(search.frontier) > budget:
            search.forget(budget - count)
            truncated = True
        found.append(search.frontier)
        count += len(search.frontier)
        if truncated:
            break
    order = np.concatenate(found) if found else np.empty(0, dtype=np.int32)
    search.distance[search.distance == _FAR] = -1
    return Reach(order, search.distance, search.via, truncated)


class _Search:
    """The nodes at one distance, and what is known of all nearer ones."""

    def __init__(self, rows: Rows, back: Rows, seeds: IntArray, within: BoolArray | None) -> None:
        self._rows = rows
        self._back = back
        self.frontier = distinct(seeds, rows.size)
        self.distance = np.full(rows.size, -1, dtype=np.int32)
        self.via = np.full(rows.size, _FAR, dtype=np.int32)
        if within is not None:
            # A node out of bounds looks as if it had been seen.
            self.distance[~within] = _FAR
        self.distance[self.frontier] = 0

    def advance(self, level: int) -> None:
        """Go on to the nodes at the distance `level`."""
        if self._rows.is_narrow(self.frontier):
            self.frontier = self._narrow(level)
        elif len(unseen := self._few_unseen()):
            self.frontier = self._pull(level, unseen)
        else:
            self.frontier = self._push(level)

    def forget(self, kept: int) -> None:
        """Leave only the first `kept` nodes of the frontier found."""
        self.distance[self.frontier[kept:]] = -1
        self.frontier = self.frontier[:kept]

    def _few_unseen(self) -> IntArray:
        """Return the nodes not found yet if they are fewer than the frontier, else none."""
        if len(self.frontier) * 8 < self._rows.size:
            return self.frontier[:0]  # not worth a look at all nodes
        unseen = np.flatnonzero(self.distance < 0).astype(np.int32)
        return unseen if len(unseen) < len(self.frontier) else unseen[:0]

    def _pull(self, level: int, unseen: IntArray) -> IntArray:
        places, lengths = self._back.places(unseen)
        sources = self._back.targets[places]
        near = self.distance[sources] == level - 1
        targets = np.repeat(unseen, lengths)[near]
        self.distance[targets] = level
        np.minimum.at(self.via, targets, sources[near])
        return distinct(targets, self._rows.size)

    def _push(self, level: int) -> IntArray:
        places, lengths = self._rows.places(self.frontier)
        targets = self._rows.targets[places]
        fresh = self.distance[targets] < 0
        targets = targets[fresh]
        self.distance[targets] = level
        np.minimum.at(self.via, targets, np.repeat(self.frontier, lengths)[fresh])
        return distinct(targets, self._rows.size)

    def _narrow(self, level: int) -> IntArray:
        offsets, targets = self._rows.offsets.data, self._rows.targets.data
        distance, via = self.distance.data, self.via.data
        found = []
        # Ascending, so the first to reach a node is the smallest that does.
        for node in self.frontier.tolist():
            for target in targets[offsets[node] : offsets[node + 1]]:
                if distance[target] < 0:
                    distance[target], via[target] = level, node
                    found.append(target)
        return np.array(sorted(found), dtype=np.int32)
