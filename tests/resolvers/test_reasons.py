"""Why a build is not being built."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from resolvers import reasons
from resolvers.reasons import BlockReasonKind, Reason, blocked_by
from storage.build_rows import BuildRow
from storage.database import Database
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus
from tests.resolvers.build_world import World


def why(world: World, package: str) -> list[Reason]:
    build = world.build(package)
    with world.database.read() as connection:
        return blocked_by(connection, [build], now=world.now)[build.id]


def told(world: World, package: str) -> list[tuple[str, str, bool]]:
    """Return the reasons of a build without their sentences."""
    return [(each.kind.value, " → ".join(each.path), each.transient) for each in why(world, package)]


def present(world: World, **labels: str) -> None:
    """Have a worker ask, so that one is known to be there."""
    world.claim("present", limit=1, labels=labels)


def test_what_is_built_before_it_is_told_with_the_shortest_chain(database: Database) -> None:
    world = World.of(database, "app 1 needs lib; tool\nlib 1 needs core\ntool 1\ncore 1")
    world.start("app", "lib", "tool", "core")
    world.claim("w1", limit=1)

    assert told(world, "app") == [
        ("DEP_BUILDING", "app → tool", True),
        ("DEP_BUILDING", "app → lib → core", True),
    ]
    assert [each.message for each in why(world, "app")] == ["tool 1 is QUEUED", "core 1 is ASSIGNED"]
    assert why(world, "core") == []


def test_what_runs_is_told_with_its_worker_and_since_when(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    world.claim("w1")
    world.tell("lib", BuildStatus.RUNNING)

    (reason,) = why(world, "app")

    assert reason.message == "lib 1 is RUNNING on w1 since 2026-01-01 00:00:03 UTC"


def test_what_waits_for_nothing_has_no_reasons(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    present(world)

    assert why(world, "lib") == []
    world.end("lib")
    assert why(world, "lib") == []


def test_the_root_cause_of_a_failure_is_named_and_comes_before_what_passes(database: Database) -> None:
    world = World.of(database, "app 1 needs lib; slow\nlib 1 needs core\ncore 1\nslow 1")
    world.start("app", "lib", "core", "slow")
    world.claim("w1")
    world.tell("core", BuildStatus.COMPLETED, BuildConclusion.FAILURE, message="does not compile")

    assert told(world, "app") == [
        ("DEP_FAILED", "app → lib → core", False),
        ("DEP_BUILDING", "app → slow", True),
    ]
    assert why(world, "app")[0].message == "core 1 ended as FAILURE: does not compile"
    assert why(world, "app")[0].package == "core"


def test_a_cause_that_is_tried_again_passes(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    world.end("lib", BuildConclusion.FAILURE)
    world.retry("lib")

    assert told(world, "app") == [("DEP_BUILDING", "app → lib", True)]


def test_what_is_missing_is_told_from_what_does_not_suit(database: Database) -> None:
    world = World.of(database, "app 1 needs lib; gone\nlib 1 needs old >=2\nold 1")
    world.start("app", "lib")

    assert told(world, "lib") == [("UNRESOLVABLE", "lib → old", False)]
    assert told(world, "app") == [("DEP_MISSING", "app → gone", False)]
    assert why(world, "lib")[0].message == "lib 1: no registered version of old satisfies >=2"


def test_what_waits_for_something_unresolvable_is_told_what_that_lacks(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1 needs gone")
    world.start("app", "lib")

    assert told(world, "app") == [("DEP_MISSING", "app → lib → gone", False)]


def test_a_build_that_is_to_be_tried_later_is_told_when(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    present(world)
    world.tell("lib", BuildStatus.COMPLETED, BuildConclusion.INFRA_ERROR)

    assert told(world, "lib") == [("BACKOFF", "lib", True)]
    assert told(world, "app") == [("BACKOFF", "app → lib", True)]
    assert why(world, "lib")[0].message == "lib 1 is tried again at 2026-01-01 00:00:08 UTC"
    world.tick(60)
    assert why(world, "lib") == []


def test_labels_that_no_worker_offers_are_named(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib", worker_labels={"gpu": "1", "arch": "arm64"})
    present(world)
    present(world, gpu="1", arch="x86")

    assert told(world, "lib") == [("NO_WORKER", "lib", False)]
    assert why(world, "lib")[0].message == (
        "no worker that offers arch=arm64, gpu=1 was seen in the last 5 minutes"
    )


def test_a_worker_that_offers_more_is_enough_until_it_was_not_seen_for_five_minutes(
    database: Database,
) -> None:
    world = World.of(database, "lib 1\ntool 1")
    world.start("lib", "tool", worker_labels={"gpu": "1"})
    present(world, gpu="1", arch="arm64")

    world.tick(timedelta(minutes=5).total_seconds())
    assert told(world, "tool") == []
    world.tick(1)
    assert told(world, "tool") == [("NO_WORKER", "tool", False)]


def test_without_any_worker_that_is_the_reason(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")

    assert [each.message for each in why(world, "lib")] == ["no worker was seen in the last 5 minutes"]


def test_a_package_that_is_held_is_the_reason_for_itself_and_for_others(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    world.set_status("lib", PackageStatus.QUARANTINED)

    assert told(world, "lib") == [("POLICY", "lib", False)]
    assert told(world, "app") == [("POLICY", "app → lib", False)]
    assert why(world, "app")[0].message == "package lib is QUARANTINED"


def test_builds_that_wait_for_each_other_are_told_so(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1 needs core\ncore 1")
    world.start("app", "lib", "core")
    ids = {name: world.build(name).id for name in ("lib", "core")}

    def tie(connection: Connection) -> None:
        for change in (
            f"INSERT INTO build_dependencies (build_id, dependency_id) VALUES ({ids['core']}, {ids['lib']})",
            f"UPDATE build_status SET status = 'BLOCKED', waiting_for = 1 WHERE id = {ids['core']}",
        ):
            connection.execute(text(change))

    database.write(tie)

    assert told(world, "app") == [("CYCLE", "app → lib → core → lib", False)]


def test_what_failed_by_others_that_are_gone_lacks_these(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    world.end("lib", BuildConclusion.FAILURE)
    world.delete("lib")

    assert told(world, "app") == [("DEP_MISSING", "app → lib", False)]


def test_no_more_than_the_nearest_reasons_are_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, "app 1 needs a; b; c\na 1\nb 1\nc 1")
    world.start("app", "a", "b", "c")
    monkeypatch.setattr(reasons, "MOST_REASONS", 2)
    present(world, wrong="1")

    assert len(why(world, "app")) == 2


def test_looking_far_ends_at_a_bound(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1 needs core\ncore 1")
    world.start("app", "lib", "core")
    monkeypatch.setattr(reasons, "_BUDGET", 2)

    assert [each.message for each in why(world, "app")] == [
        "it waits for more than 2 builds, one after the other"
    ]


def test_a_build_that_is_gone_by_then_has_no_reasons(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    world.end("lib", BuildConclusion.FAILURE)
    app = world.build("app")
    world.delete("app")

    with database.read() as connection:
        assert blocked_by(connection, [app], now=world.now) == {app.id: []}


def test_what_has_failed_by_what_is_mended_has_no_reason_but_its_own(database: Database) -> None:
    """Its run is canceled, so that nothing lets it go on."""
    world = World.of(database, "app 1 needs lib\nlib 1\nslow 1")
    run = world.start("app", "lib", "slow")
    world.end("lib", BuildConclusion.FAILURE)
    world.tell("slow", BuildStatus.RUNNING)
    world.cancel_run(run)
    world.start("lib")
    world.end("lib")

    assert told(world, "app") == []


def test_many_builds_are_answered_by_as_many_statements_as_one(database_url: str) -> None:
    statements: list[str] = []
    with closing(Database.open(database_url, trace=statements.append)) as database:
        text = "\n".join(f"app{number} 1 needs lib" for number in range(30))
        world = World.of(database, f"{text}\nlib 1 needs core\ncore 1 needs gone")
        world.start()
        names = world.names()
        apps = [row for row in world.rows() if names[row.id].startswith("app")]

        def count(builds: Sequence[BuildRow]) -> int:
            statements.clear()
            with database.read() as connection:
                found = blocked_by(connection, builds, now=world.now)
            assert all(reasons[0].path[-1] == "gone" for reasons in found.values())
            return len(statements)

        assert len(apps) == 30
        assert count(apps) == count(apps[:1])


def test_a_long_chain_is_answered_by_as_many_statements_as_a_short_one(database_url: str) -> None:
    statements: list[str] = []
    with closing(Database.open(database_url, trace=statements.append)) as database:
        text = "\n".join(f"p{number} 1 needs p{number - 1}" for number in range(1, 30))
        world = World.of(database, f"p0 1 needs gone\n{text}")
        world.start()

        def count(package: str) -> int:
            statements.clear()
            (reason,) = why(world, package)
            assert reason.path[-2:] == ("p0", "gone")
            return len([each for each in statements if each.startswith(("SELECT", "WITH"))])

        assert count("p29") == count("p2")


def test_no_builds_need_no_statement(database_url: str) -> None:
    statements: list[str] = []
    with closing(Database.open(database_url, trace=statements.append)) as database:
        world = World.of(database, "lib 1")
        world.start("lib")
        world.end("lib")
        rows = world.rows()
        with database.read() as connection:
            statements.clear()
            assert blocked_by(connection, rows, now=world.now) == {rows[0].id: []}

    assert [each for each in statements if each.startswith("SELECT")] == []


def test_every_kind_of_the_contract_is_there() -> None:
    assert [kind.value for kind in BlockReasonKind] == [
        "DEP_BUILDING",
        "DEP_FAILED",
        "DEP_MISSING",
        "UNRESOLVABLE",
        "CYCLE",
        "BACKOFF",
        "NO_WORKER",
        "POLICY",
    ]
