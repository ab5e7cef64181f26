"""A real database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database in a file of its own."""
    opened = Database.open(str(tmp_path / "atlas.db"))
    yield opened
    opened.close()
