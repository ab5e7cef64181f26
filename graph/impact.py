"""What a change reaches, and the ways by which one package needs another."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from graph.csr import IntArray
from graph.dependencies import DependencyGraph, GraphEdge
from graph.reach import Reach, breadth_first, never


@dataclass(frozen=True, slots=True)
class ImpactedPackage:
    """A package that a change reaches."""

    package: str
    distance: int
    via: str
    """The neighbour one step nearer to the change, the first by name."""


@dataclass(frozen=True, slots=True)
class Impact:
    """The packages that a change reaches, nearest first, in name order where equally near."""

    dependents: tuple[ImpactedPackage, ...]
    total_count: int
    """How many were found, listed or not; when the search was stopped, there may be more."""
    truncated: bool
    """Not all of them are listed."""


@dataclass(frozen=True, slots=True)
class PathGraph:
    """All paths between two packages, as the packages and dependencies they run over; empty when there is none."""

    nodes: tuple[str, ...]
    """By distance from the first package, then by name."""
    edges: tuple[GraphEdge, ...]
    shortest: tuple[str, ...] | None
    """A shortest path; None when there is none, or when the search was stopped before it found one."""
    truncated: bool
    """Some packages on paths are left out."""


@dataclass(frozen=True, slots=True)
class Surrounded:
    """A package, with how much is right around it in the whole graph."""

    package: str
    dependencies: int
    dependents: int


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Some packages, in name order, and the dependencies among them."""

    nodes: tuple[Surrounded, ...]
    edges: tuple[GraphEdge, ...]


def impact(
    graph: DependencyGraph,
    names: Iterable[str],
    first: int | None = None,
    budget: int | None = None,
    should_stop: Callable[[], bool] = never,
) -> Impact:
    """Return what depends on any of `names`, directly or not, and is not one of them. Raises NotInGraph.

    At most `budget` packages are found and `first` of them listed. `should_stop` is asked once a distance.
    """
    found = graph.dependents(*names, transitive=True, budget=budget, should_stop=should_stop)
    columns = (found.nodes[:first], found.distances[:first], found.via[:first])
    listed = tuple(ImpactedPackage(*row) for row in zip(*columns, strict=True))
    return Impact(listed, len(found.nodes), found.truncated or len(listed) < len(found.nodes))


def subgraph(graph: DependencyGraph, names: Iterable[str]) -> Subgraph:
    """Return `names` with the dependencies among them. Raises NotInGraph."""
    chosen = graph.numbers(names)
    kept = graph.names_of(chosen.tolist())
    counts = [rows.places(chosen)[1].tolist() for rows in (graph.out, graph.into)]
    return Subgraph(tuple(map(Surrounded, kept, *counts)), graph.edges_among(kept))


def shortest_path(graph: DependencyGraph, start: str, end: str) -> tuple[str, ...] | None:
    """Return a shortest path along dependencies, always the same one, or None. Raises NotInGraph."""
    seeds, goals = graph.numbers([start]), graph.numbers([end])
    goal = np.zeros(len(graph), dtype=np.bool_)
    goal[goals] = True
    reach = breadth_first(graph.out, graph.into, seeds, goal=goal)
    return _traced(graph, reach, int(goals[0]))


def paths(
    graph: DependencyGraph,
    start: str,
    end: str,
    max_nodes: int | None = None,
    should_stop: Callable[[], bool] = never,
) -> PathGraph:
    """Return the graph of all paths from `start` to `end` along dependencies. Raises NotInGraph.

    Of more than `max_nodes` packages, those on the shortest paths through them are kept, and in any case one shortest path.
    """
    seeds, goals = graph.numbers([start]), graph.numbers([end])
    ahead = breadth_first(graph.out, graph.into, seeds, should_stop=should_stop)
    shortest = _traced(graph, ahead, int(goals[0]))
    if shortest is None:
        return PathGraph((), (), None, ahead.truncated)
    behind = breadth_first(graph.into, graph.out, goals, within=ahead.distance >= 0, should_stop=should_stop)
    nodes = np.concatenate([goals, behind.order])
    truncated = ahead.truncated or behind.truncated
    kept = _nearest(nodes, ahead, behind, graph.numbers(shortest), max_nodes)
    kept = kept[np.lexsort((kept, ahead.distance[kept]))]
    names = graph.names_of(kept.tolist())
    return PathGraph(names, graph.edges_among(names), shortest, truncated or len(kept) < len(nodes))


def _traced(graph: DependencyGraph, reach: Reach, goal: int) -> tuple[str, ...] | None:
    return graph.names_of(reach.trace(goal)) if reach.distance[goal] >= 0 else None


def _nearest(
    nodes: IntArray, ahead: Reach, behind: Reach, shortest: IntArray, max_nodes: int | None
) -> IntArray:
    """Return `shortest` and as many others as there is room for, those first that the least detour leads to."""
    others = np.setdiff1d(nodes, shortest, assume_unique=True)
    detour = ahead.distance[others] + behind.distance[others]
    others = others[np.lexsort((others, detour))]
    room = len(others) if max_nodes is None else max(max_nodes - len(shortest), 0)
    return np.concatenate([shortest, others[:room]])
