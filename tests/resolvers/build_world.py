"""A catalogue and the builds of it, with workers and a clock, for tests to tell stories with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from resolvers import doctor
from resolvers.atlas import Atlas
from resolvers.builds import cancel_build, retry_build
from resolvers.claims import Claim, ClaimRequest, claim
from resolvers.drafts import UpdateRequest
from resolvers.packages import delete, update
from resolvers.plans import PlanRequest
from resolvers.policy import DEFAULT_POLICY
from resolvers.preparation import StartRequest
from resolvers.recovery import recover
from resolvers.reports import ReportRequest, report
from resolvers.runs import RunChange, cancel_run, start
from storage import builds, runs, waits
from storage.build_rows import BuildRow, RunRow
from storage.builds import ALL
from storage.database import Database
from storage.transitions import RELEASING, BuildConclusion, BuildStatus, PackageStatus, RunStatus
from storage.waits import Side
from tests.resolvers.registry import NOW, add, stored

# More than any test has.
MANY = 10_000

# Of a lease and of a try: longer than any story takes, unless it waits.
HOUR = timedelta(hours=1)


@dataclass
class World:
    """A catalogue that is built, told of by the names of its packages; of each, the newest build is meant."""

    atlas: Atlas
    now: datetime = NOW
    held: dict[int, Claim] = field(default_factory=dict)
    """What workers were given last of each build."""

    @classmethod
    def of(cls, database: Database, text: str) -> "World":
        """Store the catalogue that `text` describes."""
        return cls(stored(database, text))

    @property
    def database(self) -> Database:
        return self.atlas.database

    def tick(self, seconds: float = 1) -> datetime:
        """Let time pass, and return what it is then."""
        self.now += timedelta(seconds=seconds)
        return self.now

    def publish(self, text: str) -> None:
        """Store more of a catalogue."""
        add(self.atlas, text)

    def ask(self, *packages: str, dependents: bool = False, **asked: object) -> RunChange:
        """Start a run of these packages, as `StartRequest` says."""
        request = StartRequest(PlanRequest(packages, include_dependents=dependents), **asked)  # type: ignore[arg-type] # by their names
        answer = start(self.atlas, request, now=self.tick())
        assert isinstance(answer, RunChange)
        return answer

    def start(self, *packages: str, dependents: bool = False, **asked: object) -> int:
        """Start a run as `ask` does, and return its id."""
        return self.ask(*packages, dependents=dependents, **asked).run.id

    def claim(
        self,
        worker: str = "worker",
        *,
        limit: int = 100,
        lease: timedelta = HOUR,
        labels: Mapping[str, str] | None = None,
        request_id: str | None = None,
    ) -> list[str]:
        """Have a worker ask for builds, and return what they are of, in order."""
        request = ClaimRequest(worker, limit, int(lease.total_seconds()), labels or {}, request_id)
        claims = claim(self.database, request, now=self.tick())
        self.held |= {each.build.id: each for each in claims}
        names = self.names()
        return [names[each.build.id] for each in claims]

    def tell(
        self,
        package: str,
        status: BuildStatus,
        conclusion: BuildConclusion | None = None,
        *,
        lease: str | None = None,
        run: int | None = None,
        jitter: float = 1,
        **said: object,
    ) -> BuildRow:
        """Report of a build as its worker does, or as whoever had that lease would."""
        build = self.build(package, run)
        request = ReportRequest(build.id, lease or self.lease(package, run), status, conclusion, **said)  # type: ignore[arg-type] # by their names
        return report(self.database, request, policy=DEFAULT_POLICY, jitter=jitter, now=self.tick()).build

    def end(
        self,
        package: str,
        conclusion: BuildConclusion = BuildConclusion.SUCCESS,
        digest: str | None = None,
        *,
        run: int | None = None,
    ) -> BuildRow:
        """Have a build end that a worker holds, or may have."""
        if self.build(package, run).status is BuildStatus.QUEUED:
            self.claim(labels=self.build(package, run).worker_labels)
        return self.tell(package, BuildStatus.COMPLETED, conclusion, run=run, output_digest=digest)

    def lease(self, package: str, run: int | None = None) -> str:
        """Return the lease under which a build was given out last."""
        return self.held[self.build(package, run).id].lease

    def cancel(self, package: str, *, run: int | None = None, reason: str | None = None) -> BuildRow:
        build = self.build(package, run)
        return cancel_build(self.database, build.id, reason=reason, now=self.tick()).build

    def cancel_run(self, run: int, reason: str | None = None) -> RunRow:
        return cancel_run(self.database, run, reason=reason, now=self.tick()).run

    def retry(self, package: str, *, run: int | None = None) -> BuildRow:
        return retry_build(self.database, self.build(package, run).id, now=self.tick()).build

    def set_status(self, package: str, status: PackageStatus) -> None:
        update(self.database, UpdateRequest(package, status=status), now=self.tick())

    def delete(self, package: str) -> None:
        delete(self.database, package, force=True, now=self.tick())

    def recover(self, after: float = 1) -> int:
        """Recover once so many seconds have passed, and return how many builds that concerned."""
        return recover(self.atlas, now=self.tick(after))

    def rows(self) -> list[BuildRow]:
        """Return all builds, oldest first."""
        with self.database.read() as connection:
            return builds.page(connection, ALL, limit=MANY)[::-1]

    def names(self) -> dict[int, str]:
        """Return the package of each build."""
        return names_of(self.database)

    def build(self, package: str, run: int | None = None) -> BuildRow:
        """Return the newest build of a package, or that in `run`."""
        names = self.names()
        return next(
            row for row in reversed(self.rows()) if names[row.id] == package and run in {None, row.run_id}
        )

    def run(self, run: int) -> str:
        """Return how a run stands, in one word."""
        with self.database.read() as connection:
            row = runs.by_ids(connection, [run])[run]
        return row.conclusion or row.status

    def states(self, run: int) -> dict[str, str]:
        """Return how the builds of a run stand, in one word each."""
        names = self.names()
        return {names[row.id]: row.conclusion or row.status for row in self.rows() if row.run_id == run}

    def causes(self, run: int) -> dict[str, str]:
        """Return by whose fault builds have failed."""
        names = self.names()
        return {
            names[row.id]: names[row.cause_id]
            for row in self.rows()
            if row.run_id == run and row.cause_id is not None
        }


def names_of(database: Database) -> dict[int, str]:
    """Return the package of each build."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT build_status.id, name FROM build_status JOIN packages ON packages.id = package_id"
        )
        return {row.id: row.name for row in rows}


def needs_of(database: Database, ids: Sequence[int]) -> dict[int, list[BuildRow]]:
    """Return what each of these builds waits for, whether or not that has ended."""
    with database.read() as connection:
        return waits.pages_of(connection, Side.DEPENDENCIES, ids, limit=MANY)


def assert_sound(database: Database) -> None:
    """What must be true of all runs and builds at any time."""
    with database.read() as connection:
        rows = builds.page(connection, ALL, limit=MANY)
        by_run = {row.id: row for row in runs.page(connection, limit=MANY)}
    needs = needs_of(database, [row.id for row in rows])
    counted = {row.id: sum(need.conclusion not in RELEASING for need in needs[row.id]) for row in rows}
    assert {row.id: row.waiting_for for row in rows} == counted
    unfinished = {row.run_id for row in rows if row.status is not BuildStatus.COMPLETED}
    assert {id_ for id_, run in by_run.items() if run.status is not RunStatus.COMPLETED} == unfinished
    for row in rows:
        has_failed_need = any(
            need.status is BuildStatus.COMPLETED and need.conclusion not in RELEASING
            for need in needs[row.id]
        )
        assert row.status is not BuildStatus.BLOCKED or not has_failed_need, row
        assert row.status is not BuildStatus.QUEUED or not row.waiting_for, row


def assert_content(database: Database) -> None:
    """The doctor finds nothing."""
    looks = doctor.examine(database).looks
    assert [f"{finding.subject} {finding.problem}" for look in looks for finding in look.found.findings] == []
