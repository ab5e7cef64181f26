"""Alerts in the browser: they come by themselves, are taken on, and are due by rules that can be changed there."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from buildatlas.settings import Settings
from resolvers import access
from storage.database import Database
from storage.monitoring_tables import Scope
from tests.api.receiver import Receiver, receiver
from tests.dashboard.asking import ask
from tests.dashboard.monitored import record
from tests.dashboard.pages import check_accessible, open_at

SET: Final = "mutation($rule: SetAlertRuleInput!) { setAlertRule(input: $rule) { rule { id } } }"
RULES: Final = "{ alertRules { name threshold severity enabled webhook windowSeconds } }"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Rules are evaluated every second, and receivers may be on this machine."""
    return replace(settings, alert_seconds=1, webhook_private=True, webhook_seconds=2)


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


def set_rule(address: str, **fields: object) -> None:
    rule = {
        "name": "hot",
        "metric": "heat",
        "aggregate": "MAX",
        "comparison": "GT",
        "threshold": 5,
        "windowSeconds": 600,
        "severity": "CRITICAL",
    }
    ask(address, SET, rule={**rule, **fields})


def rule(address: str, name: str) -> object:
    found = {each.pop("name"): each for each in ask(address, RULES)["alertRules"]}
    return found.get(name)


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


def test_an_alert_comes_by_itself_and_is_taken_on(page: Page, address: str) -> None:
    set_rule(address)
    open_at(page, "/alerts")
    expect(page.get_by_text("Nothing is wrong by any rule.")).to_be_visible()
    page.evaluate("document.body.dataset.kept = 'yes'")

    record(address, "heat", 9, site="paris")

    hot = card(page, "hot")
    expect(hot).to_contain_text("firing")
    expect(hot).to_contain_text("critical")
    expect(hot).to_contain_text("most above 5")
    expect(hot).to_contain_text("paris")
    check_accessible(page)
    hot.get_by_role("button", name="Acknowledge hot").click()
    expect(hot).to_contain_text("acknowledged")
    expect(hot.get_by_role("button", name="Acknowledge hot")).to_have_count(0)
    expect(page.locator("body")).to_have_attribute("data-kept", "yes")


def test_alerts_are_listed_by_state_and_counted_beside_the_way_to_them(page: Page, address: str) -> None:
    set_rule(address)
    set_rule(address, name="warm", forSeconds=3_600, severity="INFO")
    record(address, "heat", 9, site="paris")
    open_at(page, "/alerts")
    expect(card(page, "hot")).to_be_visible()
    expect(card(page, "warm")).to_be_visible()

    page.get_by_role("link", name="pending 1").click()

    expect(page).to_have_url(re.compile(r"#/alerts\?state=pending$"))
    expect(card(page, "hot")).to_have_count(0)
    expect(card(page, "warm")).to_contain_text("pending")
    page.reload()
    expect(card(page, "warm")).to_contain_text("pending")
    expect(page.get_by_role("link", name="Alerts 1 firing")).to_be_visible()


def test_an_alert_leads_to_what_was_measured(page: Page, address: str) -> None:
    set_rule(address)
    record(address, "heat", 9, minutes_ago=2, site="paris")
    open_at(page, "/alerts")

    card(page, "hot").get_by_role("link", name="heat").click()

    expect(page).to_have_url(re.compile(r"#/monitoring/heat\?aggregate=MAX&label=site%3Dparis$"))
    expect(page.get_by_role("table", name="most of heat")).to_contain_text("paris")


def test_deliveries_are_shown_and_made_again(page: Page, address: str, told: Receiver) -> None:
    set_rule(address, webhook=told.url)
    record(address, "heat", 9)
    open_at(page, "/alerts")

    card(page, "hot").get_by_role("button", name="Deliveries").click()

    outcomes = card(page, "hot").get_by_role("row").filter(has_text="delivered 200")
    expect(outcomes).to_have_count(1)
    card(page, "hot").get_by_role("button", name="Deliver again").click()
    expect(outcomes).to_have_count(2)
    check_accessible(page)


def test_a_rule_is_changed_and_keeps_what_is_not_shown(page: Page, address: str) -> None:
    set_rule(address, webhook="https://alerts.example/hook", webhookSecret="s3cret-of-mine")
    open_at(page, "/alerts/rules")
    expect(page.get_by_role("row").filter(has_text="hot")).to_contain_text("alerts.example")
    check_accessible(page)
    page.get_by_role("link", name="hot").click()
    expect(page.get_by_label("Metric", exact=True)).to_have_value("heat")
    assert "s3cret" not in page.content()
    check_accessible(page)

    page.get_by_label("Threshold").fill("7.5")
    page.get_by_label("Severity").select_option("WARNING")
    page.get_by_label("Enabled").uncheck()
    page.get_by_role("button", name="Save").click()

    row = page.get_by_role("row").filter(has_text="hot")
    expect(row).to_contain_text("most above 7.5")
    expect(row).to_contain_text("disabled")
    assert rule(address, "hot") == {
        "threshold": 7.5,
        "severity": "WARNING",
        "enabled": False,
        "webhook": "https://alerts.example/hook",
        "windowSeconds": 600,
    }


def test_a_rule_is_made_and_deleted(page: Page, address: str) -> None:
    open_at(page, "/alerts/rules")
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Name").fill("builds fail")
    page.get_by_label("Metric", exact=True).fill("heat")
    page.get_by_label("Threshold").fill("3")
    page.get_by_role("button", name="Make the rule").click()
    expect(page.get_by_role("alert")).to_contain_text("already")

    page.get_by_label("Name").fill("cosy")
    page.get_by_role("button", name="Make the rule").click()
    expect(page.get_by_role("row").filter(has_text="cosy")).to_contain_text("mean above 3")
    assert rule(address, "cosy") is not None

    page.get_by_role("link", name="cosy").click()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete cosy").click()
    expect(page.get_by_role("heading", name="Alert rules")).to_be_visible()
    expect(page.get_by_role("link", name="cosy")).to_have_count(0)
    assert rule(address, "cosy") is None


def test_what_the_server_refuses_is_told_beside_the_form(page: Page) -> None:
    open_at(page, "/alerts/rule?name=queue%20stuck")

    page.get_by_label("Webhook", exact=True).fill("https://user:pass@alerts.example/")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("must not name a user or password")
    expect(page.get_by_label("Metric", exact=True)).to_have_value("queue.oldest.seconds")


def test_who_may_only_read_is_offered_nothing_else(page: Page, settings: Settings, address: str) -> None:
    set_rule(address)
    record(address, "heat", 9)
    with closing(Database.open(settings.database_url)) as database:
        token = access.create(database, "reader", Scope.READ, now=datetime.now(UTC)).secret
    open_at(page, "/sign-in")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    open_at(page, "/alerts")
    expect(card(page, "hot")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Acknowledge"))).to_have_count(0)
    page.get_by_role("link", name="hot").click()
    expect(page.get_by_text("Only an administrator may change it.")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


@pytest.mark.parametrize("labels", ["foo", "team=a, oops", "=a"])
def test_a_rule_with_labels_that_are_none_is_refused(page: Page, address: str, labels: str) -> None:
    open_at(page, "/alerts/rule")
    page.get_by_label("Name").fill("narrow")
    page.get_by_label("Metric", exact=True).fill("heat")
    page.get_by_label("Threshold").fill("3")
    page.get_by_label("Labels").fill(labels)

    page.get_by_role("button", name="Make the rule").click()

    wrong = labels.rsplit(", ", maxsplit=1)[-1]
    expect(page.get_by_role("alert")).to_have_text(f"“{wrong}” has no = between a key and a value.")
    assert rule(address, "narrow") is None


def test_a_rule_on_what_was_never_recorded_is_warned_of(page: Page, address: str) -> None:
    record(address, "heat", 9)
    open_at(page, "/alerts/rule")
    metric = page.get_by_label("Metric", exact=True)
    warning = page.get_by_text("Nothing was recorded as")

    metric.fill("haet")
    metric.press("Tab")
    expect(warning).to_contain_text("“haet”")
    metric.fill("heat")
    metric.press("Tab")

    expect(warning).to_have_count(0)
