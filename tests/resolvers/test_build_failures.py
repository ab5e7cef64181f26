"""Failed builds among the errors."""

from datetime import timedelta

import pytest

from storage import error_groups
from storage.database import Database
from storage.monitoring_rows import ErrorGroupRow
from storage.transitions import BuildConclusion, BuildStatus
from tests.resolvers.build_world import World

COMPLETED = BuildStatus.COMPLETED
FAILURE, INFRA_ERROR = BuildConclusion.FAILURE, BuildConclusion.INFRA_ERROR


def groups(database: Database) -> list[ErrorGroupRow]:
    with database.read() as connection:
        return error_groups.page(connection, component="build", limit=1000)


def test_the_same_reason_of_many_packages_is_one_fault(database: Database) -> None:
    world = World.of(database, "lib 1\nzlib 1.2.3\napp 1 needs lib")
    world.start("lib", "zlib", "app")
    world.claim("w", limit=2)
    world.tell("lib", COMPLETED, FAILURE, message="lib: 3 tests failed, password=hunter2")
    world.tell("zlib", COMPLETED, FAILURE, message="zlib: 5 tests failed, password=hunter3")

    (group,) = groups(database)

    assert (group.code, group.component, group.count) == ("FAILURE", "build", 2)
    assert group.message == "<package>: <number> tests failed, password=***"
    assert group.sample == ("package: zlib 1.2.3\nattempt: 1\nworker: w\nzlib: 5 tests failed, password=***")


def test_what_follows_from_a_failure_and_what_ends_well_is_no_error(database: Database) -> None:
    world = World.of(database, "lib 1\napp 1 needs lib\nother 1")
    world.start("lib", "app", "other")
    world.claim("w", limit=2)
    world.end("other", BuildConclusion.SUCCESS)
    world.end("lib", FAILURE)

    assert [(group.message, group.count) for group in groups(database)] == [("no reason was given", 1)]


def test_an_attempt_is_counted_once_however_often_it_is_reported(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    world.claim("w")
    lease = world.lease("lib")
    for _ in range(3):
        world.tell("lib", COMPLETED, FAILURE, message="no", lease=lease)

    assert [group.count for group in groups(database)] == [1]


def test_each_attempt_that_is_made_again_counts(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib", max_attempts=2)
    for _ in range(2):
        world.now += timedelta(hours=1)
        world.claim("w")
        world.tell("lib", COMPLETED, INFRA_ERROR, message="no room on worker w")

    assert [(group.code, group.count) for group in groups(database)] == [("INFRA_ERROR", 2)]


@pytest.mark.parametrize(
    ("after", "code", "message"),
    [
        (timedelta(minutes=2), "INFRA_ERROR", "the lease of worker <worker> ran out"),
        (timedelta(hours=2), "TIMED_OUT", "it took longer than <number> s"),
    ],
)
def test_what_recovery_ends_counts_too(database: Database, after: timedelta, code: str, message: str) -> None:
    world = World.of(database, "lib 1")
    world.start("lib", max_attempts=1)
    world.claim("host-17", lease=timedelta(minutes=1))
    world.tell("lib", BuildStatus.RUNNING)
    world.recover(after.total_seconds())

    assert [(group.code, group.message) for group in groups(database)] == [(code, message)]
