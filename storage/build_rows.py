"""What comes out of the tables of runs and builds: plain immutable rows, cheap to make by the thousand."""

from datetime import datetime

import msgspec

from storage.build_tables import BuildTrigger, CutEdge
from storage.transitions import BuildConclusion, BuildStatus, RunConclusion, RunStatus


class RunRow(msgspec.Struct, frozen=True, gc=False):
    """A run as it is stored."""

    id: int
    trigger: BuildTrigger
    priority: int
    max_attempts: int
    timeout_seconds: int
    labels: dict[str, str]
    worker_labels: dict[str, str]
    idempotency_key: str | None
    kinds: int
    include_optional: bool
    status: RunStatus
    conclusion: RunConclusion | None
    status_reason: str | None
    cut_edges: list[CutEdge]
    created_at: datetime
    completed_at: datetime | None
    updated_at: datetime


class BuildRow(msgspec.Struct, frozen=True, gc=False):
    """A build as it is stored. What has a default is so of a build that was just planned."""

    id: int
    run_id: int
    package_id: int
    version_id: int
    status: BuildStatus
    trigger: BuildTrigger
    created_at: datetime
    updated_at: datetime
    conclusion: BuildConclusion | None = None
    status_reason: str | None = None
    attempt: int = 0
    max_attempts: int = 3
    priority: int = 0
    remaining_seconds: float = 0.0
    expected_seconds: float | None = None
    worker: str | None = None
    worker_labels: dict[str, str] = {}
    timeout_seconds: int = 3_600
    not_before: datetime | None = None
    lease_token: int = 0
    lease_expires_at: datetime | None = None
    waiting_for: int = 0
    cause_id: int | None = None
    row_version: int = 0
    queued_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    output_digest: str | None = None
    message: str | None = None


class BuildCount(msgspec.Struct, frozen=True, gc=False):
    """How many builds are in a state."""

    status: BuildStatus
    conclusion: BuildConclusion | None
    count: int


class AttemptRow(msgspec.Struct, frozen=True, gc=False):
    """A try at a build as it is stored."""

    build_id: int
    number: int
    worker: str
    lease_token: int
    started_at: datetime | None = None
    completed_at: datetime | None = None
    conclusion: BuildConclusion | None = None
    message: str | None = None
    request_id: str | None = None
    reports: str = ""
    log_size: int = 0


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One line of an attempt's output; `number` counts from 0 in each attempt."""

    attempt: int
    number: int
    at: datetime
    text: str


class ArtifactRow(msgspec.Struct, frozen=True, gc=False):
    """An artifact as it is stored."""

    build_id: int
    attempt: int
    name: str
    uri: str
    digest: str | None
    size_bytes: int | None


class WorkerRow(msgspec.Struct, frozen=True, gc=False):
    """A worker as it is stored."""

    id: int
    name: str
    labels: dict[str, str]
    last_seen_at: datetime
    created_at: datetime
    updated_at: datetime
