"""A rule with its alerts and its receiver, and a clock, for tests to tell stories with."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from resolvers.alert_readings import Reading
from resolvers.alert_rules import RuleRequest, set_rule
from resolvers.alerting import evaluate
from resolvers.webhooks import Answer, Claim, WebhookPolicy, claim_due, settle
from storage import alerts, events
from storage.database import Database
from storage.monitoring_rows import AlertRow, AlertRuleRow
from storage.monitoring_tables import AlertRuleFields, Comparison, MetricAggregate
from tests.storage.world import NOW

OK = Answer(True, 200, None)
BROKEN = Answer(False, 500, "500 Internal Server Error")


def hot(**fields: object) -> AlertRuleFields:
    """Return a rule that holds of what is above 5 by its receiver's account."""
    values = {
        "name": "hot",
        "metric": "heat",
        "aggregate": MetricAggregate.MAX,
        "comparison": Comparison.GT,
        "threshold": 5.0,
        "window_seconds": 60,
        "for_seconds": 30,
        "webhook": "https://alerts.example/hook",
        "webhook_secret": "s3cret",
        **fields,
    }
    return AlertRuleFields.model_validate(values)


@dataclass
class World:
    """What is seen by its name, and what came of that."""

    database: Database
    now: datetime = NOW
    seen: dict[str, float] = field(default_factory=dict)
    policy: WebhookPolicy = field(default_factory=lambda: WebhookPolicy(most_of_site=100))

    def set(self, **fields: object) -> AlertRuleRow:
        """Set the rule."""
        return set_rule(self.database, RuleRequest(hot(**fields)), now=self.now)

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def evaluate(self, **seen: float) -> int:
        """Evaluate all rules of what is seen now."""
        self.seen = seen
        return evaluate(self.database, now=self.now, see=self._see)

    def _see(self, database: Database, rule: AlertRuleRow, now: datetime) -> list[Reading]:
        del database, rule, now
        return [Reading({"site": site}, value, f"{value:g}") for site, value in self.seen.items()]

    def alerts(self) -> list[AlertRow]:
        """Return all alerts, oldest first."""
        with self.database.read() as connection:
            return alerts.page(connection, limit=1_000)[::-1]

    def states(self) -> list[str]:
        """Return the states of all alerts, oldest first."""
        return [alert.status.value for alert in self.alerts()]

    def events(self) -> int:
        """Return how many events there are."""
        with self.database.read() as connection:
            return len(events.after(connection, 0, limit=10_000))

    def claim(self) -> list[Claim]:
        """Take all that is to be sent now."""
        return claim_due(self.database, self.policy, limit=100, under_way={}, clock=lambda: self.now)

    def settle(self, claim: Claim, answer: Answer = OK) -> None:
        """Have a receiver answer."""
        settle(self.database, claim, answer, self.policy, jitter=1.0, now=self.now)

    def deliver(self) -> list[Any]:
        """Send all that is to be sent, until nothing is, and return it."""
        told = []
        while claims := self.claim():
            for claim in claims:
                told.append(json.loads(claim.payload))
                self.settle(claim)
        return told


def told_states(bodies: list[Any]) -> list[str]:
    """Return what receivers were told of the state of alerts."""
    return [body["alerts"][0]["annotations"]["state"] for body in bodies]
