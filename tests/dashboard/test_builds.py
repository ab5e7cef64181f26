"""The pages of builds, and what to fix first."""

import dataclasses

from playwright.sync_api import Browser, Page, expect

from buildatlas.settings import Settings
from tests.api.serving import serving
from tests.dashboard.builds import Held, Worker
from tests.dashboard.pages import check_accessible, open_at

RED = "\x1b[31m"


def log(page: Page) -> str:
    """Return what the log shows."""
    return page.get_by_role("region", name="Log").inner_text()


def failed(address: str, *packages: str) -> Held:
    """Have the first build of a run fail."""
    worker = Worker(address)
    worker.start(*packages)
    return worker.build("FAILURE", message="no compiler")


def test_a_failed_build_is_tried_again_by_a_click_and_followed_to_its_end(page: Page, address: str) -> None:
    held = failed(address, "core")
    open_at(page, f"/builds/{held.id}")
    page.evaluate("window.isTheSame = true")
    state = page.locator(".page-head .badge")
    expect(state).to_have_text("failure")
    expect(page.locator(".page-head")).to_contain_text("no compiler")

    page.get_by_role("button", name="Try again").click()

    expect(state).to_have_text("queued")
    (again,) = held.worker.claim()
    expect(state).to_have_text("assigned")
    again.run()
    expect(state).to_have_text("running")
    again.say("one", f"{RED}two\x1b[0m")
    expect(page.get_by_role("region", name="Log")).to_contain_text("two")
    again.say("three")
    expect(page.get_by_role("region", name="Log")).to_contain_text("three")
    assert log(page).split() == ["Attempt", "2", "one", "two", "three"]
    artifacts = [
        {"name": "wheel", "uri": "https://example.com/core.whl", "sizeBytes": 2_000_000},
        {"name": "odd", "uri": "javascript:alert(1)"},
    ]
    again.end("SUCCESS", outputDigest="sha256:12", artifacts=artifacts)
    expect(state).to_have_text("success")
    expect(page.get_by_role("link", name="wheel")).to_have_attribute("href", "https://example.com/core.whl")
    expect(page.get_by_role("main")).to_contain_text("javascript:alert(1)")
    expect(page.get_by_role("link", name="odd")).to_have_count(0)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    assert page.evaluate("window.isTheSame")
    check_accessible(page)


def test_a_build_is_canceled_with_a_reason(page: Page, address: str) -> None:
    worker = Worker(address)
    worker.start("core")
    (held,) = worker.claim()
    held.run()
    open_at(page, f"/builds/{held.id}")

    page.get_by_role("button", name="Cancel this build").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("wrong branch")
    dialog.get_by_role("button", name="Cancel this build").click()

    expect(page.locator(".page-head .badge")).to_have_text("canceling")
    held.end("CANCELED")
    expect(page.locator(".page-head .badge")).to_have_text("canceled")
    expect(page.get_by_role("main")).to_contain_text("wrong branch")


def test_the_end_of_a_long_log_is_followed_until_the_reader_scrolls_up(page: Page, address: str) -> None:
    worker = Worker(address)
    worker.start("core")
    (held,) = worker.claim()
    held.run()
    for start in range(0, 7_000, 1_000):
        held.say(*(f"line {number}" for number in range(start, start + 1_000)))
    open_at(page, f"/builds/{held.id}")
    shown = page.get_by_role("region", name="Log")

    expect(shown).to_contain_text("line 6999")
    expect(shown).to_contain_text("2,000 earlier lines")
    assert is_at_end(page)
    shown.evaluate("each => { each.scrollTop = 0 }")
    expect(page.get_by_role("button", name="Jump to the end")).to_be_visible()
    held.say("line 7000")
    expect(shown).to_contain_text("line 7000")
    assert not is_at_end(page)
    expect(shown).to_contain_text("3,000 earlier lines")
    page.get_by_role("button", name="Show 1,000 of them").click()
    expect(shown).to_contain_text("2,000 earlier lines")
    expect(shown).to_contain_text("line 2000 line 2001")
    page.get_by_role("button", name="Jump to the end").click()
    expect(page.get_by_role("button", name="Jump to the end")).to_have_count(0)
    assert is_at_end(page)


def is_at_end(page: Page) -> bool:
    """Whether the last line of the log is in sight."""
    shown = page.get_by_role("region", name="Log")
    return bool(shown.evaluate("each => each.scrollHeight - each.clientHeight - each.scrollTop < 24"))


def test_a_log_goes_on_when_the_server_comes_back(browser: Browser, settings: Settings) -> None:
    with serving(settings) as address:
        worker = Worker(address)
        worker.start("core")
        (held,) = worker.claim()
        held.run()
        held.say("before")
        context = browser.new_context(base_url=f"{address}/")
        page = context.new_page()
        open_at(page, f"/builds/{held.id}")
        expect(page.get_by_role("region", name="Log")).to_contain_text("before")
    expect(page.locator(".freshness")).to_contain_text("Reconnecting")
    port = int(address.rpartition(":")[2])
    with serving(dataclasses.replace(settings, port=port)):
        held.say("after")
        held.end("SUCCESS")
        expect(page.locator(".page-head .badge")).to_have_text("success")
        expect(page.get_by_role("region", name="Log")).to_contain_text("after")
        expect(page.locator(".problem")).to_have_count(0)
        context.close()


def test_a_build_says_why_it_is_not_being_built_until_it_is(page: Page, address: str) -> None:
    held = failed(address, "web", "core", "app")
    waiting = held.worker.ask('query { builds(filter: {package: "app"}) { nodes { id } } }')["nodes"][0]["id"]
    open_at(page, f"/builds/{waiting}")

    why = page.locator(".panel", has_text="Why it is not being built")
    expect(why).to_contain_text("core has failed")
    expect(why).to_contain_text("app needs web needs core")
    expect(why).to_contain_text("retry its build")
    check_accessible(page)
    held.worker.ask("mutation($input: RetryBuildInput!) { retryBuild(input: $input) { cursor } }", id=held.id)
    expect(why).to_contain_text("core is not built yet")
    held.worker.build()
    held.worker.build()
    expect(why).to_have_count(0)
    expect(page.locator(".page-head .badge")).to_have_text("queued")


def test_builds_are_filtered_by_what_is_in_the_address_and_kept_fresh(page: Page, address: str) -> None:
    worker = Worker(address)
    worker.start("core", "web", "app")
    open_at(page, "/builds?status=QUEUED")
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_contain_text(["core"])

    worker.build()

    expect(rows).to_contain_text(["web"])
    page.get_by_label("State").select_option("success")
    expect(rows).to_contain_text(["core"])
    assert page.url.endswith("#/builds?conclusion=SUCCESS")
    page.get_by_label("Worker").fill("nobody")
    page.get_by_label("Worker").press("Enter")
    expect(page.get_by_role("main")).to_contain_text("No build is like this")
    check_accessible(page)


def test_many_builds_are_paged(page: Page, address: str) -> None:
    worker = Worker(address)
    for _ in range(52):
        worker.start("core")
    open_at(page, "/builds?package=core")
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(50)

    page.get_by_role("link", name="Next").click()

    expect(rows).to_have_count(2)
    page.get_by_role("link", name="Previous").click()
    expect(rows).to_have_count(50)


def test_what_to_fix_first_is_told_with_what_it_holds_up(page: Page, address: str) -> None:
    open_at(page, "/blockers")
    expect(page.get_by_role("main")).to_contain_text("Nothing is in the way of any build")
    check_accessible(page)

    held = failed(address, "core", "web", "app")

    cause = page.locator(".blocker")
    expect(cause).to_have_count(1)
    expect(cause).to_contain_text("core has failed")
    expect(cause).to_contain_text("2 builds")
    check_accessible(page)
    cause.get_by_role("link", name="Build of core 2.0").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Build of core 2.0")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".page-head .badge")).to_have_text("queued")
    held.worker.build()
    open_at(page, "/blockers")
    expect(page.get_by_role("main")).to_contain_text("Nothing is in the way")
