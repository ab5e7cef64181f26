"""What workers have let fall is taken back, and what is over or mended is noticed."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest

from resolvers import recovery
from resolvers.claims import heartbeat
from resolvers.recovery import Recovery, complete_runs, recover
from resolvers.versions import StatusRequest, set_status
from storage import attempts, leases, runs, standings
from storage.build_rows import RunRow
from storage.database import Connection, Database
from storage.leases import Lease
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus, RunStatus, VersionStatus
from tests.resolvers.build_world import World, assert_content, assert_sound

CHAIN = """
    base 1
    lib 1 needs base
    app 1 needs lib
"""
LEASE = timedelta(seconds=10)


def test_what_its_worker_has_let_fall_is_queued_again_at_once(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    world.claim("w", lease=LEASE)
    world.tell("lib", BuildStatus.RUNNING)

    assert world.recover(after=8) == 0
    assert world.recover() == 1

    build = world.build("lib")
    assert (build.status, build.attempt, build.not_before, build.lease_expires_at) == (
        "QUEUED",
        1,
        None,
        None,
    )
    assert (build.started_at, build.status_reason) == (None, "the lease of worker w ran out")
    with database.read() as connection:
        (attempt,) = attempts.of_builds(connection, [build.id])[build.id]
    assert (attempt.conclusion, attempt.message) == ("INFRA_ERROR", "the lease of worker w ran out")
    assert world.claim("v") == ["lib"]
    assert world.build("lib").attempt == 2
    assert_sound(database)


def test_what_was_let_fall_at_its_last_attempt_ends(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib", max_attempts=1)
    world.claim(lease=LEASE)

    assert world.recover(after=10) == 1

    assert world.states(run) == {"base": "INFRA_ERROR", "lib": "DEP_FAILED"}
    assert world.build("base").status_reason == "the lease of worker worker ran out"
    assert world.run(run) == "FAILURE"
    assert_sound(database)
    assert_content(database)


def test_what_is_canceled_ends_with_its_lease(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib")
    world.claim("w", lease=LEASE)
    world.cancel_run(run)

    assert world.recover(after=10) == 1

    assert world.states(run) == {"base": "CANCELED", "lib": "CANCELED"}
    assert world.build("base").status_reason == "worker w did not answer to the cancellation within its lease"
    assert world.run(run) == "CANCELED"


def test_what_takes_too_long_has_timed_out_whoever_holds_it(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib", timeout_seconds=30, max_attempts=3)
    world.claim()
    world.tick(100)
    assert world.recover() == 0
    world.tell("base", BuildStatus.RUNNING)

    assert world.recover(after=30) == 0
    assert world.recover() == 1

    assert world.states(run) == {"base": "TIMED_OUT", "lib": "DEP_FAILED"}
    assert world.build("base").status_reason == "it took longer than 30 s"


def test_what_is_canceled_does_not_time_out(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib", timeout_seconds=30)
    world.claim()
    world.tell("lib", BuildStatus.RUNNING)
    world.cancel("lib")

    assert world.recover(after=60) == 0
    assert world.build("lib").status is BuildStatus.CANCELING


def test_what_is_taken_back_of_a_package_out_of_use_waits_for_that(database: Database) -> None:
    world = World.of(database, "lib 1")
    run = world.start("lib")
    world.claim(lease=LEASE)
    world.set_status("lib", PackageStatus.QUARANTINED)

    assert world.recover(after=10) == 1
    assert world.states(run) == {"lib": "BLOCKED"}
    world.set_status("lib", PackageStatus.ACTIVE)

    assert world.claim() == ["lib"]


def test_more_than_one_transaction_holds_is_taken_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "_CHUNK", 2)
    world = World.of(database, "\n".join(f"p{number} 1" for number in range(5)))
    run = world.start()
    world.claim(lease=LEASE)

    assert world.recover(after=10) == 5
    assert set(world.states(run).values()) == {"QUEUED"}


def test_what_its_worker_was_heard_of_just_now_is_not_taken_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, "a 1\nb 1")
    run = world.start("a", "b")
    world.claim(lease=LEASE)
    now = world.tick(10)

    def found(connection: Connection) -> list[Lease]:
        """Return all leases as they were before one was extended."""
        monkeypatch.undo()
        return [msgspec.structs.replace(lease, expires_at=now) for lease in leases.held(connection)]

    heartbeat(database, world.build("a").id, world.lease("a"), lease_seconds=60, now=now)
    monkeypatch.setattr(leases, "held", found)

    assert recover(world.atlas, now=now) == 1
    assert world.states(run) == {"a": "ASSIGNED", "b": "QUEUED"}


def test_whoever_finds_nothing_writes_nothing(database: Database) -> None:
    world = World.of(database, CHAIN)
    world.start("base", "lib")
    world.claim()
    before, cursor = world.rows(), database.cursor()

    assert world.recover() == 0

    assert (world.rows(), database.cursor()) == (before, cursor)


def test_a_run_that_nobody_has_completed_is(database: Database) -> None:
    world = World.of(database, "lib 1")
    run = world.start("lib")
    world.end("lib")

    def forget(connection: Connection) -> None:
        runs.move(connection, run, RunStatus.RUNNING, now=world.tick())

    database.write(forget)
    cursor = database.cursor()

    assert complete_runs(database, now=world.tick()) == 0
    assert world.run(run) == "SUCCESS"
    assert database.cursor() == cursor + 1
    assert complete_runs(database, now=world.tick()) == 0
    assert database.cursor() == cursor + 1


def test_what_lacked_something_goes_on_once_that_is_there(database: Database) -> None:
    world = World.of(database, "lib 1 needs missing\napp 1 needs lib\nother 1 needs missing >=2")
    run = world.start("lib", "app", "other")
    assert world.run(run) == "FAILURE"
    world.publish("missing 1")

    assert world.recover() == 2

    assert world.states(run) == {"lib": "QUEUED", "app": "BLOCKED", "other": "UNRESOLVABLE"}
    assert world.run(run) == "RUNNING"
    assert_sound(database)


def test_what_lacks_nothing_but_waits_for_a_failure_fails_by_that(database: Database) -> None:
    world = World.of(database, "base 1\nlib 1 needs base; missing\napp 1 needs lib")
    run = world.start("base", "lib", "app")
    world.end("base", BuildConclusion.FAILURE)
    world.publish("missing 1")

    assert world.recover() == 0
    assert world.states(run) == {"base": "FAILURE", "lib": "DEP_FAILED", "app": "DEP_FAILED"}
    assert world.causes(run) == {"lib": "base", "app": "base"}
    assert world.run(run) == "FAILURE"
    world.retry("base")
    world.end("base")

    assert world.states(run) == {"base": "SUCCESS", "lib": "QUEUED", "app": "BLOCKED"}
    assert_sound(database)
    assert_content(database)


def test_what_lacked_the_same_all_along_a_chain_goes_on_together(database: Database) -> None:
    world = World.of(database, "base 1 needs missing\nlib 1 needs base; missing\napp 1 needs lib")
    run = world.start("base", "lib", "app")
    world.publish("missing 1")

    world.recover()

    assert world.states(run) == {"base": "QUEUED", "lib": "BLOCKED", "app": "BLOCKED"}
    assert world.run(run) == "RUNNING"
    assert_sound(database)


def test_what_a_newer_run_builds_is_left_as_it_is(database: Database) -> None:
    world = World.of(database, "lib 1 needs missing")
    old = world.start("lib")
    world.publish("missing 1")
    world.start("lib")

    assert world.recover() == 0
    assert world.states(old) == {"lib": "UNRESOLVABLE"}


def test_the_catalogue_is_looked_through_only_when_it_has_changed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, "lib 1 needs missing")
    run = world.start("lib")
    looked: list[Connection] = []

    def look(connection: Connection) -> list[int]:
        looked.append(connection)
        return unresolvable(connection)

    unresolvable = standings.unresolvable
    monkeypatch.setattr(standings, "unresolvable", look)
    ours = Recovery(world.atlas)
    assert ours.run(now=world.tick()) == ours.run(now=world.tick()) == 0
    assert len(looked) == 1
    world.publish("missing 1")

    assert ours.run(now=world.tick()) == 1
    assert world.states(run) == {"lib": "QUEUED"}
    ours.run(now=world.tick())
    ours.run(now=world.tick())
    assert len(looked) == 3


def test_what_could_not_be_let_go_is_let_go_the_next_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, "lib 1 needs missing")
    run = world.start("lib")
    world.publish("missing 1")
    ours = Recovery(world.atlas)

    def fail(*_arguments: object) -> int:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "_reopen", fail)
        with pytest.raises(ConnectionError):
            ours.run(now=world.tick())

    assert ours.run(now=world.tick()) == 1
    assert world.states(run) == {"lib": "QUEUED"}


def test_a_version_that_is_published_again_is_there_again(database: Database) -> None:
    world = World.of(database, CHAIN)
    set_status(database, StatusRequest("base", "1", VersionStatus.QUARANTINED), now=world.tick())
    run = world.start("lib")
    set_status(database, StatusRequest("base", "1", VersionStatus.PUBLISHED), now=world.tick())

    world.recover()

    assert world.states(run) == {"lib": "QUEUED"}


def test_what_was_retried_since_its_run_was_canceled_is_not_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, "lib 1\ntool 1")
    run = world.start("lib", "tool")
    world.cancel_run(run)
    world.retry("lib")
    world.claim()
    world.retry("tool")

    def as_it_was(connection: Connection, ids: Iterable[int]) -> dict[int, RunRow]:
        """Return runs as they were while this one was being canceled."""
        monkeypatch.undo()
        found = runs.by_ids(connection, ids)
        return {id_: msgspec.structs.replace(row, status=RunStatus.CANCELING) for id_, row in found.items()}

    monkeypatch.setattr(runs, "by_ids", as_it_was)

    assert world.recover() == 0
    assert world.states(run) == {"lib": "ASSIGNED", "tool": "QUEUED"}
