"""What may be stored, and what comes back as it went in."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import (
    CheckConstraint,
    Connection,
    Enum,
    Index,
    PrimaryKeyConstraint,
    Table,
    TextClause,
    UniqueConstraint,
    create_engine,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from storage import packages
from storage.build_tables import (
    BUILDS,
    RUNS,
    ArtifactFields,
    CutEdge,
    LogFields,
    ReportFields,
    RunFields,
    WorkerFields,
)
from storage.columns import MAX_LABELS, Base, LabelsType, UtcDateTime, labels_text
from storage.database import Database
from storage.monitoring_tables import (
    ALERTS,
    ALL_SCOPES,
    METRICS,
    AlertRuleFields,
    ErrorFields,
    MetricFields,
    Scope,
    TokenFields,
)
from storage.tables import ALL_KINDS, EVENTS, PACKAGES, DependencyFields, Kind, PackageFields, VersionFields
from tests.storage import subjects
from tests.storage.world import NOW, add_package, add_version, needs

_SQLITE = create_engine("sqlite://").dialect
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has left it without types
_VERSION = {"version": "1", "sort_key": b"1", "is_prerelease": False}
_RULE = {"name": "slow", "metric": "build", "comparison": "GT", "threshold": 1}
_METRIC = {"name": "build", "at": NOW, "value": 1}


@pytest.mark.parametrize(
    ("fields", "values", "field", "message"),
    [
        (PackageFields, {"name": ""}, "name", "at least 1 character"),
        (PackageFields, {"name": "x" * 215}, "name", "at most 214 characters"),
        (PackageFields, {"name": "x", "description": "a\0b"}, "description", "NUL"),
        (PackageFields, {"name": "x", "description": "\ud800"}, "description", "unicode"),
        (PackageFields, {"name": "x", "description": "x" * 10_001}, "description", "at most 10000"),
        (PackageFields, {"name": "x", "status": "GONE"}, "status", "ACTIVE"),
        (PackageFields, {"name": "x", "labels": {"": "x"}}, "labels", "at least 1 character"),
        (PackageFields, {"name": "x", "labels": {"a": "\0"}}, "labels", "NUL"),
        (
            PackageFields,
            {"name": "x", "labels": {str(n): "" for n in range(MAX_LABELS + 1)}},
            "labels",
            "most 64",
        ),
        (VersionFields, {**_VERSION, "released_at": datetime(2020, 1, 1)}, "released_at", "timezone"),  # noqa: DTZ001
        (DependencyFields, {"package_name": "x", "kinds": 0}, "kinds", "greater"),
        (DependencyFields, {"package_name": "x", "kinds": ALL_KINDS + 1}, "kinds", "less"),
        (RunFields, {"max_attempts": 0}, "max_attempts", "greater"),
        (RunFields, {"timeout_seconds": 0}, "timeout_seconds", "greater"),
        (RunFields, {"priority": 10**7}, "priority", "less"),
        (RunFields, {"trigger": "WHIM"}, "trigger", "MANUAL"),
        (RunFields, {"idempotency_key": "x" * 257}, "idempotency_key", "at most 256"),
        (ReportFields, {"output_digest": "x" * 257}, "output_digest", "at most 256"),
        (ReportFields, {"message": "\0"}, "message", "NUL"),
        (LogFields, {"first_line": -1, "line_count": 1, "text": ""}, "first_line", "greater"),
        (LogFields, {"first_line": 0, "line_count": 0, "text": ""}, "line_count", "greater"),
        (LogFields, {"first_line": 0, "line_count": 1, "text": "x" * 1_048_577}, "text", "at most 1048576"),
        (ArtifactFields, {"name": "x", "uri": ""}, "uri", "at least 1 character"),
        (ArtifactFields, {"name": "x", "uri": "y", "size_bytes": -1}, "size_bytes", "greater"),
        (WorkerFields, {"name": ""}, "name", "at least 1 character"),
        (MetricFields, {**_METRIC, "value": float("nan")}, "value", "finite"),
        (MetricFields, {**_METRIC, "labels": {"a": "ä" * 800}}, "labels", "longer than 1,500 bytes"),
        (MetricFields, {**_METRIC, "at": datetime(2020, 1, 1)}, "at", "timezone"),  # noqa: DTZ001
        (
            ErrorFields,
            {"fingerprint": "", "code": "x", "component": "y", "message": ""},
            "fingerprint",
            "at least 1",
        ),
        (AlertRuleFields, {**_RULE, "threshold": float("inf")}, "threshold", "finite"),
        (AlertRuleFields, {**_RULE, "window_seconds": 0}, "window_seconds", "greater"),
        (AlertRuleFields, {**_RULE, "for_seconds": -1}, "for_seconds", "greater"),
        (AlertRuleFields, {**_RULE, "severity": "DIRE"}, "severity", "WARNING"),
        (TokenFields, {"name": "ci", "scopes": 0}, "scopes", "greater"),
        (TokenFields, {"name": "ci", "scopes": 16}, "scopes", "less"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    fields: type[SQLModel], values: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        fields.model_validate(values)

    error = refused.value.errors()[0]
    assert error["loc"][0] == field
    assert message in error["msg"]


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        (MetricFields, {**_METRIC, "labels": {"a": "b" * 1_000, "c": "d" * 480}}),
        (LogFields, {"first_line": 0, "line_count": 2, "text": "one\n"}),
        (ArtifactFields, {"name": "x", "uri": "s3://bucket/x", "size_bytes": 2**62}),
        (AlertRuleFields, {**_RULE, "webhook": "https://example.org", "webhook_secret": "s"}),
        (TokenFields, {"name": "ci", "scopes": ALL_SCOPES, "expires_at": NOW}),
    ],
)
def test_what_can_be_stored_is_taken_as_it_is(fields: type[SQLModel], values: dict[str, Any]) -> None:
    assert fields.model_validate(values).model_dump(include=set(values)) == values


def test_all_kinds_and_all_scopes_are_the_bits_of_them() -> None:
    assert sum(Kind) == ALL_KINDS
    assert sum(Scope) == ALL_SCOPES


_TABLES: list[Table] = Base.metadata.sorted_tables
_WRITTEN = [table for table in _TABLES if table.name in subjects.WRITERS]


def _crowded(database: Database) -> None:
    """Write two rows of each table; of what can be completed, a third that is."""

    def operation(connection: Connection) -> None:
        for write in (*subjects.WRITERS.values(), *subjects.WRITERS.values()):
            write(connection)
        for table, write in ((BUILDS, subjects.build), (RUNS, subjects.run)):
            write(connection, **subjects.in_status(table, "COMPLETED"))
        cause = subjects.build(connection)
        subjects.wait(connection, subjects.build(connection, cause_id=cause), cause)

    database.write(operation)


def _refusals(database: Database, statements: list[str]) -> list[str]:
    """Return what the database says to each statement, which it has to refuse."""
    return [_refusal(database, text(statement)) for statement in statements]


def _refusal(database: Database, statement: TextClause) -> str:
    with pytest.raises(IntegrityError) as refused:
        database.write(lambda connection: connection.execute(statement))
    return str(refused.value.orig)


_LEASED = "'ASSIGNED', lease_expires_at = '2026-01-02 00:00:00.000000'"
_CHECKS = {
    "ck_packages_name": "name = ''",
    "ck_dependencies_kinds": "kinds = 32",
    "ck_dependencies_position": "position = -1",
    "ck_build_runs_concluded": "conclusion = 'SUCCESS' WHERE conclusion IS NULL",
    "ck_build_runs_max_attempts": "max_attempts = 0",
    "ck_build_runs_timeout_seconds": "timeout_seconds = 0",
    "ck_build_status_concluded": "conclusion = NULL WHERE status = 'COMPLETED'",
    "ck_build_status_lease": "lease_expires_at = '2026-01-02 00:00:00.000000'",
    "ck_build_status_held": f"status = {_LEASED} WHERE status = 'QUEUED'",
    "ck_build_status_attempt": "attempt = -1",
    "ck_build_status_max_attempts": "max_attempts = 0",
    "ck_build_status_timeout_seconds": "timeout_seconds = 0",
    "ck_build_status_remaining_seconds": "remaining_seconds = -0.5",
    "ck_build_status_expected_seconds": "expected_seconds = -0.5",
    "ck_build_status_lease_token": "lease_token = -1",
    "ck_build_status_waiting_for": "waiting_for = -1",
    "ck_build_status_row_version": "row_version = -1",
    "ck_build_dependencies_itself": "dependency_id = build_id",
    "ck_build_attempts_number": "number = 0",
    "ck_build_logs_first_line": "first_line = -1",
    "ck_build_logs_line_count": "line_count = 0",
    "ck_artifacts_size_bytes": "size_bytes = -1",
    "ck_performance_stats_bucket_seconds": "bucket_seconds = 61",
    "ck_performance_stats_count": "count = 0",
    "ck_error_groups_count": "count = 0",
    "ck_alert_rules_window_seconds": "window_seconds = 0",
    "ck_alert_rules_for_seconds": "for_seconds = -1",
    "ck_alerts_blocked_builds": "blocked_builds = -1",
    "ck_webhook_notifications_attempts": "attempts = -1",
    "ck_webhook_deliveries_attempt": "attempt = 0",
    "ck_api_tokens_scopes": "scopes = 16",
}


def _checks() -> Iterator[tuple[str, str]]:
    """Yield the name of each CHECK that is not one of an enumeration, and a statement that breaks it."""
    for table in _TABLES:
        for constraint in table.constraints:
            if isinstance(constraint, CheckConstraint) and not constraint._type_bound:
                name = str(constraint.name)
                yield name, f"UPDATE {table.name} SET {_CHECKS[name]}"


def test_every_check_is_kept_by_the_database_itself(database: Database) -> None:
    names, statements = zip(*_checks(), strict=True)
    _crowded(database)

    said = _refusals(database, list(statements))

    assert [name for name, words in zip(names, said, strict=True) if name not in words] == []


def test_every_enumeration_is_kept_by_the_database_itself(database: Database) -> None:
    columns = [column for table in _WRITTEN for column in table.columns if isinstance(column.type, Enum)]
    # Otherwise another CHECK, on the two together, would be as good a reason.
    only = {"status": "conclusion IS NULL", "conclusion": "conclusion IS NOT NULL"}
    _crowded(database)
    database.write(lambda c: c.execute(text("UPDATE build_attempts SET conclusion = 'SUCCESS'")))

    said = _refusals(
        database,
        [
            f"UPDATE {column.table.name} SET \"{column.name}\" = 'GONE'"
            + (
                f" WHERE {only[column.name]}"
                if column.name in only and "conclusion" in column.table.c
                else ""
            )
            for column in columns
        ],
    )

    names = [f"ck_{column.table.name}_{column.name}" for column in columns]
    assert [name for name, words in zip(names, said, strict=True) if name not in words] == []


def _keys() -> Iterator[tuple[Table, list[str]]]:
    """Yield the columns of each key, those of only some rows included."""
    for table in _WRITTEN:
        for key in (*table.constraints, *table.indexes):
            if isinstance(key, UniqueConstraint) or (isinstance(key, Index) and key.unique):
                yield table, [column.name for column in key.columns]


def test_every_key_is_kept_by_the_database_itself(database: Database) -> None:
    keys = list(_keys())
    _crowded(database)
    database.write(lambda c: c.execute(text("UPDATE build_runs SET idempotency_key = 'k' || id")))

    def of_first(table: Table, column: str) -> str:
        first = f'SELECT "{column}" FROM {table.name} ORDER BY id LIMIT 1'
        return f'"{column}" = ({first})'

    said = _refusals(
        database,
        [
            f"UPDATE {table.name} SET {', '.join(of_first(table, column) for column in columns)}"
            for table, columns in keys
        ],
    )

    assert [words for words in said if "unique" not in words.lower()] == []
    assert {(table.name, *columns) for table, columns in keys} >= {
        ("packages", "name"),
        ("events", "seq"),
        ("build_status", "run_id", "version_id"),
        ("alerts", "rule_id", "labels"),
        ("performance_stats", "name", "labels", "bucket_seconds", "at"),
    }


def test_every_reference_is_kept_by_the_database_itself(database: Database) -> None:
    references = [
        (table.name, key.column_keys[0]) for table in _TABLES for key in table.foreign_key_constraints
    ]
    _crowded(database)

    said = _refusals(
        database,
        [
            # One row, or its key would be refused for being that of all.
            f"UPDATE {table} SET {column} = 999999 WHERE {column} = (SELECT max({column}) FROM {table})"
            for table, column in references
        ],
    )

    assert [words for words in said if "foreign key" not in words.lower()] == []
    assert ("build_status", "cause_id") in references


def test_no_value_is_taken_twice_only_where_it_matters(database: Database) -> None:
    def operation(connection: Connection) -> None:
        of_one = subjects.rule(connection)
        for _ in range(2):
            id_ = subjects.alert(connection, rule_id=of_one)
            subjects.set_status(connection, ALERTS, id_, "RESOLVED")
            subjects.metric(connection, labels={}, bucket_seconds=0)
            subjects.event(connection, seq=None)
        subjects.alert(connection, rule_id=of_one)

    database.write(operation)

    with database.read() as connection:
        counts = [len(connection.execute(table.select()).all()) for table in (ALERTS, METRICS, EVENTS)]
    assert counts == [3, 2, 2]


def test_every_rule_has_a_name() -> None:
    nameless = [constraint for table in _TABLES for constraint in table.constraints if not constraint.name]

    assert nameless == []


def test_every_reference_is_the_beginning_of_an_index() -> None:
    """Deleting what is referred to looks for what refers to it."""
    missing = [
        (table.name, column.name)
        for table in _TABLES
        for column in table.columns
        if column.foreign_keys and column.name not in set(_beginnings(table))
    ]

    assert missing == []


def _beginnings(table: Table) -> Iterator[str]:
    """Yield the first column of each index, those of keys included."""
    for key in (*table.constraints, *table.indexes):
        if isinstance(key, PrimaryKeyConstraint | UniqueConstraint | Index):
            yield key.columns.values()[0].name


def test_the_most_urgent_builds_are_found_without_sorting_the_queue(database: Database) -> None:
    query = (
        "SELECT id FROM build_status WHERE status = 'QUEUED' AND worker_labels = '{}' "
        "ORDER BY priority DESC, remaining_seconds DESC, id LIMIT 5"
    )

    with database.read() as connection:
        if connection.dialect.name == "postgresql":
            # Of a table without rows it would rather read all.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {query}"))

    assert "ix_build_status_queue" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_no_table_gives_an_id_twice() -> None:
    with_ids = [table for table in _TABLES if "id" in table.columns]

    assert [t.name for t in with_ids if not t.dialect_options["sqlite"]["autoincrement"]] == []
    assert [t.name for t in _TABLES if t not in with_ids] == ["build_dependencies"]


def test_deleting_a_package_takes_all_that_is_its_own_along(database: Database) -> None:
    _crowded(database)
    add_version(database, add_package(database, "app"), "1", needs("x"))

    database.write(lambda connection: connection.execute(PACKAGES.delete()))

    with database.read() as connection:
        left = {t.name for t in _TABLES if connection.execute(t.select().limit(1)).first() is not None}
    assert left == {
        "alert_rules",
        "alerts",
        "api_tokens",
        "build_runs",
        "error_groups",
        "events",
        "performance_stats",
        "state_tracking",
        "webhook_deliveries",
        "webhook_notifications",
        "workers",
    }


def test_a_build_outlives_the_cause_of_its_failure(database: Database) -> None:
    def operation(connection: Connection) -> int:
        cause = subjects.build(connection)
        return subjects.build(connection, cause_id=cause)

    id_ = database.write(operation).value
    database.write(lambda connection: connection.execute(BUILDS.delete().where(BUILDS.c.id != id_)))

    with database.read() as connection:
        assert [(row.id, row.cause_id) for row in connection.execute(BUILDS.select())] == [(id_, None)]


def test_a_build_comes_back_as_it_was_written(database: Database) -> None:
    labels = {"os": "linux", "arch": "x86"}

    id_ = database.write(
        lambda c: subjects.build(c, worker_labels=labels, remaining_seconds=0.1, lease_token=2**40)
    ).value

    with database.read() as connection:
        row = connection.execute(BUILDS.select().where(BUILDS.c.id == id_)).one()
    assert (row.worker_labels, row.remaining_seconds, row.lease_token, row.created_at) == (
        labels,
        0.1,
        2**40,
        NOW,
    )


@pytest.mark.parametrize("edges", [[], [CutEdge("app", "lib ä", 3, False), CutEdge("lib ä", "app", 4, True)]])
def test_the_edges_that_a_run_cuts_come_back_as_they_went_in(
    database: Database, edges: list[CutEdge]
) -> None:
    id_ = database.write(lambda c: subjects.run(c, cut_edges=edges)).value

    with database.read() as connection:
        row = connection.execute(RUNS.select().where(RUNS.c.id == id_)).one()
    assert row.cut_edges == edges


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
