"""What is to be done with the alerts of a rule, given what the rule sees: decided without looking at anything else.

How it works: an alert is PENDING until its rule has held for `for_seconds`, and FIRING from then on. One whose rule ceases to
hold before that is over at once. One that has fired is over when its rule has not held for a whole window, so that a value
that goes up and down does not raise one alert after another.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from resolvers.alert_readings import Reading, holds
from storage.columns import labels_text
from storage.monitoring_rows import AlertRow, AlertRuleRow
from storage.transitions import AlertState

MOST_ALERTS: Final = 1_000
"""Open ones of one rule. A rule that holds of more sets of labels is one that nobody could act on alert by alert."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Raise an alert."""

    reading: Reading
    status: AlertState


@dataclass(frozen=True, slots=True)
class Renew:
    """Have an alert say what is so now, and since when its rule does not hold any more, if it does not."""

    alert: AlertRow
    reading: Reading | None
    """None: it goes on saying what it said."""
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True)
class Move:
    """Move an alert to another state."""

    alert: AlertRow
    target: AlertState
    reason: str


Step: TypeAlias = Begin | Renew | Move


def steps(
    rule: AlertRuleRow, alerts: Sequence[AlertRow], readings: Iterable[Reading], *, now: datetime
) -> list[Step]:
    """Return what to do, in order; `alerts` are those of the rule that are open. A second time there is nothing left."""
    if not rule.enabled:
        return [Move(alert, AlertState.RESOLVED, "its rule is disabled") for alert in alerts]
    seen = {reading.key: reading for reading in readings}
    holding = {key: reading for key, reading in seen.items() if holds(rule, reading.value)}
    found: list[Step] = []
    for alert in alerts:
        key = labels_text(alert.labels)
        if key in holding:
            found += _lasting(rule, alert, holding.pop(key), now)
        else:
            found += _fading(rule, alert, seen.get(key), now)
    status = AlertState.PENDING if rule.for_seconds else AlertState.FIRING
    room = max(MOST_ALERTS - len(alerts), 0)
    return [*found, *(Begin(reading, status) for reading in list(holding.values())[:room])]


def _lasting(rule: AlertRuleRow, alert: AlertRow, reading: Reading, now: datetime) -> Iterator[Step]:
    if _says_otherwise(alert, reading) or alert.cleared_at is not None:
        yield Renew(alert, reading, None)
    due = alert.started_at + timedelta(seconds=rule.for_seconds)
    if alert.status is AlertState.PENDING and due <= now:
        yield Move(alert, AlertState.FIRING, f"it has been so for {rule.for_seconds} s")


def _fading(rule: AlertRuleRow, alert: AlertRow, reading: Reading | None, now: datetime) -> Iterator[Step]:
    if alert.status is AlertState.PENDING:
        yield Move(alert, AlertState.RESOLVED, f"it has not been so for {rule.for_seconds} s")
        return
    # One in the future is by a clock that was ahead, and might never come.
    if alert.cleared_at is None or alert.cleared_at > now:
        yield Renew(alert, reading, now)
    elif alert.cleared_at + timedelta(seconds=rule.window_seconds) <= now:
        if reading is not None and _says_otherwise(alert, reading):
            yield Renew(alert, reading, alert.cleared_at)
        yield Move(alert, AlertState.RESOLVED, f"it has not been so for {rule.window_seconds} s")


def _says_otherwise(alert: AlertRow, reading: Reading) -> bool:
    return (alert.value, alert.message, alert.blocked_builds) != (
        reading.value,
        reading.message,
        reading.blocked_builds,
    )
