"""A few thousand rows in every table, so that planners have something to choose."""

from datetime import timedelta
from typing import Final

from storage import (
    alert_rules,
    alerts,
    artifacts,
    attempts,
    builds,
    deliveries,
    dependencies,
    error_groups,
    events,
    logs,
    metrics,
    packages,
    runs,
    tokens,
    versions,
    waits,
    workers,
)
from storage.build_rows import AttemptRow
from storage.build_tables import ArtifactFields, LogFields, RunFields, WorkerFields
from storage.database import Connection
from storage.events import Change
from storage.monitoring_rows import AlertRow, MetricRow
from storage.monitoring_tables import (
    AlertRuleFields,
    AlertSeverity,
    Comparison,
    ErrorFields,
    MetricFields,
    TokenFields,
)
from storage.tables import EventKind, PackageFields, SubjectType, VersionFields
from storage.transitions import AlertState
from tests.storage.build_world import planned
from tests.storage.world import NOW, needs

PACKAGES: Final = 1_000
RUNS: Final = 40
BUILDS: Final = 250
RULES: Final = 30
ALERTS: Final = 100
MANY: Final = 2_000

_IDS: Final = range(1, PACKAGES + 1)
_MINUTES: Final = [NOW + timedelta(minutes=n) for n in range(MANY)]


def fill(connection: Connection) -> None:
    """Write packages with one version each, runs that build some of them, and as much of everything else."""
    _catalogue(connection)
    _builds(connection)
    _monitoring(connection)


def _catalogue(connection: Connection) -> None:
    for id_, now in zip(_IDS, _MINUTES, strict=False):
        packages.insert(connection, [(id_, PackageFields(name=f"p{id_}"))], now=now)
    version = VersionFields(version="1", sort_key=b"1", is_prerelease=False)
    versions.insert(connection, [(id_, id_, version) for id_ in _IDS], now=NOW)
    rows = [(id_, id_, 0, needs(f"p{id_ * 7 % PACKAGES + 1}", ">=1")) for id_ in _IDS]
    dependencies.insert(connection, rows)
    kind, subject = EventKind.BUILD_CHANGED, SubjectType.BUILD
    changes = [Change(kind, subject, n, package=f"p{n % PACKAGES}", run_id=n % 100) for n in range(MANY)]
    events.append(connection, changes, at=NOW)


def _builds(connection: Connection) -> None:
    for run in range(1, RUNS + 1):
        runs.insert(connection, run, RunFields(idempotency_key=f"k{run}"), now=NOW)
    numbers = [(run, (run - 1) * BUILDS + n) for run in range(1, RUNS + 1) for n in range(1, BUILDS + 1)]
    builds.insert(
        connection,
        [
            planned(build, run, (build % PACKAGES + 1,) * 2, worker=f"w{build % 100}")
            for run, build in numbers
        ],
    )
    connection.exec_driver_sql(
        "UPDATE build_status SET status = 'COMPLETED', conclusion = 'SUCCESS' WHERE id > 10"
    )
    connection.exec_driver_sql(
        "UPDATE build_runs SET status = 'COMPLETED', conclusion = 'SUCCESS' WHERE id > 1"
    )
    some = range(1, MANY + 1)
    waits.insert(connection, [(build + 1, build) for build in some])
    attempts.insert(connection, [AttemptRow(build, 1, "w", 1) for build in some])
    for build in some:
        batch = LogFields(first_line=0, line_count=1, text="…")
        logs.append(connection, build, 1, [batch], now=NOW)
        artifacts.put(connection, build, 1, [ArtifactFields(name="wheel", uri="file:///1")])
    for number, now in enumerate(_MINUTES[:PACKAGES]):
        workers.seen(connection, WorkerFields(name=f"w{number}"), now=now)


def _monitoring(connection: Connection) -> None:
    samples = [MetricFields(name=f"m{n % 100}", value=n, at=at) for n, at in enumerate(_MINUTES)]
    metrics.insert(connection, samples)
    figures = (1, 1.0, 1.0, 1.0)
    metrics.roll_up(
        connection, (MetricRow(f"m{n % 100}", "", {}, at, 60, *figures) for n, at in enumerate(_MINUTES))
    )
    for number, now in enumerate(_MINUTES):
        component = f"c{number % 100}"
        fault = ErrorFields(fingerprint=f"f{number}", code="E", component=component, message="")
        error_groups.record(connection, [fault], now=now)
    for number in range(RULES):
        rule = AlertRuleFields(name=f"r{number}", metric="m", comparison=Comparison.GT, threshold=1)
        alert_rules.put(connection, rule, now=NOW)
    warning, pending = AlertSeverity.WARNING, AlertState.PENDING
    alerts.insert(
        connection,
        [
            AlertRow(number * ALERTS + n + 1, rule, pending, warning, 1, {"n": str(n)}, "", NOW, NOW, NOW)
            for number, rule in enumerate(row.id for row in alert_rules.all_rules(connection))
            for n in range(ALERTS)
        ],
    )
    connection.exec_driver_sql("UPDATE alerts SET status = 'RESOLVED' WHERE length(labels) > 9")
    for id_ in range(1, MANY + 1):
        deliveries.add(connection, id_, "{}", now=_MINUTES[id_ - 1])
    for waiting in deliveries.due(connection, each=MANY, now=_MINUTES[-1]):
        deliveries.log(connection, waiting.id, attempt=1, delivered=True, status=200, message=None, now=NOW)
    connection.exec_driver_sql("UPDATE webhook_notifications SET outcome = 'DELIVERED' WHERE id > 200")
    for number in range(PACKAGES):
        tokens.insert(connection, TokenFields(name=f"t{number}"), digest=f"d{number}", now=NOW)
