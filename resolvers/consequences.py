"""What follows for the others when builds end or come free: who may go on, who fails, and who comes back.

How it works: it goes through the dependents level by level. Those with nothing left to wait for are queued, or end as
UNCHANGED and let their own dependents go; those of what has failed fail with it, by name of its root cause, and come back
once that is mended.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from resolvers.build_changes import Changes
from storage import builds, flow, outputs, runs
from storage.build_tables import BuildTrigger
from storage.flow import Waiter
from storage.transitions import REOPENED, BuildConclusion, BuildStatus, RunStatus


class Consequences(Changes):
    """Changes to builds, with what follows from them for others. `finish` ends it."""

    def release(self, ids: Sequence[int]) -> None:
        """Let go on what waits for builds that have just ended well."""
        level = list(ids)
        while level:
            flow.lock(self.connection, flow.dependents_of(self.connection, level))
            level = self.go_on(flow.discount(self.connection, level, now=self.moment()))

    def reopen(self, ids: Collection[int]) -> int:
        """Let builds go on that have ended only by others, as far as these are mended, and what has failed by them.

        Return how many do.
        """
        reopened = 0
        failed = self.ended_as(ids, REOPENED)
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
            self.release(unchanged)
            failed = self.ended_as(dependents, (BuildConclusion.DEP_FAILED,))
        return reopened

    def fail_dependents(self, ids: Sequence[int]) -> None:
        """Fail what waits for builds that have ended badly, directly or not, each by name of its root cause."""
        level: Collection[int] = ids
        while level:
            dependents = flow.dependents_of(self.connection, level)
            flow.lock(self.connection, dependents)
            waiting = flow.waiters(self.connection, dependents)
            failed = self._fail([each.id for each in waiting if each.status is BuildStatus.BLOCKED])
            level = [*failed, *self._blame_failed(_failed_by_others(waiting))]

    def end_badly(self, ids: Sequence[int]) -> None:
        """Fail what waits for builds that have just ended badly, and turn to older ones that were left to them."""
        self.fail_dependents(ids)
        self.reopen(flow.given_up_for(self.connection, ids))

    def go_on(self, ids: Sequence[int]) -> list[int]:
        """Let go on what of these has less to wait for than before, and return what has ended well by that."""
        waiting = flow.waiters(self.connection, ids)
        ended = self.begin(
            [each for each in waiting if each.status is BuildStatus.BLOCKED and is_ready(each)]
        )
        self.reopen([each.id for each in _failed_by_others(waiting)])
        return ended

    def begin(self, ready: Sequence[Waiter]) -> list[int]:
        """Queue builds with nothing in their way, but for those that need not be built; return these, which have ended."""
        unchanged = self._unchanged(ready)
        self.move([each.id for each in ready if each.id not in unchanged], BuildStatus.QUEUED, None)
        failed = [each for each in ready if each.id in unchanged and each.status is BuildStatus.COMPLETED]
        self.move([each.id for each in failed], BuildStatus.BLOCKED, None)
        return self._end_unchanged(unchanged)

    def _begin_anew(self, failed: Sequence[Waiter]) -> list[int]:
        """Let builds go on that have failed by others, or have them wait; return those that have ended well at once."""
        ended = self.begin([each for each in failed if is_ready(each)])
        self.move([each.id for each in failed if not is_ready(each)], BuildStatus.BLOCKED, None)
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

    def ended_as(self, ids: Collection[int], conclusions: Collection[BuildConclusion]) -> list[Waiter]:
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


def is_ready(waiter: Waiter) -> bool:
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
