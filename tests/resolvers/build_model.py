"""How runs and builds go on, by plain means: all of it is looked through again after each step, until nothing moves.

Time is in seconds. Which dependencies a run cuts, and how urgent its builds are, is for the tests of the graph to check:
the model is told.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from resolvers.errors import InUse, LeaseLost, NotRetried
from storage.build_tables import BuildTrigger
from storage.errors import IllegalTransition
from storage.transitions import BuildConclusion, BuildStatus, RunConclusion, RunStatus

GOOD = {BuildConclusion.SUCCESS, BuildConclusion.SKIPPED, BuildConclusion.UNCHANGED}
UNCLAIMED = {BuildStatus.BLOCKED, BuildStatus.QUEUED}
AT_WORK = (BuildStatus.ASSIGNED, BuildStatus.PREPARING, BuildStatus.RUNNING, BuildStatus.FINALIZING)
NEXT = {
    BuildStatus.ASSIGNED: {BuildStatus.PREPARING, BuildStatus.RUNNING, BuildStatus.COMPLETED},
    BuildStatus.PREPARING: {BuildStatus.RUNNING, BuildStatus.COMPLETED},
    BuildStatus.RUNNING: {BuildStatus.FINALIZING, BuildStatus.COMPLETED},
    BuildStatus.FINALIZING: {BuildStatus.COMPLETED},
    BuildStatus.CANCELING: {BuildStatus.COMPLETED},
}


class Need(NamedTuple):
    """What a version needs: any version of a package from this one on."""

    package: str
    lowest: int = 1
    optional: bool = False


class Said(NamedTuple):
    """What a worker says of a build."""

    status: BuildStatus
    conclusion: BuildConclusion | None = None
    digest: str | None = None


class Terms(NamedTuple):
    """How a run is asked for."""

    trigger: BuildTrigger = BuildTrigger.MANUAL
    priority: int = 0
    max_attempts: int = 3
    timeout: int = 3600
    worker_labels: Mapping[str, str] = {}


@dataclass
class Attempt:
    """A try at a build."""

    token: int
    worker: str
    request_id: str | None
    said: set[Said] = field(default_factory=set)
    """What was reported of it, and taken in."""

    @property
    def has_ended(self) -> bool:
        return any(said.status is BuildStatus.COMPLETED for said in self.said)


@dataclass(eq=False)
class Build:
    """A build, and what it waits for."""

    id: int
    run: int
    package: str
    version: int
    trigger: BuildTrigger
    terms: Terms
    priority: int
    remaining: float
    needs: set[int]
    is_cut: bool
    """Whether it needs something that it does not wait for."""
    max_attempts: int
    state: BuildStatus | BuildConclusion = BuildStatus.BLOCKED
    """Its conclusion once it has one."""
    attempts: list[Attempt] = field(default_factory=list)
    expires: float = 0
    started: float | None = None
    not_before: float = 0
    digest: str | None = None
    begun: int = 0
    """When it was queued or, once it runs, began to: its place in the order of all that has happened."""
    ended: int = 0
    """Likewise, when it ended."""

    @property
    def has_ended(self) -> bool:
        return isinstance(self.state, BuildConclusion)

    @property
    def is_good(self) -> bool:
        return self.state in GOOD

    @property
    def has_failed(self) -> bool:
        return self.has_ended and not self.is_good

    @property
    def is_held(self) -> bool:
        return self.state in AT_WORK or self.state is BuildStatus.CANCELING

    @property
    def built_of(self) -> int:
        """When what it was built of was there."""
        return self.ended if self.state is BuildConclusion.UNCHANGED else self.begun

    def goes_as(self, other: "Build") -> bool:
        """Whether both are of the same version."""
        return (self.package, self.version) == (other.package, other.version)


@dataclass
class Run:
    """A run."""

    terms: Terms
    state: RunStatus | RunConclusion = RunStatus.RUNNING

    @property
    def is_complete(self) -> bool:
        return isinstance(self.state, RunConclusion)


@dataclass
class Model:
    """A catalogue, and the builds of it."""

    needs: dict[str, list[tuple[Need, ...]]] = field(default_factory=dict)
    """Of each version of each package, from version 1 on."""
    out_of_use: set[str] = field(default_factory=set)
    builds: dict[int, Build] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    _moments: "count[int]" = field(default_factory=lambda: count(1))

    # what is asked

    def planned(self, named: Collection[str], *, dependents: bool) -> set[str]:
        """Return the packages that a run of these has builds of."""
        if not named:
            return self.needs.keys() - self.out_of_use
        found = set(named)
        while dependents and (more := {p for p in self.needs if found & self.needed(p)} - found):
            found |= more
        return found

    def needed(self, package: str) -> set[str]:
        """Return what the latest version of a package needs in any case."""
        return {need.package for need in self.needs[package][-1] if not need.optional} - {package}

    def start(
        self,
        run: int,
        named: Collection[str],
        ids: Mapping[str, int],
        cut: Collection[tuple[str, str]],
        remaining: Mapping[str, float],
        terms: Terms,
    ) -> None:
        self.runs[run] = Run(terms)
        for package, id_ in ids.items():
            is_named = not named or package in named
            self.builds[id_] = Build(
                id_,
                run,
                package,
                len(self.needs[package]),
                terms.trigger if is_named else BuildTrigger.DEPENDENCY_CHANGE,
                terms,
                terms.priority,
                remaining[package],
                {ids[need] for need in self.needed(package) & ids.keys() if (package, need) not in cut},
                is_cut=any(package == dependent for dependent, _ in cut),
                max_attempts=terms.max_attempts,
            )
            if self.lacks(self.builds[id_]):
                self.builds[id_].state = BuildConclusion.UNRESOLVABLE
            elif not self.builds[id_].needs and package not in self.out_of_use:
                self._queue(self.builds[id_])
        for new in self._of_run(run):
            for old in self._all():
                is_same = old.goes_as(new) and old.terms.worker_labels == terms.worker_labels
                if old.run < run and is_same and old.state in UNCLAIMED:
                    old.state = BuildConclusion.SUPERSEDED
                    new.priority = max(new.priority, old.priority)
                    assert new.remaining >= old.remaining
                    self._wait_instead(old, new)
        self._settle()

    def claimable(self, labels: Mapping[str, str], now: float) -> list[int]:
        """Return what a worker with these labels may have, in order."""
        found = [
            build
            for build in self._all()
            if build.state is BuildStatus.QUEUED
            and build.terms.worker_labels.items() <= labels.items()
            and build.not_before <= now
        ]
        found.sort(key=lambda build: (-build.priority, -build.remaining, build.id))
        return [build.id for build in found]

    def answered(self, worker: str, request_id: str) -> list[tuple[int, int]]:
        """Return what such a request was answered with before: builds and their leases."""
        return [
            (build.id, attempt.token)
            for build in self._all()
            for attempt in build.attempts
            if (attempt.worker, attempt.request_id) == (worker, request_id)
        ]

    def claim(self, ids: Sequence[int], worker: str, request_id: str | None, expires: float) -> None:
        for id_ in ids:
            build = self.builds[id_]
            build.attempts.append(Attempt(len(build.attempts) + 1, worker, request_id))
            build.state, build.expires, build.started, build.not_before = (
                BuildStatus.ASSIGNED,
                expires,
                None,
                0,
            )
            build.digest = None

    def heartbeat(self, id: int, token: int, until: float) -> tuple[float, bool]:
        build = self.builds[id]
        if not build.is_held or token != len(build.attempts):
            raise LeaseLost("", "")
        if build.state is not BuildStatus.CANCELING:
            build.expires = until
        return build.expires, build.state is BuildStatus.CANCELING

    def report(self, id: int, token: int, said: Said, *, now: float, backoff: float) -> None:
        build = self.builds[id]
        attempt = build.attempts[token - 1]
        is_last = token == len(build.attempts)
        is_held = is_last and build.is_held
        if said in attempt.said and (is_held or said.status is BuildStatus.COMPLETED):
            return
        if not is_held:
            if is_last and build.has_ended and attempt.has_ended:
                raise _not_allowed()
            raise LeaseLost("", "")
        assert isinstance(build.state, BuildStatus)
        if said.status not in NEXT[build.state]:
            raise _not_allowed()
        attempt.said.add(said)
        if said.status is not BuildStatus.COMPLETED:
            build.state = said.status
            if said.status is BuildStatus.RUNNING:
                build.started, build.begun = now, next(self._moments)
            return
        assert said.conclusion is not None
        build.digest = said.digest
        conclusion = said.conclusion
        if build.state is BuildStatus.CANCELING and conclusion not in GOOD:
            conclusion = BuildConclusion.CANCELED
        if conclusion is BuildConclusion.INFRA_ERROR and token < build.max_attempts:
            self._queue(build)
            build.not_before = now + backoff
        else:
            self._end(build, conclusion)
        self._settle()

    def cancel(self, id: int) -> None:
        build = self.builds[id]
        if build.state in {BuildStatus.CANCELING, BuildConclusion.CANCELED}:
            return
        if build.has_ended:
            raise _not_allowed()
        self._call_off([build])
        self._settle()

    def cancel_run(self, id: int) -> None:
        run = self.runs[id]
        if run.state in {RunStatus.CANCELING, RunConclusion.CANCELED}:
            return
        if run.is_complete:
            raise _not_allowed()
        run.state = RunStatus.CANCELING
        self._call_off([build for build in self._of_run(id) if not build.has_ended])
        self._settle()

    def retry(self, id: int) -> None:
        build = self.builds[id]
        if not build.has_failed:
            raise _not_allowed()
        is_lacking = build.state is BuildConclusion.UNRESOLVABLE and self.lacks(build)
        if not self._is_wanted(build) or self.failed_needs(build) or is_lacking:
            raise NotRetried("", "")
        build.max_attempts += self.runs[build.run].terms.max_attempts
        build.trigger, build.not_before = BuildTrigger.RETRY, 0
        self._reopen(build)
        self._settle()

    def recover(self, now: float) -> int:
        """Return how many builds were taken back, ended or let go."""
        due = [build for build in self._all() if build.is_held and self._is_due(build, now)]
        for build in due:
            if build.state is BuildStatus.CANCELING:
                self._end(build, BuildConclusion.CANCELED)
            elif self._has_timed_out(build, now):
                self._end(build, BuildConclusion.TIMED_OUT)
            elif len(build.attempts) < build.max_attempts:
                self._queue(build)
            else:
                self._end(build, BuildConclusion.INFRA_ERROR)
        self._settle()
        resolvable = [
            build
            for build in self._all()
            if build.state is BuildConclusion.UNRESOLVABLE and not self.lacks(build)
        ]
        let_go = self._go_on(resolvable)
        self._settle()
        return len(due) + let_go

    def set_use(self, package: str, *, is_in_use: bool) -> None:
        if is_in_use:
            self.out_of_use.discard(package)
        else:
            self.out_of_use.add(package)
        self._settle()

    def publish(self, package: str, needs: tuple[Need, ...]) -> None:
        self.needs.setdefault(package, []).append(needs)

    def delete(self, package: str) -> None:
        gone = {build.id for build in self._all() if build.package == package}
        if not all(self.builds[id_].has_ended for id_ in gone):
            raise InUse("", 0)
        in_vain = [
            build
            for build in self._all()
            if build.state is BuildConclusion.DEP_FAILED and gone & {n.id for n in self.failed_needs(build)}
        ]
        self.out_of_use.discard(package)
        del self.needs[package]
        for id_ in gone:
            del self.builds[id_]
        for build in self._all():
            build.needs -= gone
        for build in in_vain:
            if build.id not in gone and not self.failed_needs(build):
                build.state = BuildConclusion.UNRESOLVABLE

    # what is so

    def failed_needs(self, build: Build) -> list[Build]:
        return [self.builds[id_] for id_ in build.needs if self.builds[id_].has_failed]

    def waiting_for(self, build: Build) -> int:
        return sum(not self.builds[id_].is_good for id_ in build.needs)

    def lacks(self, build: Build) -> bool:
        """Whether something that a version needs is not registered."""
        return any(
            not need.optional and len(self.needs.get(need.package, ())) < need.lowest
            for need in self.needs[build.package][build.version - 1]
        )

    def roots(self, build: Build) -> set[int]:
        """Return what a build has failed by in the end."""
        found: set[int] = set()
        for need in self.failed_needs(build):
            found |= self.roots(need) if need.state is BuildConclusion.DEP_FAILED else {need.id}
        return found

    # what follows

    def _all(self) -> list[Build]:
        return sorted(self.builds.values(), key=lambda build: build.id)

    def _of_run(self, run: int) -> list[Build]:
        return [build for build in self._all() if build.run == run]

    def _dependents(self, builds: Iterable[Build]) -> list[Build]:
        ids = {build.id for build in builds}
        return [build for build in self._all() if ids & build.needs]

    def _wait_instead(self, old: Build, new: Build) -> None:
        for build in self._dependents([old]):
            build.needs = build.needs - {old.id} | {new.id}

    def _is_ready(self, build: Build) -> bool:
        return not self.waiting_for(build) and build.package not in self.out_of_use

    def _call_off(self, called_off: Sequence[Build]) -> None:
        at_once = [build for build in called_off if build.state in UNCLAIMED]
        for build in called_off:
            build.state = BuildStatus.CANCELING
        for build in at_once:
            build.state = BuildConclusion.CANCELED
        self._turn_back(at_once)

    def _queue(self, build: Build) -> None:
        build.state, build.begun = BuildStatus.QUEUED, next(self._moments)

    def _is_due(self, build: Build, now: float) -> bool:
        return build.expires <= now or self._has_timed_out(build, now)

    @staticmethod
    def _has_timed_out(build: Build, now: float) -> bool:
        # It has started a moment after what the clock said then.
        is_over = build.started is not None and build.started + build.terms.timeout < now
        return is_over and build.state is not BuildStatus.CANCELING

    def _end(self, build: Build, conclusion: BuildConclusion) -> None:
        build.state, build.ended = conclusion, next(self._moments)
        same = [other for other in self._all() if other is not build and other.goes_as(build)]
        better = [other for other in same if other.is_good and other.id > build.id]
        if build.is_good:
            for other in same:
                if other.has_failed:
                    self._wait_instead(other, build)
            self._pass_on([build])
        elif better:
            waiting = self._dependents([build])
            self._wait_instead(build, better[-1])
            self._pass_on(self._begin_and_reopen(waiting))
        else:
            self._turn_back([build])

    def _pass_on(self, level: list[Build]) -> None:
        """Let go on what waits for builds that have ended well."""
        while level:
            level = self._begin_and_reopen(self._dependents(level))

    def _begin_and_reopen(self, waiting: list[Build]) -> list[Build]:
        ended = self._begin([each for each in waiting if each.state is BuildStatus.BLOCKED])
        self._go_on([each for each in waiting if each.state is BuildConclusion.DEP_FAILED])
        return ended

    def _turn_back(self, bad: Iterable[Build]) -> None:
        """Fail what waits for builds that have ended badly, and let older builds of their versions go on instead."""
        bad = list(bad)
        self._fail()
        self._go_on(
            [
                each
                for each in self._all()
                if each.state is BuildConclusion.DEP_FAILED
                and any(each.goes_as(other) and each.id < other.id for other in bad)
            ]
        )

    def _begin(self, blocked: Iterable[Build]) -> list[Build]:
        """Queue what is ready of these, or end what need not be built; return this."""
        ready = [each for each in blocked if self._is_ready(each)]
        unchanged = [each for each in ready if self._is_unchanged(each)]
        for each in ready:
            if each not in unchanged:
                self._queue(each)
        moment = next(self._moments)
        for each in unchanged:
            former = self._former(each)
            assert former is not None
            each.digest = each.digest if former.digest is None else former.digest
        for each in unchanged:
            each.state, each.ended = BuildConclusion.UNCHANGED, moment
        return unchanged

    def _is_unchanged(self, build: Build) -> bool:
        former = self._former(build)
        if build.trigger is not BuildTrigger.DEPENDENCY_CHANGE or build.is_cut or former is None:
            return False
        declared = {need.package for need in self.needs[build.package][build.version - 1]}
        since = [
            other
            for other in self._all()
            if other.package in declared
            and other.run != build.run
            and other.state in {BuildConclusion.SUCCESS, BuildConclusion.SKIPPED}
            and other.ended > former.built_of
        ]
        return not since and all(self._came_out_as_before(self.builds[id_], former) for id_ in build.needs)

    def _came_out_as_before(self, need: Build, former_of_dependent: Build) -> bool:
        before = [b for b in self._all() if b.package == need.package and b.id < need.id and b.is_good]
        if not before or before[-1].ended > former_of_dependent.built_of:
            return False
        is_same = need.digest is not None and need.digest == before[-1].digest
        return is_same or need.state is BuildConclusion.UNCHANGED

    def _former(self, build: Build) -> Build | None:
        before = [b for b in self._all() if b.goes_as(build) and b.id < build.id and b.is_good]
        return before[-1] if before else None

    def _go_on(self, failed: Iterable[Build]) -> int:
        """Let builds begin anew that have failed by others only, if that is mended, and then their dependents.

        Return how many.
        """
        level, many = list(failed), 0
        while level:
            wanted = [each for each in level if self._is_wanted(each)]
            for each in wanted:
                if each.state is BuildConclusion.UNRESOLVABLE and self.failed_needs(each):
                    each.state = BuildConclusion.DEP_FAILED
            can = [each for each in wanted if not self.failed_needs(each)]
            mended = [each for each in can if not any(o.goes_as(each) and o.id > each.id for o in can)]
            for each in mended:
                self._reopen(each)
            unchanged = self._begin(mended)
            many += len(mended)
            dependents = self._dependents(mended)
            self._pass_on(unchanged)
            level = [each for each in dependents if each.state is BuildConclusion.DEP_FAILED]
        return many

    def _is_wanted(self, build: Build) -> bool:
        """Whether no newer build makes this one needless, and its run is not to come to an end."""
        newer = [other for other in self._all() if other.goes_as(build) and other.id > build.id]
        return self.runs[build.run].state is not RunStatus.CANCELING and all(
            other.has_failed for other in newer
        )

    def _reopen(self, build: Build) -> None:
        build.state = BuildStatus.BLOCKED
        run = self.runs[build.run]
        if run.is_complete:
            run.state = RunStatus.RUNNING

    def _fail(self) -> None:
        """Fail what waits for what has failed."""
        blocked = [build for build in self._all() if build.state is BuildStatus.BLOCKED]
        while failed := [build for build in blocked if not build.has_ended and self.failed_needs(build)]:
            for build in failed:
                build.state = BuildConclusion.DEP_FAILED

    def _settle(self) -> None:
        """Put everything where it belongs that nobody has looked at."""
        self._fail()
        for build in self._all():
            if build.state is BuildStatus.QUEUED and build.package in self.out_of_use:
                build.state = BuildStatus.BLOCKED
        self._pass_on(self._begin([each for each in self._all() if each.state is BuildStatus.BLOCKED]))
        for id_, run in self.runs.items():
            states = {build.state for build in self._of_run(id_)}
            if not run.is_complete and not any(isinstance(state, BuildStatus) for state in states):
                run.state = _conclusion(states - GOOD, run)


def _conclusion(bad: set[BuildStatus | BuildConclusion], run: Run) -> RunConclusion:
    if run.state is RunStatus.CANCELING:
        return RunConclusion.CANCELED
    if not bad:
        return RunConclusion.SUCCESS
    if bad == {BuildConclusion.SUPERSEDED}:
        return RunConclusion.SUPERSEDED
    is_failure = bad - {BuildConclusion.SUPERSEDED, BuildConclusion.CANCELED}
    return RunConclusion.FAILURE if is_failure else RunConclusion.CANCELED


def _not_allowed() -> IllegalTransition:
    return IllegalTransition("", "", "", ())
