"""Preparing a run: which builds a plan comes to, and how each of them begins. Nothing is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from resolvers.atlas import Atlas
from resolvers.errors import BadInput
from resolvers.plans import Plan, PlanRequest, build_plan
from resolvers.resolutions import Unsolved
from resolvers.shortfalls import Shortfall, shortfalls
from resolvers.subjects import held_reason
from storage import packages, superseding
from storage.build_conditions import HELD
from storage.build_tables import BuildTrigger
from storage.database import Connection
from storage.tables import ALL_KINDS
from storage.transitions import BuildConclusion, BuildStatus


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A run to be started: what to build, and how."""

    plan: PlanRequest
    trigger: BuildTrigger = BuildTrigger.MANUAL
    priority: int = 0
    max_attempts: int = 3
    timeout_seconds: int = 3_600
    labels: Mapping[str, str] = field(default_factory=dict)
    worker_labels: Mapping[str, str] = field(default_factory=dict)
    """What a worker has to offer to get its builds."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class PreparedBuild:
    """A build as it would begin."""

    package: str
    version: str
    package_id: int
    version_id: int
    wave: int
    status: BuildStatus
    conclusion: BuildConclusion | None
    trigger: BuildTrigger
    expected_seconds: float | None
    remaining_seconds: float
    reason: str | None
    needs: tuple[int, ...]
    """Places, in the preparation, of what it waits for; all of them before its own."""
    cause: int | None
    """The place of the build that has failed it."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """A run as it would begin."""

    plan: Plan
    builds: tuple[PreparedBuild, ...]
    """Wave by wave."""
    supersedes: int
    """How many unclaimed builds of other runs it would put an end to."""


def prepare(atlas: Atlas, request: StartRequest) -> Preparation | Unsolved:
    """Plan what `request` asks for, and decide how each build begins. Raises what `build_plan` raises, and BadInput."""
    plan = build_plan(atlas, request.plan)
    if isinstance(plan, Unsolved):
        return plan
    for index, name in enumerate(request.plan.packages):
        if name not in plan.version_ids:
            raise BadInput(
                f"package {name} has no published version to build", path=("plan", "packages", str(index))
            )
    return _Preparing(atlas, request, plan).prepared()


class _Preparing:
    def __init__(self, atlas: Atlas, request: StartRequest, plan: Plan) -> None:
        self._request = request
        self._plan = plan
        self._named = frozenset(request.plan.packages)
        with atlas.database.read() as connection:
            self._held = {name: status for status in HELD for name in packages.names_in(connection, status)}
            self._lacks = self._shortfalls(connection)
            self._supersedes = superseding.count_superseded(connection, plan.version_ids.values())
        self._place: dict[str, int] = {}
        self._built: list[PreparedBuild] = []

    def _shortfalls(self, connection: Connection) -> dict[int, list[Shortfall]]:
        if self._request.plan.resolve is not None:
            # Pins suit each other, or it was asked to overrule what they declare.
            return {}
        selection = self._request.plan.selection
        return shortfalls(
            connection,
            list(self._plan.version_ids.values()),
            kinds=kinds_of(self._request.plan),
            include_optional=selection.include_optional,
        )

    def prepared(self) -> Preparation:
        for wave, names in enumerate(self._plan.order.waves):
            for name in names:
                # What came in as a dependent may have no version that could be built.
                if name in self._plan.version_ids:
                    self._place[name] = len(self._built)
                    self._built.append(self._build(name, wave))
        return Preparation(self._plan, tuple(self._built), self._supersedes)

    def _build(self, name: str, wave: int) -> PreparedBuild:
        order = self._plan.order
        needs = tuple(sorted(self._needs(name)))
        cause = next(self._causes(needs), None)
        status, conclusion, reason = self._beginning(name, needs, cause)
        return PreparedBuild(
            package=name,
            version=self._plan.versions[name],
            package_id=self._plan.package_ids[name],
            version_id=self._plan.version_ids[name],
            wave=wave,
            status=status,
            conclusion=conclusion,
            trigger=self._trigger(name),
            expected_seconds=self._plan.seconds.get(name),
            remaining_seconds=order.remaining[name],
            reason=reason,
            needs=needs,
            cause=cause if conclusion is BuildConclusion.DEP_FAILED else None,
        )

    def _needs(self, name: str) -> Iterator[int]:
        for needed in self._plan.order.needs.get(name, ()):
            if needed in self._place:
                yield self._place[needed]

    def _causes(self, needs: tuple[int, ...]) -> Iterator[int]:
        for place in needs:
            need = self._built[place]
            if need.conclusion is BuildConclusion.UNRESOLVABLE:
                yield place
            elif need.cause is not None:
                yield need.cause

    def _beginning(
        self, name: str, needs: tuple[int, ...], cause: int | None
    ) -> tuple[BuildStatus, BuildConclusion | None, str | None]:
        lacks = self._lacks.get(self._plan.version_ids[name])
        if lacks:
            return BuildStatus.COMPLETED, BuildConclusion.UNRESOLVABLE, "; ".join(map(str, lacks))
        if cause is not None:
            root = self._built[cause]
            reason = f"{root.package} {root.version} ended as {root.conclusion}"
            return BuildStatus.COMPLETED, BuildConclusion.DEP_FAILED, reason
        held = self._held.get(name)
        if held is not None:
            return BuildStatus.BLOCKED, None, held_reason(name, held)
        return BuildStatus.BLOCKED if needs else BuildStatus.QUEUED, None, None

    def _trigger(self, name: str) -> BuildTrigger:
        is_named = not self._named or name in self._named
        return self._request.trigger if is_named else BuildTrigger.DEPENDENCY_CHANGE


def kinds_of(plan: PlanRequest) -> int:
    """Return the bits of the kinds that a plan follows."""
    return int(ALL_KINDS if plan.selection.kinds is None else plan.selection.kinds)
