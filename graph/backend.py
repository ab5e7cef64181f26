"""The dependency graph as networkx calls it: `nx.ancestors(graph, name)` and its like, without a conversion.

networkx finds this module through the entry point group `networkx.backends`, under the name that a graph carries as
`__networkx_backend__`, and looks up each algorithm by its own name here. What is not here, networkx refuses; nothing is
converted behind the caller's back. Edges lead from dependents to dependencies, so descendants are what a package needs.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from graph.csr import Neighbours
from graph.dependencies import DependencyGraph
from graph.impact import shortest_path as path_between
from graph.longest import LengthArray, longest_chain, longest_to
from graph.reach import breadth_first


def can_run(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool | str:
    """Tell networkx whether a call can be answered here, or why not.

    It can with the options left as networkx has them, and with every node named.
    """
    signature = inspect.signature(globals()[name])
    for option, value in signature.bind(*args, **kwargs).arguments.items():
        default = signature.parameters[option].default
        if default is inspect.Parameter.empty and value is None:
            return f"{name} needs {option} here"
        if default is not inspect.Parameter.empty and value != default:
            return f"{name} knows no other {option} than {default!r} here"
    return True


def descendants(graph: DependencyGraph, source: str) -> set[str]:
    """Return everything that `source` needs, directly or not."""
    return _found(graph, graph.out, graph.into, source)


def ancestors(graph: DependencyGraph, source: str) -> set[str]:
    """Return everything that needs `source`, directly or not."""
    return _found(graph, graph.into, graph.out, source)


def strongly_connected_components(graph: DependencyGraph) -> Iterator[set[str]]:
    """Yield the packages that need each other; most stand alone."""
    labels = graph.csr.components()
    order = np.argsort(labels, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(group):
            yield set(graph.names_of(group.tolist()))


def topological_generations(graph: DependencyGraph) -> Iterator[list[str]]:
    """Yield packages that only packages yielded before depend on, in name order."""
    generation = _generation(graph)
    order = np.argsort(generation, kind="stable")
    order = order[generation[order] >= 0]
    names = graph.names_of(order.tolist())
    ends = np.cumsum(np.bincount(generation[order], minlength=1)).tolist()
    for start, end in pairwise([0, *ends]):
        if start < end:
            yield list(names[start:end])
    _refuse_cycles(len(order) < len(graph))


def dag_longest_path(
    graph: DependencyGraph, weight: str = "weight", default_weight: int = 1, topo_order: None = None
) -> list[str]:
    """Return the longest chain of dependencies, from the dependent that starts it; no edge has a weight of its own."""
    del weight, default_weight, topo_order  # `can_run` has seen that they are these
    generation = _generation(graph)
    _refuse_cycles(bool((generation < 0).any()))
    one_each = np.ones(len(graph), dtype=np.int32)
    return list(graph.names_of(longest_chain(graph.csr.into, generation, one_each)))


def shortest_path(
    graph: DependencyGraph, source: str, target: str, weight: None = None, method: str = "dijkstra"
) -> list[str]:
    """Return a shortest chain of dependencies from `source` to `target`."""
    del weight, method  # `can_run` has seen that they are these
    for name in (source, target):
        if name not in graph:
            raise nx.NodeNotFound(f"Node {name} is not in the graph")
    path = path_between(graph, source, target)
    if path is None:
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    return list(path)


def _found(graph: DependencyGraph, rows: Neighbours, back: Neighbours, source: str) -> set[str]:
    if source not in graph:
        raise nx.NetworkXError(f"The node {source} is not in the digraph.")
    found = breadth_first(rows, back, graph.numbers([source])).order
    return set(map(graph.names.__getitem__, found.tolist()))


def _generation(graph: DependencyGraph) -> LengthArray:
    return longest_to(graph.csr.out, graph.csr.into.degrees())


def _refuse_cycles(found: bool) -> None:
    if found:
        raise nx.NetworkXUnfeasible("Graph contains a cycle")
