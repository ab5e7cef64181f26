"""The browser that the dashboard is tested in: Debian's own, since its makers' come from nowhere that can be pinned."""

import os
import shutil
from typing import Final

import pytest

HOW_TO_ADD: Final = (
    "The dashboard was not tested, as there is no Chromium. Add it: sudo apt-get install chromium"
)

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def found() -> str | None:
    """Return the path of a browser, or None."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def chromium() -> str:
    """Return the path of a browser. Without one the test is skipped, and in CI it fails."""
    path = found()
    if path is None and os.environ.get("CI"):
        pytest.fail(HOW_TO_ADD, pytrace=False)
    if path is None:
        pytest.skip(HOW_TO_ADD)
    return path
