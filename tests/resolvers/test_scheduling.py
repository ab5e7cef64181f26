"""What follows for the others when a build ends: they go on, fail with it, come back, or need not be built."""

import pytest

from resolvers.builds import cancel_build, retry_build
from resolvers.errors import NotFound, NotRetried
from resolvers.scheduling import Course
from storage import events, runs
from storage.build_tables import BuildTrigger
from storage.database import Connection, Database
from storage.errors import IllegalTransition
from storage.tables import EventKind
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus, RunStatus
from tests.resolvers.build_world import World, assert_content, assert_sound

FAILURE, SUCCESS, SKIPPED = BuildConclusion.FAILURE, BuildConclusion.SUCCESS, BuildConclusion.SKIPPED

CHAIN = """
    base 1
    lib 1 needs base
    app 1 needs lib
"""
DIAMOND = """
    base 1
    left 1 needs base
    right 1 needs base
    top 1 needs left; right
"""


# going on


@pytest.mark.parametrize("conclusion", [SUCCESS, SKIPPED])
def test_what_waits_goes_on_once_all_it_waits_for_is_there(
    database: Database, conclusion: BuildConclusion
) -> None:
    world = World.of(database, DIAMOND)
    run = world.start("base", "left", "right", "top")

    world.end("base", conclusion)
    assert world.states(run) == {
        "base": conclusion,
        "left": "QUEUED",
        "right": "QUEUED",
        "top": "BLOCKED",
    }
    world.end("left")
    assert (world.states(run)["top"], world.build("top").waiting_for) == ("BLOCKED", 1)
    world.end("right")
    assert (world.states(run)["top"], world.build("top").waiting_for) == ("QUEUED", 0)
    world.end("top")

    assert world.run(run) == "SUCCESS"
    assert world.build("top").queued_at is not None
    assert_sound(database)
    assert_content(database)


def test_what_has_followed_is_told_in_the_same_transaction(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib", "app")
    world.claim()
    cursor = database.cursor()

    world.end("base", FAILURE)

    with database.read() as connection:
        told = events.after(connection, cursor, limit=100)
    assert [(each.kind, each.package, each.run_id) for each in told] == [
        (EventKind.BUILD_CHANGED, "base", run),
        (EventKind.BUILD_CHANGED, "lib", run),
        (EventKind.BUILD_CHANGED, "app", run),
        (EventKind.RUN_CHANGED, None, run),
    ]


# failing


def test_what_waits_for_a_failure_fails_with_its_root_cause_named(database: Database) -> None:
    world = World.of(database, CHAIN + "other 1")
    run = world.start("base", "lib", "app", "other")

    world.end("base", FAILURE)

    assert world.states(run) == {
        "base": "FAILURE",
        "lib": "DEP_FAILED",
        "app": "DEP_FAILED",
        "other": "ASSIGNED",
    }
    assert world.causes(run) == {"lib": "base", "app": "base"}
    assert world.build("app").status_reason == "base 1 ended as FAILURE"
    assert (world.build("lib").waiting_for, world.build("app").waiting_for) == (1, 1)
    assert world.run(run) == "RUNNING"
    world.end("other")
    assert world.run(run) == "FAILURE"
    assert_sound(database)


def test_of_two_causes_the_first_one_stays_until_it_is_mended(database: Database) -> None:
    world = World.of(database, DIAMOND)
    run = world.start("base", "left", "right", "top")
    world.end("base")
    world.end("right", FAILURE)
    world.end("left", FAILURE)
    assert world.causes(run) == {"top": "right"}

    world.retry("right")
    world.end("right")

    assert world.causes(run) == {"top": "left"}
    assert world.build("top").status_reason == "left 1 ended as FAILURE"
    assert world.states(run)["top"] == "DEP_FAILED"
    assert_sound(database)


def test_a_new_cause_is_named_to_all_who_have_failed_by_it(database: Database) -> None:
    world = World.of(database, DIAMOND + "site 1 needs top\nhost 1 needs site")
    run = world.start("base", "left", "right", "top", "site", "host")
    world.end("base")
    world.end("right", FAILURE)
    world.end("left", FAILURE)
    assert world.causes(run) == {"top": "right", "site": "right", "host": "right"}

    world.retry("right")
    world.end("right")

    assert world.causes(run) == {"top": "left", "site": "left", "host": "left"}


def test_what_is_tried_again_and_canceled_is_to_blame_itself(database: Database) -> None:
    world = World.of(database, CHAIN + "site 1 needs app")
    run = world.start("base", "lib", "app", "site")
    world.end("base", FAILURE)
    world.retry("base")
    world.retry("lib")

    world.cancel("lib")

    assert world.states(run) == {
        "base": "QUEUED",
        "lib": "CANCELED",
        "app": "DEP_FAILED",
        "site": "DEP_FAILED",
    }
    assert world.causes(run) == {"app": "lib", "site": "lib"}


# coming back


def test_what_has_failed_by_others_comes_back_once_the_cause_succeeds(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib", "app")
    world.end("base", FAILURE)
    assert world.run(run) == "FAILURE"

    world.retry("base")
    assert world.run(run) == "RUNNING"
    assert world.states(run) == {"base": "QUEUED", "lib": "DEP_FAILED", "app": "DEP_FAILED"}
    world.end("base")

    assert world.states(run) == {"base": "SUCCESS", "lib": "QUEUED", "app": "BLOCKED"}
    assert world.causes(run) == {}
    assert world.run(run) == "RUNNING"
    world.end("lib")
    world.end("app")
    assert world.run(run) == "SUCCESS"
    assert_sound(database)


def test_what_another_cause_keeps_back_does_not_come_back(database: Database) -> None:
    world = World.of(database, DIAMOND + "site 1 needs top")
    run = world.start("base", "left", "right", "top", "site")
    world.end("base")
    world.end("left", FAILURE)
    world.end("right", FAILURE)

    world.retry("left")
    world.end("left")

    assert world.states(run) == {
        "base": "SUCCESS",
        "left": "SUCCESS",
        "right": "FAILURE",
        "top": "DEP_FAILED",
        "site": "DEP_FAILED",
    }
    assert world.run(run) == "FAILURE"


def test_what_comes_back_waits_for_what_is_still_being_tried(database: Database) -> None:
    world = World.of(database, DIAMOND)
    run = world.start("base", "left", "right", "top")
    world.end("base")
    world.end("left", FAILURE)
    world.retry("left")

    world.end("right")
    assert world.states(run)["top"] == "BLOCKED"
    world.end("left")

    assert world.states(run)["top"] == "QUEUED"
    assert_sound(database)


def test_a_success_in_any_run_mends_what_the_same_version_has_failed_elsewhere(database: Database) -> None:
    world = World.of(database, CHAIN)
    old = world.start("base", "lib", "app")
    world.end("base", FAILURE)

    world.start("base")
    world.end("base")

    assert world.states(old) == {"base": "FAILURE", "lib": "QUEUED", "app": "BLOCKED"}
    assert world.run(old) == "RUNNING"
    assert_sound(database)
    world.end("lib")
    world.end("app")
    assert world.run(old) == "FAILURE"


def test_a_success_of_another_version_mends_nothing(database: Database) -> None:
    world = World.of(database, CHAIN)
    old = world.start("base", "lib", "app")
    world.end("base", FAILURE)
    world.publish("base 2")

    world.start("base")
    world.end("base")

    assert world.states(old) == {"base": "FAILURE", "lib": "DEP_FAILED", "app": "DEP_FAILED"}


def test_what_a_newer_run_builds_does_not_come_back_in_an_older_one(database: Database) -> None:
    world = World.of(database, CHAIN)
    old = world.start("base", "lib")
    world.end("base", FAILURE)
    new = world.start("base", "lib")

    world.end("base")

    assert world.states(new) == {"base": "SUCCESS", "lib": "QUEUED"}
    assert world.states(old) == {"base": "FAILURE", "lib": "DEP_FAILED"}
    assert world.run(old) == "FAILURE"
    assert_sound(database)


def test_what_has_failed_in_several_runs_comes_back_in_the_newest(database: Database) -> None:
    world = World.of(database, CHAIN)
    old = world.start("base", "lib")
    world.end("base", FAILURE)
    new = world.start("base", "lib")
    world.end("base", FAILURE)

    world.retry("base")
    world.end("base")

    assert world.states(new) == {"base": "SUCCESS", "lib": "QUEUED"}
    assert world.states(old) == {"base": "FAILURE", "lib": "DEP_FAILED"}


def test_nothing_comes_back_in_a_run_that_is_being_canceled(database: Database) -> None:
    world = World.of(database, CHAIN + "other 1")
    old = world.start("base", "lib", "other", priority=1)
    world.claim()
    world.end("base", FAILURE)
    world.cancel_run(old)

    world.start("base")
    world.end("base")

    assert world.states(old) == {"base": "FAILURE", "lib": "DEP_FAILED", "other": "CANCELING"}
    world.end("other", run=old)
    assert world.run(old) == "CANCELED"
    assert_sound(database)


def test_only_what_has_ended_by_others_is_reopened(database: Database) -> None:
    """Two recoveries may come to the same build, and one find it built by then."""
    world = World.of(database, CHAIN)
    run = world.start("base", "lib", "app")
    world.end("base")
    world.claim()
    world.cancel("app")
    before = world.rows()

    def operation(connection: Connection) -> int:
        course = Course(connection, world.tick())
        reopened = course.reopen([row.id for row in before])
        course.finish()
        return reopened

    assert database.write(operation).value == 0
    assert world.rows() == before
    assert world.run(run) == "RUNNING"


# trying again


def test_a_retry_grants_as_many_attempts_more_as_the_run_gives(database: Database) -> None:
    world = World.of(database, "lib 1")
    run = world.start("lib", max_attempts=2)
    world.end("lib", FAILURE)

    row = world.retry("lib")

    assert (row.status, row.attempt, row.max_attempts) == ("QUEUED", 1, 4)
    assert (row.trigger, row.conclusion, row.completed_at) == (BuildTrigger.RETRY, None, None)
    assert world.run(run) == "RUNNING"
    world.end("lib")
    assert world.build("lib").attempt == 2
    assert world.run(run) == "SUCCESS"


def test_a_retry_waits_as_before(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib")
    world.cancel("lib")

    assert world.retry("lib").status is BuildStatus.BLOCKED
    world.end("base")

    assert world.states(run) == {"base": "SUCCESS", "lib": "QUEUED"}


def test_a_retry_of_a_package_out_of_use_waits_for_that(database: Database) -> None:
    world = World.of(database, "lib 1")
    run = world.start("lib")
    world.end("lib", FAILURE)
    world.set_status("lib", PackageStatus.QUARANTINED)

    assert world.retry("lib").status is BuildStatus.BLOCKED
    world.set_status("lib", PackageStatus.ACTIVE)

    assert world.states(run) == {"lib": "QUEUED"}


def test_what_could_only_fail_again_is_not_retried(database: Database) -> None:
    world = World.of(database, CHAIN + "broken 1 needs missing\nother 1")
    run = world.start("base", "lib", "broken", "other")
    world.claim()
    world.end("base", FAILURE)

    with pytest.raises(NotRetried, match="the build of base 1 has failed, and has to be mended first"):
        world.retry("lib")
    with pytest.raises(NotRetried, match="no package missing is registered"):
        world.retry("broken")
    world.cancel_run(run)
    with pytest.raises(NotRetried, match="its run is being canceled"):
        world.retry("base")


def test_what_lacks_nothing_any_more_is_retried(database: Database) -> None:
    world = World.of(database, "lib 1 needs missing")
    world.start("lib")
    world.publish("missing 1")

    assert world.retry("lib").status is BuildStatus.QUEUED


def test_what_has_not_ended_badly_is_not_retried(database: Database) -> None:
    world = World.of(database, CHAIN)
    world.start("base", "lib")

    with pytest.raises(IllegalTransition, match="the build of lib 1 is BLOCKED and cannot become QUEUED"):
        world.retry("lib")
    world.end("base")
    with pytest.raises(IllegalTransition, match="the build of base 1 is COMPLETED and cannot become QUEUED"):
        world.retry("base")
    with pytest.raises(NotFound, match="there is no build of this id"):
        retry_build(database, 99, now=world.tick())


def test_a_run_that_was_canceled_goes_on_with_what_is_retried(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib")
    world.cancel_run(run)

    world.retry("base")
    assert world.run(run) == "RUNNING"
    world.end("base")

    assert world.run(run) == "CANCELED"
    assert world.states(run) == {"base": "SUCCESS", "lib": "CANCELED"}


# canceling


def test_what_nobody_has_is_canceled_at_once_and_what_waits_for_it_fails(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib", "app")

    row = world.cancel("base", reason="not needed")

    assert (row.status, row.conclusion, row.status_reason) == ("COMPLETED", "CANCELED", "not needed")
    assert world.states(run) == {"base": "CANCELED", "lib": "DEP_FAILED", "app": "DEP_FAILED"}
    assert world.run(run) == "FAILURE"
    assert world.cancel("base", reason="again") == row


def test_a_run_in_which_some_was_canceled_and_the_rest_is_well_was_canceled(database: Database) -> None:
    world = World.of(database, "lib 1\napp 1")
    run = world.start("lib", "app")
    world.cancel("lib")

    world.end("app")

    assert world.run(run) == "CANCELED"


def test_what_a_worker_has_is_called_off_and_ends_with_its_next_report(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib")
    world.claim()

    row = world.cancel("base", reason="not needed")
    assert (row.status, row.conclusion) == ("CANCELING", None)
    assert world.cancel("base") == row
    world.end("base", BuildConclusion.INFRA_ERROR)

    assert world.states(run) == {"base": "CANCELED", "lib": "DEP_FAILED"}


def test_what_is_given_back_to_a_run_that_is_being_canceled_ends(database: Database) -> None:
    """It was handed out while the run was being called off."""
    world = World.of(database, CHAIN)
    run = world.start("base", "lib")
    world.claim()

    def half(connection: Connection) -> None:
        runs.move(connection, run, RunStatus.CANCELING, now=world.tick())

    database.write(half)
    world.tell("base", BuildStatus.COMPLETED, BuildConclusion.INFRA_ERROR)

    assert world.states(run) == {"base": "CANCELED", "lib": "DEP_FAILED"}
    assert world.run(run) == "CANCELED"


def test_what_has_ended_or_never_was_cannot_be_canceled(database: Database) -> None:
    world = World.of(database, CHAIN)
    world.start("base", "lib")
    world.end("base", FAILURE)

    with pytest.raises(
        IllegalTransition, match="the build of lib 1 is COMPLETED and cannot become CANCELING"
    ):
        world.cancel("lib")
    with pytest.raises(NotFound, match="there is no build of this id"):
        cancel_build(database, 99, reason=None, now=world.tick())


# packages out of use


def test_builds_of_a_package_leave_the_queue_with_it_and_come_back(database: Database) -> None:
    world = World.of(database, CHAIN + "other 1 needs base")
    run = world.start("base", "lib", "other")
    world.end("base")
    cursor = database.cursor()

    world.set_status("lib", PackageStatus.QUARANTINED)

    assert world.states(run) == {"base": "SUCCESS", "lib": "BLOCKED", "other": "QUEUED"}
    assert world.build("lib").status_reason == "package lib is QUARANTINED"
    with database.read() as connection:
        told = [each.kind for each in events.after(connection, cursor, limit=100)]
    assert sorted(told) == [EventKind.BUILD_CHANGED, EventKind.PACKAGE_CHANGED]
    assert world.claim() == ["other"]
    world.set_status("lib", PackageStatus.ACTIVE)
    assert world.states(run)["lib"] == "QUEUED"
    assert_sound(database)


def test_a_package_that_is_only_discouraged_is_built(database: Database) -> None:
    world = World.of(database, "lib 1")
    run = world.start("lib")

    world.set_status("lib", PackageStatus.DEPRECATED)
    assert world.states(run) == {"lib": "QUEUED"}
    world.set_status("lib", PackageStatus.ARCHIVED)
    world.set_status("lib", PackageStatus.QUARANTINED)
    assert world.states(run) == {"lib": "BLOCKED"}


def test_what_becomes_ready_while_its_package_is_out_of_use_stays_blocked(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib")
    world.set_status("lib", PackageStatus.ARCHIVED)

    world.end("base")
    assert (world.states(run)["lib"], world.build("lib").waiting_for) == ("BLOCKED", 0)
    world.set_status("lib", PackageStatus.ACTIVE)

    assert world.states(run)["lib"] == "QUEUED"


def test_what_a_worker_has_of_a_package_out_of_use_may_end(database: Database) -> None:
    world = World.of(database, "lib 1\napp 1")
    run = world.start("lib", "app")
    world.claim()
    for package in ("lib", "app"):
        world.set_status(package, PackageStatus.QUARANTINED)

    world.end("lib")
    world.end("app", BuildConclusion.INFRA_ERROR)

    assert world.states(run) == {"lib": "SUCCESS", "app": "BLOCKED"}
    assert_sound(database)
