"""How builds go on and end in sets: what waits for what has ended, and what follows for it.

How it works: a build counts in `waiting_for` those it waits for that have not ended well, so that whoever ends one tells
by a look at its dependents which of them may go on. The number of statements grows with how far the consequences reach,
level by level, and not with how many builds they touch.

Where writers meet on PostgreSQL, each statement sees what is committed by then. Whoever decides over builds by what has
become of others first holds their rows by `lock`, and looks after that.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, case, exists, func, or_, select

from storage.build_tables import BUILD_DEPENDENCIES, BUILDS, BuildTrigger
from storage.dialects import among, any_of, is_sqlite, unindexed
from storage.queue import IS_FREE
from storage.statements import Change, Query, as_tuple
from storage.tables import PACKAGES, TRANSITIONS, VERSIONS, SubjectType
from storage.transitions import (
    BUILD_MOVES,
    LEASED,
    RELEASING,
    UNCLAIMED,
    BuildConclusion,
    BuildStatus,
    origins,
)


class Waiter(msgspec.Struct, frozen=True, gc=False):
    """What decides how a build goes on."""

    id: int
    run_id: int
    package_id: int
    version_id: int
    status: BuildStatus
    conclusion: BuildConclusion | None
    trigger: BuildTrigger
    waiting_for: int
    cause_id: int | None
    is_free: bool
    """Whether its package may be built."""


class Name(msgspec.Struct, frozen=True, gc=False):
    """What a build is of, and in which run."""

    id: int
    run_id: int
    package: str
    version: str


class Latest(msgspec.Struct, frozen=True, gc=False):
    """The newest change of state of a build."""

    id: int
    run_id: int
    package: str
    version: str
    transition_id: int


def lock(connection: Connection, ids: Iterable[int]) -> None:
    """Keep others from changing these builds until the end of the transaction."""
    if not is_sqlite(connection):
        _LOCK.all(connection, ids=ids)


def waiters(connection: Connection, ids: Iterable[int]) -> list[Waiter]:
    """Return what decides of these builds, those that exist, by id."""
    return _WAITERS.all(connection, ids=ids)


def names_of(connection: Connection, ids: Iterable[int]) -> dict[int, Name]:
    """Return what these builds are of."""
    return {name.id: name for name in _NAMES.all(connection, ids=ids)}


def latest_of(connection: Connection, ids: Iterable[int]) -> list[Latest]:
    """Return the newest change of state of each of these builds, in one statement."""
    return _LATEST.all(connection, ids=ids)


def dependents_of(connection: Connection, ids: Iterable[int]) -> list[int]:
    """Return the builds that wait for any of these, whether or not it is in their way, by id."""
    return _DEPENDENTS.all(connection, ids=ids)


def discount(connection: Connection, ids: Collection[int], *, now: datetime) -> list[int]:
    """Count these builds, which have just ended well, off those that wait for them. Return those that do."""
    return _DISCOUNT.returning(connection, ids=ids, now=now)


def adopt(connection: Connection, id: int, version_id: int) -> None:
    """Have those that wait for an ended, bad build of the same version in another run wait for this one instead."""
    _ADOPT.run(connection, adopter=id, version=version_id)


def supersede(connection: Connection, run_id: int, *, now: datetime, actor: str | None) -> list[int]:
    """End the unclaimed builds of other runs that this run builds anew; who waits for them waits for these instead."""
    reason = f"run {run_id} builds it anew"
    ended = _SUPERSEDE.returning(connection, run=run_id, now=now, actor=actor, reason=reason)
    _WAIT_INSTEAD.run(connection, ids=ended, run=run_id)
    return ended


def count_superseded(connection: Connection, version_ids: Iterable[int]) -> int:
    """Return how many unclaimed builds of these versions there are."""
    return _UNCLAIMED.all(connection, ids=version_ids)[0]


def failed_dependencies(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    """Return for each of these builds that waits for one that has ended badly the cause of that.

    Of several causes that is the one it is known by already, else the first by id.
    """
    return dict(_FAILED.all(connection, ids=ids))


def overtaken(connection: Connection, ids: Iterable[int]) -> set[int]:
    """Return those of these builds whose version is built by a newer one, or was with success."""
    return set(_OVERTAKEN.all(connection, ids=ids))


def move_all(
    connection: Connection,
    ids: Collection[int],
    target: BuildStatus,
    *,
    reason: str | None = None,
    actor: str | None = None,
    now: datetime,
) -> list[int]:
    """Move builds that nobody holds to BLOCKED or QUEUED, and return those that may."""
    return _MOVE[target].returning(connection, ids=ids, reason=reason, actor=actor, now=now)


def end_all(
    connection: Connection,
    ids: Collection[int],
    conclusion: BuildConclusion,
    *,
    cause_id: int | None = None,
    reason: str | None = None,
    actor: str | None = None,
    now: datetime,
) -> list[int]:
    """End builds that nobody holds, and return those that have not ended before."""
    return _END.returning(
        connection, ids=ids, ending=conclusion, cause=cause_id, reason=reason, actor=actor, now=now
    )


def blame(connection: Connection, ids: Collection[int], cause_id: int, *, reason: str, now: datetime) -> None:
    """Say of builds that have failed by others by whose fault that is now."""
    _BLAME.run(connection, ids=ids, cause=cause_id, reason=reason, now=now)


def forget(connection: Connection, package_id: int, *, now: datetime) -> None:
    """Count the builds of a package, which are about to be deleted, off those that wait for them in vain."""
    _FORGET.run(connection, package=package_id, now=now)


def of_package(connection: Connection, package_id: int, statuses: Collection[BuildStatus]) -> list[int]:
    """Return the builds of a package that are in one of these states."""
    return _OF_PACKAGE.all(connection, package_id=package_id, statuses=statuses)


def of_run(connection: Connection, run_id: int, statuses: Collection[BuildStatus]) -> list[int]:
    """Return the builds of a run that are in one of these states."""
    return _OF_RUN.all(connection, run_id=run_id, statuses=statuses)


_C: Final = BUILDS.c
# Rows are looked up by their ids or versions, of which there are few.
_STATUS: Final = unindexed(_C.status)
_W: Final = BUILD_DEPENDENCIES.c
_LOCK: Final = Query(
    select(_C.id).where(any_of(_C.id, "ids")).order_by(_C.id).with_for_update(of=BUILDS), int
)
_WAITERS: Final = Query(
    select(
        _C.id,
        _C.run_id,
        _C.package_id,
        _C.version_id,
        _C.status,
        _C.conclusion,
        _C.trigger,
        _C.waiting_for,
        _C.cause_id,
        IS_FREE.label("is_free"),
    )
    .where(any_of(_C.id, "ids"))
    .order_by(_C.id),
    Waiter,
)
_NAMES: Final = Query(
    select(_C.id, _C.run_id, PACKAGES.c.name, VERSIONS.c.version)
    .join_from(BUILDS, PACKAGES, PACKAGES.c.id == _C.package_id)
    .join(VERSIONS, VERSIONS.c.id == _C.version_id)
    .where(any_of(_C.id, "ids")),
    Name,
)
_LATEST: Final = Query(
    select(
        _C.id,
        _C.run_id,
        PACKAGES.c.name,
        VERSIONS.c.version,
        select(func.max(TRANSITIONS.c.id))
        .where(TRANSITIONS.c.subject_type == SubjectType.BUILD, TRANSITIONS.c.subject_id == _C.id)
        .correlate(BUILDS)
        .scalar_subquery(),
    )
    .join_from(BUILDS, PACKAGES, PACKAGES.c.id == _C.package_id)
    .join(VERSIONS, VERSIONS.c.id == _C.version_id)
    .where(any_of(_C.id, "ids")),
    Latest,
)
_DEPENDENTS: Final = Query(
    select(_W.build_id).where(any_of(_W.dependency_id, "ids")).distinct().order_by(_W.build_id), int
)
_UNCLAIMED: Final = Query(
    select(func.count()).where(any_of(_C.version_id, "ids"), among(_STATUS, UNCLAIMED)),
    int,
)
_DEPENDENCY: Final = BUILDS.alias("dependency")
_CAUSE_OF_DEPENDENCY: Final = func.coalesce(_DEPENDENCY.c.cause_id, _DEPENDENCY.c.id)
_IS_KNOWN: Final = _C.cause_id == _CAUSE_OF_DEPENDENCY
_FAILED: Final[Query[tuple[int, int]]] = Query(
    select(
        _W.build_id,
        func.coalesce(func.max(case((_IS_KNOWN, _C.cause_id))), func.min(_CAUSE_OF_DEPENDENCY)),
    )
    .join_from(BUILD_DEPENDENCIES, _DEPENDENCY, _DEPENDENCY.c.id == _W.dependency_id)
    .join(BUILDS, _C.id == _W.build_id)
    .where(
        any_of(_W.build_id, "ids"),
        ~among(_DEPENDENCY.c.conclusion, RELEASING),
    )
    .group_by(_W.build_id),
    as_tuple,
)
_NEWER: Final = BUILDS.alias("newer")
_OVERTAKEN: Final = Query(
    select(_C.id).where(
        any_of(_C.id, "ids"),
        exists(
            select(_NEWER.c.id).where(
                _NEWER.c.version_id == _C.version_id,
                _NEWER.c.id > _C.id,
                or_(
                    _NEWER.c.status != BuildStatus.COMPLETED,
                    among(_NEWER.c.conclusion, RELEASING),
                ),
            )
        ),
    ),
    int,
)
_OF_PACKAGE: Final = Query(
    select(_C.id).where(_C.package_id == bindparam("package_id"), any_of(_C.status, "statuses")), int
)
_OF_RUN: Final = Query(
    select(_C.id).where(_C.run_id == bindparam("run_id"), any_of(_C.status, "statuses")), int
)

_NOW: Final = bindparam("now", type_=_C.updated_at.type)
_REASON: Final = bindparam("reason", type_=_C.status_reason.type)
_ACTOR: Final = bindparam("actor", type_=_C.changed_by.type)
_CAUSE: Final = bindparam("cause", type_=_C.cause_id.type)
_TOUCHED: Final[Mapping[str, Any]] = {"row_version": _C.row_version + 1, "updated_at": _NOW}
_CHANGED: Final[Mapping[str, Any]] = {**_TOUCHED, "status_reason": _REASON, "changed_by": _ACTOR}
_ENDED: Final[Mapping[str, Any]] = {**_CHANGED, "status": BuildStatus.COMPLETED, "completed_at": _NOW}
_UPDATE: Final = BUILDS.update()
_OF_THESE: Final = any_of(_W.dependency_id, "ids")
_DISCOUNT: Final = Change(
    _UPDATE.where(_C.id.in_(select(_W.build_id).where(_OF_THESE)))
    .values(
        waiting_for=_C.waiting_for
        - select(func.count()).where(_W.build_id == _C.id, _OF_THESE).correlate(BUILDS).scalar_subquery(),
        **_TOUCHED,
    )
    .returning(_C.id)
)
_ADOPTER: Final = bindparam("adopter", type_=_C.id.type)
_ADOPT: Final = Change(
    BUILD_DEPENDENCIES.update()
    .where(
        _W.dependency_id.in_(
            select(_C.id).where(
                _C.version_id == bindparam("version"),
                _C.id != _ADOPTER,
                ~among(_C.conclusion, RELEASING),
            )
        )
    )
    .values(dependency_id=_ADOPTER)
)
_RUN: Final = bindparam("run", type_=_C.run_id.type)
_SUPERSEDE: Final = Change(
    _UPDATE.where(
        _C.version_id.in_(select(_NEWER.c.version_id).where(_NEWER.c.run_id == _RUN)),
        _C.run_id < _RUN,
        among(_STATUS, UNCLAIMED),
    )
    .values(conclusion=BuildConclusion.SUPERSEDED, **_ENDED)
    .returning(_C.id)
)
_INSTEAD: Final = (
    select(_NEWER.c.id)
    .join_from(BUILDS, _NEWER, _NEWER.c.version_id == _C.version_id)
    .where(_C.id == _W.dependency_id, _NEWER.c.run_id == _RUN)
    .correlate(BUILD_DEPENDENCIES)
    .scalar_subquery()
)
_WAIT_INSTEAD: Final = Change(BUILD_DEPENDENCIES.update().where(_OF_THESE).values(dependency_id=_INSTEAD))


def _moving(target: BuildStatus, **values: Any) -> Change:
    """Return the statement that moves builds which nobody holds to `target`."""
    origins_of = [origin for origin in origins(BUILD_MOVES, target) if origin is not target]
    return Change(
        _UPDATE.where(any_of(_C.id, "ids"), among(_STATUS, [it for it in origins_of if it not in LEASED]))
        .values(status=target, conclusion=None, cause_id=None, completed_at=None, **_CHANGED, **values)
        .returning(_C.id)
    )


_MOVE: Final = {
    BuildStatus.BLOCKED: _moving(BuildStatus.BLOCKED),
    BuildStatus.QUEUED: _moving(BuildStatus.QUEUED, queued_at=_NOW),
}
_END: Final = Change(
    _UPDATE.where(any_of(_C.id, "ids"), among(_STATUS, UNCLAIMED))
    .values(conclusion=bindparam("ending", type_=_C.conclusion.type), cause_id=_CAUSE, **_ENDED)
    .returning(_C.id)
)
_BLAME: Final = Change(
    _UPDATE.where(any_of(_C.id, "ids")).values(cause_id=_CAUSE, status_reason=_REASON, **_TOUCHED)
)
_IN_VAIN: Final = (
    select(_W.build_id, func.count().label("many"))
    .join_from(BUILD_DEPENDENCIES, _DEPENDENCY, _DEPENDENCY.c.id == _W.dependency_id)
    .where(
        _DEPENDENCY.c.package_id == bindparam("package"),
        ~among(_DEPENDENCY.c.conclusion, RELEASING),
    )
    .group_by(_W.build_id)
    .subquery()
    .c
)
_FORGET: Final = Change(
    _UPDATE.where(_C.id.in_(select(_IN_VAIN.build_id))).values(
        waiting_for=_C.waiting_for
        - select(_IN_VAIN.many).where(_IN_VAIN.build_id == _C.id).correlate(BUILDS).scalar_subquery(),
        **_TOUCHED,
    )
)
