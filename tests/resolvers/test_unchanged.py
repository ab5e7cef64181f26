"""What need not be built, since all that it depends on came out as it was."""

import pytest

from storage.database import Database
from storage.transitions import BuildConclusion
from tests.resolvers.build_world import World, assert_content, assert_sound

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


def all_succeed(world: World, *packages: str, digest: str | None = "same") -> int:
    """Build these one after the other, and return their run."""
    run = world.start(*packages)
    for package in packages:
        world.end(package, digest=digest)
    assert world.run(run) == "SUCCESS"
    return run


def test_what_depends_on_what_came_out_as_before_is_not_built(database: Database) -> None:
    world = World.of(database, CHAIN)
    all_succeed(world, "base", "lib", "app")

    run = world.start("base", dependents=True)
    world.end("base", digest="same")

    assert world.states(run) == {"base": "SUCCESS", "lib": "UNCHANGED", "app": "UNCHANGED"}
    assert world.run(run) == "SUCCESS"
    lib = world.build("lib")
    assert (lib.attempt, lib.output_digest) == (0, "same")
    assert lib.status_reason == "all that it depends on came out as it was"
    assert_sound(database)
    assert_content(database)


@pytest.mark.parametrize("digest", ["other", None])
def test_what_depends_on_what_came_out_differently_is_built(database: Database, digest: str | None) -> None:
    world = World.of(database, CHAIN)
    all_succeed(world, "base", "lib", "app")

    run = world.start("base", dependents=True)
    world.end("base", digest=digest)
    assert world.states(run) == {"base": "SUCCESS", "lib": "QUEUED", "app": "BLOCKED"}
    world.end("lib", digest="same")

    assert world.states(run)["app"] == "UNCHANGED"


def test_what_is_named_is_built_in_any_case(database: Database) -> None:
    world = World.of(database, CHAIN)
    all_succeed(world, "base", "lib")

    run = world.start("base", "lib")
    world.end("base", digest="same")

    assert world.states(run) == {"base": "SUCCESS", "lib": "QUEUED"}


def test_what_was_never_built_well_is_built(database: Database) -> None:
    world = World.of(database, CHAIN)
    all_succeed(world, "base")

    run = world.start("base", dependents=True)
    world.end("base", digest="same")

    assert world.states(run)["lib"] == "QUEUED"


def test_a_new_version_is_built_though_the_old_one_was(database: Database) -> None:
    world = World.of(database, CHAIN)
    all_succeed(world, "base", "lib")
    world.publish("lib 2 needs base")

    run = world.start("base", dependents=True)
    world.end("base", digest="same")

    assert world.states(run)["lib"] == "QUEUED"


def test_what_was_built_before_its_dependency_changed_is_built(database: Database) -> None:
    world = World.of(database, CHAIN)
    all_succeed(world, "base", "lib", digest="old")
    all_succeed(world, "base", digest="new")

    run = world.start("base", dependents=True)
    world.end("base", digest="new")

    assert world.states(run)["lib"] == "QUEUED"


def test_all_that_a_build_waits_for_has_to_be_as_it_was(database: Database) -> None:
    world = World.of(database, DIAMOND)
    all_succeed(world, "base", "left", "right", "top")

    run = world.start("left", "right", dependents=True)
    world.end("left", digest="same")
    assert world.states(run)["top"] == "BLOCKED"
    world.end("right", digest="other")

    assert world.states(run)["top"] == "QUEUED"


def test_what_a_cycle_was_cut_at_is_built(database: Database) -> None:
    """What it needs beyond what it has waited for may come out differently yet."""
    world = World.of(database, "base 1\negg 1 needs hen; base\nhen 1 needs egg; base")
    run = world.start("base", "egg", "hen")
    while claimed := world.claim(limit=1):
        world.end(claimed[0], digest="same")
    assert world.run(run) == "SUCCESS"

    for _ in range(2):
        change = world.ask("base", dependents=True)
        (edge,) = change.run.cut_edges
        world.end("base", digest="same")

        assert world.states(change.run.id)[edge.dependent] == "QUEUED"
        world.end(edge.dependent, digest="same")
        assert world.states(change.run.id)[edge.dependency] == "UNCHANGED"


def test_a_digest_of_a_try_that_failed_is_not_that_of_the_next(database: Database) -> None:
    world = World.of(database, CHAIN)
    all_succeed(world, "base", "lib")
    run = world.start("base", dependents=True)
    world.end("base", BuildConclusion.FAILURE, digest="same")
    world.retry("base")

    world.end("base")

    assert world.build("base").output_digest is None
    assert world.states(run)["lib"] == "QUEUED"
