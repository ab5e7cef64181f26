"""Dependency cycles: which packages need each other, one short cycle of each group, and what to leave out to break it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graph.changes import OPTIONAL_BITS
from graph.csr import Csr, FlagArray, IntArray
from graph.dependencies import ALL_KINDS, DependencyGraph, GraphEdge, Kind
from graph.feedback import feedback_edges
from graph.girth import shortest_cycle


@dataclass(frozen=True, slots=True)
class DependencyCycle:
    """Packages each of which needs all the others, directly or not; or one that needs itself."""

    packages: tuple[str, ...]
    """In name order."""
    example: tuple[str, ...]
    """A shortest cycle among them, the first package again at the end."""
    suggested_breaks: tuple[GraphEdge, ...]
    """Dependencies without which none of these packages is on a cycle: few, and the soft ones first."""


def cycles(graph: DependencyGraph) -> list[DependencyCycle]:
    """Return every cycle of `graph`, the largest first, then in name order."""
    return describe(graph, components(graph))


def components(graph: DependencyGraph) -> list[tuple[str, ...]]:
    """Return the packages of every cycle, in the order of `cycles`, at a small part of its price."""
    csr = graph.csr
    labels = csr.components()
    cyclic = np.bincount(labels, minlength=1)[labels] > 1
    tails, heads = csr.edges()
    cyclic[tails[tails == heads]] = True
    nodes = np.flatnonzero(cyclic)
    nodes = nodes[np.argsort(labels[nodes], kind="stable")]
    groups = np.split(nodes, np.flatnonzero(np.diff(labels[nodes])) + 1) if len(nodes) else []
    groups.sort(key=lambda group: (-len(group), int(group[0])))
    return [graph.names_of(group.tolist()) for group in groups]


def describe(graph: DependencyGraph, groups: Sequence[tuple[str, ...]]) -> list[DependencyCycle]:
    """Return the cycles of these groups, which are some of `components`."""
    inner = graph.induced(name for group in groups for name in group)
    owner = np.empty(len(inner), dtype=np.int32)
    for index, group in enumerate(groups):
        owner[inner.numbers(group)] = index
    tails, heads = inner.csr.edges()
    within = np.flatnonzero(owner[tails] == owner[heads]).astype(np.int32)
    csr = inner.csr.keep(within)
    examples = _examples(csr, owner, len(groups))
    breaks: list[list[GraphEdge]] = [[] for _ in groups]
    cuts = _breaks(csr)
    for group, edge in zip(owner[tails[within[cuts]]].tolist(), inner.edges_at(within[cuts]), strict=True):
        breaks[group].append(edge)
    return [
        DependencyCycle(group, inner.names_of([*example, example[0]]), tuple(edges))
        for group, example, edges in zip(groups, examples, breaks, strict=True)
    ]


def _examples(csr: Csr, owner: IntArray, count: int) -> list[list[int]]:
    """Return a shortest cycle of each group. Loops and pairs are looked up together, only longer ones searched for."""
    examples: list[list[int]] = [[] for _ in range(count)]
    tails, heads = csr.edges()
    keys = tails.astype(np.int64) * csr.size + heads
    mutual = np.isin(keys, heads.astype(np.int64) * csr.size + tails, assume_unique=True)
    for places in (np.flatnonzero(tails == heads), np.flatnonzero(mutual)):
        groups, firsts = np.unique(owner[tails[places]], return_index=True)
        for group, place in zip(groups.tolist(), places[firsts].tolist(), strict=True):
            examples[group] = examples[group] or sorted({int(tails[place]), int(heads[place])})
    return [example or _search_example(csr, owner, group) for group, example in enumerate(examples)]


def _search_example(csr: Csr, owner: IntArray, group: int) -> list[int]:
    nodes = np.flatnonzero(owner == group).astype(np.int32)
    places = shortest_cycle(csr.induced(nodes), floor=3)
    return list(map(int, nodes[places]))


def _breaks(csr: Csr) -> IntArray:
    """Return the places of edges to leave out, the softest first, then by name."""
    softness = _softness(csr.flags)
    cuts = np.flatnonzero(feedback_edges(csr, softness)).astype(np.int32)
    return cuts[np.argsort(-softness[cuts].astype(np.int8), kind="stable")]


def _softness(flags: FlagArray) -> FlagArray:
    """Return 2 for what only tests and development need, 1 for what is optional, 0 for the rest."""
    kinds = flags | flags >> OPTIONAL_BITS
    hard_kinds = np.uint16(ALL_KINDS & ~(Kind.TEST | Kind.DEV))
    optional = (flags & np.uint16(ALL_KINDS)) == 0
    return np.where((kinds & hard_kinds) == 0, 2, optional).astype(np.uint16)
