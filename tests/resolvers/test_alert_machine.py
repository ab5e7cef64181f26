"""Whatever is seen, acknowledged, sent and lost, and in whatever order: each alert is where a small model says."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from resolvers.alerts import acknowledge
from resolvers.webhooks import Claim, WebhookPolicy
from storage import alert_rules, history
from storage.database import Connection, Database
from storage.errors import IllegalTransition
from storage.tables import EVENTS, SubjectType
from tests.databases import KINDS, url_of
from tests.resolvers.alert_world import BROKEN, OK, World

SITES: Final = ("paris", "rome")
FOR: Final = 30
WINDOW: Final = 60


@dataclass
class Expected:
    """An alert as the design has it."""

    site: str
    started_at: datetime
    states: list[str] = field(default_factory=lambda: ["PENDING"])
    cleared_at: datetime | None = None

    @property
    def state(self) -> str:
        return self.states[-1]

    @property
    def told(self) -> list[str]:
        """What its receiver hears of, in order."""
        return [state for state in self.states if state != "PENDING"] if "FIRING" in self.states else []


@dataclass
class Model:
    """All alerts, and one step after the other."""

    alerts: list[Expected] = field(default_factory=list)

    def open(self) -> list[Expected]:
        return [alert for alert in self.alerts if alert.state != "RESOLVED"]

    def evaluate(self, high: set[str], now: datetime, *, enabled: bool) -> None:
        for alert in self.open():
            if not enabled:
                alert.states.append("RESOLVED")
            elif alert.site in high:
                alert.cleared_at = None
                if alert.state == "PENDING" and now - alert.started_at >= timedelta(seconds=FOR):
                    alert.states.append("FIRING")
            elif alert.state == "PENDING":
                alert.states.append("RESOLVED")
            elif alert.cleared_at is None:
                alert.cleared_at = now
            elif now - alert.cleared_at >= timedelta(seconds=WINDOW):
                alert.states.append("RESOLVED")
        known = {alert.site for alert in self.open()}
        if enabled:
            self.alerts += (Expected(site, now) for site in SITES if site in high - known)


class Machine(RuleBasedStateMachine):
    """Runs the real thing and the model side by side."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.database.write(_forget)
        self.world = World(self.database, policy=WebhookPolicy(attempts=1_000))
        self.world.set(for_seconds=FOR, window_seconds=WINDOW)
        self.model = Model()
        self.enabled = True
        self.sent: list[Claim] = []
        self.told: dict[str, list[str]] = defaultdict(list)
        self.heard: set[int] = set()

    @rule(
        seconds=st.sampled_from([0, 1, FOR - 1, FOR, WINDOW - 1, WINDOW]),
        high=st.sets(st.sampled_from(SITES)),
        times=st.integers(1, 2),
    )
    def rules_are_evaluated(self, seconds: int, high: set[str], times: int) -> None:
        """Twice at the same moment is no more than once. What is not high is low, or not seen at all."""
        self.world.tick(seconds)
        self.model.evaluate(high, self.world.now, enabled=self.enabled)
        seen = {**dict.fromkeys(SITES[:1], 1.0), **dict.fromkeys(high, 9.0)}
        for _ in range(times):
            self.world.evaluate(**seen)

    @rule(seconds=st.sampled_from([10, 300]))
    def time_passes(self, seconds: int) -> None:
        self.world.tick(seconds)

    @rule(enabled=st.booleans())
    def the_rule_is_set(self, enabled: bool) -> None:
        self.enabled = enabled
        self.world.set(for_seconds=FOR, window_seconds=WINDOW, enabled=enabled)

    @rule(data=st.data())
    def somebody_acknowledges(self, data: st.DataObject) -> None:
        known = self.world.alerts()
        if not known:
            return
        number = data.draw(st.integers(0, len(known) - 1))
        expected = self.model.alerts[number]
        if expected.state == "FIRING":
            expected.states.append("ACKNOWLEDGED")
        if expected.state == "ACKNOWLEDGED":
            acknowledge(self.world.database, known[number].id, now=self.world.now, actor="ann")
        else:
            with pytest.raises(IllegalTransition):
                acknowledge(self.world.database, known[number].id, now=self.world.now, actor="ann")

    @rule()
    def a_sender_claims(self) -> None:
        """It may never settle what it has claimed: then its claim ends by itself."""
        self.sent += self.world.claim()

    @rule(is_well=st.booleans())
    def a_receiver_answers(self, is_well: bool) -> None:
        for claim in self.sent:
            if is_well and claim.notification_id not in self.heard:
                self.heard.add(claim.notification_id)
                told = json.loads(claim.payload)["alerts"][0]
                self.told[told["startsAt"] + told["labels"]["site"]].append(told["annotations"]["state"])
            self.world.settle(claim, OK if is_well else BROKEN)
        self.sent = []

    @rule()
    def a_sender_is_killed(self) -> None:
        self.sent = []

    @invariant()
    def alerts_are_as_the_model_has_them(self) -> None:
        found = self.world.alerts()
        assert [(a.labels["site"], a.status.value, a.cleared_at) for a in found] == [
            (a.site, a.state, a.cleared_at) for a in self.model.alerts
        ]
        with self.world.database.read() as connection:
            pages = history.pages_of(connection, SubjectType.ALERT, [a.id for a in found], limit=9)
        assert [[move.target for move in pages[a.id]] for a in found] == [a.states for a in self.model.alerts]

    @invariant()
    def each_change_has_one_event(self) -> None:
        assert self.world.events() == sum(len(alert.states) for alert in self.model.alerts)

    def teardown(self) -> None:
        """In the end every receiver has heard of every change, in order."""
        self.world.tick(10_000)
        while claims := self.world.claim():
            self.sent = claims
            self.a_receiver_answers(is_well=True)
            self.world.tick(1)
        expected = [alert.told for alert in self.model.alerts if alert.told]
        assert sorted(self.told.values()) == sorted(expected)


def _forget(connection: Connection) -> None:
    for each in alert_rules.all_rules(connection):
        alert_rules.delete(connection, each.id)
    connection.execute(EVENTS.delete())


@contextmanager
def opened(kind: str) -> Iterator[Database]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        database = Database.open(stack.enter_context(url_of(kind, folder)))
        stack.callback(database.close)
        yield database


@pytest.mark.parametrize("kind", KINDS)
def test_alerts_are_where_the_model_has_them(kind: str) -> None:
    with opened(kind) as kept:

        class Here(Machine):
            database = kept

        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=25,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
