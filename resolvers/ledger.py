"""What a transaction is about to write.

How it works: one look at the database loads all that a number of drafts could
meet. Each draft is then decided in memory, against what is stored and what came
before it, and what was accepted is written in bulk at the end.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

import msgspec

from resolvers.acyclic import LatestNeeds
from resolvers.differences import Content, content_of_draft, content_of_row, version_differences
from resolvers.drafts import Draft, UpdateRequest, registered, updated
from resolvers.errors import ClosesCycle, OtherContent
from resolvers.loaded_graphs import Graphs
from resolvers.scheduling import Course
from resolvers.subjects import held_reason
from storage import dependencies, events, history, packages, versions
from storage.build_conditions import HELD
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
        actor: str | None = None,
        graphs: Graphs | None = None,
        supposing: bool = False,
    ) -> None:
        """Load what `drafts` and `updates` could meet. With `supposing` it takes no ids, and cannot write.

        Drafts that forbid cycles need `graphs`.
        """
        self._connection = connection
        self._now = now
        self._actor = actor
        self._packages = _stored(connection, list(drafts), list(updates))
        self._graphs = graphs
        self._latest: LatestNeeds | None = None
        self._changes: list[Change] = []
        self._accepted: list[Draft] = []
        self._new_packages: dict[int, _Package] = {}
        self._new_versions: list[tuple[int, int, VersionFields]] = []
        self._new_dependencies: list[tuple[int, int, int, DependencyFields]] = []
        self._package_ids = _unreal() if supposing else packages.ids(connection)
        self._version_ids = _unreal() if supposing else versions.ids(connection)
        self._dependency_ids = _unreal() if supposing else dependencies.ids(connection)

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

    def write(self) -> None:
        """Write what was accepted, with its events."""
        new_packages = ((package.id, package.fields) for package in self._new_packages.values())
        packages.insert(self._connection, new_packages, now=self._now, actor=self._actor)
        versions.insert(self._connection, self._new_versions, now=self._now, actor=self._actor)
        dependencies.insert(self._connection, self._new_dependencies)
        events.append(self._connection, self._with_beginnings(), at=self._now)

    @property
    def new_packages(self) -> int:
        """How many packages are new."""
        return len(self._new_packages)

    def _register(self, fields: PackageFields) -> _Package:
        package = _Package(next(self._package_ids), fields)
        self._packages[fields.name] = self._new_packages[package.id] = package
        self._changes.append(_package_changed(package))
        return package

    def _change(self, package: _Package, fields: PackageFields) -> None:
        if package.id in self._new_packages:
            moved = fields.status in {package.fields.status, *PACKAGE_MOVES[package.fields.status]}
        else:
            moved = packages.update(self._connection, package.id, fields, now=self._now, actor=self._actor)
        if not moved:
            subject = f"package {fields.name}"
            raise illegal(PACKAGE_MOVES, subject, origin=package.fields.status, target=fields.status)
        has_moved = fields.status is not package.fields.status
        if package.id not in self._new_packages:
            _hold_or_free(self._connection, package, fields, self._now, self._actor)
        package.fields = fields
        self._changes.append(_package_changed(package, self._last_move(package) if has_moved else None))

    def _last_move(self, package: _Package) -> int | None:
        return history.last_of(self._connection, SubjectType.PACKAGE, package.id)

    def _with_beginnings(self) -> Iterator[Change]:
        """Yield the changes; the first of each new subject with the transition that the database began its history with."""
        begun = {
            SubjectType.PACKAGE: self._beginnings(SubjectType.PACKAGE, self._new_packages),
            SubjectType.VERSION: self._beginnings(
                SubjectType.VERSION, [version_id for version_id, _, _ in self._new_versions]
            ),
        }
        for change in self._changes:
            transition_id = begun[change.subject_type].pop(change.subject_id, None)
            yield msgspec.structs.replace(change, transition_id=transition_id) if transition_id else change

    def _beginnings(self, subject_type: SubjectType, ids: Collection[int]) -> dict[int, int]:
        return history.lasts_of(self._connection, subject_type, ids) if ids else {}

    def _add(self, package: _Package, draft: Draft) -> Entry:
        version = _Version(next(self._version_ids), draft.fields.version, content_of_draft(draft))
        package.versions[draft.fields.sort_key] = version
        self._new_versions.append((version.id, package.id, draft.fields))
        for position, need in enumerate(draft.dependencies):
            self._new_dependencies.append((next(self._dependency_ids), version.id, position, need))
        is_draft = draft.fields.status is VersionStatus.DRAFT
        kind = EventKind.VERSION_CHANGED if is_draft else EventKind.VERSION_PUBLISHED
        self._changes.append(Change(kind, SubjectType.VERSION, version.id, draft.package, version.text))
        self._accepted.append(draft)
        return Entry(version.id, created=True)

    def _check_acyclic(self, draft: Draft) -> None:
        if self._latest is None:
            assert self._graphs is not None
            self._latest = LatestNeeds(self._connection, self._graphs)
        # What was accepted since the last time; most batches never ask.
        for accepted in self._accepted:
            self._latest.add(accepted)
        self._accepted.clear()
        cycle = self._latest.cycle(draft.package, draft.dependencies, draft.forbid_cycles)
        if cycle is not None:
            raise ClosesCycle(cycle, path=("dependencies",))


def _hold_or_free(
    connection: Connection, package: _Package, fields: PackageFields, now: datetime, actor: str | None
) -> None:
    """Take the builds of a package that is not to be built any more out of the queue, or put them back."""
    was_held, is_held = package.fields.status in HELD, fields.status in HELD
    if was_held is is_held:
        return
    course = Course(connection, now, actor)
    if is_held:
        course.hold(package.id, held_reason(fields.name, fields.status))
    else:
        course.free(package.id)
    course.finish()


def _unreal() -> Iterator[int]:
    """Yield ids that no row has."""
    return itertools.count(-1, -1)


def _package_changed(package: _Package, transition_id: int | None = None) -> Change:
    return Change(
        EventKind.PACKAGE_CHANGED,
        SubjectType.PACKAGE,
        package.id,
        package.fields.name,
        transition_id=transition_id,
    )


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
