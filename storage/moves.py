"""Moving what has a life cycle from one status to another."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table

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
    columns = table.c
    from_elsewhere = [origin for origin in origins(moves, target) if origin is not target]
    moved = connection.execute(
        table.update()
        .where(columns.id == id, columns.status.in_(from_elsewhere), *conditions)
        .values(status=target, status_reason=reason, changed_by=actor, updated_at=now, **values)
    )
    return moved.rowcount == 1
