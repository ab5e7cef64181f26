"""Reading and writing builds. Which of them wait for which is in `waits`."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BindParameter, Column, ColumnElement, Connection, bindparam, func, or_, select

from storage import dialects
from storage.build_rows import BuildRow
from storage.build_tables import BUILDS, BuildTrigger, ReportFields
from storage.dialects import among, any_of, can_be_there
from storage.moves import moving
from storage.ranking import first_of_each
from storage.statements import BulkInsert, Change, Query, as_tuple, given
from storage.tables import PACKAGES, VERSIONS
from storage.transitions import BUILD_MOVES, LEASED, REOPENED, BuildConclusion, BuildStatus


@dataclass(frozen=True, slots=True)
class BuildFilter:
    """Which builds a list holds. None asks for nothing."""

    run_id: int | None = None
    package: str | None = None
    """The package's name."""
    statuses: tuple[BuildStatus, ...] | None = None
    conclusions: tuple[BuildConclusion, ...] | None = None
    worker: str | None = None


ALL: Final = BuildFilter()


class Owner(StrEnum):
    """Whose builds a list holds."""

    RUN = "run_id"
    PACKAGE = "package_id"


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, BuildRow]:
    """Return the builds with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


def latest_of(connection: Connection, version_ids: Iterable[int]) -> dict[int, BuildRow]:
    """Return the build of each version that was planned last, for those that have one; one statement."""
    return {row.version_id: row for row in _LATEST.all(connection, ids=version_ids)}


def page(
    connection: Connection,
    filter: BuildFilter,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    backwards: bool = False,
) -> list[BuildRow]:
    """Return up to `limit` builds, newest first, between those with the ids `after` and `before`.

    They are the newest of them, or `backwards` the oldest.
    """
    values = {**_values(filter), **given(after=after, before=before)}
    return _page(connection, values, limit=limit, backwards=backwards)


def count(connection: Connection, filter: BuildFilter) -> int:
    """Return how many builds `filter` lets through."""
    values = _values(filter)
    if not all(map(can_be_there, values.values())):
        return 0
    return _count_query(frozenset(values)).all(connection, **values)[0]


def pages_of(
    connection: Connection,
    owner: Owner,
    ids: Iterable[int],
    *,
    limit: int,
    statuses: tuple[BuildStatus, ...] | None = None,
    conclusions: tuple[BuildConclusion, ...] | None = None,
    after: int | None = None,
) -> dict[int, list[BuildRow]]:
    """Return up to `limit` builds of each run or package, newest first, after the one with the id `after`.

    One statement for any number of them; one without such builds has an empty list.
    """
    values = given(statuses=statuses, conclusions=conclusions, after=after)
    pages: dict[int, list[BuildRow]] = {id_: [] for id_ in ids}
    if len(pages) == 1:
        # A page of one is cut short by its limit; many are ranked as a whole.
        return {id_: _page(connection, {**values, owner.value: id_}, limit=limit) for id_ in pages}
    query = _pages_query(owner, frozenset(values))
    for owner_id, build in query.all(connection, ids=pages, limit=limit, **values):
        pages[owner_id].append(build)
    return pages


def counts_of(
    connection: Connection,
    owner: Owner,
    ids: Iterable[int],
    *,
    statuses: tuple[BuildStatus, ...] | None = None,
    conclusions: tuple[BuildConclusion, ...] | None = None,
) -> dict[int, int]:
    """Return how many builds each run or package has, in one statement."""
    values = given(statuses=statuses, conclusions=conclusions)
    counts = dict.fromkeys(ids, 0)
    counts.update(_counts_query(owner, frozenset(values)).all(connection, ids=counts, **values))
    return counts


def ids(connection: Connection) -> Iterator[int]:
    """Yield ids never given, ascending. They are the caller's, and nobody else may ask in this transaction."""
    return dialects.ids(connection, BUILDS)


def insert(connection: Connection, rows: Iterable[BuildRow], *, actor: str | None = None) -> None:
    """Write new builds, which begin as BLOCKED, QUEUED, or concluded by what they need."""
    _INSERT.run(connection, ((*_content(row), actor) for row in rows))


def move(
    connection: Connection,
    id: int,
    target: BuildStatus,
    *,
    conclusion: BuildConclusion | None = None,
    report: ReportFields | None = None,
    lease_token: int | None = None,
    more_attempts: int = 0,
    not_before: datetime | None = None,
    trigger: BuildTrigger | None = None,
    reason: str | None = None,
    actor: str | None = None,
    now: datetime,
) -> bool:
    """Move a build to `target`, which is COMPLETED when it has a `conclusion`; False, and nothing done, when it may not.

    It is not ASSIGNED by this, since that needs a lease. With a `lease_token` it moves only while that is the newest,
    and out of FAILURE and its like only with `more_attempts`. Its moments are set as `target` says, its lease ends
    where nobody holds it, and `report` and `trigger` are kept where they say something. Nobody may claim it `not_before`.
    """
    said = {} if report is None else report.model_dump(exclude_none=True)
    values = given(lease_token=lease_token, more_attempts=more_attempts or None, trigger=trigger, **said)
    statement = _move_statement(target, frozenset(values))
    moved = statement.run(
        connection,
        row=id,
        ending=conclusion,
        reason=reason,
        actor=actor,
        until=not_before,
        now=now,
        **{f"given_{name}": value for name, value in values.items()},
    )
    return moved == 1


_C: Final = BUILDS.c
_COLUMNS: Final = tuple(_C[name] for name in BuildRow.__struct_fields__)
_ROW: Final = select(*_COLUMNS)
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), BuildRow)
_OTHERS: Final = BUILDS.alias()
_NEWEST_ID: Final = (
    select(func.max(_OTHERS.c.id))
    .where(_OTHERS.c.version_id == VERSIONS.c.id)
    .correlate_except(_OTHERS)
    .scalar_subquery()
)
_LATEST: Final = Query(
    _ROW.join_from(VERSIONS, BUILDS, _C.id == _NEWEST_ID).where(any_of(VERSIONS.c.id, "ids")), BuildRow
)
_INSERT: Final = BulkInsert(BUILDS)
# All columns but the last, which says who did it.
_content: Final = attrgetter(*_INSERT.columns[:-1])
_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "run_id": _C.run_id == bindparam("run_id"),
    "package_id": _C.package_id == bindparam("package_id"),
    "package": _C.package_id
    == select(PACKAGES.c.id).where(PACKAGES.c.name == bindparam("package")).scalar_subquery(),
    "statuses": any_of(_C.status, "statuses"),
    "conclusions": any_of(_C.conclusion, "conclusions"),
    "worker": _C.worker == bindparam("worker"),
    "after": _C.id < bindparam("after"),
    "before": _C.id > bindparam("before"),
}


def _values(filter: BuildFilter) -> dict[str, Any]:
    return given(
        run_id=filter.run_id,
        package=filter.package,
        statuses=filter.statuses,
        conclusions=filter.conclusions,
        worker=filter.worker,
    )


def _page(
    connection: Connection, values: Mapping[str, Any], *, limit: int, backwards: bool = False
) -> list[BuildRow]:
    if not all(map(can_be_there, values.values())):
        return []
    rows = _page_query(frozenset(values), backwards=backwards).all(connection, limit=limit, **values)
    return rows[::-1] if backwards else rows


def _conditions(parameters: frozenset[str]) -> list[ColumnElement[bool]]:
    conditions = [_CONDITIONS[parameter] for parameter in sorted(parameters)]
    if "conclusions" in parameters:
        # It follows, but the index begins with the status.
        conditions.append(_C.status == BuildStatus.COMPLETED)
    return conditions


@functools.cache
def _move_statement(target: BuildStatus, given: frozenset[str]) -> Change:
    """Return the statement that moves one build, with what of `move` is given."""

    def parameter(name: str) -> BindParameter[Any]:
        return bindparam(f"given_{name}", type_=_C[name].type)

    now = bindparam("now", type_=_C.updated_at.type)
    values: dict[str, Any] = {
        name: parameter(name) for name in ("trigger", "output_digest", "message") if name in given
    }
    statement = moving(BUILDS, moves=BUILD_MOVES, target=target)
    if "lease_token" in given:
        statement = statement.where(_C.lease_token == parameter("lease_token"))
    if "more_attempts" in given:
        more = bindparam("given_more_attempts", type_=_C.max_attempts.type)
        values["max_attempts"] = _C.max_attempts + more
    else:
        statement = statement.where(or_(_C.status != BuildStatus.COMPLETED, among(_C.conclusion, REOPENED)))
    return Change(
        statement.values(
            conclusion=bindparam("ending", type_=_C.conclusion.type),
            row_version=_C.row_version + 1,
            not_before=bindparam("until", type_=_C.not_before.type),
            cause_id=None,
            **_moments(target, now),
            **values,
        )
    )


def _moments(target: BuildStatus, now: BindParameter[Any]) -> dict[str, Any]:
    """Return the columns that follow from where a build is: it starts when it first runs, and anew when it must wait."""
    moments: dict[str, Any] = {"completed_at": now if target is BuildStatus.COMPLETED else None}
    if target not in LEASED:
        moments["lease_expires_at"] = None
    if target is BuildStatus.RUNNING:
        moments["started_at"] = func.coalesce(_C.started_at, now)
    if target is BuildStatus.QUEUED:
        moments["queued_at"] = now
    if target in {BuildStatus.QUEUED, BuildStatus.BLOCKED}:
        moments["started_at"] = None
    return moments


@functools.cache
def _page_query(parameters: frozenset[str], *, backwards: bool) -> Query[BuildRow]:
    query = _ROW.where(*_conditions(parameters)).order_by(_C.id.asc() if backwards else _C.id.desc())
    return Query(query.limit(bindparam("limit")), BuildRow)


@functools.cache
def _count_query(parameters: frozenset[str]) -> Query[int]:
    return Query(select(func.count()).select_from(BUILDS).where(*_conditions(parameters)), int)


@functools.cache
def _pages_query(owner: Owner, parameters: frozenset[str]) -> Query[tuple[int, BuildRow]]:
    column: Column[Any] = _C[owner]
    conditions = (any_of(column, "ids"), *_conditions(parameters))
    query = first_of_each(
        _OTHERS, BuildRow.__struct_fields__, owner=column, key=_C.id, where=conditions, descending=True
    )
    return Query(query, with_owner)


@functools.cache
def _counts_query(owner: Owner, parameters: frozenset[str]) -> Query[tuple[int, int]]:
    column: Column[Any] = _C[owner]
    conditions = (any_of(column, "ids"), *_conditions(parameters))
    return Query(select(column, func.count()).where(*conditions).group_by(column), as_tuple)


def with_owner(owner_id: int, *columns: Any) -> tuple[int, BuildRow]:
    """Make a row of `ranking.first_of_each` the id of its owner and a build."""
    return owner_id, BuildRow(*columns)
