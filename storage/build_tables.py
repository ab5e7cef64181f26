"""The tables of runs, their builds, and what builds leave behind."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Dialect,
    Double,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

from storage.columns import (
    ID,
    MAX_SECONDS,
    Base,
    Digest,
    Labels,
    LabelsType,
    LogText,
    Prose,
    Title,
    Uri,
    UtcDateTime,
    choice,
    identity,
    reference,
    where,
)
from storage.tables import ALL_KINDS
from storage.transitions import LEASED, BuildConclusion, BuildStatus, RunConclusion, RunStatus

MAX_ATTEMPTS: Final = 100
MAX_PRIORITY: Final = 1_000_000


class BuildTrigger(StrEnum):
    """Why a build was asked for."""

    NEW = "NEW"
    SOURCE_CHANGE = "SOURCE_CHANGE"
    DEPENDENCY_CHANGE = "DEPENDENCY_CHANGE"
    RETRY = "RETRY"
    MANUAL = "MANUAL"


class CutEdge(NamedTuple):
    """A dependency that a run left out to order a cycle; `kinds` are the bits of `tables.Kind`."""

    dependent: str
    dependency: str
    kinds: int
    optional: bool


class CutEdgesType(TypeDecorator[list[CutEdge]]):
    """Edges as JSON text: a list of lists."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[CutEdge] | None, _dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(list(value)).decode()

    def process_result_value(self, value: str | None, _dialect: Dialect) -> list[CutEdge]:
        return [] if value is None or value == "[]" else _CUT_EDGES.decode(value)


_CUT_EDGES: Final = msgspec.json.Decoder(list[CutEdge])


def _default(value: object) -> dict[str, Any]:
    """Return the options of a column that rows from before it was there have this value in."""
    return {"server_default": text(str(value))}


# A CHECK that holds of runs and builds alike.
_CONCLUDED: Final = "(status = 'COMPLETED') = (conclusion IS NOT NULL)"


class RunFields(Base):
    """How a run was asked for."""

    trigger: BuildTrigger = Field(default=BuildTrigger.MANUAL, sa_type=choice(BuildTrigger, "trigger"))
    priority: int = Field(default=0, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    max_attempts: int = Field(default=3, ge=1, le=MAX_ATTEMPTS)
    timeout_seconds: int = Field(default=3_600, ge=1, le=MAX_SECONDS)
    labels: Labels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)
    worker_labels: Labels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)
    idempotency_key: Title | None = Field(default=None, sa_type=Text)
    kinds: int = Field(default=ALL_KINDS, ge=1, le=ALL_KINDS, sa_column_kwargs=_default(ALL_KINDS))
    """Bits of `tables.Kind`: the dependencies that its plan followed."""
    include_optional: bool = Field(default=False, sa_column_kwargs=_default("false"))


class Run(RunFields, table=True):
    """Builds that were started together."""

    __tablename__ = "build_runs"
    __table_args__ = (
        UniqueConstraint("idempotency_key"),  # runs.by_key
        CheckConstraint(_CONCLUDED, name="concluded"),
        CheckConstraint("max_attempts >= 1", name="max_attempts"),
        CheckConstraint("timeout_seconds >= 1", name="timeout_seconds"),
        # runs.unfinished, runs.wanted_labels
        Index("ix_build_runs_unfinished", "id", **where("status <> 'COMPLETED'")),
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    status: RunStatus = Field(default=RunStatus.RUNNING, sa_type=choice(RunStatus, "status"))
    conclusion: RunConclusion | None = Field(default=None, sa_type=choice(RunConclusion, "conclusion"))
    status_reason: Prose | None = Field(default=None, sa_type=Text)
    cut_edges: list[CutEdge] = Field(default_factory=list, sa_type=CutEdgesType, nullable=False)
    created_at: datetime = Field(sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: Title | None = Field(default=None, sa_type=Text)


class ReportFields(Base):
    """What a worker says of a build."""

    output_digest: Digest | None = Field(default=None, sa_type=Text)
    message: Prose | None = Field(default=None, sa_type=Text)


_LEASED: Final = ", ".join(f"'{status}'" for status in LEASED)


class Build(ReportFields, table=True):
    """The build of one version in one run."""

    __tablename__ = "build_status"
    __table_args__ = (
        UniqueConstraint("run_id", "version_id"),  # one build a run and version
        CheckConstraint(_CONCLUDED, name="concluded"),
        CheckConstraint(f"(status IN ({_LEASED})) = (lease_expires_at IS NOT NULL)", name="lease"),
        CheckConstraint(f"status NOT IN ({_LEASED}) OR worker IS NOT NULL", name="held"),
        CheckConstraint("attempt >= 0", name="attempt"),
        CheckConstraint("max_attempts >= 1", name="max_attempts"),
        CheckConstraint("timeout_seconds >= 1", name="timeout_seconds"),
        CheckConstraint("remaining_seconds >= 0", name="remaining_seconds"),
        CheckConstraint("expected_seconds >= 0", name="expected_seconds"),
        CheckConstraint("lease_token >= 0", name="lease_token"),
        CheckConstraint("waiting_for >= 0", name="waiting_for"),
        CheckConstraint("row_version >= 0", name="row_version"),
        # leases.held
        Index("ix_build_status_leases", "lease_expires_at", **where("lease_expires_at IS NOT NULL")),
        # standings.idle: there are hardly ever any
        Index(
            "ix_build_status_idle",
            "status",
            "waiting_for",
            "id",
            **where("status = 'BLOCKED' AND waiting_for = 0"),
        ),
        Index(None, "version_id", "id"),  # builds.latest_of, flow.overtaken, outputs.unchanged
        Index(
            None, "package_id", "id"
        ),  # builds.page, pages_of and counts_of, of packages; durations.expected
        Index(None, "run_id", "id"),  # builds.page, pages_of and counts_of, of runs
        Index(None, "run_id", "status", "conclusion"),  # runs.counts_of; builds.page, of a run in some states
        Index(None, "status", "conclusion", "id"),  # builds.page and builds.count, of some states
        Index(
            "ix_build_status_worker", "worker", "id", **where("worker IS NOT NULL")
        ),  # builds.page, of a worker
        Index("ix_build_status_cause", "cause_id", **where("cause_id IS NOT NULL")),  # builds.blamed_on
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    run_id: int = reference("build_runs.id")
    package_id: int = reference("packages.id")
    version_id: int = reference("package_versions.id")
    status: BuildStatus = Field(sa_type=choice(BuildStatus, "status"))
    conclusion: BuildConclusion | None = Field(default=None, sa_type=choice(BuildConclusion, "conclusion"))
    status_reason: Prose | None = Field(default=None, sa_type=Text)
    trigger: BuildTrigger = Field(sa_type=choice(BuildTrigger, "trigger"))
    attempt: int = Field(default=0, ge=0)
    max_attempts: int = Field(default=3, ge=1)
    priority: int = 0
    remaining_seconds: float = Field(default=0.0, ge=0, sa_type=Double)
    expected_seconds: float | None = Field(default=None, ge=0, sa_type=Double)
    worker: Title | None = Field(default=None, sa_type=Text)
    worker_labels: Labels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)
    timeout_seconds: int = Field(default=3_600, ge=1)
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease_token: int = Field(default=0, ge=0, sa_type=BigInteger)
    lease_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waiting_for: int = Field(default=0, ge=0)
    cause_id: int | None = Field(default=None, foreign_key="build_status.id", ondelete="SET NULL", sa_type=ID)
    row_version: int = Field(default=0, ge=0, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    queued_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: Title | None = Field(default=None, sa_type=Text)


class BuildDependency(Base, table=True):
    """One build of a run waits for another."""

    __tablename__ = "build_dependencies"
    __table_args__ = (
        CheckConstraint("build_id <> dependency_id", name="itself"),
        Index(None, "dependency_id", "build_id"),  # waits.pages_of and waits.counts_of, of dependents
    )

    build_id: int = reference("build_status.id", primary_key=True)
    dependency_id: int = reference("build_status.id", primary_key=True)


class Attempt(Base, table=True):
    """One try at a build."""

    __tablename__ = "build_attempts"
    __table_args__ = (
        UniqueConstraint("build_id", "number"),  # attempts.of_builds, start, finish
        CheckConstraint("number >= 1", name="number"),
        Index(
            "ix_build_attempts_request", "request_id", **where("request_id IS NOT NULL")
        ),  # attempts.of_request
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    build_id: int = reference("build_status.id")
    number: int = Field(ge=1)
    worker: Title = Field(sa_type=Text)
    lease_token: int = Field(ge=0, sa_type=BigInteger)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    conclusion: BuildConclusion | None = Field(default=None, sa_type=choice(BuildConclusion, "conclusion"))
    message: Prose | None = Field(default=None, sa_type=Text)
    request_id: Title | None = Field(default=None, sa_type=Text)
    """What its worker called the request that was answered with it."""
    reports: str = Field(default="", sa_type=Text, sa_column_kwargs=_default("''"))
    """Fingerprints of what its worker has reported, one after the other."""
    log_size: int = Field(default=0, ge=0, sa_type=BigInteger, sa_column_kwargs=_default(0))
    """Characters of output that were sent, those past the limit not counted twice."""


class LogFields(Base):
    """Some lines of an attempt's output, as a worker sends them."""

    first_line: int = Field(ge=0)
    line_count: int = Field(ge=1)
    text: LogText = Field(sa_type=Text)


class Log(LogFields, table=True):
    """Consecutive lines of an attempt's output, joined by newlines."""

    __tablename__ = "build_logs"
    __table_args__ = (
        UniqueConstraint("build_id", "attempt", "first_line"),  # logs.pages_of, logs.length
        CheckConstraint("first_line >= 0", name="first_line"),
        CheckConstraint("line_count >= 1", name="line_count"),
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    build_id: int = reference("build_status.id")
    attempt: int
    at: datetime = Field(sa_type=UtcDateTime)


class ArtifactFields(Base):
    """What a build produced, and where it is."""

    name: Title = Field(sa_type=Text)
    uri: Uri = Field(sa_type=Text)
    digest: Digest | None = Field(default=None, sa_type=Text)
    size_bytes: int | None = Field(default=None, ge=0, le=2**63 - 1, sa_type=BigInteger)


class Artifact(ArtifactFields, table=True):
    """An artifact of a build; the last attempt to name one is right."""

    __tablename__ = "artifacts"
    __table_args__ = (
        UniqueConstraint("build_id", "name"),  # artifacts.of_builds, artifacts.put
        CheckConstraint("size_bytes >= 0", name="size_bytes"),
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    build_id: int = reference("build_status.id")
    attempt: int


class WorkerFields(Base):
    """What a worker says of itself when it asks for builds."""

    name: Title = Field(sa_type=Text)
    labels: Labels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)


class Worker(WorkerFields, table=True):
    """A worker that has asked for builds."""

    __tablename__ = "workers"
    __table_args__ = (
        UniqueConstraint("name"),  # workers.seen, workers.by_names
        Index(None, "last_seen_at"),  # workers.seen_since
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


RUNS: Final = Base.metadata.tables["build_runs"]
BUILDS: Final = Base.metadata.tables["build_status"]
BUILD_DEPENDENCIES: Final = Base.metadata.tables["build_dependencies"]
ATTEMPTS: Final = Base.metadata.tables["build_attempts"]
LOGS: Final = Base.metadata.tables["build_logs"]
ARTIFACTS: Final = Base.metadata.tables["artifacts"]
WORKERS: Final = Base.metadata.tables["workers"]

# queue.ready: the most urgent of those that want the same of a worker. The status is there for SQLite, which would take
# any other index that begins with it, and sort all that is queued.
Index(
    "ix_build_status_queue",
    BUILDS.c.status,
    BUILDS.c.worker_labels,
    BUILDS.c.priority.desc(),
    BUILDS.c.remaining_seconds.desc(),
    BUILDS.c.id,
    **where("status = 'QUEUED'"),
)
