"""Plans on a page: waves, the longest chain, cycles, and starting a run."""

import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Page, expect

from buildatlas.settings import Settings
from tests.api.access.clients import token
from tests.dashboard.graphs import holding
from tests.dashboard.pages import check_accessible, open_at

MANY: Final = 5_000
RUNS: Final = "{ runs { nodes { total priority maxAttempts timeoutSeconds labels { key value } } } }"


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A chain of three beside three that go in a circle; or, when asked for, as many as `MANY`, each needing one of a third."""
    if "many" in request.node.name:
        return holding(
            tmp_path, {f"p{each:04}": [f"p{each // 3:04}"] if each else [] for each in range(MANY)}
        )
    return holding(
        tmp_path,
        {
            "base": [],
            "middle": ["base"],
            "top": ["middle"],
            "alone": [],
            "sun": ["moon"],
            "moon": ["earth"],
            "earth": [{"package": "sun", "kinds": ["BUILD"]}],
        },
    )


def runs(address: str) -> list[dict[str, Any]]:
    answer = httpx.post(f"{address}/graphql", json={"query": RUNS}, timeout=60).json()
    found: list[dict[str, Any]] = answer["data"]["runs"]["nodes"]
    return found


def test_nothing_is_planned_before_it_is_chosen(page: Page) -> None:
    open_at(page, "/plan")
    expect(page.get_by_role("link", name="Plan the whole catalogue")).to_be_visible()
    check_accessible(page)

    page.get_by_role("combobox", name="Add a package").fill("base")
    page.get_by_role("option", name=re.compile("base")).click()
    expect(page.get_by_role("heading", name="Wave 1 of 1: 1 build")).to_be_visible()
    page.get_by_label("and all that depends on them").check()

    expect(page.get_by_role("heading", name="Wave 1 of 3: 1 build")).to_be_visible()
    expect(page.get_by_role("heading", name="Longest chain: 3 builds")).to_be_visible()
    assert "package=base" in page.url
    assert "dependents=1" in page.url
    page.get_by_role("button", name="Leave base out").click()
    expect(page.get_by_role("link", name="Plan the whole catalogue")).to_be_visible()


def test_a_plan_of_a_cycle_says_what_was_cut(page: Page) -> None:
    open_at(page, "/plan?all=1&wave=2")

    expect(page.get_by_role("img", name=re.compile("7 builds in 3 waves, of which 3"))).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("Wave 2 of 3"))).to_be_visible()
    expect(page.get_by_role("heading", name="Left out: 1 dependency")).to_be_visible()
    expect(page.get_by_role("link", name="3 packages")).to_have_attribute("href", re.compile("cycle=earth"))
    check_accessible(page)


def test_a_plan_of_many_builds_is_seen_at_once_and_read_wave_by_wave(page: Page) -> None:
    open_at(page, "/plan?all=1")

    expect(page.get_by_role("img", name=re.compile("^5,000 builds in "))).to_be_visible()
    rows = page.get_by_role("table").locator("tbody tr")
    page.get_by_role("combobox", name="Wave", exact=True).select_option(label="Wave 8: 1,458 builds")
    expect(page.get_by_role("heading", name=re.compile("^Wave 8 of 9: 1,458 builds$"))).to_be_visible()
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Next", exact=True).first.click()
    expect(page.get_by_text(re.compile("51.100 of 1,458")).first).to_be_visible()
    find = page.get_by_role("combobox", name="Find in this plan")
    find.fill("p2186")
    find.press("Enter")
    expect(page.locator("tr[aria-current=true]")).to_contain_text("p2186")
    find.fill("elsewhere")
    find.press("Enter")
    expect(page.get_by_text("elsewhere is not in this plan.")).to_be_visible()
    # The first cell of the map is the one build of the first wave.
    page.locator(".plan-map canvas").click(position={"x": 2, "y": 2})
    expect(page.get_by_role("heading", name="Wave 1 of 9: 1 build")).to_be_visible()
    check_accessible(page)


def test_starting_a_plan_leads_to_its_run_and_twice_is_once(page: Page, address: str) -> None:
    open_at(page, "/plan?package=base&dependents=1")
    page.get_by_role("button", name="Start this run").click()
    expect(page.get_by_text("To begin with: 2 builds blocked, 1 build queued.")).to_be_visible()
    page.get_by_label(re.compile("^Priority")).fill("7")
    page.get_by_label(re.compile("^Attempts")).fill("2")
    page.get_by_label(re.compile("^Minutes")).fill("5")
    page.get_by_label(re.compile("^Labels")).fill("team")
    expect(page.get_by_text("“team” has no = between")).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    page.get_by_label(re.compile("^Labels")).fill("team=blue")
    check_accessible(page)

    page.get_by_role("button", name="Start", exact=True).dblclick()

    page.wait_for_url(re.compile("#/runs/.+"))
    assert runs(address) == [
        {
            "total": 3,
            "priority": 7,
            "maxAttempts": 2,
            "timeoutSeconds": 300,
            "labels": [{"key": "team", "value": "blue"}],
        }
    ]


def test_the_form_that_starts_a_run_is_opened_and_closed_by_the_keyboard(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    open_at(page, "/plan?package=base")
    opener = page.get_by_role("button", name="Start this run")
    opener.press("Enter")
    form = page.get_by_role("form", name="Start a run of 1 build")
    expect(form).to_be_focused()
    check_accessible(page)
    page.keyboard.press("Tab")
    priority = page.get_by_label(re.compile("^Priority"))
    expect(priority).to_be_focused()
    priority.fill("")
    priority.press("Tab")
    page.keyboard.press("Escape")

    expect(form).to_have_count(0)
    expect(opener).to_be_focused()
    assert said == []


def test_who_may_not_start_a_run_is_told_what_that_needs(page: Page, settings: Settings) -> None:
    secret = token(settings, "reader")
    open_at(page, "/plan?package=base")
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_text("a token that has the scope build")).to_be_visible()
    expect(page.get_by_role("button", name="Start this run")).to_have_count(0)


def test_what_the_solver_picks_is_planned(page: Page) -> None:
    open_at(page, "/plan?r=top&resolve=1")

    expect(page.get_by_role("heading", name="Wave 1 of 3: 1 build")).to_be_visible()
    expect(page.get_by_role("link", name="Change the question")).to_have_attribute(
        "href", re.compile("#/resolve.*r=top")
    )


def test_a_conflict_is_told_and_leads_to_the_page_that_explains_it(page: Page) -> None:
    open_at(page, "/plan?r=top+>=9&resolve=1")

    expect(page.get_by_role("heading", name="There is nothing to plan")).to_be_visible()
    expect(page.get_by_role("button", name="Start this run")).to_have_count(0)
    check_accessible(page)
    page.get_by_role("link", name="See why").click()
    expect(page.get_by_role("heading", name="Resolve", exact=True)).to_be_visible()
