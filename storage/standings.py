"""How builds stand with regard to each other: what is in whose way, and what is to be said of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, or_, select, text

from storage.build_conditions import IS_FREE, IS_OVERTAKEN
from storage.build_tables import BUILD_DEPENDENCIES, BUILDS, RUNS
from storage.dialects import among, any_of
from storage.statements import Query, as_tuple
from storage.tables import PACKAGES, VERSIONS
from storage.transitions import RELEASING, BuildConclusion, BuildStatus, PackageStatus


class Standing(msgspec.Struct, frozen=True, gc=False):
    """A build, with all that may keep it or others from going on."""

    id: int
    run_id: int
    version_id: int
    package: str
    version: str
    package_status: PackageStatus
    status: BuildStatus
    conclusion: BuildConclusion | None
    worker: str | None
    worker_labels: dict[str, str]
    not_before: datetime | None
    started_at: datetime | None
    remaining_seconds: float
    message: str | None
    kinds: int
    include_optional: bool


def of_builds(connection: Connection, ids: Iterable[int]) -> dict[int, Standing]:
    """Return how these builds stand, those that exist, in one statement."""
    return {standing.id: standing for standing in _OF_BUILDS.all(connection, ids=ids)}


def in_the_way(connection: Connection, ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return what is in the way of each of these builds: the build, and one that it waits for and has not ended well."""
    return _IN_THE_WAY.all(connection, ids=ids)


def all_in_the_way(connection: Connection, ids: Iterable[int], *, limit: int) -> list[int]:
    """Return these builds, those that exist, and what is in the way of them, directly or not; nearest first, up to `limit`.

    One statement however long the chains are. What does not wait is not followed any further.
    """
    return _ALL_IN_THE_WAY.all(connection, ids=ids, limit=limit)


def held_up(connection: Connection, run_id: int | None = None) -> list[int]:
    """Return the builds that others keep from going on, of a run or of all, in order.

    Those whose version is built by a newer build, or was with success, are left out.
    """
    return _HELD_UP.all(connection) if run_id is None else _HELD_UP_OF_RUN.all(connection, run_id=run_id)


def stopped(connection: Connection, run_id: int | None = None) -> list[int]:
    """Return the builds that could go on if something beside builds were otherwise: those queued, held or unresolvable."""
    return _STOPPED.all(connection) if run_id is None else _STOPPED_OF_RUN.all(connection, run_id=run_id)


def unresolvable(connection: Connection) -> list[int]:
    """Return the builds that have ended for want of something, but for those that a newer one builds or has built."""
    return _UNRESOLVABLE.all(connection)


def idle(connection: Connection) -> list[int]:
    """Return the builds that nothing is in the way of, and that are not in the queue. There should be none."""
    return _IDLE.all(connection)


_C: Final = BUILDS.c
_W: Final = BUILD_DEPENDENCIES.c
_DEPENDENCY: Final = BUILDS.alias("dependency")
_OF_BUILDS: Final = Query(
    select(
        _C.id,
        _C.run_id,
        _C.version_id,
        PACKAGES.c.name,
        VERSIONS.c.version,
        PACKAGES.c.status,
        _C.status,
        _C.conclusion,
        _C.worker,
        _C.worker_labels,
        _C.not_before,
        _C.started_at,
        _C.remaining_seconds,
        _C.message,
        RUNS.c.kinds,
        RUNS.c.include_optional,
    )
    .join_from(BUILDS, PACKAGES, PACKAGES.c.id == _C.package_id)
    .join(VERSIONS, VERSIONS.c.id == _C.version_id)
    .join(RUNS, RUNS.c.id == _C.run_id)
    .where(any_of(_C.id, "ids")),
    Standing,
)
_IS_IN_THE_WAY: Final = or_(
    _DEPENDENCY.c.status != BuildStatus.COMPLETED, ~among(_DEPENDENCY.c.conclusion, RELEASING)
)
_IN_THE_WAY: Final[Query[tuple[int, int]]] = Query(
    select(_W.build_id, _W.dependency_id)
    .join_from(BUILD_DEPENDENCIES, _DEPENDENCY, _DEPENDENCY.c.id == _W.dependency_id)
    .where(any_of(_W.build_id, "ids"), _IS_IN_THE_WAY)
    .order_by(_W.build_id, _W.dependency_id),
    as_tuple,
)
_IS_BLOCKED: Final = _C.status == BuildStatus.BLOCKED


def _all_in_the_way() -> Select[tuple[int]]:
    found = select(_C.id).where(any_of(_C.id, "ids")).cte("found", recursive=True)
    beyond = (
        select(_W.dependency_id)
        .join_from(found, BUILDS, _C.id == found.c.id)
        .join(BUILD_DEPENDENCIES, _W.build_id == _C.id)
        .join(_DEPENDENCY, _DEPENDENCY.c.id == _W.dependency_id)
        .where(or_(_IS_BLOCKED, _C.conclusion == BuildConclusion.DEP_FAILED), _IS_IN_THE_WAY)
    )
    # Both databases go on from what was found first, and no further than is taken from them.
    everything = found.union(beyond)
    return select(everything.c.id).limit(bindparam("limit"))


_ALL_IN_THE_WAY: Final = Query(_all_in_the_way(), int)
_IS_QUEUED: Final = _C.status == BuildStatus.QUEUED


def _has_ended(conclusion: BuildConclusion) -> ColumnElement[bool]:
    return and_(_C.status == BuildStatus.COMPLETED, _C.conclusion == conclusion, ~IS_OVERTAKEN)


_HELD: Final = select(_C.id).where(or_(_IS_BLOCKED, _has_ended(BuildConclusion.DEP_FAILED))).order_by(_C.id)
_HELD_UP: Final = Query(_HELD, int)
_HELD_UP_OF_RUN: Final = Query(_HELD.where(_C.run_id == bindparam("run_id")), int)
_STOP: Final = (
    select(_C.id)
    .where(
        or_(
            _IS_QUEUED,
            and_(_IS_BLOCKED, _C.waiting_for == 0),
            _has_ended(BuildConclusion.UNRESOLVABLE),
        )
    )
    .order_by(_C.id)
)
_STOPPED: Final = Query(_STOP, int)
_STOPPED_OF_RUN: Final = Query(_STOP.where(_C.run_id == bindparam("run_id")), int)
_UNRESOLVABLE: Final = Query(
    select(_C.id).where(_has_ended(BuildConclusion.UNRESOLVABLE)).order_by(_C.id), int
)
# In the words of the index, or it does not serve.
_IDLE: Final = Query(
    select(_C.id).where(text("status = 'BLOCKED' AND waiting_for = 0"), IS_FREE).order_by(_C.id), int
)
