"""Reading and writing errors, in groups of the same fault."""

import functools
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, tuple_

from storage.columns import is_storable
from storage.dialects import any_of
from storage.monitoring_rows import ErrorGroupRow
from storage.monitoring_tables import ERROR_GROUPS, ErrorFields
from storage.statements import Query
from storage.upserts import Upsert


class ErrorPlace(NamedTuple):
    """A place in the list of errors. A group that is seen again leaves it for the beginning."""

    last_seen_at: datetime
    id: int


def place_of(row: ErrorGroupRow) -> ErrorPlace:
    """Return where `row` stands in the list."""
    return ErrorPlace(row.last_seen_at, row.id)


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, ErrorGroupRow]:
    """Return the groups with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


def page(
    connection: Connection, *, component: str | None = None, limit: int, after: ErrorPlace | None = None
) -> list[ErrorGroupRow]:
    """Return up to `limit` groups of a component, or of all, after `after`: what was seen last comes first."""
    if not _can_be(component):
        return []
    values: dict[str, object] = {} if component is None else {"component": component}
    if after is not None:
        values |= {"after_last_seen_at": after.last_seen_at, "after_id": after.id}
    query = _page_query(of_component=component is not None, is_after=after is not None)
    return query.all(connection, limit=limit, **values)


def count(connection: Connection, *, component: str | None = None) -> int:
    """Return how many groups there are of a component, or of all."""
    if component is None:
        return _COUNT.all(connection)[0]
    return _COUNT_OF.all(connection, component=component)[0] if _can_be(component) else 0


def record(connection: Connection, errors: Iterable[ErrorFields], *, now: datetime) -> None:
    """Count errors, each in the group of its fingerprint; a new one begins a group.

    The group has the message and the sample of the last of them.
    """
    seen = {"count": 1, "first_seen_at": now, "last_seen_at": now}
    _RECORD.run(connection, ({**fields.model_dump(), **seen} for fields in errors))


def trim(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete the groups that were last seen before `before`, up to `limit` of them. Return how many."""
    oldest = select(_C.id).where(_C.last_seen_at < before).order_by(_C.last_seen_at).limit(limit)
    return connection.execute(ERROR_GROUPS.delete().where(_C.id.in_(oldest))).rowcount


_C: Final = ERROR_GROUPS.c
_ROW: Final = select(*(_C[name] for name in ErrorGroupRow.__struct_fields__))
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), ErrorGroupRow)
_IN_COMPONENT: Final = _C.component == bindparam("component")
_COUNT: Final = Query(select(func.count()).select_from(ERROR_GROUPS), int)
_COUNT_OF: Final = Query(select(func.count()).where(_IN_COMPONENT), int)


def _counted(new: Any) -> dict[str, Any]:
    said = {name: new[name] for name in ("code", "component", "message", "sample", "last_seen_at")}
    return {**said, "count": _C.count + new["count"]}


_RECORD: Final = Upsert(ERROR_GROUPS, ("fingerprint",), _counted)


def _can_be(component: str | None) -> bool:
    return component is None or is_storable(component)


@functools.cache
def _page_query(*, of_component: bool, is_after: bool) -> Query[ErrorGroupRow]:
    place: ColumnElement[Any] = tuple_(_C.last_seen_at, _C.id)
    query = _ROW.where(_IN_COMPONENT) if of_component else _ROW
    if is_after:
        query = query.where(
            place
            < tuple_(
                bindparam("after_last_seen_at", type_=_C.last_seen_at.type),
                bindparam("after_id", type_=_C.id.type),
            )
        )
    query = query.order_by(_C.last_seen_at.desc(), _C.id.desc())
    return Query(query.limit(bindparam("limit")), ErrorGroupRow)
