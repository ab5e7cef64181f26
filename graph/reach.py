"""What can be reached from where, nearest first.

How it works: breadth first, a whole distance at a time. A wide frontier is expanded by numpy, a narrow one in Python; when
fewer nodes are left than are in the frontier, they are asked instead whether it reaches them, which saves most of a search that
ends up everywhere (Beamer, Asanović and Patterson, https://doi.org/10.1109/SC.2012.50). Of the ways to reach a node, the one
through the smallest number one step nearer is kept, so an answer never depends on the order in which the edges came.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from graph.csr import BoolArray, IntArray, Neighbours, distinct

_FAR = np.iinfo(np.int32).max

# Of narrow steps so many take some hundred microseconds, and as many wide ones are not to be expected.
_FEW_STEPS: Final = 100


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
    rows: Neighbours,
    back: Neighbours,
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
    count, level, truncated = 0, 0, False
    while len(search.frontier) and level != depth and not (goal is not None and search.is_at(goal)):
        if should_stop():
            truncated = True
            break
        level += 1
        search.advance(level)
        if budget is not None and count + len(search.frontier) > budget:
            search.forget(budget - count)
            truncated = True
        count += len(search.frontier)
        search.keep()
        if truncated:
            break
    search.distance[search.distance == _FAR] = -1
    return Reach(search.order(), search.distance, search.via, truncated)


def shortest_way(
    rows: Neighbours, back: Neighbours, seeds: IntArray, goal: int, within: BoolArray
) -> list[int] | None:
    """Return a shortest path from one of `seeds` to `goal` through nodes that `within` marks, or None."""
    goals = np.zeros(rows.size, dtype=np.bool_)
    goals[goal] = True
    near = breadth_first(rows, back, seeds, within=within, goal=goals, depth=_FEW_STEPS)
    if near.distance[goal] >= 0:
        return near.trace(goal)
    if _has_ended(near) or not (found := _reached_far(rows, seeds, within))[goal]:
        return None
    return breadth_first(rows, back, seeds, within=found, goal=goals).trace(goal)


def reached(rows: Neighbours, back: Neighbours, seeds: IntArray, within: BoolArray) -> BoolArray:
    """Mark what `seeds` lead to along `rows` through nodes that `within` marks, themselves included."""
    near = breadth_first(rows, back, seeds, within=within, depth=_FEW_STEPS)
    return near.distance >= 0 if _has_ended(near) else _reached_far(rows, seeds, within)


def _has_ended(near: Reach) -> bool:
    """Tell whether a search of so few steps would have gone no farther."""
    return len(near.order) == 0 or bool(near.distance[near.order[-1]] < _FEW_STEPS)


def _reached_far(rows: Neighbours, seeds: IntArray, within: BoolArray) -> BoolArray:
    """Do it edge by edge, by scipy: a long chain then takes no longer than as many edges anywhere else."""
    nodes = np.flatnonzero(within).astype(np.int32)
    # Number 0 is a node in front of all, which leads to the seeds.
    number = np.zeros(rows.size, dtype=np.int32)
    number[nodes] = np.arange(1, len(nodes) + 1, dtype=np.int32)
    places, lengths = rows.places(nodes)
    heads = number[rows.at(places)]
    inside = np.concatenate([[0], np.cumsum(heads > 0, dtype=np.int32)])
    offsets = np.concatenate([[0], len(seeds) + inside[np.concatenate([[0], np.cumsum(lengths)])]])
    heads = np.concatenate([number[seeds], heads[heads > 0]])
    matrix = sparse.csr_array((np.ones(len(heads)), heads, offsets), shape=(len(nodes) + 1, len(nodes) + 1))
    found = csgraph.breadth_first_order(matrix, 0, return_predecessors=False)
    marks = np.zeros(rows.size, dtype=np.bool_)
    marks[nodes[found[1:] - 1]] = True
    return marks


class _Search:
    """The nodes at one distance, ascending, and what is known of all nearer ones."""

    frontier: IntArray | list[int]
    """A list where it is narrow: most chains are walked without any array being made."""

    def __init__(self, rows: Neighbours, back: Neighbours, seeds: IntArray, within: BoolArray | None) -> None:
        self._rows = rows
        self._back = back
        self._near = rows.reader()
        self._found: list[IntArray] = []
        self._found_last: list[int] = []
        frontier = distinct(seeds, rows.size)
        self.distance = np.full(rows.size, -1, dtype=np.int32)
        self.via = np.full(rows.size, _FAR, dtype=np.int32)
        if within is not None:
            # A node out of bounds looks as if it had been seen.
            self.distance[~within] = _FAR
        self.distance[frontier] = 0
        self._distances, self._vias = self.distance.data, self.via.data
        self.frontier = self._narrowed(frontier)

    def is_at(self, goal: BoolArray) -> bool:
        """Tell whether a node of `goal` is at this distance."""
        if isinstance(self.frontier, list):
            return any(map(goal.data.__getitem__, self.frontier))
        return bool(goal[self.frontier].any())

    def advance(self, level: int) -> None:
        """Go on to the nodes at the distance `level`."""
        frontier = self.frontier
        if isinstance(frontier, list):
            self.frontier = self._narrow(level, frontier)
        elif len(unseen := self._few_unseen(frontier)):
            self.frontier = self._narrowed(self._pull(level, unseen))
        else:
            self.frontier = self._narrowed(self._push(level, frontier))

    def forget(self, kept: int) -> None:
        """Leave only the first `kept` nodes of the frontier found."""
        self.distance[self.frontier[kept:]] = -1
        self.frontier = self.frontier[:kept]

    def keep(self) -> None:
        """Count the frontier among what was found."""
        if isinstance(self.frontier, list):
            self._found_last += self.frontier
        else:
            self._found += [_array(self._found_last), self.frontier]
            self._found_last = []

    def order(self) -> IntArray:
        """Return what was found, nearest first."""
        return np.concatenate([*self._found, _array(self._found_last)])

    def _narrowed(self, frontier: IntArray) -> IntArray | list[int]:
        return frontier.tolist() if self._rows.is_narrow(frontier) else frontier

    def _few_unseen(self, frontier: IntArray) -> IntArray:
        """Return the nodes not found yet if they are fewer than the frontier, else none."""
        if len(frontier) * 8 < self._rows.size:
            return frontier[:0]  # not worth a look at all nodes
        unseen = np.flatnonzero(self.distance < 0).astype(np.int32)
        return unseen if len(unseen) < len(frontier) else unseen[:0]

    def _pull(self, level: int, unseen: IntArray) -> IntArray:
        places, lengths = self._back.places(unseen)
        sources = self._back.at(places)
        near = self.distance[sources] == level - 1
        targets = np.repeat(unseen, lengths)[near]
        self.distance[targets] = level
        np.minimum.at(self.via, targets, sources[near])
        return distinct(targets, self._rows.size)

    def _push(self, level: int, frontier: IntArray) -> IntArray:
        places, lengths = self._rows.places(frontier)
        targets = self._rows.at(places)
        fresh = self.distance[targets] < 0
        targets = targets[fresh]
        self.distance[targets] = level
        np.minimum.at(self.via, targets, np.repeat(frontier, lengths)[fresh])
        return distinct(targets, self._rows.size)

    def _narrow(self, level: int, frontier: list[int]) -> IntArray | list[int]:
        distance, via, near = self._distances, self._vias, self._near
        found = []
        # Ascending, so the first to reach a node is the smallest that does.
        for node in frontier:
            for target in near(node):
                if distance[target] < 0:
                    distance[target], via[target] = level, node
                    found.append(target)
        found.sort()
        return found if self._rows.is_few(found) else _array(found)


def _array(nodes: list[int]) -> IntArray:
    return np.array(nodes, dtype=np.int32)
