"""What to mend first."""

from sqlalchemy import Connection, text

from resolvers.blockers import Blocker, blockers
from storage.database import Database
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus
from tests.resolvers.build_world import World


def found(world: World, run: int | None = None, first: int = 20) -> list[Blocker]:
    return blockers(world.database, run, first=first, now=world.now)


def ranked(world: World, run: int | None = None) -> list[tuple[str, str, int]]:
    return [(each.kind.value, each.package, each.blocked_builds) for each in found(world, run)]


def seen(world: World) -> None:
    """Have a worker ask, so that one is known to be there."""
    world.claim("seen", limit=1, labels={"none": "1"})


def test_nothing_has_to_be_mended_while_all_goes_on(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    seen(world)

    assert found(world) == []


def test_causes_are_ranked_by_what_they_hold_up_times_the_chain_behind(database: Database) -> None:
    many = "\n".join(f"e{number} 1 needs y" for number in range(5))
    world = World.of(database, f"a 1 needs x\nb 1 needs a\nc 1 needs b\n{many}\nx 1\ny 1\nz 1")
    world.start()
    for package in ("x", "y", "z"):
        world.end(package, BuildConclusion.FAILURE)

    # Three that are built one after the other, before five that are built side by side; and nothing waits for z.
    assert ranked(world) == [("DEP_FAILED", "x", 3), ("DEP_FAILED", "y", 5)]
    first = found(world, first=1)
    assert [each.package for each in first] == ["x"]
    assert first[0].build == world.build("x")
    assert first[0].remaining_seconds == world.build("x").remaining_seconds == 4.0
    assert first[0].message == "x 1 ended as FAILURE"


def test_what_two_causes_hold_up_counts_for_both(database: Database) -> None:
    world = World.of(database, "app 1 needs x; y\nx 1\ny 1")
    world.start("app", "x", "y")
    world.claim("w")
    for package in ("x", "y"):
        world.tell(package, BuildStatus.COMPLETED, BuildConclusion.FAILURE)

    assert ranked(world) == [("DEP_FAILED", "x", 1), ("DEP_FAILED", "y", 1)]


def test_what_is_tried_again_holds_nothing_up_for_good(database: Database) -> None:
    world = World.of(database, "app 1 needs x\nx 1")
    world.start("app", "x")
    world.end("x", BuildConclusion.FAILURE)
    world.retry("x")
    seen(world)

    assert found(world) == []


def test_what_passes_by_itself_is_no_cause(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    world.claim()
    world.tell("lib", BuildStatus.COMPLETED, BuildConclusion.INFRA_ERROR)

    assert found(world) == []


def test_labels_that_nobody_offers_are_one_cause_for_all_that_want_them(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1\ntool 1\nother 1")
    world.start("tool", worker_labels={"gpu": "1"})
    world.start("app", "lib", worker_labels={"gpu": "1"})
    world.start("other", worker_labels={"arch": "arm64", "gpu": "1"})
    seen(world)

    blockers_ = found(world)

    assert [(each.kind.value, each.blocked_builds) for each in blockers_] == [
        ("NO_WORKER", 3),
        ("NO_WORKER", 1),
    ]
    # The most urgent of those that it keeps back.
    assert blockers_[0].build == world.build("lib")
    assert blockers_[0].remaining_seconds == world.build("lib").remaining_seconds == 2.0


def test_a_held_package_is_one_cause_for_all_of_its_builds(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    world.start("lib", worker_labels={"gpu": "1"})
    world.set_status("lib", PackageStatus.ARCHIVED)

    assert ranked(world) == [("POLICY", "lib", 3)]


def test_what_is_missing_is_one_cause_for_all_that_lack_it(database: Database) -> None:
    world = World.of(database, "a 1 needs gone\nb 1 needs gone\nc 1 needs a\nd 1 needs old >=2\nold 1")
    world.start("a", "b", "c", "d")

    assert ranked(world) == [("DEP_MISSING", "gone", 3), ("UNRESOLVABLE", "old", 1)]


def test_builds_that_wait_for_each_other_hold_up_no_answer(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1 needs core\ncore 1 needs base\nbase 1")
    world.start()
    ids = {name: world.build(name).id for name in ("lib", "core")}

    def tie(connection: Connection) -> None:
        connection.execute(
            text(
                f"INSERT INTO build_dependencies (build_id, dependency_id) VALUES ({ids['core']}, {ids['lib']})"
            )
        )

    database.write(tie)
    world.end("base", BuildConclusion.FAILURE)

    assert ranked(world) == [("DEP_FAILED", "base", 3)]


def test_the_causes_of_one_run_are_those_of_its_builds(database: Database) -> None:
    world = World.of(database, "a 1 needs x\nb 1 needs y\nx 1\ny 1")
    one = world.start("a", "x")
    other = world.start("b", "y")
    for package in ("x", "y"):
        world.end(package, BuildConclusion.FAILURE)

    assert ranked(world, one) == [("DEP_FAILED", "x", 1)]
    assert ranked(world, other) == [("DEP_FAILED", "y", 1)]
    assert len(found(world)) == 2


def test_what_a_newer_run_builds_is_not_held_up_by_an_older_one(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    world.start("app", "lib")
    world.end("lib", BuildConclusion.FAILURE)
    world.start("app", "lib")
    seen(world)

    assert found(world) == []
