"""Whatever may be stored comes back as it went in, from every table of both databases."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel

from storage import (
    alert_rules,
    alerts,
    artifacts,
    attempts,
    builds,
    dependencies,
    error_groups,
    events,
    history,
    logs,
    metrics,
    packages,
    runs,
    tokens,
    versions,
    workers,
)
from storage.build_rows import ArtifactRow, AttemptRow, BuildRow
from storage.build_tables import ArtifactFields, BuildTrigger, CutEdge, LogFields, RunFields, WorkerFields
from storage.database import Connection, Database
from storage.events import Change
from storage.monitoring_rows import AlertRow, MetricRow
from storage.monitoring_tables import (
    ALL_SCOPES,
    BUCKETS,
    AlertRuleFields,
    AlertSeverity,
    Comparison,
    ErrorFields,
    MetricAggregate,
    MetricFields,
    TokenFields,
)
from storage.tables import ALL_KINDS, DependencyFields, EventKind, PackageFields, SubjectType, VersionFields
from storage.transitions import (
    REOPENED,
    AlertState,
    BuildConclusion,
    BuildStatus,
    PackageStatus,
    RunConclusion,
    VersionStatus,
)
from tests.storage.build_world import undone
from tests.storage.world import LATER, NOW

Fields = TypeVar("Fields", bound=SQLModel)

# A busy machine takes its time, and each example writes.
_settings = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])


def texts(longest: int = 30, shortest: int = 0) -> st.SearchStrategy[str]:
    """Give text of all that UTF-8 has but NUL: quotes, control characters, other planes."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=shortest, max_size=longest)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def one_of(choices: type[StrEnum]) -> st.SearchStrategy[Any]:
    return st.sampled_from(list(choices))


TITLES = texts(shortest=1)
LABELS = st.dictionaries(TITLES, texts(), max_size=4)
# Zones by offset: Python says of moments in the hour that a clock skips that they equal none.
ZONES = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30), timezones=ZONES)  # noqa: DTZ001
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.integers(1, 2**31 - 1)
BIG = st.integers(0, 2**63 - 1)
SECONDS = st.integers(1, 31_536_000)


def fields(kind: type[Fields], **values: st.SearchStrategy[Any]) -> st.SearchStrategy[Fields]:
    """Give what comes from outside, checked as that is."""
    assert values.keys() == kind.model_fields.keys()
    return st.fixed_dictionaries(values).map(kind.model_validate)


def content(row: msgspec.Struct, like: SQLModel) -> dict[str, Any]:
    """Return what `row` has of the fields of `like`."""
    return {name: getattr(row, name) for name in type(like).model_fields}


PACKAGES = fields(
    PackageFields,
    name=TITLES,
    description=texts(),
    status=one_of(PackageStatus),
    status_reason=maybe(texts()),
    labels=LABELS,
)
VERSIONS = fields(
    VersionFields,
    version=TITLES,
    sort_key=st.binary(min_size=1, max_size=20),
    is_prerelease=st.booleans(),
    status=one_of(VersionStatus),
    status_reason=maybe(texts()),
    released_at=maybe(MOMENTS),
    digest=maybe(texts()),
    labels=LABELS,
)
DEPENDENCIES = fields(
    DependencyFields,
    package_name=TITLES,
    constraint=texts(),
    kinds=st.integers(1, ALL_KINDS),
    optional=st.booleans(),
    marker=maybe(texts()),
)
RUNS = fields(
    RunFields,
    trigger=one_of(BuildTrigger),
    priority=st.integers(-1_000_000, 1_000_000),
    max_attempts=st.integers(1, 100),
    timeout_seconds=SECONDS,
    labels=LABELS,
    worker_labels=LABELS,
    idempotency_key=maybe(TITLES),
    kinds=st.integers(1, ALL_KINDS),
    include_optional=st.booleans(),
)
EDGES = st.builds(CutEdge, texts(), texts(), st.integers(1, ALL_KINDS), st.booleans())
LOGS = st.lists(texts().map(lambda text: text.replace("\n", " ")), min_size=1, max_size=4)
ARTIFACTS = fields(ArtifactFields, name=TITLES, uri=TITLES, digest=maybe(texts()), size_bytes=maybe(BIG))
METRICS = fields(MetricFields, name=TITLES, unit=texts(), labels=LABELS, at=MOMENTS, value=FLOATS)
ERRORS = fields(
    ErrorFields, fingerprint=TITLES, code=TITLES, component=TITLES, message=texts(), sample=texts()
)
RULES = fields(
    AlertRuleFields,
    name=TITLES,
    metric=TITLES,
    labels=LABELS,
    aggregate=one_of(MetricAggregate),
    comparison=one_of(Comparison),
    threshold=FLOATS,
    window_seconds=SECONDS,
    for_seconds=st.integers(0, 31_536_000),
    severity=one_of(AlertSeverity),
    enabled=st.booleans(),
    webhook=maybe(TITLES),
    webhook_secret=maybe(TITLES),
)
TOKENS = fields(TokenFields, name=TITLES, scopes=st.integers(1, ALL_SCOPES), expires_at=maybe(MOMENTS))


@_settings
@given(PACKAGES, MOMENTS)
def test_packages_and_their_first_state(kept_database: Database, given: PackageFields, now: datetime) -> None:
    def operation(connection: Connection) -> tuple[Any, Any]:
        id_ = next(packages.ids(connection))
        packages.insert(connection, [(id_, given)], now=now)
        (state,) = history.page(connection, SubjectType.PACKAGE, id_, limit=2)
        return packages.by_ids(connection, [id_])[id_], state

    row, state = undone(kept_database, operation)

    assert content(row, given) == given.model_dump()
    assert row.created_at == row.updated_at == now
    assert row.created_at.tzinfo is UTC
    assert (state.target, state.reason, state.at) == (given.status, given.status_reason, now)


@_settings
@given(
    VERSIONS, st.lists(DEPENDENCIES, max_size=12, unique_by=lambda need: (need.package_name, need.constraint))
)
def test_versions_and_their_dependencies(
    kept_database: Database, given: VersionFields, needs: list[DependencyFields]
) -> None:
    def operation(connection: Connection) -> tuple[Any, Any]:
        package = add_package(connection)
        id_ = next(versions.ids(connection))
        versions.insert(connection, [(id_, package, given)], now=NOW)
        ids = dependencies.ids(connection)
        dependencies.insert(connection, [(next(ids), id_, place, need) for place, need in enumerate(needs)])
        found = dependencies.of_versions(connection, [id_])[id_]
        return versions.by_ids(connection, [id_])[id_], found

    row, found = undone(kept_database, operation)

    assert content(row, given) == given.model_dump()
    assert [content(row, need) for row, need in zip(found, needs, strict=True)] == [
        need.model_dump() for need in needs
    ]


@_settings
@given(
    st.builds(
        Change,
        one_of(EventKind),
        one_of(SubjectType),
        BIG,
        package=maybe(TITLES),
        version=maybe(TITLES),
        run_id=maybe(BIG),
        transition_id=maybe(BIG),
    ),
    MOMENTS,
)
def test_events(kept_database: Database, change: Change, at: datetime) -> None:
    def operation(connection: Connection) -> Any:
        events.append(connection, [change], at=at)
        # As the sequencer would, where there is one.
        connection.exec_driver_sql("UPDATE events SET seq = id WHERE seq IS NULL")
        (row,) = events.after(connection, 0, limit=2)
        return row

    row = undone(kept_database, operation)

    names = Change.__struct_fields__
    assert [getattr(row, name) for name in names] == [getattr(change, name) for name in names]
    assert row.at == at


@_settings
@given(RUNS, st.lists(EDGES, max_size=3), maybe(one_of(RunConclusion)), MOMENTS)
def test_runs(
    kept_database: Database,
    given: RunFields,
    edges: list[CutEdge],
    conclusion: RunConclusion | None,
    now: datetime,
) -> None:
    def operation(connection: Connection) -> Any:
        id_ = next(runs.ids(connection))
        runs.insert(connection, id_, given, cut_edges=edges, conclusion=conclusion, now=now)
        return runs.by_ids(connection, [id_])[id_]

    row = undone(kept_database, operation)

    assert content(row, given) == given.model_dump()
    assert (row.cut_edges, row.conclusion, row.created_at) == (edges, conclusion, now)


BUILDS = st.builds(
    BuildRow,
    id=st.integers(1, 2**63 - 1),
    run_id=st.just(0),
    package_id=st.just(0),
    version_id=st.just(0),
    status=st.just(BuildStatus.QUEUED),
    trigger=one_of(BuildTrigger),
    created_at=MOMENTS,
    updated_at=MOMENTS,
    status_reason=maybe(texts()),
    attempt=POSITIVE,
    max_attempts=POSITIVE,
    priority=st.integers(-(2**31), 2**31 - 1),
    remaining_seconds=st.floats(0, allow_infinity=False),
    expected_seconds=maybe(st.floats(0, allow_infinity=False)),
    worker=maybe(TITLES),
    worker_labels=LABELS,
    timeout_seconds=POSITIVE,
    not_before=maybe(MOMENTS),
    lease_token=BIG,
    waiting_for=POSITIVE,
    row_version=BIG,
    queued_at=maybe(MOMENTS),
    started_at=maybe(MOMENTS),
    completed_at=maybe(MOMENTS),
    output_digest=maybe(texts()),
    message=maybe(texts()),
)


@_settings
@given(BUILDS, maybe(st.sampled_from(REOPENED)))
def test_builds(kept_database: Database, given: BuildRow, conclusion: BuildConclusion | None) -> None:
    def operation(connection: Connection) -> tuple[BuildRow, BuildRow]:
        run, package, version = add_run(connection), *add_version(connection)
        planned = msgspec.structs.replace(given, run_id=run, package_id=package, version_id=version)
        if conclusion is not None:
            ended = {"status": BuildStatus.COMPLETED, "conclusion": conclusion}
            planned = msgspec.structs.replace(planned, **ended)
        builds.insert(connection, [planned])
        return planned, builds.by_ids(connection, [given.id])[given.id]

    planned, row = undone(kept_database, operation)

    assert row == planned


@_settings
@given(BIG, maybe(MOMENTS), maybe(MOMENTS), maybe(one_of(BuildConclusion)), maybe(texts()), TITLES)
def test_attempts(
    kept_database: Database,
    token: int,
    started_at: datetime | None,
    completed_at: datetime | None,
    conclusion: BuildConclusion | None,
    message: str | None,
    worker: str,
) -> None:
    def operation(connection: Connection) -> tuple[AttemptRow, list[AttemptRow]]:
        build = add_build(connection)
        given = AttemptRow(build, 1, worker, token, started_at, completed_at, conclusion, message)
        attempts.insert(connection, [given])
        return given, attempts.of_builds(connection, [build])[build]

    given, rows = undone(kept_database, operation)

    assert rows == [given]


@_settings
@given(LOGS, MOMENTS)
def test_logs(kept_database: Database, lines: list[str], now: datetime) -> None:
    def operation(connection: Connection) -> list[Any]:
        build = add_build(connection)
        batch = LogFields(first_line=0, line_count=len(lines), text="\n".join(lines))
        logs.append(connection, build, 1, [batch], now=now)
        return logs.pages_of(connection, [build], limit=99)[build]

    found = undone(kept_database, operation)

    assert [(line.number, line.at, line.text) for line in found] == [
        (number, now, text) for number, text in enumerate(lines)
    ]


@_settings
@given(st.lists(ARTIFACTS, max_size=3, unique_by=lambda artifact: artifact.name))
def test_artifacts(kept_database: Database, given: list[ArtifactFields]) -> None:
    def operation(connection: Connection) -> list[ArtifactRow]:
        build = add_build(connection)
        artifacts.put(connection, build, 1, given)
        return artifacts.of_builds(connection, [build])[build]

    rows = undone(kept_database, operation)

    assert [content(row, like) for row, like in zip(rows, given, strict=True)] == [
        each.model_dump() for each in given
    ]


@_settings
@given(fields(WorkerFields, name=TITLES, labels=LABELS), MOMENTS)
def test_workers(kept_database: Database, given: WorkerFields, now: datetime) -> None:
    def operation(connection: Connection) -> Any:
        workers.seen(connection, given, now=now)
        return workers.by_names(connection, [given.name])[given.name]

    row = undone(kept_database, operation)

    assert content(row, given) == given.model_dump()
    assert row.last_seen_at == now


_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@_settings
@given(st.lists(METRICS, max_size=12))
def test_samples(kept_database: Database, given: list[MetricFields]) -> None:
    def operation(connection: Connection) -> list[MetricRow]:
        metrics.insert(connection, given)
        return metrics.samples(connection, since=_FIRST, until=_LAST)

    rows = undone(kept_database, operation)

    expected = sorted(given, key=lambda metric: metric.at)
    assert rows == [
        MetricRow(m.name, m.unit, m.labels, m.at, 0, 1, m.value, m.value, m.value) for m in expected
    ]


@_settings
@given(
    st.builds(
        MetricRow,
        TITLES,
        texts(),
        LABELS,
        MOMENTS,
        st.sampled_from(BUCKETS),
        st.integers(1, 2**63 - 1),
        FLOATS,
        FLOATS,
        FLOATS,
        maybe(st.binary()),
    )
)
def test_roll_ups(kept_database: Database, given: MetricRow) -> None:
    def operation(connection: Connection) -> list[MetricRow]:
        metrics.roll_up(connection, [given])
        resolution = given.bucket_seconds
        return metrics.samples(connection, given.name, since=_FIRST, until=_LAST, resolution=resolution)

    assert undone(kept_database, operation) == [given]


@_settings
@given(ERRORS, MOMENTS)
def test_error_groups(kept_database: Database, given: ErrorFields, now: datetime) -> None:
    def operation(connection: Connection) -> Any:
        error_groups.record(connection, [given], now=now)
        (row,) = error_groups.page(connection, limit=2)
        return row

    row = undone(kept_database, operation)

    assert content(row, given) == given.model_dump()
    assert (row.count, row.first_seen_at, row.last_seen_at) == (1, now, now)


@_settings
@given(RULES, MOMENTS)
def test_rules(kept_database: Database, given: AlertRuleFields, now: datetime) -> None:
    def operation(connection: Connection) -> Any:
        alert_rules.put(connection, given, now=now)
        return alert_rules.by_names(connection, [given.name])[given.name]

    row = undone(kept_database, operation)

    assert content(row, given) == given.model_dump()
    assert row.created_at == now


ALERTS = st.builds(
    AlertRow,
    id=st.integers(1, 2**63 - 1),
    rule_id=st.just(0),
    status=st.sampled_from([AlertState.PENDING, AlertState.FIRING]),
    severity=one_of(AlertSeverity),
    value=FLOATS,
    labels=LABELS,
    message=texts(),
    started_at=MOMENTS,
    created_at=MOMENTS,
    updated_at=MOMENTS,
    blocked_builds=maybe(POSITIVE),
    status_reason=maybe(texts()),
    acknowledged_at=maybe(MOMENTS),
    resolved_at=maybe(MOMENTS),
)


@_settings
@given(RULES, ALERTS)
def test_alerts(kept_database: Database, rule: AlertRuleFields, given: AlertRow) -> None:
    def operation(connection: Connection) -> tuple[AlertRow, AlertRow | None]:
        alert_rules.put(connection, rule, now=NOW)
        owner = alert_rules.by_names(connection, [rule.name])[rule.name].id
        alert = msgspec.structs.replace(given, rule_id=owner)
        alerts.insert(connection, [alert])
        return alert, alerts.open_for(connection, owner, given.labels)

    alert, row = undone(kept_database, operation)

    assert row == alert


@_settings
@given(TOKENS, TITLES, MOMENTS)
def test_tokens(kept_database: Database, given: TokenFields, digest: str, now: datetime) -> None:
    def operation(connection: Connection) -> Any:
        tokens.insert(connection, given, digest=digest, now=now)
        return tokens.by_digest(connection, digest)

    row = undone(kept_database, operation)

    assert content(row, given) == given.model_dump()
    assert row.created_at == now


def add_package(connection: Connection) -> int:
    id_ = next(packages.ids(connection))
    packages.insert(connection, [(id_, PackageFields(name="app"))], now=NOW)
    return id_


def add_version(connection: Connection) -> tuple[int, int]:
    package, id_ = add_package(connection), next(versions.ids(connection))
    version = VersionFields(version="1", sort_key=b"1", is_prerelease=False)
    versions.insert(connection, [(id_, package, version)], now=NOW)
    return package, id_


def add_run(connection: Connection) -> int:
    id_ = next(runs.ids(connection))
    runs.insert(connection, id_, RunFields(), now=NOW)
    return id_


def add_build(connection: Connection) -> int:
    run, package, version = add_run(connection), *add_version(connection)
    id_ = next(builds.ids(connection))
    row = BuildRow(id_, run, package, version, BuildStatus.QUEUED, BuildTrigger.NEW, NOW, LATER)
    builds.insert(connection, [row])
    return id_
