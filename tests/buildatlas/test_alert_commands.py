"""The commands about alerts."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resolvers.alert_rules import RuleRequest, set_rule
from resolvers.alerting import evaluate
from resolvers.webhooks import Answer, WebhookPolicy, claim_due, settle
from storage.database import Database
from storage.monitoring_tables import AlertRuleFields, AlertSeverity, Comparison, MetricAggregate
from tests.buildatlas.terminal import Terminal

ABSENT = AlertRuleFields(
    name="no heart\nbeat",
    metric="heart.beats",
    labels={"site": "paris"},
    aggregate=MetricAggregate.COUNT,
    comparison=Comparison.LT,
    threshold=1,
    severity=AlertSeverity.CRITICAL,
    webhook="https://alerts.example/hook",
)
IDLE = AlertRuleFields(
    name="idle", metric="load", comparison=Comparison.LTE, threshold=0.5, for_seconds=90, enabled=False
)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    Database.open(str(tmp_path / "catalogue.db")).close()
    return Terminal(tmp_path)


@pytest.fixture
def database(terminal: Terminal) -> Database:
    """The terminal's database with two rules, of which one has an alert; closed."""
    now = datetime.now(UTC)
    with closing(Database.open(str(terminal.folder / "catalogue.db"))) as opened:
        for fields in (ABSENT, IDLE):
            set_rule(opened, RuleRequest(fields), now=now)
        evaluate(opened, now=now)
        policy = WebhookPolicy()
        for claim in claim_due(opened, policy, limit=9, under_way={}, clock=lambda: now):
            settle(opened, claim, Answer(False, 503, "503: not\x1b now"), policy, jitter=0, now=now)
    return opened


def test_without_alerts_that_is_said(terminal: Terminal) -> None:
    assert terminal.run("alerts").out == "no alerts\n"
    assert terminal.run("alerts", "rules").out == "no rules\n"


def test_open_alerts_are_listed_with_what_keeps_receivers_from_hearing(
    terminal: Terminal, database: Database
) -> None:
    del database

    lines = terminal.run("alerts").out.splitlines()

    assert lines[1].split()[:2] == ["FIRING", "CRITICAL"]
    assert "no heart beat" in lines[1]
    assert "site=paris" in lines[1]
    assert lines[2].strip() == "its receiver was not told, attempt 1: 503: not now"


def test_an_alert_is_acknowledged_by_its_id(terminal: Terminal, database: Database) -> None:
    del database
    (alert,) = terminal.run("alerts", "--json").json["nodes"]

    done = terminal.run("alerts", "acknowledge", alert["id"])

    assert (done.code, done.out.splitlines()[1].split()[0]) == (0, "ACKNOWLEDGED")
    (after,) = terminal.run("alerts", "--json").json["nodes"]
    assert after["state"] == "ACKNOWLEDGED"
    assert after["acknowledgedAt"] is not None


def test_what_is_over_is_listed_when_all_is_asked_for(terminal: Terminal, database: Database) -> None:
    with closing(Database.open(database.location)) as opened:
        off = ABSENT.model_copy(update={"enabled": False})
        set_rule(opened, RuleRequest(off), now=datetime.now(UTC))
        evaluate(opened, now=datetime.now(UTC))

    assert terminal.run("alerts").out == "no alerts\n"
    assert terminal.run("alerts", "--all").out.splitlines()[1].split()[0] == "RESOLVED"


def test_rules_are_listed_as_what_they_ask(terminal: Terminal, database: Database) -> None:
    del database

    lines = terminal.run("alerts", "rules").out.splitlines()

    assert [" ".join(line.split()) for line in lines[1:]] == [
        "idle disabled MEAN of load over 5 min ≤ 0.5 1 min 30 s",
        "no heart beat CRITICAL COUNT of heart.beats{site=paris} over 5 min < 1 at once https://alerts.example/hook",
    ]


def test_more_than_fit_are_told_of(terminal: Terminal, database: Database) -> None:
    with closing(Database.open(database.location)) as opened:
        other = ABSENT.model_copy(update={"name": "another", "webhook": None})
        set_rule(opened, RuleRequest(other), now=datetime.now(UTC))
        evaluate(opened, now=datetime.now(UTC))

    assert terminal.run("alerts", "--first", "1").out.splitlines()[-1].startswith("1 more alert")


def test_what_is_no_alert_cannot_be_acknowledged(terminal: Terminal) -> None:
    run = terminal.run("alerts", "acknowledge", "QWxlcnQ6OTk")

    assert (run.code, "there is no alert of this id" in run.err) == (2, True)
