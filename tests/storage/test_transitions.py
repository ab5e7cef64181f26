"""The life cycles, as the design draws them."""

from enum import StrEnum

import pytest

from storage.transitions import PACKAGE_MOVES, VERSION_MOVES, PackageStatus, VersionStatus, illegal, origins

_PACKAGES = "ACTIVE>DEPRECATED DEPRECATED>ACTIVE ACTIVE>ARCHIVED DEPRECATED>ARCHIVED ARCHIVED>ACTIVE ACTIVE>QUARANTINED "
_PACKAGES += "DEPRECATED>QUARANTINED ARCHIVED>QUARANTINED QUARANTINED>ACTIVE"
_VERSIONS = "DRAFT>PUBLISHED PUBLISHED>DEPRECATED DEPRECATED>PUBLISHED PUBLISHED>YANKED YANKED>PUBLISHED "
_VERSIONS += (
    "DEPRECATED>YANKED YANKED>DEPRECATED DRAFT>QUARANTINED PUBLISHED>QUARANTINED DEPRECATED>QUARANTINED "
)
_VERSIONS += "YANKED>QUARANTINED QUARANTINED>PUBLISHED"


@pytest.mark.parametrize(("moves", "drawn"), [(PACKAGE_MOVES, _PACKAGES), (VERSION_MOVES, _VERSIONS)])
def test_the_moves_are_those_of_the_design(moves: dict[StrEnum, tuple[StrEnum, ...]], drawn: str) -> None:
    assert {f"{origin}>{target}" for origin, targets in moves.items() for target in targets} == set(
        drawn.split()
    )


def test_every_status_has_its_moves() -> None:
    assert set(PACKAGE_MOVES) == set(PackageStatus)
    assert set(VERSION_MOVES) == set(VersionStatus)


def test_staying_is_allowed_everywhere() -> None:
    assert origins(VERSION_MOVES, VersionStatus.DRAFT) == [VersionStatus.DRAFT]
    assert origins(PACKAGE_MOVES, PackageStatus.ARCHIVED) == [
        PackageStatus.ACTIVE,
        PackageStatus.DEPRECATED,
        PackageStatus.ARCHIVED,
    ]


def test_a_refused_move_says_what_is_allowed() -> None:
    refusal = illegal(
        VERSION_MOVES, "version app 1.0", origin=VersionStatus.DRAFT, target=VersionStatus.YANKED
    )

    assert str(refusal) == (
        "version app 1.0 is DRAFT and cannot become YANKED; it may become PUBLISHED or QUARANTINED"
    )
    assert refusal.allowed == (VersionStatus.PUBLISHED, VersionStatus.QUARANTINED)
