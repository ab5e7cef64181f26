"""Alerts, the rules by which they are due, and how their receivers were told."""

from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import strawberry

from schema.alert_enums import AlertSeverity, AlertState, Comparison
from schema.context import Context, Info
from schema.errors import Vanished
from schema.fields import field
from schema.identifiers import global_id
from schema.metric_inputs import MetricAggregate
from schema.node import Label, Node, labels
from schema.pagination import Page, PageInfo, page, page_info
from schema.places import row_cursor, row_window
from storage import alerts, transitions
from storage.monitoring_rows import AlertRow, AlertRuleRow, DeliveryRow
from storage.monitoring_tables import Scope


@strawberry.type(
    description="When an alert is due: an aggregate of a metric over a window passes a threshold."
)
class AlertRule(Node):
    row: strawberry.Private[AlertRuleRow]
    name: str = strawberry.field(description="Unique.")
    metric: str = strawberry.field(
        description="What is looked at: a name that `metrics` knows, or `blocked_builds`, what each root cause holds up."
    )
    labels: list[Label] = strawberry.field(description="Only series that have all of these are looked at.")
    aggregate: MetricAggregate = strawberry.field(description="How the values of a window become one.")
    comparison: Comparison = strawberry.field(
        description="How that stands to the threshold when the rule holds."
    )
    threshold: float = strawberry.field(description="What it is compared with.")
    window_seconds: int = strawberry.field(
        description="How far back it looks, and how long it must not hold before an alert that has fired is resolved."
    )
    for_seconds: int = strawberry.field(description="How long it must hold before an alert fires.")
    severity: AlertSeverity = strawberry.field(description="Of its alerts.")
    enabled: bool = strawberry.field(
        description="Whether it is evaluated. Otherwise its alerts are resolved."
    )

    @classmethod
    def of(cls, row: AlertRuleRow) -> "AlertRule":
        """Show a stored rule, but for the secret by which its deliveries are signed."""
        return cls(
            row=row,
            id=global_id("AlertRule", row.id),
            name=row.name,
            metric=row.metric,
            labels=labels(row.labels),
            aggregate=MetricAggregate[row.aggregate],
            comparison=Comparison[row.comparison],
            threshold=row.threshold,
            window_seconds=row.window_seconds,
            for_seconds=row.for_seconds,
            severity=AlertSeverity[row.severity],
            enabled=row.enabled,
        )

    @field(
        "Whom to tell of its alerts, as Prometheus Alertmanager would. Who may not set rules sees only of what site, since "
        "some receivers have a key in their address."
    )
    def webhook(self, info: Info) -> str | None:
        if self.row.webhook is None or info.context.viewer.may(Scope.ADMIN):
            return self.row.webhook
        parts = urlsplit(self.row.webhook)
        return f"{parts.scheme}://{parts.netloc}/…"


@strawberry.type(description="One attempt at telling the receiver of a webhook of a change of an alert.")
class WebhookDelivery:
    id: strawberry.ID = strawberry.field(description="Unique among all deliveries.")
    at: datetime = strawberry.field(description="When it ended.")
    attempt: int = strawberry.field(description="Which try at telling of the same change, from 1.")
    delivered: bool = strawberry.field(description="Whether the receiver has taken it.")
    status: int | None = strawberry.field(description="Of its answer. Null: there was none.")
    message: str | None = strawberry.field(description="Why it was not delivered.")

    @classmethod
    def of(cls, row: DeliveryRow) -> "WebhookDelivery":
        """Show a stored delivery."""
        return cls(
            id=global_id("WebhookDelivery", row.id),
            at=row.at,
            attempt=row.attempt,
            delivered=row.delivered,
            status=row.status,
            message=row.message,
        )


@strawberry.type(description="One time that a rule held of one set of labels.")
class Alert(Node):
    row: strawberry.Private[AlertRow]
    state: AlertState = strawberry.field(description="Where it is.")
    severity: AlertSeverity = strawberry.field(description="How much it matters.")
    value: float = strawberry.field(description="What its rule saw last.")
    labels: list[Label] = strawberry.field(
        description="What tells it from the other alerts of its rule: the series, or the root cause."
    )
    message: str = strawberry.field(description="What is so.")
    started_at: datetime = strawberry.field(description="Since when its rule holds.")
    acknowledged_at: datetime | None = strawberry.field(description="When somebody took it on.")
    resolved_at: datetime | None = strawberry.field(description="When it was over.")
    blocked_builds: int | None = strawberry.field(
        description="Builds that the root cause holds up. Null: it is about no root cause."
    )

    @classmethod
    def of(cls, row: AlertRow) -> "Alert":
        """Show a stored alert."""
        return cls(
            row=row,
            id=global_id("Alert", row.id),
            state=AlertState[row.status],
            severity=AlertSeverity[row.severity],
            value=row.value,
            labels=labels(row.labels),
            message=row.message,
            started_at=row.started_at,
            acknowledged_at=row.acknowledged_at,
            resolved_at=row.resolved_at,
            blocked_builds=row.blocked_builds,
        )

    @field("The rule that it is of.")
    async def rule(self, info: Info) -> AlertRule:
        row = await info.context.loaders.alert_rule.load(self.row.rule_id)
        if row is None:
            raise Vanished("rule", f"alert {self.id}")
        return AlertRule.of(row)

    @field("The attempts at telling its receiver, oldest first.")
    async def deliveries(self, info: Info) -> list[WebhookDelivery]:
        rows = await info.context.loaders.deliveries.load(self.row.id)
        return [WebhookDelivery.of(row) for row in rows or ()]


@strawberry.type(description="An alert within a list.")
class AlertEdge:
    node: Alert = strawberry.field(description="The alert.")
    cursor: str = strawberry.field(description="Its place in the list.")


States = tuple[transitions.AlertState, ...] | None


@strawberry.type(description="A page of a list of alerts.")
class AlertConnection:
    page: strawberry.Private[Page[AlertRow]]
    states: strawberry.Private[States]

    @field("The alerts of this page, with their places.")
    def edges(self) -> list[AlertEdge]:
        return [AlertEdge(node=Alert.of(row), cursor=row_cursor(row.id)) for row in self.page.rows]

    @field("The alerts of this page.")
    def nodes(self) -> list[Alert]:
        return [Alert.of(row) for row in self.page.rows]

    @field("Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        ends = (self.page.rows[0], self.page.rows[-1]) if self.page.rows else ()
        return page_info(self.page, [row_cursor(row.id) for row in ends])

    @field("How many there are in the whole list.")
    async def total_count(self, info: Info) -> int:
        return await info.context.loaders.glance(partial(alerts.count, states=self.states))


async def list_alerts(
    context: Context, states: list[AlertState] | None, first: int | None, after: str | None
) -> AlertConnection:
    """Return a page of the alerts in these states (None: in any), newest first."""
    asked = row_window(first, after)
    chosen = None if states is None else tuple(transitions.AlertState[state.name] for state in states)
    rows = await context.loaders.glance(
        partial(alerts.page, states=chosen, limit=asked.size + 1, after=asked.after)
    )
    return AlertConnection(page=page(rows, asked), states=chosen)
