"""How long an operation may still take, wherever it has got to.

How it works: the end is a context variable, so threads that are started for an operation know it too. Databases stop a
statement of theirs that runs past it; whatever takes long in Python asks now and then.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from storage.errors import OutOfTime


@dataclass(frozen=True, slots=True)
class _Limit:
    end: float
    """By `time.monotonic`."""
    seconds: float


_current: ContextVar[_Limit | None] = ContextVar("time limit", default=None)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Have what is begun in the block, and in threads that it starts, end within `seconds`; None: whenever it does."""
    token = _current.set(None if seconds is None else _Limit(time.monotonic() + seconds, seconds))
    try:
        yield
    finally:
        _current.reset(token)


def time_left() -> float | None:
    """Return the seconds that are left, not below 0; None where there is no limit."""
    limit = _current.get()
    return None if limit is None else max(0.0, limit.end - time.monotonic())


def longest() -> float | None:
    """Return the seconds that the whole operation may take; None where there is no limit."""
    limit = _current.get()
    return None if limit is None else limit.seconds


def is_out_of_time() -> bool:
    """Whether the limit has passed."""
    limit = _current.get()
    return limit is not None and time.monotonic() >= limit.end


def check_time() -> None:
    """Raise OutOfTime once the limit has passed."""
    limit = _current.get()
    if limit is not None and time.monotonic() >= limit.end:
        raise OutOfTime(limit.seconds)
