"""Who wants to know when the event log has grown."""

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

log = logging.getLogger(__name__)

Seen: TypeAlias = Callable[[int], None]
"""Told the position of the newest event, in a thread of the database; it must not block."""


class Watchers:
    """Those who are told, and what they were told last. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._position = 0
        self._watchers: dict[object, Seen] = {}

    @property
    def position(self) -> int:
        """The newest position that was told."""
        return self._position

    def add(self, seen: Seen) -> Callable[[], None]:
        """Tell `seen` of every move from now on, until what is returned is called."""
        key = object()
        with self._changed:
            self._watchers[key] = seen
            position = self._position
        seen(position)

        def stop() -> None:
            with self._changed:
                self._watchers.pop(key, None)

        return stop

    def tell(self, position: int) -> None:
        """Tell everyone where the newest event stands, if that is news."""
        with self._changed:
            if position <= self._position:
                return
            self._position = position
            watchers = list(self._watchers.values())
            self._changed.notify_all()
        for seen in watchers:
            _tell(seen, position)

    def wait_beyond(self, position: int, seconds: float) -> None:
        """Return once an event after `position` was told of, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._position > position, timeout=seconds)


def _tell(seen: Seen, position: int) -> None:
    try:
        seen(position)
    except Exception:
        # One that fails must not keep the others from being told.
        log.exception("a watcher of the event log failed")
