"""The tables of measurements, errors, alerts and their webhooks, and the tokens by which callers are known."""

from datetime import datetime
from enum import IntFlag, StrEnum
from typing import Final

from pydantic import FiniteFloat
from sqlalchemy import BigInteger, CheckConstraint, Double, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from storage.columns import (
    MAX_SECONDS,
    Base,
    KeyLabels,
    LabelsType,
    Moment,
    Prose,
    Title,
    Unit,
    Uri,
    UtcDateTime,
    choice,
    identity,
    reference,
    where,
)
from storage.transitions import AlertState

BUCKETS: Final = (60, 300, 3_600, 86_400)
"""Seconds that a roll-up may span; a raw sample spans none."""


class MetricAggregate(StrEnum):
    """How the samples of a window become one number."""

    COUNT = "COUNT"
    SUM = "SUM"
    MEAN = "MEAN"
    MIN = "MIN"
    MAX = "MAX"
    P50 = "P50"
    P95 = "P95"
    P99 = "P99"


class Comparison(StrEnum):
    """How an aggregate stands to a threshold when a rule holds."""

    GT = "GT"
    GTE = "GTE"
    LT = "LT"
    LTE = "LTE"


class AlertSeverity(StrEnum):
    """How much an alert matters."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class Scope(IntFlag):
    """What a token allows, as the bits of `api_tokens.scopes`."""

    READ = 1
    WRITE = 2
    BUILD = 4
    ADMIN = 8


ALL_SCOPES: Final = 15


class SeriesFields(Base):
    """What is measured, and when."""

    name: Title = Field(sa_type=Text)
    unit: Unit = Field(default="", sa_type=Text)
    labels: KeyLabels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)
    at: Moment = Field(sa_type=UtcDateTime)


class MetricFields(SeriesFields):
    """One measurement."""

    value: FiniteFloat


class Metric(SeriesFields, table=True):
    """One measurement, or all of a bucket that begins `at` rolled up. `sketch` holds what quantiles need."""

    __tablename__ = "performance_stats"
    __table_args__ = (
        CheckConstraint(f"bucket_seconds IN ({', '.join(map(str, (0, *BUCKETS)))})", name="bucket_seconds"),
        CheckConstraint("count >= 1", name="count"),
        Index(None, "name", "bucket_seconds", "at"),  # metrics.buckets; metrics.samples, of a name
        Index(None, "bucket_seconds", "at"),  # metrics.samples, of all names; metrics.trim
        # metrics.roll_up, which may come twice to one bucket
        Index(
            "ix_performance_stats_bucket",
            "name",
            "labels",
            "bucket_seconds",
            "at",
            unique=True,
            **where("bucket_seconds > 0"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    bucket_seconds: int = 0
    count: int = Field(default=1, sa_type=BigInteger)
    total: float = Field(sa_type=Double)
    minimum: float = Field(sa_type=Double)
    maximum: float = Field(sa_type=Double)
    sketch: bytes | None = Field(default=None, sa_type=LargeBinary)


class ErrorFields(Base):
    """An error as it is seen: the same `fingerprint` is the same fault."""

    fingerprint: Title = Field(sa_type=Text)
    code: Title = Field(sa_type=Text)
    component: Title = Field(sa_type=Text)
    message: Prose = Field(sa_type=Text)
    sample: Prose = Field(default="", sa_type=Text)


class ErrorGroup(ErrorFields, table=True):
    """All errors of one fingerprint; message and sample are those of the last."""

    __tablename__ = "error_groups"
    __table_args__ = (
        UniqueConstraint("fingerprint"),  # error_groups.record
        CheckConstraint("count >= 1", name="count"),
        Index(None, "component", "last_seen_at", "id"),  # error_groups.page, of a component
        Index(None, "last_seen_at", "id"),  # error_groups.page, error_groups.trim
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    count: int = Field(default=1, sa_type=BigInteger)
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)


class AlertRuleFields(Base):
    """When an alert is due, and whom to tell."""

    name: Title = Field(sa_type=Text)
    metric: Title = Field(sa_type=Text)
    labels: KeyLabels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)
    aggregate: MetricAggregate = Field(
        default=MetricAggregate.MEAN, sa_type=choice(MetricAggregate, "aggregate")
    )
    comparison: Comparison = Field(sa_type=choice(Comparison, "comparison"))
    threshold: FiniteFloat = Field(sa_type=Double)
    window_seconds: int = Field(default=300, ge=1, le=MAX_SECONDS)
    for_seconds: int = Field(default=0, ge=0, le=MAX_SECONDS)
    severity: AlertSeverity = Field(default=AlertSeverity.WARNING, sa_type=choice(AlertSeverity, "severity"))
    enabled: bool = True
    webhook: Uri | None = Field(default=None, sa_type=Text)
    webhook_secret: Title | None = Field(default=None, sa_type=Text)


class AlertRule(AlertRuleFields, table=True):
    """A rule, known by its name."""

    __tablename__ = "alert_rules"
    __table_args__ = (
        UniqueConstraint("name"),  # alert_rules.by_names, alert_rules.put
        CheckConstraint("window_seconds >= 1", name="window_seconds"),
        CheckConstraint("for_seconds >= 0", name="for_seconds"),
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Alert(Base, table=True):
    """One time that a rule held of one set of labels."""

    __tablename__ = "alerts"
    __table_args__ = (
        CheckConstraint("blocked_builds >= 0", name="blocked_builds"),
        # alerts.still_open, alerts.open_for: one alert a rule and label set
        Index("ix_alerts_open", "rule_id", "labels", unique=True, **where("status <> 'RESOLVED'")),
        Index(None, "rule_id", "id"),  # alert_rules.delete, which takes its alerts along
        Index(None, "status", "id"),  # alerts.page and alerts.count, of some states; alerts.ended
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    rule_id: int = reference("alert_rules.id")
    status: AlertState = Field(sa_type=choice(AlertState, "status"))
    status_reason: Prose | None = Field(default=None, sa_type=Text)
    severity: AlertSeverity = Field(sa_type=choice(AlertSeverity, "severity"))
    value: float = Field(sa_type=Double)
    labels: KeyLabels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)
    message: Prose = Field(sa_type=Text)
    blocked_builds: int | None = Field(default=None, ge=0)
    started_at: datetime = Field(sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Since when its rule does not hold any more; it is RESOLVED once that has lasted."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: Title | None = Field(default=None, sa_type=Text)


class DeliveryOutcome(StrEnum):
    """What became of a notification in the end."""

    DELIVERED = "DELIVERED"
    ABANDONED = "ABANDONED"


class Notification(Base, table=True):
    """What the receiver of a webhook is to be told of one change of an alert. Without an `outcome` it is to be sent.

    Whoever sends it has claimed it until `claimed_until`; `attempts` tells one claim from the next.
    """

    __tablename__ = "webhook_notifications"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts"),
        Index(None, "alert_id", "id"),  # deliveries.of_alerts; deliveries.due, which keeps the order
        Index(
            "ix_webhook_notifications_waiting", "due_at", "id", **where("outcome IS NULL")
        ),  # deliveries.due
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    alert_id: int = reference("alerts.id")
    body: str = Field(sa_type=Text)
    outcome: DeliveryOutcome | None = Field(default=None, sa_type=choice(DeliveryOutcome, "outcome"))
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Delivery(Base, table=True):
    """One attempt at sending a notification, and what came of it."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("notification_id", "attempt"),  # deliveries.of_alerts
        CheckConstraint("attempt >= 1", name="attempt"),
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    notification_id: int = reference("webhook_notifications.id")
    attempt: int
    at: datetime = Field(sa_type=UtcDateTime)
    delivered: bool
    status: int | None = None
    message: str | None = Field(default=None, sa_type=Text)


class TokenFields(Base):
    """A token as it is asked for."""

    name: Title = Field(sa_type=Text)
    scopes: int = Field(default=Scope.READ, ge=1, le=ALL_SCOPES)
    expires_at: Moment | None = Field(default=None, sa_type=UtcDateTime)


class Token(TokenFields, table=True):
    """A token, of which only the `digest` is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("name"),  # tokens.by_name
        UniqueConstraint("digest"),  # tokens.by_digest
        CheckConstraint(f"scopes BETWEEN 1 AND {ALL_SCOPES}", name="scopes"),
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    digest: str = Field(sa_type=Text)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


METRICS: Final = Base.metadata.tables["performance_stats"]
ERROR_GROUPS: Final = Base.metadata.tables["error_groups"]
ALERT_RULES: Final = Base.metadata.tables["alert_rules"]
ALERTS: Final = Base.metadata.tables["alerts"]
NOTIFICATIONS: Final = Base.metadata.tables["webhook_notifications"]
DELIVERIES: Final = Base.metadata.tables["webhook_deliveries"]
TOKENS: Final = Base.metadata.tables["api_tokens"]
