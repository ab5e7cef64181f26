"""Evaluating the rules of alerts.

How it works: what a rule sees is read first, and compared with the alerts that are open. Only when something is to be done
is a transaction opened for it; that locks the rule, looks at its alerts again, and decides anew. So any number of processes
may evaluate at once: one does what there is to do, and the others find it done. As looking takes seconds where tens of
thousands of builds wait, they take turns: whoever begins notes when, as a measurement, and the others leave it at that.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from resolvers import metrics
from resolvers.alert_changes import begin, move
from resolvers.alert_readings import Reading, readings
from resolvers.alert_steps import Begin, Move, Renew, Step, steps
from resolvers.measurements import EVALUATED, SECONDS
from storage import alert_rules, alerts
from storage.database import Connection, Database
from storage.monitoring_rows import AlertRow, AlertRuleRow
from storage.monitoring_tables import MetricAggregate, MetricFields
from storage.time_limits import time_limit
from storage.transitions import AlertState

See: TypeAlias = Callable[[Database, AlertRuleRow, datetime], Sequence[Reading]]
"""Tells what a rule sees at a moment."""

# A rule that looks at too much must not keep all others from being evaluated.
_LONGEST_LOOK: Final = timedelta(seconds=30)


def take_turn(database: Database, *, every: timedelta, now: datetime) -> bool:
    """Whether nobody has begun to evaluate within `every`; if so, it is noted that the caller does.

    Two who ask at the same moment may both be told so, which costs them time and nothing else.
    """
    with database.read() as connection:
        found = metrics.aggregated(
            connection, EVALUATED, labels={}, since=now - every, until=now, aggregate=MetricAggregate.MAX
        )
    # A clock that is ahead must not keep all others from it.
    if any(abs(now.timestamp() - value) < every.total_seconds() for _, value in found):
        return False
    mark = MetricFields(name=EVALUATED, unit=SECONDS, value=now.timestamp(), at=now)
    metrics.record(database, [mark], now=now)
    return True


def evaluate(database: Database, *, now: datetime, see: See = readings) -> int:
    """Do with all alerts what is due, and return how many began or changed their state.

    What goes wrong with one rule is raised once all others are evaluated.
    """
    with database.read() as connection:
        rules = alert_rules.all_rules(connection)
        still_open = alerts.still_open(connection)
    open_of: dict[int, list[AlertRow]] = defaultdict(list)
    for alert in still_open:
        open_of[alert.rule_id].append(alert)
    changed = 0
    errors: list[Exception] = []
    for rule in rules:
        try:
            changed += _evaluate(database, rule, open_of[rule.id], see, now)
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return changed


def _evaluate(
    database: Database, rule: AlertRuleRow, known: Sequence[AlertRow], see: See, now: datetime
) -> int:
    with time_limit(_LONGEST_LOOK.total_seconds()):
        seen = see(database, rule, now) if rule.enabled else []
    if not steps(rule, known, seen, now=now):
        return 0
    return database.write(partial(_carry_out, rule=rule, seen=seen, now=now), of_catalogue=False).value


def _carry_out(connection: Connection, rule: AlertRuleRow, seen: Sequence[Reading], now: datetime) -> int:
    if alert_rules.lock(connection, rule.id) != rule:
        # Changed or deleted meanwhile: what was seen is not what it asks for now.
        return 0
    due = steps(rule, alerts.open_of(connection, rule.id), seen, now=now)
    return sum(_take(connection, rule, step, now) for step in due)


def _take(connection: Connection, rule: AlertRuleRow, step: Step, now: datetime) -> bool:
    """Take a step, and return whether a state has changed."""
    match step:
        case Begin(reading, status):
            begin(connection, rule, _new(connection, rule, reading, status, now))
            return True
        case Move(alert, target, reason):
            return move(connection, rule, alert.id, target, reason=reason, now=now) is not None
        case Renew(alert, reading, cleared_at):
            alerts.renew(
                connection,
                alert.id,
                value=alert.value if reading is None else reading.value,
                message=alert.message if reading is None else reading.message,
                blocked_builds=alert.blocked_builds if reading is None else reading.blocked_builds,
                cleared_at=cleared_at,
                now=now,
            )
            return False


def _new(
    connection: Connection, rule: AlertRuleRow, reading: Reading, status: AlertState, now: datetime
) -> AlertRow:
    return AlertRow(
        id=next(alerts.ids(connection)),
        rule_id=rule.id,
        status=status,
        severity=rule.severity,
        value=reading.value,
        labels=dict(reading.labels),
        message=reading.message,
        started_at=now,
        created_at=now,
        updated_at=now,
        blocked_builds=reading.blocked_builds,
    )
