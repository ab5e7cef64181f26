"""A catalogue in memory that parses what it is asked for and keeps it, as the stored one does."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from benchmarks.families import Need, Registry
from graph import constraints
from graph.catalogue import Candidate, Candidates, Declaration, Mention, Status
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.names import close_names
from graph.versions import parse_version, sort_key


class Declared(NamedTuple):
    """A dependency as it is written."""

    package: str
    constraint: str
    kinds: Kind = Kind.RUNTIME
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One version as it is written."""

    version: str
    declared: Sequence[Declared] = ()
    is_yanked: bool = False
    released_at: datetime | None = None


@dataclass(frozen=True)
class Rows:
    """A registry as it is written: the versions of each package, in any order."""

    versions: Mapping[str, Sequence[Row]]

    @cached_property
    def said_of(self) -> Mapping[str, Mapping[Declared, datetime | None]]:
        """What is declared about each package, and since when: the index that storage has, made by one look at all."""
        said: dict[str, dict[Declared, datetime | None]] = {}
        for versions in self.versions.values():
            for row in versions:
                for declared in row.declared:
                    known = said.setdefault(declared.package, {})
                    known[declared] = _earlier(known.get(declared, row.released_at), row.released_at)
        return said


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """What has no date is taken to have been there always."""
    return None if one is None or other is None else min(one, other)


class Shelf:
    """A `graph.catalogue.Catalogue` over rows. To make one costs nothing: all parsing is done when asked."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._by_id: list[Row] = []
        self._candidates: dict[str, Candidates] = {}
        self._declared: dict[int, Sequence[Declaration]] = {}
        self._mentions: dict[str, Sequence[Mention]] = {}

    def candidates(self, packages: Collection[str]) -> Mapping[str, Candidates]:
        for package in packages:
            if package not in self._candidates and package in self._rows.versions:
                self._candidates[package] = self._placed(package)
        return {package: self._candidates[package] for package in packages if package in self._candidates}

    def _placed(self, package: str) -> Candidates:
        found = [self._candidate(row) for row in self._rows.versions[package]]
        return Candidates(package, Status.ACTIVE, tuple(sorted(found, key=lambda candidate: candidate.key)))

    def _candidate(self, row: Row) -> Candidate:
        self._by_id.append(row)
        version = parse_version(row.version)
        status = Status.YANKED if row.is_yanked else Status.PUBLISHED
        return Candidate(
            len(self._by_id) - 1,
            row.version,
            sort_key(version),
            version.is_prerelease,
            status,
            row.released_at,
        )

    def dependencies(self, versions: Sequence[Candidate]) -> Sequence[Sequence[Declaration]]:
        for version in versions:
            if version.id not in self._declared:
                self._declared[version.id] = [
                    Declaration(package, parse_constraint(constraint), kinds, optional)
                    for package, constraint, kinds, optional in self._by_id[version.id].declared
                ]
        return [self._declared[version.id] for version in versions]

    def close_names(self, package: str) -> Sequence[str]:
        return close_names(package, list(self._rows.versions))

    def mentions(self, packages: Collection[str]) -> Mapping[str, Sequence[Mention]]:
        for package in packages:
            if package not in self._mentions:
                said = self._rows.said_of.get(package, {})
                self._mentions[package] = [_mention(declared, since) for declared, since in said.items()]
        return {package: self._mentions[package] for package in packages}


def _mention(declared: Declared, since: datetime | None) -> Mention:
    return Mention(parse_constraint(declared.constraint), declared.kinds, declared.optional, since)


def rows_of(registry: Registry) -> Rows:
    """Write a made-up registry down."""
    return Rows(
        {
            package: [
                Row(str(version), [_declared(need) for need in needs]) for version, needs in rows.items()
            ]
            for package, rows in registry.items()
        }
    )


def _declared(need: Need) -> Declared:
    return Declared(need.package, need.constraint)


def forget_texts() -> None:
    """Empty what this process keeps of texts that it has parsed, so that the next catalogue starts cold."""
    parse_version.cache_clear()
    constraints._kept.cache_clear()
