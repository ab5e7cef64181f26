"""The build that a request is about: how it is found, how it is named, and what is handed back of it."""

from dataclasses import dataclass

from resolvers.errors import NotFound
from storage import builds, flow
from storage.build_rows import BuildRow
from storage.database import Connection
from storage.transitions import PackageStatus


@dataclass(frozen=True, slots=True)
class BuildChange:
    """A build after a request, and the position of the newest event: that of the change, if there was one."""

    build: BuildRow
    cursor: int


def existing(connection: Connection, build_id: int, *, argument: str = "id") -> BuildRow:
    """Return a build, kept from others until the end of the transaction, or raise NotFound."""
    flow.lock(connection, [build_id])
    row = builds.by_ids(connection, [build_id]).get(build_id)
    if row is None:
        raise NotFound("build of this id", path=(argument,))
    return row


def subject_of(connection: Connection, build_id: int) -> str:
    """Return a build as a reader would name it."""
    name = flow.names_of(connection, [build_id])[build_id]
    return f"the build of {name.package} {name.version}"


def held_reason(package: str, status: PackageStatus) -> str:
    """Return why nothing of a package is built."""
    return f"package {package} is {status}"
