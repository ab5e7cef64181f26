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
from sqlalchemy import Connection, bindparam, case, func, or_, select

from storage.build_conditions import IS_FREE, IS_OVERTAKEN
from storage.build_tables import BUILD_DEPENDENCIES, BUILDS, BuildTrigger
from storage.dialects import among, any_of, is_sqlite, unindexed
from storage.statements import Change, Query, as_tuple
from storage.tables import PACKAGES, TRANSITIONS, VERSIONS, SubjectType
from storage.transitions import (
    BUILD_MOVES,
    LEASED,
    RELEASING,
    REOPENED,
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


def failed_dependencies(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    """Return for each of these builds that waits for one that has ended badly the cause of that.

    Of several causes that is the one it is known by already, else the first by id.
    """
    return dict(_FAILED.all(connection, ids=ids))


def overtaken(connection: Connection, ids: Iterable[int]) -> set[int]:
    """Return those of these builds whose version is built by a newer one, or was with success."""
    return set(_OVERTAKEN.all(connection, ids=ids))


def given_up_for(connection: Connection, ids: Iterable[int]) -> list[int]:
    """Return the older builds of the same versions as these that have failed by others, by id."""
    return _GIVEN_UP.all(connection, ids=ids)


def better(connection: Connection, id: int) -> int | None:
    """Return the newest of the newer builds of the same version that have ended well, or None."""
    found: int | None = _BETTER.one(connection, id=id)
    return found


def move_over(connection: Connection, id: int, better: int, *, now: datetime) -> list[int]:
    """Have those that wait for a build that has ended badly wait for one that has ended well, which lets them go on.

    Return who that is.
    """
    waiting = dependents_of(connection, [id])
    lock(connection, waiting)
    _MOVE_OVER.run(connection, id=id, better=better)
    _COUNT_OFF.run(connection, ids=waiting, now=now)
    return waiting


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


def forget(connection: Connection, package_id: int, *, now: datetime) -> list[int]:
    """Count the builds of a package, which are about to be deleted, off those that wait for them in vain.

    Return those of other packages.
    """
    forgotten = _FORGET.returning(connection, package=package_id, now=now)
    return [each.id for each in waiters(connection, forgotten) if each.package_id != package_id]


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
    select(_C.id).where(any_of(_C.id, "ids")).order_by(_C.id).with_for_update(of=BUILDS, key_share=True), int
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
_OVERTAKEN: Final = Query(select(_C.id).where(any_of(_C.id, "ids"), IS_OVERTAKEN), int)
_OLDER: Final = BUILDS.alias("older")
_GIVEN_UP: Final = Query(
    select(_OLDER.c.id)
    .join_from(BUILDS, _OLDER, _OLDER.c.version_id == _C.version_id)
    .where(any_of(_C.id, "ids"), _OLDER.c.id < _C.id, _OLDER.c.conclusion == BuildConclusion.DEP_FAILED)
    .distinct()
    .order_by(_OLDER.c.id),
    int,
)
_BETTER: Final = Query(
    select(func.max(_NEWER.c.id))
    .join_from(BUILDS, _NEWER, _NEWER.c.version_id == _C.version_id)
    .where(_C.id == bindparam("id"), _NEWER.c.id > _C.id, among(_NEWER.c.conclusion, RELEASING)),
    lambda id_: id_,
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
_MOVE_OVER: Final = Change(
    BUILD_DEPENDENCIES.update()
    .where(_W.dependency_id == bindparam("id"))
    .values(dependency_id=bindparam("better", type_=_C.id.type))
)
_COUNT_OFF: Final = Change(
    _UPDATE.where(any_of(_C.id, "ids")).values(waiting_for=_C.waiting_for - 1, **_TOUCHED)
)


def _moving(target: BuildStatus, **values: Any) -> Change:
    """Return the statement that moves builds which nobody holds to `target`."""
    origins_of = [origin for origin in origins(BUILD_MOVES, target) if origin is not target]
    return Change(
        _UPDATE.where(
            any_of(_C.id, "ids"),
            among(_STATUS, [it for it in origins_of if it not in LEASED]),
            or_(_STATUS != BuildStatus.COMPLETED, among(_C.conclusion, REOPENED)),
        )
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
    _UPDATE.where(_C.id.in_(select(_IN_VAIN.build_id)))
    .values(
        waiting_for=_C.waiting_for
        - select(_IN_VAIN.many).where(_IN_VAIN.build_id == _C.id).correlate(BUILDS).scalar_subquery(),
        **_TOUCHED,
    )
    .returning(_C.id)
)
