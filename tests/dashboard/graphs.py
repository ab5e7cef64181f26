"""Catalogues that are made of who needs whom."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from buildatlas.settings import Settings
from tests.dashboard.catalogue import fill


def holding(folder: Path, needs: Mapping[str, Sequence[str | Mapping[str, object]]]) -> Settings:
    """Return settings of a server on any free port, with a version of each package, which needs what is given for it."""
    path = str(folder / "atlas.db")
    fill(path, _lines(needs))
    return Settings(path, port=0)


def _lines(needs: Mapping[str, Sequence[str | Mapping[str, object]]]) -> Iterable[bytes]:
    for name, all_of in needs.items():
        dependencies = [{"package": each} if isinstance(each, str) else each for each in all_of]
        yield json.dumps({"name": name, "version": "1.0", "dependencies": dependencies}).encode()
