"""The life cycles of packages and versions, as tables of the moves that are allowed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

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

_Status = TypeVar("_Status", bound=StrEnum)


def origins(moves: Mapping[_Status, tuple[_Status, ...]], target: _Status) -> list[_Status]:
    """Return the states from which `target` may be set, itself included: staying is no move."""
    return [status for status, targets in moves.items() if target in targets or status is target]


def illegal(
    moves: Mapping[_Status, tuple[_Status, ...]], subject: str, *, origin: _Status, target: _Status
) -> IllegalTransition:
    """Return the refusal of a move that is not in `moves`."""
    return IllegalTransition(subject, origin, target, moves[origin])
