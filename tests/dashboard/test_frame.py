"""What is around every page: finding a package, signing in, being told what is wrong."""

import re
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from buildatlas.settings import Settings
from tests.api.access.clients import token
from tests.dashboard.pages import check_accessible, open_at
from tests.dashboard.publishing import start_run


def test_the_overview_tells_how_much_there_is(page: Page) -> None:
    open_at(page, "/")

    figures = page.locator(".figure-card").all_inner_texts()

    assert [re.sub(r"\s+", " ", each) for each in figures][:3] == [
        "packages 7",
        "versions 12",
        "dependencies 11",
    ]
    check_accessible(page)


def test_a_package_is_found_by_typing_and_opened_by_the_keyboard_alone(page: Page) -> None:
    open_at(page, "/")

    page.keyboard.press("/")
    page.keyboard.type("to")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"#/packages/%40scope%2Ftool$"))


def test_nothing_found_says_what_to_do(page: Page) -> None:
    open_at(page, "/")

    page.get_by_role("combobox", name="Find a package").fill("nowhere")

    expect(page.locator(".picker-pop .note")).to_have_text(
        "No package has “nowhere” in its name. Try a shorter part of it."
    )


def test_an_address_of_no_page_leads_back(page: Page) -> None:
    open_at(page, "/nowhere/at/all")

    page.get_by_role("link", name="overview").click()

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_the_page_is_reached_past_the_navigation(page: Page) -> None:
    open_at(page, "/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()
    expect(page).to_have_url(re.compile(r"#/$"))


def test_a_page_that_one_goes_to_has_the_focus_at_its_heading(page: Page) -> None:
    open_at(page, "/")
    page.get_by_role("link", name="Runs", exact=True).click()

    expect(page.get_by_role("heading", name="Runs")).to_be_focused()


@pytest.fixture
def locked(settings: Settings) -> str:
    """The token of a server that asks for one."""
    return token(settings, "reader")


def test_a_server_that_wants_a_token_shows_nothing_before(locked: str, page: Page) -> None:
    open_at(page, "/packages")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    check_accessible(page)
    page.get_by_label("Token").fill("bat_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("token")

    page.get_by_label("Token").fill(locked)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Packages")).to_be_visible()


def test_a_session_outlasts_the_tab_and_ends_when_it_is_ended(locked: str, page: Page) -> None:
    open_at(page, "/sign-in")
    page.get_by_label("Token").fill(locked)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("reader", exact=True)).to_be_visible()

    page.reload()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})

    open_at(page, "/")

    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_grounds_can_be_read(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    open_at(page, "/")

    check_accessible(page)


def test_what_is_asked_again_by_itself_does_not_dim_what_is_read(page: Page) -> None:
    open_at(page, "/")

    page.route("**/graphql?*", lambda route: None)  # It is never answered.
    with page.expect_request(lambda request: "Overview" in request.url):
        pass

    expect(page.locator(".answered")).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)


@pytest.mark.parametrize("path", ["/packages", "/blockers", "/errors"])
def test_where_one_is_can_be_seen_on_a_phone(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})

    open_at(page, path)

    expect(page.get_by_role("navigation", name="Pages").locator("[aria-current]")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("path", ["/alerts/rules", "/builds"])
def test_no_table_breaks_a_word_on_a_phone(page: Page, address: str, path: str) -> None:
    start_run(address, "log")
    page.set_viewport_size({"width": 390, "height": 844})

    open_at(page, path)

    expect(page.get_by_role("table")).to_be_visible()
    assert page.evaluate(_BROKEN) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


_BROKEN: Final = """() => {
    const texts = document.createTreeWalker(document.querySelector("table"), NodeFilter.SHOW_TEXT);
    const broken = [];
    while (texts.nextNode()) {
        for (const { 0: word, index } of texts.currentNode.data.matchAll(/[A-Za-z]+/g)) {
            const range = document.createRange();
            range.setStart(texts.currentNode, index);
            range.setEnd(texts.currentNode, index + word.length);
            if (range.getClientRects().length > 1) broken.push(word);
        }
    }
    return broken;
}"""


def test_a_moment_says_its_zone(page: Page) -> None:
    open_at(page, "/")

    expect(page.locator("time").last).to_have_attribute(
        "title", re.compile(r"\d\d:\d\d:\d\d (UTC|GMT|[A-Z]+)")
    )
