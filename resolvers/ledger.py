"""What a transaction is about to write.

How it works: one look at the database loads all that a number of drafts could
meet. Each draft is then decided in memory, against what is stored and what came
before it, and what was accepted is written in bulk at the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

import msgspec

from resolvers.acyclic import LatestNeeds
from resolvers.differences import Content, content_of_draft, content_of_row, version_differences
from resolvers.drafts import Draft, UpdateRequest, registered, updated
from resolvers.errors import ClosesCycle, OtherContent
from storage import dependencies, events, packages, versions
from storage.database import Connection
from storage.events import Change
from storage.rows import PackageRow
from storage.tables import DependencyFields, EventKind, PackageFields, SubjectType, VersionFields
from storage.transitions import PACKAGE_MOVES, VersionStatus, illegal


class Outcome(Enum):
    """What a draft changes."""

    NEW = auto()
    CHANGED = auto()
    UNCHANGED = auto()


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A version in the ledger."""

    id: int
    created: bool


@dataclass(slots=True)
class _Package:
    id: int
    fields: PackageFields
    versions: dict[bytes, "_Version"] = field(default_factory=dict)


class _Version(msgspec.Struct, frozen=True, gc=False):
    id: int
    text: str
    content: Content


class Ledger:
    """The packages and versions that a transaction adds or changes. Nothing is added before `write`."""

    def __init__(
        self,
        connection: Connection,
        drafts: Iterable[Draft],
        updates: Iterable[UpdateRequest] = (),
        *,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._now = now
        self._packages = _stored(connection, list(drafts), list(updates))
        self._latest: LatestNeeds | None = None
        self._changes: list[Change] = []
        self._accepted: list[Draft] = []
        self._new_packages: dict[int, _Package] = {}
        self._new_versions: list[tuple[int, int, VersionFields]] = []
        self._new_dependencies: list[tuple[int, int, int, DependencyFields]] = []
        self._package_id = packages.next_id(connection)
        self._version_id = versions.next_id(connection)
        self._dependency_id = dependencies.next_id(connection)

    def update(self, update: UpdateRequest) -> Outcome:
        """Register or change a package. Raises BadInput and IllegalTransition."""
        package = self._packages.get(update.name)
        if package is None:
            self._register(registered(update.name, update))
            return Outcome.NEW
        fields = updated(package.fields, update)
        if fields == package.fields:
            return Outcome.UNCHANGED
        self._change(package, fields)
        return Outcome.CHANGED

    def publish(self, draft: Draft) -> Entry:
        """Add a version, and its package when that is new. Raises OtherContent and ClosesCycle."""
        package = self._packages.get(draft.package)
        known = package.versions.get(draft.fields.sort_key) if package else None
        if known is not None:
            _check_equal(known, draft)
            return Entry(known.id, created=False)
        if draft.forbid_cycles:
            self._check_acyclic(draft)
        return self._add(package or self._register(registered(draft.package)), draft)

    def write(self) -> int:
        """Write what was accepted, with its events, and return the position of the newest event."""
        new_packages = ((package.id, package.fields) for package in self._new_packages.values())
        packages.insert(self._connection, new_packages, now=self._now)
        versions.insert(self._connection, self._new_versions, now=self._now)
        dependencies.insert(self._connection, self._new_dependencies)
        return events.append(self._connection, self._changes, at=self._now)

    @property
    def new_packages(self) -> int:
        """How many packages are new."""
        return len(self._new_packages)

    def _register(self, fields: PackageFields) -> _Package:
        package = _Package(self._package_id, fields)
        self._package_id += 1
        self._packages[fields.name] = self._new_packages[package.id] = package
        self._changes.append(_package_changed(package))
        return package

    def _change(self, package: _Package, fields: PackageFields) -> None:
        if package.id in self._new_packages:
            moved = fields.status in {package.fields.status, *PACKAGE_MOVES[package.fields.status]}
        else:
            moved = packages.update(self._connection, package.id, fields, now=self._now)
        if not moved:
            subject = f"package {fields.name}"
            raise illegal(PACKAGE_MOVES, subject, origin=package.fields.status, target=fields.status)
        package.fields = fields
        self._changes.append(_package_changed(package))

    def _add(self, package: _Package, draft: Draft) -> Entry:
        version = _Version(self._version_id, draft.fields.version, content_of_draft(draft))
        self._version_id += 1
        package.versions[draft.fields.sort_key] = version
        self._new_versions.append((version.id, package.id, draft.fields))
        for position, need in enumerate(draft.dependencies):
            self._new_dependencies.append((self._dependency_id, version.id, position, need))
            self._dependency_id += 1
        is_draft = draft.fields.status is VersionStatus.DRAFT
        kind = EventKind.VERSION_CHANGED if is_draft else EventKind.VERSION_PUBLISHED
        self._changes.append(Change(kind, SubjectType.VERSION, version.id, draft.package, version.text))
        self._accepted.append(draft)
        return Entry(version.id, created=True)

    def _check_acyclic(self, draft: Draft) -> None:
        if self._latest is None:
            self._latest = LatestNeeds(self._connection)
        # What was accepted since the last time; most batches never ask.
        for accepted in self._accepted:
            self._latest.add(accepted)
        self._accepted.clear()
        cycle = self._latest.cycle(draft.package, draft.dependencies, draft.forbid_cycles)
        if cycle is not None:
            raise ClosesCycle(cycle, path=("dependencies",))


def _package_changed(package: _Package) -> Change:
    return Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, package.id, package.fields.name)


def _check_equal(known: _Version, draft: Draft) -> None:
    sent = content_of_draft(draft)
    # Whole contents first: a file that is imported again is equal line by line.
    if known.content == sent:
        return
    differences = version_differences(known.content, sent, with_status=draft.names_status)
    if differences:
        raise OtherContent(draft.package, known.text, differences, path=("version",))


def _stored(connection: Connection, drafts: list[Draft], updates: list[UpdateRequest]) -> dict[str, _Package]:
    """Load what the drafts could meet: their packages, and the versions that are equal to theirs."""
    names = {draft.package for draft in drafts} | {update.name for update in updates}
    rows = packages.by_names(connection, names)
    found = {name: _Package(row.id, fields_of(row)) for name, row in rows.items()}
    wanted = {(rows[draft.package].id, draft.fields.sort_key) for draft in drafts if draft.package in rows}
    if wanted:
        _load_versions(connection, {package.id: package for package in found.values()}, wanted)
    return found


def _load_versions(
    connection: Connection, by_id: dict[int, _Package], wanted: set[tuple[int, bytes]]
) -> None:
    keys = [key for _, key in wanted]
    stored = versions.of_packages(connection, {id_ for id_, _ in wanted}, lowest=min(keys), highest=max(keys))
    equal = [stored[id_][key] for id_, key in wanted if key in stored[id_]]
    needs = dependencies.of_versions(connection, [row.id for row in equal])
    for row in equal:
        version = _Version(row.id, row.version, content_of_row(row, needs[row.id]))
        by_id[row.package_id].versions[row.sort_key] = version


def fields_of(row: PackageRow) -> PackageFields:
    """Return what is said of a stored package. It was checked when it was written."""
    return PackageFields(
        name=row.name,
        description=row.description,
        status=row.status,
        status_reason=row.status_reason,
        labels=row.labels,
    )
