"""The life cycles, as the design draws them."""

from enum import StrEnum

import pytest

from storage.errors import IllegalTransition
from storage.transitions import (
    ALERT,
    BUILD,
    LEASED,
    PACKAGE,
    PACKAGE_MOVES,
    RUN,
    VERSION,
    VERSION_MOVES,
    BuildConclusion,
    LifeCycle,
    PackageStatus,
    RunConclusion,
    VersionStatus,
    illegal,
    origins,
)
from tests.storage import drawn

_CYCLES = [
    (PACKAGE, drawn.PACKAGE),
    (VERSION, drawn.VERSION),
    (BUILD, drawn.BUILD),
    (RUN, drawn.RUN),
    (ALERT, drawn.ALERT),
]


@pytest.mark.parametrize(("cycle", "drawing"), _CYCLES)
def test_the_life_cycles_are_those_of_the_design(cycle: LifeCycle[StrEnum], drawing: drawn.Drawing) -> None:
    moves = {f"{origin}>{target}" for origin, targets in cycle.moves.items() for target in targets}

    assert moves == set(drawing.moves.split())
    assert set(cycle.beginnings) == set(drawing.beginnings.split())


@pytest.mark.parametrize("cycle", [cycle for cycle, _ in _CYCLES])
def test_every_status_has_its_moves(cycle: LifeCycle[StrEnum]) -> None:
    statuses = type(cycle.beginnings[0])

    assert list(cycle.moves) == list(statuses)


def test_a_run_concludes_as_builds_do() -> None:
    assert set(RunConclusion) < set(BuildConclusion)


def test_only_what_a_worker_holds_is_leased() -> None:
    assert LEASED == ("ASSIGNED", "PREPARING", "RUNNING", "FINALIZING", "CANCELING")


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


def test_a_move_from_the_end_of_a_life_says_that_it_has_ended() -> None:
    refusal = IllegalTransition("alert 1", "RESOLVED", "ACKNOWLEDGED", ())

    assert str(refusal) == "alert 1 is RESOLVED and cannot become ACKNOWLEDGED; that is its end"
