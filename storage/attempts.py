"""Reading and writing the tries at builds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from storage.build_rows import AttemptRow
from storage.build_tables import ATTEMPTS
from storage.dialects import any_of, ids
from storage.statements import BulkInsert, Change, Query
from storage.transitions import BuildConclusion


def of_builds(connection: Connection, build_ids: Iterable[int]) -> dict[int, list[AttemptRow]]:
    """Return the attempts of each build in order, an empty list for one without; one statement."""
    found: dict[int, list[AttemptRow]] = {id_: [] for id_ in build_ids}
    for row in _OF_BUILDS.all(connection, ids=found):
        found[row.build_id].append(row)
    return found


def of_request(connection: Connection, worker: str, request_id: str) -> list[AttemptRow]:
    """Return the attempts that a worker's request was answered with, by build."""
    return _OF_REQUEST.all(connection, worker=worker, request_id=request_id)


def of_lease(connection: Connection, build_id: int, lease_token: int) -> AttemptRow | None:
    """Return the attempt at a build that was made under this lease, or None."""
    return _OF_LEASE.one(connection, build_id=build_id, lease_token=lease_token)


def note_report(connection: Connection, build_id: int, number: int, fingerprint: str) -> None:
    """Note what the worker has reported of an attempt."""
    _NOTE_REPORT.run(connection, build=build_id, attempt=number, fingerprint=fingerprint)


def note_log(connection: Connection, build_id: int, number: int, size: int) -> None:
    """Note how many characters of output an attempt has sent."""
    _NOTE_LOG.run(connection, build=build_id, attempt=number, size=size)


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
                row.request_id,
                row.reports,
                row.log_size,
            )
            for row in rows
        ),
    )


def start(connection: Connection, build_id: int, number: int, *, now: datetime) -> bool:
    """Note that an attempt has started; False when it had already, or has ended."""
    return _START.run(connection, build=build_id, attempt=number, now=now) == 1


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
    values = {"ending": conclusion, "said": message, "now": now}
    return _FINISH.run(connection, build=build_id, attempt=number, **values) == 1


_C: Final = ATTEMPTS.c
_ROW: Final = select(*(_C[name] for name in AttemptRow.__struct_fields__))
_OF_REQUEST: Final = Query(
    _ROW.where(_C.request_id == bindparam("request_id"), _C.worker == bindparam("worker")).order_by(
        _C.build_id
    ),
    AttemptRow,
)
_OF_LEASE: Final = Query(
    _ROW.where(_C.build_id == bindparam("build_id"), _C.lease_token == bindparam("lease_token")), AttemptRow
)
_OF_BUILDS: Final = Query(
    _ROW.where(any_of(_C.build_id, "ids")).order_by(_C.build_id, _C.number),
    AttemptRow,
)
_INSERT: Final = BulkInsert(ATTEMPTS)


_UPDATE: Final = ATTEMPTS.update().where(_C.build_id == bindparam("build"), _C.number == bindparam("attempt"))
_NOW: Final = bindparam("now", type_=_C.completed_at.type)
_NOTE_REPORT: Final = Change(_UPDATE.values(reports=_C.reports + bindparam("fingerprint")))
_NOTE_LOG: Final = Change(_UPDATE.values(log_size=bindparam("size")))
_START: Final = Change(
    _UPDATE.where(_C.completed_at.is_(None), _C.started_at.is_(None)).values(started_at=_NOW)
)
_FINISH: Final = Change(
    _UPDATE.where(_C.completed_at.is_(None)).values(
        conclusion=bindparam("ending", type_=_C.conclusion.type),
        message=bindparam("said", type_=_C.message.type),
        completed_at=_NOW,
    )
)
