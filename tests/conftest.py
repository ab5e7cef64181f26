"""A real database for each test that asks for one, of each kind by turns; and what is said of tests left out."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import Database
from tests import chromium
from tests.databases import KINDS, url_of


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without rows."""
    with url_of(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database without rows."""
    with closing(Database.open(database_url)) as opened:
        yield opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this machine could not test, and what to do about it."""
    if terminalreporter.stats.get("skipped") and chromium.found() is None:
        terminalreporter.write_line(chromium.HOW_TO_ADD)
