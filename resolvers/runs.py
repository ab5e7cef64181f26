"""Starting runs, and canceling them."""

from dataclasses import dataclass
from datetime import datetime

from resolvers.announcements import announce
from resolvers.atlas import Atlas
from resolvers.drafts import check_reason, validated
from resolvers.errors import Gone, NotFound
from resolvers.preparation import Preparation, PreparedBuild, StartRequest, kinds_of, prepare
from resolvers.resolutions import Unsolved
from resolvers.scheduling import Course
from storage import builds, flow, runs, superseding, versions, waits
from storage.build_rows import BuildRow, RunRow
from storage.build_tables import CutEdge, RunFields
from storage.database import Connection, Database
from storage.transitions import (
    LIVE,
    RUN_MOVES,
    BuildStatus,
    RunConclusion,
    RunStatus,
    illegal,
)


@dataclass(frozen=True, slots=True)
class RunChange:
    """A run after a request, and the position of the newest event: that of the change, if there was one."""

    run: RunRow
    created: bool
    cursor: int


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Why there is no run: what was to be planned cannot be solved."""

    why: Unsolved
    cursor: int


def start(
    atlas: Atlas, request: StartRequest, *, now: datetime, actor: str | None = None
) -> RunChange | NotStarted:
    """Start a run, all of it in one transaction. The run that was started with the same key is returned instead, if any.

    Builds of the same versions that nobody has claimed end as SUPERSEDED. Raises BadInput, Gone, and what planning
    raises.
    """
    fields = _fields(request)
    database = atlas.database
    with database.read() as connection:
        known = _by_key(connection, fields)
    if known is not None:
        return RunChange(known, created=False, cursor=database.cursor())
    prepared = prepare(atlas, request)
    if isinstance(prepared, Unsolved):
        return NotStarted(prepared, database.cursor())

    def operation(connection: Connection) -> tuple[RunRow, bool]:
        earlier = _by_key(connection, fields)
        if earlier is not None:
            return earlier, False
        return _write(connection, fields, prepared, now=now, actor=actor), True

    written = database.write(operation, of_catalogue=False)
    run, created = written.value
    return RunChange(run, created, written.cursor)


def cancel_run(
    database: Database, run_id: int, *, reason: str | None, now: datetime, actor: str | None = None
) -> RunChange:
    """Cancel all of a run that has not ended: at once what nobody holds, and within its lease what a worker does.

    One that was canceled stays as it is. Raises NotFound, IllegalTransition and BadInput.
    """
    check_reason(reason)

    def operation(connection: Connection) -> RunRow:
        # Before the run, as whoever ends one of them keeps it.
        flow.lock(connection, flow.of_run(connection, run_id, LIVE))
        run = runs.lock(connection, run_id)
        if run is None:
            raise NotFound("run of this id", path=("id",))
        if run.conclusion is RunConclusion.CANCELED:
            return run
        if run.status is RunStatus.COMPLETED:
            raise illegal(RUN_MOVES, f"run {run_id}", origin=run.status, target=RunStatus.CANCELING)
        course = Course(connection, now, actor)
        course.cancel_run(run_id, reason)
        course.finish()
        return runs.by_ids(connection, [run_id])[run_id]

    written = database.write(operation, of_catalogue=False)
    return RunChange(written.value, created=False, cursor=written.cursor)


def _fields(request: StartRequest) -> RunFields:
    return validated(
        lambda: RunFields(
            trigger=request.trigger,
            priority=request.priority,
            max_attempts=request.max_attempts,
            timeout_seconds=request.timeout_seconds,
            labels=dict(request.labels),
            worker_labels=dict(request.worker_labels),
            idempotency_key=request.idempotency_key,
            kinds=kinds_of(request.plan),
            include_optional=request.plan.selection.include_optional,
        )
    )


def _by_key(connection: Connection, fields: RunFields) -> RunRow | None:
    return None if fields.idempotency_key is None else runs.by_key(connection, fields.idempotency_key)


def _write(
    connection: Connection, fields: RunFields, prepared: Preparation, *, now: datetime, actor: str | None
) -> RunRow:
    runs.take_turn(connection)
    _check_all_there(connection, prepared)
    run_id = next(runs.ids(connection))
    cut_edges = [
        CutEdge(edge.dependent, edge.dependency, int(edge.kinds), edge.optional)
        for edge in prepared.plan.order.cut_edges
    ]
    runs.insert(connection, run_id, fields, cut_edges=cut_edges, actor=actor, now=now)
    announce(connection, (), [run_id], now=now)
    ids = [id_ for id_, _ in zip(builds.ids(connection), prepared.builds, strict=False)]
    rows = [
        _row(id_, run_id, build, fields, ids, now) for id_, build in zip(ids, prepared.builds, strict=True)
    ]
    builds.insert(connection, rows, actor=actor)
    waits.insert(
        connection,
        ((id_, ids[place]) for id_, build in zip(ids, prepared.builds, strict=True) for place in build.needs),
    )
    course = Course(connection, now, actor)
    course.begun(run_id, ids)
    # What was held while this was planned may have been freed since.
    course.let_go([row.id for row in rows if row.status is BuildStatus.BLOCKED and row.waiting_for == 0])
    superseded = superseding.supersede(connection, run_id, now=course.moment(), actor=actor)
    if superseded:
        course.have_ended(superseded)
        course.fail_dependents([row.id for row in rows if row.status is BuildStatus.COMPLETED])
    course.finish()
    return runs.by_ids(connection, [run_id])[run_id]


def _check_all_there(connection: Connection, prepared: Preparation) -> None:
    there = versions.existing(connection, [build.version_id for build in prepared.builds])
    for build in prepared.builds:
        if build.version_id not in there:
            raise Gone(f"{build.package} {build.version}")


def _row(
    id: int, run_id: int, build: PreparedBuild, fields: RunFields, ids: list[int], now: datetime
) -> BuildRow:
    return BuildRow(
        id=id,
        run_id=run_id,
        package_id=build.package_id,
        version_id=build.version_id,
        status=build.status,
        trigger=build.trigger,
        created_at=now,
        updated_at=now,
        conclusion=build.conclusion,
        status_reason=build.reason,
        max_attempts=fields.max_attempts,
        priority=fields.priority,
        remaining_seconds=build.remaining_seconds,
        expected_seconds=build.expected_seconds,
        worker_labels=fields.worker_labels,
        timeout_seconds=fields.timeout_seconds,
        waiting_for=len(build.needs),
        cause_id=None if build.cause is None else ids[build.cause],
        queued_at=now if build.status is BuildStatus.QUEUED else None,
        completed_at=now if build.status is BuildStatus.COMPLETED else None,
    )
