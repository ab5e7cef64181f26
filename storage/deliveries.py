"""What receivers of webhooks are to be told, and the log of telling them.

Of one alert a notification is sent only when all before it are settled, so that its receiver hears of the changes in their
order. A claim is what one sender has of a notification: it ends by being settled, or with its time.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, exists, func, or_, select, text

from storage.dialects import any_of
from storage.monitoring_rows import DeliveryRow, NotificationRow
from storage.monitoring_tables import (
    ALERT_RULES,
    ALERTS,
    DELIVERIES,
    NOTIFICATIONS,
    DeliveryOutcome,
)
from storage.statements import Change, Query


def add(connection: Connection, alert_id: int, body: str, *, now: datetime) -> None:
    """Write what is to be sent after everything else of the alert.

    The caller keeps the alert from others, so that later changes have larger numbers.
    """
    connection.execute(
        NOTIFICATIONS.insert().values(alert_id=alert_id, body=body, attempts=0, due_at=now, created_at=now)
    )


def due(connection: Connection, *, each: int, now: datetime) -> list[NotificationRow]:
    """Return up to `each` notifications of every webhook to send now, those that have waited longest first."""
    return _DUE.all(connection, now=now, each=each)


def claim(connection: Connection, notification: NotificationRow, *, until: datetime, now: datetime) -> bool:
    """Take one for an attempt; False, and nothing done, when somebody else has. Settle it as that attempt before `until`."""
    taken = _CLAIM.run(connection, row=notification.id, seen=notification.attempts, until=until, present=now)
    return taken == 1


def settle(
    connection: Connection,
    notification_id: int,
    *,
    attempt: int,
    outcome: DeliveryOutcome | None,
    due_at: datetime,
) -> bool:
    """End a claim, with None for another attempt at `due_at`; False, and nothing done, when it has gone to another."""
    settled = _SETTLE.run(connection, row=notification_id, attempt=attempt, result=outcome, next=due_at)
    return settled == 1


def log(
    connection: Connection,
    notification_id: int,
    *,
    attempt: int,
    delivered: bool,
    status: int | None,
    message: str | None,
    now: datetime,
) -> None:
    """Write what came of an attempt."""
    connection.execute(
        DELIVERIES.insert().values(
            notification_id=notification_id,
            attempt=attempt,
            at=now,
            delivered=delivered,
            status=status,
            message=message,
        )
    )


def hurry(connection: Connection, alert_id: int, *, now: datetime) -> int:
    """Have what waits to be sent of an alert sent at once, and return how many that are. What is being sent stays so."""
    return _HURRY.run(connection, alert=alert_id, present=now)


def is_waiting(connection: Connection, alert_id: int) -> bool:
    """Whether anything of an alert is still to be sent, or being sent."""
    return _WAITING.one(connection, alert=alert_id) is not None


def of_alerts(connection: Connection, alert_ids: Iterable[int]) -> dict[int, list[DeliveryRow]]:
    """Return the attempts at telling of each alert, oldest first; one statement for any number of alerts."""
    attempts: dict[int, list[DeliveryRow]] = {id_: [] for id_ in alert_ids}
    for alert_id, row in _OF_ALERTS.all(connection, ids=attempts):
        attempts[alert_id].append(row)
    return attempts


_N: Final = NOTIFICATIONS.c
_EARLIER: Final = NOTIFICATIONS.alias("earlier")
# In the words of the index, or it does not serve.
_UNSETTLED: Final = text("webhook_notifications.outcome IS NULL")
_NOW: Final = bindparam("now", type_=_N.due_at.type)
_PRESENT: Final = bindparam("present", type_=_N.due_at.type)
_LONGEST_FIRST: Final = (_N.due_at, _N.id)
_SENDABLE: Final = (
    select(
        _N.id,
        _N.alert_id,
        _N.attempts,
        _N.body,
        _N.due_at,
        ALERT_RULES.c.webhook,
        ALERT_RULES.c.webhook_secret,
        func.row_number().over(partition_by=ALERT_RULES.c.webhook, order_by=_LONGEST_FIRST).label("place"),
    )
    .join_from(NOTIFICATIONS, ALERTS, ALERTS.c.id == _N.alert_id)
    .join(ALERT_RULES, ALERT_RULES.c.id == ALERTS.c.rule_id)
    .where(
        _UNSETTLED,
        _N.due_at <= _NOW,
        ~exists().where(
            _EARLIER.c.alert_id == _N.alert_id, _EARLIER.c.id < _N.id, _EARLIER.c.outcome.is_(None)
        ),
    )
    .subquery()
)
_DUE: Final = Query(
    select(*(_SENDABLE.c[name] for name in NotificationRow.__struct_fields__))
    .where(_SENDABLE.c.place <= bindparam("each"))
    .order_by(_SENDABLE.c.due_at, _SENDABLE.c.id),
    NotificationRow,
)
_CLAIM: Final = Change(
    NOTIFICATIONS.update()
    .where(
        _N.id == bindparam("row"),
        _N.attempts == bindparam("seen"),
        _N.outcome.is_(None),
        _N.due_at <= _PRESENT,
    )
    .values(
        attempts=_N.attempts + 1,
        due_at=bindparam("until", type_=_N.due_at.type),
        claimed_until=bindparam("until", type_=_N.due_at.type),
    )
)
_SETTLE: Final = Change(
    NOTIFICATIONS.update()
    .where(_N.id == bindparam("row"), _N.attempts == bindparam("attempt"), _N.outcome.is_(None))
    .values(
        outcome=bindparam("result", type_=_N.outcome.type),
        due_at=bindparam("next", type_=_N.due_at.type),
        claimed_until=None,
    )
)
_HURRY: Final = Change(
    NOTIFICATIONS.update()
    .where(
        _N.alert_id == bindparam("alert"),
        _N.outcome.is_(None),
        or_(_N.claimed_until.is_(None), _N.claimed_until <= _PRESENT),
    )
    .values(due_at=_PRESENT, claimed_until=None)
)
_WAITING: Final = Query(
    select(_N.id).where(_N.alert_id == bindparam("alert"), _N.outcome.is_(None)).limit(1), int
)
_OF_ALERTS: Final[Query[tuple[int, DeliveryRow]]] = Query(
    select(_N.alert_id, *(DELIVERIES.c[name] for name in DeliveryRow.__struct_fields__))
    .join_from(NOTIFICATIONS, DELIVERIES, DELIVERIES.c.notification_id == _N.id)
    .where(any_of(_N.alert_id, "ids"))
    .order_by(DELIVERIES.c.id),
    lambda alert_id, *columns: (alert_id, DeliveryRow(*columns)),
)
