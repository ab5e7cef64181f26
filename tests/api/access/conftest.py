"""What the tests about access share."""

from pathlib import Path

import pytest

from buildatlas.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server on an empty SQLite file and any free port."""
    return Settings(str(tmp_path / "atlas.db"), port=0)
