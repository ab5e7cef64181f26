"""Whether a new version would close a dependency cycle.

How it works: the graph of the latest versions that this process keeps in memory is brought to what the transaction
sees, and asked for a way back. Versions that are about to be written take their place in it before they are stored.
"""

from collections.abc import Iterable

from graph.changes import Change, Need
from graph.dependencies import DependencyGraph, Kind
from resolvers.drafts import Draft
from resolvers.loaded_graphs import Graphs, Selection
from storage import packages, versions
from storage.database import Connection
from storage.tables import DependencyFields
from storage.transitions import VersionStatus

_Rank = tuple[bool, bytes]
"""What makes a version the latest: whether it is final, then its sort key."""


class LatestNeeds:
    """What the latest version of each package needs, as it will be after this transaction.

    Nobody else may write to the catalogue meanwhile, and this transaction not before the first question.
    """

    def __init__(self, connection: Connection, graphs: Graphs) -> None:
        self._connection = connection
        self._graphs = graphs
        self._ranks: dict[str, _Rank | None] = {}
        self._added: list[Draft] = []
        self._asked: dict[int, tuple[DependencyGraph, int]] = {}
        """By kinds: the graph, and how many of those that were added are in it."""

    def add(self, draft: Draft) -> None:
        """Take into account a version that is about to be written."""
        if draft.fields.status is not VersionStatus.PUBLISHED:
            return
        rank, latest = (not draft.fields.is_prerelease, draft.fields.sort_key), self._rank(draft.package)
        if latest is None or latest < rank:
            self._ranks[draft.package] = rank
            self._added.append(draft)

    def cycle(self, package: str, needs: Iterable[DependencyFields], kinds: int) -> tuple[str, ...] | None:
        """Return a shortest cycle that `needs` would close through `package` over `kinds`, or None.

        It begins and ends with `package`. Optional dependencies close no cycle.
        """
        needed = {need.package_name for need in needs if need.kinds & kinds and not need.optional}
        return self._graph(kinds).cycle_through(package, needed)

    def _graph(self, kinds: int) -> DependencyGraph:
        graph, known = self._asked.get(kinds) or (self._stored(kinds), 0)
        graph = graph.applied(_change(draft, kinds) for draft in self._added[known:])
        self._asked[kinds] = graph, len(self._added)
        return graph

    def _stored(self, kinds: int) -> DependencyGraph:
        return self._graphs.within(self._connection, Selection(Kind(kinds)))

    def _rank(self, package: str) -> _Rank | None:
        """Return the rank of the latest version of a package, or None when it has none."""
        if package not in self._ranks:
            row = packages.by_name(self._connection, package)
            latest = versions.latest_of(self._connection, [row.id]).get(row.id) if row else None
            self._ranks[package] = (not latest.is_prerelease, latest.sort_key) if latest else None
        return self._ranks[package]


def _change(draft: Draft, kinds: int) -> Change:
    wanted = (need for need in draft.dependencies if need.kinds & kinds and not need.optional)
    needs = (Need(need.package_name, need.kinds & kinds, optional=False) for need in wanted)
    return Change(draft.package, is_registered=True, needs=tuple(needs))
