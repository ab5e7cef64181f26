"""Reading and writing the tries at builds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select

from storage.build_rows import AttemptRow
from storage.build_tables import ATTEMPTS
from storage.dialects import any_of, ids
from storage.statements import BulkInsert, Query
from storage.transitions import BuildConclusion


def of_builds(connection: Connection, build_ids: Iterable[int]) -> dict[int, list[AttemptRow]]:
    """Return the attempts of each build in order, an empty list for one without; one statement."""
    found: dict[int, list[AttemptRow]] = {id_: [] for id_ in build_ids}
    for row in _OF_BUILDS.all(connection, ids=found):
        found[row.build_id].append(row)
    return found


def insert(connection: Connection, rows: Iterable[AttemptRow]) -> None:
    """Write new attempts."""
    given = ids(connection, ATTEMPTS)
    _INSERT.run(
        connection,
        (
            (
                next(given),
                row.build_id,
                row.number,
                row.worker,
                row.lease_token,
                row.started_at,
                row.completed_at,
                row.conclusion,
                row.message,
            )
            for row in rows
        ),
    )


def start(connection: Connection, build_id: int, number: int, *, now: datetime) -> bool:
    """Note that an attempt has started; False when it had already, or has ended."""
    return _change(connection, build_id, number, _C.started_at.is_(None), started_at=now)


def finish(
    connection: Connection,
    build_id: int,
    number: int,
    *,
    conclusion: BuildConclusion,
    message: str | None = None,
    now: datetime,
) -> bool:
    """Note how an attempt ended; False when it had already."""
    return _change(connection, build_id, number, conclusion=conclusion, message=message, completed_at=now)


_C: Final = ATTEMPTS.c
_OF_BUILDS: Final = Query(
    select(*(_C[name] for name in AttemptRow.__struct_fields__))
    .where(any_of(_C.build_id, "ids"))
    .order_by(_C.build_id, _C.number),
    AttemptRow,
)
_INSERT: Final = BulkInsert(ATTEMPTS)


def _change(
    connection: Connection, build_id: int, number: int, *conditions: ColumnElement[bool], **values: Any
) -> bool:
    changed = connection.execute(
        ATTEMPTS.update()
        .where(_C.build_id == build_id, _C.number == number, _C.completed_at.is_(None), *conditions)
        .values(**values)
    )
    return changed.rowcount == 1
