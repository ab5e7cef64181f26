"""The dependency graphs of a process: loaded once, brought up to date from the event log, and kept by what was selected.

How it works: an event tells of which package the edges may have changed; those of just these packages are read again and applied
to each graph that is kept. To do so twice changes nothing, so it does not matter if a read sees more than the events tell of yet.
A graph that has much laid over it is compacted in a thread, and takes in what has changed meanwhile before it takes its place.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from graph.changes import Change, Need
from graph.dependencies import ALL_KINDS, DependencyGraph, Kind
from storage import dependencies, events, packages
from storage.database import Connection, Database
from storage.dependencies import Edge, GraphScope
from storage.tables import EventKind

# Of the 128 that can be asked for, each of which may take as much memory as the whole. Few are asked for in practice.
_KEPT: Final = 8

# To read so many packages again takes about as long as to read a catalogue of some ten thousand anew.
_MOST_EVENTS: Final = 5_000

_OF_THE_CATALOGUE: Final = (
    EventKind.PACKAGE_CHANGED,
    EventKind.PACKAGE_DELETED,
    EventKind.VERSION_PUBLISHED,
    EventKind.VERSION_CHANGED,
    EventKind.DEPENDENCIES_CHANGED,
)

_Job: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the catalogue's dependencies make the graph that is asked about."""

    kinds: Kind | None = None
    """None: all kinds."""
    scope: GraphScope = GraphScope.LATEST
    include_optional: bool = False


@dataclass(slots=True)
class _Loaded:
    """The graphs asked for so far, as of one position of the event log."""

    position: int
    whole: dict[GraphScope, DependencyGraph] = field(default_factory=dict)
    selected: OrderedDict[Selection, DependencyGraph] = field(default_factory=OrderedDict)
    """Those used last, the newest at the end."""
    missed: dict[GraphScope, list[Change]] = field(default_factory=dict)
    """What has changed since the compaction of this graph began; no entry where none is under way."""

    def keep(self, selection: Selection, graph: DependencyGraph) -> None:
        self.selected[selection] = graph
        self.selected.move_to_end(selection)
        if len(self.selected) > _KEPT:
            self.selected.popitem(last=False)

    def of(self, scope: GraphScope) -> dict[Selection, DependencyGraph]:
        return {selection: graph for selection, graph in self.selected.items() if selection.scope is scope}

    def apply(self, scope: GraphScope, changes: list[Change]) -> None:
        """Bring the graphs of `scope` up to date."""
        if scope in self.missed:
            self.missed[scope].extend(changes)
        self._take(scope, self.whole[scope], self.of(scope), changes)

    def adopt(
        self, scope: GraphScope, whole: DependencyGraph, selected: Mapping[Selection, DependencyGraph]
    ) -> None:
        """Put these, which were compacted, in the place of those of `scope`."""
        self._take(scope, whole, selected, self.missed.pop(scope))

    def _take(
        self,
        scope: GraphScope,
        whole: DependencyGraph,
        selected: Mapping[Selection, DependencyGraph],
        changes: Collection[Change],
    ) -> None:
        whole = self.whole[scope] = whole.applied(changes)
        names = {change.package for change in changes}
        for kept in self.of(scope):
            terms = (kept.kinds, kept.include_optional)
            graph = selected.get(kept)
            self.selected[kept] = (
                whole.select(*terms) if graph is None else graph.following(whole, names, *terms)
            )


def _in_a_thread(job: _Job) -> None:
    threading.Thread(target=job, name="compaction").start()


class Graphs:
    """The graphs of this process. Every method may be called from any thread."""

    def __init__(self, database: Database, in_background: Callable[[_Job], None] = _in_a_thread) -> None:
        """`in_background` is given work of up to a second that nobody waits for; it must not run it at once."""
        self._database = database
        self._in_background = in_background
        self._loaded = _Loaded(position=0)
        self._lock = threading.Lock()

    @property
    def position(self) -> int:
        """The newest event that the loaded graphs have seen; 0 before the first is loaded."""
        return self._loaded.position

    @property
    def size(self) -> tuple[int, int]:
        """How many packages and how many dependencies the largest loaded graph has."""
        graphs = list(self._loaded.whole.values())
        return max(map(len, graphs), default=0), max((each.edge_count for each in graphs), default=0)

    def select(self, selection: Selection) -> DependencyGraph:
        """Return the graph that `selection` describes, as of the newest event.

        It has every registered package and every one that is required. The first call after a change to the catalogue
        reads the edges of what has changed; the last few selections asked for are kept.
        """
        if selection.kinds == ALL_KINDS:
            selection = replace(selection, kinds=None)
        position = self._database.cursor()
        with self._lock:
            if selection.scope in self._loaded.whole and self._loaded.position == position:
                return self._selected(selection)
        # One at a time: two threads that find the graph behind would both pay for it. The connection first, since who has
        # one may come for the graph, and the snapshot after that, so that it is no older than what another has loaded.
        with self._database.read() as connection, self._lock:
            self._catch_up(connection)
            return self._select(connection, selection)

    def within(self, connection: Connection, selection: Selection) -> DependencyGraph:
        """Return the graph that `selection` describes with all that `connection` sees, changes without a position too.

        If others have moved on since it began to look, with what they have done as well. It must not have written to the
        catalogue itself.
        """
        with self._lock:
            if events.newest(connection) >= self._loaded.position:
                self._catch_up(connection)
                self._apply(connection, events.packages_ahead(connection))
                return self._select(connection, selection)
            if selection.scope in self._loaded.whole:
                return self._selected(selection)
        # Too old to be kept for others.
        return _read(connection, selection.scope).select(selection.kinds, selection.include_optional)

    def _select(self, connection: Connection, selection: Selection) -> DependencyGraph:
        if selection.scope not in self._loaded.whole:
            self._loaded.whole[selection.scope] = _read(connection, selection.scope)
        return self._selected(selection)

    def _selected(self, selection: Selection) -> DependencyGraph:
        found = self._loaded.selected.get(selection)
        if found is None:
            found = self._loaded.whole[selection.scope].select(selection.kinds, selection.include_optional)
        self._loaded.keep(selection, found)
        return found

    def _catch_up(self, connection: Connection) -> None:
        """Bring all graphs to what `connection` sees, or drop them where the events between do not tell how."""
        position = events.newest(connection)
        changed = _changed(connection, self._loaded.position, position)
        if changed is None:
            self._loaded = _Loaded(position)
        else:
            self._apply(connection, changed)
        self._loaded.position = position

    def _apply(self, connection: Connection, changed: Collection[str]) -> None:
        """Read the edges of these packages again, and have them in all graphs."""
        if not changed:
            return
        registered = packages.by_names(connection, changed).keys()
        for scope in self._loaded.whole:
            self._loaded.apply(scope, _changes(connection, scope, changed, registered))
            self._compact_if_worn(scope)

    def _compact_if_worn(self, scope: GraphScope) -> None:
        loaded = self._loaded
        whole, selected = loaded.whole[scope], loaded.of(scope)
        if scope not in loaded.missed and whole.is_worn:
            loaded.missed[scope] = []
            self._in_background(lambda: self._compact(loaded, scope, whole, selected))

    def _compact(
        self,
        loaded: _Loaded,
        scope: GraphScope,
        whole: DependencyGraph,
        selected: Mapping[Selection, DependencyGraph],
    ) -> None:
        try:
            compacted = whole.compacted()
            parts = {selection: graph.compacted(compacted) for selection, graph in selected.items()}
        except BaseException:
            # The graph as it is serves on, and may be compacted later.
            with self._lock:
                del loaded.missed[scope]
            raise
        with self._lock:
            loaded.adopt(scope, compacted, parts)


def _changed(connection: Connection, since: int, until: int) -> set[str] | None:
    """Return the packages whose edges may have changed between two positions; None when that cannot be told."""
    oldest = events.oldest(connection)
    if until < since or (until > since and (oldest is None or oldest > since + 1)):
        return None
    news = events.after(connection, since, limit=_MOST_EVENTS + 1, kinds=_OF_THE_CATALOGUE)
    if len(news) > _MOST_EVENTS:
        return None
    return {event.package for event in news if event.package is not None}


def _changes(
    connection: Connection, scope: GraphScope, names: Collection[str], registered: Collection[str]
) -> list[Change]:
    """Return what is true of these packages now, those that are not registered included."""
    needs: dict[str, list[Need]] = {name: [] for name in names}
    for dependent, dependency, kinds, optional in dependencies.edges_of(connection, scope, names):
        needs[dependent].append(Need(dependency, kinds, optional))
    return [Change(name, name in registered, tuple(needs[name])) for name in names]


def _read(connection: Connection, scope: GraphScope) -> DependencyGraph:
    registered = packages.ids_and_names(connection)
    rows = dependencies.edges(connection, scope)
    name_of = dict(registered)
    names = sorted({*name_of.values(), *(required for _, required, _, _ in rows)})
    place = {name: index for index, name in enumerate(names)}
    is_registered = set(name_of.values())
    return DependencyGraph.build(
        names,
        *_columns(rows, name_of, place),
        np.fromiter((name in is_registered for name in names), np.bool_, len(names)),
    )


_Column: TypeAlias = npt.NDArray[np.integer[Any]]


def _columns(
    rows: list[Edge], name_of: dict[int, str], place: dict[str, int]
) -> tuple[_Column, _Column, _Column, npt.NDArray[np.bool_]]:
    size = len(rows)
    return (
        np.fromiter((place[name_of[row[0]]] for row in rows), np.int32, size),
        np.fromiter((place[row[1]] for row in rows), np.int32, size),
        np.fromiter((row[2] for row in rows), np.uint8, size),
        np.fromiter((row[3] for row in rows), np.bool_, size),
    )
