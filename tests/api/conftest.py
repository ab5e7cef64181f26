"""What the tests over HTTP and WebSocket share."""

from collections.abc import Iterator

import pytest

from buildatlas.settings import Settings
from tests.api.serving import serving


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a server on an empty catalogue and any free port."""
    return Settings(database_url, port=0, body_limit=64 * 1024)


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """Where a running server answers."""
    with serving(settings) as running:
        yield running
