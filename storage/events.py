"""The event log: every committed change, in the order of commits."""

import functools
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from storage.dialects import any_of, ids, is_sqlite
from storage.engines.written import note_event
from storage.rows import EventRow
from storage.statements import BulkInsert, Query, given
from storage.tables import EVENTS, EventKind, SubjectType


class Change(msgspec.Struct, frozen=True, gc=False):
    """What an event is to tell."""

    kind: EventKind
    subject_type: SubjectType
    subject_id: int
    package: str | None = None
    version: str | None = None
    run_id: int | None = None
    transition_id: int | None = None


def append(connection: Connection, changes: Iterable[Change], *, at: datetime) -> None:
    """Write one event for each change, in order.

    On SQLite an event has its position at once; on PostgreSQL it gets one from the sequencer after the commit.
    """
    fresh = ids(connection, EVENTS)
    has_position = is_sqlite(connection)
    rows = [
        (
            id_ := next(fresh),
            id_ if has_position else None,
            at,
            change.kind,
            change.subject_type,
            change.subject_id,
            change.package,
            change.version,
            change.run_id,
            change.transition_id,
        )
        for change in changes
    ]
    if rows:
        _INSERT.run(connection, rows)
        note_event(connection, rows[-1][0])


def after(
    connection: Connection,
    cursor: int,
    *,
    limit: int,
    kinds: Collection[EventKind] | None = None,
    packages: Collection[str] | None = None,
    run: int | None = None,
) -> list[EventRow]:
    """Return the first `limit` events after `cursor`, of these kinds and packages and this run (None: of all), oldest first."""
    values = given(kinds=kinds, packages=packages, run=run)
    return _after_query(frozenset(values)).all(connection, cursor=cursor, limit=limit, **values)


def newest(connection: Connection) -> int:
    """Return the position of the newest event, 0 before the first."""
    return _NEWEST.all(connection)[0]


def packages_ahead(connection: Connection) -> set[str]:
    """Return the packages whose newest change can be seen already though its event has no position yet."""
    if is_sqlite(connection):
        return set()
    return {name for name in _PACKAGES_AHEAD.all(connection) if name is not None}


def trim(connection: Connection, *, before: datetime, keep: int, limit: int) -> int:
    """Delete the oldest events, up to `limit`: those before `before`, and all but the newest `keep`. Return how many.

    The newest event stays, so that positions go on from it.
    """
    bound = _first_to_stay(connection, before, keep, limit)
    return connection.execute(EVENTS.delete().where(_C.seq < bound)).rowcount


def is_excessive(connection: Connection, *, before: datetime, keep: int) -> bool:
    """Whether `trim` would delete anything."""
    return (oldest(connection) or 0) < _first_to_stay(connection, before, keep, 1)


def _first_to_stay(connection: Connection, before: datetime, keep: int, limit: int) -> int:
    """Return the position up to which the oldest events may go, at most `limit` of them."""
    first, last = oldest(connection) or 0, newest(connection)
    # Looked for only among those that could go now: there may be millions behind them.
    young = _FIRST_SINCE.one(connection, moment=before, end=first + limit) or first + limit
    return min(max(young, last - keep + 1), last, first + limit)


def oldest(connection: Connection) -> int | None:
    """Return the position of the oldest event that is kept, or None when there is none."""
    return _OLDEST.one(connection)


_C: Final = EVENTS.c
_ROW: Final = select(*(_C[name] for name in EventRow.__struct_fields__))
_INSERT: Final = BulkInsert(EVENTS)
_NEWEST: Final = Query(select(func.coalesce(func.max(_C.seq), 0)), int)
_OLDEST: Final = Query(select(_C.seq).where(_C.seq.is_not(None)).order_by(_C.seq).limit(1), int)
_PACKAGES_AHEAD: Final[Query[str | None]] = Query(
    select(_C.package).where(_C.seq.is_(None)).distinct(), lambda name: name
)
_FIRST_SINCE: Final = Query(
    select(_C.seq)
    .where(_C.seq < bindparam("end"), _C.at >= bindparam("moment", type_=_C.at.type))
    .order_by(_C.seq)
    .limit(1),
    int,
)
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "kinds": any_of(_C.kind, "kinds"),
    "packages": any_of(_C.package, "packages"),
    "run": _C.run_id == bindparam("run"),
}


@functools.cache
def _after_query(parameters: frozenset[str]) -> Query[EventRow]:
    conditions = (_CONDITIONS[parameter] for parameter in sorted(parameters))
    query = _ROW.where(_C.seq > bindparam("cursor"), *conditions)
    return Query(query.order_by(_C.seq).limit(bindparam("limit")), EventRow)
