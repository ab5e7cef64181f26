"""What the tests of this room share."""

from collections.abc import Iterator

import pytest

from tests.schema.world import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """An empty catalogue."""
    made = World.at(database_url)
    yield made
    made.database.close()
