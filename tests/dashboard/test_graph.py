"""The graph on a page: around a package, between two, what a change reaches, cycles."""

import math
import re
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from buildatlas.settings import Settings
from tests.dashboard.graphs import holding
from tests.dashboard.pages import check_accessible, open_at, settle

USERS: Final = [f"user{number:02}" for number in range(45)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub with many users, two ways from top to hub, and three that go in a circle unless they are not tested."""
    return holding(
        tmp_path,
        {
            "hub": [],
            **{user: ["hub"] for user in USERS},
            "left": ["user00", "nowhere"],
            "right": ["user01", "user02"],
            "top": ["left", "right", "hub"],
            "sun": ["moon"],
            "moon": ["earth"],
            "earth": [{"package": "sun", "kinds": ["TEST"]}],
        },
    )


def node(page: Page, name: str) -> Locator:
    return page.locator(f'[data-node="{name}"]')


def nodes(page: Page) -> Locator:
    return page.locator(".picture-view [data-node]")


def test_a_package_is_shown_with_its_neighbours_and_grows_where_it_is_clicked(page: Page) -> None:
    open_at(page, "/graph?focus=right")

    expect(nodes(page)).to_have_count(4)
    expect(node(page, "right")).to_have_attribute("aria-description", "looked at, needs 2, needed by 1")
    expect(node(page, "right").locator("text")).to_have_text(["right", "1.0"])
    page.get_by_role("button", name="Show what top needs (3)").click()
    expect(node(page, "left")).to_be_visible()
    expect(nodes(page)).to_have_count(6)
    check_accessible(page)

    page.reload()
    settle(page)
    expect(nodes(page)).to_have_count(6)
    page.get_by_role("button", name="Hide what right needs (2)").click()
    expect(node(page, "user01")).to_have_count(0)
    page.go_back()
    expect(node(page, "user01")).to_be_visible()


def test_what_has_no_room_is_said_and_comes_when_it_is_asked_for(page: Page) -> None:
    open_at(page, "/graph?focus=hub")

    expect(page.get_by_text("Showing 20 of 46 that need hub, by name.")).to_be_visible()
    page.get_by_role("link", name="20 more").click()
    expect(page.get_by_text("Showing 40 of 46 that need hub, by name.")).to_be_visible()
    page.get_by_role("link", name="6 more").click()
    expect(page.get_by_text("nothing of what is opened is left out")).to_be_visible()
    expect(nodes(page)).to_have_count(47)


def test_deeper_levels_are_opened_at_once(page: Page) -> None:
    open_at(page, "/graph?focus=top&depth=1")
    expect(nodes(page)).to_have_count(4)

    page.get_by_label("Levels opened").select_option("2")

    expect(nodes(page)).to_have_count(7)
    expect(page.get_by_text("Not registered, and so not shown: 1 that left needs.")).to_be_visible()
    assert "depth=2" in page.url


def test_a_picture_is_walked_and_opened_by_the_keyboard(page: Page) -> None:
    open_at(page, "/graph?focus=right")

    page.get_by_role("button", name="Fit").focus()
    page.keyboard.press("Tab")
    expect(node(page, "right")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(node(page, "user01")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(node(page, "user02")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(node(page, "right")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(node(page, "top")).to_be_focused()
    page.keyboard.press("+")
    expect(node(page, "left")).to_be_visible()
    expect(node(page, "top")).to_be_focused()
    page.keyboard.press("-")
    expect(node(page, "left")).to_have_count(0)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Around top")).to_be_visible()


def test_a_picture_can_be_zoomed_and_read_as_a_table(page: Page) -> None:
    open_at(page, "/graph?focus=right")
    group = page.get_by_role("group", name="Zoom")
    before = group.locator(".figure").inner_text()

    group.get_by_role("button", name="Closer").click()

    expect(group.locator(".figure")).not_to_have_text(before)
    group.get_by_role("button", name="Fit").click()
    expect(group.locator(".figure")).to_have_text(before)
    page.get_by_text("As a table: 4 packages, 3 dependencies").click()
    row = page.get_by_role("region", name="The picture as a table").get_by_role("row").filter(has_text="top")
    expect(row).to_contain_text("right (runtime)")
    check_accessible(page)


def test_impact_is_counted_by_distance_drawn_and_listed(page: Page) -> None:
    open_at(page, "/graph?impact=hub")

    expect(page.get_by_text("A change to hub reaches 48 packages.")).to_be_visible()
    expect(page.get_by_text("Showing 40 of 48 dependents, nearest first")).to_be_visible()
    expect(nodes(page)).to_have_count(41)
    check_accessible(page)
    page.get_by_role("link", name="Show 150").click()
    expect(nodes(page)).to_have_count(49)

    page.get_by_role("link", name="2 steps", exact=True).click()

    table = page.get_by_role("table")
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table).to_contain_text("user00")


def test_all_ways_between_two_are_shown_and_a_shortest_is_marked(page: Page) -> None:
    open_at(page, "/graph?from=top&to=hub")

    expect(page.get_by_text("A shortest way has 1 step: top → hub")).to_be_visible()
    expect(nodes(page)).to_have_count(7)
    expect(page.locator(".picture-view .picture-edge.path title")).to_have_text("top needs hub (runtime)")
    check_accessible(page)

    page.get_by_role("button", name="The other way round").click()
    expect(page.get_by_text("hub does not need top, directly or not")).to_be_visible()


def test_a_cycle_leads_to_its_picture_with_its_breaks_and_goes_with_its_kind(page: Page) -> None:
    open_at(page, "/cycles")
    expect(page.get_by_role("heading", name="3 packages")).to_be_visible()
    expect(page.get_by_text("earth needs sun (test)")).to_be_visible()
    check_accessible(page)

    page.get_by_role("link", name="Picture and breaks of the cycle of earth").click()

    expect(page.locator(".picture-view .picture-edge.cut title")).to_have_text("earth needs sun (test)")
    expect(page.locator(".picture-view .picture-edge.path")).to_have_count(2)
    check_accessible(page)
    page.get_by_label("test", exact=True).uncheck()
    expect(page.get_by_text("earth is in no cycle")).to_be_visible()


def test_one_begins_by_choosing_a_package(page: Page) -> None:
    open_at(page, "/graph")
    check_accessible(page)

    page.get_by_role("combobox", name="Package that changes").fill("us")
    page.get_by_role("option", name=re.compile("user00")).click()

    expect(page.get_by_role("heading", name="Impact of user00")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("focus=hubb&kinds=RUNTIME", r"focus=hub&kinds=RUNTIME$"),
        ("impact=hubb", r"impact=hub$"),
        ("from=top&to=hubb", r"from=top&to=hub$"),
    ],
)
def test_a_name_that_nothing_has_leads_to_one_that_is_near(page: Page, path: str, leads_to: str) -> None:
    open_at(page, f"/graph?{path}")
    expect(page.get_by_text("No package is named hubb.")).to_be_visible()
    expect(page.get_by_text("NOT_FOUND")).to_have_count(0)

    page.get_by_role("link", name="hub", exact=True).click()

    expect(page).to_have_url(re.compile(leads_to))
    expect(node(page, "hub")).to_be_visible()


def test_what_chooses_the_dependencies_stands_level(page: Page) -> None:
    open_at(page, "/cycles")

    boxes = [page.get_by_text(text, exact=True).bounding_box() for text in ("Kinds", "Versions")]

    tops = [box["y"] for box in boxes if box is not None]
    assert len(tops) == 2
    assert abs(tops[0] - tops[1]) <= 2


def test_no_arrowhead_is_under_what_opens_a_package(page: Page) -> None:
    open_at(page, "/graph?focus=right&depth=1")
    expect(page.get_by_role("button", name="Show what top needs (3)")).to_be_visible()

    ends, buttons = page.evaluate(_ENDS_AND_BUTTONS)

    assert len(ends) == 3
    assert buttons
    apart = [math.dist(end, middle) for end in ends for middle in buttons]
    assert min(apart) > 7


_ENDS_AND_BUTTONS: Final = """() => {
    const ends = [...document.querySelectorAll(".picture-view .picture-edge")].map((edge) => {
        const { x, y } = edge.getPointAtLength(edge.getTotalLength());
        return [x, y];
    });
    const within = document.querySelector(".picture-view svg").getScreenCTM().inverse();
    const buttons = [...document.querySelectorAll(".picture-grow")].map((each) => {
        const { e: x, f: y } = within.multiply(each.getScreenCTM());
        return [x, y];
    });
    return [ends, buttons];
}"""
