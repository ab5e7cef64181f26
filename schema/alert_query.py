"""The queries about alerts."""

from typing import Annotated

import strawberry
from strawberry import argument

from schema.alert_enums import AlertState
from schema.alert_types import AlertConnection, AlertRule, list_alerts
from schema.arguments import After, First
from schema.context import Info
from schema.fields import field
from storage import alert_rules


@strawberry.type
class AlertQuery:
    @field("Alerts, newest first.")
    async def alerts(
        self,
        info: Info,
        *,
        state: Annotated[
            list[AlertState] | None, argument(description="Only alerts in one of these states. Null: all.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> AlertConnection:
        return await list_alerts(info.context, state, first, after)

    @field("The rules by which alerts are due, by name.")
    async def alert_rules(self, info: Info) -> list[AlertRule]:
        rows = await info.context.loaders.glance(alert_rules.all_rules)
        return [AlertRule.of(row) for row in rows]
