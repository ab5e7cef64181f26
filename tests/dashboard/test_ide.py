"""The GraphQL IDE, as its users see it."""

from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Page, expect

from buildatlas.settings import Settings
from tests.api.access.clients import token
from tests.api.serving import publish

RESULT = ".graphiql-response"


def open_with(page: Page, document: str) -> None:
    """Follow a link that brings a document, and wait until the editor has it."""
    page.goto(f"./graphql#{urlencode({'query': document}, quote_via=quote)}")
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("{")


def test_the_document_that_is_there_at_first_is_run_from_the_keyboard(page: Page) -> None:
    page.goto("./graphql")
    editor = page.locator(".graphiql-query-editor .view-lines")
    expect(editor).to_contain_text("LargestCycles")

    editor.get_by_text("LargestCycles").click()
    page.keyboard.press("ControlOrMeta+Enter")

    expect(page.locator(RESULT)).to_contain_text('"totalCount": 1')


def test_a_link_brings_a_document_that_is_run_once_the_reader_says_so(page: Page) -> None:
    open_with(page, '{ package(name: "app") { latestVersion { version } } }')
    assert '"2.0"' not in page.locator(RESULT).inner_text()

    page.get_by_role("button", name="Execute query").click()

    expect(page.locator(RESULT)).to_contain_text('"2.0"')


def test_a_subscription_is_followed(page: Page, address: str) -> None:
    open_with(page, 'subscription { events(after: "0") { ... on Event { package version } } }')

    page.get_by_role("button", name="Execute query").click()
    expect(page.get_by_role("button", name="Stop query")).to_be_visible()
    publish(address, "fresh", "7.5")

    expect(page.locator(RESULT)).to_contain_text('"7.5"')


def test_the_schema_is_shown_with_its_descriptions(page: Page) -> None:
    page.goto("./graphql")
    page.get_by_role("button", name="Show Documentation Explorer").click()

    page.get_by_role("link", name="Query", exact=True).click()

    expect(page.get_by_text("blockers").first).to_be_visible()


@pytest.fixture
def locked(settings: Settings) -> str:
    """The token of a server that asks for one."""
    return token(settings, "reader")


def test_who_has_not_signed_in_is_sent_to_do_so(locked: str, page: Page) -> None:
    page.goto("./graphql")
    page.get_by_role("link", name="Sign in on the dashboard").click()
    page.get_by_label("Token").fill(locked)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    page.goto("./graphql")

    expect(page.get_by_role("button", name="Execute query")).to_be_visible()


def test_the_accent_is_that_of_the_dashboard_also_in_the_dark(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("./graphql")

    expect(page.locator(".graphiql-execute-button")).to_have_css("background-color", "rgb(98, 203, 191)")
