"""What is read for checks that only those can make who know what versions, constraints and names are."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select

from storage.checks import subjects
from storage.dialects import any_of
from storage.images import IMAGES
from storage.statements import Query, as_tuple

_PACKAGES: Final = IMAGES["packages"]
_VERSIONS: Final = IMAGES["package_versions"]
_DEPENDENCIES: Final = IMAGES["dependencies"]

# Read at once, for memory.
_BATCH: Final = 20_000


class VersionText(NamedTuple):
    """A version's text, with what should follow from it."""

    id: int
    package_id: int
    text: str
    sort_key: bytes
    is_prerelease: bool


class Said(NamedTuple):
    """A text that dependencies say, with the first that does."""

    text: str
    dependency_id: int
    times: int


def versions(connection: Connection) -> Iterator[VersionText]:
    """Yield every version."""
    last = 0
    while rows := _VERSION_TEXTS.all(connection, after=last, limit=_BATCH):
        yield from rows
        last = rows[-1].id


def versions_of(connection: Connection, package_ids: Collection[int]) -> list[VersionText]:
    """Return every version of these packages."""
    return _OF_PACKAGES.all(connection, ids=package_ids)


def package_names(connection: Connection) -> list[tuple[int, str]]:
    """Return the id and the name of every package."""
    return _NAMES.all(connection)


def names_said(connection: Connection) -> list[Said]:
    """Return the names of packages that dependencies say."""
    return _NAMES_SAID.all(connection)


def constraints_said(connection: Connection) -> list[Said]:
    """Return the constraints that dependencies say."""
    return _CONSTRAINTS_SAID.all(connection)


def set_keys(connection: Connection, right: Iterable[VersionText], *, now: datetime) -> None:
    """Set the sort keys of versions and whether they are pre-releases, and tell of it."""
    rows = list(right)
    # What one lets go of another may need.
    _set(connection, (row._replace(sort_key=b"\xff%d" % row.id) for row in rows), now)
    _set(connection, rows, now)
    subjects.tell(connection, "package_versions", (row.id for row in rows), at=now)


def _set(connection: Connection, rows: Iterable[VersionText], now: datetime) -> None:
    update = (
        _VERSIONS.update()
        .where(_VERSIONS.c.id == bindparam("of"))
        .values(sort_key=bindparam("key"), is_prerelease=bindparam("pre"), updated_at=now)
    )
    connection.execute(
        update, [{"of": row.id, "key": row.sort_key, "pre": row.is_prerelease} for row in rows]
    )


_V: Final = _VERSIONS.c
_TEXT: Final = select(_V.id, _V.package_id, _V.version, _V.sort_key, _V.is_prerelease).order_by(_V.id)
_VERSION_TEXTS: Final = Query(_TEXT.where(_V.id > bindparam("after")).limit(bindparam("limit")), VersionText)
_OF_PACKAGES: Final = Query(_TEXT.where(any_of(_V.package_id, "ids")), VersionText)
_NAMES: Final[Query[tuple[int, str]]] = Query(
    select(_PACKAGES.c.id, _PACKAGES.c.name).order_by(_PACKAGES.c.id), as_tuple
)


def _said(column: Any) -> Select[Any]:
    first = func.min(_DEPENDENCIES.c.id)
    return select(column, first, func.count()).group_by(column).order_by(first)


_NAMES_SAID: Final = Query(_said(_DEPENDENCIES.c.package_name), Said)
_CONSTRAINTS_SAID: Final = Query(_said(_DEPENDENCIES.c.constraint), Said)
