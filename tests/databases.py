"""The databases that a test is run on: each kind by turns."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests import postgres

KINDS: Final = ("sqlite", "postgresql")


@contextmanager
def url_of(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of a database of this kind without rows, for a test that has `folder` to itself."""
    if kind == "sqlite":
        yield str(folder / "atlas.db")
    else:
        with postgres.migrated_database() as url:
            yield url
