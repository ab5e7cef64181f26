"""Statements: the same in both dialects, and found by an index."""

import itertools
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final, NoReturn, cast

import pytest
from sqlalchemy import bindparam, create_engine, select
from sqlalchemy.dialects import postgresql

from storage import (
    alert_rules,
    alerts,
    artifacts,
    attempts,
    builds,
    counts,
    deliveries,
    dependencies,
    durations,
    error_groups,
    events,
    flow,
    history,
    leases,
    logs,
    metrics,
    outputs,
    packages,
    queue,
    runs,
    standings,
    superseding,
    tokens,
    versions,
    waits,
    workers,
)
from storage.build_conditions import HELD
from storage.build_tables import BUILDS
from storage.builds import ALL, BuildFilter, Owner
from storage.database import Connection, Database
from storage.dependencies import GraphScope
from storage.dialects import Many, among, any_of, is_sqlite, unindexed
from storage.error_groups import ErrorPlace
from storage.packages import PackageFilter, PackageOrder, PackageOrderField, PackagePosition
from storage.statements import Change, Query, _compile, _into
from storage.tables import PACKAGES, VERSIONS, SubjectType
from storage.transitions import AlertState, BuildConclusion, BuildStatus, VersionStatus
from storage.waits import Side
from tests.storage import crowd
from tests.storage.world import LATER, NOW, add_package

_SQLITE = create_engine("sqlite://").dialect
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has left it without types

_MODULES: Final = [
    alert_rules,
    alerts,
    artifacts,
    attempts,
    builds,
    counts,
    deliveries,
    dependencies,
    durations,
    error_groups,
    events,
    flow,
    history,
    leases,
    logs,
    metrics,
    outputs,
    packages,
    queue,
    runs,
    standings,
    superseding,
    tokens,
    versions,
    workers,
]


def test_any_number_of_values_is_one_parameter_in_both_dialects() -> None:
    query = select(PACKAGES.c.id).where(any_of(PACKAGES.c.name, "names"))

    sqlite, postgres = (_compile(query, dialect, ()) for dialect in (_SQLITE, _POSTGRESQL))

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

    compiled = _compile(query, _POSTGRESQL, ())

    assert compiled.positions is None
    assert compiled.parameters({"name": "app"}) == {"name": "app", "description_1": "old"}


def test_values_that_are_always_the_same_are_part_of_the_statement() -> None:
    """Planned for any values, `NOT IN` would be taken for hardly ever true by PostgreSQL."""
    query = select(PACKAGES.c.id).where(~among(PACKAGES.c.status, HELD))

    for dialect in (_SQLITE, _POSTGRESQL):
        compiled = _compile(query, dialect, ())
        assert compiled.text.endswith("(packages.status NOT IN ('QUARANTINED', 'ARCHIVED'))")
        assert not compiled.constants


def test_a_column_that_is_not_to_be_looked_up_by_is_compared_all_the_same() -> None:
    query = select(BUILDS.c.id).where(unindexed(BUILDS.c.status) == BuildStatus.QUEUED)

    sqlite, postgres = (_compile(query, dialect, ()) for dialect in (_SQLITE, _POSTGRESQL))

    assert sqlite.text.endswith("WHERE +build_status.status = ?")
    assert sqlite.parameters({}) == ["QUEUED"]
    assert "WHERE build_status.status = %(" in postgres.text


_SAID: Final = PACKAGES.c.description
_DESCRIBE: Final = Change(
    PACKAGES.update()
    .where(any_of(PACKAGES.c.id, "ids"), _SAID == "")
    .values(description=bindparam("said", type_=_SAID.type))
)
_DESCRIBE_AND_TELL: Final = Change(
    PACKAGES.update()
    .where(any_of(PACKAGES.c.id, "ids"), _SAID == "")
    .values(description=bindparam("said", type_=_SAID.type))
    .returning(PACKAGES.c.id)
)


def test_a_change_tells_how_many_rows_it_has_changed(database: Database) -> None:
    ids = [add_package(database, name) for name in ("a", "b", "c")]

    def describe(connection: Connection) -> list[int]:
        return [
            _DESCRIBE.run(connection, ids=some, said=said)
            for some, said in ((ids[:2], "one"), (ids, "two"), (ids, "three"))
        ]

    assert database.write(describe).value == [2, 1, 0]
    with database.read() as connection:
        rows = packages.by_ids(connection, ids)
    assert [rows[id_].description for id_ in ids] == ["one", "one", "two"]


def test_a_change_may_return_the_ids_of_the_rows_it_has_changed(database: Database) -> None:
    ids = [add_package(database, name) for name in ("a", "b", "c")]

    def describe(connection: Connection) -> list[set[int]]:
        return [
            set(_DESCRIBE_AND_TELL.returning(connection, ids=some, said="said"))
            for some in (ids[:2], ids, ids)
        ]

    assert database.write(describe).value == [set(ids[:2]), {ids[2]}, set()]


@pytest.mark.parametrize("module", [attempts, flow, leases, superseding, workers])
def test_every_fixed_change_can_be_said_to_both_databases(module: ModuleType) -> None:
    changes = [value for value in vars(module).values() if isinstance(value, Change)]

    assert changes
    for change in changes:
        for dialect in (_SQLITE, _POSTGRESQL):
            assert _compile(change._statement, dialect, ()).text.startswith("UPDATE ")


@pytest.mark.parametrize("module", _MODULES)
def test_every_fixed_query_can_be_said_to_both_databases(module: ModuleType) -> None:
    queries = [value for value in vars(module).values() if isinstance(value, Query)]

    assert queries
    for query in queries:
        for dialect in (_SQLITE, _POSTGRESQL):
            text = query._for(dialect).text
            assert ("json_each" in text) <= (dialect is _SQLITE)


def test_booleans_go_in_as_they_are() -> None:
    assert _into(VERSIONS.c.is_prerelease.type, _SQLITE) is None


_OPEN: Final = (AlertState.PENDING, AlertState.FIRING)
_PLACE: Final = PackagePosition(NOW, 5)
_CREATED: Final = PackageOrder(PackageOrderField.CREATED_AT)
_UPDATED: Final = PackageOrder(PackageOrderField.UPDATED_AT, descending=True)

_BY_KEY: Final = "uq_package_versions_package_id_sort_key"
_LATEST: Final = "ix_package_versions_package_id_status_is_prerelease_sort_key"
# They begin alike, and serve alike when nothing but the package is given.
_OF_PACKAGES: Final = f"{_BY_KEY} | {_LATEST}"

# Each as its name, the index that is there for it, and the call. With `|`, one index or the other.
_QUERIES: Final[list[tuple[str, str, Callable[[Connection], object]]]] = [
    ("packages.by_names", "uq_packages_name", lambda c: packages.by_names(c, ["p1"])),
    ("packages.by_ids", "pk_packages", lambda c: packages.by_ids(c, [1])),
    (
        "packages.page",
        "uq_packages_name",
        lambda c: packages.page(c, PackageFilter(), order=PackageOrder(), limit=3),
    ),
    (
        "packages.page by CREATED_AT",
        "ix_packages_created_at_id",
        lambda c: packages.page(c, PackageFilter(), order=_CREATED, limit=3, after=_PLACE),
    ),
    (
        "packages.page by UPDATED_AT",
        "ix_packages_updated_at_id",
        lambda c: packages.page(c, PackageFilter(), order=_UPDATED, limit=3, before=_PLACE, backwards=True),
    ),
    ("versions.by_ids", "pk_package_versions", lambda c: versions.by_ids(c, [1])),
    (
        "versions.by_key",
        _BY_KEY,
        lambda c: versions.by_key(c, 1, b"1"),
    ),
    (
        "versions.of_packages",
        _BY_KEY,
        lambda c: versions.of_packages(c, [1], lowest=b"1", highest=b"2"),
    ),
    (
        "versions.pages_of",
        _BY_KEY,
        lambda c: versions.pages_of(c, [1], limit=3, after=b"2"),
    ),
    (
        "versions.counts_of",
        _OF_PACKAGES,
        lambda c: versions.counts_of(c, [1], statuses=(VersionStatus.PUBLISHED,)),
    ),
    (
        "versions.latest_of",
        _LATEST,
        lambda c: versions.latest_of(c, [1]),
    ),
    (
        "versions.candidates_of",
        _OF_PACKAGES,
        lambda c: versions.candidates_of(c, ["p1"]),
    ),
    (
        "dependencies.of_versions",
        "uq_dependencies_version_id_package_name_constraint",
        lambda c: dependencies.of_versions(c, [1]),
    ),
    (
        "dependencies.needs_of",
        "uq_dependencies_version_id_package_name_constraint",
        lambda c: dependencies.needs_of(c, [1]),
    ),
    ("dependencies.by_ids", "pk_dependencies", lambda c: dependencies.by_ids(c, [1])),
    (
        "dependencies.edges_of, LATEST",
        "ix_package_versions_package_id_status_is_prerelease_sort_key",
        lambda c: dependencies.edges_of(c, GraphScope.LATEST, ["p1"]),
    ),
    (
        "dependencies.edges_of, ALL",
        "uq_dependencies_version_id_package_name_constraint",
        lambda c: dependencies.edges_of(c, GraphScope.ALL, ["p1"]),
    ),
    (
        "dependencies.requirers",
        "ix_dependencies_package_name",
        lambda c: dependencies.requirers(c, "p1", limit=3),
    ),
    (
        "dependencies.mentions_of",
        "ix_dependencies_package_name",
        lambda c: dependencies.mentions_of(c, ["p1"]),
    ),
    (
        "dependencies.closure_of",
        "uq_dependencies_version_id_package_name_constraint",
        lambda c: dependencies.closure_of(c, ["p1"], limit=3),
    ),
    (
        "dependencies.edges_of",
        "uq_dependencies_version_id_package_name_constraint",
        lambda c: dependencies.edges_of(c, GraphScope.LATEST, ["p1"]),
    ),
    ("events.after", "uq_events_seq", lambda c: events.after(c, 0, limit=3)),
    (
        "events.after, for some packages",
        "ix_events_package_seq",
        lambda c: events.after(c, 0, limit=3, packages=["p1"]),
    ),
    ("events.after, for a run", "ix_events_run_id_seq", lambda c: events.after(c, 0, limit=3, run=1)),
    ("events.newest", "uq_events_seq", events.newest),
    ("events.oldest", "uq_events_seq", events.oldest),
    ("events.packages_ahead", "ix_events_unstamped", events.packages_ahead),
    (
        "history.page",
        "pk_state_tracking",
        lambda c: history.page(c, after=5, limit=3),
    ),
    (
        "history.page, of one subject",
        "ix_state_tracking_subject_type_subject_id_id",
        lambda c: history.page(c, SubjectType.PACKAGE, 1, after=5, limit=3),
    ),
    (
        "history.lasts_of",
        "ix_state_tracking_subject_type_subject_id_id",
        lambda c: history.lasts_of(c, SubjectType.PACKAGE, [1]),
    ),
    ("history.by_ids", "pk_state_tracking", lambda c: history.by_ids(c, [1])),
    ("runs.by_ids", "pk_build_runs", lambda c: runs.by_ids(c, [1])),
    ("runs.by_key", "uq_build_runs_idempotency_key", lambda c: runs.by_key(c, "k1")),
    ("runs.page", "pk_build_runs", lambda c: runs.page(c, limit=3)),
    ("runs.page, after a place", "pk_build_runs", lambda c: runs.page(c, limit=3, after=5)),
    ("runs.unfinished", "ix_build_runs_unfinished", runs.unfinished),
    ("runs.counts_of", "ix_build_status_run_id_status_conclusion", lambda c: runs.counts_of(c, [1])),
    ("builds.by_ids", "pk_build_status", lambda c: builds.by_ids(c, [1])),
    ("builds.latest_of", "ix_build_status_version_id_id", lambda c: builds.latest_of(c, [1])),
    ("builds.page", "pk_build_status", lambda c: builds.page(c, ALL, limit=3)),
    ("builds.page, after a place", "pk_build_status", lambda c: builds.page(c, ALL, after=9, limit=3)),
    (
        "builds.page, of a run",
        "ix_build_status_run_id_id",
        lambda c: builds.page(c, BuildFilter(run_id=5), after=9_999, limit=3),
    ),
    (
        "builds.page, of a run in a state",
        "ix_build_status_run_id_status_conclusion",
        lambda c: builds.count(c, BuildFilter(run_id=1, statuses=(BuildStatus.QUEUED,))),
    ),
    (
        "builds.page, of a package",
        "ix_build_status_package_id_id",
        lambda c: builds.page(c, BuildFilter(package="p1"), limit=3),
    ),
    (
        "builds.page, of a worker",
        "ix_build_status_worker",
        lambda c: builds.page(c, BuildFilter(worker="w1"), limit=3, backwards=True),
    ),
    (
        "builds.page, of some states",
        "ix_build_status_status_conclusion_id",
        lambda c: builds.page(c, BuildFilter(statuses=(BuildStatus.QUEUED, BuildStatus.RUNNING)), limit=3),
    ),
    (
        "builds.count, of a conclusion",
        "ix_build_status_status_conclusion_id",
        lambda c: builds.count(c, BuildFilter(conclusions=(BuildConclusion.FAILURE,))),
    ),
    (
        "builds.pages_of runs",
        "ix_build_status_run_id_id | ix_build_status_run_id_status_conclusion",
        lambda c: builds.pages_of(c, Owner.RUN, [1, 2], limit=3),
    ),
    (
        "builds.pages_of packages",
        "ix_build_status_package_id_id",
        lambda c: builds.pages_of(c, Owner.PACKAGE, [1, 2], limit=3, after=900),
    ),
    (
        "builds.counts_of packages",
        "ix_build_status_package_id_id",
        lambda c: builds.counts_of(c, Owner.PACKAGE, [1, 2]),
    ),
    (
        "waits.pages_of dependencies",
        "pk_build_dependencies",
        lambda c: waits.pages_of(c, Side.DEPENDENCIES, [2], limit=3),
    ),
    (
        "waits.pages_of dependents",
        "ix_build_dependencies_dependency_id_build_id",
        lambda c: waits.pages_of(c, Side.DEPENDENTS, [2], limit=3),
    ),
    (
        "waits.counts_of dependents",
        "ix_build_dependencies_dependency_id_build_id",
        lambda c: waits.counts_of(c, Side.DEPENDENTS, [2]),
    ),
    (
        "queue.is_any_ready",
        "ix_build_status_queue",
        lambda c: queue.is_any_ready(c, [{}], now=LATER),
    ),
    ("leases.held", "ix_build_status_leases", leases.held),
    ("flow.waiters", "pk_build_status", lambda c: flow.waiters(c, [1])),
    ("flow.names_of", "pk_build_status", lambda c: flow.names_of(c, [1])),
    (
        "flow.latest_of",
        "ix_state_tracking_subject_type_subject_id_id",
        lambda c: flow.latest_of(c, [1]),
    ),
    (
        "flow.dependents_of",
        "ix_build_dependencies_dependency_id_build_id",
        lambda c: flow.dependents_of(c, [1]),
    ),
    (
        "superseding.count_superseded",
        "ix_build_status_version_id_id",
        lambda c: superseding.count_superseded(c, [1]),
    ),
    (
        "flow.failed_dependencies",
        "pk_build_dependencies",
        lambda c: flow.failed_dependencies(c, [2]),
    ),
    ("flow.overtaken", "ix_build_status_version_id_id", lambda c: flow.overtaken(c, [1])),
    (
        "flow.of_package",
        "ix_build_status_package_id_id",
        lambda c: flow.of_package(c, 1, (BuildStatus.QUEUED,)),
    ),
    (
        "flow.of_run",
        "ix_build_status_run_id_status_conclusion | ix_build_status_run_id_id",
        lambda c: flow.of_run(c, 1, (BuildStatus.QUEUED,)),
    ),
    (
        "outputs.unchanged",
        "ix_build_status_version_id_id",
        lambda c: outputs.unchanged(c, [1]),
    ),
    ("durations.expected", "ix_build_status_package_id_id", lambda c: durations.expected(c, [1])),
    ("standings.idle", "ix_build_status_idle", standings.idle),
    (
        "flow.given_up_for",
        "ix_build_status_version_id_id | ix_build_status_status_conclusion_id",
        lambda c: flow.given_up_for(c, [1]),
    ),
    ("flow.better", "ix_build_status_version_id_id", lambda c: flow.better(c, 1)),
    ("standings.of_builds", "pk_build_status", lambda c: standings.of_builds(c, [1])),
    ("standings.in_the_way", "pk_build_dependencies", lambda c: standings.in_the_way(c, [2])),
    (
        "runs.unended",
        "ix_build_status_run_id_status_conclusion | ix_build_status_run_id_id",
        lambda c: runs.unended(c, 1, limit=1),
    ),
    ("runs.wanted_labels", "ix_build_runs_unfinished", runs.wanted_labels),
    (
        "attempts.of_request",
        "ix_build_attempts_request",
        lambda c: attempts.of_request(c, "w1", "r1"),
    ),
    (
        "attempts.of_lease",
        "uq_build_attempts_build_id_number",
        lambda c: attempts.of_lease(c, 1, 1),
    ),
    ("attempts.of_builds", "uq_build_attempts_build_id_number", lambda c: attempts.of_builds(c, [1])),
    ("logs.pages_of", "uq_build_logs_build_id_attempt_first_line", lambda c: logs.pages_of(c, [1], limit=3)),
    ("logs.length", "uq_build_logs_build_id_attempt_first_line", lambda c: logs.length(c, 1, 1)),
    ("artifacts.of_builds", "uq_artifacts_build_id_name", lambda c: artifacts.of_builds(c, [1])),
    ("workers.by_names", "uq_workers_name", lambda c: workers.by_names(c, ["w1"])),
    ("workers.seen_since", "ix_workers_last_seen_at", lambda c: workers.seen_since(c, LATER)),
    (
        "metrics.samples, of a name",
        "ix_performance_stats_name_bucket_seconds_at",
        lambda c: metrics.samples(c, "m1", since=NOW, until=LATER),
    ),
    (
        "metrics.samples, of all names",
        "ix_performance_stats_bucket_seconds_at",
        lambda c: metrics.samples(c, since=NOW, until=NOW),
    ),
    (
        "metrics.buckets",
        "ix_performance_stats_name_bucket_seconds_at",
        lambda c: metrics.buckets(c, "m1", since=NOW, until=LATER, seconds=60),
    ),
    (
        "metrics.buckets, of roll-ups",
        "ix_performance_stats_name_bucket_seconds_at",
        lambda c: metrics.buckets(c, "m1", since=NOW, until=LATER, seconds=60, resolution=60),
    ),
    (
        "metrics.sketches",
        "ix_performance_stats_name_bucket_seconds_at",
        lambda c: metrics.sketches(c, "m1", since=NOW, until=LATER),
    ),
    (
        "metrics.extent",
        "ix_performance_stats_bucket_seconds_at",
        lambda c: metrics.extent(c, 60),
    ),
    (
        "metrics.next_after",
        "ix_performance_stats_bucket_seconds_at",
        lambda c: metrics.next_after(c, 60, NOW),
    ),
    ("queue.depth", "ix_build_status_queue | ix_build_status_status_conclusion_id", queue.depth),
    ("error_groups.by_ids", "pk_error_groups", lambda c: error_groups.by_ids(c, [1])),
    (
        "error_groups.is_any_older",
        "ix_error_groups_last_seen_at_id",
        lambda c: error_groups.is_any_older(c, before=LATER),
    ),
    ("error_groups.page", "ix_error_groups_last_seen_at_id", lambda c: error_groups.page(c, limit=3)),
    (
        "error_groups.page, of a component",
        "ix_error_groups_component_last_seen_at_id",
        lambda c: error_groups.page(c, component="c1", limit=3, after=ErrorPlace(LATER, 5)),
    ),
    (
        "error_groups.count, of a component",
        "ix_error_groups_component_last_seen_at_id",
        lambda c: error_groups.count(c, component="c1"),
    ),
    ("alert_rules.by_ids", "pk_alert_rules", lambda c: alert_rules.by_ids(c, [1])),
    ("alert_rules.by_names", "uq_alert_rules_name", lambda c: alert_rules.by_names(c, ["r1"])),
    ("alerts.by_ids", "pk_alerts", lambda c: alerts.by_ids(c, [1])),
    ("alerts.page", "pk_alerts", lambda c: alerts.page(c, limit=3)),
    (
        "alerts.page, of some states",
        "ix_alerts_status_id",
        lambda c: alerts.page(c, states=(AlertState.FIRING,), limit=3),
    ),
    ("alerts.count, of some states", "ix_alerts_status_id", lambda c: alerts.count(c, states=_OPEN)),
    ("alerts.still_open", "ix_alerts_open", alerts.still_open),
    ("alerts.open_for", "ix_alerts_open", lambda c: alerts.open_for(c, 1, {"n": "1"})),
    ("alerts.ended", "ix_alerts_status_id", lambda c: alerts.ended(c, before=LATER, limit=3)),
    ("alerts.open_of", "ix_alerts_open", lambda c: alerts.open_of(c, 1)),
    ("alert_rules.lock", "pk_alert_rules", lambda c: alert_rules.lock(c, 1)),
    ("deliveries.due", "ix_webhook_notifications_waiting", lambda c: deliveries.due(c, each=3, now=LATER)),
    (
        "deliveries.due, in order",
        "ix_webhook_notifications_alert_id_id",
        lambda c: deliveries.due(c, each=3, now=LATER),
    ),
    (
        "deliveries.is_waiting",
        "ix_webhook_notifications_alert_id_id",
        lambda c: deliveries.is_waiting(c, 1),
    ),
    (
        "deliveries.of_alerts",
        "ix_webhook_notifications_alert_id_id",
        lambda c: deliveries.of_alerts(c, [1]),
    ),
    (
        "deliveries.of_alerts, their attempts",
        "uq_webhook_deliveries_notification_id_attempt",
        lambda c: deliveries.of_alerts(c, [1]),
    ),
    ("tokens.by_digest", "uq_api_tokens_digest", lambda c: tokens.by_digest(c, "d1")),
    ("tokens.by_name", "uq_api_tokens_name", lambda c: tokens.by_name(c, "t1")),
]


@pytest.fixture(scope="module")
def crowded(kept_database: Database) -> Iterator[Connection]:
    """A snapshot of a few thousand rows in every table, with the planner kept from what pays off for so few."""
    kept_database.write(crowd.fill)
    with kept_database.glance() as connection:
        if not is_sqlite(connection):
            connection.exec_driver_sql("VACUUM ANALYZE")
    with kept_database.read() as connection:
        if not is_sqlite(connection):
            for way in ("seqscan", "hashjoin", "mergejoin"):
                connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        yield connection


@pytest.mark.parametrize(
    ("index", "query"), [rest for _, *rest in _QUERIES], ids=[name for name, *_ in _QUERIES]
)
def test_no_query_walks_through_a_table(
    crowded: Connection, index: str, query: Callable[[Connection], object]
) -> None:
    plan = _plan(crowded, query)

    indexes = index.split(" | ")
    if is_sqlite(crowded):
        assert not plan or any(_seeks_by(crowded, each, plan) for each in indexes), "\n".join(plan)
    else:
        assert not _walks(plan), "\n".join(plan)
        assert any(_is_by(step, each) for each in indexes for step in plan), "\n".join(plan)


def _walks(plan: list[str]) -> bool:
    """Whether PostgreSQL reads all rows of a table, be it in the order of a key."""
    is_page = plan[0] == "Limit"
    steps = itertools.pairwise([*plan, ""])
    keys = [after for step, after in steps if " using pk_" in step or " using uq_" in step]
    return any("Seq Scan" in step for step in plan) or not (
        is_page or all("Index Cond" in step for step in keys)
    )


def _is_by(step: str, index: str) -> bool:
    return f" using {index} on " in step or step.endswith(f"Bitmap Index Scan on {index}")


def test_the_latest_versions_are_found_by_seeking(crowded: Connection) -> None:
    plan = _plan(crowded, lambda c: dependencies.edges(c, GraphScope.LATEST))

    seeks = [step for step in plan if any(f" {index} " in step for index in (_BY_KEY, _LATEST))]
    assert len(seeks) == 2, "\n".join(plan)


def test_the_queue_is_read_in_its_order_also_when_it_is_planned_for_any_values(crowded: Connection) -> None:
    """PostgreSQL does so with what is asked often, and then sees none of the parameters."""
    if is_sqlite(crowded):
        plan = _plan(crowded, lambda c: queue.ready(c, [{}], limit=3, now=LATER))
    else:
        numbers = itertools.count(1)
        text = re.sub(r"%\(\w+\)s", lambda _: f"${next(numbers)}", queue._READY._for(_POSTGRESQL).text)
        rows = crowded.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {text}")
        plan = [str(row[0]) for row in rows]

    assert any(" ix_build_status_queue " in step for step in plan), "\n".join(plan)
    assert not [step for step in plan if "Sort" in step or "TEMP B-TREE" in step], "\n".join(plan)


def _seeks_by(connection: Connection, index: str, plan: list[str]) -> bool:
    """Whether SQLite uses the index, and walks through no table but in the order asked for, as a limit cuts short."""
    known = _name_in_sqlite(connection, index)
    tables = {str(row[0]) for row in connection.exec_driver_sql("SELECT name FROM sqlite_master")}
    walks = [step for step in plan if step.startswith("SCAN") and step.split()[1] in tables]
    by_id = [step for step in walks if "USING" not in step]
    if "USE TEMP B-TREE FOR ORDER BY" in plan:
        return not walks and any(known in step for step in plan)
    return (
        walks == by_id != []
        if known == _ROWS and walks
        else not by_id and any(known in step for step in plan)
    )


def _name_in_sqlite(connection: Connection, index: str) -> str:
    """Return what SQLite calls an index: those of keys have no names of ours."""
    kind, _, rest = index.partition("_")
    if kind == "ix":
        return index
    for table in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars():
        for row in connection.exec_driver_sql(f"PRAGMA index_list({table})").all():
            columns = [info[2] for info in connection.exec_driver_sql(f"PRAGMA index_info({row[1]})").all()]
            if rest == (table if row[3] == "pk" else "_".join([table, *columns])):
                return str(row[1])
    return _ROWS


_ROWS: Final = "INTEGER PRIMARY KEY"


class _PlannedError(Exception):
    """Brings the plan of a statement, which was not run."""

    def __init__(self, plan: list[str]) -> None:
        super().__init__(plan)
        self.plan = plan


class _Planning:
    """A connection whose first statement is planned and not run."""

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect
        self.connection = self
        self._real = connection.connection.cursor()
        self._explain = "EXPLAIN QUERY PLAN" if is_sqlite(connection) else "EXPLAIN (COSTS OFF)"

    def cursor(self) -> "_Planning":
        return self

    def execute(self, text: str, parameters: Any) -> NoReturn:
        self._real.execute(f"{self._explain} {text}", parameters)
        raise _PlannedError([str(row[-1]).strip() for row in self._real.fetchall()])

    def close(self) -> None:
        self._real.close()


def _plan(connection: Connection, query: Callable[[Connection], object]) -> list[str]:
    """Return how the database would carry out the first statement of `query`, a line for each step."""
    try:
        query(cast(Connection, _Planning(connection)))
    except _PlannedError as planned:
        return planned.plan
    return []
