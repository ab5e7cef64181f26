"""Canceling single builds, and trying them again."""

from datetime import datetime

from resolvers.drafts import check_reason
from resolvers.errors import NotRetried
from resolvers.scheduling import Course
from resolvers.shortfalls import shortfalls
from resolvers.subjects import BuildChange, existing, subject_of
from storage import builds, flow, runs
from storage.build_rows import BuildRow
from storage.database import Connection, Database
from storage.transitions import (
    BUILD_MOVES,
    RELEASING,
    UNCLAIMED,
    BuildConclusion,
    BuildStatus,
    RunStatus,
    illegal,
)


def cancel_build(
    database: Database, build_id: int, *, reason: str | None, now: datetime, actor: str | None = None
) -> BuildChange:
    """Cancel a build: at once when nobody holds it, else within its lease. What waits for it fails.

    One that is being canceled already, or was, stays as it is. Raises NotFound, IllegalTransition and BadInput.
    """
    check_reason(reason)

    def operation(connection: Connection) -> BuildRow:
        build = existing(connection, build_id)
        if build.status is BuildStatus.CANCELING or build.conclusion is BuildConclusion.CANCELED:
            return build
        course = Course(connection, now, actor)
        if build.status in UNCLAIMED:
            course.cancel([build_id], reason)
        elif BuildStatus.CANCELING in BUILD_MOVES[build.status]:
            course.call_off(build_id, reason)
        else:
            subject = subject_of(connection, build_id)
            raise illegal(BUILD_MOVES, subject, origin=build.status, target=BuildStatus.CANCELING)
        course.finish()
        return builds.by_ids(connection, [build_id])[build_id]

    written = database.write(operation, of_catalogue=False)
    return BuildChange(written.value, written.cursor)


def retry_build(database: Database, build_id: int, *, now: datetime, actor: str | None = None) -> BuildChange:
    """Try a build again that has ended badly, with as many attempts more as its run gives each build.

    It waits for what it depends on as before. Raises NotFound; IllegalTransition for what has not ended, or ended
    well; NotRetried for what could only end as it has.
    """

    def operation(connection: Connection) -> BuildRow:
        build = existing(connection, build_id)
        if build.status is not BuildStatus.COMPLETED or build.conclusion in RELEASING:
            subject = subject_of(connection, build_id)
            raise illegal(BUILD_MOVES, subject, origin=build.status, target=BuildStatus.QUEUED)
        run = runs.lock(connection, build.run_id)
        assert run is not None  # since it has this build
        if run.status is RunStatus.CANCELING:
            raise NotRetried(subject_of(connection, build_id), "its run is being canceled")
        if (obstacle := _obstacle(connection, build)) is not None:
            raise NotRetried(subject_of(connection, build_id), obstacle)
        course = Course(connection, now, actor)
        course.try_again(build, more_attempts=run.max_attempts)
        course.finish()
        return builds.by_ids(connection, [build_id])[build_id]

    written = database.write(operation, of_catalogue=False)
    return BuildChange(written.value, written.cursor)


def _obstacle(connection: Connection, build: BuildRow) -> str | None:
    """Return what would fail another try, as far as it is known now."""
    if flow.overtaken(connection, [build.id]):
        return "a newer build of it is under way, or has ended well"
    cause = flow.failed_dependencies(connection, [build.id]).get(build.id)
    if cause is not None:
        return (
            f"{subject_of(connection, cause)} has failed, and has to be mended first; it is released by that"
        )
    if build.conclusion is BuildConclusion.UNRESOLVABLE:
        run = runs.by_ids(connection, [build.run_id])[build.run_id]
        lacks = shortfalls(
            connection, [build.version_id], kinds=run.kinds, include_optional=run.include_optional
        )
        return "; ".join(map(str, lacks.get(build.version_id, ()))) or None
    return None
