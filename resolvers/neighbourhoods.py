"""What lies around many packages at once: one look at the graph and one statement for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from graph.dependencies import DependencyGraph, Traversal
from resolvers.atlas import Atlas
from resolvers.deadlines import deadline
from resolvers.graphs import NODE_BUDGET, TIME_LIMIT
from resolvers.loaded_graphs import Selection
from storage import packages


class Direction(Enum):
    """Which way to walk along dependencies."""

    DEPENDENCIES = auto()
    DEPENDENTS = auto()


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Names of registered packages, nearest first."""

    names: tuple[str, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """From where, which way, and how far."""

    name: str
    direction: Direction
    transitive: bool
    selection: Selection


def neighbourhoods(atlas: Atlas, walks: Sequence[Walk]) -> Mapping[Walk, Neighbours]:
    """Return the registered packages that each walk meets, nearest first; none for a package the graph has not.

    All of them together may take as long as one.
    """
    should_stop = deadline(TIME_LIMIT)
    graphs = {selection: atlas.graphs.select(selection) for selection in {walk.selection for walk in walks}}
    met = {walk: _met(graphs[walk.selection], walk, should_stop) for walk in walks}
    with atlas.database.read() as connection:
        registered = packages.by_names(connection, {name for each in met.values() for name in each.nodes})
    return {walk: _registered(each, registered) for walk, each in met.items()}


def _met(graph: DependencyGraph, walk: Walk, should_stop: Callable[[], bool]) -> Traversal:
    if walk.name not in graph:
        return Traversal((), (), (), truncated=False)
    go = graph.dependencies if walk.direction is Direction.DEPENDENCIES else graph.dependents
    return go(walk.name, transitive=walk.transitive, budget=NODE_BUDGET, should_stop=should_stop)


def _registered(met: Traversal, registered: Mapping[str, object]) -> Neighbours:
    return Neighbours(tuple(name for name in met.nodes if name in registered), met.truncated)
