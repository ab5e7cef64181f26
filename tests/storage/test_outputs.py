"""What builds produced, compared with what was produced before."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from storage import builds, outputs
from storage.database import Connection, Database
from storage.transitions import RELEASING, BuildConclusion
from tests.storage.build_world import add_build, add_run, put_in
from tests.storage.world import NOW, add_package, add_version, needs

SUCCESS = BuildConclusion.SUCCESS


def hour(number: int) -> datetime:
    return NOW + timedelta(hours=number)


class Stage:
    """Versions of `app`, which needs `lib` and `tool`, and their builds, each of which takes from one hour to the next."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.versions: dict[str, tuple[int, int]] = {}
        for name, required in (("lib", ()), ("tool", ()), ("app", ("lib", "tool"))):
            package = add_package(database, name)
            version = add_version(database, package, "1", *(needs(each) for each in required))
            self.versions[name] = package, version

    def planned(self, run: int, name: str, *others: int) -> int:
        """Write a build that waits for others, and return its id."""
        return add_build(self.database, run, self.versions[name], needs=others)

    def built(
        self,
        run: int,
        name: str,
        *others: int,
        at: int,
        digest: str | None = None,
        conclusion: BuildConclusion = SUCCESS,
        **columns: object,
    ) -> int:
        """Write a build that has ended at an hour, and return its id."""
        build = self.planned(run, name, *others)
        put_in(self.database, build, "ASSIGNED")
        put_in(self.database, build, "RUNNING", **{"started_at": hour(at - 1), **columns})
        put_in(
            self.database,
            build,
            "COMPLETED",
            conclusion=conclusion,
            completed_at=hour(at),
            output_digest=digest,
        )
        return build

    def unchanged(self, *ids: int) -> dict[int, str | None]:
        with self.database.read() as connection:
            return outputs.unchanged(connection, ids)

    def run(self) -> int:
        return add_run(self.database)


@pytest.fixture
def stage(database: Database) -> Stage:
    """In its first run `lib` was built by the first hour, and `app` by the third."""
    stage = Stage(database)
    run = stage.run()
    lib = stage.built(run, "lib", at=1, digest="lib-1")
    stage.built(run, "app", lib, at=3, digest="app-1")
    return stage


def test_what_depends_on_the_same_as_before_comes_out_as_it_did(stage: Stage) -> None:
    run = stage.run()
    lib = stage.built(run, "lib", at=5, digest="lib-1")
    app = stage.planned(run, "app", lib)

    assert stage.unchanged(app) == {app: "app-1"}


@pytest.mark.parametrize("digest", ["lib-2", None])
def test_another_output_or_an_unknown_one_is_a_change(stage: Stage, digest: str | None) -> None:
    run = stage.run()
    lib = stage.built(run, "lib", at=5, digest=digest)
    app = stage.planned(run, "app", lib)

    assert stage.unchanged(app) == {}


def test_two_unknown_outputs_are_not_the_same(database: Database) -> None:
    stage = Stage(database)
    for _ in range(2):
        run = stage.run()
        lib = stage.built(run, "lib", at=1)
        app = stage.built(run, "app", lib, at=3)

    assert stage.unchanged(app) == {}


def test_what_is_itself_unchanged_is_so_whatever_is_known_of_its_output(stage: Stage) -> None:
    run = stage.run()
    lib = stage.built(run, "lib", at=5, conclusion=BuildConclusion.UNCHANGED)
    app = stage.planned(run, "app", lib)

    assert stage.unchanged(app) == {app: "app-1"}


def test_one_change_among_several_dependencies_is_enough(stage: Stage) -> None:
    run = stage.run()
    lib = stage.built(run, "lib", at=5, digest="lib-1")
    tool = stage.built(run, "tool", at=5, digest="tool-1")
    app = stage.planned(run, "app", lib, tool)

    # The tool was never built before.
    assert stage.unchanged(app) == {}


def test_what_was_never_built_has_changed(database: Database) -> None:
    stage = Stage(database)
    run = stage.run()
    lib = stage.built(run, "lib", at=1, digest="lib-1")
    app = stage.planned(run, "app", lib)

    assert stage.unchanged(app) == {}


def test_what_has_failed_since_does_not_count(stage: Stage) -> None:
    failed = stage.run()
    lib = stage.built(failed, "lib", at=5, digest="lib-2", conclusion=BuildConclusion.FAILURE)
    stage.built(failed, "app", lib, at=6, digest="app-2", conclusion=BuildConclusion.FAILURE)
    run = stage.run()
    lib = stage.built(run, "lib", at=8, digest="lib-1")
    app = stage.planned(run, "app", lib)

    assert stage.unchanged(app) == {app: "app-1"}


def test_an_output_that_was_there_too_late_for_the_last_build_is_a_change(stage: Stage) -> None:
    """The last `lib` ended while `app` was being built already, of the one before."""
    stage.built(stage.run(), "lib", at=3, digest="lib-2")
    run = stage.run()
    lib = stage.built(run, "lib", at=5, digest="lib-2")
    app = stage.planned(run, "app", lib)

    assert stage.unchanged(app) == {}


@pytest.mark.parametrize("conclusion", RELEASING)
@pytest.mark.parametrize("at", [2, 4])
def test_a_dependency_that_was_built_in_another_run_since_is_a_change(
    stage: Stage, conclusion: BuildConclusion, at: int
) -> None:
    stage.built(stage.run(), "tool", at=at, digest="tool-1", conclusion=conclusion)
    run = stage.run()
    lib = stage.built(run, "lib", at=5, digest="lib-1")
    app = stage.planned(run, "app", lib)

    # `app` was begun in the second hour.
    is_new = at > 2 and conclusion is not BuildConclusion.UNCHANGED
    assert stage.unchanged(app) == ({} if is_new else {app: "app-1"})


@pytest.mark.parametrize(
    ("columns", "is_there"),
    [
        ({"started_at": hour(4)}, True),
        ({"started_at": None, "queued_at": hour(4)}, True),
        ({"started_at": hour(2), "queued_at": hour(4)}, False),
        # When it was planned.
        ({"started_at": None, "queued_at": None}, False),
    ],
)
def test_a_build_is_of_what_was_there_when_it_began(
    database: Database, columns: Mapping[str, Any], is_there: bool
) -> None:
    stage = Stage(database)
    stage.built(stage.run(), "lib", at=3, digest="lib-1")
    stage.built(stage.run(), "app", at=5, digest="app-1", **columns)
    run = stage.run()
    lib = stage.built(run, "lib", at=6, digest="lib-1")
    app = stage.planned(run, "app", lib)

    assert (stage.unchanged(app) == {app: "app-1"}) is is_there


def test_what_was_not_built_anew_is_of_what_was_there_when_that_was_seen(stage: Stage) -> None:
    second = stage.run()
    lib = stage.built(second, "lib", at=5, digest="lib-1")
    stage.built(
        second, "app", lib, at=6, digest="app-1", conclusion=BuildConclusion.UNCHANGED, started_at=None
    )
    run = stage.run()
    lib = stage.built(run, "lib", at=8, digest="lib-1")
    app = stage.planned(run, "app", lib)

    assert stage.unchanged(app) == {app: "app-1"}


def test_many_builds_are_told_apart_and_others_left_out(stage: Stage) -> None:
    run = stage.run()
    lib = stage.built(run, "lib", at=5, digest="lib-1")
    app = stage.planned(run, "app", lib)
    tool = stage.planned(run, "tool")

    assert stage.unchanged(app, tool, tool + 1) == {app: "app-1"}
    assert stage.unchanged() == {}


def test_what_builds_produced_is_kept_where_it_is_known(database: Database) -> None:
    stage = Stage(database)
    run = stage.run()
    lib, tool, app = (stage.planned(run, name) for name in ("lib", "tool", "app"))

    def keep(connection: Connection) -> None:
        outputs.keep(connection, {lib: "lib-1", tool: None, app: "app-1"}, now=hour(1))
        outputs.keep(connection, {tool: None}, now=hour(2))
        outputs.keep(connection, {}, now=hour(2))

    database.write(keep)

    with database.read() as connection:
        rows = builds.by_ids(connection, [lib, tool, app])
    assert {id_: (row.output_digest, row.updated_at) for id_, row in rows.items()} == {
        lib: ("lib-1", hour(1)),
        tool: (None, NOW),
        app: ("app-1", hour(1)),
    }
