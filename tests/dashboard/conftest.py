"""A browser, and a server for it to look at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from buildatlas.settings import Settings
from tests.api.serving import serving
from tests.dashboard.catalogue import fill
from tests.dashboard.pages import browsing

# Machines are shared: what is waited for comes, late or not.
_PATIENCE: Final = 30_000
expect.set_options(timeout=_PATIENCE)


# While it is there an event loop runs, which tests beside these would meet if it were the session's.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with browsing() as started:
        yield started


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server on a small catalogue in SQLite and any free port."""
    path = str(tmp_path / "atlas.db")
    fill(path)
    return Settings(path, port=0)


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """Where a running server answers."""
    with serving(settings) as running:
        yield running


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A tab of a browser that knows nothing yet. What goes wrong in its scripts fails the test."""
    context = browser.new_context(base_url=f"{address}/", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_PATIENCE)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if _is_fault(said.type, said.text) else None)
    yield opened
    context.close()
    assert wrong == []


def _is_fault(kind: str, text: str) -> bool:
    """Whether a message is of a script's fault: that a request was refused is told to the reader."""
    return kind == "error" and "Failed to load resource" not in text and "WebSocket connection" not in text
