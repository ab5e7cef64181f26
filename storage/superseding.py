"""A newer run in the place of older ones: what it builds anew is not built for them as well.

What wants another worker is not the same thing: an organisation builds one version for several machines.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, exists, func, or_, select

from storage.build_tables import BUILD_DEPENDENCIES, BUILDS
from storage.dialects import among, any_of, is_sqlite, unindexed
from storage.statements import Change, Query
from storage.transitions import UNCLAIMED, BuildConclusion, BuildStatus


def supersede(connection: Connection, run_id: int, *, now: datetime, actor: str | None) -> list[int]:
    """End the unclaimed builds of other runs that this run builds anew; who waits for them waits for these instead.

    The new builds are as urgent as those in whose place they are.
    """
    reason = f"run {run_id} builds it anew"
    if not is_sqlite(connection):
        # In the order in which all others keep them.
        _LOCK.all(connection, run=run_id)
    _INHERIT.run(connection, run=run_id, now=now)
    ended = _SUPERSEDE.returning(connection, run=run_id, now=now, actor=actor, reason=reason)
    _WAIT_INSTEAD.run(connection, ids=ended, run=run_id)
    return ended


def count_superseded(connection: Connection, version_ids: Iterable[int]) -> int:
    """Return how many unclaimed builds of these versions there are."""
    return _UNCLAIMED.all(connection, ids=version_ids)[0]


_C: Final = BUILDS.c
_W: Final = BUILD_DEPENDENCIES.c
_NEWER: Final = BUILDS.alias("newer")
# Rows are looked up by their versions, of which there are few builds.
_STATUS: Final = unindexed(_C.status)
_UNCLAIMED: Final = Query(
    select(func.count()).where(any_of(_C.version_id, "ids"), among(_STATUS, UNCLAIMED)),
    int,
)
_NOW: Final = bindparam("now", type_=_C.updated_at.type)
_TOUCHED: Final[Mapping[str, Any]] = {"row_version": _C.row_version + 1, "updated_at": _NOW}
_ENDED: Final[Mapping[str, Any]] = {
    **_TOUCHED,
    "status": BuildStatus.COMPLETED,
    "conclusion": BuildConclusion.SUPERSEDED,
    "status_reason": bindparam("reason", type_=_C.status_reason.type),
    "changed_by": bindparam("actor", type_=_C.changed_by.type),
    "completed_at": _NOW,
}
_UPDATE: Final = BUILDS.update()
_OF_THESE: Final = any_of(_W.dependency_id, "ids")
_RUN: Final = bindparam("run", type_=_C.run_id.type)


def _larger(own: ColumnElement[Any], replaced: Select[Any]) -> ColumnElement[Any]:
    """Return what is larger of a build's own and the most of those that it replaces."""
    most = replaced.where(_REPLACED).correlate(BUILDS).scalar_subquery()
    return case((most > own, most), else_=own)


_NEW: Final = BUILDS.alias("new").c
_IS_SAME: Final = and_(_NEW.version_id == _C.version_id, _NEW.worker_labels == _C.worker_labels)
_SUPERSEDE: Final = Change(
    _UPDATE.where(
        # Twice the same: looked up by the versions, and compared by the labels as well.
        _C.version_id.in_(select(_NEW.version_id).where(_NEW.run_id == _RUN)),
        exists(select(_NEW.id).where(_NEW.run_id == _RUN, _IS_SAME).correlate(BUILDS)),
        _C.run_id < _RUN,
        among(_STATUS, UNCLAIMED),
    )
    .values(**_ENDED)
    .returning(_C.id)
)
_LOCK: Final = Query(
    select(_C.id)
    .where(
        _C.version_id.in_(select(_NEW.version_id).where(_NEW.run_id == _RUN)),
        _C.run_id < _RUN,
        among(_STATUS, UNCLAIMED),
    )
    .order_by(_C.id)
    .with_for_update(of=BUILDS, key_share=True),
    int,
)
_OLD: Final = BUILDS.alias("old").c
_REPLACED: Final = and_(
    _OLD.version_id == _C.version_id,
    _OLD.worker_labels == _C.worker_labels,
    _OLD.run_id < _RUN,
    among(unindexed(_OLD.status), UNCLAIMED),
)
_INHERIT: Final = Change(
    _UPDATE.where(
        _C.run_id == _RUN,
        exists(
            select(_OLD.id)
            .where(
                _REPLACED,
                or_(_OLD.priority > _C.priority, _OLD.remaining_seconds > _C.remaining_seconds),
            )
            .correlate(BUILDS)
        ),
    ).values(
        priority=_larger(_C.priority, select(func.max(_OLD.priority))),
        remaining_seconds=_larger(_C.remaining_seconds, select(func.max(_OLD.remaining_seconds))),
        **_TOUCHED,
    )
)
_INSTEAD: Final = (
    select(_NEWER.c.id)
    .join_from(BUILDS, _NEWER, _NEWER.c.version_id == _C.version_id)
    .where(_C.id == _W.dependency_id, _NEWER.c.run_id == _RUN)
    .correlate(BUILD_DEPENDENCIES)
    .scalar_subquery()
)
_WAIT_INSTEAD: Final = Change(BUILD_DEPENDENCIES.update().where(_OF_THESE).values(dependency_id=_INSTEAD))
