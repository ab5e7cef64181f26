"""The order to build packages in: waves of what can run at once, with cycles cut open and the longest chain named.

How it works: each cycle is broken as `cycles` suggests, which gives each of its packages a step within it. A cycle then starts in
the first wave in which, step by step, each of its packages finds its other dependencies built; so its packages stand in
consecutive waves. The first wave of all cycles and single packages is one longest-path pass over the condensed graph.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from graph.csr import Csr, IntArray, Rows
from graph.cycles import DependencyCycle, cycles
from graph.dependencies import DependencyGraph, GraphEdge
from graph.longest import LengthArray, longest_chain, longest_to


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """Packages in the order to build them."""

    waves: tuple[tuple[str, ...], ...]
    """A wave needs only waves before it, but for the cut edges; in name order."""
    cut_edges: tuple[GraphEdge, ...]
    """The dependencies within `cycles` that the order does not respect."""
    cycles: tuple[DependencyCycle, ...]
    """The packages of each stand in consecutive waves."""
    component_of: Mapping[str, int]
    """The place in `cycles` of each package that is in one."""
    critical_path: tuple[str, ...]
    """The longest chain of packages that must be built one after the other, in that order."""
    critical_path_seconds: float | None
    """How long that takes; None when it is known of no package how long it takes."""
    needs: Mapping[str, tuple[str, ...]]
    """What each package waits for, in name order: all that it needs of the others, but for the cut edges."""
    remaining: Mapping[str, float]
    """The seconds of the longest chain that begins with each package and goes on with what waits for it."""


# What a package counts for where nothing is known of any: chains are then as long as they have packages.
_ONE_EACH: Final = 1.0


def plan(
    graph: DependencyGraph, names: Iterable[str], seconds: Mapping[str, float] | None = None
) -> BuildOrder:
    """Return the order to build `names`; dependencies outside them count as built. Raises NotInGraph.

    `seconds` says how long packages take, as far as that is known; a package it does not name counts as the mean of those it does.
    """
    inner = graph.induced(names)
    found = tuple(cycles(inner))
    cut_edges = tuple(edge for cycle in found for edge in cycle.suggested_breaks)
    component_of = {name: index for index, cycle in enumerate(found) for name in cycle.packages}
    kept = _without(inner, cut_edges)
    wave = _waves(kept, _owners(inner, component_of, len(found)))
    known = {name: seconds[name] for name in inner.names if name in seconds} if seconds else {}
    weights = _weights(inner, known)
    path = longest_chain(kept.out, _leading_to(kept.into, kept.out, weights), weights)
    remaining = _leading_to(kept.out, kept.into, weights) + weights
    return BuildOrder(
        _named(inner, wave),
        cut_edges,
        found,
        component_of,
        critical_path=inner.names_of(path),
        critical_path_seconds=float(remaining.max()) if known else None,
        needs=_needs(inner, kept),
        remaining=dict(zip(inner.names, remaining.tolist(), strict=True)),
    )


def _without(graph: DependencyGraph, edges: Iterable[GraphEdge]) -> Csr:
    kept = np.ones(len(graph.csr.flags), dtype=np.bool_)
    kept[graph.places_of(edges)] = False
    return graph.csr.keep(kept)


def _owners(graph: DependencyGraph, component_of: Mapping[str, int], components: int) -> IntArray:
    """Return a number for each cycle and each package in none, which all packages of it share."""
    owner = np.arange(components, components + len(graph), dtype=np.int32)
    owner[graph.numbers(component_of)] = [component_of[name] for name in sorted(component_of)]
    return owner


def _waves(kept: Csr, owner: IntArray) -> IntArray:
    """Return the wave of each package, from 0; `kept` has no cycle."""
    tails, heads = kept.edges()
    inside = owner[tails] == owner[heads]
    step = _generations(kept.keep(inside))
    # A package may start a wave after its dependency: that says by how much the two groups must start apart.
    lags = (step[heads] + 1 - step[tails])[~inside]
    first = _starts(owner[tails[~inside]], owner[heads[~inside]], lags, int(owner.max(initial=-1)) + 1)
    return first[owner] + step


def _generations(kept: Csr) -> IntArray:
    """Return for each package how many must be built before it, one after the other."""
    return longest_to(kept.into, kept.out.degrees())


def _starts(dependents: IntArray, dependencies: IntArray, lags: IntArray, size: int) -> IntArray:
    """Return the first wave of each group: at least 0, and at least each lag after the one it depends on."""
    rows, order = Rows.group(dependencies, dependents, size)
    arriving = np.bincount(dependents, minlength=size).astype(np.int32)
    return longest_to(rows, arriving, lags[order])


def _named(graph: DependencyGraph, wave: IntArray) -> tuple[tuple[str, ...], ...]:
    waves: list[list[str]] = [[] for _ in range(int(wave.max(initial=-1)) + 1)]
    for name, number in zip(graph.names, wave.tolist(), strict=True):
        waves[number].append(name)
    return tuple(map(tuple, waves))


def _weights(graph: DependencyGraph, known: Mapping[str, float]) -> LengthArray:
    mean = sum(known.values()) / len(known) if known else _ONE_EACH
    return np.array([known.get(name, mean) for name in graph.names], dtype=np.float64)


def _leading_to(rows: Rows, back: Rows, weights: LengthArray) -> LengthArray:
    """Return the weight of the heaviest chain along `rows` that leads to each node, without its own."""
    return longest_to(rows, back.degrees(), np.repeat(weights, rows.degrees()))


def _needs(graph: DependencyGraph, kept: Csr) -> dict[str, tuple[str, ...]]:
    needed = tuple(map(graph.names.__getitem__, kept.out.targets.tolist()))
    ends = pairwise(kept.out.offsets.tolist())
    return {name: needed[start:end] for name, (start, end) in zip(graph.names, ends, strict=True)}
