"""What a server does about alerts by itself."""

import asyncio
import logging
from contextlib import closing
from datetime import timedelta

import pytest

from buildatlas import chores
from buildatlas.settings import Settings
from resolvers.alerting import evaluate
from resolvers.atlas import Atlas
from resolvers.webhooks import WebhookPolicy
from storage.database import Database
from storage.errors import Trouble, Unavailable
from tests.api.processes import wait_until
from tests.resolvers.alert_world import World

FULL = Unavailable("atlas.db", Trouble.FULL, "make room")


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (FULL, logging.WARNING, f"alerts are not evaluated: {FULL}"),
        (KeyError("odd"), logging.ERROR, "evaluating alerts has failed"),
    ],
)
def test_an_evaluation_that_fails_is_told_and_tried_again(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    level: int,
    said: str,
) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 0.05)
    errors = [error]

    def fails_at_first(database: Database, **given: object) -> int:
        if errors:
            raise errors.pop()
        return evaluate(database, **given)  # type: ignore[arg-type] # as it was called

    monkeypatch.setattr(chores, "evaluate", fails_at_first)
    with closing(Database.open(database_url)) as database:
        world = World(database)
        world.set(
            metric="beats", aggregate="COUNT", comparison="LT", threshold=1, for_seconds=0, webhook=None
        )

        async def story() -> None:
            async with chores.chores(Atlas(database), Settings(database_url, alert_seconds=1)):
                await asyncio.to_thread(wait_until, lambda: world.states() == ["FIRING"])

        asyncio.run(story())

    found = [record.getMessage() for record in caplog.records if record.levelno == level]
    assert found == [said]


@pytest.mark.parametrize(("measuring", "times"), [(True, 1), (False, 3)])
def test_of_several_processes_one_evaluates_where_anything_is_measured(
    database_url: str, monkeypatch: pytest.MonkeyPatch, *, measuring: bool, times: int
) -> None:
    evaluated: list[Database] = []

    def count(database: Database, **_: object) -> int:
        evaluated.append(database)
        return 0

    monkeypatch.setattr(chores, "evaluate", count)
    settings = Settings(database_url, alert_seconds=60, measuring=measuring)
    with closing(Database.open(database_url)) as database:
        for _ in range(3):
            chores._evaluate_alerts(database, settings)

    assert evaluated == [database] * times


def test_webhooks_are_sent_as_the_settings_say() -> None:
    settings = Settings(
        "atlas.db",
        webhook_private=True,
        webhook_seconds=3,
        webhook_attempts=4,
        webhook_backoff_seconds=6,
        webhook_longest_backoff_seconds=7,
        external_url="https://atlas.example",
    )

    assert chores._webhook_policy(settings) == WebhookPolicy(
        attempts=4,
        first_backoff=timedelta(seconds=6),
        longest_backoff=timedelta(seconds=7),
        timeout=timedelta(seconds=3),
        allows_private=True,
        external_url="https://atlas.example",
    )
