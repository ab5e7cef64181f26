"""Inputs of what is done with alerts and their rules."""

import strawberry

from resolvers.alert_rules import RuleRequest, rule_request
from schema.alert_enums import AlertSeverity, Comparison
from schema.inputs import LabelInput, label_pairs
from schema.metric_inputs import MetricAggregate
from schema.subjects import read_row
from storage import monitoring_tables
from storage.tables import SubjectType


@strawberry.input(description="A rule, whole: what is left out is as it is by default.")
class SetAlertRuleInput:
    name: str = strawberry.field(description="Of a new rule, or of the one to replace.")
    metric: str = strawberry.field(
        description="What to look at: a name that `metrics` knows, or `blocked_builds`, what each root cause holds up."
    )
    labels: list[LabelInput] = strawberry.field(
        default_factory=list, description="Only series that have all of these, perhaps besides others."
    )
    aggregate: MetricAggregate = strawberry.field(
        default=MetricAggregate.MEAN,
        description="How the values of a window become one. Where nothing was measured, COUNT and SUM are 0, and with any other "
        "the rule does not hold.",
    )
    comparison: Comparison = strawberry.field(description="How that has to stand to the threshold.")
    threshold: float = strawberry.field(description="What to compare with.")
    window_seconds: int = strawberry.field(
        default=300,
        description="How far to look back, in whole minutes, and how long the rule must not hold before an alert that has fired is "
        "resolved: at least 1, at most a year.",
    )
    for_seconds: int = strawberry.field(
        default=0, description="How long the rule must hold before an alert fires: at most a year."
    )
    severity: AlertSeverity = strawberry.field(
        default=AlertSeverity.WARNING, description="Of alerts from now on."
    )
    webhook: str | None = strawberry.field(
        default=None,
        description="The address of a receiver that understands what Prometheus Alertmanager sends. Null: nobody is told.",
    )
    webhook_secret: str | None = strawberry.field(
        default=None,
        description="Signs deliveries; never readable. Null: as it was. Empty: they are not signed.",
    )
    enabled: bool = strawberry.field(default=True, description="Whether to evaluate it.")

    def to_request(self) -> RuleRequest:
        """Return the use case's form of it. Raises RepeatedLabel and BadInput."""
        return rule_request(
            name=self.name,
            metric=self.metric,
            labels=dict(label_pairs(self.labels)),
            aggregate=monitoring_tables.MetricAggregate[self.aggregate.name],
            comparison=monitoring_tables.Comparison[self.comparison.name],
            threshold=self.threshold,
            window_seconds=self.window_seconds,
            for_seconds=self.for_seconds,
            severity=monitoring_tables.AlertSeverity[self.severity.name],
            enabled=self.enabled,
            webhook=self.webhook,
            secret=self.webhook_secret,
        )


@strawberry.input(description="A rule to delete.")
class DeleteAlertRuleInput:
    name: str = strawberry.field(description="Which rule.")


@strawberry.input(description="An alert to look after.")
class AcknowledgeAlertInput:
    id: strawberry.ID = strawberry.field(description="Which alert.")

    def row(self) -> int:
        """Return the number of the alert. Raises InvalidId and WrongType."""
        return read_row("id", self.id, SubjectType.ALERT)


@strawberry.input(description="An alert to tell its receiver of once more.")
class RedeliverAlertInput:
    id: strawberry.ID = strawberry.field(description="Which alert.")

    def row(self) -> int:
        """Return the number of the alert. Raises InvalidId and WrongType."""
        return read_row("id", self.id, SubjectType.ALERT)
