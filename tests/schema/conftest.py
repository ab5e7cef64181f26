"""What the tests of this room share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.schema.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty catalogue."""
    made = World.at(tmp_path)
    yield made
    made.database.close()
