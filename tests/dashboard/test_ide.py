"""The GraphQL IDE, as its users see it."""

import pytest
from playwright.sync_api import Page, expect

from buildatlas.settings import Settings
from tests.api.access.clients import token
from tests.api.serving import publish

RESULT = ".graphiql-response, .result-window"


def write(page: Page, document: str) -> None:
    """Paste a document in the place of what is in the editor, which would add to one that is typed."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", document)
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("LargestCycles")
    page.locator(".graphiql-query-editor .view-lines").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("ControlOrMeta+v")


def test_a_query_is_run_and_its_answer_shown(page: Page) -> None:
    page.goto("./graphql")

    write(page, '{ package(name: "app") { latestVersion { version } } }')
    page.get_by_role("button", name="Execute query").click()

    expect(page.locator(RESULT).first).to_contain_text('"2.0"')


def test_a_subscription_is_followed(page: Page, address: str) -> None:
    page.goto("./graphql")

    write(page, 'subscription { events(after: "0") { ... on Event { package version } } }')
    page.get_by_role("button", name="Execute query").click()
    expect(page.get_by_role("button", name="Stop query")).to_be_visible()
    publish(address, "fresh", "7.5")

    expect(page.locator(RESULT).first).to_contain_text('"7.5"')


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
