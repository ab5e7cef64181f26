"""Builds: found, listed and counted by what a filter says, of runs and of packages, and moved."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import builds, history
from storage.build_rows import BuildRow
from storage.build_tables import ReportFields
from storage.builds import ALL, BuildFilter, Owner
from storage.database import Connection, Database
from storage.tables import SubjectType
from storage.transitions import LEASED, BuildConclusion, BuildStatus
from tests.storage.build_world import add_build, add_run, add_versions, finish, planned, put_in, undone
from tests.storage.subjects import SUBJECTS
from tests.storage.world import LATER, NOW

_SUBJECT = next(subject for subject in SUBJECTS if subject.type is SubjectType.BUILD)
_PAIRS = [
    (origin, target) for origin in BuildStatus for target in BuildStatus if target is not BuildStatus.ASSIGNED
]


def test_a_build_comes_back_as_it_was_planned(database: Database) -> None:
    version = add_versions(database, "app")["app"]
    run = add_run(database)

    id_ = add_build(database, run, version, worker_labels={"arch": "arm64"}, priority=7)

    expected = planned(id_, run, version, worker_labels={"arch": "arm64"}, priority=7)
    with database.read() as connection:
        assert builds.by_ids(connection, [id_, id_ + 1]) == {id_: expected}


def test_builds_that_begin_are_put_down_to_who_asked_for_them(database: Database) -> None:
    version = add_versions(database, "app")["app"]
    run = add_run(database)

    database.write(lambda connection: builds.insert(connection, [planned(5, run, version)], actor="ann"))

    with database.read() as connection:
        assert [row.actor for row in history.page(connection, SubjectType.BUILD, 5, limit=2)] == ["ann"]


def test_the_latest_build_of_a_version_is_the_one_planned_last(database: Database) -> None:
    versions = add_versions(database, "app", "lib", "new")
    for _ in range(2):
        run = add_run(database)
        last = {name: add_build(database, run, versions[name]) for name in ("app", "lib")}

    with database.read() as connection:
        latest = builds.latest_of(connection, [id_ for _, id_ in versions.values()])

    assert {id_: row.id for id_, row in latest.items()} == {
        versions[name][1]: build for name, build in last.items()
    }


@pytest.fixture(scope="module")
def world(kept_database: Database) -> tuple[Database, dict[str, int]]:
    """Two runs of `app` and `lib`: one has failed for good, the other is under way. They are all builds there are."""
    database = kept_database
    versions = add_versions(database, "app", "lib")
    old, new = add_run(database), add_run(database)
    ids = {
        "old": old,
        "new": new,
        "app": versions["app"][0],
        "lib": versions["lib"][0],
        "old lib": add_build(database, old, versions["lib"]),
        "old app": add_build(database, old, versions["app"], status=BuildStatus.BLOCKED),
        "new lib": add_build(database, new, versions["lib"]),
        "new app": add_build(database, new, versions["app"]),
    }
    finish(database, ids["old lib"], BuildConclusion.FAILURE)
    put_in(database, ids["old app"], "COMPLETED")
    put_in(database, ids["new lib"], "ASSIGNED", worker="w 1")
    return database, ids


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        (ALL, "new app, new lib, old app, old lib"),
        (BuildFilter(package="app"), "new app, old app"),
        (BuildFilter(package="App"), ""),
        (BuildFilter(package="a\0"), ""),
        (BuildFilter(worker="w 1"), "new lib"),
        (BuildFilter(worker="w"), ""),
        (BuildFilter(worker="\ud800"), ""),
        (BuildFilter(run_id=10**30), ""),
        (BuildFilter(statuses=(BuildStatus.QUEUED, BuildStatus.ASSIGNED)), "new app, new lib"),
        (BuildFilter(statuses=()), ""),
        (BuildFilter(conclusions=(BuildConclusion.FAILURE,)), "old lib"),
        (BuildFilter(conclusions=tuple(BuildConclusion), package="app"), "old app"),
        (BuildFilter(conclusions=tuple(BuildConclusion), statuses=(BuildStatus.QUEUED,)), ""),
    ],
)
def test_a_filter_lets_through_what_it_says(
    world: tuple[Database, dict[str, int]], filter: BuildFilter, names: str
) -> None:
    database, ids = world

    with database.read() as connection:
        rows = builds.page(connection, filter, limit=9)
        count = builds.count(connection, filter)

    assert [row.id for row in rows] == [ids[name] for name in names.split(", ") if name]
    assert count == len(rows)


def test_the_builds_of_a_run_are_those_of_no_other(world: tuple[Database, dict[str, int]]) -> None:
    database, ids = world

    with database.read() as connection:
        rows = builds.page(connection, BuildFilter(run_id=ids["old"]), limit=9)

    assert [row.id for row in rows] == [ids["old app"], ids["old lib"]]


def test_a_page_lies_between_two_places(world: tuple[Database, dict[str, int]]) -> None:
    database, ids = world

    with database.read() as connection:
        between = builds.page(connection, ALL, after=ids["new app"], before=ids["old lib"], limit=9)
        first = builds.page(connection, ALL, after=ids["new app"], limit=1)
        last = builds.page(connection, ALL, before=ids["old lib"], limit=2, backwards=True)

    assert [row.id for row in between] == [ids["new lib"], ids["old app"]]
    assert [row.id for row in first] == [ids["new lib"]]
    assert [row.id for row in last] == [ids["new lib"], ids["old app"]]


def test_the_builds_of_many_are_read_at_once(world: tuple[Database, dict[str, int]]) -> None:
    database, ids = world
    packages, completed = (ids["app"], ids["lib"], 999), (BuildStatus.COMPLETED,)

    with database.read() as connection:
        newest = builds.pages_of(connection, Owner.PACKAGE, packages, limit=1)
        older = builds.pages_of(connection, Owner.PACKAGE, packages, limit=1, after=ids["new lib"])
        over = builds.pages_of(connection, Owner.RUN, [ids["old"], ids["new"]], statuses=completed, limit=9)
        failed = builds.pages_of(
            connection, Owner.RUN, [ids["old"]], conclusions=(BuildConclusion.FAILURE,), limit=9
        )
        counts = builds.counts_of(connection, Owner.PACKAGE, packages)
        ended = builds.counts_of(connection, Owner.RUN, [ids["old"], ids["new"]], statuses=completed)

    assert _ids(newest) == {ids["app"]: [ids["new app"]], ids["lib"]: [ids["new lib"]], 999: []}
    assert _ids(older) == {ids["app"]: [ids["old app"]], ids["lib"]: [ids["old lib"]], 999: []}
    assert _ids(over) == {ids["old"]: [ids["old app"], ids["old lib"]], ids["new"]: []}
    assert _ids(failed) == {ids["old"]: [ids["old lib"]]}
    assert counts == {ids["app"]: 2, ids["lib"]: 2, 999: 0}
    assert ended == {ids["old"]: 2, ids["new"]: 0}


def _ids(pages: dict[int, list[BuildRow]]) -> dict[int, list[int]]:
    return {owner: [row.id for row in rows] for owner, rows in pages.items()}


@settings(deadline=None)  # a busy machine takes its time
@given(st.integers(1, 5), st.booleans())
def test_pages_put_together_are_all_builds(
    world: tuple[Database, dict[str, int]], size: int, backwards: bool
) -> None:
    database, _ = world
    gathered: list[BuildRow] = []
    with database.read() as connection:
        everything = builds.page(connection, ALL, limit=99)
        while page := _next_page(connection, gathered, size, backwards=backwards):
            gathered = page + gathered if backwards else gathered + page

    assert len(everything) == 4
    assert gathered == everything


def _next_page(connection: Connection, have: list[BuildRow], size: int, *, backwards: bool) -> list[BuildRow]:
    place = (have[0] if backwards else have[-1]).id if have else None
    return builds.page(
        connection,
        ALL,
        limit=size,
        after=None if backwards else place,
        before=place if backwards else None,
        backwards=backwards,
    )


@pytest.mark.parametrize(("origin", "target"), _PAIRS)
def test_a_build_moves_as_its_life_cycle_allows(
    kept_database: Database, origin: BuildStatus, target: BuildStatus
) -> None:
    conclusion = BuildConclusion.CANCELED if target is BuildStatus.COMPLETED else None

    def operation(connection: Connection) -> tuple[BuildRow, bool, BuildRow]:
        id_ = _SUBJECT.add_in(connection, origin)
        before = builds.by_ids(connection, [id_])[id_]
        moved = builds.move(
            connection, id_, target, conclusion=conclusion, reason="so", actor="ann", now=LATER
        )
        return before, moved, builds.by_ids(connection, [id_])[id_]

    before, moved, after = undone(kept_database, operation)

    assert moved is ((origin, target) in _SUBJECT.moves)
    if moved:
        assert (after.status, after.conclusion, after.status_reason) == (target, conclusion, "so")
        assert (after.row_version, after.updated_at) == (before.row_version + 1, LATER)
        assert after.completed_at == (LATER if target is BuildStatus.COMPLETED else None)
        assert after.lease_expires_at == (before.lease_expires_at if target in LEASED else None)
    else:
        assert after == before


def _moved(database: Database, id_: int, target: BuildStatus, **options: object) -> bool:
    def operation(connection: Connection) -> bool:
        return builds.move(connection, id_, target, **{"now": LATER, **options})  # type: ignore[arg-type]

    return database.write(operation).value


def _read(database: Database, id_: int) -> BuildRow:
    with database.read() as connection:
        return builds.by_ids(connection, [id_])[id_]


@pytest.fixture
def build(database: Database) -> int:
    """A build that a worker runs under the lease 4."""
    id_ = add_build(database, add_run(database), add_versions(database, "app")["app"])
    put_in(database, id_, "ASSIGNED", lease_token=4)
    return id_


def test_a_build_starts_when_it_first_runs_and_anew_when_it_has_to_wait_again(
    database: Database, build: int
) -> None:
    much_later = LATER + timedelta(hours=1)

    assert _moved(database, build, BuildStatus.RUNNING)
    assert _read(database, build).started_at == LATER
    assert _moved(database, build, BuildStatus.QUEUED, now=much_later)
    again = _read(database, build)
    assert (again.started_at, again.queued_at) == (None, much_later)


def test_the_moment_of_a_start_stays(database: Database, build: int) -> None:
    put_in(database, build, "PREPARING", started_at=NOW)

    assert _moved(database, build, BuildStatus.RUNNING)

    assert _read(database, build).started_at == NOW


def test_an_old_lease_moves_nothing(database: Database, build: int) -> None:
    assert not _moved(database, build, BuildStatus.RUNNING, lease_token=3)
    assert _moved(database, build, BuildStatus.RUNNING, lease_token=4)


def test_a_report_changes_what_it_says_and_no_more(database: Database, build: int) -> None:
    assert _moved(database, build, BuildStatus.RUNNING, report=ReportFields(message="compiling"))
    assert _moved(database, build, BuildStatus.FINALIZING, report=ReportFields(output_digest="sha256:1"))

    row = _read(database, build)
    assert (row.message, row.output_digest) == ("compiling", "sha256:1")


def test_what_has_failed_goes_on_with_more_attempts_only(database: Database, build: int) -> None:
    assert _moved(database, build, BuildStatus.COMPLETED, conclusion=BuildConclusion.FAILURE)

    assert not _moved(database, build, BuildStatus.QUEUED)
    assert _moved(database, build, BuildStatus.QUEUED, more_attempts=3)
    row = _read(database, build)
    assert (row.status, row.conclusion, row.max_attempts) == ("QUEUED", None, 6)


def test_how_a_build_ended_is_not_told_twice(database: Database, build: int) -> None:
    assert _moved(database, build, BuildStatus.COMPLETED, conclusion=BuildConclusion.SUCCESS)

    assert not _moved(database, build, BuildStatus.COMPLETED, conclusion=BuildConclusion.CANCELED)

    assert _read(database, build).conclusion is BuildConclusion.SUCCESS
