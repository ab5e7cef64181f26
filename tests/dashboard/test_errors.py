"""Errors in the browser: one row for each fault, with the last of them on request."""

import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from buildatlas.settings import Settings
from resolvers.failures import failure
from storage import error_groups
from storage.database import Database
from storage.monitoring_tables import ErrorFields
from tests.dashboard.builds import Worker
from tests.dashboard.pages import check_accessible, open_at

TRACE: Final = 'Traceback (most recent call last):\n  File "x.py", line 1, in look\nKeyError: 7'


@pytest.fixture
def seen(settings: Settings) -> Callable[..., None]:
    """Have errors be seen, the first of them so many minutes ago and each a minute after the one before."""

    def write(*errors: ErrorFields, minutes_ago: int = 60) -> None:
        with closing(Database.open(settings.database_url)) as database:
            for number, error in enumerate(errors):
                now = datetime.now(UTC) - timedelta(minutes=minutes_ago - number)
                database.write(partial(error_groups.record, errors=[error], now=now), of_catalogue=False)

    return write


def fault(number: int = 7) -> ErrorFields:
    return failure("INTERNAL_SERVER_ERROR", "api", f"KeyError: {number}", text=TRACE, request=f"r-{number}")


def failed_build(package: str) -> ErrorFields:
    message = "3 tests failed"
    return failure("FAILURE", "build", message, text=message, package=package, attempt=2, worker="w1")


def test_nothing_known_is_told(page: Page) -> None:
    open_at(page, "/errors")

    expect(page.get_by_text("No error is known.")).to_be_visible()


def test_a_fault_is_one_row_with_its_last_sample(page: Page, seen: Callable[..., None]) -> None:
    seen(fault(1), fault(2), fault(3))
    open_at(page, "/errors")
    row = page.get_by_role("row").filter(has_text="KeyError")
    expect(row.get_by_role("cell").nth(2)).to_have_text("3")
    expect(row).to_contain_text("internal server error")
    expect(row).to_contain_text("58 minutes ago")
    expect(row).to_contain_text("1 hour ago")
    expect(page.get_by_text("Traceback")).to_have_count(0)

    row.get_by_role("button").press("Enter")

    expect(page.locator("pre")).to_contain_text("line 1, in look")
    expect(page.get_by_text("r-3", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(r"#/errors\?open=\w+"))
    check_accessible(page)


def test_a_failed_build_leads_to_its_package_and_version(page: Page, seen: Callable[..., None]) -> None:
    seen(failed_build("app 2.0"), failed_build("@scope/tool 0.1"))
    open_at(page, "/errors?component=build")

    page.get_by_role("button", name="tests failed").click()

    expect(page.get_by_role("link", name="@scope/tool")).to_have_attribute(
        "href", "#/packages/%40scope%2Ftool"
    )
    expect(page.get_by_role("link", name="0.1")).to_have_attribute("href", "#/packages/%40scope%2Ftool/0.1")
    expect(page.get_by_role("link", name="all that ended so")).to_have_attribute(
        "href", "#/builds?package=%40scope%2Ftool&conclusion=FAILURE"
    )


def test_errors_are_told_apart_by_the_part_of_the_server(page: Page, seen: Callable[..., None]) -> None:
    seen(fault(), failed_build("app 2.0"))
    open_at(page, "/errors")
    expect(page.get_by_role("row")).to_have_count(3)

    page.get_by_label("Part of the server").select_option("api")

    expect(page.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"#/errors\?component=api$"))
    page.get_by_label("Part of the server").select_option("http")
    expect(page.get_by_text("No error of “http” is known.")).to_be_visible()


def test_a_long_list_comes_in_pages(page: Page, seen: Callable[..., None]) -> None:
    words = [f"{chr(97 + number // 26)}{chr(97 + number % 26)}" * 4 for number in range(55)]
    seen(*(failure("FAILURE", "build", f"broke on {word}", text=word) for word in words))
    open_at(page, "/errors")
    expect(page.get_by_text("55 faults")).to_be_visible()

    page.get_by_role("link", name="Next", exact=True).click()

    expect(page.locator("main tbody tr")).to_have_count(5)
    expect(page.get_by_role("row").last).to_contain_text("broke on aaaaaaaa")
    page.get_by_role("link", name="First", exact=True).click()
    expect(page.get_by_text("55 faults")).to_be_visible()


def test_errors_can_be_read_in_the_dark(page: Page, seen: Callable[..., None]) -> None:
    seen(fault(), failed_build("app 2.0"))
    page.emulate_media(color_scheme="dark")

    open_at(page, "/errors")

    page.get_by_role("button", name="tests failed").click()
    expect(page.locator("pre")).to_be_visible()
    check_accessible(page)


def test_a_failed_build_leads_to_its_log(page: Page, address: str) -> None:
    worker = Worker(address)
    worker.start("log")
    worker.build("FAILURE", message="3 tests failed")
    open_at(page, "/errors?component=build")

    page.get_by_role("button", name="tests failed").click()
    page.get_by_role("link", name="its newest build and log").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("log 1.0")
    expect(page.get_by_text("3 tests failed").first).to_be_visible()
