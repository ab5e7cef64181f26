"""Reads of one operation, batched: whatever asks for rows of one kind at the same time shares one statement."""

from collections.abc import Mapping, Sequence

from strawberry.dataloader import DataLoader

from graph.constraints import parse_constraint
from graph.versions import parse_version, sort_key
from schema.batching import Family, Query, Reads
from schema.build_loaders import BuildLoaders
from schema.pagination import Window
from storage import alert_rules, alerts, deliveries, dependencies, error_groups, packages, versions
from storage.database import Connection, Database
from storage.monitoring_rows import AlertRow, AlertRuleRow, DeliveryRow, ErrorGroupRow
from storage.rows import CandidateRow, DependencyRow, PackageRow, VersionRow
from storage.transitions import VersionStatus

Statuses = tuple[VersionStatus, ...] | None


class Loaders(Reads):
    """One loader for each kind of row. They remember what they have read, so they serve one operation only."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.builds = BuildLoaders(self)
        self.package: DataLoader[int, PackageRow | None] = self.rows(packages.by_ids)
        self.package_by_name: DataLoader[str, PackageRow | None] = self.rows(packages.by_names)
        self.version: DataLoader[int, VersionRow | None] = self.rows(versions.by_ids)
        self.latest_version: DataLoader[int, VersionRow | None] = self.rows(versions.latest_of)
        self.dependency: DataLoader[int, DependencyRow | None] = self.rows(dependencies.by_ids)
        self.dependencies: DataLoader[int, list[DependencyRow] | None] = self.rows(dependencies.of_versions)
        self.error_group: DataLoader[int, ErrorGroupRow | None] = self.rows(error_groups.by_ids)
        self.alert: DataLoader[int, AlertRow | None] = self.rows(alerts.by_ids)
        self.alert_rule: DataLoader[int, AlertRuleRow | None] = self.rows(alert_rules.by_ids)
        self.deliveries: DataLoader[int, list[DeliveryRow] | None] = self.rows(deliveries.of_alerts)
        """By alert."""
        self._by_key: DataLoader[tuple[int, bytes], VersionRow | None] = self.rows(_versions_by_key)
        self._candidates: DataLoader[tuple[str, str, int], list[VersionRow] | None] = self.rows(
            _candidates, read=self.read
        )
        self._pages: Family[tuple[Window[bytes], Statuses], int, list[VersionRow]] = Family(
            lambda asked: self.rows(_pages_query(*asked))
        )
        self._counts: Family[Statuses, int, int] = Family(lambda asked: self.rows(_counts_query(asked)))

    async def version_by_text(self, package_id: int, text: str) -> VersionRow | None:
        """Return the version of a package that equals `text`, or None; raise InvalidVersion when it is none."""
        return await self._by_key.load((package_id, sort_key(parse_version(text))))

    async def versions_page(
        self, package_id: int, asked: Window[bytes], statuses: Statuses
    ) -> list[VersionRow]:
        """Return the versions of a page, newest first, and up to one more to tell whether others follow."""
        return await self._pages.load((asked, statuses), package_id) or []

    async def count_versions(self, package_id: int, statuses: Statuses) -> int:
        """Return how many versions of a package have one of `statuses`."""
        return await self._counts.load(statuses, package_id) or 0

    async def candidates(self, package: str, constraint: str, limit: int) -> list[VersionRow]:
        """Return the newest PUBLISHED versions of a package that satisfy a constraint, newest first."""
        return await self._candidates.load((package, constraint, limit)) or []


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


def _counts_query(statuses: Statuses) -> Query[int, int]:
    return lambda connection, ids: versions.counts_of(connection, ids, statuses=statuses)


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
