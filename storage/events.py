"""The event log: every committed change, in the order of commits."""

import functools
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from storage.dialects import any_of, next_id
from storage.rows import EventRow
from storage.statements import BulkInsert, Query
from storage.tables import EVENTS, EventKind, SubjectType


class Change(msgspec.Struct, frozen=True, gc=False):
    """What an event is to tell."""

    kind: EventKind
    subject_type: SubjectType
    subject_id: int
    package: str
    version: str | None = None


def append(connection: Connection, changes: Iterable[Change], *, at: datetime) -> int:
    """Write one event for each change, in order, and return the position of the newest event there is now."""
    position = next_id(connection, EVENTS)
    rows = [
        (seq, at, change.kind, change.subject_type, change.subject_id, change.package, change.version)
        for seq, change in enumerate(changes, position)
    ]
    _INSERT.run(connection, rows)
    return position + len(rows) - 1


def after(
    connection: Connection,
    cursor: int,
    *,
    limit: int,
    kinds: Collection[EventKind] | None = None,
    packages: Collection[str] | None = None,
) -> list[EventRow]:
    """Return the first `limit` events after `cursor`, of these kinds and packages (None: of all), oldest first."""
    values = {
        name: wanted for name, wanted in (("kinds", kinds), ("packages", packages)) if wanted is not None
    }
    return _after_query(frozenset(values)).all(connection, cursor=cursor, limit=limit, **values)


def newest(connection: Connection) -> int:
    """Return the position of the newest event, 0 before the first."""
    return _NEWEST.all(connection)[0]


def oldest(connection: Connection) -> int | None:
    """Return the position of the oldest event that is kept, or None when there is none."""
    return _OLDEST.one(connection)


_C: Final = EVENTS.c
_ROW: Final = select(*(_C[name] for name in EventRow.__struct_fields__))
_INSERT: Final = BulkInsert(EVENTS)
_NEWEST: Final = Query(select(func.coalesce(func.max(_C.seq), 0)), int)
_OLDEST: Final = Query(select(_C.seq).order_by(_C.seq).limit(1), int)
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "kinds": any_of(_C.kind, "kinds"),
    "packages": any_of(_C.package, "packages"),
}


@functools.cache
def _after_query(parameters: frozenset[str]) -> Query[EventRow]:
    conditions = (_CONDITIONS[parameter] for parameter in sorted(parameters))
    query = _ROW.where(_C.seq > bindparam("cursor"), *conditions)
    return Query(query.order_by(_C.seq).limit(bindparam("limit")), EventRow)
