"""What may be stored, and what comes back as it went in."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql

from storage import packages
from storage.database import Connection, Database
from storage.tables import (
    ALL_KINDS,
    MAX_LABELS,
    DependencyFields,
    Kind,
    LabelsType,
    PackageFields,
    UtcDateTime,
    VersionFields,
    labels_text,
)
from tests.storage.world import NOW, add_package, add_version, needs

_SQLITE = create_engine("sqlite://").dialect
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has left it without types
_VERSION = {"version": "1", "sort_key": b"1", "is_prerelease": False}


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"name": ""}, "name", "at least 1 character"),
        ({"name": "x" * 215}, "name", "at most 214 characters"),
        ({"name": "x", "description": "a\0b"}, "description", "NUL"),
        ({"name": "x", "description": "\ud800"}, "description", "unicode"),
        ({"name": "x", "description": "x" * 10_001}, "description", "at most 10000"),
        ({"name": "x", "status": "GONE"}, "status", "ACTIVE"),
        ({"name": "x", "labels": {"": "x"}}, "labels", "at least 1 character"),
        ({"name": "x", "labels": {"a": "\0"}}, "labels", "NUL"),
        ({"name": "x", "labels": {str(n): "" for n in range(MAX_LABELS + 1)}}, "labels", "at most 64"),
    ],
)
def test_a_package_that_cannot_be_stored_is_refused(fields: object, field: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PackageFields.model_validate(fields)

    error = refused.value.errors()[0]
    assert error["loc"][0] == field
    assert message in error["msg"]


def test_a_version_released_at_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        VersionFields.model_validate({**_VERSION, "released_at": datetime(2020, 1, 1)})  # noqa: DTZ001


@pytest.mark.parametrize("kinds", [0, ALL_KINDS + 1])
def test_a_dependency_has_one_to_five_kinds(kinds: int) -> None:
    with pytest.raises(ValidationError):
        DependencyFields(package_name="x", kinds=kinds)


def test_all_kinds_are_the_bits_of_the_kinds() -> None:
    assert sum(Kind) == ALL_KINDS


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE packages SET status = 'GONE'", "ck_packages_status"),
        ("UPDATE packages SET name = ''", "ck_packages_name"),
        ("UPDATE package_versions SET status = 'GONE'", "ck_package_versions_status"),
        ("UPDATE dependencies SET kinds = 0", "ck_dependencies_kinds"),
        ("UPDATE dependencies SET kinds = 32", "ck_dependencies_kinds"),
        ("UPDATE dependencies SET position = -1", "ck_dependencies_position"),
        (
            "INSERT INTO packages SELECT name, '', 'ACTIVE', NULL, '{}', 99, '', '' FROM packages",
            "packages.name",
        ),
        ("UPDATE package_versions SET package_id = 99", "FOREIGN KEY"),
        ("UPDATE dependencies SET version_id = 99", "FOREIGN KEY"),
        ("UPDATE package_versions SET sort_key = x'00'", "package_versions.sort_key"),
        ("UPDATE dependencies SET package_name = 'y', \"constraint\" = ''", "dependencies.package_name"),
    ],
)
def test_the_database_itself_refuses_what_breaks_a_rule(
    database: Database, statement: str, constraint: str
) -> None:
    package = add_package(database, "app")
    add_version(database, package, "1", needs("x"), needs("y"))
    add_version(database, package, "2")

    with pytest.raises(sqlite3.IntegrityError, match=constraint):
        database.write(lambda connection: connection.connection.cursor().execute(statement))


def test_deleting_a_package_takes_its_versions_and_their_dependencies_along(database: Database) -> None:
    package = add_package(database, "app")
    add_version(database, package, "1", needs("x"))

    database.write(lambda connection: packages.delete(connection, package))

    with database.read() as connection:
        tables = ("packages", "package_versions", "dependencies")
        counts = [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in tables]
    assert counts == [0, 0, 0]


def test_an_id_is_never_given_twice(database: Database) -> None:
    first = add_package(database, "app")
    database.write(lambda connection: packages.delete(connection, first))

    assert add_package(database, "app") > first


@given(st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=30)))))
def test_a_moment_comes_back_from_sqlite_as_the_same_moment_in_utc(moment: datetime) -> None:
    kind = UtcDateTime().dialect_impl(_SQLITE)
    into, out = kind.bind_processor(_SQLITE), kind.result_processor(_SQLITE, None)
    assert into is not None
    assert out is not None
    assume(moment.replace(tzinfo=None) - datetime.min > timedelta(days=1))  # noqa: DTZ901 - UTC has no year 0

    back = out(into(moment))

    assert back == moment
    assert back.tzinfo is UTC


def test_a_moment_that_utc_has_no_year_for_is_refused() -> None:
    moment = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))

    with pytest.raises(ValidationError, match="before the year 1"):
        VersionFields.model_validate({**_VERSION, "released_at": moment})


def test_a_moment_comes_back_from_postgresql_in_utc() -> None:
    kind = UtcDateTime()
    moment = datetime(2020, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))

    assert kind.process_result_value(moment, _POSTGRESQL) == datetime(2020, 1, 1, tzinfo=UTC)
    assert kind.result_processor(_POSTGRESQL, None) is not None
    assert kind.process_result_value(None, _POSTGRESQL) is None


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))))
def test_labels_come_back_as_they_went_in_and_equal_ones_are_equal_text(labels: dict[str, str]) -> None:
    kind, dialect = LabelsType(), _SQLITE

    text = kind.process_bind_param(labels, dialect)

    assert kind.process_result_value(text, dialect) == labels
    assert text == labels_text(dict(reversed(labels.items())))
    assert json.loads(text or "") == labels


def test_labels_that_are_null_are_none_at_all() -> None:
    kind, dialect = LabelsType(), _SQLITE

    assert kind.process_bind_param(None, dialect) is None
    assert kind.process_result_value(None, dialect) == {}


def test_a_change_past_the_application_still_touches_updated_at(database: Database) -> None:
    package = add_package(database, "app")

    def operation(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE packages SET description = 'new'")

    database.write(operation)

    with database.read() as connection:
        row = packages.by_ids(connection, [package])[package]
    assert row.updated_at > NOW
    assert row.created_at == NOW
