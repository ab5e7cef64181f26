"""Recovery: taking back what workers have let fall, ending what should have ended, and letting go what is mended.

How it works: each step looks first, and then changes one build or run at a time, under its lock and only if what it saw is
still so. Any number of processes may do it at once, at any time, and whoever finds nothing writes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from resolvers import build_failures
from resolvers.announcements import announce
from resolvers.atlas import Atlas
from resolvers.build_failures import EndedAttempt
from resolvers.build_measures import UNMEASURED, BuildMeasures
from resolvers.run_ends import complete
from resolvers.scheduling import Course
from resolvers.shortfalls import shortfalls
from resolvers.subjects import existing
from storage import attempts, builds, events, flow, leases, runs, standings
from storage.build_rows import BuildRow
from storage.database import Connection, Database
from storage.leases import Lease
from storage.tables import EventKind
from storage.transitions import LEASED, UNCLAIMED, BuildConclusion, BuildStatus, RunStatus

# Of builds in one transaction: as many as it may hold others up for.
_CHUNK: Final = 100

_MENDING: Final = (
    EventKind.PACKAGE_CHANGED,
    EventKind.PACKAGE_DELETED,
    EventKind.VERSION_PUBLISHED,
    EventKind.VERSION_CHANGED,
    EventKind.DEPENDENCIES_CHANGED,
    EventKind.RUN_CHANGED,
)
"""What may give a version what it lacks; a run may also have been planned before, and written after, something did."""


class Recovery:
    """The recovery of one process, which remembers how far it has looked through the catalogue's changes."""

    def __init__(self, atlas: Atlas, measures: BuildMeasures = UNMEASURED) -> None:
        self._database = atlas.database
        self._measures = measures
        self._seen: int | None = None

    def run(self, *, now: datetime) -> int:
        """Do what there is to do, and return how many builds were taken back, ended or let go.

        What goes wrong with one step is raised once all others are done.
        """
        recovered = 0
        errors: list[Exception] = []
        for step in (self._take_back, end_canceled, self._release_resolvable, let_go_idle, complete_runs):
            try:
                recovered += step(self._database, now=now)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return recovered

    def _take_back(self, database: Database, *, now: datetime) -> int:
        return take_back(database, now=now, measures=self._measures)

    def _release_resolvable(self, database: Database, *, now: datetime) -> int:
        with database.read() as connection:
            newest = events.newest(connection)
            if self._seen is not None and not events.after(connection, self._seen, limit=1, kinds=_MENDING):
                self._seen = newest
                return 0
            resolvable = _resolvable(connection)
        reopened = _reopen(database, resolvable, now)
        self._seen = newest
        return reopened


def recover(atlas: Atlas, *, now: datetime) -> int:
    """Do at once all that recovery does on its timer. Return how many builds were taken back, ended or let go."""
    return Recovery(atlas).run(now=now)


def take_back(database: Database, *, now: datetime, measures: BuildMeasures = UNMEASURED) -> int:
    """End or queue again the builds whose lease has run out, and end those that have taken too long."""
    with database.read() as connection:
        due = [lease for lease in leases.held(connection) if _is_due(lease, now)]
    taken = 0
    for chunk in _chunks(due):
        written = database.write(partial(_take_back, due=chunk, now=now), of_catalogue=False)
        for each in written.value:
            measures.recovered(each.build, each.conclusion, now=now)
        taken += len(written.value)
    return taken


def end_canceled(database: Database, *, now: datetime) -> int:
    """End what nobody holds of runs that are being canceled."""
    with database.read() as connection:
        rows = runs.by_ids(connection, runs.unfinished(connection))
        left = [
            row.id
            for row in rows.values()
            if row.status is RunStatus.CANCELING and flow.of_run(connection, row.id, UNCLAIMED)
        ]

    def operation(connection: Connection) -> int:
        course = Course(connection, now)
        ended = 0
        for run_id in left:
            unclaimed = flow.of_run(connection, run_id, UNCLAIMED)
            flow.lock(connection, unclaimed)
            run = runs.lock(connection, run_id)
            # It may have come to its end since, and go on by a retry.
            if run is not None and run.status is RunStatus.CANCELING:
                course.cancel(unclaimed, run.status_reason)
                ended += len(unclaimed)
        course.finish()
        return ended

    return database.write(operation, of_catalogue=False).value if left else 0


def let_go_idle(database: Database, *, now: datetime) -> int:
    """Let go on what nothing is in the way of: another may have mended it while it was about to wait."""
    with database.read() as connection:
        idle = standings.idle(connection)

    def operation(connection: Connection) -> int:
        course = Course(connection, now)
        gone = course.let_go(idle)
        course.finish()
        return gone

    return database.write(operation, of_catalogue=False).value if idle else 0


def complete_runs(database: Database, *, now: datetime) -> int:
    """Complete the runs of which every build has ended and that nobody has completed. Returns 0: these are no builds."""
    with database.read() as connection:
        over = [id_ for id_ in runs.unfinished(connection) if not runs.unended(connection, id_, limit=1)]

    def operation(connection: Connection) -> None:
        completed = [run_id for run_id in over if complete(connection, run_id, now=now)]
        announce(connection, (), completed, now=now)

    if over:
        database.write(operation, of_catalogue=False)
    return 0


def _is_due(lease: Lease, now: datetime) -> bool:
    return lease.expires_at <= now or _has_timed_out(
        lease.status, lease.started_at, lease.timeout_seconds, now
    )


def _has_timed_out(
    status: BuildStatus, started_at: datetime | None, timeout_seconds: int, now: datetime
) -> bool:
    # What is canceled ends with its lease, as canceled.
    if status is BuildStatus.CANCELING or started_at is None:
        return False
    return started_at + timedelta(seconds=timeout_seconds) <= now


def _take_back(connection: Connection, due: Sequence[Lease], now: datetime) -> list[EndedAttempt]:
    # In the order in which all others keep them.
    flow.lock(connection, [lease.build_id for lease in due])
    course = Course(connection, now)
    ended: list[EndedAttempt] = []
    for lease in due:
        build = existing(connection, lease.build_id)
        if build.lease_token == lease.token and build.status in LEASED and _is_still_due(build, now):
            ended.append(_settle(course, build))
    course.finish()
    build_failures.record(connection, ended, now=now)
    return ended


def _is_still_due(build: BuildRow, now: datetime) -> bool:
    assert build.lease_expires_at is not None  # by a CHECK, since it is held
    return build.lease_expires_at <= now or _has_timed_out(
        build.status, build.started_at, build.timeout_seconds, now
    )


def _settle(course: Course, build: BuildRow) -> EndedAttempt:
    """Do with a build that its worker has let fall, or not finished in time, what is to be done."""
    conclusion, reason = _verdict(build, course.now)
    attempts.finish(
        course.connection,
        build.id,
        build.attempt,
        conclusion=conclusion,
        message=reason,
        now=course.moment(),
    )
    if conclusion is BuildConclusion.INFRA_ERROR and build.attempt < build.max_attempts:
        course.give_back(build, reason)
    else:
        course.end(build, conclusion, reason=reason)
    return EndedAttempt(build, conclusion, reason)


def _verdict(build: BuildRow, now: datetime) -> tuple[BuildConclusion, str]:
    if build.status is BuildStatus.CANCELING:
        return (
            BuildConclusion.CANCELED,
            f"worker {build.worker} did not answer to the cancellation within its lease",
        )
    if _has_timed_out(build.status, build.started_at, build.timeout_seconds, now):
        return BuildConclusion.TIMED_OUT, f"it took longer than {build.timeout_seconds:,} s"
    return BuildConclusion.INFRA_ERROR, f"the lease of worker {build.worker} ran out"


def _resolvable(connection: Connection) -> list[int]:
    """Return the builds that have ended for want of something, of which nothing is wanting now."""
    found = list(builds.by_ids(connection, standings.unresolvable(connection)).values())
    rows = runs.by_ids(connection, {build.run_id for build in found})
    resolvable: list[int] = []
    for terms in {(run.kinds, run.include_optional) for run in rows.values()}:
        asked = [
            build
            for build in found
            if (rows[build.run_id].kinds, rows[build.run_id].include_optional) == terms
        ]
        lacking = shortfalls(
            connection,
            {build.version_id for build in asked},
            kinds=terms[0],
            include_optional=terms[1],
        )
        resolvable += [build.id for build in asked if build.version_id not in lacking]
    return resolvable


def _reopen(database: Database, build_ids: Sequence[int], now: datetime) -> int:
    def operation(connection: Connection) -> int:
        course = Course(connection, now)
        reopened = course.reopen(build_ids)
        course.finish()
        return reopened

    return database.write(operation, of_catalogue=False).value if build_ids else 0


def _chunks(due: Sequence[Lease]) -> Iterable[Sequence[Lease]]:
    return (due[start : start + _CHUNK] for start in range(0, len(due), _CHUNK))
