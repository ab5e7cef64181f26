"""Checks of runs, builds and alerts: states that contradict themselves, and counters that are off."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)

from storage.checks import subjects
from storage.checks.findings import ACTOR, Mend, RowCheck, Rule
from storage.dialects import any_of
from storage.images import IMAGES
from storage.transitions import (
    LEASED,
    RELEASING,
    REOPENED,
    AlertState,
    BuildConclusion,
    BuildStatus,
    PackageStatus,
    RunConclusion,
    RunStatus,
)

_PACKAGES: Final = IMAGES["packages"]
_VERSIONS: Final = IMAGES["package_versions"]
_RUNS: Final = IMAGES["build_runs"]
_BUILDS: Final = IMAGES["build_status"]
_WAITS: Final = IMAGES["build_dependencies"]
_ATTEMPTS: Final = IMAGES["build_attempts"]
_LOGS: Final = IMAGES["build_logs"]
_ARTIFACTS: Final = IMAGES["artifacts"]

_R: Final = _RUNS.c
_B: Final = _BUILDS.c

_Values: TypeAlias = Callable[[Any], dict[str, Any]]
"""The columns to set, from the moment of mending."""


def _setting(table: str, bad: Select[Any], values: _Values) -> Mend:
    """Return what sets columns of the rows that `bad` finds, and tells of it."""

    def mend(connection: Connection, now: datetime) -> int:
        ids = [row[0] for row in connection.execute(bad)]
        if ids:
            _set(connection, table, ids, values, now)
        return len(ids)

    return mend


def _set(connection: Connection, table: str, ids: list[int], values: _Values, now: datetime) -> None:
    image = IMAGES[table]
    moment = literal(now, image.c.updated_at.type)
    counted = {"row_version": image.c.row_version + 1} if "row_version" in image.columns else {}
    update = image.update().where(any_of(image.c.id, "ids"))
    connection.execute(update.values(updated_at=moment, **counted, **values(moment)), {"ids": ids})
    subjects.tell(connection, table, ids, at=now)


def _rule(table: str, bad: Select[Any], problem: str, remedy: str, values: _Values) -> Rule:
    return Rule(table, bad, problem, remedy, _setting(table, bad, values))


def _undated(name: str, status: str, moment: str) -> Rule:
    """Return the rule for a row that does not say since when it is what it is."""
    columns = IMAGES[name].c
    return _rule(
        name,
        select(columns.id).where(columns.status == status, columns[moment].is_(None)),
        f"is {status}, and not known since when",
        "takes the moment of its last change",
        lambda _now: {moment: columns.updated_at},
    )


def _dated(name: str, status: str, moment: str) -> tuple[Rule, Rule]:
    """Return the rules for a row of this status without its moment, and the moment of one of another."""
    columns = IMAGES[name].c
    beyond = _rule(
        name,
        select(columns.id, columns.status).where(columns.status != status, columns[moment].is_not(None)),
        f"is {{status}}, and yet has a moment at which it was {status.lower()}",
        "empties that",
        lambda _now: {moment: None},
    )
    return _undated(name, status, moment), beyond


def _not_concluded(name: str) -> Rule:
    columns = IMAGES[name].c
    return _rule(
        name,
        select(columns.id, columns.status, columns.conclusion).where(
            columns.status != "COMPLETED", columns.conclusion.is_not(None)
        ),
        "is {status}, and yet has the conclusion {conclusion}",
        "empties that",
        lambda _now: {"conclusion": None},
    )


_OF_LAST_ATTEMPT: Final = (
    select(_ATTEMPTS.c.conclusion)
    .where(_ATTEMPTS.c.build_id == _B.id, _ATTEMPTS.c.conclusion.is_not(None))
    .order_by(_ATTEMPTS.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
_IS_HELD: Final = _B.status.in_(LEASED)

BUILDS: Final = RowCheck(
    "builds",
    (
        _rule(
            "build_status",
            select(_B.id).where(_B.status == BuildStatus.COMPLETED, _B.conclusion.is_(None)),
            "is COMPLETED without a conclusion",
            f"takes that of its last attempt, else {BuildConclusion.INFRA_ERROR}",
            lambda _now: {"conclusion": func.coalesce(_OF_LAST_ATTEMPT, BuildConclusion.INFRA_ERROR.value)},
        ),
        _not_concluded("build_status"),
        *_dated("build_status", BuildStatus.COMPLETED, "completed_at"),
        _rule(
            "build_status",
            select(_B.id, _B.status).where(_IS_HELD, or_(_B.lease_expires_at.is_(None), _B.worker.is_(None))),
            "is {status} without a lease or a worker, so that nobody would ever take it back",
            "has its lease end now, after which it is given to another worker",
            lambda now: {
                "lease_expires_at": func.coalesce(_B.lease_expires_at, now),
                "worker": func.coalesce(_B.worker, ACTOR),
            },
        ),
        _rule(
            "build_status",
            select(_B.id, _B.status).where(not_(_IS_HELD), _B.lease_expires_at.is_not(None)),
            "is {status}, and yet leased",
            "ends the lease",
            lambda _now: {"lease_expires_at": None},
        ),
        _rule(
            "build_status",
            select(_B.id, _VERSIONS.c.package_id.label("owner"))
            .join_from(_BUILDS, _VERSIONS, _VERSIONS.c.id == _B.version_id)
            .where(_VERSIONS.c.package_id != _B.package_id),
            "is of a version of another package, {owner}",
            "sets the package to the version's",
            lambda _now: {
                "package_id": select(_VERSIONS.c.package_id)
                .where(_VERSIONS.c.id == _B.version_id)
                .scalar_subquery()
            },
        ),
    ),
)

_OF_RUN: Final = select(1).where(_B.run_id == _R.id)
_HAS_FAILED: Final = exists(_OF_RUN.where(_B.conclusion.not_in(RELEASING)))
_ENDED_AS: Final = case((_HAS_FAILED, RunConclusion.FAILURE.value), else_=RunConclusion.SUCCESS.value)
_IS_UNFINISHED: Final = exists(_OF_RUN.where(_B.status != BuildStatus.COMPLETED))

RUNS: Final = RowCheck(
    "runs",
    (
        _rule(
            "build_runs",
            select(_R.id).where(_R.status == RunStatus.COMPLETED, _R.conclusion.is_(None)),
            "is COMPLETED without a conclusion",
            "takes the one that its builds give",
            lambda _now: {"conclusion": _ENDED_AS},
        ),
        _not_concluded("build_runs"),
        *_dated("build_runs", RunStatus.COMPLETED, "completed_at"),
        _rule(
            "build_runs",
            select(_R.id).where(_R.status == RunStatus.COMPLETED, _IS_UNFINISHED),
            "is COMPLETED, and yet has builds that are not",
            "goes on, as RUNNING",
            lambda _now: {
                "status": RunStatus.RUNNING.value,
                "conclusion": None,
                "completed_at": None,
                "status_reason": "it has builds that are not completed",
                "changed_by": ACTOR,
            },
        ),
        _rule(
            "build_runs",
            select(_R.id, _R.status).where(
                _R.status != RunStatus.COMPLETED, exists(_OF_RUN), not_(_IS_UNFINISHED)
            ),
            "is {status}, and yet each of its builds is COMPLETED",
            "completes it, as its builds give",
            lambda now: {
                "status": RunStatus.COMPLETED.value,
                "conclusion": case(
                    (_R.status == RunStatus.CANCELING, RunConclusion.CANCELED.value), else_=_ENDED_AS
                ),
                "completed_at": now,
                "changed_by": ACTOR,
            },
        ),
    ),
)

ALERTS: Final = RowCheck(
    "alerts",
    (
        *_dated("alerts", AlertState.RESOLVED, "resolved_at"),
        _undated("alerts", AlertState.ACKNOWLEDGED, "acknowledged_at"),
    ),
)

_WAITER: Final = _BUILDS.alias("waiter")
_WAITED_FOR: Final = _BUILDS.alias("waited_for")
_ELSEWHERE: Final = (
    select(_WAITS.c.build_id, _WAITS.c.dependency_id)
    .join_from(_WAITS, _WAITER, _WAITER.c.id == _WAITS.c.build_id)
    .join(_WAITED_FOR, _WAITED_FOR.c.id == _WAITS.c.dependency_id)
    # A newer run may build it instead, and any may have built it with success.
    .where(
        _WAITER.c.run_id > _WAITED_FOR.c.run_id,
        or_(_WAITED_FOR.c.conclusion.is_(None), _WAITED_FOR.c.conclusion.not_in(RELEASING)),
    )
)


def _wait_no_more(connection: Connection, now: datetime) -> int:
    pairs = [
        {"build": row.build_id, "dependency": row.dependency_id} for row in connection.execute(_ELSEWHERE)
    ]
    for pair in pairs:
        connection.execute(
            _WAITS.delete().where(
                _WAITS.c.build_id == pair["build"], _WAITS.c.dependency_id == pair["dependency"]
            )
        )
    return len(pairs)


_IN_THE_WAY: Final = (
    select(func.count())
    .select_from(_WAITS.join(_WAITED_FOR, _WAITED_FOR.c.id == _WAITS.c.dependency_id))
    .where(
        _WAITS.c.build_id == _B.id,
        or_(
            _WAITED_FOR.c.status != BuildStatus.COMPLETED,
            _WAITED_FOR.c.conclusion.not_in(RELEASING),
        ),
    )
    .scalar_subquery()
)
# Of the others nobody reads the counter again.
_MAY_BE_RELEASED: Final = or_(
    _B.status.in_((BuildStatus.BLOCKED, BuildStatus.QUEUED)),
    and_(_B.status == BuildStatus.COMPLETED, _B.conclusion.in_(REOPENED)),
)
_MISCOUNTED: Final = select(_B.id, _B.waiting_for, _IN_THE_WAY.label("real")).where(
    _MAY_BE_RELEASED, _B.waiting_for != _IN_THE_WAY
)
_IS_FREE: Final = exists(
    select(1).where(
        _PACKAGES.c.id == _B.package_id,
        _PACKAGES.c.status.not_in((PackageStatus.QUARANTINED, PackageStatus.ARCHIVED)),
    )
)


def _count_anew(connection: Connection, now: datetime) -> int:
    """Set the counters, and let go on what nothing is in the way of any more: nobody else would come to do it."""
    ids = [row.id for row in connection.execute(_MISCOUNTED)]
    if ids:
        _set(connection, "build_status", ids, lambda _now: {"waiting_for": _IN_THE_WAY}, now)
        released = select(_B.id).where(
            any_of(_B.id, "ids"), _B.status == BuildStatus.BLOCKED, _B.waiting_for == 0, _IS_FREE
        )
        free = [row.id for row in connection.execute(released, {"ids": ids})]
        if free:
            _set(connection, "build_status", free, _queued, now)
    return len(ids)


def _queued(now: Any) -> dict[str, Any]:
    return {
        "status": BuildStatus.QUEUED.value,
        "queued_at": now,
        "status_reason": "nothing is in its way any more",
        "changed_by": ACTOR,
    }


WAITS: Final = RowCheck(
    "waits",
    (
        Rule(
            "build_dependencies",
            _ELSEWHERE,
            "waits for build {dependency_id}, which is of an older run and has not ended well",
            "has it wait no more",
            _wait_no_more,
        ),
        Rule(
            "build_status",
            _MISCOUNTED,
            "has {waiting_for} builds to wait for by its counter, and {real} in truth",
            "counts them anew, and lets it go on when there are none",
            _count_anew,
        ),
    ),
)

_TRIED: Final = union_all(
    select(_B.id.label("build_id"), _B.attempt.label("number")),
    select(_LOGS.c.build_id, _LOGS.c.attempt),
    select(_ARTIFACTS.c.build_id, _ARTIFACTS.c.attempt),
).subquery("tried")
_UNKNOWN: Final = (
    select(_TRIED.c.build_id, _TRIED.c.number)
    .where(
        _TRIED.c.number >= 1,
        ~exists(
            select(1).where(_ATTEMPTS.c.build_id == _TRIED.c.build_id, _ATTEMPTS.c.number == _TRIED.c.number)
        ),
    )
    .distinct()
)
_NEWEST_ATTEMPT: Final = (
    select(func.coalesce(func.max(_ATTEMPTS.c.number), 0))
    .where(_ATTEMPTS.c.build_id == _B.id)
    .scalar_subquery()
)


def _add_attempts(connection: Connection, now: datetime) -> int:
    unknown = _UNKNOWN.subquery()
    added = select(
        unknown.c.build_id, unknown.c.number, func.coalesce(_B.worker, ACTOR), _B.lease_token
    ).join_from(unknown, _BUILDS, _B.id == unknown.c.build_id)
    columns = ["build_id", "number", "worker", "lease_token"]
    insert = _ATTEMPTS.insert().from_select(columns, added)
    return connection.execute(insert.execution_options(preserve_rowcount=True)).rowcount


ATTEMPTS: Final = RowCheck(
    "attempts",
    (
        Rule(
            "build_status",
            _UNKNOWN,
            "was tried a {number}. time, of which there is no attempt",
            "adds the attempt",
            _add_attempts,
        ),
        _rule(
            "build_status",
            select(_B.id, _B.attempt, _NEWEST_ATTEMPT.label("newest")).where(_B.attempt < _NEWEST_ATTEMPT),
            "is at attempt {attempt}, and has had {newest}",
            "takes the number of the newest",
            lambda _now: {"attempt": _NEWEST_ATTEMPT},
        ),
    ),
)
