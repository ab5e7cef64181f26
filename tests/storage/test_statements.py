"""Statements: the same in both dialects, and found by an index."""

from collections.abc import Callable
from types import ModuleType

import pytest
from sqlalchemy import bindparam, create_engine, select
from sqlalchemy.dialects import postgresql

from storage import counts, dependencies, events, packages, versions
from storage.database import Connection, Database
from storage.dependencies import GraphScope
from storage.dialects import Many, any_of
from storage.packages import PackageFilter, PackageOrder, PackageOrderField
from storage.statements import Query, _compile, _into
from storage.tables import PACKAGES, VERSIONS
from storage.transitions import VersionStatus
from tests.storage.world import add_package, add_version, needs

_SQLITE = create_engine("sqlite://").dialect
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has left it without types


def test_any_number_of_values_is_one_parameter_in_both_dialects() -> None:
    query = select(PACKAGES.c.id).where(any_of(PACKAGES.c.name, "names"))

    sqlite, postgres = _compile(query, _SQLITE), _compile(query, _POSTGRESQL)

    assert sqlite.text.endswith("packages.name IN (SELECT value FROM json_each(?))")
    assert sqlite.parameters({"names": ["b", "ä", "x\0"]}) == ['["b","ä"]']
    assert "packages.name = ANY (%(names)s" in postgres.text
    assert postgres.parameters({"names": iter(["b", "x\0"])}) == {"names": ["b"]}


def test_no_values_at_all_match_nothing() -> None:
    many = Many(PACKAGES.c.name.type)

    assert many.process_bind_param(None, _SQLITE) == "[]"
    assert many.process_bind_param([], _POSTGRESQL) == []


def test_parameters_of_a_driver_that_takes_them_by_name_come_with_their_constants() -> None:
    query = select(PACKAGES.c.id).where(PACKAGES.c.name == bindparam("name"), PACKAGES.c.description == "old")

    compiled = _compile(query, _POSTGRESQL)

    assert compiled.positions is None
    assert compiled.parameters({"name": "app"}) == {"name": "app", "description_1": "old"}


@pytest.mark.parametrize("module", [counts, dependencies, events, packages, versions])
def test_every_fixed_query_can_be_said_to_both_databases(module: ModuleType) -> None:
    queries = [value for value in vars(module).values() if isinstance(value, Query)]

    assert queries
    for query in queries:
        for dialect in (_SQLITE, _POSTGRESQL):
            text = query._for(dialect).text
            assert ("json_each" in text) <= (dialect is _SQLITE)


def test_booleans_go_in_as_they_are() -> None:
    assert _into(VERSIONS.c.is_prerelease.type, _SQLITE) is None


_QUERIES: dict[str, Callable[[Connection], object]] = {
    "by_names": lambda c: packages.by_names(c, ["app"]),
    "by_ids": lambda c: packages.by_ids(c, [1]),
    "page by NAME": lambda c: packages.page(c, PackageFilter(), order=PackageOrder(), limit=3),
    "page by CREATED_AT": lambda c: packages.page(
        c, PackageFilter(), order=PackageOrder(PackageOrderField.CREATED_AT), limit=3
    ),
    "page by UPDATED_AT": lambda c: packages.page(
        c, PackageFilter(), order=PackageOrder(PackageOrderField.UPDATED_AT, descending=True), limit=3
    ),
    "versions.by_ids": lambda c: versions.by_ids(c, [1]),
    "versions.by_key": lambda c: versions.by_key(c, 1, b"1"),
    "versions.of_packages": lambda c: versions.of_packages(c, [1], lowest=b"1", highest=b"2"),
    "versions.pages_of": lambda c: versions.pages_of(c, [1], limit=3, after=b"1"),
    "versions.counts_of": lambda c: versions.counts_of(c, [1], statuses=(VersionStatus.PUBLISHED,)),
    "versions.latest_of": lambda c: versions.latest_of(c, [1]),
    "versions.candidates_of": lambda c: versions.candidates_of(c, ["app"]),
    "dependencies.of_versions": lambda c: dependencies.of_versions(c, [1]),
    "dependencies.needs_of": lambda c: dependencies.needs_of(c, [1]),
    "dependencies.by_ids": lambda c: dependencies.by_ids(c, [1]),
    "dependencies.requirers": lambda c: dependencies.requirers(c, "app", limit=3),
    "dependencies.mentions_of": lambda c: dependencies.mentions_of(c, ["app"]),
    "events.after": lambda c: events.after(c, 0, limit=3),
    "events.after, of packages": lambda c: events.after(c, 0, limit=3, packages=["app"]),
}


@pytest.mark.parametrize("name", _QUERIES)
def test_no_query_walks_through_a_table(name: str, database: Database) -> None:
    add_version(database, add_package(database, "app"), "1", needs("app"))

    for line in _plan(database, _QUERIES[name]):
        # A scan of an index in its own order, cut short by a limit, is a page.
        is_page = name.startswith("page") and "USING INDEX" in line
        is_result = "json_each" in line or line.startswith(("SCAN anon_1", "SCAN (subquery"))
        assert not line.startswith("SCAN") or is_result or is_page, line
        assert not (name.startswith("page") and "TEMP B-TREE" in line), line


def test_the_latest_versions_are_found_by_seeking(database: Database) -> None:
    plan = _plan(database, lambda c: dependencies.edges(c, GraphScope.LATEST))

    index = "ix_package_versions_package_id_status_is_prerelease_sort_key"
    assert sum(f"USING COVERING INDEX {index}" in line for line in plan) == 2


def _plan(database: Database, query: Callable[[Connection], object]) -> list[str]:
    """Return how SQLite carries out the one statement of `query`, a line for each step."""
    with database.read() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        statements: list[str] = []
        driver.set_trace_callback(statements.append)
        query(connection)
        driver.set_trace_callback(None)
        (statement,) = statements
        return [str(row[3]) for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}")]
