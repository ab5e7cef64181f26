"""What follows for the others when a build ends or may go on: the one place where builds are let go, held and failed.

How it works: each use case changes the build that it is about, and hands it to the `Course` of its transaction. That goes
through the dependents level by level: those with nothing left to wait for are queued, or end as UNCHANGED and let their own
dependents go; those of what has failed fail with it, by name of its root cause, and come back once that is mended. At the
end the runs that this concerns are completed or go on, and everything is told in the event log.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from resolvers.build_changes import Changes
from resolvers.errors import NotFound
from storage import builds, flow, outputs, runs
from storage.build_rows import BuildRow
from storage.build_tables import BuildTrigger, ReportFields
from storage.database import Connection
from storage.flow import Waiter
from storage.transitions import (
    LEASED,
    RELEASING,
    REOPENED,
    UNCLAIMED,
    BuildConclusion,
    BuildStatus,
    PackageStatus,
    RunStatus,
)

# What a worker holds and is not to end yet.
_CALLED_OFF: Final = tuple(status for status in LEASED if status is not BuildStatus.CANCELING)


@dataclass(frozen=True, slots=True)
class BuildChange:
    """A build after a request, and the position of the newest event: that of the change, if there was one."""

    build: BuildRow
    cursor: int


class Course(Changes):
    """What follows from changes to builds, within one transaction. `finish` ends it."""

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
            self._release([build.id])
        elif (better := flow.better(self.connection, build.id)) is not None:
            # What was mended before it failed.
            moved_over = flow.move_over(self.connection, build.id, better, now=self.moment())
            self._release(self._go_on(moved_over))
        else:
            self._end_badly([build.id])

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
            BuildStatus.QUEUED if _is_ready(found) else BuildStatus.BLOCKED,
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
        self._end_badly(ended)

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
        ready = [each for each in waiting if each.status is BuildStatus.BLOCKED and _is_ready(each)]
        self._release(self._begin(ready))
        return len(ready)

    def lack(self, ids: Sequence[int], reason: str) -> None:
        """Say of what has failed by others that it lacks something now that nobody will give by being mended."""
        failed = self._ended_as(ids, (BuildConclusion.DEP_FAILED,))
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

    def reopen(self, ids: Collection[int]) -> int:
        """Let builds go on that have ended only by others, as far as these are mended, and what has failed by them.

        Return how many do.
        """
        reopened = 0
        failed = self._ended_as(ids, REOPENED)
        while failed:
            causes = flow.failed_dependencies(self.connection, [each.id for each in failed])
            wanted = self._wanted(
                [
                    each
                    for each in failed
                    if each.id not in causes or each.conclusion is BuildConclusion.UNRESOLVABLE
                ]
            )
            mended = _newest(each for each in wanted if each.id not in causes)
            # They lack nothing any more, and it is by others that they fail now.
            in_vain = [each for each in wanted if each.id in causes]
            self._begin_anew(in_vain)
            changed = self._fail([each.id for each in in_vain])
            # Others may be at what they have failed by just now.
            mended_since = [each for each in in_vain if each.id not in set(changed)]
            changed += self._blame_anew(_failed_by_others(failed), causes)
            unchanged = self._begin_anew(mended)
            self.to_reopen.update(each.run_id for each in (*mended, *mended_since))
            changed += [each.id for each in mended]
            reopened += len(mended)
            dependents = flow.dependents_of(self.connection, changed) if changed else ()
            self._release(unchanged)
            failed = self._ended_as(dependents, (BuildConclusion.DEP_FAILED,))
        return reopened

    def _release(self, ids: Sequence[int]) -> None:
        """Let go on what waits for builds that have just ended well."""
        level = list(ids)
        while level:
            flow.lock(self.connection, flow.dependents_of(self.connection, level))
            level = self._go_on(flow.discount(self.connection, level, now=self.moment()))

    def _go_on(self, ids: Sequence[int]) -> list[int]:
        """Let go on what of these has less to wait for than before, and return what has ended well by that."""
        waiting = flow.waiters(self.connection, ids)
        ended = self._begin(
            [each for each in waiting if each.status is BuildStatus.BLOCKED and _is_ready(each)]
        )
        self.reopen([each.id for each in _failed_by_others(waiting)])
        return ended

    def _begin(self, ready: Sequence[Waiter]) -> list[int]:
        """Queue builds with nothing in their way, but for those that need not be built; return these, which have ended."""
        unchanged = self._unchanged(ready)
        self.move([each.id for each in ready if each.id not in unchanged], BuildStatus.QUEUED, None)
        failed = [each for each in ready if each.id in unchanged and each.status is BuildStatus.COMPLETED]
        self.move([each.id for each in failed], BuildStatus.BLOCKED, None)
        return self._end_unchanged(unchanged)

    def _begin_anew(self, failed: Sequence[Waiter]) -> list[int]:
        """Let builds go on that have failed by others, or have them wait; return those that have ended well at once."""
        ended = self._begin([each for each in failed if _is_ready(each)])
        self.move([each.id for each in failed if not _is_ready(each)], BuildStatus.BLOCKED, None)
        return ended

    def _unchanged(self, ready: Iterable[Waiter]) -> dict[int, str | None]:
        """Return those that need not be built since all that they depend on came out as before, with their own output."""
        asked = [each.id for each in ready if each.trigger is BuildTrigger.DEPENDENCY_CHANGE]
        if not asked:
            return {}
        found = outputs.unchanged(self.connection, asked)
        for id_ in self._cut(found):
            del found[id_]
        return found

    def _cut(self, ids: Collection[int]) -> set[int]:
        """Return those of these builds that depend on something they do not wait for, since that needs them as well."""
        names = flow.names_of(self.connection, ids)
        rows = runs.by_ids(self.connection, {name.run_id for name in names.values()})
        cut = {(row.id, edge.dependent) for row in rows.values() for edge in row.cut_edges}
        return {id_ for id_, name in names.items() if (name.run_id, name.package) in cut}

    def _end_unchanged(self, outputs_of: dict[int, str | None]) -> list[int]:
        if not outputs_of:
            return []
        reason = "all that it depends on came out as it was"
        ended = flow.end_all(
            self.connection,
            list(outputs_of),
            BuildConclusion.UNCHANGED,
            reason=reason,
            actor=self.actor,
            now=self.moment(),
        )
        outputs.keep(self.connection, {id_: outputs_of[id_] for id_ in ended}, now=self.moment())
        self.have_ended(ended)
        return ended

    def _end_badly(self, ids: Sequence[int]) -> None:
        """Fail what waits for builds that have just ended badly, and turn to older ones that were left to them."""
        self.fail_dependents(ids)
        self.reopen(flow.given_up_for(self.connection, ids))

    def fail_dependents(self, ids: Sequence[int]) -> None:
        """Fail what waits for builds that have ended badly, directly or not, each by name of its root cause."""
        level: Collection[int] = ids
        while level:
            dependents = flow.dependents_of(self.connection, level)
            flow.lock(self.connection, dependents)
            waiting = flow.waiters(self.connection, dependents)
            failed = self._fail([each.id for each in waiting if each.status is BuildStatus.BLOCKED])
            level = [*failed, *self._blame_failed(_failed_by_others(waiting))]

    def _fail(self, blocked: Sequence[int]) -> list[int]:
        if not blocked:
            return []
        failed: list[int] = []
        for cause, ids in _by_cause(flow.failed_dependencies(self.connection, blocked)).items():
            failed += flow.end_all(
                self.connection,
                ids,
                BuildConclusion.DEP_FAILED,
                cause_id=cause,
                reason=self._blame(cause),
                actor=self.actor,
                now=self.moment(),
            )
        self.have_ended(failed)
        return failed

    def _blame_failed(self, failed: Sequence[Waiter]) -> list[int]:
        if not failed:
            return []
        causes = flow.failed_dependencies(self.connection, [each.id for each in failed])
        return self._blame_anew(failed, causes)

    def _blame(self, cause: int) -> str:
        row = builds.by_ids(self.connection, [cause])[cause]
        name = flow.names_of(self.connection, [cause])[cause]
        return f"{name.package} {name.version} ended as {row.conclusion}"

    def _ended_as(self, ids: Collection[int], conclusions: Collection[BuildConclusion]) -> list[Waiter]:
        """Return those of these builds that have ended so, and keep them from others."""
        if not ids:
            return []
        flow.lock(self.connection, ids)
        return [each for each in flow.waiters(self.connection, ids) if each.conclusion in conclusions]

    def _wanted(self, failed: Sequence[Waiter]) -> list[Waiter]:
        """Return those that are not built by a newer build, and whose run is not being canceled."""
        if not failed:
            return []
        overtaken = flow.overtaken(self.connection, [each.id for each in failed])
        wanted = [each for each in failed if each.id not in overtaken]
        rows = {
            run_id: runs.lock(self.connection, run_id) for run_id in sorted({each.run_id for each in wanted})
        }
        called_off = {id_ for id_, run in rows.items() if run is None or run.status is RunStatus.CANCELING}
        return [each for each in wanted if each.run_id not in called_off]

    def _blame_anew(self, failed: Sequence[Waiter], causes: Mapping[int, int]) -> list[int]:
        """Say of what has failed by others by whose fault that is, where that has changed; return those."""
        anew = {
            each.id: causes[each.id] for each in failed if causes.get(each.id, each.cause_id) != each.cause_id
        }
        for cause, ids in _by_cause(anew).items():
            flow.blame(self.connection, ids, cause, reason=self._blame(cause), now=self.moment())
            self.moved(ids)
        return list(anew)


def existing(connection: Connection, build_id: int, *, argument: str = "id") -> BuildRow:
    """Return a build, kept from others until the end of the transaction, or raise NotFound."""
    flow.lock(connection, [build_id])
    row = builds.by_ids(connection, [build_id]).get(build_id)
    if row is None:
        raise NotFound("build of this id", path=(argument,))
    return row


def subject_of(connection: Connection, build_id: int) -> str:
    """Return a build as a reader would name it."""
    name = flow.names_of(connection, [build_id])[build_id]
    return f"the build of {name.package} {name.version}"


def held_reason(package: str, status: PackageStatus) -> str:
    """Return why nothing of a package is built."""
    return f"package {package} is {status}"


def _is_ready(waiter: Waiter) -> bool:
    return waiter.waiting_for == 0 and waiter.is_free


def _by_cause(causes: Mapping[int, int]) -> dict[int, list[int]]:
    """Return the builds of each cause."""
    builds_of: dict[int, list[int]] = {}
    for id_, cause in sorted(causes.items()):
        builds_of.setdefault(cause, []).append(id_)
    return builds_of


def _newest(mended: Iterable[Waiter]) -> list[Waiter]:
    """Return of each version the newest build: who has failed in several runs is built once."""
    return list({each.version_id: each for each in sorted(mended, key=lambda each: each.id)}.values())


def _failed_by_others(waiting: Iterable[Waiter]) -> list[Waiter]:
    return [each for each in waiting if each.conclusion is BuildConclusion.DEP_FAILED]
