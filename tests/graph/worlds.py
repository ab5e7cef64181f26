"""Small dependency graphs, written by hand or drawn at random, and their networkx twins."""

from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from graph.dependencies import DependencyGraph, GraphEdge, Kind

HARD = Kind.RUNTIME


@dataclass(frozen=True)
class Row:
    """One declared dependency."""

    dependent: str
    dependency: str
    kinds: Kind = HARD
    optional: bool = False


def graph_of(names: Sequence[str], rows: Sequence[Row]) -> DependencyGraph:
    place = {name: number for number, name in enumerate(names)}
    return DependencyGraph.build(
        names,
        np.array([place[row.dependent] for row in rows], dtype=np.int64),
        np.array([place[row.dependency] for row in rows], dtype=np.int64),
        np.array([row.kinds for row in rows], dtype=np.int64),
        np.array([row.optional for row in rows], dtype=np.bool_),
    )


def graph(text: str) -> DependencyGraph:
    """Return the graph of lines such as `app -> lib (TEST|DEV) ?`, where `?` means optional; a bare name stands alone."""
    names: set[str] = set()
    rows = []
    for line in text.strip().splitlines():
        dependent, _, rest = line.strip().partition(" -> ")
        names.add(dependent)
        if rest:
            dependency, _, qualities = rest.partition(" ")
            names.add(dependency)
            rows.append(Row(dependent, dependency, _kinds(qualities), "?" in qualities))
    return graph_of(sorted(names), rows)


def _kinds(qualities: str) -> Kind:
    words = qualities.replace("?", "").strip(" ()")
    kinds = Kind(0)
    for word in words.split("|") if words else ["RUNTIME"]:
        kinds |= Kind[word]
    return kinds


@dataclass(frozen=True)
class World:
    """Names in any order, rows in any order, some of them repeated."""

    names: list[str]
    rows: list[Row]

    @property
    def graph(self) -> DependencyGraph:
        return graph_of(self.names, self.rows)

    @property
    def twin(self) -> "nx.DiGraph[str]":
        twin: nx.DiGraph[str] = nx.DiGraph()
        twin.add_nodes_from(self.names)
        twin.add_edges_from((row.dependent, row.dependency) for row in self.rows)
        return twin


def digraph_of(edges: Sequence[GraphEdge], names: Sequence[str]) -> "nx.DiGraph[str]":
    answer: nx.DiGraph[str] = nx.DiGraph()
    answer.add_nodes_from(names)
    answer.add_edges_from((edge.dependent, edge.dependency) for edge in edges)
    return answer


# Every bit once, hard and soft kinds alone and together, needed and optional.
QUALITIES = [
    (Kind.RUNTIME, False),
    (Kind.BUILD | Kind.TEST, True),
    (Kind.TEST, False),
    (Kind.TEST | Kind.DEV, True),
    (Kind.PEER | Kind.DEV, False),
    (Kind.RUNTIME, True),
]


@st.composite
def worlds(draw: st.DrawFn, *, largest: int = 10, acyclic: bool = False) -> World:
    """Draw a multigraph, loops and repeated rows included, from sparse to dense."""
    size = draw(st.integers(1, largest))
    names = draw(st.permutations([f"p{number:02}" for number in range(size)]))
    name = st.sampled_from(names)
    drawn = draw(st.lists(st.tuples(name, name, st.sampled_from(QUALITIES)), max_size=3 * size))
    if acyclic:
        drawn = [(max(row[:2]), min(row[:2]), row[2]) for row in drawn if row[0] != row[1]]
    return World(names, [Row(dependent, dependency, *quality) for dependent, dependency, quality in drawn])
