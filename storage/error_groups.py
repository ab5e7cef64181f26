"""Reading and writing errors, in groups of the same fault."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, select, tuple_

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


@dataclass(frozen=True, slots=True)
class Sighting:
    """Errors of one fingerprint that were seen within some time; `error` is the last of them."""

    error: ErrorFields
    count: int
    first_seen_at: datetime
    last_seen_at: datetime


def record(connection: Connection, errors: Iterable[ErrorFields], *, now: datetime) -> None:
    """Count errors, each in the group of its fingerprint; a new one begins a group.

    The group has the message and the sample of the last of them.
    """
    record_all(connection, (Sighting(error, 1, now, now) for error in errors))


def record_all(connection: Connection, sightings: Iterable[Sighting]) -> None:
    """Count errors that were seen before now, each in the group of its fingerprint.

    Groups are taken in one order, so that no two transactions wait for each other; what else a transaction keeps from
    others it should keep before.
    """
    ordered = sorted(sightings, key=lambda each: each.error.fingerprint)
    _RECORD.run(connection, ({**each.error.model_dump(), **_times(each)} for each in ordered))


def is_any_older(connection: Connection, *, before: datetime) -> bool:
    """Whether there are groups that were last seen before `before`."""
    return bool(_OLDER.all(connection, before=before))


def trim(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete the groups that were last seen before `before`, up to `limit` of them. Return how many."""
    oldest = select(_C.id).where(_C.last_seen_at < before).order_by(_C.last_seen_at).limit(limit)
    return connection.execute(ERROR_GROUPS.delete().where(_C.id.in_(oldest))).rowcount


_C: Final = ERROR_GROUPS.c
_ROW: Final = select(*(_C[name] for name in ErrorGroupRow.__struct_fields__))
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), ErrorGroupRow)
_OLDER: Final = Query(
    select(_C.id).where(_C.last_seen_at < bindparam("before")).order_by(_C.last_seen_at).limit(1), int
)
_IN_COMPONENT: Final = _C.component == bindparam("component")
_COUNT: Final = Query(select(func.count()).select_from(ERROR_GROUPS), int)
_COUNT_OF: Final = Query(select(func.count()).where(_IN_COMPONENT), int)


def _times(seen: Sighting) -> dict[str, object]:
    return {"count": seen.count, "first_seen_at": seen.first_seen_at, "last_seen_at": seen.last_seen_at}


def _counted(new: Any) -> dict[str, Any]:
    said = {name: new[name] for name in ("code", "component", "message", "sample")}
    # Several processes write what they have seen, and the last of them need not have seen it last.
    first = case((new["first_seen_at"] < _C.first_seen_at, new["first_seen_at"]), else_=_C.first_seen_at)
    last = case((new["last_seen_at"] > _C.last_seen_at, new["last_seen_at"]), else_=_C.last_seen_at)
    return {**said, "first_seen_at": first, "last_seen_at": last, "count": _C.count + new["count"]}


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
