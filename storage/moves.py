"""Moving what has a life cycle from one status to another."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Update, bindparam

from storage.dialects import among
from storage.transitions import Status, origins


def move(
    connection: Connection,
    table: Table,
    id: int,
    *conditions: ColumnElement[bool],
    moves: Mapping[Status, tuple[Status, ...]],
    target: Status,
    reason: str | None,
    actor: str | None,
    now: datetime,
    **values: Any,
) -> bool:
    """Set the status of a row with `values`; False, and nothing done, when it may not move there from where it is.

    Of two that make the same move the second is told False: staying is no move, and must not change how it came about.
    """
    statement = moving(table, moves=moves, target=target).where(*conditions).values(**values)
    moved = connection.execute(statement, {"row": id, "reason": reason, "actor": actor, "now": now})
    return moved.rowcount == 1


def moving(table: Table, *, moves: Mapping[Status, tuple[Status, ...]], target: Status) -> Update:
    """Return what sets a row's status, with the parameters `row`, its id, `reason`, `actor` and `now`."""
    columns = table.c
    from_elsewhere = [origin for origin in origins(moves, target) if origin is not target]
    return (
        table.update()
        .where(columns.id == bindparam("row"), among(columns.status, from_elsewhere))
        .values(
            status=target,
            status_reason=bindparam("reason", type_=columns.status_reason.type),
            changed_by=bindparam("actor", type_=columns.changed_by.type),
            updated_at=bindparam("now", type_=columns.updated_at.type),
        )
    )
