"""The dependency graph: packages by name, and what needs what.

How it works: every declared dependency is kept as a row of nine bytes, as it was given. A selection of kinds filters the rows;
the edges among packages, each once, are merged from the rows that are left when they are first needed. Packages are numbered in
name order, so that whatever prefers the smaller number prefers the smaller name, and no answer depends on the order of the input.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntFlag
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, ClassVar, Final

import networkx as nx
import numpy as np
import numpy.typing as npt

from graph.changes import EVERYTHING, OPTIONAL_BITS, Change, check_kinds, mask, masked, row
from graph.csr import BoolArray, Csr, FlagArray, IntArray, Neighbours
from graph.errors import GraphError
from graph.overlay import Overlay, Renumbered, Row, replaced, row_of
from graph.precedence import Precedence
from graph.reach import breadth_first, never, shortest_way
from graph.roster import Roster, name_order


class Kind(IntFlag):
    """What a dependency is needed for; one may have several kinds."""

    RUNTIME = 1
    BUILD = 2
    TEST = 4
    DEV = 8
    PEER = 16


ALL_KINDS: Final = Kind.RUNTIME | Kind.BUILD | Kind.TEST | Kind.DEV | Kind.PEER

# The part of a graph that may lie over it before it is compacted, and how much is too little to trouble with.
WORN: Final = 0.05
LEAST_WORN: Final = 1_000


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

    def __init__(self, roster: Roster, edges: Csr | Overlay, precedence: Precedence | None = None) -> None:
        """Use `build`."""
        self._roster = roster
        self._edges = edges
        self._precedence = precedence

    @classmethod
    def build(
        cls,
        names: Sequence[str],
        dependents: npt.NDArray[np.integer[Any]],
        dependencies: npt.NDArray[np.integer[Any]],
        kinds: npt.NDArray[np.integer[Any]],
        optional: npt.NDArray[np.bool_],
        registered: npt.NDArray[np.bool_] | None = None,
    ) -> "DependencyGraph":
        """Return the graph of rows that name their packages by place in `names`; rows may repeat.

        A package that is not `registered` (None: all are) leaves the graph with the last that needs it. Costs least when
        `names` ascend. Raises ValueError for a name given twice or a place or kind that does not exist.
        """
        _check(len(names), dependents, dependencies, kinds)
        flags = kinds.astype(np.uint16) << np.where(optional, OPTIONAL_BITS, 0).astype(np.uint16)
        tails, heads = dependents.astype(np.int32), dependencies.astype(np.int32)
        registered = np.ones(len(names), dtype=np.bool_) if registered is None else registered
        if not all(first < second for first, second in pairwise(names)):
            order, number = name_order(names)
            names, registered = [names[place] for place in order], registered[order]
            tails, heads = number[tails], number[heads]
        return cls(Roster.of(tuple(names), registered), Csr.build(len(names), tails, heads, flags))

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._roster.number(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def is_directed(self) -> bool:
        """Tell networkx, which asks before it hands over."""
        return True

    def is_multigraph(self) -> bool:
        """Tell networkx: an edge has all its kinds."""
        return False

    @property
    def names(self) -> tuple[str, ...]:
        """All packages, in name order."""
        return self._roster.names

    @cached_property
    def csr(self) -> Csr:
        """The edges by number, in one piece: from dependents to dependencies, flagged with `flag_bits`.

        To put them together costs as much as a look at all of them; a graph that was built or compacted has them so.
        """
        edges = self._edges
        if isinstance(edges, Csr) and self._roster.order is None:
            return edges
        return Csr.gathered(self.out, edges.flags)

    @cached_property
    def out(self) -> Neighbours:
        """What each package needs, by number."""
        return self._numbered(self._edges.out)

    @cached_property
    def into(self) -> Neighbours:
        """What needs each package, by number."""
        return self._numbered(self._edges.into)

    def _numbered(self, rows: Neighbours) -> Neighbours:
        order, numbers = self._roster.order, self._roster.numbers
        return rows if order is None or numbers is None else Renumbered.over(rows, order, numbers)

    def number(self, name: str) -> int | None:
        """Return the place of `name` in `names`, or None when the graph has no such package."""
        return self._roster.number(name)

    def numbers(self, names: Iterable[str]) -> IntArray:
        """Return the places of `names`, ascending and each once. Raises NotInGraph."""
        places = set()
        for name in names:
            if (place := self._roster.number(name)) is None:
                raise NotInGraph(name)
            places.add(place)
        return np.array(sorted(places), dtype=np.int32)

    def names_of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        return self._roster.names_of(numbers)

    def edges_at(self, places: IntArray) -> Iterator[GraphEdge]:
        """Yield the edges at these places of `csr.flags`."""
        csr = self.csr
        # The row of a place is the last that starts at or before it; empty rows before it start there too.
        tails = np.searchsorted(csr.out.offsets, places, side="right") - 1
        return self._named(tails, csr.out.targets[places], csr.flags[places])

    def edges_among(self, names: Iterable[str]) -> tuple[GraphEdge, ...]:
        """Return the dependencies of these packages on each other, in name order. Raises NotInGraph."""
        return tuple(self._edges_among(self.numbers(names)))

    def _edges_among(self, nodes: IntArray) -> Iterator[GraphEdge]:
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[nodes] = True
        places, lengths = self.out.places(nodes)
        heads = self.out.at(places)
        inside = chosen[heads]
        return self._named(
            np.repeat(nodes, lengths)[inside], heads[inside], self._edges.flags[places[inside]]
        )

    def _named(self, tails: npt.NDArray[Any], heads: IntArray, flags: FlagArray) -> Iterator[GraphEdge]:
        names = (self.names_of(tails.tolist()), self.names_of(heads.tolist()))
        for tail, head, bits in zip(*names, flags.tolist(), strict=True):
            yield GraphEdge(
                tail, head, Kind((bits | bits >> OPTIONAL_BITS) & ALL_KINDS), not bits & ALL_KINDS
            )

    def places_of(self, edges: Iterable[GraphEdge]) -> IntArray:
        """Return where these edges of this graph stand in `csr.flags`."""
        ends = [(self.number(edge.dependent), self.number(edge.dependency)) for edge in edges]
        tails, heads = np.array(ends, dtype=np.int32).reshape(-1, 2).T
        return self.csr.places(tails, heads)

    def select(self, kinds: Kind | None, include_optional: bool) -> "DependencyGraph":
        """Return the graph of the dependencies of these kinds (None: all), over the same packages.

        Its edges have no other kinds than these. It costs a look at all edges; keep it.
        """
        wanted = mask(kinds, include_optional)
        if wanted == EVERYTHING:
            return self
        return DependencyGraph(self._roster, _in_one_piece(self._edges).masked(wanted))

    def applied(self, changes: Iterable[Change]) -> "DependencyGraph":
        """Return the graph as it is after `changes`, of which the last for a package counts.

        Packages that are neither registered nor needed are not in it any more. The same when nothing is different. It costs
        what has changed and a copy of some numbers for each package. Raises ValueError for a package that needs something
        and is not registered, and for a kind that does not exist.
        """
        last = {change.package: change for change in changes}
        # To forget a package that was never known is no change.
        known = [it for it in last.values() if it.is_registered or self._roster.slot(it.package) is not None]
        needed = (need.package for change in known for need in change.needs)
        roster = self._roster.with_slots(chain((change.package for change in known), needed))
        rows = [row(roster, change) for change in known]
        edges = replaced(self._edges, rows, roster.size)
        roster = roster.with_registered(
            {made.node: change.is_registered for made, change in zip(rows, known, strict=True)}
        )
        touched = {made.node for made in rows}.union(
            *(made.heads.tolist() for made in rows),
            *(row_of(self._edges, made.node).heads.tolist() for made in rows),
        )
        roster = roster.with_present(
            {slot: bool(roster.registered[slot]) or len(edges.into.of(slot)) > 0 for slot in touched}
        )
        return self._with(roster, edges, rows)

    def _with(self, roster: Roster, edges: Csr | Overlay, rows: Sequence[Row]) -> "DependencyGraph":
        """Return the graph of `edges`, which differ from those here in `rows`."""
        if roster is self._roster and edges is self._edges:
            return self
        order = self._precedence
        if order is not None:
            order = order.advanced(edges.out, edges.into, [made.node for made in rows])
        return DependencyGraph(roster, edges, order)

    def following(
        self, whole: "DependencyGraph", names: Iterable[str], kinds: Kind | None, include_optional: bool
    ) -> "DependencyGraph":
        """Return what `whole` gives by `select`, in the way of `applied`.

        This graph was selected so from a graph that `whole` was made from by changes to these packages.
        """
        wanted = mask(kinds, include_optional)
        if wanted == EVERYTHING:
            return whole
        slots = {slot for name in names if (slot := whole._roster.slot(name)) is not None}
        rows = [masked(row_of(whole._edges, slot), wanted) for slot in sorted(slots)]
        return self._with(whole._roster, replaced(self._edges, rows, whole._roster.size), rows)

    def compacted(self, like: "DependencyGraph | None" = None) -> "DependencyGraph":
        """Return the same graph in one piece. It takes the names of `like`, which is compacted and has the same, if given."""
        if self.csr is self._edges:
            return self
        roster = self._roster.compacted() if like is None else like._roster
        return DependencyGraph(roster, self.csr, self._precedence and Precedence.of(self.csr))

    @property
    def edge_count(self) -> int:
        """How many edges there are."""
        return len(self._edges.flags) if isinstance(self._edges, Csr) else self._edges.edge_count

    @property
    def is_worn(self) -> bool:
        """Whether so much lies over the graph that it is worth while to have it `compacted`."""
        if isinstance(self._edges, Csr):
            return False
        edges = self._edges.edge_count
        laid_over = self._edges.patched + self._roster.patched
        return (
            laid_over > max((edges + len(self)) * WORN, LEAST_WORN) or self._edges.wasted > edges + LEAST_WORN
        )

    def cycle_through(self, name: str, needs: Collection[str]) -> tuple[str, ...] | None:
        """Return a shortest cycle that there would be if `name` needed `needs` and nothing else, or None.

        It begins and ends with `name`, the first by name of those as short. Where there is none this takes some microseconds
        as a rule, and where it takes longest as much as a search of the graph. The first such question to a graph, if none
        was asked of those it was made from, has the price of `components`.
        """
        if name in needs:
            return name, name
        goal = self.number(name)
        heads = sorted(number for need in needs if (number := self.number(need)) is not None)
        window = None if goal is None else self._window(heads, goal)
        if goal is None or window is None:
            return None
        seeds = np.array([head for head in heads if window[head]], dtype=np.int32)
        way = shortest_way(self.out, self.into, seeds, goal, window)
        return None if way is None else (name, *self.names_of(way))

    def _window(self, heads: Sequence[int], tail: int) -> BoolArray | None:
        """Mark packages among which all paths from `heads` to `tail` run, or return None if there is none for certain."""
        edges, order = self._edges, self._roster.order
        if self._precedence is None:
            self._precedence = Precedence.of(_in_one_piece(edges))
        if order is None:
            return self._precedence.window(edges.out, edges.into, heads, tail)
        slots = order[heads].tolist()
        window = self._precedence.window(edges.out, edges.into, slots, int(order[tail]))
        return None if window is None else window[order]

    def induced(self, names: Iterable[str]) -> "DependencyGraph":
        """Return the graph of these packages and the dependencies among them. Raises NotInGraph."""
        chosen = self.numbers(names)
        if len(chosen) == len(self):
            return self
        kept = self.names_of(chosen.tolist())
        return DependencyGraph(Roster.of(kept, np.ones(len(kept), dtype=np.bool_)), self.csr.induced(chosen))

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
        return self._traversal(self.out, self.into, names, transitive, budget, should_stop)

    def dependents(
        self,
        *names: str,
        transitive: bool = False,
        budget: int | None = None,
        should_stop: Callable[[], bool] = never,
    ) -> Traversal:
        """Return what needs any of these packages, under the terms of `dependencies`."""
        return self._traversal(self.into, self.out, names, transitive, budget, should_stop)

    def _traversal(
        self,
        rows: Neighbours,
        back: Neighbours,
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


def _in_one_piece(edges: Csr | Overlay) -> Csr:
    return edges if isinstance(edges, Csr) else Csr.gathered(edges.out, edges.flags)


def _check(
    size: int,
    dependents: npt.NDArray[np.integer[Any]],
    dependencies: npt.NDArray[np.integer[Any]],
    kinds: npt.NDArray[np.integer[Any]],
) -> None:
    for ends in (dependents, dependencies):
        if len(ends) and (ends.min() < 0 or ends.max() >= size):
            raise ValueError(f"a row names a package outside the {size:,} that were given")
    if len(kinds):
        check_kinds(int(kinds.min()), int(kinds.max()))
