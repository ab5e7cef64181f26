"""Rows of all that has a life cycle, written and moved past the application: straight into the tables."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlmodel import SQLModel

from storage.build_tables import (
    BUILD_DEPENDENCIES,
    BUILDS,
    RUNS,
    Artifact,
    Attempt,
    Build,
    BuildTrigger,
    Log,
    Run,
    Worker,
)
from storage.monitoring_tables import (
    ALERTS,
    Alert,
    AlertRule,
    AlertSeverity,
    Comparison,
    Delivery,
    ErrorGroup,
    Metric,
    Notification,
    Token,
)
from storage.tables import (
    PACKAGES,
    VERSIONS,
    Dependency,
    Event,
    EventKind,
    Package,
    PackageVersion,
    SubjectType,
)
from storage.transitions import LEASED, AlertState, BuildConclusion, BuildStatus, RunConclusion
from tests.storage import drawn
from tests.storage.world import LATER, NOW

_numbers: Final = itertools.count(1)
_TIMES: Final[dict[str, Any]] = {"created_at": NOW, "updated_at": NOW}


def add(connection: Connection, row: SQLModel, **values: object) -> int:
    """Write a row, with some values of its own, and return its id."""
    table: Table = row.metadata.tables[row.__tablename__]  # type: ignore[index] # a table's name, not a method
    given = {**row.model_dump(exclude={"id"}), **values}
    return int(connection.execute(table.insert().values(**given)).inserted_primary_key[0])  # type: ignore[index]


def package(connection: Connection, **values: object) -> int:
    """Write a package."""
    return add(connection, Package(name=f"p{next(_numbers)}", **_TIMES), **values)


def version(connection: Connection, **values: object) -> int:
    """Write a version of a new package."""
    owner = package(connection)
    row = PackageVersion(version="1", sort_key=b"1", is_prerelease=False, package_id=owner, **_TIMES)
    return add(connection, row, **values)


def run(connection: Connection, **values: object) -> int:
    """Write a run."""
    return add(connection, Run(**_TIMES), **values)


def build(connection: Connection, **values: object) -> int:
    """Write a build, of a new version in a new run."""
    built = version(connection)
    owner = connection.execute(VERSIONS.select().where(VERSIONS.c.id == built)).one().package_id
    row = Build(
        run_id=run(connection),
        package_id=owner,
        version_id=built,
        status=BuildStatus.QUEUED,
        trigger=BuildTrigger.NEW,
        **_TIMES,
    )
    return add(connection, row, **values)


def rule(connection: Connection, **values: object) -> int:
    """Write an alert rule."""
    name = f"r{next(_numbers)}"
    row = AlertRule(name=name, metric="m", comparison=Comparison.GT, threshold=1.0, **_TIMES)
    return add(connection, row, **values)


def alert(connection: Connection, **values: object) -> int:
    """Write an alert, of a new rule."""
    row = Alert(
        rule_id=rule(connection),
        status=AlertState.PENDING,
        severity=AlertSeverity.WARNING,
        value=2.0,
        message="",
        started_at=NOW,
        **_TIMES,
    )
    return add(connection, row, **values)


def notification(connection: Connection, **values: object) -> int:
    """Write what is to be told of a new alert."""
    row = Notification(alert_id=alert(connection), body="{}", due_at=NOW, created_at=NOW)
    return add(connection, row, **values)


def delivery(connection: Connection, **values: object) -> int:
    """Write an attempt at telling of a new alert."""
    row = Delivery(notification_id=notification(connection), attempt=1, at=NOW, delivered=False)
    return add(connection, row, **values)


def metric(connection: Connection, **values: object) -> int:
    """Write all of a minute."""
    row = Metric(
        name="m",
        at=NOW,
        bucket_seconds=60,
        total=1.0,
        minimum=1.0,
        maximum=1.0,
        labels={"n": str(next(_numbers))},
    )
    return add(connection, row, **values)


def error(connection: Connection, **values: object) -> int:
    """Write an error group."""
    fingerprint = f"f{next(_numbers)}"
    row = ErrorGroup(
        fingerprint=fingerprint, code="E", component="c", message="", first_seen_at=NOW, last_seen_at=NOW
    )
    return add(connection, row, **values)


def token(connection: Connection, **values: object) -> int:
    """Write a token."""
    number = next(_numbers)
    return add(connection, Token(name=f"t{number}", digest=f"d{number}", **_TIMES), **values)


def worker(connection: Connection, **values: object) -> int:
    """Write a worker."""
    return add(connection, Worker(name=f"w{next(_numbers)}", last_seen_at=NOW, **_TIMES), **values)


def attempt(connection: Connection, **values: object) -> int:
    """Write the first attempt of a new build."""
    row = Attempt(build_id=build(connection), number=1, worker="w", lease_token=1)
    return add(connection, row, **values)


def log(connection: Connection, **values: object) -> int:
    """Write a line of the log of a new build."""
    row = Log(build_id=build(connection), attempt=1, first_line=0, line_count=1, text="…", at=NOW)
    return add(connection, row, **values)


def artifact(connection: Connection, **values: object) -> int:
    """Write an artifact of a new build."""
    row = Artifact(build_id=build(connection), attempt=1, name="a", uri="file:///a", size_bytes=1)
    return add(connection, row, **values)


def dependency(connection: Connection, **values: object) -> int:
    """Write a dependency of a new version."""
    row = Dependency(version_id=version(connection), package_name="x", position=0)
    return add(connection, row, **values)


def wait(connection: Connection, build_id: int, dependency_id: int) -> None:
    """Have one build wait for another."""
    connection.execute(BUILD_DEPENDENCIES.insert().values(build_id=build_id, dependency_id=dependency_id))


def event(connection: Connection, **values: object) -> int:
    """Write an event."""
    row = Event(
        seq=next(_numbers), at=NOW, kind=EventKind.RUN_CHANGED, subject_type=SubjectType.RUN, subject_id=1
    )
    return add(connection, row, **values)


WRITERS: Final[dict[str, Callable[..., int]]] = {
    "packages": package,
    "package_versions": version,
    "dependencies": dependency,
    "events": event,
    "build_runs": run,
    "build_status": build,
    "build_attempts": attempt,
    "build_logs": log,
    "artifacts": artifact,
    "workers": worker,
    "performance_stats": metric,
    "error_groups": error,
    "alert_rules": rule,
    "alerts": alert,
    "webhook_notifications": notification,
    "webhook_deliveries": delivery,
    "api_tokens": token,
}
"""What writes a row of each table that the application writes by id, with all else that it needs."""


def in_status(table: Table, status: str) -> dict[str, Any]:
    """Return the columns that go with a status."""
    values: dict[str, Any] = {"status": status}
    if table is RUNS:
        values["conclusion"] = RunConclusion.SUCCESS if status == "COMPLETED" else None
    if table is BUILDS:
        values["conclusion"] = BuildConclusion.DEP_FAILED if status == "COMPLETED" else None
        values["worker"] = "w" if status in LEASED else None
        values["lease_expires_at"] = LATER if status in LEASED else None
    return values


def set_status(connection: Connection, table: Table, id: int, status: str, **values: object) -> None:
    """Move a row, with whatever goes with its new status."""
    everything = {**in_status(table, status), **values}
    connection.execute(table.update().where(table.c.id == id).values(**everything))


@dataclass(frozen=True)
class Subject:
    """A kind of things with a life cycle."""

    type: SubjectType
    table: Table
    add: Callable[..., int]
    drawing: drawn.Drawing

    @property
    def statuses(self) -> list[str]:
        """All that there are, in the order of the column's CHECK."""
        return list(self.table.c.status.type.enums)  # type: ignore[attr-defined] # it is an Enum

    @property
    def moves(self) -> set[tuple[str, str]]:
        """Each move that the design allows."""
        return {
            (origin, target) for origin, _, target in (m.partition(">") for m in self.drawing.moves.split())
        }

    def way_to(self, status: str) -> list[str]:
        """Return one way from a beginning to `status`, both included."""
        ways = [[beginning] for beginning in self.drawing.beginnings.split()]
        return next(way for way in self._longer(ways) if way[-1] == status)

    def _longer(self, ways: list[list[str]]) -> Iterator[list[str]]:
        while ways:
            yield from ways
            ways = [
                [*way, target] for way in ways for origin, target in sorted(self.moves) if origin == way[-1]
            ]

    def add_in(self, connection: Connection, status: str) -> int:
        """Write one that has come to be in `status`, an hour for each step after NOW."""
        first, *others = self.way_to(status)
        id_ = self.add(connection, **in_status(self.table, first))
        for hour, other in enumerate(others, 1):
            set_status(connection, self.table, id_, other, updated_at=NOW + timedelta(hours=hour))
        return id_


SUBJECTS: Final = [
    Subject(SubjectType.PACKAGE, PACKAGES, package, drawn.PACKAGE),
    Subject(SubjectType.VERSION, VERSIONS, version, drawn.VERSION),
    Subject(SubjectType.BUILD, BUILDS, build, drawn.BUILD),
    Subject(SubjectType.RUN, RUNS, run, drawn.RUN),
    Subject(SubjectType.ALERT, ALERTS, alert, drawn.ALERT),
]
