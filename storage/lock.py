"""The turn to write: one thread in the process, and one process at the file.

SQLite's own busy waiting lets a second process starve for seconds. A lock file
beside the database, taken before BEGIN IMMEDIATE, makes them take turns.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from storage.errors import Trouble, Unavailable

# flock cannot wait with a time limit, so it is asked again and again: often enough that a turn is not lost, seldom
# enough to cost nothing behind an import of many seconds.
_FIRST_PAUSE: Final = 0.0005
_LONGEST_PAUSE: Final = 0.02


class WriterLock:
    """The right to write to one database file."""

    def __init__(self, database: Path, wait: timedelta) -> None:
        self._database = database
        self._wait = wait
        self._thread = threading.Lock()
        self._holder: int | None = None
        self._descriptor: int | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the turn. Raises Unavailable when it does not come in time."""
        if self._holder == threading.get_ident():
            raise RuntimeError("a write may not be started inside another")
        deadline = time.monotonic() + self._wait.total_seconds()
        if not self._thread.acquire(timeout=self._wait.total_seconds()):
            raise self._busy()
        try:
            self._holder = threading.get_ident()
            descriptor = self._take_file(deadline)
            try:
                yield
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            self._holder = None
            self._thread.release()

    def close(self) -> None:
        """Let go of the lock file, which stays: removing it would let two processes hold two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take_file(self, deadline: float) -> int:
        descriptor = self._open() if self._descriptor is None else self._descriptor
        self._descriptor = descriptor
        pause = _FIRST_PAUSE
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise self._busy()
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return descriptor

    def _open(self) -> int:
        path = f"{self._database}.lock"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            detail = f"{path} cannot be opened: {error.strerror}"
            raise Unavailable(str(self._database), Trouble.READ_ONLY, detail) from error

    def _busy(self) -> Unavailable:
        detail = f"it was not free within {self._wait.total_seconds():g} s; try again once an import or migration has ended"
        return Unavailable(str(self._database), Trouble.BUSY, detail)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
