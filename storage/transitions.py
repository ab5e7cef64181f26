"""The life cycles of everything that has a status, as tables of the moves that are allowed.

The checks in Python and the triggers of both databases are made from these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from storage.errors import IllegalTransition


class PackageStatus(StrEnum):
    """The life cycle of a package."""

    ACTIVE = "ACTIVE"
    DEPRECATED = "DEPRECATED"
    ARCHIVED = "ARCHIVED"
    QUARANTINED = "QUARANTINED"


class VersionStatus(StrEnum):
    """The life cycle of one version."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    DEPRECATED = "DEPRECATED"
    YANKED = "YANKED"
    QUARANTINED = "QUARANTINED"


class BuildStatus(StrEnum):
    """Where a build is. COMPLETED has a conclusion; nothing else has."""

    BLOCKED = "BLOCKED"
    QUEUED = "QUEUED"
    ASSIGNED = "ASSIGNED"
    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    FINALIZING = "FINALIZING"
    CANCELING = "CANCELING"
    COMPLETED = "COMPLETED"


class BuildConclusion(StrEnum):
    """How a build ended."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DEP_FAILED = "DEP_FAILED"
    UNRESOLVABLE = "UNRESOLVABLE"
    TIMED_OUT = "TIMED_OUT"
    INFRA_ERROR = "INFRA_ERROR"
    CANCELED = "CANCELED"
    SKIPPED = "SKIPPED"
    UNCHANGED = "UNCHANGED"
    SUPERSEDED = "SUPERSEDED"


class RunStatus(StrEnum):
    """Where a run is. It is COMPLETED when each of its builds is."""

    RUNNING = "RUNNING"
    CANCELING = "CANCELING"
    COMPLETED = "COMPLETED"


class RunConclusion(StrEnum):
    """How a run ended: some of the ways in which a build does."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELED = "CANCELED"
    SUPERSEDED = "SUPERSEDED"


class AlertState(StrEnum):
    """The life cycle of an alert. What fires again after RESOLVED is another alert."""

    PENDING = "PENDING"
    FIRING = "FIRING"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


PACKAGE_MOVES: Final[Mapping[PackageStatus, tuple[PackageStatus, ...]]] = {
    PackageStatus.ACTIVE: (PackageStatus.DEPRECATED, PackageStatus.ARCHIVED, PackageStatus.QUARANTINED),
    PackageStatus.DEPRECATED: (PackageStatus.ACTIVE, PackageStatus.ARCHIVED, PackageStatus.QUARANTINED),
    PackageStatus.ARCHIVED: (PackageStatus.ACTIVE, PackageStatus.QUARANTINED),
    PackageStatus.QUARANTINED: (PackageStatus.ACTIVE,),
}

VERSION_MOVES: Final[Mapping[VersionStatus, tuple[VersionStatus, ...]]] = {
    VersionStatus.DRAFT: (VersionStatus.PUBLISHED, VersionStatus.QUARANTINED),
    VersionStatus.PUBLISHED: (VersionStatus.DEPRECATED, VersionStatus.YANKED, VersionStatus.QUARANTINED),
    VersionStatus.DEPRECATED: (VersionStatus.PUBLISHED, VersionStatus.YANKED, VersionStatus.QUARANTINED),
    VersionStatus.YANKED: (VersionStatus.PUBLISHED, VersionStatus.DEPRECATED, VersionStatus.QUARANTINED),
    VersionStatus.QUARANTINED: (VersionStatus.PUBLISHED,),
}

# From all that a worker holds. QUEUED: its lease was lost, or it met an INFRA_ERROR with attempts left.
_ENDINGS: Final = (BuildStatus.QUEUED, BuildStatus.CANCELING, BuildStatus.COMPLETED)

BUILD_MOVES: Final[Mapping[BuildStatus, tuple[BuildStatus, ...]]] = {
    BuildStatus.BLOCKED: (BuildStatus.QUEUED, BuildStatus.COMPLETED),
    BuildStatus.QUEUED: (BuildStatus.BLOCKED, BuildStatus.ASSIGNED, BuildStatus.COMPLETED),
    BuildStatus.ASSIGNED: (BuildStatus.PREPARING, BuildStatus.RUNNING, *_ENDINGS),
    BuildStatus.PREPARING: (BuildStatus.RUNNING, *_ENDINGS),
    BuildStatus.RUNNING: (BuildStatus.FINALIZING, *_ENDINGS),
    BuildStatus.FINALIZING: _ENDINGS,
    BuildStatus.CANCELING: (BuildStatus.COMPLETED,),
    # Only as REOPENED or by a retry, which grants more attempts.
    BuildStatus.COMPLETED: (BuildStatus.BLOCKED, BuildStatus.QUEUED),
}

LEASED: Final = (
    BuildStatus.ASSIGNED,
    BuildStatus.PREPARING,
    BuildStatus.RUNNING,
    BuildStatus.FINALIZING,
    BuildStatus.CANCELING,
)
"""Where a build is while a worker holds it."""

REOPENED: Final = (BuildConclusion.DEP_FAILED, BuildConclusion.UNRESOLVABLE)
"""What a build concludes because of others, untried: it may begin so, and goes on by itself once they are mended."""

RELEASING: Final = (BuildConclusion.SUCCESS, BuildConclusion.SKIPPED, BuildConclusion.UNCHANGED)
"""How a build ends that no other has to wait for any more."""

LIVE: Final = tuple(status for status in BuildStatus if status is not BuildStatus.COMPLETED)
"""Where a build is that has not ended."""

UNCLAIMED: Final = (BuildStatus.BLOCKED, BuildStatus.QUEUED)
"""Where a build is that has not ended and that nobody holds."""

RUN_MOVES: Final[Mapping[RunStatus, tuple[RunStatus, ...]]] = {
    RunStatus.RUNNING: (RunStatus.CANCELING, RunStatus.COMPLETED),
    RunStatus.CANCELING: (RunStatus.COMPLETED,),
    RunStatus.COMPLETED: (RunStatus.RUNNING,),
}

ALERT_MOVES: Final[Mapping[AlertState, tuple[AlertState, ...]]] = {
    AlertState.PENDING: (AlertState.FIRING, AlertState.RESOLVED),
    AlertState.FIRING: (AlertState.ACKNOWLEDGED, AlertState.RESOLVED),
    AlertState.ACKNOWLEDGED: (AlertState.RESOLVED,),
    AlertState.RESOLVED: (),
}

Status = TypeVar("Status", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class LifeCycle(Generic[Status]):
    """Where something may begin, and how it may go on."""

    beginnings: tuple[Status, ...]
    moves: Mapping[Status, tuple[Status, ...]]


# An import brings in what is, whatever that is.
PACKAGE: Final = LifeCycle(tuple(PackageStatus), PACKAGE_MOVES)
VERSION: Final = LifeCycle(tuple(VersionStatus), VERSION_MOVES)
# COMPLETED only as REOPENED.
BUILD: Final = LifeCycle((BuildStatus.BLOCKED, BuildStatus.QUEUED, BuildStatus.COMPLETED), BUILD_MOVES)
# COMPLETED is a run of nothing.
RUN: Final = LifeCycle((RunStatus.RUNNING, RunStatus.COMPLETED), RUN_MOVES)
ALERT: Final = LifeCycle((AlertState.PENDING, AlertState.FIRING), ALERT_MOVES)


def origins(moves: Mapping[Status, tuple[Status, ...]], target: Status) -> list[Status]:
    """Return the states from which `target` may be set, itself included: staying is no move."""
    return [status for status, targets in moves.items() if target in targets or status is target]


def illegal(
    moves: Mapping[Status, tuple[Status, ...]], subject: str, *, origin: Status, target: Status
) -> IllegalTransition:
    """Return the refusal of a move that is not in `moves`."""
    return IllegalTransition(subject, origin, target, moves[origin])
