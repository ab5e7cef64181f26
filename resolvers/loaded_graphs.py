"""The dependency graphs of a process: loaded once, as of an event position, and kept by what was selected."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from graph.dependencies import ALL_KINDS, DependencyGraph, Kind
from storage import dependencies, events, packages
from storage.database import Connection, Database
from storage.dependencies import Edge, GraphScope

# Of the 128 that can be asked for, each of which may take as much memory as the whole. Few are asked for in practice.
_KEPT: Final = 8


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

    def keep(self, selection: Selection, graph: DependencyGraph) -> None:
        self.selected[selection] = graph
        self.selected.move_to_end(selection)
        if len(self.selected) > _KEPT:
            self.selected.popitem(last=False)


class Graphs:
    """The graphs of this process. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loaded = _Loaded(position=0)
        self._loading = threading.Lock()

    @property
    def position(self) -> int:
        """The newest event that the loaded graphs have seen; 0 before the first is loaded."""
        return self._loaded.position

    def select(self, selection: Selection) -> DependencyGraph:
        """Return the graph that `selection` describes, as of the newest event.

        It has every registered package and every one that is required. The first call after a change to the catalogue
        reads the edges anew; the last few selections asked for are kept.
        """
        if selection.kinds == ALL_KINDS:
            selection = replace(selection, kinds=None)
        # One at a time: two threads that find the graph stale would both pay for it.
        with self._loading:
            if self._database.cursor() != self._loaded.position:
                self._loaded = _Loaded(self._database.cursor())
            found = self._loaded.selected.get(selection)
            if found is None:
                found = self._select(selection)
            self._loaded.keep(selection, found)
            return found

    def _select(self, selection: Selection) -> DependencyGraph:
        whole = self._loaded.whole.get(selection.scope)
        if whole is None:
            whole = self._load(selection.scope)
        return whole.select(selection.kinds, include_optional=selection.include_optional)

    def _load(self, scope: GraphScope) -> DependencyGraph:
        with self._database.read() as connection:
            position = events.newest(connection)
            if position != self._loaded.position:
                self._loaded = _Loaded(position)
            whole = self._loaded.whole[scope] = _read(connection, scope)
        return whole


def _read(connection: Connection, scope: GraphScope) -> DependencyGraph:
    registered = packages.ids_and_names(connection)
    rows = dependencies.edges(connection, scope)
    name_of = dict(registered)
    names = sorted({*name_of.values(), *(required for _, required, _, _ in rows)})
    place = {name: index for index, name in enumerate(names)}
    return DependencyGraph.build(names, *_columns(rows, name_of, place))


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
