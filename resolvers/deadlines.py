"""Time limits, for rooms that have no clock."""

import time
from collections.abc import Callable
from datetime import timedelta

from storage.time_limits import time_left


def deadline(limit: timedelta) -> Callable[[], bool]:
    """Return what tells whether `limit` has passed since now, or what is left to the operation that this is for."""
    left = time_left()
    seconds = limit.total_seconds()
    end = time.monotonic() + (seconds if left is None else min(seconds, left))
    return lambda: time.monotonic() > end
