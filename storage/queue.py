"""The queue: which builds a worker may have, the most urgent first, and giving them to it."""

import heapq
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select, text

from storage.build_conditions import IS_FREE
from storage.build_rows import BuildRow
from storage.build_tables import BUILDS
from storage.columns import labels_text
from storage.dialects import any_of, unindexed
from storage.statements import Query, as_tuple
from storage.transitions import BuildStatus


def ready(
    connection: Connection, worker_labels: Iterable[dict[str, str]], *, limit: int, now: datetime
) -> list[int]:
    """Return up to `limit` builds that may be claimed, the most urgent first, and keep them from all others who ask.

    They are of those that want just one of these sets of labels. One statement for each set.
    """
    return _most_urgent(connection, _READY, worker_labels, limit, now)


def is_any_ready(connection: Connection, worker_labels: Iterable[dict[str, str]], *, now: datetime) -> bool:
    """Whether `ready` would find anything, but for what others are about to take."""
    return any(_most_urgent(connection, _LOOK, (each,), 1, now) for each in worker_labels)


def assign(
    connection: Connection, ids: Collection[int], worker: str, *, expires: datetime, now: datetime
) -> dict[int, BuildRow]:
    """Give queued builds to `worker` for their next attempt, under a new lease. Return those that were still queued."""
    rows = _ASSIGN.all(connection, ids=ids, holder=worker, expires=expires, now=now)
    return {row.id: row for row in rows}


def depth(connection: Connection) -> tuple[int, datetime | None]:
    """Return how many builds are queued, and since when the oldest of them has been."""
    return _DEPTH.all(connection)[0]


_C: Final = BUILDS.c
_NUMBER_AND_OLDEST: Final[Sequence[ColumnElement[Any]]] = (func.count(), func.min(_C.queued_at))
_DEPTH: Final[Query[tuple[int, datetime | None]]] = Query(
    select(*_NUMBER_AND_OLDEST).where(text("build_status.status = 'QUEUED'")), as_tuple
)
_CLAIMABLE: Final = and_(
    # In the words of the index, or plans that serve for any values do without it.
    text("build_status.status = 'QUEUED'"),
    _C.worker_labels == bindparam("labels", type_=_C.worker_labels.type),
    or_(_C.not_before.is_(None), _C.not_before <= bindparam("now", type_=_C.not_before.type)),
    IS_FREE,
)
_URGENCY: Final = (_C.priority.desc(), _C.remaining_seconds.desc(), _C.id)
_FIRST: Final[Select[tuple[int, float, int]]] = (
    select(_C.priority, _C.remaining_seconds, _C.id)
    .where(_CLAIMABLE)
    .order_by(*_URGENCY)
    .limit(bindparam("limit"))
)
_HOLDER: Final = bindparam("holder", type_=_C.worker.type)
_ASSIGN: Final = Query(
    BUILDS.update()
    .where(any_of(_C.id, "ids"), unindexed(_C.status) == BuildStatus.QUEUED)
    .values(
        status=BuildStatus.ASSIGNED,
        status_reason=None,
        attempt=_C.attempt + 1,
        worker=_HOLDER,
        lease_token=_C.lease_token + 1,
        lease_expires_at=bindparam("expires", type_=_C.lease_expires_at.type),
        not_before=None,
        started_at=None,
        message=None,
        output_digest=None,
        row_version=_C.row_version + 1,
        updated_at=bindparam("now", type_=_C.updated_at.type),
        changed_by=_HOLDER,
    )
    .returning(*(_C[name] for name in BuildRow.__struct_fields__)),
    BuildRow,
)
_Urgency = tuple[int, float, int]
_LOOK: Final[Query[_Urgency]] = Query(_FIRST, as_tuple)
_READY: Final[Query[_Urgency]] = Query(
    _FIRST.with_for_update(of=BUILDS, skip_locked=True, key_share=True), as_tuple
)


def _most_urgent(
    connection: Connection,
    query: Query[_Urgency],
    worker_labels: Iterable[dict[str, str]],
    limit: int,
    now: datetime,
) -> list[int]:
    found = (
        query.all(connection, labels=labels, limit=limit, now=now)
        for labels in {labels_text(each): each for each in worker_labels}.values()
    )
    merged = heapq.merge(*found, key=lambda place: (-place[0], -place[1], place[2]))
    return [id_ for (_, _, id_), _ in zip(merged, range(limit), strict=False)]
