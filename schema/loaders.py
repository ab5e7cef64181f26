"""Reads of one operation, batched: whatever asks for rows of one kind at the same time shares one statement."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import anyio
from strawberry.dataloader import DataLoader

from graph.constraints import parse_constraint
from graph.versions import parse_version, sort_key
from schema.pagination import Window
from storage import dependencies, packages, versions
from storage.database import Connection, Database
from storage.rows import CandidateRow, DependencyRow, PackageRow, VersionRow
from storage.transitions import VersionStatus

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")

Statuses = tuple[VersionStatus, ...] | None
Query = Callable[[Connection, Sequence[Key]], Mapping[Key, Row]]
_Read = Callable[[Callable[[Connection], Any]], Awaitable[Any]]


class Loaders:
    """One loader for each kind of row. They remember what they have read, so they serve one operation only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.package: DataLoader[int, PackageRow | None] = self._rows(packages.by_ids)
        self.package_by_name: DataLoader[str, PackageRow | None] = self._rows(packages.by_names)
        self.version: DataLoader[int, VersionRow | None] = self._rows(versions.by_ids)
        self.latest_version: DataLoader[int, VersionRow | None] = self._rows(versions.latest_of)
        self.dependency: DataLoader[int, DependencyRow | None] = self._rows(dependencies.by_ids)
        self.dependencies: DataLoader[int, list[DependencyRow] | None] = self._rows(dependencies.of_versions)
        self._by_key: DataLoader[tuple[int, bytes], VersionRow | None] = self._rows(_versions_by_key)
        self._candidates: DataLoader[tuple[str, str, int], list[VersionRow] | None] = self._rows(
            _candidates, read=self.read
        )
        self._pages: dict[tuple[Window[bytes], Statuses], DataLoader[int, list[VersionRow] | None]] = {}
        self._counts: dict[Statuses, DataLoader[int, int | None]] = {}

    async def version_by_text(self, package_id: int, text: str) -> VersionRow | None:
        """Return the version of a package that equals `text`, or None; raise InvalidVersion when it is none."""
        return await self._by_key.load((package_id, sort_key(parse_version(text))))

    async def versions_page(
        self, package_id: int, asked: Window[bytes], statuses: Statuses
    ) -> list[VersionRow]:
        """Return the versions of a page, newest first, and up to one more to tell whether others follow."""
        if (asked, statuses) not in self._pages:
            self._pages[asked, statuses] = self._rows(_pages_query(asked, statuses))
        return await self._pages[asked, statuses].load(package_id) or []

    async def count_versions(self, package_id: int, statuses: Statuses) -> int:
        """Return how many versions of a package have one of `statuses`."""
        if statuses not in self._counts:
            self._counts[statuses] = self._rows(
                lambda connection, ids: versions.counts_of(connection, ids, statuses=statuses)
            )
        return await self._counts[statuses].load(package_id) or 0

    async def candidates(self, package: str, constraint: str, limit: int) -> list[VersionRow]:
        """Return the newest PUBLISHED versions of a package that satisfy a constraint, newest first."""
        return await self._candidates.load((package, constraint, limit)) or []

    async def glance(self, query: Callable[[Connection], Row]) -> Row:
        """Return what `query` reads by one statement, in a thread."""
        return await anyio.to_thread.run_sync(_within, self._database.glance, query)

    async def read(self, query: Callable[[Connection], Row]) -> Row:
        """Return what `query` reads by several statements from one snapshot, in a thread."""
        return await anyio.to_thread.run_sync(_within, self._database.read, query)

    def _rows(self, query: Query[Key, Row], read: _Read | None = None) -> DataLoader[Key, Row | None]:
        """Return a loader by a query of one statement, or of several where they are read by `read`."""
        chosen: _Read = read or self.glance

        async def load(keys: list[Key]) -> list[Row | None]:
            rows = await chosen(lambda connection: query(connection, keys))
            return [rows.get(key) for key in keys]

        return DataLoader(load)


def _within(
    opened: Callable[[], AbstractContextManager[Connection]], query: Callable[[Connection], Row]
) -> Row:
    with opened() as connection:
        return query(connection)


def _pages_query(asked: Window[bytes], statuses: Statuses) -> Query[int, list[VersionRow]]:
    def query(connection: Connection, ids: Sequence[int]) -> Mapping[int, list[VersionRow]]:
        return versions.pages_of(
            connection,
            ids,
            limit=asked.size + 1,
            statuses=statuses,
            after=asked.after,
            before=asked.before,
            backwards=asked.backwards,
        )

    return query


def _versions_by_key(
    connection: Connection, keys: Sequence[tuple[int, bytes]]
) -> Mapping[tuple[int, bytes], VersionRow]:
    if len(keys) == 1:
        row = versions.by_key(connection, *keys[0])
        return {keys[0]: row} if row else {}
    sort_keys = [sort_key for _, sort_key in keys]
    package_ids = {package_id for package_id, _ in keys}
    # In one statement, and of packages with thousands of versions only the stretch that can be meant.
    rows = versions.of_packages(connection, package_ids, lowest=min(sort_keys), highest=max(sort_keys))
    return {key: rows[key[0]][key[1]] for key in keys if key[1] in rows.get(key[0], ())}


def _candidates(
    connection: Connection, keys: Sequence[tuple[str, str, int]]
) -> Mapping[tuple[str, str, int], list[VersionRow]]:
    known = versions.candidates_of(connection, {name for name, _, _ in keys})
    chosen = {key: _newest(known[key[0]].versions, *key[1:]) if key[0] in known else [] for key in keys}
    rows = versions.by_ids(connection, {each for ids in chosen.values() for each in ids})
    return {key: [rows[each] for each in ids if each in rows] for key, ids in chosen.items()}


def _newest(ascending: Sequence[CandidateRow], text: str, limit: int) -> list[int]:
    constraint = parse_constraint(text)
    chosen: list[int] = []
    for row in reversed(ascending):
        if row.status is VersionStatus.PUBLISHED and constraint.admits(row.sort_key, row.version):
            chosen.append(row.id)
            if len(chosen) == limit:
                break
    return chosen
