"""Publishing versions, moving them through their life cycle, and setting a draft's dependencies."""

from dataclasses import dataclass
from datetime import datetime

from resolvers.acyclic import LatestNeeds
from resolvers.differences import need_of
from resolvers.drafts import (
    DependencyRequest,
    PublishRequest,
    check_reason,
    checked_dependencies,
    draft_of,
    key_of,
)
from resolvers.errors import ClosesCycle, NotADraft, NotFound
from resolvers.ledger import Ledger
from resolvers.loaded_graphs import Graphs
from resolvers.packages import existing, suggesting
from storage import dependencies, events, history, versions
from storage.database import Connection, Database
from storage.events import Change
from storage.rows import VersionRow
from storage.tables import DependencyFields, EventKind, SubjectType
from storage.transitions import VERSION_MOVES, VersionStatus, illegal


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """A version's new status."""

    package: str
    version: str
    status: VersionStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DependenciesRequest:
    """A draft's new dependencies, in place of those it has; `forbid_cycles` are bits of `storage.tables.Kind`."""

    package: str
    version: str
    dependencies: tuple[DependencyRequest, ...]
    forbid_cycles: int = 0


@dataclass(frozen=True, slots=True)
class VersionChange:
    """A version after a request, and the position of the newest event: that of the change, if there was one."""

    version: VersionRow
    created: bool
    cursor: int


def publish(
    database: Database,
    request: PublishRequest,
    *,
    now: datetime,
    actor: str | None = None,
    graphs: Graphs | None = None,
) -> VersionChange:
    """Publish a version, registering its package when that is new.

    Equal content again changes nothing (`created` is False). Raises BadInput, BadVersion, BadConstraint, OtherContent
    and ClosesCycle. Whoever has `graphs` in memory spares a request that forbids cycles reading the whole catalogue.
    """
    draft = draft_of(request)
    graphs = graphs or Graphs(database)

    def operation(connection: Connection) -> tuple[VersionRow, bool]:
        ledger = Ledger(connection, [draft], now=now, actor=actor, graphs=graphs)
        entry = ledger.publish(draft)
        ledger.write()
        return versions.by_ids(connection, [entry.id])[entry.id], entry.created

    # What closes a cycle depends on all that others may be writing.
    written = database.write(operation, alone=bool(draft.forbid_cycles))
    row, created = written.value
    return VersionChange(row, created, written.cursor)


def set_status(
    database: Database, request: StatusRequest, *, now: datetime, actor: str | None = None
) -> VersionChange:
    """Move a version; the status and reason it has already change nothing. Raises NotFound, IllegalTransition, BadInput."""
    key = key_of(request.version)
    check_reason(request.reason)

    def operation(connection: Connection) -> VersionRow:
        row = _existing(connection, request.package, request.version, key)
        if (row.status, row.status_reason) == (request.status, request.reason):
            return row
        if not versions.set_status(
            connection, row.id, target=request.status, reason=request.reason, now=now, actor=actor
        ):
            subject = f"version {request.package} {row.version}"
            raise illegal(VERSION_MOVES, subject, origin=row.status, target=request.status)
        is_published = row.status is VersionStatus.DRAFT and request.status is VersionStatus.PUBLISHED
        kind = EventKind.VERSION_PUBLISHED if is_published else EventKind.VERSION_CHANGED
        moved = request.status is not row.status
        transition_id = history.last_of(connection, SubjectType.VERSION, row.id) if moved else None
        return _changed(connection, row, request.package, kind, now, transition_id)

    with suggesting(database):
        written = database.write(operation)
    return VersionChange(written.value, created=False, cursor=written.cursor)


def set_dependencies(
    database: Database,
    request: DependenciesRequest,
    *,
    as_admin: bool,
    now: datetime,
    graphs: Graphs | None = None,
) -> VersionChange:
    """Replace a version's dependencies; equal ones in equal order change nothing.

    Raises NotFound, NotADraft unless `as_admin`, ClosesCycle, BadInput and BadConstraint.
    """
    key = key_of(request.version)
    needs = checked_dependencies(request.dependencies)

    def operation(connection: Connection) -> VersionRow:
        row = _existing(connection, request.package, request.version, key)
        if row.status is not VersionStatus.DRAFT and not as_admin:
            raise NotADraft(request.package, row.version, row.status)
        stored = dependencies.of_versions(connection, [row.id])[row.id]
        if list(map(need_of, stored)) == list(map(need_of, needs)):
            return row
        _check_acyclic(connection, graphs or Graphs(database), request, needs)
        _replace(connection, row.id, needs, now)
        return _changed(connection, row, request.package, EventKind.DEPENDENCIES_CHANGED, now)

    with suggesting(database):
        written = database.write(operation, alone=bool(request.forbid_cycles))
    return VersionChange(written.value, created=False, cursor=written.cursor)


def _existing(connection: Connection, package: str, version: str, key: bytes) -> VersionRow:
    row = versions.by_key(connection, existing(connection, package).id, key)
    if row is None:
        raise NotFound(f"version {version} of package {package}", path=("version",))
    return row


def _check_acyclic(
    connection: Connection, graphs: Graphs, request: DependenciesRequest, needs: tuple[DependencyFields, ...]
) -> None:
    if request.forbid_cycles:
        cycle = LatestNeeds(connection, graphs).cycle(request.package, needs, request.forbid_cycles)
        if cycle is not None:
            raise ClosesCycle(cycle, path=("dependencies",))


def _replace(
    connection: Connection, version_id: int, needs: tuple[DependencyFields, ...], now: datetime
) -> None:
    # First of all: of two that set the same version's dependencies at once, one has to wait for the other here.
    versions.touch(connection, version_id, now=now)
    dependencies.delete_of(connection, version_id)
    ids = dependencies.ids(connection)
    rows = ((next(ids), version_id, position, need) for position, need in enumerate(needs))
    dependencies.insert(connection, rows)


def _changed(
    connection: Connection,
    row: VersionRow,
    package: str,
    kind: EventKind,
    now: datetime,
    transition_id: int | None = None,
) -> VersionRow:
    change = Change(kind, SubjectType.VERSION, row.id, package, row.version, transition_id=transition_id)
    events.append(connection, [change], at=now)
    return versions.by_ids(connection, [row.id])[row.id]
