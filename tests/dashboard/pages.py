"""How a browser is pointed at a page, and what the page's accessibility is held to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import chromium

# Whoever tests may be root, for whom there is no sandbox.
_FLAGS: Final = ["--no-sandbox"]

_AXE: Final = Path(__file__).parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
_GRAVE: Final = {"serious", "critical"}


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run Debian's Chromium as long as the block does. Without one the test is skipped, and in CI it fails."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium(), args=_FLAGS) as browser,
    ):
        yield browser


def open_at(page: Page, path: str) -> None:
    """Go to a page of the dashboard, such as `/packages/app`, and wait until all of it is there."""
    page.goto(f"./#{path}")
    settle(page)


def settle(page: Page) -> None:
    """Wait until nothing is being fetched any more that would change the page."""
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator(".loading")).to_have_count(0)


def check_accessible(page: Page) -> None:
    """Hold a page against axe's rules, once it is what was asked for: nothing serious, and nothing critical."""
    # What is dimmed while the next answer is awaited has less contrast.
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.evaluate(_AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    grave = {
        each["id"]: [node["html"][:200] for node in each["nodes"][:3]]
        for each in found
        if each["impact"] in _GRAVE
    }
    assert grave == {}, grave
