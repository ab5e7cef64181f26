"""What the tests with clients of others share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from buildatlas.settings import Settings
from tests.api.serving import serving
from tests.clients.node import laid_out


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of scripts that run clients of npm."""
    return laid_out(tmp_path_factory.mktemp("scripts"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server on an empty catalogue in SQLite and any free port."""
    return Settings(str(tmp_path / "atlas.db"), port=0)


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """Where a running server answers."""
    with serving(settings) as running:
        yield running
