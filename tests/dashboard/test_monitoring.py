"""Monitoring in the browser: what was measured is drawn, and told in words under each plot."""

import re
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.monitored import record
from tests.dashboard.pages import check_accessible, open_at, settle

NOT_MEASURED: Final = "\N{EN DASH}"


def told(page: Page, title: str) -> Locator:
    """The table under a plot."""
    return page.get_by_role("table", name=title, exact=True)


def cells(page: Page, title: str, line: str) -> Locator:
    """What a table tells of a line: the value now or at the cursor, the least, the mean and the most."""
    return told(page, title).get_by_role("row").filter(has_text=line).get_by_role("cell")


def plot(page: Page, title: str) -> Locator:
    return page.get_by_role("img", name=title)


def test_what_was_recorded_is_plotted_and_told_in_words(page: Page, address: str) -> None:
    record(address, "oven.seconds", 0.25, 0.5, 0.75, unit="s", minutes_ago=5, site="paris")
    record(address, "oven.seconds", 90, unit="s", minutes_ago=5, site="lyon")

    open_at(page, "/monitoring/oven.seconds")

    expect(cells(page, "mean of oven.seconds", "paris")).to_have_text(
        ["750 ms", "250 ms", "500 ms", "750 ms"]
    )
    expect(cells(page, "mean of oven.seconds", "lyon")).to_have_text(["1.5 min"] * 4)
    expect(plot(page, "mean of oven.seconds")).to_be_visible()
    check_accessible(page)


def test_aggregate_and_labels_are_chosen_by_the_address_and_change_it(page: Page, address: str) -> None:
    record(address, "heat", 1, 5, minutes_ago=5, site="paris")
    record(address, "heat", 7, minutes_ago=5, site="lyon")
    open_at(page, "/monitoring/heat?aggregate=MAX&by=none")
    expect(cells(page, "most of heat", "all")).to_have_text(["7", "1", "4", "7"])

    page.get_by_label("site").select_option("paris")
    page.get_by_label("Aggregate").select_option("COUNT")
    page.get_by_label("A line for each").select_option("site")

    expect(cells(page, "count of heat", "paris")).to_have_text(["1"] * 4)
    expect(page).to_have_url(re.compile(r"#/monitoring/heat\?aggregate=COUNT&by=site&label=site%3Dparis$"))


def test_an_unknown_metric_says_what_would_fill_it(page: Page) -> None:
    open_at(page, "/monitoring/nothing.here")

    expect(page.get_by_text("Nothing was measured under this name")).to_be_visible()
    expect(page.get_by_text("recordMetrics").last).to_be_visible()


def test_the_overview_draws_what_there_is_and_says_what_would_fill_the_rest(page: Page, address: str) -> None:
    record(address, "queue.builds", 3, 8, unit="1", minutes_ago=10)
    record(address, "build.seconds", 30, 30, unit="s", minutes_ago=10, conclusion="SUCCESS", package="app")
    record(address, "build.seconds", 40, unit="s", minutes_ago=10, conclusion="SUCCESS", package="web")

    open_at(page, "/monitoring?window=6h")

    expect(cells(page, "Queued builds", "queued builds").last).to_have_text("8")
    expect(cells(page, "Time to build", "P99").last).to_have_text(re.compile(r"^(30|39\.\d|40) s$"))
    expect(cells(page, "Builds finished", "success").nth(1)).to_have_text("0 /min")
    waited = page.locator("section", has=page.get_by_role("heading", name="Time in the queue"))
    expect(waited).to_contain_text("buildatlas worker")
    check_accessible(page)


def test_the_cursor_tells_one_moment_of_every_plot(page: Page, address: str) -> None:
    record(address, "queue.builds", *([4] * 3), unit="1", minutes_ago=5)
    record(address, "workers.live", *([2] * 3), unit="1", minutes_ago=5)
    open_at(page, "/monitoring")
    expect(cells(page, "Live workers", "live workers").first).not_to_have_text(NOT_MEASURED)

    plot(page, "Queued builds").hover()

    # Half an hour ago nothing was measured.
    expect(cells(page, "Queued builds", "queued builds").first).to_have_text(NOT_MEASURED)
    expect(cells(page, "Live workers", "live workers").first).to_have_text(NOT_MEASURED)
    moment = told(page, "Queued builds").get_by_role("columnheader").nth(1)
    expect(moment).to_have_text(re.compile(r"\d\d:\d\d"))
    expect(told(page, "Live workers").get_by_role("columnheader").nth(1)).to_have_text(moment.inner_text())


def test_dragging_over_a_plot_looks_at_that_part_until_another_window_is_chosen(
    page: Page, address: str
) -> None:
    record(address, "heat", 1, 2, 3, minutes_ago=5)
    open_at(page, "/monitoring/heat?window=6h")
    box = plot(page, "mean of heat").bounding_box()
    assert box is not None

    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60, steps=4)
    page.mouse.up()

    expect(page).to_have_url(re.compile(r"#/monitoring/heat\?from=\d+&to=\d+$"))
    page.get_by_label("Window").select_option("1d")
    expect(page).to_have_url(re.compile(r"#/monitoring/heat\?window=1d$"))
    settle(page)
    expect(cells(page, "mean of heat", "all").last).to_have_text(re.compile(r"^(2|3|2\.5)$"))


def test_plots_take_the_colours_of_the_theme_also_when_it_changes(page: Page, address: str) -> None:
    record(address, "heat", 5, minutes_ago=10)
    open_at(page, "/monitoring/heat")
    expect(told(page, "mean of heat")).to_be_visible()
    light = drawn(page, "--line-1")

    page.emulate_media(color_scheme="dark")

    assert light == (13, 110, 102)
    expect(page.locator("body")).to_have_css("background-color", "rgb(16, 21, 20)")
    assert drawn(page, "--line-1") == (98, 203, 191)
    check_accessible(page)


def drawn(page: Page, token: str) -> tuple[int, ...] | None:
    """Return the colour of a token once it is to be seen in the plot."""
    handle = page.locator(".plot canvas").evaluate_handle(_DRAWN, token)
    found = handle.json_value()
    return None if found is None else tuple(found)


_DRAWN = """async (_, token) => {
    const hex = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
    const wanted = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    for (let turn = 0; turn < 200; turn += 1) {
        const canvas = document.querySelector(".plot canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] === 255 && wanted.every((each, part) => data[at + part] === each)) return wanted;
        }
        await new Promise(requestAnimationFrame);
    }
    return null;
}"""


def test_operations_are_told_apart_by_name_and_sorted(page: Page, address: str) -> None:
    labels = {"outcome": "OK"}
    record(
        address,
        "graphql.operation.seconds",
        *([0.01] * 4),
        unit="s",
        minutes_ago=5,
        operation="Often",
        **labels,
    )
    record(address, "graphql.operation.seconds", 900, unit="s", minutes_ago=5, operation="Seldom", **labels)

    open_at(page, "/monitoring?sort=slowest")

    rows = page.get_by_role("table").last.get_by_role("row")
    expect(rows.nth(1)).to_contain_text("Seldom")
    expect(rows.nth(1).get_by_role("cell").last).to_have_text("15 min")
    page.get_by_role("link", name="Seldom").click()
    expect(cells(page, "P95 of graphql.operation.seconds", "Seldom").first).to_have_text("15 min")


@pytest.mark.parametrize("path", ["/monitoring", "/monitoring/heat"])
def test_a_phone_shows_all_without_scrolling_sideways(page: Page, address: str, path: str) -> None:
    record(address, "heat", 1, 2, minutes_ago=5, site="paris")
    record(address, "queue.builds", 1, 2, unit="1", minutes_ago=5)
    long = {"operation": "Packages", "outcome": "INTERNAL_SERVER_ERROR_OF_A_LONG_NAME"}
    record(address, "graphql.operation.seconds", 1, 2, unit="s", minutes_ago=5, **long)
    page.set_viewport_size({"width": 390, "height": 844})

    open_at(page, path)

    expect(page.get_by_role("table").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check_accessible(page)


def test_a_plot_leads_to_its_metric_as_it_is_drawn(page: Page, address: str) -> None:
    record(address, "queue.builds", 0, 1, 0, unit="1", minutes_ago=5, of="here")
    open_at(page, "/monitoring")
    drawn_there = cells(page, "Queued builds", "queued builds")
    expect(drawn_there.last).to_have_text("1")

    page.locator("section", has_text="Queued builds").get_by_role("link", name="queue.builds").click()

    expect(cells(page, "most of queue.builds", "all").last).to_have_text("1")


def test_a_metric_that_nobody_recorded_has_no_producer(page: Page) -> None:
    open_at(page, "/monitoring/nosuch")

    expect(page.get_by_text("Nothing was measured under this name")).to_be_visible()
    expect(page.get_by_text("outside producer")).to_have_count(0)


def test_the_last_moment_of_a_plot_has_room_for_its_name(page: Page, address: str) -> None:
    record(address, "heat", 1, minutes_ago=5)
    open_at(page, "/monitoring/heat")
    plotted, drawing = page.locator(".u-over").bounding_box(), page.locator(".plot-box").bounding_box()

    assert plotted is not None
    assert drawing is not None
    half_a_name = 18
    assert drawing["x"] + drawing["width"] - plotted["x"] - plotted["width"] >= half_a_name
