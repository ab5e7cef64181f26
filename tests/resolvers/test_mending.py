"""What others have left half done, or mended elsewhere, is let go on or ended, and nothing waits for ever."""

from datetime import timedelta

import pytest

from resolvers import doctor, preparation, runs
from resolvers.errors import NotRetried
from resolvers.plans import PlanRequest
from resolvers.preparation import Preparation, StartRequest, prepare
from resolvers.recovery import Recovery
from resolvers.runs import start
from storage import flow
from storage.database import Connection, Database
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus
from tests.resolvers.build_world import World

FAILURE = BuildConclusion.FAILURE
PAIR = "app 1 needs lib\nlib 1"


def is_content(world: World) -> bool:
    return doctor.examine(world.database).is_content


def test_waiting_for_what_a_newer_run_builds_is_sound(database: Database) -> None:
    world = World.of(database, PAIR)
    older = world.start("app", "lib")
    newer = world.start("lib")

    assert world.states(older) == {"lib": "SUPERSEDED", "app": "BLOCKED"}
    assert is_content(world)
    world.end("lib", run=newer)
    assert world.states(older)["app"] == "QUEUED"
    assert is_content(world)


def test_a_package_that_is_freed_while_a_run_is_planned_is_built(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, PAIR)
    world.set_status("lib", PackageStatus.QUARANTINED)

    def prepared(*asked: object) -> object:
        found = prepare(*asked)  # type: ignore[arg-type] # as it was asked
        world.set_status("lib", PackageStatus.ACTIVE)
        return found

    monkeypatch.setattr(runs, "prepare", prepared)

    assert world.states(world.start("app", "lib")) == {"lib": "QUEUED", "app": "BLOCKED"}


def test_what_waits_for_nothing_is_found_by_recovery(database: Database) -> None:
    world = World.of(database, "lib 1")
    run = world.start("lib")
    build = world.build("lib")
    database.write(lambda c: flow.move_all(c, [build.id], BuildStatus.BLOCKED, now=world.tick()))

    assert world.recover() == 1
    assert world.states(run) == {"lib": "QUEUED"}
    assert world.recover() == 0


def test_what_came_free_in_a_run_that_is_being_canceled_ends(database: Database) -> None:
    world = World.of(database, "lib 1\ntool 1")
    run = world.start("lib", "tool")
    world.claim()
    world.cancel_run(run)
    world.tell("lib", BuildStatus.COMPLETED, BuildConclusion.INFRA_ERROR)

    assert world.states(run)["lib"] == "CANCELED"
    world.recover(timedelta(hours=2).total_seconds())
    assert world.states(run) == {"lib": "CANCELED", "tool": "CANCELED"}
    assert world.run(run) == "CANCELED"


def test_what_is_left_unclaimed_in_a_run_that_is_being_canceled_is_found_by_recovery(
    database: Database,
) -> None:
    world = World.of(database, "lib 1\ntool 1")
    run = world.start("lib", "tool")
    world.claim(limit=1)

    def half(connection: Connection) -> None:
        connection.exec_driver_sql(f"UPDATE build_runs SET status = 'CANCELING' WHERE id = {run}")

    database.write(half)

    assert world.recover() == 1
    assert sorted(world.states(run).values()) == ["ASSIGNED", "CANCELED"]


def test_what_was_built_of_something_older_is_built_anew(database: Database) -> None:
    world = World.of(database, PAIR)
    world.start("lib")
    world.end("lib", digest="a")
    first = world.start("app")
    world.claim("w1")
    world.tell("app", BuildStatus.RUNNING, run=first)
    # While it is being built of what there was.
    world.start("lib")
    world.end("lib", digest="b")
    world.tell("app", BuildStatus.COMPLETED, BuildConclusion.SUCCESS, run=first)

    run = world.start("lib", dependents=True)
    world.end("lib", digest="b", run=run)

    assert world.states(run) == {"lib": "SUCCESS", "app": "QUEUED"}


def test_what_depends_on_something_that_was_rebuilt_elsewhere_is_built_anew(database: Database) -> None:
    world = World.of(database, "app 1 needs lib; tool\nlib 1\ntool 1")
    world.start("app", "lib", "tool")
    for package in ("lib", "tool", "app"):
        world.end(package, digest="a")
    world.start("tool")
    world.end("tool", digest="b")

    run = world.start("lib", dependents=True)
    world.end("lib", digest="a", run=run)

    assert world.states(run) == {"lib": "SUCCESS", "app": "QUEUED"}


def test_a_detour_does_not_keep_what_is_unchanged_from_ending_so(database: Database) -> None:
    world = World.of(database, PAIR)
    world.start("app", "lib")
    for package in ("lib", "app"):
        world.end(package, digest="a")

    run = world.start("lib", dependents=True)
    world.end("lib", FAILURE, run=run)
    assert world.states(run) == {"lib": "FAILURE", "app": "DEP_FAILED"}
    world.retry("lib", run=run)
    world.end("lib", digest="a", run=run)

    assert world.states(run) == {"lib": "SUCCESS", "app": "UNCHANGED"}
    assert world.run(run) == "SUCCESS"


def test_what_was_left_to_a_newer_build_goes_on_when_that_ends_badly(database: Database) -> None:
    world = World.of(database, PAIR)
    older = world.start("app", "lib")
    world.end("lib", FAILURE, run=older)
    newer = world.start("app")
    world.retry("lib", run=older)
    world.end("lib", run=older)
    assert world.states(older) == {"lib": "SUCCESS", "app": "DEP_FAILED"}

    world.end("app", FAILURE, run=newer)

    assert world.states(older) == {"lib": "SUCCESS", "app": "QUEUED"}
    assert world.run(older) == "RUNNING"


def test_what_replaces_a_build_is_as_urgent(database: Database) -> None:
    world = World.of(database, PAIR)
    world.start("app", "lib", priority=7)
    older = world.build("lib")
    world.start("lib")

    assert (world.build("lib").priority, world.build("lib").remaining_seconds) == (
        7,
        older.remaining_seconds,
    )


def test_what_wants_another_worker_is_not_the_same(database: Database) -> None:
    world = World.of(database, PAIR)
    older = world.start("app", "lib")
    world.start("lib", worker_labels={"arch": "arm64"})

    assert world.states(older) == {"lib": "QUEUED", "app": "BLOCKED"}


def test_what_a_run_was_planned_without_is_found_once_the_run_is_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, "app 1 needs gone")
    recovery = Recovery(world.atlas)

    def prepared(*asked: object) -> object:
        found = prepare(*asked)  # type: ignore[arg-type] # as it was asked
        world.publish("gone 1")
        recovery.run(now=world.tick())
        return found

    monkeypatch.setattr(runs, "prepare", prepared)
    run = world.start("app")
    assert world.states(run) == {"app": "UNRESOLVABLE"}

    assert recovery.run(now=world.tick()) == 1
    assert world.states(run) == {"app": "QUEUED"}


def test_what_a_newer_build_does_is_not_tried_again(database: Database) -> None:
    world = World.of(database, "lib 1")
    older = world.start("lib")
    world.start("lib")

    with pytest.raises(NotRetried, match="a newer build of it is under way, or has ended well"):
        world.retry("lib", run=older)


def test_what_was_mended_before_it_failed_holds_nothing_up(database: Database) -> None:
    world = World.of(database, PAIR)
    older = world.start("app", "lib")
    world.claim("w1")
    lease = world.lease("lib", older)
    newer = world.start("lib")
    world.end("lib", run=newer)

    world.tell("lib", BuildStatus.COMPLETED, FAILURE, run=older, lease=lease)

    assert world.states(older) == {"lib": "FAILURE", "app": "QUEUED"}
    assert is_content(world)


def test_a_step_of_recovery_that_fails_does_not_keep_the_others_from_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, "lib 1")
    run = world.start("lib")
    build = world.build("lib")
    database.write(lambda c: flow.move_all(c, [build.id], BuildStatus.BLOCKED, now=world.tick()))

    def fail(*_: object, **__: object) -> int:
        raise KeyError("odd")

    monkeypatch.setattr("resolvers.recovery.take_back", fail)

    with pytest.raises(KeyError, match="odd"):
        world.recover()
    assert world.states(run) == {"lib": "QUEUED"}


def test_a_preparation_says_what_would_be_superseded(database: Database) -> None:
    world = World.of(database, PAIR)
    start(world.atlas, StartRequest(PlanRequest(("app", "lib"))), now=world.tick())

    found = preparation.prepare(world.atlas, StartRequest(PlanRequest(("lib",))))

    assert isinstance(found, Preparation)
    assert found.supersedes == 1
