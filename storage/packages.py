"""Reading and writing packages."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Select, bindparam, func, select, tuple_

from storage import dialects
from storage.columns import MAX_NAME, is_storable
from storage.dialects import any_of
from storage.rows import PackageRow
from storage.statements import BulkInsert, Query
from storage.tables import PACKAGES, PackageFields
from storage.transitions import PACKAGE_MOVES, PackageStatus, origins


class PackageOrderField(StrEnum):
    """By what a list of packages is sorted."""

    NAME = "NAME"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


@dataclass(frozen=True, slots=True)
class PackageOrder:
    """How a list of packages is sorted; ties go by id, in the same direction."""

    field: PackageOrderField = PackageOrderField.NAME
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PackageFilter:
    """Which packages a list holds. None asks for nothing; the texts disregard the case of ASCII letters."""

    name_contains: str | None = None
    name_starts_with: str | None = None
    statuses: tuple[PackageStatus, ...] | None = None


@dataclass(frozen=True, slots=True)
class PackagePosition:
    """A place in a sorted list of packages, which stays when others come and go."""

    value: str | datetime
    """The package's name, createdAt or updatedAt, whichever the list is sorted by."""
    id: int


def position_of(row: PackageRow, order: PackageOrder) -> PackagePosition:
    """Return where `row` stands in a list sorted by `order`."""
    return PackagePosition(getattr(row, _column_of(order.field).name), row.id)


def by_name(connection: Connection, name: str) -> PackageRow | None:
    """Return the package of exactly this name, or None."""
    return by_names(connection, (name,)).get(name)


def by_names(connection: Connection, names: Iterable[str]) -> dict[str, PackageRow]:
    """Return the packages of these names, those that are registered, in one statement."""
    return {row.name: row for row in _BY_NAMES.all(connection, names=names)}


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, PackageRow]:
    """Return the packages with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


def names(connection: Connection) -> list[str]:
    """Return the name of every package, sorted."""
    return _NAMES.all(connection)


def names_in(connection: Connection, status: PackageStatus) -> list[str]:
    """Return the names of the packages in this state, sorted."""
    return _NAMES_IN.all(connection, status=status)


def ids_and_names(connection: Connection) -> list[tuple[int, str]]:
    """Return the id and the name of every package, sorted by name."""
    return _IDS_AND_NAMES.all(connection)


def page(
    connection: Connection,
    filter: PackageFilter,
    *,
    order: PackageOrder,
    limit: int,
    after: PackagePosition | None = None,
    before: PackagePosition | None = None,
    backwards: bool = False,
) -> list[PackageRow]:
    """Return up to `limit` packages between `after` and `before`, in `order`: the first, or `backwards` the last."""
    values = _values(filter)
    if values is None:
        return []
    query = _page_query(
        order,
        frozenset(values),
        is_after=after is not None,
        is_before=before is not None,
        backwards=backwards,
    )
    rows = query.all(connection, limit=limit, **values, **_place("after", after), **_place("before", before))
    return rows[::-1] if backwards else rows


def count(connection: Connection, filter: PackageFilter) -> int:
    """Return how many packages `filter` lets through."""
    values = _values(filter)
    if values is None:
        return 0
    return _count_query(frozenset(values)).all(connection, **values)[0]


def ids(connection: Connection) -> Iterator[int]:
    """Yield ids never given, ascending. They are the caller's, and nobody else may ask in this transaction."""
    return dialects.ids(connection, PACKAGES)


def insert(
    connection: Connection,
    rows: Iterable[tuple[int, PackageFields]],
    *,
    now: datetime,
    actor: str | None = None,
) -> None:
    """Write new packages under the ids given, as the work of `actor`."""
    _INSERT.run(connection, ((*_content(fields), id_, now, now, actor) for id_, fields in rows))


def update(
    connection: Connection, id: int, fields: PackageFields, *, now: datetime, actor: str | None = None
) -> bool:
    """Set all that is said of a package but its name; False, and nothing done, when its status may not move there."""
    values = fields.model_dump(exclude={"name"})
    changed = connection.execute(
        PACKAGES.update()
        .where(_C.id == id, _C.status.in_(origins(PACKAGE_MOVES, fields.status)))
        .values(**values, updated_at=now, changed_by=actor)
    )
    return changed.rowcount == 1


def delete(connection: Connection, id: int) -> None:
    """Delete a package with its versions and their dependencies."""
    connection.execute(PACKAGES.delete().where(_C.id == id))


_C: Final = PACKAGES.c
_ROW: Final = select(
    _C.id, _C.name, _C.description, _C.status, _C.status_reason, _C.labels, _C.created_at, _C.updated_at
)
_BY_NAMES: Final = Query(_ROW.where(any_of(_C.name, "names")), PackageRow)
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), PackageRow)
_NAMES: Final = Query(select(_C.name).order_by(_C.name), str)
_NAMES_IN: Final = Query(select(_C.name).where(_C.status == bindparam("status")).order_by(_C.name), str)
_IDS_AND_NAMES: Final = Query(
    select(_C.id, _C.name).order_by(_C.name), lambda id_, name: (int(id_), str(name))
)
_INSERT: Final = BulkInsert(PACKAGES)


def _content(fields: PackageFields) -> tuple[Any, ...]:
    return fields.name, fields.description, fields.status, fields.status_reason, fields.labels


def _column_of(field: PackageOrderField) -> Column[Any]:
    return _C[field.value.lower()]


def _values(filter: PackageFilter) -> dict[str, Any] | None:
    """Return the parameters that `filter` has, or None when it asks for what no name can hold."""
    texts = (filter.name_contains, filter.name_starts_with)
    if not all(_fits_in_a_name(text) for text in texts if text is not None):
        return None
    values: dict[str, Any] = {}
    if filter.name_contains is not None:
        values["contains"] = f"%{_literally(filter.name_contains)}%"
    if filter.name_starts_with is not None:
        values["starts_with"] = f"{_literally(filter.name_starts_with)}%"
    if filter.statuses is not None:
        values["statuses"] = filter.statuses
    return values


def _fits_in_a_name(text: str) -> bool:
    # SQLite refuses patterns far longer than this as too complex.
    return len(text) <= MAX_NAME and is_storable(text)


def _literally(text: str) -> str:
    """Return the LIKE pattern of `text` in lower case, its own wildcards meaning themselves."""
    return text.lower().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _condition(parameter: str) -> ColumnElement[bool]:
    if parameter == "statuses":
        return any_of(_C.status, "statuses")
    return func.lower(_C.name).like(bindparam(parameter), escape="\\")


def _place(name: str, position: PackagePosition | None) -> dict[str, Any]:
    return {} if position is None else {f"{name}_value": position.value, f"{name}_id": position.id}


@functools.cache
def _count_query(parameters: frozenset[str]) -> Query[int]:
    return Query(select(func.count()).select_from(PACKAGES).where(*map(_condition, parameters)), int)


@functools.cache
def _page_query(
    order: PackageOrder, parameters: frozenset[str], *, is_after: bool, is_before: bool, backwards: bool
) -> Query[PackageRow]:
    place = tuple_(_column_of(order.field), _C.id)
    query: Select[Any] = _ROW.where(*map(_condition, parameters))
    if is_after:
        bound = _bound(order.field, "after")
        query = query.where(place < bound if order.descending else place > bound)
    if is_before:
        bound = _bound(order.field, "before")
        query = query.where(place > bound if order.descending else place < bound)
    columns = [_column_of(order.field), _C.id]
    query = query.order_by(*(c.desc() if order.descending != backwards else c.asc() for c in columns))
    return Query(query.limit(bindparam("limit")), PackageRow)


def _bound(field: PackageOrderField, name: str) -> ColumnElement[Any]:
    return tuple_(
        bindparam(f"{name}_value", type_=_column_of(field).type), bindparam(f"{name}_id", type_=_C.id.type)
    )
