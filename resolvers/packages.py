"""Registering, changing and deleting packages."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from resolvers.differences import package_differences
from resolvers.drafts import UpdateRequest, check_update, registered
from resolvers.errors import AlreadyExists, InUse, StillRequired
from resolvers.ledger import Ledger, fields_of
from resolvers.scheduling import Course
from resolvers.suggestions import unknown_package
from storage import dependencies, events, flow, packages, versions
from storage.database import Connection, Database
from storage.events import Change
from storage.rows import PackageRow
from storage.tables import EventKind, SubjectType
from storage.transitions import LIVE

# Enough to see what is at stake.
_REQUIRERS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """A package to be known."""

    name: str
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A package after a request, and the position of the newest event: that of the change, if there was one."""

    package: PackageRow
    cursor: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted."""

    name: str
    versions: int
    cursor: int


def register(
    database: Database, request: RegisterRequest, *, now: datetime, actor: str | None = None
) -> PackageChange:
    """Register a package. Equal content again changes nothing; other content is AlreadyExists."""
    wanted = UpdateRequest(request.name, description=request.description, labels=request.labels)
    fields = registered(request.name, wanted)

    def operation(connection: Connection) -> PackageRow:
        row = packages.by_name(connection, fields.name)
        if row is not None:
            differences = package_differences(fields_of(row), fields)
            if differences:
                raise AlreadyExists(fields.name, differences)
        return _applied(connection, wanted, now, actor)

    written = database.write(operation)
    return PackageChange(written.value, written.cursor)


def update(
    database: Database, request: UpdateRequest, *, now: datetime, actor: str | None = None
) -> PackageChange:
    """Change a package; nothing is written when nothing differs. Raises NotFound, IllegalTransition, BadInput."""
    check_update(request)

    def operation(connection: Connection) -> PackageRow:
        existing(connection, request.name)
        return _applied(connection, request, now, actor)

    with suggesting(database):
        written = database.write(operation)
    return PackageChange(written.value, written.cursor)


def delete(database: Database, name: str, *, force: bool, now: datetime) -> Deletion:
    """Delete a package with its versions, and its builds, which must have ended.

    Raises NotFound, InUse, and StillRequired unless `force`.
    """

    def operation(connection: Connection) -> int:
        row = existing(connection, name)
        requirers = dependencies.requirers(connection, name, limit=_REQUIRERS_SHOWN)
        if requirers.total and not force:
            raise StillRequired(name, requirers.names, requirers.total)
        flow.lock(connection, flow.of_package(connection, row.id, LIVE))
        live = flow.of_package(connection, row.id, LIVE)
        if live:
            raise InUse(name, len(live))
        forgotten = flow.forget(connection, row.id, now=now)
        deleted = versions.counts_of(connection, [row.id])[row.id]
        packages.delete(connection, row.id)
        if forgotten:
            course = Course(connection, now)
            course.lack(forgotten, f"package {name} was deleted")
            course.finish()
        change = Change(EventKind.PACKAGE_DELETED, SubjectType.PACKAGE, row.id, name)
        events.append(connection, [change], at=now)
        return deleted

    with suggesting(database):
        written = database.write(operation, alone=True)
    return Deletion(name, written.value, written.cursor)


def existing(connection: Connection, name: str) -> PackageRow:
    """Return the package of this name, or raise UnknownPackage."""
    row = packages.by_name(connection, name)
    if row is None:
        raise UnknownPackage(name)
    return row


class UnknownPackage(Exception):
    """Raised inside a transaction; `suggesting` makes it NotFound outside of one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@contextmanager
def suggesting(database: Database) -> Iterator[None]:
    """Turn UnknownPackage into NotFound with the close names. Comparing all names is nothing to hold a lock for."""
    try:
        yield
    except UnknownPackage as error:
        with database.read() as connection:
            known = packages.names(connection)
        raise unknown_package(error.name, known, path=("name",)) from None


def _applied(connection: Connection, request: UpdateRequest, now: datetime, actor: str | None) -> PackageRow:
    ledger = Ledger(connection, (), [request], now=now, actor=actor)
    ledger.update(request)
    ledger.write()
    return existing(connection, request.name)
