"""Why a build is not being built: what is in its way in the end, and by which chain.

How it works: what waits is followed, by the database, to what it waits for and has not ended well, down to builds that do
not wait: these are running, queued, or have ended badly by themselves. What keeps one of these back is told by `Causes`,
which also ranks what to mend first. The chain to each is a shortest one, since nearer builds are met first.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from resolvers.shortfalls import Shortfall, shortfalls
from resolvers.subjects import held_reason
from storage import standings, workers
from storage.build_conditions import HELD
from storage.build_rows import BuildRow
from storage.columns import labels_text
from storage.database import Connection
from storage.standings import Standing
from storage.transitions import BuildConclusion, BuildStatus

ABSENT_AFTER: Final = timedelta(minutes=5)
"""When a worker that has not been heard of is taken for gone."""

MOST_REASONS: Final = 100
"""Of one build, the nearest: nobody mends more at a time."""

# Of builds that are looked at for one answer. What is farther away than these is seen once they have ended.
_BUDGET: Final = 20_000


class BlockReasonKind(StrEnum):
    """What keeps a build from being built."""

    DEP_BUILDING = "DEP_BUILDING"
    DEP_FAILED = "DEP_FAILED"
    DEP_MISSING = "DEP_MISSING"
    UNRESOLVABLE = "UNRESOLVABLE"
    CYCLE = "CYCLE"
    BACKOFF = "BACKOFF"
    NO_WORKER = "NO_WORKER"
    POLICY = "POLICY"


@dataclass(frozen=True, slots=True)
class Reason:
    """One root cause, and how it comes to matter."""

    kind: BlockReasonKind
    package: str
    path: tuple[str, ...]
    """Packages from the one that is kept back to the cause."""
    transient: bool
    """Whether it passes without anyone doing anything."""
    message: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What keeps a build back that does not wait for others."""

    kind: BlockReasonKind
    package: str
    transient: bool
    message: str


@dataclass(slots=True)
class Causes:
    """What is known of everything beside builds that keeps builds back."""

    now: datetime
    lacking: Mapping[int, Sequence[Shortfall]]
    """By build: what it needs and nothing registered gives."""
    offers: Sequence[Mapping[str, str]]
    """The labels of the workers that are there."""
    _offered: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection, builds: Iterable[Standing], *, now: datetime) -> "Causes":
        """Read what there is to know of these builds."""
        seen = workers.seen_since(connection, now - ABSENT_AFTER)
        return cls(now, _lacking(connection, builds), [worker.labels for worker in seen])

    def keeping(self, build: Standing) -> list[Cause]:
        """Return what keeps back a build that does not wait; nothing for one that may be claimed, or runs."""
        if build.status is BuildStatus.COMPLETED:
            return self._ending(build)
        if build.package_status in HELD and build.status in {BuildStatus.BLOCKED, BuildStatus.QUEUED}:
            return [
                Cause(
                    BlockReasonKind.POLICY,
                    build.package,
                    False,
                    held_reason(build.package, build.package_status),
                )
            ]
        return self._queueing(build) if build.status is BuildStatus.QUEUED else []

    def _ending(self, build: Standing) -> list[Cause]:
        if build.conclusion is BuildConclusion.UNRESOLVABLE and build.id in self.lacking:
            return [_lack(build, each) for each in self.lacking[build.id]]
        said = f": {build.message}" if build.message else ""
        message = f"{build.package} {build.version} ended as {build.conclusion}{said}"
        return [Cause(BlockReasonKind.DEP_FAILED, build.package, False, message)]

    def _queueing(self, build: Standing) -> list[Cause]:
        name = f"{build.package} {build.version}"
        if build.not_before is not None and build.not_before > self.now:
            message = f"{name} is tried again at {build.not_before:%Y-%m-%d %H:%M:%S} UTC"
            return [Cause(BlockReasonKind.BACKOFF, build.package, True, message)]
        if not self._is_offered(build.worker_labels):
            wanted = ", ".join(f"{key}={value}" for key, value in sorted(build.worker_labels.items()))
            offering = f" that offers {wanted}" if wanted else ""
            message = f"no worker{offering} was seen in the last 5 minutes"
            return [Cause(BlockReasonKind.NO_WORKER, build.package, False, message)]
        return []

    def _is_offered(self, wanted: Mapping[str, str]) -> bool:
        key = labels_text(wanted)
        if key not in self._offered:
            self._offered[key] = any(wanted.items() <= offer.items() for offer in self.offers)
        return self._offered[key]


def blocked_by(
    connection: Connection, builds: Sequence[BuildRow], *, now: datetime
) -> dict[int, list[Reason]]:
    """Return why each of these builds is not being built: what is to be mended first, and then the nearest.

    Nothing for what is being built, may be claimed, or has ended by itself. The number of statements grows neither with
    the number of builds nor with the length of the chains.
    """
    asked = [build.id for build in builds if _is_asked(build)]
    reasons: dict[int, list[Reason]] = {build.id: [] for build in builds}
    if asked:
        surroundings = _Surroundings.around(connection, asked)
        causes = Causes.of(connection, surroundings.roots(), now=now)
        for id_ in asked:
            reasons[id_] = surroundings.reasons(id_, causes)
    return reasons


def _is_asked(build: BuildRow) -> bool:
    waits_for_others = build.conclusion in {BuildConclusion.DEP_FAILED, BuildConclusion.UNRESOLVABLE}
    return build.status in {BuildStatus.BLOCKED, BuildStatus.QUEUED} or waits_for_others


@dataclass(slots=True)
class _Surroundings:
    """Builds, and what is in the way of each."""

    builds: dict[int, Standing]
    ways: dict[int, list[int]]

    @classmethod
    def around(cls, connection: Connection, ids: Sequence[int]) -> "_Surroundings":
        all_ids = standings.all_in_the_way(connection, ids, limit=max(_BUDGET, len(ids)))
        found = cls(standings.of_builds(connection, all_ids), {})
        waiting = [id_ for id_, build in found.builds.items() if waits(build)]
        for id_, other in standings.in_the_way(connection, waiting):
            found.ways.setdefault(id_, []).append(other)
        return found

    def roots(self) -> list[Standing]:
        return [build for id_, build in self.builds.items() if not self.ways.get(id_)]

    def reasons(self, id: int, causes: Causes) -> list[Reason]:
        if id not in self.builds:
            return []
        found: list[Reason] = []
        for build, path in self._nearest_roots(id):
            found += _reasons_of(build, path, causes, is_itself=build.id == id)
        if not found and self.ways.get(id):
            found = self._circle(id) or [self._beyond(id)]
        found.sort(key=lambda reason: reason.transient)
        return found[:MOST_REASONS]

    def _nearest_roots(self, id: int) -> Iterator[tuple[Standing, tuple[str, ...]]]:
        """Yield what this build waits for in the end, nearest first, each with a shortest chain."""
        before: dict[int, int | None] = {id: None}
        queue = deque([id])
        while queue:
            at = queue.popleft()
            ways = self.ways.get(at)
            if not ways:
                if at in self.builds:
                    yield self.builds[at], self._chain(at, before)
                continue
            for other in ways:
                if other not in before:
                    before[other] = at
                    queue.append(other)

    def _chain(self, end: int, before: Mapping[int, int | None]) -> tuple[str, ...]:
        chain: list[str] = []
        at: int | None = end
        while at is not None:
            chain.append(self.builds[at].package)
            at = before[at]
        return tuple(reversed(chain))

    def _beyond(self, id: int) -> Reason:
        """Return that the reason lies farther away than was looked."""
        path = (self.builds[id].package,)
        message = f"it waits for more than {_BUDGET:,} builds, one after the other"
        return Reason(BlockReasonKind.DEP_BUILDING, path[0], path, True, message)

    def _circle(self, id: int) -> list[Reason]:
        """Return that builds wait for each other, which no run begins with."""
        at, seen = id, [id]
        while at in self.builds and self.ways.get(at):
            at = self.ways[at][0]
            if at in seen:
                path = tuple(self.builds[each].package for each in [*seen, at])
                message = f"the builds wait for each other: {' → '.join(path)}"
                return [Reason(BlockReasonKind.CYCLE, self.builds[at].package, path, False, message)]
            seen.append(at)
        return []


def waits(build: Standing) -> bool:
    """Whether a build is kept back by what is in its way, and not by itself."""
    return build.status is BuildStatus.BLOCKED or build.conclusion is BuildConclusion.DEP_FAILED


def _reasons_of(
    build: Standing, path: tuple[str, ...], causes: Causes, *, is_itself: bool
) -> Iterator[Reason]:
    if (
        is_itself
        and build.status is BuildStatus.COMPLETED
        and build.conclusion is not BuildConclusion.UNRESOLVABLE
    ):
        # What it has failed by is gone: another try may come to something.
        return
    found = causes.keeping(build)
    for cause in found:
        beyond = () if cause.package == build.package else (cause.package,)
        yield Reason(cause.kind, cause.package, path + beyond, cause.transient, cause.message)
    if not found and not is_itself:
        message = f"{build.package} {build.version} is {build.status}{_by_whom(build)}"
        yield Reason(BlockReasonKind.DEP_BUILDING, build.package, path, True, message)


def _by_whom(build: Standing) -> str:
    if build.started_at is None:
        return ""
    return f" on {build.worker} since {build.started_at:%Y-%m-%d %H:%M:%S} UTC"


def _lack(build: Standing, lack: Shortfall) -> Cause:
    kind = BlockReasonKind.UNRESOLVABLE if lack.is_registered else BlockReasonKind.DEP_MISSING
    return Cause(kind, lack.package, False, f"{build.package} {build.version}: {lack}")


def _lacking(connection: Connection, builds: Iterable[Standing]) -> dict[int, list[Shortfall]]:
    """Return what those of these builds lack that have ended for want of something."""
    by_terms: dict[tuple[int, bool], list[Standing]] = {}
    for build in builds:
        if build.conclusion is BuildConclusion.UNRESOLVABLE:
            by_terms.setdefault((build.kinds, build.include_optional), []).append(build)
    lacking: dict[int, list[Shortfall]] = {}
    for (kinds, include_optional), wanting in by_terms.items():
        versions = {build.version_id for build in wanting}
        found = shortfalls(connection, versions, kinds=kinds, include_optional=include_optional)
        lacking.update({build.id: found[build.version_id] for build in wanting if build.version_id in found})
    return lacking
