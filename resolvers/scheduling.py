"""What is done to builds: the one place where they are ended, given back, held and tried again.

Each use case changes the build that it is about, and hands it to the `Course` of its transaction, which sees to what follows
for the others. At the end the runs that this concerns are completed or go on, and everything is told in the event log.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from resolvers.consequences import Consequences, is_ready
from storage import builds, flow, runs
from storage.build_rows import BuildRow
from storage.build_tables import BuildTrigger, ReportFields
from storage.transitions import (
    LEASED,
    RELEASING,
    UNCLAIMED,
    BuildConclusion,
    BuildStatus,
    RunStatus,
)

# What a worker holds and is not to end yet.
_CALLED_OFF: Final = tuple(status for status in LEASED if status is not BuildStatus.CANCELING)


class Course(Consequences):
    """What is done to builds within one transaction. `finish` ends it."""

    def end(
        self,
        build: BuildRow,
        conclusion: BuildConclusion,
        *,
        report: ReportFields | None = None,
        reason: str | None = None,
    ) -> None:
        """End a build that a worker holds, and let go, or fail, what waits for it."""
        has_moved = builds.move(
            self.connection,
            build.id,
            BuildStatus.COMPLETED,
            conclusion=conclusion,
            report=report,
            lease_token=build.lease_token,
            reason=reason,
            actor=self.actor,
            now=self.moment(),
        )
        assert has_moved  # since its row is kept from others, and it was held
        self.moved([build.id])
        self.to_complete.add(build.run_id)
        if conclusion in RELEASING:
            flow.adopt(self.connection, build.id, build.version_id)
            self.release([build.id])
        elif (better := flow.better(self.connection, build.id)) is not None:
            # What was mended before it failed.
            moved_over = flow.move_over(self.connection, build.id, better, now=self.moment())
            self.release(self.go_on(moved_over))
        else:
            self.end_badly([build.id])

    def give_back(
        self,
        build: BuildRow,
        reason: str,
        *,
        report: ReportFields | None = None,
        not_before: datetime | None = None,
    ) -> None:
        """Queue a build that a worker holds, for another attempt; in a run that is being canceled it ends instead."""
        run = runs.lock(self.connection, build.run_id)
        if run is not None and run.status is RunStatus.CANCELING:
            self.end(build, BuildConclusion.CANCELED, report=report, reason=run.status_reason)
            return
        has_moved = builds.move(
            self.connection,
            build.id,
            BuildStatus.QUEUED,
            report=report,
            lease_token=build.lease_token,
            not_before=not_before,
            reason=reason,
            actor=self.actor,
            now=self.moment(),
        )
        assert has_moved  # since its row is kept from others, and it was held
        self.moved([build.id])
        # Its package may have been taken out of use meanwhile.
        held = [each.id for each in flow.waiters(self.connection, [build.id]) if not each.is_free]
        self.move(held, BuildStatus.BLOCKED, reason)

    def try_again(self, build: BuildRow, *, more_attempts: int) -> None:
        """Have a build that has ended begin anew, once nothing is in its way."""
        (found,) = flow.waiters(self.connection, [build.id])
        builds.move(
            self.connection,
            build.id,
            BuildStatus.QUEUED if is_ready(found) else BuildStatus.BLOCKED,
            more_attempts=more_attempts,
            trigger=BuildTrigger.RETRY,
            actor=self.actor,
            now=self.moment(),
        )
        self.moved([build.id])
        self.to_reopen.add(build.run_id)

    def cancel(self, ids: Sequence[int], reason: str | None) -> None:
        """End builds that nobody holds, and fail what waits for them."""
        ended = flow.end_all(
            self.connection,
            ids,
            BuildConclusion.CANCELED,
            reason=reason,
            actor=self.actor,
            now=self.moment(),
        )
        self.have_ended(ended)
        self.end_badly(ended)

    def call_off(self, build_id: int, reason: str | None) -> None:
        """Have a build end that a worker holds, when that hears of it or its lease has run out."""
        # Its worker may have ended it just now.
        if builds.move(
            self.connection,
            build_id,
            BuildStatus.CANCELING,
            reason=reason,
            actor=self.actor,
            now=self.moment(),
        ):
            self.moved([build_id])

    def cancel_run(self, run_id: int, reason: str | None) -> None:
        """End all of a run that nobody holds, and call off the rest. Said again, it ends what has come free since."""
        if runs.move(
            self.connection,
            run_id,
            RunStatus.CANCELING,
            reason=reason,
            actor=self.actor,
            now=self.moment(),
        ):
            self.run_moved(run_id)
        self.to_complete.add(run_id)
        for build_id in flow.of_run(self.connection, run_id, _CALLED_OFF):
            self.call_off(build_id, reason)
        self.cancel(flow.of_run(self.connection, run_id, UNCLAIMED), reason)

    def hold(self, package_id: int, reason: str) -> None:
        """Take the queued builds of a package out of the queue."""
        queued = flow.of_package(self.connection, package_id, (BuildStatus.QUEUED,))
        self.move(queued, BuildStatus.BLOCKED, reason)

    def free(self, package_id: int) -> None:
        """Let go on what of a package waits for nothing else."""
        self.let_go(flow.of_package(self.connection, package_id, (BuildStatus.BLOCKED,)))

    def let_go(self, ids: Sequence[int]) -> int:
        """Let go on what of these waits for nothing, and return how many do."""
        flow.lock(self.connection, ids)
        waiting = flow.waiters(self.connection, ids)
        ready = [each for each in waiting if each.status is BuildStatus.BLOCKED and is_ready(each)]
        self.release(self.begin(ready))
        return len(ready)

    def lack(self, ids: Sequence[int], reason: str) -> None:
        """Say of what has failed by others that it lacks something now that nobody will give by being mended."""
        failed = self.ended_as(ids, (BuildConclusion.DEP_FAILED,))
        causes = flow.failed_dependencies(self.connection, [each.id for each in failed])
        lacking = [each.id for each in failed if each.id not in causes]
        self.move(lacking, BuildStatus.BLOCKED, reason)
        self.have_ended(
            flow.end_all(
                self.connection,
                lacking,
                BuildConclusion.UNRESOLVABLE,
                reason=reason,
                actor=self.actor,
                now=self.moment(),
            )
        )
        self.fail_dependents(lacking)
