"""What receivers are told, how often that is tried, and what is noted of it."""

from datetime import timedelta

import pytest

from resolvers.alerts import acknowledge, redeliver
from resolvers.errors import NotFound, NothingToTell
from resolvers.webhooks import Answer, WebhookPolicy
from storage import deliveries
from storage.database import Database
from storage.errors import IllegalTransition
from storage.monitoring_rows import DeliveryRow
from tests.resolvers.alert_world import BROKEN, OK, World, told_states


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.set(for_seconds=0)
    made.evaluate(paris=6)
    return made


def logged(world: World) -> list[DeliveryRow]:
    (alert,) = world.alerts()
    with world.database.read() as connection:
        return deliveries.of_alerts(connection, [alert.id])[alert.id]


def test_what_is_told_is_what_alertmanager_would_tell(world: World) -> None:
    (body,) = world.deliver()

    labels = {"alertname": "hot", "severity": "warning", "site": "paris"}
    annotations = {"summary": "6", "state": "FIRING", "value": "6"}
    fingerprint = body["alerts"][0].pop("fingerprint")
    assert body == {
        "version": "4",
        "groupKey": '{}:{alertname="hot"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "buildatlas",
        "groupLabels": {"alertname": "hot"},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "annotations": annotations,
                "startsAt": "2026-01-01T00:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "",
            }
        ],
    }
    assert len(fingerprint) == 16


def test_the_end_of_an_alert_has_the_fingerprint_of_its_beginning(world: World) -> None:
    world.evaluate(paris=1)
    world.tick(60)
    world.evaluate(paris=1)

    first, last = world.deliver()

    assert (last["status"], last["alerts"][0]["endsAt"]) == ("resolved", "2026-01-01T00:01:00Z")
    assert last["alerts"][0]["fingerprint"] == first["alerts"][0]["fingerprint"]


def test_it_waits_twice_as_long_before_each_further_attempt() -> None:
    policy = WebhookPolicy(first_backoff=timedelta(seconds=5), longest_backoff=timedelta(minutes=1))

    waits = [policy.backoff(attempt, jitter=1).total_seconds() for attempt in (1, 2, 3, 4, 5, 1_000)]

    assert waits == [5, 10, 20, 40, 60, 60]
    assert policy.backoff(1, jitter=0).total_seconds() == 2.5


def test_an_attempt_that_fails_is_made_again_after_a_while(world: World) -> None:
    (first,) = world.claim()
    world.settle(first, BROKEN)
    at_once = world.claim()
    world.tick(5)
    (second,) = world.claim()
    world.settle(second)

    assert at_once == []
    assert [(row.attempt, row.delivered, row.status) for row in logged(world)] == [
        (1, False, 500),
        (2, True, 200),
    ]


def test_what_was_given_up_does_not_keep_back_what_comes_after(world: World) -> None:
    world.policy = WebhookPolicy(attempts=1)
    (alert,) = world.alerts()
    acknowledge(world.database, alert.id, now=world.now)
    (first,) = world.claim()
    in_the_way = world.claim()
    world.settle(first, BROKEN)

    assert in_the_way == []
    assert told_states(world.deliver()) == ["ACKNOWLEDGED"]


def test_what_it_is_no_use_to_try_again_is_given_up_at_once(world: World) -> None:
    (first,) = world.claim()
    world.settle(first, Answer(False, None, "refused", is_final=True))
    world.tick(3_600)

    assert world.claim() == []


def test_a_claim_that_was_never_settled_ends_by_itself(world: World) -> None:
    (lost,) = world.claim()
    world.tick(world.policy.lease.total_seconds())
    (again,) = world.claim()

    world.settle(lost, BROKEN)

    assert (again.notification_id, again.attempt) == (lost.notification_id, 2)
    assert logged(world) == []
    world.settle(again)
    assert [row.attempt for row in logged(world)] == [2]


def test_redelivery_hurries_what_waits(world: World) -> None:
    (alert,) = world.alerts()
    (first,) = world.claim()
    redeliver(world.database, alert.id, now=world.now)
    while_under_way = world.claim()
    world.settle(first, BROKEN)

    redeliver(world.database, alert.id, now=world.now)

    assert while_under_way == []
    assert told_states(world.deliver()) == ["FIRING"]


def test_redelivery_tells_again_what_was_told(world: World) -> None:
    (alert,) = world.alerts()
    world.deliver()

    redeliver(world.database, alert.id, now=world.now)

    assert told_states(world.deliver()) == ["FIRING"]


def test_nobody_is_told_again_of_what_nobody_hears_of(database: Database) -> None:
    world = World(database)
    world.set(webhook=None, for_seconds=0, name="silent")
    world.set(for_seconds=9, name="patient")
    world.evaluate(paris=6)
    by_state = {alert.status.value: alert.id for alert in world.alerts()}

    with pytest.raises(NothingToTell, match="its rule silent has no webhook"):
        redeliver(database, by_state["FIRING"], now=world.now)
    with pytest.raises(NothingToTell, match="it is PENDING"):
        redeliver(database, by_state["PENDING"], now=world.now)
    with pytest.raises(NotFound, match="there is no alert of this id"):
        redeliver(database, 99, now=world.now)


def test_what_has_not_fired_cannot_be_acknowledged(database: Database) -> None:
    world = World(database)
    world.set()
    world.evaluate(paris=6)
    (alert,) = world.alerts()

    with pytest.raises(IllegalTransition):
        acknowledge(database, alert.id, now=world.now)
    with pytest.raises(NotFound):
        acknowledge(database, 99, now=world.now)


def test_a_rule_that_has_lost_its_webhook_is_told_to_nobody(world: World) -> None:
    world.set(for_seconds=0, webhook=None)

    (claim,) = world.claim()

    assert claim.webhook is None
    world.settle(claim, OK)
