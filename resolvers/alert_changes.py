"""Changing the state of alerts: the change, its event, and what the rule's receiver is to be told, or nothing of it."""

from datetime import datetime

from resolvers.webhooks import TOLD, enqueue
from storage import alerts, events, history
from storage.database import Connection
from storage.events import Change
from storage.monitoring_rows import AlertRow, AlertRuleRow
from storage.tables import EventKind, SubjectType
from storage.transitions import AlertState


def begin(connection: Connection, rule: AlertRuleRow, alert: AlertRow) -> None:
    """Write a new alert."""
    alerts.insert(connection, [alert])
    _tell(connection, rule, alert, now=alert.created_at)


def move(
    connection: Connection,
    rule: AlertRuleRow,
    alert_id: int,
    target: AlertState,
    *,
    reason: str | None = None,
    actor: str | None = None,
    now: datetime,
) -> AlertRow | None:
    """Move an alert and return it as it is then; None, and nothing done, when it may not move there from where it is."""
    before = alerts.by_ids(connection, [alert_id]).get(alert_id)
    if before is None or not alerts.move(connection, alert_id, target, reason=reason, actor=actor, now=now):
        return None
    alert = alerts.by_ids(connection, [alert_id])[alert_id]
    _tell(connection, rule, alert, has_fired=before.status is not AlertState.PENDING, now=now)
    return alert


def _tell(
    connection: Connection, rule: AlertRuleRow, alert: AlertRow, *, has_fired: bool = True, now: datetime
) -> None:
    moved = history.last_of(connection, SubjectType.ALERT, alert.id)
    change = Change(EventKind.ALERT_CHANGED, SubjectType.ALERT, alert.id, transition_id=moved)
    events.append(connection, [change], at=now)
    # Of what ends before it has fired, nobody was told that it began.
    if alert.status in TOLD and (has_fired or alert.status is not AlertState.RESOLVED):
        enqueue(connection, rule, alert, now=now)
