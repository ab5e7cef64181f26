"""The rules by which alerts are due: setting and deleting them, and those that every installation begins with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from graph.errors import excerpt
from graph.names import close_names
from resolvers import measurements
from resolvers.alert_changes import move
from resolvers.alert_readings import BLOCKED_BUILDS
from resolvers.drafts import validated
from resolvers.errors import BadInput, NotFound
from storage import alert_rules, alerts
from storage.database import Connection, Database
from storage.monitoring_rows import AlertRuleRow
from storage.monitoring_tables import AlertRuleFields, AlertSeverity, Comparison, MetricAggregate
from storage.transitions import AlertState

SHIPPED: Final = (
    AlertRuleFields(
        name="queue stuck",
        metric=measurements.OLDEST_QUEUED,
        aggregate=MetricAggregate.MIN,
        comparison=Comparison.GT,
        threshold=900,
        for_seconds=300,
        severity=AlertSeverity.CRITICAL,
    ),
    AlertRuleFields(
        name="builds fail",
        metric=measurements.BUILD_FAILED,
        aggregate=MetricAggregate.MEAN,
        comparison=Comparison.GT,
        threshold=0.5,
        window_seconds=1_800,
        for_seconds=300,
    ),
    AlertRuleFields(
        name="builds held up",
        metric=BLOCKED_BUILDS,
        aggregate=MetricAggregate.MAX,
        comparison=Comparison.GTE,
        threshold=1,
        for_seconds=60,
    ),
    AlertRuleFields(
        name="workers fall silent",
        metric=measurements.RECOVERED,
        aggregate=MetricAggregate.SUM,
        comparison=Comparison.GT,
        threshold=10,
        window_seconds=600,
    ),
    AlertRuleFields(
        name="database slow",
        metric=measurements.DATABASE_RUN,
        labels={"class": "glance"},
        aggregate=MetricAggregate.P95,
        comparison=Comparison.GT,
        threshold=1,
        for_seconds=300,
    ),
    AlertRuleFields(
        name="events late",
        metric=measurements.DELIVERY,
        aggregate=MetricAggregate.P95,
        comparison=Comparison.GT,
        threshold=5,
        for_seconds=120,
    ),
)
"""What there is to begin with. Whoever changes or deletes one of these keeps that."""


@dataclass(frozen=True, slots=True)
class RuleRequest:
    """A rule as it is asked for. Without a secret it keeps the one it has, and an empty one takes that away."""

    fields: AlertRuleFields
    secret: str | None = None


def make_shipped(database: Database, *, now: datetime) -> bool:
    """Write the rules that are shipped, unless there is or was any rule; tell whether that was so.

    Several processes may do it at once.
    """
    with database.read() as connection:
        if alert_rules.ever_made(connection):
            return False
    database.write(
        lambda connection: alert_rules.add_missing(connection, SHIPPED, now=now), of_catalogue=False
    )
    return True


def rule_request(
    *,
    name: str,
    metric: str,
    labels: dict[str, str],
    aggregate: MetricAggregate,
    comparison: Comparison,
    threshold: float,
    window_seconds: int,
    for_seconds: int,
    severity: AlertSeverity,
    enabled: bool,
    webhook: str | None,
    secret: str | None,
) -> RuleRequest:
    """Return a rule that is to be set. Raises BadInput."""
    fields = validated(
        lambda: AlertRuleFields(
            name=name,
            metric=metric,
            labels=labels,
            aggregate=aggregate,
            comparison=comparison,
            threshold=threshold,
            window_seconds=window_seconds,
            for_seconds=for_seconds,
            severity=severity,
            enabled=enabled,
            webhook=webhook,
            webhook_secret=secret or None,
        )
    )
    if webhook is not None:
        _check_webhook(webhook)
    return RuleRequest(fields, secret)


def set_rule(database: Database, request: RuleRequest, *, now: datetime) -> AlertRuleRow:
    """Write a rule, in the place of the one of its name if there is one. Its alerts are looked at when it is evaluated next."""
    name = request.fields.name

    def operation(connection: Connection) -> AlertRuleRow:
        before = alert_rules.by_names(connection, [name]).get(name)
        fields = request.fields
        if before is not None and request.secret is None:
            fields = fields.model_copy(update={"webhook_secret": before.webhook_secret})
        alert_rules.put(connection, fields, now=now)
        return alert_rules.by_names(connection, [name])[name]

    return database.write(operation, of_catalogue=False).value


def delete_rule(database: Database, name: str, *, now: datetime, actor: str | None = None) -> None:
    """Delete a rule with its alerts, those that are open resolved first. Their receiver is not told. Raises NotFound."""

    def operation(connection: Connection) -> None:
        found = alert_rules.by_names(connection, [name]).get(name)
        rule = None if found is None else alert_rules.lock(connection, found.id)
        if rule is None:
            names = [each.name for each in alert_rules.all_rules(connection)]
            raise NotFound(f"alert rule {excerpt(name)}", close_names(name, names), path=("name",))
        silent = msgspec.structs.replace(rule, webhook=None)
        for alert in alerts.open_of(connection, rule.id):
            reason = "its rule was deleted"
            move(connection, silent, alert.id, AlertState.RESOLVED, reason=reason, actor=actor, now=now)
        alert_rules.delete(connection, rule.id)

    database.write(operation, of_catalogue=False)


def _check_webhook(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not url.isascii() or not url.isprintable() or " " in url:
        problem = "is not the address of a receiver, such as https://alerts.example/hook"
        raise BadInput(problem, path=("webhook",))
    if "@" in parts.netloc:
        problem = "must not name a user or password: everyone who may read sees it. Sign deliveries by `webhookSecret`"
        raise BadInput(problem, path=("webhook",))
