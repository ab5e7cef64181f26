"""Reading and writing what versions declare that they need."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, case, false, func, or_, select

from storage import dialects
from storage.columns import is_storable
from storage.dialects import any_of
from storage.rows import DependencyRow
from storage.statements import BulkInsert, Query, as_tuple
from storage.tables import DEPENDENCIES, PACKAGES, VERSIONS, DependencyFields, Kind
from storage.transitions import PackageStatus, VersionStatus
from storage.versions import latest_id


class GraphScope(StrEnum):
    """Which versions make the package graph.

    LATEST is the edges of each package's latest version, ALL those of every PUBLISHED, DEPRECATED or YANKED version.
    """

    LATEST = "LATEST"
    ALL = "ALL"


Need = tuple[int, str, str, int, bool]
"""Version id, package name, constraint, kinds, optional."""

Mention = tuple[str, str, int, bool, datetime | None]
"""Name of the package required, constraint, kinds, optional, and the earliest release that says so (None: undated)."""

Edge = tuple[int, str, int, bool]
"""Id of the package that requires, name of the one required, kinds, optional."""

NamedEdge = tuple[str, str, int, bool]
"""Name of the package that requires, name of the one required, kinds, optional."""


@dataclass(frozen=True, slots=True)
class Requirers:
    """Who requires a package."""

    names: tuple[str, ...]
    """The first of them, in the order of their names."""
    total: int


def of_versions(connection: Connection, version_ids: Iterable[int]) -> dict[int, list[DependencyRow]]:
    """Return the dependencies of each version in declaration order, an empty list for one without; one statement."""
    found: dict[int, list[DependencyRow]] = {id_: [] for id_ in version_ids}
    for row in _OF_VERSIONS.all(connection, ids=found):
        found[row.version_id].append(row)
    return found


def needs_of(connection: Connection, version_ids: Iterable[int]) -> list[Need]:
    """Return what these versions need, by version and in declaration order, in one statement."""
    return _NEEDS.all(connection, ids=version_ids)


def mentions_of(connection: Connection, names: Iterable[str]) -> list[Mention]:
    """Return what versions that can be picked declare about these packages, each declaration once.

    None of a QUARANTINED package can. Constraints that neither pin by `==` nor name a pre-release are left out. In an
    order that no database's language changes.
    """
    return sorted(_MENTIONS.all(connection, names=names), key=lambda mention: mention[:4])


def closure_of(connection: Connection, names: Iterable[str], *, limit: int) -> list[str]:
    """Return the registered ones of `names` and, up to `limit`, what their latest versions need to run, directly or not.

    One statement; nearest first, so that a limit leaves out what is farthest.
    """
    return _CLOSURE.all(connection, names=names, limit=limit)


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, DependencyRow]:
    """Return the dependencies with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


def requirers(connection: Connection, name: str, *, limit: int) -> Requirers:
    """Return which other packages have a version, of whatever status, that requires `name`."""
    if not is_storable(name):
        return Requirers((), 0)
    names = _REQUIRERS.all(connection, name=name)
    return Requirers(tuple(names[:limit]), len(names))


def edges(connection: Connection, scope: GraphScope) -> list[Edge]:
    """Return the distinct edges of the package graph, in no order."""
    return _EDGES[scope].all(connection)


def edges_of(connection: Connection, scope: GraphScope, names: Iterable[str]) -> list[NamedEdge]:
    """Return the distinct edges of the package graph that lead from these packages, in no order."""
    return _EDGES_OF[scope].all(connection, names=names)


def ids(connection: Connection) -> Iterator[int]:
    """Yield ids never given, ascending. They are the caller's, and nobody else may ask in this transaction."""
    return dialects.ids(connection, DEPENDENCIES)


def insert(connection: Connection, rows: Iterable[tuple[int, int, int, DependencyFields]]) -> None:
    """Write new dependencies, each as its id, its version's id, its position and its content."""
    _INSERT.run(
        connection, ((*_content(fields), id_, version_id, at) for id_, version_id, at, fields in rows)
    )


def delete_of(connection: Connection, version_id: int) -> None:
    """Delete every dependency of a version."""
    connection.execute(DEPENDENCIES.delete().where(_C.version_id == version_id))


_C: Final = DEPENDENCIES.c
_ROW: Final = select(*(_C[name] for name in DependencyRow.__struct_fields__))


_OF_VERSIONS: Final = Query(
    _ROW.where(any_of(_C.version_id, "ids")).order_by(_C.version_id, _C.position), DependencyRow
)
_NEEDS: Final[Query[Need]] = Query(
    select(_C.version_id, _C.package_name, _C.constraint, _C.kinds, _C.optional)
    .where(any_of(_C.version_id, "ids"))
    .order_by(_C.version_id, _C.position),
    as_tuple,
)
# Not IN, whose values SQLAlchemy writes anew at each execution.
_CAN_BE_PICKED: Final = or_(
    *(
        VERSIONS.c.status == status
        for status in (VersionStatus.PUBLISHED, VersionStatus.DEPRECATED, VersionStatus.YANKED)
    )
)
_SAID: Final = (_C.package_name, _C.constraint, _C.kinds, _C.optional)
_RELEASED_AT: Final = VERSIONS.c.released_at
# What pins has "==" in it, and what names a pre-release a letter: a small part of what there is to parse.
_MAY_SAY_MORE: Final = or_(
    _C.constraint.contains("=="), func.lower(_C.constraint) != func.upper(_C.constraint)
)
_MENTIONS: Final[Query[Mention]] = Query(
    select(*_SAID, case((func.count() == func.count(_RELEASED_AT), func.min(_RELEASED_AT))).label("since"))
    .join_from(DEPENDENCIES, VERSIONS)
    .join(PACKAGES)
    .where(
        any_of(_C.package_name, "names"),
        _MAY_SAY_MORE,
        _CAN_BE_PICKED,
        PACKAGES.c.status != PackageStatus.QUARANTINED,
    )
    .group_by(*_SAID),
    as_tuple,
)


def _closure() -> Select[tuple[str]]:
    reached = select(PACKAGES.c.id, PACKAGES.c.name).where(any_of(PACKAGES.c.name, "names"))
    found = reached.cte("reached", recursive=True)
    needed = (
        select(PACKAGES.c.id, PACKAGES.c.name)
        .join_from(found, VERSIONS, VERSIONS.c.id == latest_id(found.c.id))
        .join(DEPENDENCIES, _C.version_id == VERSIONS.c.id)
        .join(PACKAGES, PACKAGES.c.name == _C.package_name)
        .where(_C.kinds.bitwise_and(Kind.RUNTIME.value) != 0, _C.optional == false())
    )
    everything = found.union(needed)
    return select(everything.c.name).limit(bindparam("limit"))


_CLOSURE: Final = Query(_closure(), str)
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), DependencyRow)
_REQUIRERS: Final = Query(
    select(PACKAGES.c.name)
    .join_from(DEPENDENCIES, VERSIONS)
    .join(PACKAGES)
    .where(_C.package_name == bindparam("name"), PACKAGES.c.name != bindparam("name"))
    .distinct()
    .order_by(PACKAGES.c.name),
    str,
)
_QUALITIES: Final = (_C.package_name, _C.kinds, _C.optional)
_EDGE: Final = select(VERSIONS.c.package_id, *_QUALITIES).distinct()
_NAMED_EDGE: Final = select(PACKAGES.c.name, *_QUALITIES).distinct().where(any_of(PACKAGES.c.name, "names"))


def _in_scope(edge: Select[Any], scope: GraphScope) -> Select[Any]:
    """Return the select of what versions in `scope` need."""
    if scope is GraphScope.LATEST:
        latest = edge.join_from(PACKAGES, VERSIONS, VERSIONS.c.id == latest_id(PACKAGES.c.id))
        return latest.join(DEPENDENCIES, _C.version_id == VERSIONS.c.id)
    return edge.join_from(PACKAGES, VERSIONS).join(DEPENDENCIES).where(_CAN_BE_PICKED)


_EDGES: Final[dict[GraphScope, Query[Edge]]] = {
    GraphScope.ALL: Query(_EDGE.join_from(DEPENDENCIES, VERSIONS).where(_CAN_BE_PICKED), as_tuple),
    GraphScope.LATEST: Query(_in_scope(_EDGE, GraphScope.LATEST), as_tuple),
}
_EDGES_OF: Final[dict[GraphScope, Query[NamedEdge]]] = {
    scope: Query(_in_scope(_NAMED_EDGE, scope), as_tuple) for scope in GraphScope
}
_INSERT: Final = BulkInsert(DEPENDENCIES)


def _content(fields: DependencyFields) -> tuple[Any, ...]:
    return fields.package_name, fields.constraint, fields.kinds, fields.optional, fields.marker
