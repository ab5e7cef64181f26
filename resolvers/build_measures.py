"""What is measured of builds: how long they wait for a worker, how long they take, and how they end."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from resolvers import claims, reports
from resolvers.claims import Claim, ClaimRequest
from resolvers.measurements import BUILD, BUILD_FAILED, BUILD_WAIT, CLAIM, CLAIMED, RECOVERED, REPORT
from resolvers.measuring import SILENT, Measurer
from resolvers.policy import Policy
from resolvers.reports import ReportRequest
from resolvers.subjects import BuildChange
from storage import packages
from storage.build_rows import BuildRow
from storage.database import Database
from storage.errors import StorageError
from storage.transitions import BuildConclusion

_FAILED: Final[Mapping[BuildConclusion, int]] = {
    BuildConclusion.SUCCESS: 0,
    BuildConclusion.UNCHANGED: 0,
    BuildConclusion.SKIPPED: 0,
    BuildConclusion.FAILURE: 1,
    BuildConclusion.TIMED_OUT: 1,
    BuildConclusion.INFRA_ERROR: 1,
}
"""Of those that a worker had. What is called off, or has no chance, tells nothing of how good builds are."""

# Names that are remembered.
_MOST_NAMES: Final = 10_000


class PackageNames:
    """The names of packages by their ids, each read once: neither ever changes."""

    def __init__(self, database: Database) -> None:
        self._glance = database.glance
        self._known: dict[int, str] = {}

    def __call__(self, package_id: int) -> str:
        """Return a package's name; nothing when it has been deleted, or cannot be read now."""
        known = self._known.get(package_id)
        return self._read(package_id) if known is None else known

    def _read(self, package_id: int) -> str:
        try:
            with self._glance() as connection:
                row = packages.by_ids(connection, [package_id]).get(package_id)
        except StorageError:
            # What is measured is written by now, and must not seem to have failed.
            return ""
        if len(self._known) >= _MOST_NAMES:
            self._known.clear()
        name = self._known[package_id] = row.name if row else ""
        return name


class BuildMeasures:
    """Measures builds. Every method may be called from any thread, once what it tells of is written."""

    def __init__(self, measurer: Measurer, name_of: Callable[[int], str]) -> None:
        """`name_of` gives the name of a package."""
        self._measurer = measurer
        self._name_of = name_of

    def claim(self, database: Database, request: ClaimRequest, *, now: datetime) -> list[Claim]:
        """Do as `claims.claim` does, and measure it."""
        with self._measurer.timing(CLAIM):
            found = claims.claim(database, request, now=now)
        if self._measurer is not SILENT:
            self._claimed([each.build for each in found], now)
        return found

    def report(
        self, database: Database, request: ReportRequest, *, policy: Policy, jitter: float, now: datetime
    ) -> BuildChange:
        """Do as `reports.report` does, and measure it."""
        with self._measurer.timing(REPORT):
            change = reports.report(database, request, policy=policy, jitter=jitter, now=now)
        build = change.build
        # A report that is repeated, and one that was not the last, end nothing.
        if build.completed_at is not None and build.completed_at >= now and build.conclusion is not None:
            self._ended(build, build.conclusion, now)
        return change

    def _claimed(self, builds: Iterable[BuildRow], now: datetime) -> None:
        # Those that a repeated request is answered with have changed before.
        fresh = [build for build in builds if build.updated_at >= now]
        self._measurer.record(CLAIMED, len(fresh))
        for build in fresh:
            if build.queued_at is not None:
                waited = (now - build.queued_at).total_seconds()
                self._record(BUILD_WAIT, build, waited)

    def recovered(self, build: BuildRow, conclusion: BuildConclusion, *, now: datetime) -> None:
        """Tell of an attempt that was ended for its worker; `build` is as it was before."""
        self._measurer.record(RECOVERED, 1)
        if conclusion is not BuildConclusion.INFRA_ERROR or build.attempt >= build.max_attempts:
            self._ended(build, conclusion, now)

    def _ended(self, build: BuildRow, conclusion: BuildConclusion, now: datetime) -> None:
        if self._measurer is SILENT:
            return
        if conclusion in _FAILED:
            self._measurer.record(BUILD_FAILED, _FAILED[conclusion])
        if build.started_at is not None:
            took = ((build.completed_at or now) - build.started_at).total_seconds()
            self._record(BUILD, build, took, conclusion=conclusion)

    def _record(self, name: str, build: BuildRow, seconds: float, **labels: str) -> None:
        # The clock may have been set back meanwhile.
        took = max(seconds, 0.0)
        self._measurer.record(
            name, took, package=self._name_of(build.package_id), worker=build.worker or "", **labels
        )


UNMEASURED: Final = BuildMeasures(SILENT, lambda _: "")
"""Measures nothing."""
