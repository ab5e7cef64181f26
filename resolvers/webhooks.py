"""What receivers are told of alerts, in the form in which Prometheus Alertmanager tells it, and how often that is tried.

How it works: what is to be told is written in the transaction of the change itself. Whoever claims it sends it, and settles
the claim: it was received, is to be sent again after a while, or is given up. Two never send the same at a time. What was
sent by a process that ended before it could tell is sent again, with the same `Buildatlas-Delivery`.
"""

import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from graph.moments import rfc_3339
from storage import deliveries
from storage.columns import MAX_TEXT, labels_text
from storage.database import Connection, Database
from storage.monitoring_rows import AlertRow, AlertRuleRow, NotificationRow
from storage.monitoring_tables import DeliveryOutcome
from storage.transitions import AlertState

TOLD: Final = (AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.RESOLVED)
"""Of what receivers hear: an alert that is PENDING is none yet, and ends without a word."""

RECEIVER: Final = "buildatlas"

# What Alertmanager says of an alert that has not ended.
_NEVER: Final = "0001-01-01T00:00:00Z"

# Beyond the time that an attempt may take, to write down what came of it.
_SPARE: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class WebhookPolicy:
    """How long and how often it is tried to tell a receiver."""

    attempts: int = 12
    """Of one notification, before it is given up."""
    first_backoff: timedelta = timedelta(seconds=5)
    """Before the second attempt; each further one waits twice as long, give or take."""
    longest_backoff: timedelta = timedelta(minutes=10)
    timeout: timedelta = timedelta(seconds=10)
    """For all of one attempt."""
    most_of_site: int = 2
    """Attempts at a time, of one process, so that a site which does not answer keeps no other waiting."""
    allows_private: bool = False
    """Whether receivers may be in private networks, or on this machine."""
    external_url: str = ""
    """Where people reach this server."""

    def backoff(self, attempt: int, *, jitter: float) -> timedelta:
        """Return how long to wait after the `attempt`th try. `jitter`, from 0 to 1, spreads it over a half to the whole."""
        whole: timedelta = min(self.first_backoff * (1 << min(attempt - 1, 30)), self.longest_backoff)
        return whole * (0.5 + jitter / 2)

    @property
    def lease(self) -> timedelta:
        """For how long a claim holds."""
        return self.timeout * 2 + _SPARE


@dataclass(frozen=True, slots=True)
class Claim:
    """A notification to send now, as one attempt. `secret` is for signing."""

    notification_id: int
    attempt: int
    webhook: str | None
    secret: str | None
    payload: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt."""

    delivered: bool
    status: int | None
    message: str | None
    is_final: bool = False
    """Whether it is no use to try again."""


def enqueue(connection: Connection, rule: AlertRuleRow, alert: AlertRow, *, now: datetime) -> None:
    """Have a rule's receiver told of an alert as it is now, if there is one. The caller keeps the alert from others."""
    if rule.webhook is not None:
        deliveries.add(connection, alert.id, json.dumps(payload(rule, alert), ensure_ascii=False), now=now)


def payload(rule: AlertRuleRow, alert: AlertRow) -> dict[str, Any]:
    """Return what Alertmanager would tell of an alert, but for where this server is."""
    labels = {**alert.labels, "alertname": rule.name, "severity": alert.severity.lower()}
    group = {"alertname": rule.name}
    annotations = {"summary": alert.message, "state": alert.status, "value": f"{alert.value:g}"}
    if alert.blocked_builds is not None:
        annotations["blocked_builds"] = str(alert.blocked_builds)
    status = "resolved" if alert.status is AlertState.RESOLVED else "firing"
    return {
        "version": "4",
        "groupKey": f"{{}}:{{alertname={json.dumps(rule.name, ensure_ascii=False)}}}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": RECEIVER,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": rfc_3339(alert.started_at),
                "endsAt": _NEVER if alert.resolved_at is None else rfc_3339(alert.resolved_at),
                "generatorURL": "",
                "fingerprint": hashlib.sha256(labels_text(labels).encode()).hexdigest()[:16],
            }
        ],
    }


def body_of(claim: Claim, policy: WebhookPolicy) -> bytes:
    """Return what is sent."""
    told = json.loads(claim.payload)
    told["externalURL"] = policy.external_url
    for alert in told["alerts"]:
        alert["generatorURL"] = policy.external_url
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(claim: Claim, body: bytes, *, now: datetime) -> Mapping[str, str]:
    """Return by what a receiver tells one notification from another, and knows that it is from here.

    The signature is the HMAC-SHA256, in hexadecimal, of the timestamp, a full stop and the body.
    """
    headers = {
        "Content-Type": "application/json",
        "Buildatlas-Delivery": str(claim.notification_id),
        "Buildatlas-Attempt": str(claim.attempt),
    }
    if claim.secret is not None:
        timestamp = str(int(now.timestamp()))
        headers["Buildatlas-Timestamp"] = timestamp
        headers["Buildatlas-Signature"] = f"sha256={signature(claim.secret, timestamp, body)}"
    return headers


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body that is sent at a moment, given in seconds since 1970."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def claim_due(
    database: Database,
    policy: WebhookPolicy,
    *,
    limit: int,
    under_way: Mapping[str, int],
    clock: Callable[[], datetime],
) -> list[Claim]:
    """Take up to `limit` notifications to send. Each is to be settled within `policy.lease`.

    `under_way` tells how many the caller is sending, by site.
    """
    with database.glance() as connection:
        found = deliveries.due(connection, each=policy.most_of_site, now=clock())
    chosen = list(_with_room(found, under_way, policy.most_of_site))[:limit]
    if not chosen:
        return []

    def operation(connection: Connection) -> list[Claim]:
        # A write may wait for longer than a claim holds.
        now = clock()
        # In one order, so that two who claim wait for each other at most once.
        return [
            _claimed(row)
            for row in sorted(chosen, key=lambda row: row.id)
            if deliveries.claim(connection, row, until=now + policy.lease, now=now)
        ]

    return database.write(operation, of_catalogue=False).value


def site_of(webhook: str | None) -> str:
    """Return the host and port that a webhook names, as it names them."""
    return _SITE_ENDS.split((webhook or "").partition("://")[2], maxsplit=1)[0].lower()


_SITE_ENDS: Final = re.compile(r"[/?#]")


def _with_room(
    found: Iterable[NotificationRow], under_way: Mapping[str, int], most: int
) -> Iterator[NotificationRow]:
    taken = Counter(under_way)
    for row in found:
        site = site_of(row.webhook)
        if taken[site] < most:
            taken[site] += 1
            yield row


def settle(
    database: Database,
    claim: Claim,
    answer: Answer,
    policy: WebhookPolicy,
    *,
    jitter: float,
    now: datetime,
) -> DeliveryOutcome | None:
    """Write down what came of an attempt, and return what came of the notification: None when it is to be tried again."""
    outcome = _outcome(claim, answer, policy)
    due_at = now + policy.backoff(claim.attempt, jitter=jitter)

    def operation(connection: Connection) -> None:
        if deliveries.settle(
            connection, claim.notification_id, attempt=claim.attempt, outcome=outcome, due_at=due_at
        ):
            deliveries.log(
                connection,
                claim.notification_id,
                attempt=claim.attempt,
                delivered=answer.delivered,
                status=answer.status,
                message=None if answer.message is None else answer.message[:MAX_TEXT],
                now=now,
            )

    database.write(operation, of_catalogue=False)
    return outcome


def _claimed(row: NotificationRow) -> Claim:
    return Claim(row.id, row.attempts + 1, row.webhook, row.webhook_secret, row.body)


def _outcome(claim: Claim, answer: Answer, policy: WebhookPolicy) -> DeliveryOutcome | None:
    if answer.delivered:
        return DeliveryOutcome.DELIVERED
    is_last = answer.is_final or claim.attempt >= policy.attempts
    return DeliveryOutcome.ABANDONED if is_last else None


DEFAULT_WEBHOOK_POLICY: Final = WebhookPolicy()
