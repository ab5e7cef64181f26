"""Dependencies: in declaration order, in one statement, and as the edges of the package graph."""

import random
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from storage import counts, dependencies
from storage.columns import MAX_CONSTRAINT, MAX_NAME
from storage.counts import Counts
from storage.database import Database
from storage.dependencies import GraphScope, Requirers
from storage.rows import DependencyRow
from storage.tables import DependencyFields, Kind
from storage.transitions import PackageStatus, VersionStatus
from tests.storage.world import add_package, add_version, needs


def test_dependencies_come_back_in_the_order_they_were_declared_in(database: Database) -> None:
    app = add_package(database, "app")
    kinds = Kind.BUILD | Kind.TEST
    first = add_version(
        database,
        app,
        "1",
        needs("z", ">=1"),
        needs("a", "<2", kinds=kinds, optional=True, marker="linux"),
        needs("m"),
    )
    second = add_version(database, app, "2")

    with database.read() as connection:
        found = dependencies.of_versions(connection, [first, second])
        raw = dependencies.needs_of(connection, [first, second])
        ids = [row.id for row in found[first]]
        assert list(dependencies.by_ids(connection, [*ids, 99]).values()) == found[first]

    assert found == {
        first: [
            DependencyRow(ids[0], first, 0, "z", ">=1", Kind.RUNTIME, optional=False, marker=None),
            DependencyRow(ids[1], first, 1, "a", "<2", kinds, optional=True, marker="linux"),
            DependencyRow(ids[2], first, 2, "m", "", Kind.RUNTIME, optional=False, marker=None),
        ],
        second: [],
    }
    assert raw == [(first, "z", ">=1", 1, False), (first, "a", "<2", 6, True), (first, "m", "", 1, False)]


def test_dependencies_of_many_versions_take_one_statement(tmp_path: Path) -> None:
    statements: list[str] = []
    database = Database.open(str(tmp_path / "atlas.db"), trace=statements.append)
    app = add_package(database, "app")
    ids = [add_version(database, app, str(number), needs("x"), needs("y")) for number in range(20)]

    with database.read() as connection:
        statements.clear()
        found = dependencies.of_versions(connection, ids)
        dependencies.needs_of(connection, ids)

    assert [len(found[id_]) for id_ in ids] == [2] * 20
    assert sum(text.startswith("SELECT") for text in statements) == 2
    database.close()


def test_the_first_requirers_are_named_and_all_are_counted(database: Database) -> None:
    for name in ("c", "a", "b"):
        package = add_package(database, name)
        add_version(database, package, "1", needs("lib"), status=VersionStatus.DRAFT)
        add_version(database, package, "2", needs("lib"), needs("Lib"))
    add_version(database, add_package(database, "lib"), "1", needs("lib"))

    with database.read() as connection:
        assert dependencies.requirers(connection, "lib", limit=2) == Requirers(("a", "b"), 3)
        assert dependencies.requirers(connection, "nobody", limit=2) == Requirers((), 0)
        assert dependencies.requirers(connection, "\ud800", limit=2) == Requirers((), 0)


def test_edges_are_those_of_the_latest_versions_or_of_all_that_count(database: Database) -> None:
    app, lib, draft = (add_package(database, name) for name in ("app", "lib", "draft"))
    add_version(database, app, "1", needs("old"), needs("lib", ">=1"))
    add_version(
        database, app, "2", needs("lib", ">=2"), needs("lib", "<9", optional=True), needs("lib", "<8")
    )
    add_version(database, app, "3rc", needs("next", kinds=Kind.TEST))
    add_version(database, app, "4", needs("yanked"), status=VersionStatus.YANKED)
    add_version(database, app, "5", needs("quarantined"), status=VersionStatus.QUARANTINED)
    add_version(database, lib, "1", needs("lib"), status=VersionStatus.DEPRECATED)
    add_version(database, draft, "1", needs("lib"), status=VersionStatus.DRAFT)

    with database.read() as connection:
        latest = dependencies.edges(connection, GraphScope.LATEST)
        everything = dependencies.edges(connection, GraphScope.ALL)
        of_some = {
            scope: sorted(dependencies.edges_of(connection, scope, ["lib", "app", "unknown"]))
            for scope in GraphScope
        }

    name_of = {app: "app", lib: "lib"}
    for scope, edges in ((GraphScope.LATEST, latest), (GraphScope.ALL, everything)):
        assert of_some[scope] == sorted((name_of[id_], *rest) for id_, *rest in edges)
    of_latest = [(app, "lib", 1, False), (app, "lib", 1, True)]
    assert sorted(latest) == of_latest
    assert sorted(everything) == sorted(
        [
            *of_latest,
            (app, "old", 1, False),
            (app, "next", 4, False),
            (app, "yanked", 1, False),
            (lib, "lib", 1, False),
        ]
    )


def test_a_mention_is_known_since_the_first_release_that_makes_it(database: Database) -> None:
    app = add_package(database, "app")
    days = [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2)]
    for number, day in enumerate(reversed(days)):
        add_version(database, app, f"1.{number}", needs("lib", "==1"), released_at=day)
    add_version(database, app, "2", needs("lib", ">=2rc1"))
    add_version(database, app, "3", needs("lib", ">=2rc1"), released_at=days[0])
    add_version(database, app, "4", needs("lib", "==4"), needs("x"), status=VersionStatus.DRAFT)

    with database.read() as connection:
        mentions = dependencies.mentions_of(connection, ["lib", "unknown"])

    assert mentions == [("lib", "==1", 1, False, days[0]), ("lib", ">=2rc1", 1, False, None)]


def test_what_neither_pins_nor_names_a_prerelease_is_no_mention(database: Database) -> None:
    app = add_package(database, "app")
    constraints = ["", ">=1,<2", "^1.2", "~=1.4", "!=3", "==1.*", "===1.0", ">=2.dev1", "<3 || ==4"]
    add_version(database, app, "1", *(needs("lib", text) for text in constraints))

    with database.read() as connection:
        mentions = dependencies.mentions_of(connection, ["lib"])

    assert {text for _, text, *_ in mentions} == {"==1.*", "===1.0", ">=2.dev1", "<3 || ==4"}


def test_what_a_quarantined_package_declares_is_no_mention(database: Database) -> None:
    for name, status in (("bad", PackageStatus.QUARANTINED), ("old", PackageStatus.ARCHIVED)):
        package = add_package(database, name, status=status)
        add_version(database, package, "1", needs("lib", f"=={len(name)}"), needs("lib", ">=2"))

    with database.read() as connection:
        mentions = dependencies.mentions_of(connection, ["lib"])

    assert [constraint for _, constraint, *_ in mentions] == ["==3"]


def test_a_closure_is_what_latest_versions_need_to_run_nearest_first(database: Database) -> None:
    for name in ("app", "lib", "base", "tool", "extra", "other"):
        package = add_package(database, name)
        wanted = {
            "app": [needs("lib"), needs("tool", kinds=Kind.BUILD), needs("extra", optional=True)],
            "lib": [needs("base"), needs("unknown")],
            "base": [needs("app")],
        }.get(name, [])
        add_version(database, package, "1", needs("other"))
        add_version(database, package, "2", *wanted)

    with database.read() as connection:
        whole = dependencies.closure_of(connection, ["app", "ghost"], limit=100)
        part = dependencies.closure_of(connection, ["app"], limit=2)

    assert whole == ["app", "lib", "base"]
    assert part == ["app", "lib"]


def test_everything_is_counted(database: Database) -> None:
    add_version(database, add_package(database, "app"), "1", needs("x"), needs("y"))
    add_package(database, "lib")

    with database.read() as connection:
        assert counts.count(connection) == Counts(packages=2, versions=1, dependencies=2)


def test_the_longest_constraint_and_the_longest_name_fit_into_a_key(database: Database) -> None:
    chance = random.Random(1)
    # Nothing that an index could make shorter.
    text = "".join(chance.choices(string.ascii_letters + string.digits, k=MAX_CONSTRAINT))
    name = "".join(chance.choices(string.ascii_letters, k=MAX_NAME))
    version = add_version(database, add_package(database, "app"), "1", needs(name, text))

    with database.read() as connection:
        assert dependencies.of_versions(connection, [version])[version][0].constraint == text
    with pytest.raises(ValidationError, match="longer than 2,000 bytes"):
        DependencyFields.model_validate({"package_name": "lib", "constraint": text + "1"})
