"""How long a package can be expected to build is the mean of how long its newest successful builds took."""

from datetime import timedelta

import pytest

from storage import durations
from storage.database import Database
from storage.transitions import BuildConclusion
from tests.storage.build_world import add_build, add_run, add_versions, put_in
from tests.storage.world import NOW, add_version

# Not a whole second, so that no database gets away with those.
STARTED = NOW + timedelta(milliseconds=250)


def add_taking(
    database: Database,
    version: tuple[int, int],
    seconds: float,
    conclusion: BuildConclusion = BuildConclusion.SUCCESS,
) -> None:
    """Write a build that has ended after some seconds."""
    id_ = add_build(database, add_run(database), version)
    put_in(database, id_, "ASSIGNED", "RUNNING", started_at=STARTED)
    completed_at = STARTED + timedelta(seconds=seconds)
    put_in(database, id_, "COMPLETED", conclusion=conclusion, completed_at=completed_at)


def expected(database: Database, *package_ids: int) -> dict[int, float]:
    with database.read() as connection:
        return durations.expected(connection, package_ids)


def test_the_mean_of_successful_builds_is_given_for_many_packages_at_once(database: Database) -> None:
    app, lib, new = add_versions(database, "app", "lib", "new").values()
    add_taking(database, app, 1.5)
    add_taking(database, app, 2.502)
    add_taking(database, lib, 86_400.5)

    assert expected(database, app[0], lib[0], new[0], 987_654) == {app[0]: 2.001, lib[0]: 86_400.5}
    assert expected(database, lib[0]) == {lib[0]: 86_400.5}
    assert expected(database) == {}


def test_only_the_newest_five_count(database: Database) -> None:
    (app,) = add_versions(database, "app").values()
    for seconds in (500.0, 300.0, 1.0, 2.0, 3.0, 4.0, 6.0):
        add_taking(database, app, seconds)

    assert expected(database, app[0]) == {app[0]: 3.2}


def test_a_build_counts_for_its_package_whatever_its_version(database: Database) -> None:
    (app,) = add_versions(database, "app").values()
    add_taking(database, app, 10.0)
    add_taking(database, (app[0], add_version(database, app[0], "2")), 20.0)

    assert expected(database, app[0]) == {app[0]: 15.0}


@pytest.mark.parametrize("conclusion", sorted(set(BuildConclusion) - {BuildConclusion.SUCCESS}))
def test_a_build_that_did_not_succeed_tells_nothing(database: Database, conclusion: BuildConclusion) -> None:
    (app,) = add_versions(database, "app").values()
    add_taking(database, app, 7.0)
    add_taking(database, app, 0.1, conclusion)

    assert expected(database, app[0]) == {app[0]: 7.0}


def test_builds_without_a_beginning_and_those_under_way_tell_nothing(database: Database) -> None:
    app, lib = add_versions(database, "app", "lib").values()
    unstarted = add_build(database, add_run(database), app)
    put_in(database, unstarted, "COMPLETED", conclusion=BuildConclusion.SUCCESS, completed_at=NOW)
    running = add_build(database, add_run(database), lib)
    put_in(database, running, "ASSIGNED", "RUNNING", started_at=NOW)

    assert expected(database, app[0], lib[0]) == {}


def test_a_build_that_ended_before_it_began_took_no_time(database: Database) -> None:
    (app,) = add_versions(database, "app").values()
    add_taking(database, app, -3_600.0)

    assert expected(database, app[0]) == {app[0]: 0.0}
