"""Whether a new version would close a dependency cycle.

How it works: a breadth-first search from what the version needs, through the
latest version of each package, until it meets the version's own package. Each
level is read in three statements, and kept for the next search of the same
transaction. Versions that are about to be written take their place among the
latest ones before they are stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from resolvers.drafts import Draft
from storage import dependencies, packages, versions
from storage.database import Connection
from storage.tables import DependencyFields
from storage.transitions import VersionStatus


@dataclass(frozen=True, slots=True)
class _Latest:
    is_final: bool
    sort_key: bytes
    needs: tuple[tuple[str, int, bool], ...]
    """Package name, kinds, optional."""

    def is_older_than(self, is_final: bool, sort_key: bytes) -> bool:
        return (self.is_final, self.sort_key) < (is_final, sort_key)


class LatestNeeds:
    """What the latest version of each package needs, as it will be after this transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._latest: dict[str, _Latest | None] = {}

    def add(self, draft: Draft) -> None:
        """Take into account a version that is about to be written."""
        if draft.fields.status is not VersionStatus.PUBLISHED:
            return
        self._load([draft.package])
        is_final, key = not draft.fields.is_prerelease, draft.fields.sort_key
        latest = self._latest[draft.package]
        if latest is None or latest.is_older_than(is_final, key):
            needs = tuple((need.package_name, need.kinds, need.optional) for need in draft.dependencies)
            self._latest[draft.package] = _Latest(is_final, key, needs)

    def cycle(self, package: str, needs: Iterable[DependencyFields], kinds: int) -> tuple[str, ...] | None:
        """Return a shortest cycle that `needs` would close through `package` over `kinds`, or None.

        It begins and ends with `package`. Optional dependencies close no cycle.
        """
        first = sorted({need.package_name for need in needs if need.kinds & kinds and not need.optional})
        needed_by: dict[str, str] = dict.fromkeys(first, package)
        level = first
        while level and package not in needed_by:
            self._load(level)
            beyond: dict[str, str] = {}
            for name in level:
                for needed in self._needs(name, kinds):
                    if needed not in needed_by:
                        beyond.setdefault(needed, name)
            needed_by.update(beyond)
            level = list(beyond)
        return _path(needed_by, package) if package in needed_by else None

    def _needs(self, name: str, kinds: int) -> Iterable[str]:
        latest = self._latest[name]
        needs = latest.needs if latest is not None else ()
        return (needed for needed, of_kinds, optional in needs if of_kinds & kinds and not optional)

    def _load(self, names: Iterable[str]) -> None:
        missing = [name for name in names if name not in self._latest]
        if not missing:
            return
        self._latest.update(dict.fromkeys(missing))
        name_of = {row.id: row.name for row in packages.by_names(self._connection, missing).values()}
        latest = {row.id: row for row in versions.latest_of(self._connection, name_of).values()}
        needs = dependencies.of_versions(self._connection, latest)
        for row in latest.values():
            edges = tuple((need.package_name, need.kinds, need.optional) for need in needs[row.id])
            self._latest[name_of[row.package_id]] = _Latest(not row.is_prerelease, row.sort_key, edges)


def _path(needed_by: dict[str, str], package: str) -> tuple[str, ...]:
    path = [package]
    while len(path) == 1 or path[-1] != package:
        path.append(needed_by[path[-1]])
    return tuple(reversed(path))
