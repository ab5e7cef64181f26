"""The dependency graph: packages by name, and what needs what.

How it works: every declared dependency is kept as a row of nine bytes, as it was given. A selection of kinds filters the rows;
the edges among packages, each once, are merged from the rows that are left when they are first needed. Packages are numbered in
name order, so that whatever prefers the smaller number prefers the smaller name, and no answer depends on the order of the input.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Final

import networkx as nx
import numpy as np
import numpy.typing as npt

from graph.csr import BoolArray, Csr, FlagArray, IntArray, Rows
from graph.errors import GraphError
from graph.reach import breadth_first, never


class Kind(IntFlag):
    """What a dependency is needed for; one may have several kinds."""

    RUNTIME = 1
    BUILD = 2
    TEST = 4
    DEV = 8
    PEER = 16


ALL_KINDS: Final = Kind.RUNTIME | Kind.BUILD | Kind.TEST | Kind.DEV | Kind.PEER

# An edge is optional only if every row of it is. Kept the other way round, merging rows is or-ing their bytes.
REQUIRED: Final = 32


class NotInGraph(GraphError):
    """The graph has no package of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the dependency graph has no package {self.name!r}"


@dataclass(frozen=True, slots=True, order=True)
class GraphEdge:
    """One package needs another, for at least one of the kinds that were asked for."""

    dependent: str
    dependency: str
    kinds: Kind
    optional: bool


@dataclass(frozen=True, slots=True)
class Traversal:
    """Packages found, nearest first, in name order where equally near."""

    nodes: tuple[str, ...]
    distances: tuple[int, ...]
    via: tuple[str, ...]
    """For each package the neighbour one step nearer by which it was reached, the first by name."""
    truncated: bool
    """There may be more: a budget ran out."""


class DependencyGraph:
    """An immutable graph of packages; an edge leads from the dependent to its dependency."""

    __networkx_backend__: ClassVar = "buildatlas"

    def __init__(self, names: tuple[str, ...], numbers: Mapping[str, int], rows: "_Rows") -> None:
        """Use `build`: the names here ascend."""
        self.names = names
        self._numbers = numbers
        self._rows = rows

    @classmethod
    def build(
        cls,
        names: Sequence[str],
        dependents: npt.NDArray[np.integer[Any]],
        dependencies: npt.NDArray[np.integer[Any]],
        kinds: npt.NDArray[np.integer[Any]],
        optional: npt.NDArray[np.bool_],
    ) -> "DependencyGraph":
        """Return the graph of rows that name their packages by place in `names`; rows may repeat.

        Costs least when `names` ascend. Raises ValueError for a name given twice or a place or kind that does not exist.
        """
        _check(len(names), dependents, dependencies, kinds)
        flags = kinds.astype(np.uint8) | np.where(optional, 0, REQUIRED).astype(np.uint8)
        rows = _Rows(dependents.astype(np.int32), dependencies.astype(np.int32), flags)
        if not all(first < second for first, second in pairwise(names)):
            names, rows = _in_name_order(names, rows)
        return cls(tuple(names), {name: number for number, name in enumerate(names)}, rows)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def is_directed(self) -> bool:
        """Tell networkx, which asks before it hands over."""
        return True

    def is_multigraph(self) -> bool:
        """Tell networkx: an edge has all its kinds."""
        return False

    @cached_property
    def csr(self) -> Csr:
        """The edges by number: from dependents to dependencies, each once, flagged with kinds and REQUIRED."""
        return Csr.build(len(self), self._rows.tails, self._rows.heads, self._rows.flags)

    def number(self, name: str) -> int | None:
        """Return the place of `name` in `names`, or None when the graph has no such package."""
        return self._numbers.get(name)

    def numbers(self, names: Iterable[str]) -> IntArray:
        """Return the places of `names`, ascending and each once. Raises NotInGraph."""
        places = set()
        for name in names:
            if (place := self._numbers.get(name)) is None:
                raise NotInGraph(name)
            places.add(place)
        return np.array(sorted(places), dtype=np.int32)

    def names_of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        return tuple(map(self.names.__getitem__, numbers))

    def edges_at(self, places: IntArray) -> Iterator[GraphEdge]:
        """Yield the edges at these places of `csr.flags`."""
        csr = self.csr
        # The row of a place is the last that starts at or before it; empty rows before it start there too.
        tails = np.searchsorted(csr.out.offsets, places, side="right") - 1
        columns = (tails.tolist(), csr.out.targets[places].tolist(), csr.flags[places].tolist())
        for tail, head, flags in zip(*columns, strict=True):
            optional = not flags & REQUIRED
            yield GraphEdge(self.names[tail], self.names[head], Kind(flags & ALL_KINDS), optional)

    def edges_among(self, names: Iterable[str]) -> tuple[GraphEdge, ...]:
        """Return the dependencies of these packages on each other, in name order. Raises NotInGraph."""
        return tuple(self._edges_among(self.numbers(names)))

    def _edges_among(self, nodes: IntArray) -> Iterator[GraphEdge]:
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[nodes] = True
        places, _ = self.csr.out.places(nodes)
        return self.edges_at(places[chosen[self.csr.out.targets[places]]])

    def places_of(self, edges: Iterable[GraphEdge]) -> IntArray:
        """Return where these edges of this graph stand in `csr.flags`."""
        ends = [(self._numbers[edge.dependent], self._numbers[edge.dependency]) for edge in edges]
        tails, heads = np.array(ends, dtype=np.int32).reshape(-1, 2).T
        return self.csr.places(tails, heads)

    def select(self, kinds: Kind | None, include_optional: bool) -> "DependencyGraph":
        """Return the graph of the dependencies of these kinds (None: all), over the same packages.

        Its edges have no other kinds than these. The whole price of it is paid here and at the first use; keep it.
        """
        if kinds in {None, ALL_KINDS} and include_optional:
            return self
        wanted = np.uint8(ALL_KINDS if kinds is None else kinds)
        flags = self._rows.flags & (wanted | np.uint8(REQUIRED))
        chosen = (flags & wanted) != 0
        if not include_optional:
            chosen &= (flags & REQUIRED) != 0
        return DependencyGraph(self.names, self._numbers, _Rows(*self._rows.ends(chosen), flags[chosen]))

    def induced(self, names: Iterable[str]) -> "DependencyGraph":
        """Return the graph of these packages and the dependencies among them. Raises NotInGraph."""
        chosen = self.numbers(names)
        if len(chosen) == len(self):
            return self
        kept = self.names_of(chosen.tolist())
        number = np.full(len(self), -1, dtype=np.int32)
        number[chosen] = np.arange(len(chosen), dtype=np.int32)
        tails, heads = number[self._rows.tails], number[self._rows.heads]
        inside = (tails >= 0) & (heads >= 0)
        rows = _Rows(tails[inside], heads[inside], self._rows.flags[inside])
        return DependencyGraph(kept, {name: place for place, name in enumerate(kept)}, rows)

    def subgraph(self, names: Iterable[str]) -> "nx.DiGraph[str]":
        """Return the graph among `names` as networkx has it, for what is small. Raises NotInGraph."""
        nodes = self.numbers(names)
        answer: nx.DiGraph[str] = nx.DiGraph()
        answer.add_nodes_from(self.names_of(nodes.tolist()))
        for edge in self._edges_among(nodes):
            answer.add_edge(edge.dependent, edge.dependency, kinds=edge.kinds, optional=edge.optional)
        return answer

    def dependencies(
        self,
        *names: str,
        transitive: bool = False,
        budget: int | None = None,
        should_stop: Callable[[], bool] = never,
    ) -> Traversal:
        """Return what these packages need, directly or also indirectly, without these packages themselves.

        At most `budget` packages are found. `should_stop` is asked once a distance. Raises NotInGraph.
        """
        return self._traversal(self.csr.out, self.csr.into, names, transitive, budget, should_stop)

    def dependents(
        self,
        *names: str,
        transitive: bool = False,
        budget: int | None = None,
        should_stop: Callable[[], bool] = never,
    ) -> Traversal:
        """Return what needs any of these packages, under the terms of `dependencies`."""
        return self._traversal(self.csr.into, self.csr.out, names, transitive, budget, should_stop)

    def _traversal(
        self,
        rows: Rows,
        back: Rows,
        names: Iterable[str],
        transitive: bool,
        budget: int | None,
        should_stop: Callable[[], bool],
    ) -> Traversal:
        depth = None if transitive else 1
        found = breadth_first(
            rows, back, self.numbers(names), depth=depth, budget=budget, should_stop=should_stop
        )
        return Traversal(
            self.names_of(found.order.tolist()),
            tuple(found.distance[found.order].tolist()),
            self.names_of(found.via[found.order].tolist()),
            found.truncated,
        )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Declared dependencies as given, unmerged."""

    tails: IntArray
    heads: IntArray
    flags: FlagArray

    def ends(self, chosen: BoolArray) -> tuple[IntArray, IntArray]:
        return self.tails[chosen], self.heads[chosen]


def _check(
    size: int,
    dependents: npt.NDArray[np.integer[Any]],
    dependencies: npt.NDArray[np.integer[Any]],
    kinds: npt.NDArray[np.integer[Any]],
) -> None:
    for ends in (dependents, dependencies):
        if len(ends) and (ends.min() < 0 or ends.max() >= size):
            raise ValueError(f"a row names a package outside the {size:,} that were given")
    if len(kinds) and (kinds.min() < 1 or kinds.max() > ALL_KINDS):
        raise ValueError("a row has no kind, or one that does not exist")


def _in_name_order(names: Sequence[str], rows: _Rows) -> tuple[list[str], _Rows]:
    if len(set(names)) != len(names):
        raise ValueError("a package name is given twice")
    order = sorted(range(len(names)), key=names.__getitem__)
    number = np.empty(len(names), dtype=np.int32)
    number[order] = np.arange(len(names), dtype=np.int32)
    return [names[place] for place in order], _Rows(number[rows.tails], number[rows.heads], rows.flags)
