"""Reading and writing alerts."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, text

from storage import dialects
from storage.dialects import any_of
from storage.monitoring_rows import AlertRow
from storage.monitoring_tables import ALERTS
from storage.moves import move as move_row
from storage.statements import BulkInsert, Query, given
from storage.transitions import ALERT_MOVES, AlertState


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, AlertRow]:
    """Return the alerts with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


def page(
    connection: Connection,
    *,
    states: tuple[AlertState, ...] | None = None,
    limit: int,
    after: int | None = None,
) -> list[AlertRow]:
    """Return up to `limit` alerts in these states (None: in any), newest first, after the one with the id `after`."""
    values = given(states=states, after=after)
    return _page_query(frozenset(values)).all(connection, limit=limit, **values)


def count(connection: Connection, *, states: tuple[AlertState, ...] | None = None) -> int:
    """Return how many alerts are in these states (None: in any)."""
    if states is None:
        return _COUNT.all(connection)[0]
    return _COUNT_IN.all(connection, states=states)[0]


def still_open(connection: Connection) -> list[AlertRow]:
    """Return the alerts that are not RESOLVED, oldest first: at most one for each rule and set of labels."""
    return sorted(_STILL_OPEN.all(connection), key=attrgetter("id"))


def open_of(connection: Connection, rule_id: int) -> list[AlertRow]:
    """Return the alerts of a rule that are not RESOLVED, oldest first."""
    return sorted(_OPEN_OF.all(connection, rule_id=rule_id), key=attrgetter("id"))


def open_for(connection: Connection, rule_id: int, labels: Mapping[str, str]) -> AlertRow | None:
    """Return the alert of a rule for exactly these labels that is not RESOLVED, or None."""
    return _OPEN_FOR.one(connection, rule_id=rule_id, labels=labels)


def ids(connection: Connection) -> Iterator[int]:
    """Yield ids never given, ascending. They are the caller's, and nobody else may ask in this transaction."""
    return dialects.ids(connection, ALERTS)


def insert(connection: Connection, rows: Iterable[AlertRow], *, actor: str | None = None) -> None:
    """Write new alerts, which begin as PENDING or FIRING."""
    _INSERT.run(connection, ((*_content(row), actor) for row in rows))


def renew(
    connection: Connection,
    id: int,
    *,
    value: float,
    message: str,
    blocked_builds: int | None,
    cleared_at: datetime | None = None,
    now: datetime,
) -> bool:
    """Set what an alert says while it lasts; False, and nothing done, when it is RESOLVED."""
    renewed = connection.execute(
        ALERTS.update()
        .where(_C.id == id, _OPEN)
        .values(
            value=value,
            message=message,
            blocked_builds=blocked_builds,
            cleared_at=cleared_at,
            updated_at=now,
        )
    )
    return renewed.rowcount == 1


def move(
    connection: Connection,
    id: int,
    target: AlertState,
    *,
    reason: str | None = None,
    actor: str | None = None,
    now: datetime,
) -> bool:
    """Move an alert to `target`; False, and nothing done, when it may not move there from where it is."""
    moment = _MOMENTS.get(target)
    return move_row(
        connection,
        ALERTS,
        id,
        moves=ALERT_MOVES,
        target=target,
        reason=reason,
        actor=actor,
        now=now,
        **({} if moment is None else {moment: now}),
    )


def ended(connection: Connection, *, before: datetime, limit: int) -> list[int]:
    """Return the ids of up to `limit` alerts that were RESOLVED before `before`, oldest first."""
    return _ENDED.all(connection, before=before, limit=limit)


def delete(connection: Connection, ids: Iterable[int]) -> int:
    """Delete alerts with all that was told of them, and return how many there were."""
    return connection.execute(ALERTS.delete().where(_C.id.in_(list(ids)))).rowcount


_C: Final = ALERTS.c
_ROW: Final = select(*(_C[name] for name in AlertRow.__struct_fields__))
_INSERT: Final = BulkInsert(ALERTS)
# All columns but the last, which says who did it.
_content: Final = attrgetter(*_INSERT.columns[:-1])
_MOMENTS: Final = {AlertState.ACKNOWLEDGED: "acknowledged_at", AlertState.RESOLVED: "resolved_at"}
# In the words of the index, or it does not serve.
_OPEN: Final = text("status <> 'RESOLVED'")
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), AlertRow)
# Not sorted here: for that, SQLite would walk through the table.
_STILL_OPEN: Final = Query(_ROW.where(_OPEN), AlertRow)
# In the order of the index over what is open, or SQLite would walk through all that the rule ever had.
_OPEN_OF: Final = Query(_ROW.where(_C.rule_id == bindparam("rule_id"), _OPEN).order_by(_C.labels), AlertRow)
_OPEN_FOR: Final = Query(
    _ROW.where(_C.rule_id == bindparam("rule_id"), _C.labels == bindparam("labels"), _OPEN), AlertRow
)
_ENDED: Final = Query(
    select(_C.id)
    .where(_C.status == AlertState.RESOLVED, _C.resolved_at < bindparam("before"))
    .order_by(_C.id)
    .limit(bindparam("limit")),
    int,
)
_COUNT: Final = Query(select(func.count()).select_from(ALERTS), int)
_COUNT_IN: Final = Query(select(func.count()).where(any_of(_C.status, "states")), int)
_CONDITIONS: Final[Mapping[str, Any]] = {
    "states": any_of(_C.status, "states"),
    "after": _C.id < bindparam("after"),
}


@functools.cache
def _page_query(parameters: frozenset[str]) -> Query[AlertRow]:
    query = _ROW.where(*(_CONDITIONS[parameter] for parameter in sorted(parameters)))
    return Query(query.order_by(_C.id.desc()).limit(bindparam("limit")), AlertRow)
