"""How builds stand with regard to each other."""

from datetime import timedelta

import pytest

from storage import packages, standings, waits
from storage.database import Connection, Database
from storage.standings import Standing
from storage.tables import Kind, PackageFields
from storage.transitions import RELEASING, BuildConclusion, BuildStatus, PackageStatus
from tests.storage.build_world import add_build, add_run, add_versions, finish, put_in
from tests.storage.world import NOW

BLOCKED = BuildStatus.BLOCKED
FAILURE = BuildConclusion.FAILURE


def hold(database: Database, package_id: int, name: str, status: PackageStatus) -> None:
    def operation(connection: Connection) -> None:
        packages.update(connection, package_id, PackageFields(name=name, status=status), now=NOW)

    database.write(operation)


def ended(database: Database, run: int, version: tuple[int, int], conclusion: BuildConclusion) -> int:
    """Write a build that has ended so."""
    build = add_build(database, run, version)
    put_in(database, build, "COMPLETED", conclusion=conclusion)
    return build


def held_up(database: Database, run: int | None = None) -> list[int]:
    with database.read() as connection:
        return standings.held_up(connection, run)


def stopped(database: Database, run: int | None = None) -> list[int]:
    with database.read() as connection:
        return standings.stopped(connection, run)


def test_a_build_comes_with_all_that_may_be_said_of_it(database: Database) -> None:
    version = add_versions(database, "lib")["lib"]
    run = add_run(database, kinds=Kind.RUNTIME | Kind.TEST, include_optional=True)
    build = add_build(database, run, version, worker_labels={"gpu": "1"}, remaining_seconds=7.0)
    put_in(database, build, "ASSIGNED", worker="w1", message="so far, so good")
    put_in(database, build, "RUNNING", worker="w1", started_at=NOW)
    hold(database, version[0], "lib", PackageStatus.QUARANTINED)

    with database.read() as connection:
        found = standings.of_builds(connection, [build, build + 1])

    assert found == {
        build: Standing(
            id=build,
            run_id=run,
            version_id=version[1],
            package="lib",
            version="1",
            package_status=PackageStatus.QUARANTINED,
            status=BuildStatus.RUNNING,
            conclusion=None,
            worker="w1",
            worker_labels={"gpu": "1"},
            not_before=None,
            started_at=NOW,
            remaining_seconds=7.0,
            message="so far, so good",
            kinds=Kind.RUNTIME | Kind.TEST,
            include_optional=True,
        )
    }


def test_when_a_build_is_tried_again_is_part_of_it(database: Database) -> None:
    later = NOW + timedelta(minutes=1)
    build = add_build(database, add_run(database), add_versions(database, "a")["a"], not_before=later)

    with database.read() as connection:
        assert standings.of_builds(connection, [build])[build].not_before == later


def test_in_the_way_is_what_has_not_ended_well(database: Database) -> None:
    run = add_run(database)
    versions = add_versions(database, "good", "bad", "open", "app", "tool")
    good, bad, unfinished = (add_build(database, run, versions[name]) for name in ("good", "bad", "open"))
    finish(database, good, BuildConclusion.SKIPPED)
    finish(database, bad, FAILURE)
    app = add_build(database, run, versions["app"], needs=(unfinished, good, bad), status=BLOCKED)
    tool = add_build(database, run, versions["tool"], needs=(good,), status=BLOCKED)

    with database.read() as connection:
        found = standings.in_the_way(connection, [tool, app, good])

    assert found == [(app, bad), (app, unfinished)]


def test_all_in_the_way_is_followed_through_what_waits_nearest_first_up_to_a_limit(
    database: Database,
) -> None:
    run = add_run(database)
    versions = add_versions(database, "a", "b", "c", "d", "e", "f")
    beyond = add_build(database, run, versions["a"])
    queued = add_build(database, run, versions["b"], needs=(beyond,))
    built = add_build(database, run, versions["c"])
    finish(database, built, BuildConclusion.SUCCESS)
    failed = add_build(database, run, versions["d"], needs=(queued, built), status=BLOCKED)
    put_in(database, failed, "COMPLETED", conclusion=BuildConclusion.DEP_FAILED)
    lib = add_build(database, run, versions["e"], needs=(failed,), status=BLOCKED)
    app = add_build(database, run, versions["f"], needs=(lib, queued), status=BLOCKED)

    with database.read() as connection:
        found = standings.all_in_the_way(connection, [app, app + 1], limit=9)
        nearest = standings.all_in_the_way(connection, [app], limit=3)

    assert (found[0], set(found[1:3]), found[3:]) == (app, {lib, queued}, [failed])
    assert set(nearest) == {app, lib, queued}


def test_builds_that_wait_for_each_other_are_in_the_way_once(database: Database) -> None:
    run = add_run(database)
    versions = add_versions(database, "a", "b")
    one = add_build(database, run, versions["a"], status=BLOCKED)
    other = add_build(database, run, versions["b"], needs=(one,), status=BLOCKED)
    database.write(lambda connection: waits.insert(connection, [(one, other)]))

    with database.read() as connection:
        assert standings.all_in_the_way(connection, [one], limit=9) == [one, other]


def test_held_up_is_what_waits_and_what_has_failed_by_others(database: Database) -> None:
    first, second = add_run(database), add_run(database)
    versions = add_versions(database, "a", "b", "c", "d")
    waiting = add_build(database, first, versions["a"], status=BLOCKED)
    add_build(database, first, versions["b"])
    ended(database, second, versions["b"], FAILURE)
    failed = ended(database, second, versions["c"], BuildConclusion.DEP_FAILED)
    ended(database, second, versions["d"], BuildConclusion.UNRESOLVABLE)

    assert held_up(database) == [waiting, failed]
    assert (held_up(database, first), held_up(database, second)) == ([waiting], [failed])


def test_stopped_is_what_waits_for_something_else_than_builds(database: Database) -> None:
    first, second = add_run(database), add_run(database)
    versions = add_versions(database, "a", "b", "c", "d")
    queued = add_build(database, first, versions["a"])
    held = add_build(database, first, versions["b"], status=BLOCKED)
    add_build(database, second, versions["c"], status=BLOCKED, waiting_for=1)
    unresolvable = ended(database, second, versions["d"], BuildConclusion.UNRESOLVABLE)
    ended(database, second, versions["a"], BuildConclusion.DEP_FAILED)

    assert stopped(database) == [queued, held, unresolvable]
    assert (stopped(database, first), stopped(database, second)) == ([queued, held], [unresolvable])
    with database.read() as connection:
        assert standings.unresolvable(connection) == [unresolvable]


@pytest.mark.parametrize("conclusion", [BuildConclusion.DEP_FAILED, BuildConclusion.UNRESOLVABLE])
def test_what_a_newer_build_is_at_or_has_built_is_left_out(
    database: Database, conclusion: BuildConclusion
) -> None:
    found = {}
    versions = add_versions(database, "alone", "tried", "queued", *(each.lower() for each in RELEASING))
    old, new = add_run(database), add_run(database)
    for name, version in versions.items():
        found[name] = ended(database, old, version, conclusion)
    ended(database, new, versions["tried"], FAILURE)
    queued = add_build(database, new, versions["queued"])
    for each in RELEASING:
        ended(database, new, versions[each.lower()], each)

    left = [found["alone"], found["tried"]]
    is_unresolvable = conclusion is BuildConclusion.UNRESOLVABLE
    assert held_up(database) == ([] if is_unresolvable else left)
    assert stopped(database) == ([*left, queued] if is_unresolvable else [queued])
    with database.read() as connection:
        assert standings.unresolvable(connection) == (left if is_unresolvable else [])


def test_idle_is_what_nothing_is_in_the_way_of(database: Database) -> None:
    run = add_run(database)
    versions = add_versions(database, "idle", "waits", "queued", "held", "archived")
    idle = add_build(database, run, versions["idle"], status=BLOCKED)
    add_build(database, run, versions["waits"], status=BLOCKED, waiting_for=1)
    add_build(database, run, versions["queued"])
    for name, status in (("held", PackageStatus.QUARANTINED), ("archived", PackageStatus.ARCHIVED)):
        add_build(database, run, versions[name], status=BLOCKED)
        hold(database, versions[name][0], name, status)

    with database.read() as connection:
        assert standings.idle(connection) == [idle]
