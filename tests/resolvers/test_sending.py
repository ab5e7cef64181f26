"""Claiming what is to be sent: for how long, and so that no receiver keeps others waiting."""

from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from resolvers.alert_rules import RuleRequest, set_rule
from resolvers.webhooks import WebhookPolicy, claim_due, site_of
from storage.database import Database
from tests.resolvers.alert_world import World, hot

POLICY = WebhookPolicy(most_of_site=2)


@pytest.fixture
def world(database: Database) -> World:
    """A world with three alerts each of two rules whose receivers are at one site, and then of one elsewhere."""
    world = World(database)
    for name, webhook in (
        ("a", "http://slow.example/a?key=1"),
        ("b", "http://SLOW.example/b"),
        ("c", "http://quick.example/c"),
    ):
        set_rule(database, RuleRequest(hot(name=name, for_seconds=0, webhook=webhook)), now=world.now)
        world.tick(1)
        world.evaluate(paris=9, rome=9, oslo=9)
    return world


def claimed(world: World, *, limit: int = 100, under_way: Counter[str] | None = None) -> list[str]:
    """Claim what is due, and return of which sites that is."""
    found = claim_due(
        world.database, POLICY, limit=limit, under_way=under_way or Counter(), clock=lambda: world.now
    )
    return sorted(urlsplit(claim.webhook or "").hostname or "" for claim in found)


def test_of_a_site_only_so_many_are_sent_at_a_time(world: World) -> None:
    assert claimed(world) == ["quick.example"] * 2 + ["slow.example"] * 2


def test_what_is_under_way_counts(world: World) -> None:
    assert claimed(world, under_way=Counter({"slow.example": 2, "quick.example": 1})) == ["quick.example"]


def test_no_more_are_claimed_than_there_is_room_for(world: World) -> None:
    assert claimed(world, limit=1) == ["slow.example"]


def test_a_claim_holds_from_when_it_is_written(world: World) -> None:
    """A write may wait for longer than a claim holds."""
    moments = [world.now, world.now + timedelta(minutes=1)]
    claim_due(world.database, POLICY, limit=1, under_way=Counter(), clock=lambda: moments.pop(0))
    world.tick(60)

    assert claimed(world, limit=1) == ["slow.example"]
    with world.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT attempts FROM webhook_notifications ORDER BY id").all()
    assert [row[0] for row in rows] == [1, 1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("webhook", "site"),
    [
        (None, ""),
        ("https://Alerts.example/hook/of?mine=/", "alerts.example"),
        ("http://[::1]:99?x", "[::1]:99"),
        ("http://alerts.example:80#part", "alerts.example:80"),
    ],
)
def test_a_site_is_what_is_connected_to(webhook: str | None, site: str) -> None:
    assert site_of(webhook) == site
