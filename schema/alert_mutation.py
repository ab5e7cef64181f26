"""The mutations of alerts and their rules."""

from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from resolvers import alert_rules, alerts
from schema.alert_inputs import (
    AcknowledgeAlertInput,
    DeleteAlertRuleInput,
    RedeliverAlertInput,
    SetAlertRuleInput,
)
from schema.alert_types import Alert, AlertRule
from schema.context import Info
from schema.fields import mutation
from schema.threads import now, write
from storage.monitoring_tables import Scope


@strawberry.type(description="A rule after a change.")
class AlertRulePayload:
    rule: AlertRule = strawberry.field(description="The rule as it is now.")


@strawberry.type(description="What was deleted.")
class DeleteAlertRulePayload:
    deleted_name: str = strawberry.field(description="The rule's name.")


@strawberry.type(description="An alert after a change.")
class AlertPayload:
    alert: Alert = strawberry.field(description="The alert as it is now.")


@strawberry.type
class AlertMutation:
    @mutation(
        Scope.ADMIN, "Set when an alert is due, in the place of the rule of the same name if there is one."
    )
    async def set_alert_rule(
        self, info: Info, input: Annotated[SetAlertRuleInput, argument(description="The rule.")]
    ) -> AlertRulePayload:
        change = partial(alert_rules.set_rule, request=input.to_request(), now=now())
        return AlertRulePayload(rule=AlertRule.of(await write(info.context, change)))

    @mutation(
        Scope.ADMIN,
        "Delete a rule with its alerts. Receivers are not told that these are over: disable the rule first where they should be.",
    )
    async def delete_alert_rule(
        self, info: Info, input: Annotated[DeleteAlertRuleInput, argument(description="Which rule.")]
    ) -> DeleteAlertRulePayload:
        change = partial(alert_rules.delete_rule, name=input.name, now=now(), actor=info.context.actor)
        await write(info.context, change)
        return DeleteAlertRulePayload(deleted_name=input.name)

    @mutation(
        Scope.WRITE,
        "Take on an alert that fires. It fires no more until it is resolved, and is another alert after that.",
    )
    async def acknowledge_alert(
        self, info: Info, input: Annotated[AcknowledgeAlertInput, argument(description="Which alert.")]
    ) -> AlertPayload:
        change = partial(alerts.acknowledge, alert_id=input.row(), now=now(), actor=info.context.actor)
        return AlertPayload(alert=Alert.of(await write(info.context, change)))

    @mutation(
        Scope.WRITE,
        "Send at once what an alert's receiver has not taken yet, or else the alert as it is now once more. CONFLICT when there is "
        "nobody to tell, or nothing yet.",
    )
    async def redeliver_alert(
        self, info: Info, input: Annotated[RedeliverAlertInput, argument(description="Which alert.")]
    ) -> AlertPayload:
        change = partial(alerts.redeliver, alert_id=input.row(), now=now())
        return AlertPayload(alert=Alert.of(await write(info.context, change)))
