"""Builds, monitoring, tokens; the history of states; events that PostgreSQL can number after their commits."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KINDS = (
    "PACKAGE_CHANGED",
    "PACKAGE_DELETED",
    "VERSION_PUBLISHED",
    "VERSION_CHANGED",
    "DEPENDENCIES_CHANGED",
    "RUN_CHANGED",
    "BUILD_CHANGED",
    "ALERT_CHANGED",
)
_SUBJECTS = ("PACKAGE", "VERSION", "BUILD", "RUN", "ALERT")
_CONCLUSIONS = (
    "SUCCESS",
    "FAILURE",
    "DEP_FAILED",
    "UNRESOLVABLE",
    "TIMED_OUT",
    "INFRA_ERROR",
    "CANCELED",
    "SKIPPED",
    "UNCHANGED",
    "SUPERSEDED",
)
_STATUSES = ("BLOCKED", "QUEUED", "ASSIGNED", "PREPARING", "RUNNING", "FINALIZING", "CANCELING", "COMPLETED")
_RUN_STATUSES = ("RUNNING", "CANCELING", "COMPLETED")
_RUN_CONCLUSIONS = ("SUCCESS", "FAILURE", "CANCELED", "SUPERSEDED")
_TRIGGERS = ("NEW", "SOURCE_CHANGE", "DEPENDENCY_CHANGE", "RETRY", "MANUAL")
_ALERT_STATES = ("PENDING", "FIRING", "ACKNOWLEDGED", "RESOLVED")
_SEVERITIES = ("INFO", "WARNING", "CRITICAL")
_COMPARISONS = ("GT", "GTE", "LT", "LTE")
_AGGREGATES = ("COUNT", "SUM", "MEAN", "MIN", "MAX", "P50", "P95", "P99")
_LEASED = "('ASSIGNED', 'PREPARING', 'RUNNING', 'FINALIZING', 'CANCELING')"


def upgrade() -> None:
    """Make the tables that are new, and fill in what the old ones lack."""
    for table in ("packages", "package_versions"):
        op.add_column(table, _text("changed_by", nullable=True))
    _state_tracking()
    _first_states()
    _events_anew()
    _build_runs()
    _build_status()
    _build_dependencies()
    _build_attempts()
    _build_logs()
    _artifacts()
    _workers()
    _performance_stats()
    _error_groups()
    _alert_rules()
    _alerts()
    _api_tokens()


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, sa.Column("id", _ID, primary_key=True), *parts, sqlite_autoincrement=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _integer(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _real(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _reference(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _ID, nullable=nullable)


def _choice(name: str, choices: Sequence[str], *, nullable: bool = False) -> sa.Column[Any]:
    kind = sa.Enum(*choices, native_enum=False, create_constraint=True, length=32, name=name)
    return sa.Column(name, kind, nullable=nullable)


def _foreign(column: str, target: str, *, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], ondelete=ondelete)


def _index(
    name: str | None,
    table: str,
    *columns: str | sa.TextClause,
    where: str | None = None,
    unique: bool = False,
) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def _first_states() -> None:
    """Begin the history of what is there already with the state that it is in."""
    for subject_type, table in (("PACKAGE", "packages"), ("VERSION", "package_versions")):
        op.execute(
            "INSERT INTO state_tracking (subject_type, subject_id, target, reason, at) "
            f"SELECT '{subject_type}', id, status, status_reason, updated_at FROM {table} ORDER BY id"
        )


def _events_anew() -> None:
    """Copy the events into a table in which `id` is no longer what readers go by."""
    op.drop_index(op.f("ix_events_package_seq"), "events")
    op.rename_table("events", "old_events")
    if op.get_context().dialect.name == "postgresql":
        # Names of keys are unique among all tables.
        op.execute("ALTER INDEX pk_events RENAME TO pk_old_events")
    _events()
    op.execute(
        "INSERT INTO events (id, seq, at, kind, subject_type, subject_id, package, version) "
        "SELECT seq, seq, at, kind, subject_type, subject_id, package, version FROM old_events ORDER BY seq"
    )
    for statement in _KEEP_COUNTING[op.get_context().dialect.name]:
        op.execute(statement)
    op.drop_table("old_events")


# A number is not given again, though its event has been trimmed.
_KEEP_COUNTING = {
    "sqlite": (
        "DELETE FROM sqlite_sequence WHERE name = 'events'",
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'events', seq FROM sqlite_sequence WHERE name = 'old_events'",
    ),
    "postgresql": ("SELECT setval('events_id_seq', last_value, is_called) FROM events_seq_seq",),
}


def _state_tracking() -> None:
    _table(
        "state_tracking",
        _choice("subject_type", _SUBJECTS),
        _reference("subject_id"),
        _text("origin", nullable=True),
        _text("target"),
        _choice("conclusion", _CONCLUSIONS, nullable=True),
        _integer("attempt", nullable=True),
        _text("reason", nullable=True),
        _text("actor", nullable=True),
        _moment("at"),
    )
    _index(None, "state_tracking", "subject_type", "subject_id", "id")


def _events() -> None:
    _table(
        "events",
        _big("seq", nullable=True),
        _moment("at"),
        _choice("kind", _KINDS),
        _choice("subject_type", _SUBJECTS),
        _reference("subject_id"),
        sa.Column("package", _NAME, nullable=True),
        _text("version", nullable=True),
        _reference("run_id", nullable=True),
        _reference("transition_id", nullable=True),
        sa.UniqueConstraint("seq"),
    )
    _index(None, "events", "package", "seq")
    _index(None, "events", "run_id", "seq")
    _index("ix_events_unstamped", "events", "id", where="seq IS NULL")


def _build_runs() -> None:
    _table(
        "build_runs",
        _choice("trigger", _TRIGGERS),
        _integer("priority"),
        _integer("max_attempts"),
        _integer("timeout_seconds"),
        _text("labels"),
        _text("worker_labels"),
        _text("idempotency_key", nullable=True),
        _choice("status", _RUN_STATUSES),
        _choice("conclusion", _RUN_CONCLUSIONS, nullable=True),
        _text("status_reason", nullable=True),
        _text("cut_edges"),
        _moment("created_at"),
        _moment("completed_at", nullable=True),
        _moment("updated_at"),
        _text("changed_by", nullable=True),
        sa.UniqueConstraint("idempotency_key"),
        sa.CheckConstraint("(status = 'COMPLETED') = (conclusion IS NOT NULL)", name="concluded"),
        sa.CheckConstraint("max_attempts >= 1", name="max_attempts"),
        sa.CheckConstraint("timeout_seconds >= 1", name="timeout_seconds"),
    )
    _index("ix_build_runs_unfinished", "build_runs", "id", where="status <> 'COMPLETED'")


def _build_status() -> None:
    _table(
        "build_status",
        _text("output_digest", nullable=True),
        _text("message", nullable=True),
        _reference("run_id"),
        _reference("package_id"),
        _reference("version_id"),
        _choice("status", _STATUSES),
        _choice("conclusion", _CONCLUSIONS, nullable=True),
        _text("status_reason", nullable=True),
        _choice("trigger", _TRIGGERS),
        _integer("attempt"),
        _integer("max_attempts"),
        _integer("priority"),
        _real("remaining_seconds"),
        _real("expected_seconds", nullable=True),
        _text("worker", nullable=True),
        _text("worker_labels"),
        _integer("timeout_seconds"),
        _moment("not_before", nullable=True),
        _big("lease_token"),
        _moment("lease_expires_at", nullable=True),
        _integer("waiting_for"),
        _reference("cause_id", nullable=True),
        _big("row_version"),
        _moment("created_at"),
        _moment("queued_at", nullable=True),
        _moment("started_at", nullable=True),
        _moment("completed_at", nullable=True),
        _moment("updated_at"),
        _text("changed_by", nullable=True),
        sa.UniqueConstraint("run_id", "version_id"),
        sa.CheckConstraint("(status = 'COMPLETED') = (conclusion IS NOT NULL)", name="concluded"),
        sa.CheckConstraint(f"(status IN {_LEASED}) = (lease_expires_at IS NOT NULL)", name="lease"),
        sa.CheckConstraint(f"status NOT IN {_LEASED} OR worker IS NOT NULL", name="held"),
        sa.CheckConstraint("attempt >= 0", name="attempt"),
        sa.CheckConstraint("max_attempts >= 1", name="max_attempts"),
        sa.CheckConstraint("timeout_seconds >= 1", name="timeout_seconds"),
        sa.CheckConstraint("remaining_seconds >= 0", name="remaining_seconds"),
        sa.CheckConstraint("expected_seconds >= 0", name="expected_seconds"),
        sa.CheckConstraint("lease_token >= 0", name="lease_token"),
        sa.CheckConstraint("waiting_for >= 0", name="waiting_for"),
        sa.CheckConstraint("row_version >= 0", name="row_version"),
        _foreign("run_id", "build_runs.id"),
        _foreign("package_id", "packages.id"),
        _foreign("version_id", "package_versions.id"),
        _foreign("cause_id", "build_status.id", ondelete="SET NULL"),
    )
    _index("ix_build_status_cause", "build_status", "cause_id", where="cause_id IS NOT NULL")
    _index("ix_build_status_leases", "build_status", "lease_expires_at", where="lease_expires_at IS NOT NULL")
    _index(None, "build_status", "package_id", "id")
    _index(
        "ix_build_status_queue",
        "build_status",
        "status",
        sa.text("priority DESC"),
        sa.text("remaining_seconds DESC"),
        "id",
        where="status = 'QUEUED'",
    )
    _index(None, "build_status", "run_id", "id")
    _index(None, "build_status", "run_id", "status", "conclusion")
    _index(None, "build_status", "status", "conclusion", "id")
    _index(None, "build_status", "version_id", "id")
    _index("ix_build_status_worker", "build_status", "worker", "id", where="worker IS NOT NULL")


def _build_dependencies() -> None:
    op.create_table(
        "build_dependencies",
        _reference("build_id"),
        _reference("dependency_id"),
        sa.PrimaryKeyConstraint("build_id", "dependency_id"),
        sa.CheckConstraint("build_id <> dependency_id", name="itself"),
        _foreign("build_id", "build_status.id"),
        _foreign("dependency_id", "build_status.id"),
    )
    _index(None, "build_dependencies", "dependency_id", "build_id")


def _build_attempts() -> None:
    _table(
        "build_attempts",
        _reference("build_id"),
        _integer("number"),
        _text("worker"),
        _big("lease_token"),
        _moment("started_at", nullable=True),
        _moment("completed_at", nullable=True),
        _choice("conclusion", _CONCLUSIONS, nullable=True),
        _text("message", nullable=True),
        sa.UniqueConstraint("build_id", "number"),
        sa.CheckConstraint("number >= 1", name="number"),
        _foreign("build_id", "build_status.id"),
    )


def _build_logs() -> None:
    _table(
        "build_logs",
        _integer("first_line"),
        _integer("line_count"),
        _text("text"),
        _reference("build_id"),
        _integer("attempt"),
        _moment("at"),
        sa.UniqueConstraint("build_id", "attempt", "first_line"),
        sa.CheckConstraint("first_line >= 0", name="first_line"),
        sa.CheckConstraint("line_count >= 1", name="line_count"),
        _foreign("build_id", "build_status.id"),
    )


def _artifacts() -> None:
    _table(
        "artifacts",
        _text("name"),
        _text("uri"),
        _text("digest", nullable=True),
        _big("size_bytes", nullable=True),
        _reference("build_id"),
        _integer("attempt"),
        sa.UniqueConstraint("build_id", "name"),
        sa.CheckConstraint("size_bytes >= 0", name="size_bytes"),
        _foreign("build_id", "build_status.id"),
    )


def _workers() -> None:
    _table(
        "workers",
        _text("name"),
        _text("labels"),
        _moment("last_seen_at"),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("name"),
    )
    _index(None, "workers", "last_seen_at")


def _performance_stats() -> None:
    _table(
        "performance_stats",
        _text("name"),
        _text("unit"),
        _text("labels"),
        _moment("at"),
        _integer("bucket_seconds"),
        _big("count"),
        _real("total"),
        _real("minimum"),
        _real("maximum"),
        sa.Column("sketch", sa.LargeBinary()),
        sa.CheckConstraint("bucket_seconds IN (0, 60, 3600, 86400)", name="bucket_seconds"),
        sa.CheckConstraint("count >= 1", name="count"),
    )
    _index(
        "ix_performance_stats_bucket",
        "performance_stats",
        "name",
        "labels",
        "bucket_seconds",
        "at",
        where="bucket_seconds > 0",
        unique=True,
    )
    _index(None, "performance_stats", "bucket_seconds", "at")
    _index(None, "performance_stats", "name", "bucket_seconds", "at")


def _error_groups() -> None:
    _table(
        "error_groups",
        _text("fingerprint"),
        _text("code"),
        _text("component"),
        _text("message"),
        _text("sample"),
        _big("count"),
        _moment("first_seen_at"),
        _moment("last_seen_at"),
        sa.UniqueConstraint("fingerprint"),
        sa.CheckConstraint("count >= 1", name="count"),
    )
    _index(None, "error_groups", "component", "last_seen_at", "id")
    _index(None, "error_groups", "last_seen_at", "id")


def _alert_rules() -> None:
    _table(
        "alert_rules",
        _text("name"),
        _text("metric"),
        _text("labels"),
        _choice("aggregate", _AGGREGATES),
        _choice("comparison", _COMPARISONS),
        _real("threshold"),
        _integer("window_seconds"),
        _integer("for_seconds"),
        _choice("severity", _SEVERITIES),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _text("webhook", nullable=True),
        _text("webhook_secret", nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("name"),
        sa.CheckConstraint("window_seconds >= 1", name="window_seconds"),
        sa.CheckConstraint("for_seconds >= 0", name="for_seconds"),
    )


def _alerts() -> None:
    _table(
        "alerts",
        _reference("rule_id"),
        _choice("status", _ALERT_STATES),
        _text("status_reason", nullable=True),
        _choice("severity", _SEVERITIES),
        _real("value"),
        _text("labels"),
        _text("message"),
        _integer("blocked_builds", nullable=True),
        _moment("started_at"),
        _moment("acknowledged_at", nullable=True),
        _moment("resolved_at", nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        _text("changed_by", nullable=True),
        sa.CheckConstraint("blocked_builds >= 0", name="blocked_builds"),
        _foreign("rule_id", "alert_rules.id"),
    )
    _index("ix_alerts_open", "alerts", "rule_id", "labels", where="status <> 'RESOLVED'", unique=True)
    _index(None, "alerts", "rule_id", "id")
    _index(None, "alerts", "status", "id")


def _api_tokens() -> None:
    _table(
        "api_tokens",
        _text("name"),
        _integer("scopes"),
        _moment("expires_at", nullable=True),
        _text("digest"),
        _moment("last_used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("digest"),
        sa.CheckConstraint("scopes BETWEEN 1 AND 15", name="scopes"),
    )
