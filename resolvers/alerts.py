"""What becomes of alerts: people acknowledge them or have their receivers told once more, and old ones go."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from resolvers.alert_changes import move
from resolvers.errors import NotFound, NothingToTell
from resolvers.webhooks import TOLD, enqueue
from storage import alert_rules, alerts, deliveries
from storage.database import Connection, Database
from storage.monitoring_rows import AlertRow, AlertRuleRow
from storage.transitions import ALERT_MOVES, AlertState, illegal


def acknowledge(database: Database, alert_id: int, *, now: datetime, actor: str | None = None) -> AlertRow:
    """Note that somebody looks after an alert; one that is ACKNOWLEDGED stays as it is. Raises NotFound and IllegalTransition."""

    def operation(connection: Connection) -> AlertRow:
        _, rule = _existing(connection, alert_id)
        target = AlertState.ACKNOWLEDGED
        moved = move(connection, rule, alert_id, target, actor=actor, now=now)
        if moved is not None:
            return moved
        # It may have moved since it was looked at.
        alert, _ = _existing(connection, alert_id)
        if alert.status is not target:
            raise illegal(ALERT_MOVES, f"alert {alert_id}", origin=alert.status, target=target)
        return alert

    return database.write(operation, of_catalogue=False).value


def redeliver(database: Database, alert_id: int, *, now: datetime) -> AlertRow:
    """Have a receiver told at once of what it has not received yet of an alert, or else of the alert as it is now.

    Raises NotFound, and NothingToTell when there is no receiver or the alert is none that it hears of.
    """

    def operation(connection: Connection) -> AlertRow:
        alert, rule = _existing(connection, alert_id)
        if rule.webhook is None:
            raise NothingToTell(alert_id, f"its rule {rule.name} has no webhook: set one by `setAlertRule`")
        if alert.status not in TOLD:
            raise NothingToTell(alert_id, f"it is {alert.status}, and receivers are told once it is FIRING")
        if not deliveries.hurry(connection, alert_id, now=now) and not deliveries.is_waiting(
            connection, alert_id
        ):
            enqueue(connection, rule, alert, now=now)
        return alert

    return database.write(operation, of_catalogue=False).value


def trim(database: Database, *, age: timedelta, now: datetime) -> int:
    """Delete the alerts that ended longer ago than `age`, a chunk at a time, and return how many.

    Their transitions stay. Any number of processes may do so at once.
    """
    trimmed = 0
    # Looked for first, since a write may have to wait.
    while ids := _ended(database, now - age):
        chunk = partial(alerts.delete, ids=ids)
        trimmed += database.write(chunk, of_catalogue=False).value
    return trimmed


# Deleted in one transaction.
_CHUNK: Final = 1_000


def _ended(database: Database, before: datetime) -> list[int]:
    with database.glance() as connection:
        return alerts.ended(connection, before=before, limit=_CHUNK)


def _existing(connection: Connection, alert_id: int) -> tuple[AlertRow, AlertRuleRow]:
    alert = alerts.by_ids(connection, [alert_id]).get(alert_id)
    rule = None if alert is None else alert_rules.by_ids(connection, [alert.rule_id]).get(alert.rule_id)
    if alert is None or rule is None:
        raise NotFound("alert of this id", path=("id",))
    return alert, rule
