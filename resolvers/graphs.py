"""What the dependency graph as a whole can tell: cycles, paths and impact."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import graph.impact
from graph.cycles import DependencyCycle, components, describe
from graph.dependencies import DependencyGraph, NotInGraph
from graph.impact import Impact, PathGraph, Subgraph
from resolvers.atlas import Atlas
from resolvers.deadlines import deadline
from resolvers.errors import LimitExceeded
from resolvers.loaded_graphs import Selection
from resolvers.suggestions import unknown_package

# A traversal stops at these and says so: enough for every catalogue measured, and bounded for any other.
NODE_BUDGET: Final = 1_000_000
TIME_LIMIT: Final = timedelta(seconds=10)
MOST_NAMES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Cycles:
    """The first cycles, the largest first, and how many there are."""

    nodes: tuple[DependencyCycle, ...]
    total_count: int


def cycles(atlas: Atlas, selection: Selection, *, first: int) -> Cycles:
    """Return the `first` cycles of the graph; only for those an example and breaks are looked for."""
    found = atlas.graphs.select(selection)
    groups = components(found)
    return Cycles(tuple(describe(found, groups[:first])), len(groups))


def path(atlas: Atlas, start: str, end: str, selection: Selection) -> tuple[str, ...] | None:
    """Return a shortest chain from `start` to what it needs, `end`, or None. Raises NotFound."""
    found = atlas.graphs.select(selection)
    with _names_known(found):
        return graph.impact.shortest_path(found, start, end)


def paths(atlas: Atlas, start: str, end: str, selection: Selection, *, max_nodes: int) -> PathGraph:
    """Return everything that lies on some chain from `start` to `end`. Raises NotFound."""
    found = atlas.graphs.select(selection)
    with _names_known(found):
        return graph.impact.paths(found, start, end, max_nodes, deadline(TIME_LIMIT))


def subgraph(atlas: Atlas, names: Sequence[str], selection: Selection) -> Subgraph:
    """Return `names` and the dependencies among them. Raises NotFound and LimitExceeded."""
    if len(names) > MOST_NAMES:
        raise LimitExceeded("packages", given=len(names), limit=MOST_NAMES)
    found = atlas.graphs.select(selection)
    with _names_known(found):
        return graph.impact.subgraph(found, names)


def impact(atlas: Atlas, names: Sequence[str], selection: Selection, *, first: int) -> Impact:
    """Return what a change to `names` reaches, nearest first. Raises NotFound."""
    found = atlas.graphs.select(selection)
    with _names_known(found):
        return graph.impact.impact(found, names, first, NODE_BUDGET, deadline(TIME_LIMIT))


@contextmanager
def _names_known(found: DependencyGraph) -> Iterator[None]:
    """A name that the graph has not is a question about nothing, most likely misspelled."""
    try:
        yield
    except NotInGraph as error:
        raise unknown_package(error.name, found.names) from None


def revision(atlas: Atlas) -> int:
    """Return the position of the newest event that the graphs in memory have seen; 0 before the first is loaded."""
    return atlas.graphs.position
