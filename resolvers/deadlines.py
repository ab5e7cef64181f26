"""Time limits, for rooms that have no clock."""

import time
from collections.abc import Callable
from datetime import timedelta


def deadline(limit: timedelta) -> Callable[[], bool]:
    """Return what tells whether `limit` has passed since now."""
    end = time.monotonic() + limit.total_seconds()
    return lambda: time.monotonic() > end
