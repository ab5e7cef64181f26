"""The pages of runs, and the board of one."""

import dataclasses
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from buildatlas.settings import Settings
from tests.api.serving import serving
from tests.dashboard.builds import Worker
from tests.dashboard.pages import check_accessible, open_at


def shows(page: Page, **sizes: int) -> None:
    """Wait until the board has so many builds in each of these groups."""
    for name, size in sizes.items():
        expect(page.locator(f"[data-group={name}]")).to_have_text(str(size))


def test_without_runs_the_page_says_how_to_begin(page: Page) -> None:
    open_at(page, "/runs")

    expect(page.get_by_role("main")).to_contain_text("Nothing has been built yet")
    expect(page.get_by_role("main").get_by_role("link", name="Look at a plan")).to_be_visible()
    check_accessible(page)


def test_a_run_that_is_started_elsewhere_comes_into_the_list_by_itself(page: Page, address: str) -> None:
    worker = Worker(address)
    worker.start("core", labels=[{"key": "branch", "value": "main"}])
    open_at(page, "/runs")
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("branch=main")

    worker.start("web", "core")

    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("0 / 2")
    check_accessible(page)


def test_a_run_goes_by_its_number_wherever_it_is_named(page: Page, address: str) -> None:
    worker = Worker(address)
    worker.start("core")
    run = worker.start("web", "core")
    open_at(page, "/")
    main = page.get_by_role("main")
    expect(main.get_by_role("link", name="Run 1", exact=True)).to_be_visible()
    main.get_by_role("link", name="Run 2", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Run 2")

    for path in (f"/builds?run={run}", f"/blockers?run={run}", "/runs"):
        open_at(page, path)
        named = main.get_by_role("link", name="Run 2", exact=True).first
        expect(named).to_have_attribute("href", f"#/runs/{run}")
        check_accessible(page)
    (held,) = worker.claim()
    open_at(page, f"/builds/{held.id}")
    expect(main.get_by_role("link", name=re.compile("^Run [12]$"))).to_be_visible()


def test_a_list_of_many_runs_is_paged_by_the_address(page: Page, address: str) -> None:
    worker = Worker(address)
    for number in range(27):
        worker.start("core", labels=[{"key": "number", "value": str(number)}])
    open_at(page, "/runs")
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(25)

    page.get_by_role("link", name="Next", exact=True).click()

    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("number=0")
    page.go_back()
    expect(rows).to_have_count(25)


def test_the_board_follows_a_run_to_its_end_without_being_loaded_again(page: Page, address: str) -> None:
    worker = Worker(address)
    run = worker.start("app", "web", "core", "log")
    open_at(page, f"/runs/{run}")
    page.evaluate("window.isTheSame = true")
    shows(page, all=4, queued=2, blocked=2, done=0)
    expect(page.locator(".freshness")).to_have_text("Live")

    (held,) = worker.claim()
    held.run()

    shows(page, building=1, queued=1)
    row = page.locator(".board-row", has_text=held.package)
    expect(row).to_contain_text("running")
    expect(row).to_contain_text("w1")
    held.end("SUCCESS")
    shows(page, building=0, done=1)
    for _ in range(3):
        worker.build()
    shows(page, all=4, done=4, queued=0, blocked=0)
    expect(page.locator(".page-head .badge")).to_have_text("success")
    expect(page.locator(".page-head").get_by_role("button", name="Cancel this run")).to_have_count(0)
    assert page.evaluate("window.isTheSame")
    check_accessible(page)


def test_a_run_that_nobody_builds_says_how_a_worker_for_it_is_started(page: Page, address: str) -> None:
    worker = Worker(address)
    run = worker.start("core", workerLabels=[{"key": "os", "value": "linux"}])
    open_at(page, f"/runs/{run}")
    command = page.get_by_text(f"buildatlas worker --url {address}/ --label os=linux -- COMMAND")
    expect(command).to_be_visible()
    check_accessible(page)

    worker.claim(labels=[{"key": "os", "value": "linux"}])

    expect(command).to_have_count(0)


def test_what_failed_is_told_apart_from_what_that_holds_up(page: Page, address: str) -> None:
    worker = Worker(address)
    run = worker.start("web", "core", "app")
    worker.build("FAILURE", message="no compiler")
    open_at(page, f"/runs/{run}?show=failed")

    expect(page.locator(".board-row")).to_have_count(1)
    expect(page.locator(".board-row")).to_contain_text("no compiler")
    page.get_by_role("link", name=re.compile("^Held up")).click()
    expect(page.locator(".board-row")).to_have_count(2)
    expect(page.locator(".board-row").first).to_contain_text("core 2.0 ended as FAILURE")
    expect(page.get_by_role("button", name=re.compile("^Try"))).to_have_count(0)
    check_accessible(page)


def test_a_failed_build_is_tried_again_from_its_run(page: Page, address: str) -> None:
    worker = Worker(address)
    run = worker.start("core", "log")
    held = worker.build("FAILURE")
    worker.build()
    open_at(page, f"/runs/{run}")
    shows(page, failed=1, done=1)
    check_accessible(page)

    page.get_by_role("button", name=f"Try again with {held.package}").click()

    shows(page, failed=0, queued=1)
    expect(page.locator(".page-head .badge")).to_have_text("running")


def test_builds_of_a_run_are_searched_by_what_is_in_the_address(page: Page, address: str) -> None:
    run = Worker(address).start("web", "core", "app")
    open_at(page, f"/runs/{run}?text=we")
    expect(page.locator(".board-row .name")).to_have_text(["web"])

    page.get_by_label("Package or worker").fill("nothing")

    expect(page.get_by_role("main")).to_contain_text("No build here is of such a package")
    page.get_by_role("link", name="Show all builds").click()
    expect(page.locator(".board-row")).to_have_count(3)
    assert page.url.endswith(f"#/runs/{run}")


def test_a_run_is_canceled_with_a_reason_that_is_shown(page: Page, address: str) -> None:
    run = Worker(address).start("web", "core")
    open_at(page, f"/runs/{run}")

    page.get_by_role("button", name="Cancel this run").click()
    check_accessible(page)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("not today")
    dialog.get_by_role("button", name="Cancel this run").click()

    expect(page.locator(".page-head .badge")).to_have_text("canceled")
    expect(page.locator(".page-head")).to_contain_text("not today")
    shows(page, done=2, queued=0, blocked=0)


def test_the_board_goes_on_when_the_server_comes_back(browser: Browser, settings: Settings) -> None:
    with serving(settings) as address:
        worker = Worker(address)
        run = worker.start("app", "web", "core", "log")
        context = browser.new_context(base_url=f"{address}/")
        page = context.new_page()
        open_at(page, f"/runs/{run}")
        page.evaluate("window.isTheSame = true")
        worker.build()
        shows(page, all=4, done=1)
    expect(page.locator(".freshness")).to_contain_text("Reconnecting")
    port = int(address.rpartition(":")[2])
    # What happens while the page cannot hear of it is told later.
    with serving(settings) as elsewhere:
        Worker(elsewhere).build()
    with serving(dataclasses.replace(settings, port=port)):
        shows(page, all=4, done=2)
        worker.build()
        shows(page, all=4, done=3)
        expect(page.locator(".freshness")).to_have_text("Live")
        assert page.evaluate("window.isTheSame")
        context.close()


@pytest.mark.parametrize("what", ["run", "build"])
@pytest.mark.parametrize("id_", ["QnVpbGRSdW46OTk", "xyz"])
def test_what_is_not_there_says_where_to_look(page: Page, what: str, id_: str) -> None:
    open_at(page, f"/{what}s/{id_}")

    expect(page.get_by_role("main")).to_contain_text(f"There is no such {what}")
    expect(page.get_by_role("link", name=f"See all {what}s")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
