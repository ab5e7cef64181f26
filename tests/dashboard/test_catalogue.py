"""Packages found by typing, a package, and a version of it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.pages import check_accessible, open_at
from tests.dashboard.publishing import describe, publish, start_run, version


@pytest.fixture
def kettles(address: str) -> str:
    """The address of a server that knows of kettles, what they need, and who needs them."""
    describe(address, "kettle", "Boils water.")
    publish(
        address,
        version("steam", "1.0"),
        version("steam", "1.5", releasedAt="2024-03-01T00:00:00Z"),
        version("kettle", "1.0", {"steam": ">=1"}),
        version("kettle", "2.0", {"steam": "==1.*", "whistle": ""}, labels=[{"key": "team", "value": "tea"}]),
        version("old-kettle", "0.1"),
        version("teatime", "1.0", {"kettle": ">=1"}),
        version("party", "1.0", {"teatime": ""}),
    )
    return address


def test_typing_leads_to_a_package_and_from_it_to_a_version(page: Page, kettles: str) -> None:
    open_at(page, "/packages")
    page.get_by_label("Search by name").fill("kettle")

    expect(page.get_by_text("2 packages found")).to_be_visible()
    expect(page.get_by_role("row", name="kettle 2.0")).to_contain_text("Boils water.")
    expect(page).to_have_url(re.compile(r"q=kettle"))
    check_accessible(page)

    page.get_by_role("link", name="kettle", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="kettle")).to_be_visible()
    page.get_by_role("table", name="Versions of kettle").get_by_role("link", name="1.0").click()
    expect(page.get_by_role("heading", level=1, name="kettle 1.0")).to_be_visible()


def test_the_closest_names_come_first_among_many(page: Page, kettles: str) -> None:
    publish(kettles, *(version(f"a-kettle{number}", "1.0") for number in range(8)))

    open_at(page, "/packages?q=kettle")

    expect(page.get_by_role("row").nth(2)).to_contain_text("kettle")
    expect(page.get_by_role("link", name="kettle", exact=True)).to_have_count(1)


def test_a_list_is_read_forwards_and_backwards(page: Page, kettles: str) -> None:
    publish(kettles, *(version(f"spoon{number:02}", "1.0") for number in range(60)))
    open_at(page, "/packages?q=spoon")
    pages = page.get_by_role("navigation", name="Pages of packages")

    pages.get_by_role("link", name="Next", exact=True).click()
    expect(page.get_by_role("link", name="spoon59")).to_be_visible()
    expect(pages.get_by_role("button", name="Next")).to_be_disabled()

    pages.get_by_role("link", name="Previous", exact=True).click()
    expect(page.get_by_role("link", name="spoon00")).to_be_visible()
    expect(page.get_by_role("link", name="spoon59")).to_have_count(0)


def test_what_is_not_found_says_what_to_do(page: Page, kettles: str) -> None:
    open_at(page, "/packages?q=kettle&status=ARCHIVED")
    page.get_by_role("link", name="Show all packages").click()
    expect(page.get_by_role("link", name="teatime")).to_be_visible()

    open_at(page, "/packages/kettel")
    check_accessible(page)
    page.get_by_role("link", name="kettle").click()
    expect(page.get_by_role("heading", level=1, name="kettle")).to_be_visible()


def test_a_package_shows_what_it_needs_and_who_needs_it(page: Page, kettles: str) -> None:
    open_at(page, "/packages/kettle")

    needs = page.get_by_role("table", name="What kettle 2.0 needs")
    expect(needs.get_by_role("row", name="steam")).to_contain_text("==1.*")
    expect(needs.get_by_role("row", name="steam").get_by_role("link", name="1.5")).to_be_visible()
    expect(needs.get_by_role("row", name="whistle")).to_contain_text("not registered")
    needed = page.get_by_role("list", name="packages that need kettle")
    expect(needed.get_by_role("listitem")).to_have_text(["teatime 1.0"])
    check_accessible(page)

    page.get_by_label("also indirectly").check()
    expect(needed.get_by_role("listitem")).to_have_text(["teatime 1.0", "party 1.0"])
    page.get_by_text("All that it needs").click()
    expect(page.get_by_role("list", name="packages that kettle needs")).to_have_text("steam 1.5")
    expect(page.get_by_role("heading", name="Needed by (2)")).to_be_visible()


def test_a_package_leads_to_what_can_be_done_with_it(page: Page, kettles: str) -> None:
    open_at(page, "/packages/kettle")

    main = page.get_by_role("main")
    expect(main.get_by_role("link", name="Graph")).to_have_attribute("href", "#/graph?focus=kettle")
    expect(main.get_by_role("link", name="Impact").first).to_have_attribute("href", "#/graph?impact=kettle")
    expect(main.get_by_role("link", name="Build")).to_have_attribute("href", "#/plan?package=kettle")
    main.get_by_role("link", name="Resolve").click()
    expect(page.get_by_label("Constraint on kettle")).to_be_visible()


def test_a_link_to_versions_of_one_status_shows_these(page: Page, kettles: str) -> None:
    open_at(page, "/packages/steam?vstatus=YANKED")
    expect(page.get_by_text("It has no version of this status.")).to_be_visible()

    page.get_by_label("Status of the versions").select_option("PUBLISHED")
    expect(page.get_by_role("table", name="Versions of steam").get_by_role("link")).to_have_text(
        ["1.5", "1.0"]
    )


def test_a_version_is_yanked_with_a_reason_that_is_kept(page: Page, kettles: str) -> None:
    open_at(page, "/packages/kettle/2.0")
    expect(page.get_by_text("team tea")).to_be_visible()
    check_accessible(page)

    page.get_by_label("What to do").select_option("YANKED")
    page.get_by_label("Reason").fill("leaks")
    page.get_by_role("button", name="Yank").click()

    changes = page.get_by_role("list", name="Changes of state").get_by_role("listitem")
    expect(changes).to_have_count(2)
    expect(changes.filter(has_text="leaks")).to_contain_text("yanked")
    expect(page.get_by_text("It is yanked now.")).to_be_visible()


def test_who_may_not_write_is_not_offered_to(page: Page, kettles: str) -> None:
    reader = {"token": "reader", "scopes": ["read"], "isKnown": True}
    page.route("**/session", lambda route: route.fulfill(json=reader))
    open_at(page, "/packages/kettle/2.0")

    expect(page.get_by_role("heading", name="What has become of it")).to_be_visible()
    expect(page.get_by_role("heading", name="Change its status")).to_have_count(0)


def test_builds_are_listed_with_their_package_and_their_version(page: Page, kettles: str) -> None:
    start_run(kettles, "kettle")
    open_at(page, "/packages/kettle")
    builds = page.get_by_role("table", name="Builds of kettle, newest first")
    expect(builds.locator("tbody tr")).to_have_count(1)
    expect(builds.locator("tbody tr")).to_contain_text("unresolvable")
    shown = builds.get_by_role("rowheader").get_by_role("link")
    expect(shown).to_have_attribute("href", re.compile("^#/builds/"))

    builds.get_by_role("link", name="2.0").click()
    expect(page.get_by_role("table", name="Builds of kettle 2.0").locator("tbody tr")).to_have_count(1)
    open_at(page, "/packages/kettle/1.0")
    expect(page.get_by_text("It has not been built.")).to_be_visible()


def test_a_move_that_is_not_allowed_tells_what_is(page: Page, kettles: str) -> None:
    publish(kettles, version("kettle", "3.0", status="DRAFT"))
    open_at(page, "/packages/kettle/3.0")

    page.get_by_label("What to do").select_option("YANKED")
    page.get_by_role("button", name="Yank").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot become YANKED")

    page.get_by_role("button", name="Publish").click()
    page.get_by_role("button", name="Publish").and_(page.locator("[type=submit]")).click()
    expect(page.get_by_text("It is published now.")).to_be_visible()


def test_a_package_is_found_by_the_keyboard_alone(page: Page, kettles: str) -> None:
    open_at(page, "/packages")
    page.get_by_label("Search by name").focus()
    page.keyboard.type("old-k")
    expect(page.get_by_text("1 package found")).to_be_visible()

    # Past the two selections.
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1, name="old-kettle")).to_be_focused()


def test_a_package_that_is_not_there_is_answered_with_near_names(page: Page, kettles: str) -> None:
    open_at(page, "/packages/kettel")

    expect(page.get_by_text("No package is named kettel.")).to_be_visible()
    page.locator("main").get_by_role("link", name="kettle", exact=True).click()

    expect(page.get_by_text("Boils water.")).to_be_visible()


def test_a_name_like_no_other_is_answered_with_none(page: Page, kettles: str) -> None:
    open_at(page, "/packages/zzzqq")

    expect(page.get_by_text("No package is named zzzqq.")).to_be_visible()
    expect(page.get_by_text("zzz”")).to_have_count(0)
    expect(page.get_by_text("Close to it")).to_have_count(0)


def test_a_long_name_leaves_the_version_in_sight_on_a_phone(page: Page, address: str) -> None:
    publish(address, version("samovar-of-silver-with-a-golden-handle-and-spout", "12.34.56"))
    page.set_viewport_size({"width": 390, "height": 844})

    open_at(page, "/packages?q=samovar")

    expect(page.get_by_role("link", name="12.34.56")).to_be_in_viewport(ratio=1)
