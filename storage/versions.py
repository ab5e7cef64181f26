"""Reading and writing the versions of packages."""

import functools
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, false, func, select, true

from storage import dialects
from storage.dialects import any_of
from storage.rows import CandidateRow, PackageCandidates, VersionRow
from storage.statements import BulkInsert, Query, as_tuple, given
from storage.tables import PACKAGES, VERSIONS, VersionFields
from storage.transitions import VERSION_MOVES, PackageStatus, VersionStatus, origins


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, VersionRow]:
    """Return the versions with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


def existing(connection: Connection, ids: Iterable[int]) -> set[int]:
    """Return those of these ids that versions have, in one statement."""
    return set(_EXISTING.all(connection, ids=ids))


def by_key(connection: Connection, package_id: int, sort_key: bytes) -> VersionRow | None:
    """Return the version of a package that is equal to the one with this sort key, or None."""
    return _BY_KEY.one(connection, package_id=package_id, sort_key=sort_key)


def of_packages(
    connection: Connection, package_ids: Iterable[int], *, lowest: bytes = b"", highest: bytes | None = None
) -> dict[int, dict[bytes, VersionRow]]:
    """Return the versions of each package from `lowest` to `highest` (None: all) by sort key, ascending, in one statement."""
    found: dict[int, dict[bytes, VersionRow]] = {id_: {} for id_ in package_ids}
    values: dict[str, object] = {"ids": found, "lowest": lowest}
    if highest is not None:
        values["highest"] = highest
    for row in _OF_PACKAGES[highest is not None].all(connection, **values):
        found[row.package_id][row.sort_key] = row
    return found


def latest_of(connection: Connection, package_ids: Iterable[int]) -> dict[int, VersionRow]:
    """Return the latest version of each package that has one, in one statement.

    That is the newest PUBLISHED version that is no pre-release, else the newest PUBLISHED one.
    """
    return {row.package_id: row for row in _LATEST.all(connection, ids=package_ids)}


def pages_of(
    connection: Connection,
    package_ids: Iterable[int],
    *,
    limit: int,
    statuses: tuple[VersionStatus, ...] | None = None,
    after: bytes | None = None,
    before: bytes | None = None,
    backwards: bool = False,
) -> dict[int, list[VersionRow]]:
    """Return up to `limit` versions of each package, newest first: the newest of them, or `backwards` the oldest.

    One statement for any number of packages; a package without such versions has an empty list. `after` and
    `before` are sort keys, which are a version's place among those of its package.
    """
    values = given(statuses=statuses, after=after, before=before)
    pages: dict[int, list[VersionRow]] = {id_: [] for id_ in package_ids}
    query = _page_query(frozenset(values), backwards=backwards)
    for row in query.all(connection, ids=pages, limit=limit, **values):
        pages[row.package_id].append(row)
    return pages


def counts_of(
    connection: Connection, package_ids: Iterable[int], *, statuses: tuple[VersionStatus, ...] | None = None
) -> dict[int, int]:
    """Return how many versions each package has, in one statement."""
    counts = dict.fromkeys(package_ids, 0)
    values = given(statuses=statuses)
    counts.update(_count_query(frozenset(values)).all(connection, ids=counts, **values))
    return counts


def candidates_of(connection: Connection, names: Iterable[str]) -> dict[str, PackageCandidates]:
    """Return the packages registered under these names with all their versions, in one statement.

    A package without versions has an empty list; an unknown one is missing.
    """
    found: dict[str, PackageCandidates] = {}
    for row in _CANDIDATES.all(connection, names=names):
        package_id, name, status, id_, version, sort_key, is_prerelease, version_status, released_at = row
        package = found.get(name)
        if package is None:
            package = found[name] = PackageCandidates(package_id, name, status, [])
        if id_ is not None:
            candidate = CandidateRow(id_, version, sort_key, is_prerelease, version_status, released_at)
            package.versions.append(candidate)
    return found


def ids(connection: Connection) -> Iterator[int]:
    """Yield ids never given, ascending. They are the caller's, and nobody else may ask in this transaction."""
    return dialects.ids(connection, VERSIONS)


def insert(
    connection: Connection,
    rows: Iterable[tuple[int, int, VersionFields]],
    *,
    now: datetime,
    actor: str | None = None,
) -> None:
    """Write new versions, each as its id, its package's id and its content, as the work of `actor`."""
    _INSERT.run(
        connection,
        ((*_content(fields), id_, package_id, now, now, actor) for id_, package_id, fields in rows),
    )


def set_status(
    connection: Connection,
    id: int,
    *,
    target: VersionStatus,
    reason: str | None,
    now: datetime,
    actor: str | None = None,
) -> bool:
    """Move a version to `target`; False, and nothing done, when it may not move there from where it is."""
    moved = connection.execute(
        VERSIONS.update()
        .where(_C.id == id, _C.status.in_(origins(VERSION_MOVES, target)))
        .values(status=target, status_reason=reason, updated_at=now, changed_by=actor)
    )
    return moved.rowcount == 1


def touch(connection: Connection, id: int, *, now: datetime) -> None:
    """Note that a version's dependencies have changed."""
    connection.execute(VERSIONS.update().where(_C.id == id).values(updated_at=now))


def latest_id(package_id: ColumnElement[int]) -> ColumnElement[int]:
    """Return the expression for the id of the latest version of `package_id`: two seeks in an index."""
    return func.coalesce(_newest(package_id, false()), _newest(package_id, true()))


def _newest(package_id: ColumnElement[int], is_prerelease: ColumnElement[bool]) -> ColumnElement[int]:
    inner = VERSIONS.alias()
    return (
        select(inner.c.id)
        .where(
            inner.c.package_id == package_id,
            inner.c.status == VersionStatus.PUBLISHED,
            inner.c.is_prerelease == is_prerelease,
        )
        .order_by(inner.c.sort_key.desc())
        .limit(1)
        .correlate_except(inner)
        .scalar_subquery()
    )


_C: Final = VERSIONS.c
_COLUMNS: Final = tuple(_C[name] for name in VersionRow.__struct_fields__)
_ROW: Final = select(*_COLUMNS)
_EXISTING: Final = Query(select(_C.id).where(any_of(_C.id, "ids")), int)
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), VersionRow)
_BY_KEY: Final = Query(
    _ROW.where(_C.package_id == bindparam("package_id"), _C.sort_key == bindparam("sort_key")), VersionRow
)
_FROM: Final = _ROW.where(any_of(_C.package_id, "ids"), _C.sort_key >= bindparam("lowest"))
_OF_PACKAGES: Final = {
    False: Query(_FROM.order_by(_C.package_id, _C.sort_key), VersionRow),
    True: Query(
        _FROM.where(_C.sort_key <= bindparam("highest")).order_by(_C.package_id, _C.sort_key), VersionRow
    ),
}
_LATEST: Final = Query(
    _ROW.join_from(PACKAGES, VERSIONS, _C.id == latest_id(PACKAGES.c.id)).where(any_of(PACKAGES.c.id, "ids")),
    VersionRow,
)
_INSERT: Final = BulkInsert(VERSIONS)


def _content(fields: VersionFields) -> tuple[Any, ...]:
    return (
        fields.version,
        fields.sort_key,
        fields.is_prerelease,
        fields.status,
        fields.status_reason,
        fields.released_at,
        fields.digest,
        fields.labels,
    )


@functools.cache
def _page_query(parameters: frozenset[str], *, backwards: bool) -> Query[VersionRow]:
    order = _C.sort_key.asc() if backwards else _C.sort_key.desc()
    rank = func.row_number().over(partition_by=_C.package_id, order_by=order)
    conditions = (any_of(_C.package_id, "ids"), *map(_condition, parameters))
    ranked = select(*_COLUMNS, rank.label("rank")).where(*conditions).subquery()
    columns = [ranked.c[column.name] for column in _COLUMNS]
    query = select(*columns).where(ranked.c.rank <= bindparam("limit"))
    return Query(query.order_by(ranked.c.package_id, ranked.c.sort_key.desc()), VersionRow)


@functools.cache
def _count_query(parameters: frozenset[str]) -> Query[tuple[int, int]]:
    conditions = (any_of(_C.package_id, "ids"), *map(_condition, parameters))
    query = select(_C.package_id, func.count()).where(*conditions).group_by(_C.package_id)
    return Query(query, lambda package_id, count: (int(package_id), int(count)))


def _condition(parameter: str) -> ColumnElement[bool]:
    if parameter == "statuses":
        return any_of(_C.status, "statuses")
    place = bindparam(parameter, type_=_C.sort_key.type)
    return _C.sort_key < place if parameter == "after" else _C.sort_key > place


_CandidateColumns = tuple[
    int, str, PackageStatus, int | None, str, bytes, bool, VersionStatus, datetime | None
]


_P: Final = PACKAGES.c
_CANDIDATES: Final[Query[_CandidateColumns]] = Query(
    select(_P.id, _P.name, _P.status, *(_C[name] for name in CandidateRow.__struct_fields__))
    .join_from(PACKAGES, VERSIONS, isouter=True)
    .where(any_of(_P.name, "names"))
    .order_by(_P.name, _C.sort_key),
    as_tuple,
)
