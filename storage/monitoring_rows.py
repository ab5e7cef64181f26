"""What comes out of the tables of monitoring and access: plain immutable rows."""

from datetime import datetime

import msgspec

from storage.monitoring_tables import AlertSeverity, Comparison, MetricAggregate
from storage.transitions import AlertState


class MetricRow(msgspec.Struct, frozen=True, gc=False):
    """A sample (`bucket_seconds` is 0, and all three figures are its value), or many rolled up."""

    name: str
    unit: str
    labels: dict[str, str]
    at: datetime
    """Of a roll-up, when its bucket begins."""
    bucket_seconds: int
    count: int
    total: float
    minimum: float
    maximum: float
    sketch: bytes | None = None
    """What quantiles need, in the form of whoever rolled up."""


class BucketRow(msgspec.Struct, frozen=True, gc=False):
    """A roll-up, or all samples of one series from `at` on, until the next bucket begins."""

    labels: str
    """As text, of which `metrics.labels_of` makes labels: a window has many rows, and few series."""
    unit: str
    at: datetime
    count: int
    total: float
    minimum: float
    maximum: float
    sketch: bytes | None = None


class ErrorGroupRow(msgspec.Struct, frozen=True, gc=False):
    """A group of errors as it is stored."""

    id: int
    fingerprint: str
    code: str
    component: str
    message: str
    sample: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime


class AlertRuleRow(msgspec.Struct, frozen=True, gc=False):
    """A rule as it is stored. `webhook_secret` is for signing, and shown to nobody."""

    id: int
    name: str
    metric: str
    labels: dict[str, str]
    aggregate: MetricAggregate
    comparison: Comparison
    threshold: float
    window_seconds: int
    for_seconds: int
    severity: AlertSeverity
    enabled: bool
    webhook: str | None
    webhook_secret: str | None
    created_at: datetime
    updated_at: datetime


class AlertRow(msgspec.Struct, frozen=True, gc=False):
    """An alert as it is stored."""

    id: int
    rule_id: int
    status: AlertState
    severity: AlertSeverity
    value: float
    labels: dict[str, str]
    message: str
    started_at: datetime
    created_at: datetime
    updated_at: datetime
    blocked_builds: int | None = None
    status_reason: str | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    cleared_at: datetime | None = None
    """Since when its rule does not hold any more."""


class NotificationRow(msgspec.Struct, frozen=True, gc=False):
    """What is to be sent to the receiver of a rule's webhook, as that is now."""

    id: int
    alert_id: int
    attempts: int
    body: str
    webhook: str | None
    webhook_secret: str | None


class DeliveryRow(msgspec.Struct, frozen=True, gc=False):
    """An attempt at sending as it is stored."""

    id: int
    notification_id: int
    attempt: int
    at: datetime
    delivered: bool
    status: int | None
    """Of HTTP; None when there was no answer."""
    message: str | None


class TokenRow(msgspec.Struct, frozen=True, gc=False):
    """A token as it is stored; `scopes` are the bits of `monitoring_tables.Scope`."""

    id: int
    name: str
    scopes: int
    expires_at: datetime | None
    digest: str
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime
