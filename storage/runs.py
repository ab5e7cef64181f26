"""Reading and writing runs."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, select, text

from storage import dialects
from storage.build_rows import BuildCount, RunRow
from storage.build_tables import BUILDS, RUNS, CutEdge, RunFields
from storage.columns import is_storable
from storage.dialects import among, any_of, is_sqlite
from storage.moves import move as move_row
from storage.statements import BulkInsert, Query, as_tuple
from storage.transitions import LIVE, RUN_MOVES, BuildConclusion, BuildStatus, RunConclusion, RunStatus


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, RunRow]:
    """Return the runs with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


def by_key(connection: Connection, idempotency_key: str) -> RunRow | None:
    """Return the run that was started with this key, or None."""
    return _BY_KEY.one(connection, key=idempotency_key) if is_storable(idempotency_key) else None


def page(connection: Connection, *, limit: int, after: int | None = None) -> list[RunRow]:
    """Return up to `limit` runs, newest first, after the one with the id `after`."""
    if after is None:
        return _NEWEST.all(connection, limit=limit)
    return _AFTER.all(connection, after=after, limit=limit)


def count(connection: Connection) -> int:
    """Return how many runs there are."""
    return _COUNT.all(connection)[0]


def unfinished(connection: Connection) -> list[int]:
    """Return the ids of the runs that are not COMPLETED, oldest first."""
    return _UNFINISHED.all(connection)


def take_turn(connection: Connection) -> None:
    """Wait until no other run is being started, and have others wait until the end of the transaction."""
    if not is_sqlite(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_STARTING})")


def lock(connection: Connection, id: int) -> RunRow | None:
    """Return a run as it is now, or None, and keep others from changing it until the end of the transaction."""
    return _LOCK.one(connection, id=id)


def unended(connection: Connection, id: int, *, limit: int) -> list[int]:
    """Return the builds of a run that have not ended, up to `limit` of them."""
    return _UNENDED.all(connection, id=id, limit=limit)


def wanted_labels(connection: Connection) -> list[dict[str, str]]:
    """Return what the builds of unfinished runs want of their workers, each set of labels once."""
    return _WANTED_LABELS.all(connection)


def counts_of(connection: Connection, run_ids: Iterable[int]) -> dict[int, list[BuildCount]]:
    """Return how many builds of each run are in which state, states without any left out; one statement.

    They are in the order of the life cycle.
    """
    counts: dict[int, list[BuildCount]] = {id_: [] for id_ in run_ids}
    for run_id, status, conclusion, many in _COUNTS.all(connection, ids=counts):
        counts[run_id].append(BuildCount(status, conclusion, many))
    for states in counts.values():
        states.sort(key=_place_in_life)
    return counts


def ids(connection: Connection) -> Iterator[int]:
    """Yield ids never given, ascending. They are the caller's, and nobody else may ask in this transaction."""
    return dialects.ids(connection, RUNS)


def insert(
    connection: Connection,
    id: int,
    fields: RunFields,
    *,
    cut_edges: Iterable[CutEdge] = (),
    conclusion: RunConclusion | None = None,
    actor: str | None = None,
    now: datetime,
) -> None:
    """Write a new run, which is RUNNING, or with a `conclusion` COMPLETED: a run of nothing."""
    values = fields.model_dump()
    row = {
        **values,
        "id": id,
        "status": RunStatus.RUNNING if conclusion is None else RunStatus.COMPLETED,
        "conclusion": conclusion,
        "status_reason": None,
        "cut_edges": list(cut_edges),
        "created_at": now,
        "completed_at": None if conclusion is None else now,
        "updated_at": now,
        "changed_by": actor,
    }
    _INSERT.run(connection, [[row[name] for name in _INSERT.columns]])


def move(
    connection: Connection,
    id: int,
    target: RunStatus,
    *,
    conclusion: RunConclusion | None = None,
    reason: str | None = None,
    actor: str | None = None,
    now: datetime,
) -> bool:
    """Move a run to `target`, which is COMPLETED when it has a `conclusion`; False when it may not move there."""
    return move_row(
        connection,
        RUNS,
        id,
        moves=RUN_MOVES,
        target=target,
        reason=reason,
        actor=actor,
        now=now,
        conclusion=conclusion,
        completed_at=now if target is RunStatus.COMPLETED else None,
    )


# An arbitrary number, by which those who start runs know of each other.
_STARTING: Final = 7_182_818_284
_C: Final = RUNS.c
_ROW: Final = select(*(_C[name] for name in RunRow.__struct_fields__))
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), RunRow)
_BY_KEY: Final = Query(_ROW.where(_C.idempotency_key == bindparam("key")), RunRow)
_PAGE: Final = _ROW.order_by(_C.id.desc()).limit(bindparam("limit"))
_NEWEST: Final = Query(_PAGE, RunRow)
_AFTER: Final = Query(_PAGE.where(_C.id < bindparam("after")), RunRow)
_COUNT: Final = Query(select(func.count()).select_from(RUNS), int)
# In the words of the index, or it does not serve.
_UNFINISHED: Final = Query(select(_C.id).where(text("status <> 'COMPLETED'")).order_by(_C.id), int)
# Beside those who only refer to it: whoever changes a build twice looks by a foreign key whether its run is there.
_LOCK: Final = Query(_ROW.where(_C.id == bindparam("id")).with_for_update(key_share=True), RunRow)
_WANTED_LABELS: Final[Query[dict[str, str]]] = Query(
    select(_C.worker_labels).where(text("status <> 'COMPLETED'")).distinct(), lambda labels: labels
)
_B: Final = BUILDS.c
_UNENDED: Final = Query(
    select(_B.id).where(_B.run_id == bindparam("id"), among(_B.status, LIVE)).limit(bindparam("limit")),
    int,
)
_STATE: Final = (_B.run_id, _B.status, _B.conclusion)
_COUNTS: Final[Query[tuple[int, BuildStatus, BuildConclusion | None, int]]] = Query(
    select(*_STATE, func.count()).where(any_of(_B.run_id, "ids")).group_by(*_STATE), as_tuple
)
_INSERT: Final = BulkInsert(RUNS)
_STATUSES: Final = list(BuildStatus)
_CONCLUSIONS: Final = [None, *BuildConclusion]


def _place_in_life(count: BuildCount) -> tuple[int, int]:
    return _STATUSES.index(count.status), _CONCLUSIONS.index(count.conclusion)
