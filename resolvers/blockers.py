"""What to mend first: the root causes of all that does not go on, by what each holds up.

How it works: what is held up and all that is in its way make a graph without cycles, to which every cause is added as one
node that all builds it keeps back wait for. What lies behind a cause is then counted exactly, also where causes share it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from graph.holding import held_up
from resolvers.reasons import BlockReasonKind, Cause, Causes, waits
from storage import builds, standings
from storage.build_rows import BuildRow
from storage.database import Connection, Database
from storage.standings import Standing
from storage.transitions import BuildStatus


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing to mend, with what it holds up."""

    kind: BlockReasonKind
    package: str
    build: BuildRow | None
    """The build that it keeps back, the most urgent of several; one that has failed is itself the cause."""
    blocked_builds: int
    """How many others wait for it, directly or not; those that it keeps back itself count."""
    remaining_seconds: float
    """The longest chain of builds behind it."""
    message: str


def blockers(database: Database, run_id: int | None, *, first: int, now: datetime) -> list[Blocker]:
    """Return the causes that hold up most, times the longest chain behind them; of one run, or of all.

    What passes by itself is none, and neither is a failed build that nothing waits for.
    """
    with database.read() as connection:
        scene = _Scene.of(connection, run_id)
        causes = _causes(scene, Causes.of(connection, scene.builds.values(), now=now))
        counts = scene.held_up_by(causes)
        ranked = sorted(
            (each for each in zip(causes, counts, strict=True) if each[1]),
            key=lambda each: (-each[1] * each[0].remaining_seconds, -each[1], each[0].cause.package),
        )[:first]
        rows = builds.by_ids(connection, [each.first for each, _ in ranked])
    return [
        Blocker(
            each.cause.kind,
            each.cause.package,
            rows.get(each.first),
            count,
            each.remaining_seconds,
            each.cause.message,
        )
        for each, count in ranked
    ]


@dataclass(slots=True)
class _Kept:
    """A cause, and the builds that it keeps back."""

    cause: Cause
    builds: list[Standing] = field(default_factory=list)

    @property
    def first(self) -> int:
        """The most urgent of its builds."""
        return max(self.builds, key=lambda build: (build.remaining_seconds, -build.id)).id

    @property
    def remaining_seconds(self) -> float:
        """The longest chain behind any of its builds."""
        return max(build.remaining_seconds for build in self.builds)


@dataclass(slots=True)
class _Scene:
    """What is held up, what is in its way, and what stands still by itself."""

    builds: dict[int, Standing]
    ways: list[tuple[int, int]]

    @classmethod
    def of(cls, connection: Connection, run_id: int | None) -> "_Scene":
        held = standings.held_up(connection, run_id)
        ways = standings.in_the_way(connection, held)
        there = {*held, *(other for _, other in ways), *standings.stopped(connection, run_id)}
        return cls(standings.of_builds(connection, there), ways)

    def held_up_by(self, causes: Sequence[_Kept]) -> list[int]:
        """Return how many builds each cause holds up."""
        place = {id_: index for index, id_ in enumerate(self.builds)}
        edges = [(place[waiter], place[other]) for waiter, other in self.ways]
        roots: list[int] = []
        size = len(place)
        for kept in causes:
            if _is_build(kept):
                roots.append(place[kept.builds[0].id])
            else:
                roots.append(size)
                edges += ((place[build.id], size) for build in kept.builds)
                size += 1
        return held_up(size, edges, roots)


def _is_build(kept: _Kept) -> bool:
    """Whether the cause is a build that has failed, and not something that keeps builds back."""
    return kept.cause.kind is BlockReasonKind.DEP_FAILED


def _causes(scene: _Scene, known: Causes) -> list[_Kept]:
    """Return every cause that somebody has to mend, with the builds that it keeps back."""
    found: dict[tuple[object, ...], _Kept] = {}
    for build in _standing_still(scene):
        for cause in known.keeping(build):
            if not cause.transient:
                found.setdefault(_key(cause, build), _Kept(cause)).builds.append(build)
    return list(found.values())


def _standing_still(scene: _Scene) -> Iterable[Standing]:
    has_ways = {waiter for waiter, _ in scene.ways}
    for build in scene.builds.values():
        if build.id not in has_ways and not (waits(build) and build.status is BuildStatus.COMPLETED):
            yield build


def _key(cause: Cause, build: Standing) -> tuple[object, ...]:
    """Return what the same cause has in common wherever it is met."""
    if cause.kind is BlockReasonKind.DEP_FAILED:
        return cause.kind, build.id
    if cause.kind is BlockReasonKind.NO_WORKER:
        return cause.kind, *sorted(build.worker_labels.items())
    return cause.kind, cause.package
