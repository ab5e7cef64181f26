"""What is measured of builds, as they are claimed, reported and taken back."""

from contextlib import AbstractContextManager

import pytest

from resolvers.build_measures import BuildMeasures, PackageNames
from resolvers.claims import Claim, ClaimRequest
from resolvers.errors import LeaseLost
from resolvers.measurements import BUILD, BUILD_FAILED, BUILD_WAIT, CLAIM, CLAIMED, RECOVERED, REPORT
from resolvers.measuring import Measurer
from resolvers.policy import DEFAULT_POLICY
from resolvers.recovery import Recovery
from resolvers.reports import ReportRequest
from storage.database import Connection, Database
from storage.errors import Trouble, Unavailable
from storage.transitions import BuildConclusion, BuildStatus
from tests.resolvers.build_world import World

Figures = list[tuple[dict[str, str], int, float]]
"""Labels but for the outcome, how many, and their sum to the millisecond."""


class Measured:
    """A world in which builds are measured."""

    def __init__(self, database: Database, text: str) -> None:
        self.world = World.of(database, text)
        self.measurer = Measurer()
        self.measures = BuildMeasures(self.measurer, PackageNames(database))

    def claim(self, after: float, *, lease: int = 60, request_id: str | None = None) -> list[Claim]:
        request = ClaimRequest("w1", 10, lease, request_id=request_id)
        return self.measures.claim(self.world.database, request, now=self.world.tick(after))

    def report(
        self,
        claim: Claim,
        after: float,
        status: BuildStatus = BuildStatus.COMPLETED,
        conclusion: BuildConclusion | None = None,
    ) -> None:
        request = ReportRequest(claim.build.id, claim.lease, status, conclusion)
        now = self.world.tick(after)
        self.measures.report(self.world.database, request, policy=DEFAULT_POLICY, jitter=1, now=now)

    def taken(self) -> dict[str, Figures]:
        found: dict[str, Figures] = {}
        for row in self.measurer.take():
            labels = {key: value for key, value in row.labels.items() if key != "outcome"}
            found.setdefault(row.name, []).append((labels, row.count, round(row.total, 3)))
        return found


def test_a_build_is_measured_from_the_queue_to_its_end(database: Database) -> None:
    told = Measured(database, "lib 1")
    told.world.start("lib")

    (claim,) = told.claim(30)
    told.report(claim, 1, BuildStatus.RUNNING)
    told.report(claim, 12.5, conclusion=BuildConclusion.FAILURE)

    found = told.taken()
    assert found[BUILD_WAIT] == [({"package": "lib", "worker": "w1"}, 1, 30)]
    assert found[BUILD] == [({"package": "lib", "worker": "w1", "conclusion": "FAILURE"}, 1, 12.5)]
    assert found[BUILD_FAILED] == [({}, 1, 1)]
    assert found[CLAIMED] == [({}, 1, 1)]
    assert found[CLAIM][0][1] == 1
    assert found[REPORT][0][1] == 2


def test_what_is_said_again_is_not_counted_again(database: Database) -> None:
    told = Measured(database, "lib 1")
    told.world.start("lib")
    for _ in range(2):
        (claim,) = told.claim(30, request_id="r1")
    told.report(claim, 1, BuildStatus.RUNNING)
    for _ in range(2):
        told.report(claim, 5, conclusion=BuildConclusion.SUCCESS)

    found = told.taken()
    assert found[CLAIMED] == [({}, 2, 1)]
    assert found[BUILD_WAIT][0][1] == 1
    assert found[BUILD][0][1:] == (1, 5)
    assert found[BUILD_FAILED] == [({}, 1, 0)]


def test_what_is_called_off_says_nothing_of_how_good_builds_are(database: Database) -> None:
    told = Measured(database, "lib 1")
    told.world.start("lib")
    (claim,) = told.claim(1)
    told.report(claim, 1, BuildStatus.RUNNING)
    told.report(claim, 2, conclusion=BuildConclusion.CANCELED)

    found = told.taken()
    assert BUILD_FAILED not in found
    assert found[BUILD][0][0]["conclusion"] == "CANCELED"


def test_attempts_that_are_taken_back_count_and_as_failures_once_none_is_left(database: Database) -> None:
    told = Measured(database, "lib 1")
    told.world.start("lib", max_attempts=2)
    recovery = Recovery(told.world.atlas, told.measures)
    for _ in range(2):
        (claim,) = told.claim(1_000, lease=10)
        told.report(claim, 1, BuildStatus.RUNNING)
        recovery.run(now=told.world.tick(20))

    found = told.taken()
    assert found[RECOVERED] == [({}, 2, 2)]
    assert found[BUILD_FAILED] == [({}, 1, 1)]
    assert found[BUILD] == [({"package": "lib", "worker": "w1", "conclusion": "INFRA_ERROR"}, 1, 20)]


def test_a_report_that_is_refused_is_measured_as_such(database: Database) -> None:
    told = Measured(database, "lib 1")
    told.world.start("lib")
    (claim,) = told.claim(1)
    with pytest.raises(LeaseLost):
        told.report(Claim(claim.build, "99"), 1, BuildStatus.RUNNING)

    outcomes = [row.labels for row in told.measurer.take() if row.name == REPORT]
    assert outcomes == [{"outcome": "LeaseLost"}]


def test_a_clock_that_was_set_back_makes_no_time_negative(database: Database) -> None:
    told = Measured(database, "lib 1")
    told.world.start("lib")
    (claim,) = told.claim(-30)
    told.report(claim, 1, BuildStatus.RUNNING)
    told.report(claim, -10, conclusion=BuildConclusion.SUCCESS)

    found = told.taken()
    assert found[BUILD_WAIT] == [({"package": "lib", "worker": "w1"}, 1, 0)]
    assert [(count, total) for _, count, total in found[BUILD]] == [(1, 0)]


def test_a_name_that_cannot_be_read_does_not_undo_what_is_told_of_it(database: Database) -> None:
    told = Measured(database, "lib 1")
    told.world.start("lib")
    name_of, away = PackageNames(database), [True]
    told.measures = BuildMeasures(told.measurer, name_of)

    def glance() -> AbstractContextManager[Connection]:
        if away:
            raise Unavailable("atlas.db", Trouble.BUSY, "try again")
        return database.glance()

    name_of._glance = glance
    (claim,) = told.claim(30)
    away.clear()

    assert told.taken()[BUILD_WAIT] == [({"package": "", "worker": "w1"}, 1, 30)]
    assert name_of(claim.build.package_id) == "lib"


def test_the_name_of_a_package_is_read_once_and_nothing_of_one_that_is_gone(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    package_id = world.build("lib").package_id
    name_of = PackageNames(database)

    assert name_of(package_id) == "lib"
    world.cancel("lib")
    world.delete("lib")
    assert name_of(package_id) == "lib"
    assert PackageNames(database)(package_id) == ""
